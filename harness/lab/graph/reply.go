package graph

import (
	"html"
	"net/http"
	"strings"

	"cutover/harness/lab/store"
)

// replyKind is to whom an answer goes.
type replyKind uint8

const (
	replyOnly replyKind = iota
	replyAll
	forward
)

// reply answers or forwards a message: at once (send), or as a draft.
func reply(kind replyKind, send bool) func(*call) *fault {
	return func(c *call) *fault {
		m, f := c.message()
		if f != nil {
			return f
		}
		if c.isMIME() {
			return c.replyMIME(m, kind, send)
		}
		body, f := c.readObject()
		if f != nil {
			return f
		}
		edit, f := c.answerTo(m, kind, send, body)
		if f != nil {
			return f
		}
		return c.answer(m, edit, send)
	}
}

func (c *call) answer(m message, edit func(message), send bool) *fault {
	if send {
		probe := &store.Message{}
		edit(probe)
		if f := recipientsFault(probe); f != nil {
			return f
		}
		if err := c.mb.Send(true, edit); err != nil {
			return storeFault(err)
		}
		return c.done(http.StatusAccepted)
	}
	draft, err := c.mb.CreateMessage(0, edit)
	if err != nil {
		return storeFault(err)
	}
	return c.writeMessage(http.StatusCreated, draft)
}

func (c *call) replyMIME(m message, kind replyKind, send bool) *fault {
	edit, f := c.readMIME()
	if f != nil {
		return f
	}
	return c.answer(m, func(x message) {
		c.address(x, m, kind)
		edit(x)
	}, send)
}

// answerTo checks the parameters of a reply and returns what fills it in.
func (c *call) answerTo(m message, kind replyKind, send bool, body *jsonNode) (func(message), *fault) {
	if f := body.only("microsoft.graph.reply", "comment", "message", "toRecipients"); f != nil {
		return nil, f
	}
	comment, inner, top := body.param("comment"), body.param("message"), body.param("toRecipients")
	if inner != nil && inner.kind == nullNode {
		inner = nil
	}
	if comment != nil && comment.text != "" && inner.param("body") != nil {
		return nil, badCode("ErrorInvalidRequest", "Either comment or the body property of the message can be given, not both.")
	}
	if kind == forward {
		twice := top != nil && inner.param("toRecipients") != nil
		none := top == nil && inner.param("toRecipients") == nil
		if twice || none && send {
			return nil, badCode("ErrorInvalidRequest", "The toRecipients of a forward must be given once: as a parameter or inside of the message.")
		}
	}
	if inner != nil {
		if f := applyMessage(&store.Message{Draft: true}, inner, creating); f != nil {
			return nil, f
		}
	}
	var to []store.Address
	if top != nil {
		var f *fault
		if to, f = readRecipients(top); f != nil {
			return nil, f
		}
	}
	text := ""
	if comment != nil && send { // a draft loses the comment: a known issue
		text = comment.text
	}
	return func(x message) {
		c.address(x, m, kind)
		if to != nil {
			x.To = to
		}
		x.SetBody(quote(m, text))
		if inner != nil {
			applyMessage(x, inner, creating)
		}
	}, nil
}

// address sets subject, conversation and recipients of an answer.
func (c *call) address(x, m message, kind replyKind) {
	prefix := "RE: "
	if kind == forward {
		prefix = "FW: "
	}
	x.Subject = prefix + trimPrefixes(m.Subject)
	x.Conversation = m.Conversation
	x.ConversationIndex = append(append([]byte(nil), m.ConversationIndex...), byte(c.s.requests.Load()), 0, 0, 0, 1)
	if kind == forward {
		x.SetAttachments(m.Attachments())
		return
	}
	switch {
	case len(m.ReplyTo) > 0:
		x.To = m.ReplyTo
	case m.From != nil:
		x.To = []store.Address{*m.From}
	}
	if kind == replyAll {
		own := c.mb.User().SMTP
		for _, a := range m.To {
			if !strings.EqualFold(a.Address, own) && !listed(x.To, a) {
				x.To = append(append([]store.Address(nil), x.To...), a)
			}
		}
		for _, a := range m.Cc {
			if !strings.EqualFold(a.Address, own) && !listed(x.To, a) {
				x.Cc = append(x.Cc, a)
			}
		}
	}
}

func listed(list []store.Address, a store.Address) bool {
	for _, x := range list {
		if strings.EqualFold(x.Address, a.Address) {
			return true
		}
	}
	return false
}

func trimPrefixes(subject string) string {
	for _, p := range []string{"RE: ", "FW: ", "Re: ", "Fw: ", "Fwd: "} {
		subject = strings.TrimPrefix(subject, p)
	}
	return subject
}

// quote is the body of an answer: the comment above the message that it answers.
func quote(m message, comment string) store.Body {
	from := ""
	if m.From != nil {
		from = m.From.Name + " <" + m.From.Address + ">"
	}
	b := store.Hypertext(m.Body())
	head := "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>" +
		html.EscapeString(comment) + "<hr tabindex=\"-1\"><div id=\"divRplyFwdMsg\"><b>From:</b> " + html.EscapeString(from) +
		"<br><b>Sent:</b> " + m.Sent.Format("Monday, January 2, 2006 3:04 PM") + "<br><b>Subject:</b> " + html.EscapeString(m.Subject) + "</div><br>"
	content := b.Content
	if i := strings.Index(content, "<body"); i >= 0 {
		if j := strings.IndexByte(content[i:], '>'); j >= 0 {
			content = content[i+j+1:]
		}
	}
	return store.Body{Kind: "html", Content: head + content}
}
