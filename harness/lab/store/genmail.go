package store

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"cutover/harness/lab/prose"
)

// Streams of randomness, one per purpose, so that a change to one leaves the
// others as they were.
const (
	shapeStream = 0x10_0000_0000 * (iota + 1)
	headStream
	bodyStream
	attachmentStream
	threadStream
	eventStream
	contactStream
)

// mailSpan is how far back the oldest generated message lies.
const mailSpan = 200 * 24 * time.Hour

// generateMail builds the index of the generated messages: when, where, read
// or not. No text is made here.
func (m *Mailbox) generateMail() *mailSection {
	n := m.messages
	sec := &mailSection{folders: make(map[Key]*folder, 32), made: make([]entry, n), created: map[uint32]*entry{}}
	seedFolders(sec)
	if m.store.cfg.Zipf {
		moreFolders(sec)
	}
	sec.all = make([]*entry, n, n+8)
	counts := map[Key]int{}
	for i := range sec.made {
		e := &sec.made[i]
		e.serial = uint32(i + 1)
		e.change = uint64(n - i)
		e.received = m.receivedAt(i, n)
		s := m.shape(i)
		e.folder = s.folder
		if s.read {
			e.flags |= flagRead
		}
		if s.attachments > 0 {
			e.flags |= flagAttached
		}
		sec.all[i] = e
		counts[e.folder]++
	}
	for k, c := range counts {
		sec.folders[k].entries = make([]*entry, 0, c+4)
	}
	for _, e := range sec.all {
		f := sec.folders[e.folder]
		f.entries = append(f.entries, e)
		if e.flags&flagRead == 0 {
			f.Unread++
		}
	}
	return sec
}

// receivedAt is when generated message i arrived, Unix seconds. The higher i,
// the older; recent ones are denser, as in a mailbox that somebody uses.
func (m *Mailbox) receivedAt(i, n int) int64 {
	jitter := mix(m.content, shapeStream+uint64(i)*2) % 1024
	x, whole := uint64(i)*1024+jitter, uint64(n)*1024
	age := uint64(mailSpan/time.Second) * x / whole * x / whole
	return Epoch.Unix() - 60 - int64(age)
}

// shape is what the index needs to know of a generated message, and its size.
type shape struct {
	folder      Key
	read        bool
	size        int // bytes of text
	attachments int
	bulk        int // bytes of the first attachment
}

func (m *Mailbox) shape(i int) shape {
	src := prose.New(mix(m.content, shapeStream+uint64(i)*2+1))
	var s shape
	switch n := src.IntN(100); {
	case m.store.cfg.Zipf:
		s.folder = zipfFolder(n, src.IntN(1e6))
	case n < 42:
		s.folder = InboxFolder
	case n < 62:
		s.folder = SentFolder
	case n < 72:
		s.folder = ArchiveFolder
	case n < 76:
		s.folder = DeletedFolder
	case n < 78:
		s.folder = DraftsFolder
	case n < 80:
		s.folder = JunkFolder
	default:
		f := src.IntN(len(ownFolders)) * src.IntN(len(ownFolders)) / len(ownFolders)
		s.folder = newKey(FolderSort, firstOwnFolder+uint64(f))
	}
	unread := 6
	if s.folder == InboxFolder && i < 60 {
		unread = 45
	}
	s.read = !src.Percent(unread) || s.folder == SentFolder || s.folder == DraftsFolder
	s.size, s.bulk = messageSize(&src, m.store.cfg.SizePercent)
	if s.bulk > 0 || src.Percent(11) {
		s.attachments = 1 + src.IntN(3)
	}
	if s.attachments > 0 && s.bulk == 0 {
		s.bulk = 400 + src.IntN(3000)
	}
	return s
}

// messageSize draws a size by the published mix of production mail (58 % 4–16 KB,
// 25 % 16–50, 11 % 50–150, 5 % 150 KB–1 MB, 0.8 % 1–5 MB, 0.1 % 5–20 MB), scaled
// to percent. What is over 150 KB lies in an attachment.
func messageSize(src *prose.Source, percent int) (text, bulk int) {
	const kb = 1024
	n := src.IntN(1000)
	span := func(low, high int) int { return (low + src.IntN(high-low)*src.IntN(1000)/1000) * percent / 100 }
	switch {
	case n < 580, n >= 989:
		return span(4*kb, 16*kb), 0
	case n < 830:
		return span(16*kb, 50*kb), 0
	case n < 930:
		return span(50*kb, 150*kb), 0
	case n < 980:
		return span(4*kb, 16*kb), span(150*kb, 1024*kb)
	case n < 988:
		return span(4*kb, 16*kb), span(1024*kb, 5*1024*kb)
	}
	return span(4*kb, 16*kb), span(5*1024*kb, 20*1024*kb)
}

// thread is the conversation of generated message i: its seed, and how many
// older messages of it exist. Five neighbours make up to three conversations.
func (m *Mailbox) thread(i int) (seed uint64, depth int) {
	pick := func(i int) uint64 { return mix(m.content, threadStream+uint64(i)) % 3 }
	block, mine := i/5, pick(i)
	for j := i + 1; j < (block+1)*5 && j < m.messages; j++ {
		if pick(j) == mine {
			depth++
		}
	}
	return mix(m.content, threadStream+0x1_0000_0000+uint64(block)*3+mine), depth
}

// generateMessage makes the message of a generated entry, without its body.
func (m *Mailbox) generateMessage(e *entry) *Message {
	i := int(e.serial) - 1
	src := prose.New(mix(m.content, headStream+uint64(i)))
	seed, depth := m.thread(i)
	topic := prose.New(seed)
	language := topic.Language()
	received := time.Unix(e.received, 0).UTC()
	msg := &Message{
		Key: newKey(MessageSort, uint64(e.serial)), Moves: e.moves, Change: e.change, Folder: e.folder,
		Received: received, Sent: received.Add(-time.Duration(1+src.IntN(9)) * time.Second),
		Created: received, Modified: received.Add(time.Duration(src.IntN(40)) * time.Second),
		Subject: topic.Subject(language), Importance: "normal", Inference: "focused",
		Conversation: seed, ConversationIndex: conversationIndex(seed, e.received-int64(depth)*3600, depth),
		Read: e.flags&flagRead != 0, Attached: e.flags&flagAttached != 0, Flag: Flag{Status: "notFlagged"},
		owner: m, made: true, ordinal: uint32(i), derived: new(derived),
	}
	if depth > 0 {
		msg.Subject = "RE: " + msg.Subject
	}
	m.people(msg, &src)
	m.convene(msg)
	switch n := src.IntN(100); {
	case n < 6:
		msg.Importance = "high"
	case n < 8:
		msg.Importance = "low"
	}
	if src.Percent(30) {
		msg.Inference = "other"
	}
	if src.Percent(7) {
		msg.Categories = []string{categoryNames[src.IntN(len(categoryNames))]}
	}
	switch n := src.IntN(100); {
	case n < 5:
		msg.Flag.Status = "flagged"
	case n < 7:
		msg.Flag.Status = "complete"
		msg.Flag.Completed = Moment{At: received.Truncate(24 * time.Hour), Zone: "UTC"}
	}
	return msg
}

// people fills in who wrote to whom, by the folder that the message was born in.
func (m *Mailbox) people(msg *Message, src *prose.Source) {
	me := m.Address()
	someone := func() Address { return m.correspondent(src.IntN(40) * src.IntN(40) / 40) }
	unique := mix(m.content, headStream+0x8000_0000+uint64(msg.ordinal))
	host := domainOf(someone().Address)
	switch m.shape(int(msg.ordinal)).folder {
	case SentFolder, DraftsFolder:
		msg.From, msg.Sender, host = &me, &me, "mail.contoso.test"
		for range 1 + src.IntN(3) {
			msg.To = appendNew(msg.To, someone())
		}
	default:
		from := someone()
		msg.From, msg.Sender = &from, &from
		msg.To = []Address{me}
		for range src.IntN(3) {
			msg.To = appendNew(msg.To, someone())
		}
		if src.Percent(5) {
			msg.ReplyTo = []Address{someone()}
		}
	}
	if src.Percent(25) {
		msg.Cc = appendNew(msg.Cc, someone())
	}
	if m.shape(int(msg.ordinal)).folder == DraftsFolder {
		msg.Draft = true
	}
	id := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, unique))
	msg.InternetMessageID = "<" + id + "@" + host + ">"
}

// convene makes meeting requests of some messages to the owner, about generated
// events that somebody else organises.
func (m *Mailbox) convene(msg *Message) {
	every := uint32(max(m.store.cfg.Requests, 0))
	if every == 0 || msg.ordinal%every != every/2 || msg.Draft || msg.From == nil || msg.From.Address == m.user.SMTP || m.store.cfg.Events == 0 {
		return
	}
	for try := range 8 {
		e := m.generateEvent(int(mix(m.content, headStream+0x9000_0000+uint64(msg.ordinal)*8+uint64(try)) % uint64(m.store.cfg.Events)))
		if e.IsOrganizer || e.Rule != nil {
			continue
		}
		organizer := e.Organizer
		msg.From, msg.Sender, msg.Subject, msg.ReplyTo = &organizer, &organizer, e.Subject, nil
		msg.Meeting = &Meeting{Kind: "meetingRequest", Event: e.Key, Start: e.Start, End: e.End, AllDay: e.AllDay, Location: e.place(), Requested: e.ResponseWanted}
		return
	}
}

func (e *Event) place() string {
	if len(e.Places) == 0 {
		return ""
	}
	return e.Places[0].Name
}

func appendNew(list []Address, a Address) []Address {
	for _, x := range list {
		if x.Address == a.Address {
			return list
		}
	}
	return append(list, a)
}

var categoryNames = []string{"Red category", "Blue category", "Green category", "Projekt Größe", "Follow up"}
