package onprem

import (
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/store"
)

// respond serves Reply, ReplyAll, Forward and their Create… forms.
func respond(c *call) (int, error) {
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	verb := c.segments[len(c.segments)-1]
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	var comment string
	var to []store.Address
	if len(raw) > 0 {
		err = object(raw, "Message", func(name string, value []byte) (err error) {
			switch lower(name) {
			case "comment":
				comment, err = aText(value)
			case "torecipients":
				to, err = someRecipients(value)
			}
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	edit := answered(m, strings.TrimPrefix(verb, "create"), comment, to)
	if strings.HasPrefix(verb, "create") {
		d, err := c.mb.CreateMessage(0, edit)
		if err != nil {
			return 0, err
		}
		return c.single(d, http.StatusCreated)
	}
	return http.StatusAccepted, c.mb.Send(true, edit)
}

// answered fills in the answer to a message or its forwarding.
func answered(m *store.Message, verb, comment string, to []store.Address) func(*store.Message) {
	return func(d *store.Message) {
		own := m.Mailbox().Address()
		d.Conversation, d.Importance = m.Conversation, m.Importance
		d.To = to
		prefix := "RE: "
		switch {
		case verb == "forward":
			prefix = "FW: "
			d.SetAttachments(m.Attachments())
		case len(m.ReplyTo) > 0:
			d.To = append(d.To, m.ReplyTo...)
		case m.From != nil:
			d.To = append(d.To, *m.From)
		}
		if verb == "replyall" {
			for _, a := range slices.Concat(m.To, m.Cc) {
				if !strings.EqualFold(a.Address, own.Address) {
					d.Cc = append(d.Cc, a)
				}
			}
		}
		d.Subject = prefix + strings.TrimPrefix(m.Subject, prefix)
		old := m.Body()
		if old.Kind == "text" {
			d.SetBody(store.Body{Kind: "text", Content: comment + "\r\n\r\n" + old.Content})
			return
		}
		d.SetBody(store.Body{Kind: "html", Content: "<html><body><p>" + escapeText(comment) + "</p><hr>" + old.Content + "</body></html>"})
	}
}

var escapeText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
