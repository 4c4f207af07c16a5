package onprem

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"cutover/harness/lab/store"
)

// holder is an item that has attachments.
type holder struct {
	path string // Messages('…')/Attachments
	list []*store.Attachment
	set  func([]*store.Attachment) error
}

// holder is the message or event that the path names.
func (c *call) holder() (holder, error) {
	if c.segments[0] == "events" {
		e, err := c.findEvent()
		if err != nil {
			return holder{}, err
		}
		return holder{path: "Events('" + c.mb.ID(e.Ref(), false) + "')/Attachments", list: e.Attachments(), set: func(list []*store.Attachment) error {
			_, err := c.mb.UpdateEvent(e.Ref(), "", func(e *store.Event) error { e.SetAttachments(list); return nil })
			return err
		}}, nil
	}
	m, err := c.item()
	if err != nil {
		return holder{}, err
	}
	return holder{path: "Messages('" + c.mb.ID(m.Ref(), false) + "')/Attachments", list: m.Attachments(), set: func(list []*store.Attachment) error {
		_, err := c.mb.UpdateMessage(m.Ref(), "", func(m *store.Message) error { m.SetAttachments(list); return nil })
		return err
	}}, nil
}

// attachment writes one attachment.
func (c *call) attachment(path string, a *store.Attachment) {
	kind := "FileAttachment"
	if a.Kind == "item" {
		kind = "ItemAttachment"
	}
	c.annotations(place{collection: path, item: store.Ref{Key: a.Key}}, 0, kind)
	members(&c.render, attachmentTable, a)
	c.close('}')
}

func (c *call) oneAttachment(path string, a *store.Attachment, status int) (int, error) {
	c.located(status, path, c.mb.ID(store.Ref{Key: a.Key}, false))
	c.context(path, true)
	start := len(c.b)
	c.attachment(path, a)
	c.b = append(c.b[:start], c.b[start+1:]...)
	return status, nil
}

// anAttachment reads a file attachment out of a request body.
func anAttachment(raw []byte) (*store.Attachment, error) {
	a := &store.Attachment{}
	var content []byte
	changes, err := entity(raw, "Attachment", attachmentTable, false, map[string]func([]byte) (func(*store.Attachment), error){
		"ContentBytes": func(raw []byte) (func(*store.Attachment), error) {
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, cannotConvert(raw, "Edm.Binary")
			}
			var err error
			if content, err = base64.StdEncoding.DecodeString(text); err != nil {
				return nil, cannotConvert(raw, "Edm.Binary")
			}
			return func(*store.Attachment) {}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		change(a)
	}
	file := store.NewFile(a.Name, a.ContentType, content)
	file.Inline, file.ContentID = a.Inline, a.ContentID
	return file, nil
}

func listAttachments(c *call) (int, error) {
	h, err := c.holder()
	if err != nil {
		return 0, err
	}
	if err := selected(c, attachmentTable, "Attachment"); err != nil {
		return 0, err
	}
	all := slices.DeleteFunc(slices.Clone(h.list), func(a *store.Attachment) bool { return a.Kind == "reference" })
	return page(c, h.path, all, false, len(all), func(a *store.Attachment) { c.attachment(h.path, a) })
}

// getAttachment serves GET and DELETE of one attachment.
func getAttachment(c *call) (int, error) {
	h, err := c.holder()
	if err != nil {
		return 0, err
	}
	ref, err := c.mb.ParseID(c.segments[len(c.segments)-1])
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(h.list, func(a *store.Attachment) bool { return a.Key == ref.Key })
	if i < 0 {
		return 0, store.ErrNotFound
	}
	if c.r.Method == http.MethodDelete {
		return http.StatusNoContent, h.set(slices.Delete(slices.Clone(h.list), i, i+1))
	}
	return c.oneAttachment(h.path, h.list[i], http.StatusOK)
}

func createAttachment(c *call) (int, error) {
	h, err := c.holder()
	if err != nil {
		return 0, err
	}
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	a, err := anAttachment(raw)
	if err == nil {
		err = h.set(append(slices.Clone(h.list), a))
	}
	if err != nil {
		return 0, err
	}
	return c.oneAttachment(h.path, a, http.StatusCreated)
}
