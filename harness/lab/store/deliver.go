package store

import (
	"slices"
	"strings"
)

// recipients of a message, each address once, in the order to, cc, bcc.
func (m *Message) recipients() []Address {
	var all []Address
	for _, list := range [][]Address{m.To, m.Cc, m.Bcc} {
		for _, a := range list {
			if !slices.ContainsFunc(all, func(x Address) bool { return strings.EqualFold(x.Address, a.Address) }) {
				all = append(all, a)
			}
		}
	}
	return all
}

func addresses(list []Address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.Address
	}
	return out
}

// SendDraft sends a draft: it moves to Sent Items and arrives in the inboxes of
// those recipients that are mailboxes of the lab. Others are accepted and lost.
func (m *Mailbox) SendDraft(r Ref) error {
	sec := m.lockMail()
	msg, err := m.sendEntry(sec, r)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	m.store.deliver(msg)
	return nil
}

func (m *Mailbox) sendEntry(sec *mailSection, r Ref) (*Message, error) {
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	old := m.message(e)
	if !old.Draft {
		return nil, ErrNotDraft
	}
	if len(old.recipients()) == 0 {
		return nil, ErrNoRecipients
	}
	c := *old
	m.stampSent(&c)
	sec.unlink(m, e)
	e.received, e.folder = c.Received.Unix(), SentFolder
	e.moves++
	c.Folder, c.Moves, c.Change = SentFolder, e.moves, m.next()
	e.hold(&c)
	sec.link(e)
	m.log(Mailed, c.Key, addresses(c.recipients())...)
	return &c, nil
}

// stampSent makes a draft a sent message.
func (m *Mailbox) stampSent(msg *Message) {
	me := m.Address()
	msg.Sender = &me
	if msg.From == nil {
		msg.From = &me
	}
	msg.Draft, msg.Read = false, true
	msg.Sent, msg.Received, msg.Modified = m.now(), m.now(), m.now()
}

// Send sends a message that was never a draft. save keeps a copy in Sent Items.
func (m *Mailbox) Send(save bool, edit func(*Message)) error {
	msg, err := m.compose(save, edit)
	if err != nil {
		return err
	}
	m.store.deliver(msg)
	return nil
}

func (m *Mailbox) compose(save bool, edit func(*Message)) (*Message, error) {
	probe := Message{}
	edit(&probe)
	if len(probe.recipients()) == 0 {
		return nil, ErrNoRecipients
	}
	if m.store.full() {
		return nil, ErrQuota
	}
	sec := m.lockMail()
	defer m.mu.Unlock()
	msg := m.createMessage(sec, SentFolder, func(x *Message) {
		edit(x)
		m.stampSent(x)
	})
	m.log(Mailed, msg.Key, addresses(msg.recipients())...)
	if !save {
		m.purge(sec, sec.created[uint32(msg.Key.serial())])
		m.log(Deleted, msg.Key)
	}
	return msg, nil
}

// deliver puts copies of a sent message into the inboxes of its recipients. The
// caller holds no lock.
func (s *Store) deliver(msg *Message) {
	for _, a := range msg.recipients() {
		if to, ok := s.Lookup(a.Address); ok {
			to.receive(msg)
		}
	}
}

// receive files a copy of msg in the inbox; a full store loses it.
func (m *Mailbox) receive(msg *Message) {
	if m.store.full() {
		return
	}
	body, attachments := msg.Body(), msg.Attachments()
	sec := m.lockMail()
	defer m.mu.Unlock()
	m.createMessage(sec, InboxFolder, func(x *Message) {
		created, received := x.Created, x.Received
		*x = *msg
		x.Created, x.Modified, x.Received = created, created, received
		x.owner, x.made, x.Moves = m, false, 0
		x.body, x.unique, x.attachments = body, "", slices.Clone(attachments)
		x.Bcc, x.Categories, x.Extended, x.Flag = nil, nil, nil, Flag{Status: "notFlagged"}
		x.Read, x.Draft, x.Inference = false, false, "focused"
	})
}

// invite tells the attendees of a meeting about it: each gets a request in the
// inbox and at once a tentative event in the calendar, or its event is brought
// up to date.
func (s *Store) invite(e *Event, comment string) {
	e.owner.notify(e, "meetingRequest", e.Subject, comment)
	for _, a := range e.Attendees {
		to, ok := s.Lookup(a.Address.Address)
		if !ok || to == e.owner {
			continue
		}
		key := to.book(e)
		to.receive(meetingMessage(e.owner, e, key, "meetingRequest", e.Subject, comment))
	}
}

// notify records in the organizer's ledger that mail left.
func (m *Mailbox) notify(e *Event, kind, subject, comment string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var to []string
	for _, a := range e.Attendees {
		to = append(to, a.Address.Address)
	}
	m.log(Mailed, e.Key, to...)
}

// book enters a meeting into an attendee's calendar, or updates it there.
func (m *Mailbox) book(e *Event) Key {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	c := *e
	c.Calendar, c.IsOrganizer, c.Response, c.ShowAs = DefaultCalendar, false, "notResponded", "tentative"
	c.Transaction, c.Extended, c.Categories, c.Change = "", nil, nil, m.next()
	c.Day, c.Moves = 0, 0
	if old, err := sec.byUID(e.UID); err == nil {
		c.Key, c.Response, c.Responded, c.ShowAs, c.Categories = old.Key, old.Response, old.Responded, old.ShowAs, old.Categories
		c.settle(m)
		sec.replace(old, &c)
		return c.Key
	}
	c.Key = m.newSerial(EventSort)
	c.settle(m)
	sec.events = append(sec.events, &c)
	m.log(Created, c.Key)
	return c.Key
}

func meetingMessage(from *Mailbox, e *Event, event Key, kind, subject, comment string) *Message {
	me := from.Address()
	msg := &Message{
		Subject: subject, Sender: &me, From: &me, Importance: e.Importance, InternetMessageID: "<" + e.UID + "." + from.ChangeKey(e.Change)[20:] + "@lab>",
		Conversation: mix(e.owner.content, uint64(e.Key)), Sent: from.now(),
		Meeting: &Meeting{Kind: kind, Event: event, Start: e.Start, End: e.End, AllDay: e.AllDay, Requested: e.ResponseWanted},
		owner:   from, body: e.Body,
	}
	msg.ConversationIndex = conversationIndex(msg.Conversation, msg.Sent.Unix(), 0)
	if comment != "" {
		msg.body = Body{Kind: "text", Content: comment}
	}
	msg.Meeting.Location = e.place()
	for _, a := range e.Attendees {
		msg.To = append(msg.To, a.Address)
	}
	return msg
}

// cancel tells the attendees that a meeting does not take place.
func (s *Store) cancel(e *Event, comment string) {
	e.owner.notify(e, "meetingCancelled", e.Subject, comment)
	for _, a := range e.Attendees {
		to, ok := s.Lookup(a.Address.Address)
		if !ok || to == e.owner {
			continue
		}
		key := to.strike(e)
		to.receive(meetingMessage(e.owner, e, key, "meetingCancelled", "Canceled: "+e.Subject, comment))
	}
}

// strike marks an attendee's copy as cancelled and free.
func (m *Mailbox) strike(e *Event) Key {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	old, err := sec.byUID(e.UID)
	if err != nil {
		return 0
	}
	c := *old
	c.Cancelled, c.ShowAs, c.Subject, c.Change = true, "free", "Canceled: "+e.Subject, m.next()
	sec.replace(old, &c)
	return c.Key
}

// answer tells the organizer of a meeting what an attendee responded.
func (s *Store) answer(from *Mailbox, e *Event, a Answer) {
	organizer, ok := s.Lookup(e.Organizer.Address)
	from.mu.Lock()
	from.log(Mailed, e.Key, e.Organizer.Address)
	from.mu.Unlock()
	if !ok {
		return
	}
	kind := map[string]string{"accepted": "meetingAccepted", "declined": "meetingDeclined"}[a.Response]
	prefix := map[string]string{"accepted": "Accepted: ", "declined": "Declined: "}[a.Response]
	if kind == "" {
		kind, prefix = "meetingTenativelyAccepted", "Tentative: "
	}
	key := organizer.noteAnswer(from, e, a)
	msg := meetingMessage(from, e, key, kind, prefix+e.Subject, a.Comment)
	msg.To, msg.Meeting.Proposed, msg.Meeting.Requested = []Address{e.Organizer}, a.Proposed, false
	organizer.receive(msg)
}

// noteAnswer writes an attendee's response into the organizer's event.
func (m *Mailbox) noteAnswer(from *Mailbox, e *Event, a Answer) Key {
	sec := m.lockCalendar()
	defer m.mu.Unlock()
	old, err := sec.byUID(e.UID)
	if err != nil {
		return 0
	}
	c := *old
	c.Attendees = slices.Clone(old.Attendees)
	for i, at := range c.Attendees {
		if strings.EqualFold(at.Address.Address, from.user.SMTP) {
			c.Attendees[i].Response, c.Attendees[i].Responded, c.Attendees[i].Proposed = a.Response, m.now(), a.Proposed
		}
	}
	c.Change = m.next()
	sec.replace(old, &c)
	return c.Key
}
