package store

import "slices"

// Act is what was done to a thing.
type Act uint8

// The acts.
const (
	Created Act = iota + 1
	Changed
	Deleted
	Mailed // a message left for its recipients
)

// Record says what was done to one thing of a mailbox, in order of time.
type Record struct {
	Mailbox    string // SMTP address
	Act        Act
	Key        Key
	Recipients []string // of Mailed
}

// ledgerSize bounds the records kept per mailbox; the oldest half goes first.
const ledgerSize = 8192

// log records an act. The caller holds the write lock.
func (m *Mailbox) log(a Act, k Key, recipients ...string) {
	if len(m.ledger) >= ledgerSize {
		m.ledger = slices.Delete(m.ledger, 0, ledgerSize/2)
	}
	m.ledger = append(m.ledger, Record{Mailbox: m.user.SMTP, Act: a, Key: k, Recipients: recipients})
}

// Ledger is what was written in this mailbox since the start, up to the last
// few thousand acts. Generated content is not in it.
func (m *Mailbox) Ledger() []Record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.ledger)
}

// Ledger is the ledgers of all mailboxes, one after the other.
func (s *Store) Ledger() []Record {
	var all []Record
	s.Users(func(m *Mailbox) bool {
		all = append(all, m.Ledger()...)
		return true
	})
	return all
}
