package onprem

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/store"
)

// message writes one message with its annotations.
func (c *call) message(m *store.Message) {
	kind := ""
	if m.Meeting != nil {
		kind = "EventMessage"
	}
	c.annotations(place{collection: "Messages", item: m.Ref()}, m.Change, kind)
	members(&c.render, c.service.messageModel(), m)
	if c.expand {
		c.name("Attachments")
		c.b = append(c.b, '[')
		chosen := c.chosen
		c.chosen = nil
		for _, a := range m.Attachments() {
			c.attachment("Messages('"+c.mb.ID(m.Ref(), false)+"')/Attachments", a)
		}
		c.chosen = chosen
		c.close(']')
	}
	c.close('}')
}

// single writes one message as an answer of its own.
func (c *call) single(m *store.Message, status int) (int, error) {
	c.located(status, "Messages", c.mb.ID(m.Ref(), false))
	c.context("Messages", true)
	start := len(c.b)
	c.message(m)
	c.b = append(c.b[:start], c.b[start+1:]...) // the context is part of the entity
	return status, nil
}

func (c *call) expandable(names ...string) error {
	for _, e := range c.q.Expand {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, e.Path) }) {
			return refusal(http.StatusBadRequest, "ErrorInvalidRequest", "The OData request is not supported.")
		}
		c.expand = true
	}
	return nil
}

func listMessages(c *call) (int, error) {
	folder, resource := store.Key(0), "Messages"
	if c.segments[0] != "messages" {
		key, err := c.mb.FindFolder(c.segments[1])
		if err != nil {
			return 0, err
		}
		folder, resource = key, c.foldersName()+"('"+c.segments[1]+"')/Messages"
	}
	q, err := ask(c, c.service.messageModel(), "Message")
	if err == nil {
		err = c.expandable("attachments")
	}
	if err != nil {
		return 0, err
	}
	if c.q.HasSearch {
		if c.q.Filter != nil {
			return 0, refusal(http.StatusBadRequest, "SearchWithFilter", "The query parameter '$filter' is not supported with '$search'.")
		}
		if len(c.q.OrderBy) > 0 {
			return 0, refusal(http.StatusBadRequest, "SearchWithOrderBy", "The query parameter '$orderBy' is not supported with '$search'.")
		}
		// What a search finds comes newest first by the time of sending, as in Graph.
		q.keep = store.Search(c.q.Search)
		q.compare = func(a, b *store.Message) int { return b.Sent.Compare(a.Sent) }
	}
	if c.track && folder != 0 {
		return track(c, resource, func(q store.ChangeQuery) (store.Changes[*store.Message], error) {
			return c.mb.MessageChanges(folder, q)
		}, c.message)
	}
	mq := store.MessageQuery{Skip: q.skip, Top: q.top, Keep: q.keep, Count: c.q.Count}
	if len(q.order) == 1 && strings.HasSuffix(lower(q.order[0].Path), "receiveddatetime") || len(q.order) == 1 && strings.EqualFold(q.order[0].Path, "DateTimeReceived") {
		mq.Oldest = !q.order[0].Desc // the store's own order
	} else {
		mq.Compare = q.compare
	}
	p, err := c.mb.Messages(folder, mq)
	if err != nil {
		return 0, err
	}
	status, err := page(c, resource, p.Items, p.More, p.Total, c.message)
	c.keepPage()
	return status, err
}

// item is the message that the path names.
func (c *call) item() (*store.Message, error) {
	at := 1
	if c.segments[0] != "messages" {
		at = 3
	}
	return c.mb.FindMessage(c.segments[at])
}

func getMessage(c *call) (int, error) {
	m, err := c.item()
	if err == nil {
		err = selected(c, c.service.messageModel(), "Message")
	}
	if err == nil {
		err = c.expandable("attachments")
	}
	if err == nil && c.service.cfg.Quirk("id.legacy", c.mb) {
		err = refusal(http.StatusBadRequest, "ErrorInvalidIdMalformed", "EWS Id is in EwsLegacyId format. Please use ConvertId to convert it to EwsId format.")
	}
	if err != nil {
		return 0, err
	}
	return c.single(m, http.StatusOK)
}

// draft reads a message out of a request body.
func (c *call) draft(raw []byte) (func(*store.Message), error) {
	var files []*store.Attachment
	changes, err := entity(raw, "Message", c.service.messageModel(), c.v1, map[string]func([]byte) (func(*store.Message), error){
		"Attachments": func(raw []byte) (func(*store.Message), error) {
			var err error
			files, err = list(raw, anAttachment)
			return func(*store.Message) {}, err
		},
	})
	return func(m *store.Message) {
		for _, change := range changes {
			change(m)
		}
		if files != nil {
			m.SetAttachments(files)
		}
	}, err
}

func createMessage(c *call) (int, error) {
	folder := store.Key(0)
	var err error
	if c.segments[0] != "messages" {
		if folder, err = c.mb.FindFolder(c.segments[1]); err != nil {
			return 0, err
		}
	}
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	edit, err := c.draft(raw)
	if err != nil {
		return 0, err
	}
	if c.service.cfg.Quirk("msg.create_draft", c.mb) {
		edit = finished(raw, edit)
	}
	m, err := c.mb.CreateMessage(folder, edit)
	if err != nil {
		return 0, err
	}
	return c.single(m, http.StatusCreated)
}

// finished lets a body that says so make a message that is no draft.
func finished(raw []byte, edit func(*store.Message)) func(*store.Message) {
	var says struct{ IsDraft *bool }
	if json.Unmarshal(raw, &says) != nil || says.IsDraft == nil || *says.IsDraft {
		return edit
	}
	return func(m *store.Message) {
		edit(m)
		m.Draft = false
	}
}

func patchMessage(c *call) (int, error) {
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	edit, err := c.draft(raw)
	if err != nil {
		return 0, err
	}
	m, err = c.mb.UpdateMessage(m.Ref(), c.r.Header.Get("If-Match"), func(m *store.Message) error { edit(m); return nil })
	if err != nil {
		return 0, err
	}
	return c.single(m, http.StatusOK)
}

func deleteMessage(c *call) (int, error) {
	m, err := c.item()
	if err == nil {
		err = c.mb.DeleteMessage(m.Ref(), c.r.Header.Get("If-Match"))
	}
	return http.StatusNoContent, err
}

// destination reads the body of a move or copy.
func (c *call) destination() (store.Key, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	var to string
	err = object(raw, "Message", func(name string, value []byte) (err error) {
		if !strings.EqualFold(name, "DestinationId") {
			return bodyError{"The parameter '" + name + "' in the request payload is not a valid parameter for the operation 'Move'."}
		}
		to, err = aText(value)
		return err
	})
	if err != nil {
		return 0, err
	}
	return c.mb.FindFolder(to)
}

func moveMessage(c *call) (int, error) { return c.relocate((*store.Mailbox).MoveMessage) }

func copyMessage(c *call) (int, error) { return c.relocate((*store.Mailbox).CopyMessage) }

func (c *call) relocate(act func(*store.Mailbox, store.Ref, store.Key) (*store.Message, error)) (int, error) {
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	to, err := c.destination()
	if err != nil {
		return 0, err
	}
	if m, err = act(c.mb, m.Ref(), to); err != nil {
		return 0, err
	}
	return c.single(m, http.StatusCreated)
}

func sendDraft(c *call) (int, error) {
	m, err := c.item()
	if err == nil {
		err = c.mb.SendDraft(m.Ref())
	}
	return http.StatusAccepted, err
}

func sendMail(c *call) (int, error) {
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	save := true
	var message []byte
	err = object(raw, "SendMail", func(name string, value []byte) (err error) {
		switch {
		case strings.EqualFold(name, "Message"):
			message = value
		case strings.EqualFold(name, "SaveToSentItems"):
			save, err = aBool(value)
		default:
			err = bodyError{"The parameter '" + name + "' in the request payload is not a valid parameter for the operation 'SendMail'."}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if message == nil {
		return 0, refusal(http.StatusBadRequest, "ErrorInvalidRequest", "The parameter 'Message' is missing.")
	}
	edit, err := c.draft(message)
	if err != nil {
		return 0, err
	}
	return http.StatusAccepted, c.mb.Send(save, edit)
}
