package store

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// createdSerial is where the serials of created things begin; generated ones
// are below.
const createdSerial = 1 << 24

// entry is the index's view of one message: all that listing, counting and
// finding need. Fields other than message are guarded by the mailbox lock.
type entry struct {
	message  atomic.Pointer[Message] // nil: not made yet, or forgotten by the cache
	received int64                   // Unix seconds: the order of lists
	change   uint64
	folder   Key // 0: purged
	serial   uint32
	moves    uint32
	flags    entryFlag
}

type entryFlag uint8

const (
	flagRead entryFlag = 1 << iota
	flagAttached
	flagPinned // message was created or changed: it lives in message only
)

// mailSection is the mail of a mailbox, guarded by the mailbox lock.
type mailSection struct {
	folders     map[Key]*folder
	made        []entry // generated messages by ordinal; never grows
	created     map[uint32]*entry
	all         []*entry // newest first
	goneFolders graves
}

// openMail returns the mail with the read lock held.
func (m *Mailbox) openMail() *mailSection {
	m.mu.RLock()
	if m.mail != nil {
		return m.mail
	}
	m.mu.RUnlock()
	m.lockMail()
	m.mu.Unlock()
	m.mu.RLock()
	return m.mail
}

// lockMail returns the mail with the write lock held.
func (m *Mailbox) lockMail() *mailSection {
	m.mu.Lock()
	if m.mail == nil {
		m.mail = m.generateMail()
	}
	return m.mail
}

func (m *Mailbox) newSerial(s Sort) Key {
	m.serial++
	return newKey(s, m.serial)
}

func (s *mailSection) entry(serial uint64) *entry {
	if serial < createdSerial {
		if serial == 0 || serial > uint64(len(s.made)) {
			return nil
		}
		return &s.made[serial-1]
	}
	return s.created[uint32(serial)]
}

// find resolves a reference; a classic id of before a move finds nothing.
func (s *mailSection) find(r Ref) (*entry, error) {
	if r.Key.Sort() != MessageSort {
		return nil, ErrNotFound
	}
	e := s.entry(r.Key.serial())
	if e == nil || e.folder == 0 || !r.Immutable && r.Moves != e.moves {
		return nil, ErrNotFound
	}
	return e, nil
}

// message is the message behind an entry. The caller holds a lock.
func (m *Mailbox) message(e *entry) *Message {
	if msg := e.message.Load(); msg != nil {
		return msg
	}
	msg := m.generateMessage(e)
	m.store.heads.add(e, msg)
	return msg
}

// Ref is what ids of the message are made of.
func (m *Message) Ref() Ref { return Ref{Key: m.Key, Moves: m.Moves} }

// MessageQuery selects messages. The zero value is all of them, newest first.
type MessageQuery struct {
	Skip, Top     int       // Top 0: to the end
	Oldest        bool      // oldest first
	After, Before time.Time // received in [After, Before), zero: no bound
	Keep          func(*Message) bool
	Compare       func(a, b *Message) int // another order than by receipt; stable
	Count         bool                    // Total is wanted although a filter makes it dear
}

// Page is a part of a collection.
type Page[T any] struct {
	Items []T
	More  bool
	Total int // all that match; with a filter only when it was asked for
}

// Messages lists messages of a folder, or of the whole mailbox for folder 0:
// Deleted Items included, recoverable items not.
func (m *Mailbox) Messages(k Key, q MessageQuery) (Page[*Message], error) {
	sec := m.openMail()
	defer m.mu.RUnlock()
	entries := sec.all
	if k != 0 {
		f := sec.folders[k]
		if f == nil {
			return Page[*Message]{}, ErrNotFound
		}
		entries = f.entries
	}
	entries = within(entries, q.After, q.Before)
	if q.Keep == nil && q.Compare == nil {
		return m.slice(entries, q), nil
	}
	return m.filtered(entries, q), nil
}

// within narrows entries, newest first, to those received in [after, before).
func within(entries []*entry, after, before time.Time) []*entry {
	if !before.IsZero() {
		limit := before.Unix()
		if before.Nanosecond() > 0 {
			limit++
		}
		entries = entries[searchOlder(entries, limit):]
	}
	if !after.IsZero() {
		limit := after.Unix()
		if after.Nanosecond() > 0 {
			limit++
		}
		entries = entries[:searchOlder(entries, limit)]
	}
	return entries
}

// searchOlder is the place of the first entry received before t.
func searchOlder(entries []*entry, t int64) int {
	n, _ := slices.BinarySearchFunc(entries, t, func(e *entry, t int64) int {
		if e.received >= t {
			return -1
		}
		return 1
	})
	return n
}

func (m *Mailbox) slice(entries []*entry, q MessageQuery) Page[*Message] {
	p := Page[*Message]{Total: len(entries)}
	n := max(0, len(entries)-q.Skip)
	if q.Top > 0 && n > q.Top {
		n, p.More = q.Top, true
	}
	p.Items = make([]*Message, n)
	for i := range n {
		at := q.Skip + i
		if q.Oldest {
			at = len(entries) - 1 - at
		}
		p.Items[i] = m.message(entries[at])
	}
	return p
}

func (m *Mailbox) filtered(entries []*entry, q MessageQuery) Page[*Message] {
	var kept []*Message
	enough := len(entries)
	if q.Compare == nil && !q.Count && q.Top > 0 {
		enough = q.Skip + q.Top + 1
	}
	for i := range entries {
		e := entries[i]
		if q.Oldest {
			e = entries[len(entries)-1-i]
		}
		msg := m.message(e)
		if q.Keep != nil && !q.Keep(msg) {
			continue
		}
		if kept = append(kept, msg); len(kept) >= enough {
			break
		}
	}
	if q.Compare != nil {
		slices.SortStableFunc(kept, q.Compare)
	}
	return cut(kept, q.Skip, q.Top)
}

func cut[T any](all []T, skip, top int) Page[T] {
	p := Page[T]{Total: len(all), Items: all[min(max(skip, 0), len(all)):]}
	if top > 0 && len(p.Items) > top {
		p.Items, p.More = p.Items[:top], true
	}
	return p
}

// Message returns one message.
func (m *Mailbox) Message(r Ref) (*Message, error) {
	sec := m.openMail()
	defer m.mu.RUnlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	return m.message(e), nil
}

// FindMessage resolves the text of an id.
func (m *Mailbox) FindMessage(id string) (*Message, error) {
	r, err := m.parseSort(id, MessageSort)
	if err != nil {
		return nil, err
	}
	return m.Message(r)
}

// matches says whether an If-Match value admits a change number. Comparison is
// weak; "" and * admit all.
func (m *Mailbox) matches(ifMatch string, change uint64) bool {
	if ifMatch == "" || ifMatch == "*" {
		return true
	}
	want := m.ChangeKey(change)
	for tag := range strings.SplitSeq(ifMatch, ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if tag == want {
			return true
		}
	}
	return false
}
