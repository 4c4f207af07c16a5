package store

import (
	"sync"
	"sync/atomic"
)

// Stamp is a state of a mailbox: two equal stamps have nothing written, moved or
// renamed between them.
type Stamp struct {
	sequence uint64
	epoch    uint32
}

// Stamp is the state of the mailbox at this moment.
func (m *Mailbox) Stamp() Stamp {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Stamp{m.sequence, m.epoch.Load()}
}

// maxPages bounds the bytes that one Pages keeps. Past it all are forgotten.
const maxPages = 32 << 20

// Pages keeps finished answers about mailboxes, so that a question which is asked
// again and again costs one copy until something is written there. The zero
// value is empty. It is safe for concurrent use.
type Pages struct {
	kept  sync.Map // pageKey → *keptPage
	bytes atomic.Int64
}

type pageKey struct {
	mailbox  *Mailbox
	question string
}

type keptPage struct {
	stamp Stamp
	body  []byte
}

// Find returns the answer that was kept for a question, nil when there is none or
// when the mailbox changed since. The stamp is for Keep: it has to be taken
// before the answer is made, so that a write in between makes the answer old.
func (p *Pages) Find(m *Mailbox, question string) ([]byte, Stamp) {
	stamp := m.Stamp()
	if v, ok := p.kept.Load(pageKey{m, question}); ok {
		if page := v.(*keptPage); page.stamp == stamp {
			return page.body, stamp
		}
	}
	return nil, stamp
}

// Keep remembers an answer, which must not be changed any more.
func (p *Pages) Keep(m *Mailbox, question string, stamp Stamp, body []byte) {
	const overhead = 128
	if p.bytes.Add(int64(len(body)+len(question)+overhead)) > maxPages {
		p.kept.Clear()
		p.bytes.Store(int64(len(body) + len(question) + overhead))
	}
	p.kept.Store(pageKey{m, question}, &keptPage{stamp, body})
}
