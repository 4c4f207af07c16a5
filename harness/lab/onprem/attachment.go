package onprem

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"cutover/harness/lab/store"
)

// attachment writes one attachment.
func (c *call) attachment(m *store.Message, a *store.Attachment) {
	kind := "FileAttachment"
	if a.Kind == "item" {
		kind = "ItemAttachment"
	}
	c.annotations(place{collection: "Messages('" + c.mb.ID(m.Ref(), false) + "')/Attachments", item: store.Ref{Key: a.Key}}, 0, kind)
	members(&c.render, attachmentTable, a)
	c.close('}')
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
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	if err := selected(c, attachmentTable, "Attachment"); err != nil {
		return 0, err
	}
	all := slices.DeleteFunc(slices.Clone(m.Attachments()), func(a *store.Attachment) bool { return a.Kind == "reference" })
	return page(c, "Messages('"+c.mb.ID(m.Ref(), false)+"')/Attachments", all, false, len(all), func(a *store.Attachment) { c.attachment(m, a) })
}

func getAttachment(c *call) (int, error) {
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	ref, err := c.mb.ParseID(c.segments[len(c.segments)-1])
	if err != nil {
		return 0, err
	}
	for _, a := range m.Attachments() {
		if a.Key != ref.Key {
			continue
		}
		if c.r.Method == http.MethodDelete {
			return http.StatusNoContent, c.attach(m, slices.DeleteFunc(slices.Clone(m.Attachments()), func(x *store.Attachment) bool { return x == a }))
		}
		c.context("Messages('"+c.mb.ID(m.Ref(), false)+"')/Attachments", true)
		start := len(c.b)
		c.attachment(m, a)
		c.b = append(c.b[:start], c.b[start+1:]...)
		return http.StatusOK, nil
	}
	return 0, store.ErrNotFound
}

func (c *call) attach(m *store.Message, list []*store.Attachment) error {
	_, err := c.mb.UpdateMessage(m.Ref(), "", func(m *store.Message) error { m.SetAttachments(list); return nil })
	return err
}

func createAttachment(c *call) (int, error) {
	m, err := c.item()
	if err != nil {
		return 0, err
	}
	raw, err := c.jsonContent()
	if err != nil {
		return 0, err
	}
	a, err := anAttachment(raw)
	if err == nil {
		err = c.attach(m, append(slices.Clone(m.Attachments()), a))
	}
	if err != nil {
		return 0, err
	}
	c.located(http.StatusCreated, "Messages('"+c.mb.ID(m.Ref(), false)+"')/Attachments", c.mb.ID(store.Ref{Key: a.Key}, false))
	c.context("Messages('"+c.mb.ID(m.Ref(), false)+"')/Attachments", true)
	start := len(c.b)
	c.attachment(m, a)
	c.b = append(c.b[:start], c.b[start+1:]...)
	return http.StatusCreated, nil
}
