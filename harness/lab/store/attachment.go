package store

import "slices"

// AddAttachment adds an attachment to a message or event.
func (m *Mailbox) AddAttachment(item Ref, a *Attachment) (*Attachment, error) {
	if m.store.full() {
		return nil, ErrQuota
	}
	var err error
	switch item.Key.Sort() {
	case MessageSort:
		_, err = m.UpdateMessage(item, "", func(x *Message) error {
			x.SetAttachments(append(slices.Clone(x.Attachments()), a))
			return nil
		})
	case EventSort:
		_, err = m.updateEvent(item, "", func(x *Event) error {
			x.SetAttachments(append(slices.Clone(x.Attachments()), a))
			return nil
		})
	default:
		err = ErrNotFound
	}
	return a, err
}

// RemoveAttachment takes an attachment from a message or event.
func (m *Mailbox) RemoveAttachment(item Ref, attachment Key) error {
	without := func(list []*Attachment) ([]*Attachment, error) {
		at := slices.IndexFunc(list, func(a *Attachment) bool { return a.Key == attachment })
		if at < 0 {
			return nil, ErrNotFound
		}
		return slices.Delete(slices.Clone(list), at, at+1), nil
	}
	var err error
	switch item.Key.Sort() {
	case MessageSort:
		_, err = m.UpdateMessage(item, "", func(x *Message) error {
			list, err := without(x.Attachments())
			x.SetAttachments(list)
			return err
		})
	case EventSort:
		_, err = m.updateEvent(item, "", func(x *Event) error {
			list, err := without(x.Attachments())
			x.SetAttachments(list)
			return err
		})
	default:
		err = ErrNotFound
	}
	return err
}

// FindAttachment finds the attachment with the id among those of an item.
func (m *Mailbox) FindAttachment(list []*Attachment, id string) (*Attachment, error) {
	r, err := m.parseSort(id, AttachmentSort)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.Key == r.Key {
			return a, nil
		}
	}
	return nil, ErrNotFound
}
