package store

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// link puts an entry into its folder and the whole list, both newest first. The
// whole list is the visible tree: recoverable items are not in it.
func (s *mailSection) link(e *entry) {
	insert := func(list []*entry) []*entry { return slices.Insert(list, searchOlder(list, e.received+1), e) }
	if e.folder != purgesFolder {
		s.all = insert(s.all)
	}
	f := s.folders[e.folder]
	f.entries = insert(f.entries)
	if e.flags&flagRead == 0 {
		f.Unread++
	}
}

// unlink takes an entry out of its folder and leaves a tombstone for delta.
func (s *mailSection) unlink(m *Mailbox, e *entry) {
	s.all = without(s.all, e)
	f := s.folders[e.folder]
	f.entries = without(f.entries, e)
	if e.flags&flagRead == 0 {
		f.Unread--
	}
	f.gone.add(m.next(), Ref{Key: newKey(MessageSort, uint64(e.serial)), Moves: e.moves})
	e.folder = 0
}

func without(list []*entry, e *entry) []*entry {
	for i := searchOlder(list, e.received+1); i < len(list); i++ {
		if list[i] == e {
			return slices.Delete(list, i, i+1)
		}
	}
	return list
}

// CreateMessage makes a draft in a folder (0: Drafts). edit fills it in.
func (m *Mailbox) CreateMessage(folder Key, edit func(*Message)) (*Message, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	if folder == 0 {
		folder = DraftsFolder
	}
	if sec.folders[folder] == nil {
		return nil, ErrNotFound
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	return m.createMessage(sec, folder, edit), nil
}

func (m *Mailbox) createMessage(sec *mailSection, folder Key, edit func(*Message)) *Message {
	key := m.newSerial(MessageSort)
	unique := mix(m.secret, key.serial())
	now := m.now()
	msg := &Message{
		Key: key, Folder: folder, Created: now, Modified: now, Received: now, Sent: now,
		Importance: "normal", Inference: "focused", Read: true, Draft: true, Flag: Flag{Status: "notFlagged"},
		InternetMessageID: "<" + hex.EncodeToString(binary.BigEndian.AppendUint64(nil, unique)) + "@" + domainOf(m.user.SMTP) + ">",
		Conversation:      unique, ConversationIndex: conversationIndex(unique, now.Unix(), 0),
		owner: m, body: Body{Kind: "text"},
	}
	if edit != nil {
		edit(msg)
	}
	msg.Key, msg.Folder, msg.Change = key, folder, m.next()
	m.publish(sec, msg)
	m.log(Created, key)
	return msg
}

// publish puts a new message into the index.
func (m *Mailbox) publish(sec *mailSection, msg *Message) {
	msg.settle(m)
	m.store.written.Add(msg.cost())
	e := &entry{received: msg.Received.Unix(), change: msg.Change, folder: msg.Folder, serial: uint32(msg.Key.serial()), moves: msg.Moves}
	e.hold(msg)
	sec.created[e.serial] = e
	sec.link(e)
}

// hold makes msg the message of the entry for good.
func (e *entry) hold(msg *Message) {
	e.flags = flagPinned
	if msg.Read {
		e.flags |= flagRead
	}
	if msg.Attached {
		e.flags |= flagAttached
	}
	e.change = msg.Change
	msg.derived = new(derived)
	e.message.Store(msg)
}

// settle derives what follows from other members.
func (m *Message) settle(mb *Mailbox) {
	m.owner = mb
	if m.made && m.attachments == nil {
		return
	}
	m.Attached = slices.ContainsFunc(m.attachments, func(a *Attachment) bool { return !a.Inline })
	for _, a := range m.attachments {
		if a.Key == 0 {
			a.Key = mb.newSerial(AttachmentSort)
			a.Modified = mb.now()
		}
	}
}

// UpdateMessage changes a message. ifMatch is the value of an If-Match header;
// "" and "*" match all, else ErrConflict. An error of edit is handed back and
// nothing is changed.
func (m *Mailbox) UpdateMessage(r Ref, ifMatch string, edit func(*Message) error) (*Message, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	old := m.message(e)
	if !m.matches(ifMatch, old.Change) {
		return nil, ErrConflict
	}
	c := *old
	if err := edit(&c); err != nil {
		return nil, err
	}
	c.Key, c.Moves, c.Folder, c.Change, c.Modified = old.Key, old.Moves, old.Folder, m.next(), m.now()
	m.replace(sec, e, old, &c)
	m.log(Changed, c.Key)
	return &c, nil
}

// replace publishes the changed message of an entry.
func (m *Mailbox) replace(sec *mailSection, e *entry, old, msg *Message) {
	msg.settle(m)
	m.store.written.Add(msg.cost())
	if e.flags&flagPinned != 0 {
		m.store.written.Add(-old.cost())
	}
	if old.Read != msg.Read {
		if msg.Read {
			sec.folders[e.folder].Unread--
		} else {
			sec.folders[e.folder].Unread++
		}
	}
	e.hold(msg)
}

// MoveMessage puts a message into another folder. Its classic id changes, its
// immutable one does not.
func (m *Mailbox) MoveMessage(r Ref, to Key) (*Message, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	if sec.folders[to] == nil {
		return nil, ErrNotFound
	}
	return m.moveEntry(sec, e, to), nil
}

func (m *Mailbox) moveEntry(sec *mailSection, e *entry, to Key) *Message {
	c := *m.message(e)
	if e.flags&flagPinned == 0 {
		m.store.written.Add(c.cost())
	}
	sec.unlink(m, e)
	e.folder = to
	e.moves++
	c.Folder, c.Moves, c.Change, c.Modified = to, e.moves, m.next(), m.now()
	e.hold(&c)
	sec.link(e)
	m.log(Changed, c.Key)
	return &c
}

// CopyMessage copies a message into a folder.
func (m *Mailbox) CopyMessage(r Ref, to Key) (*Message, error) {
	sec := m.lockMail()
	defer m.mu.Unlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	f := sec.folders[to]
	if f == nil {
		return nil, ErrNotFound
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	return m.copyEntry(sec, e, f), nil
}

func (m *Mailbox) copyEntry(sec *mailSection, e *entry, f *folder) *Message {
	c := *m.message(e)
	c.Key, c.Moves, c.Folder, c.Change = m.newSerial(MessageSort), 0, f.Key, m.next()
	c.Created, c.Modified = m.now(), m.now()
	m.publish(sec, &c)
	m.log(Created, c.Key)
	return &c
}

// DeleteMessage moves a message to Deleted Items; one that is there already to
// the recoverable items; one that is there is purged. Where a deletion goes is
// not documented: this is the lab's choice.
func (m *Mailbox) DeleteMessage(r Ref, ifMatch string) error {
	sec := m.lockMail()
	defer m.mu.Unlock()
	e, err := sec.find(r)
	if err != nil {
		return err
	}
	if !m.matches(ifMatch, m.message(e).Change) {
		return ErrConflict
	}
	key := newKey(MessageSort, uint64(e.serial))
	switch {
	case e.folder == purgesFolder:
		m.purge(sec, e)
	case sec.below(e.folder, DeletedFolder):
		m.moveEntry(sec, e, purgesFolder)
		m.retain(sec, purgesFolder)
	default:
		m.moveEntry(sec, e, DeletedFolder)
		m.retain(sec, DeletedFolder)
	}
	m.log(Deleted, key)
	return nil
}

func domainOf(address string) string {
	for i := range len(address) {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return address
}

// conversationIndex is the 22 bytes of a thread's first message, and 5 more for
// each reply.
func conversationIndex(thread uint64, unix int64, depth int) []byte {
	b := make([]byte, 22, 22+5*depth)
	b[0] = 1
	ticks := uint64(unix+11644473600) * 10_000_000
	binary.BigEndian.PutUint32(b[1:], uint32(ticks>>32))
	b[5] = byte(ticks >> 24)
	binary.BigEndian.PutUint64(b[6:], mix(thread, 41))
	binary.BigEndian.PutUint64(b[14:], mix(thread, 42))
	for i := range depth {
		b = binary.BigEndian.AppendUint32(b, uint32(mix(thread, uint64(50+i))))
		b = append(b, byte(i))
	}
	return b
}
