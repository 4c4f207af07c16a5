package store

// defaultQuota is how many bytes of written content a store takes in all: a
// client that only ever writes must not fill the memory of the host.
const defaultQuota = 1 << 30

// smallCost is about what a written event, contact or folder takes, bodies aside.
const smallCost = 4096

// maxDeleted bounds the written messages that Deleted Items and the recoverable
// items keep; the oldest are purged, as a retention policy does.
const maxDeleted = 2000

// cost is about what a written message takes in memory.
func (m *Message) cost() int64 {
	n := int64(2048 + len(m.body.Content))
	for _, a := range m.attachments {
		n += int64(a.Size)
	}
	return n
}

// full says whether the store takes no more.
func (s *Store) full() bool { return s.written.Load() > s.cfg.Quota }

// purge removes a message for good.
func (m *Mailbox) purge(sec *mailSection, e *entry) {
	if msg := e.message.Load(); msg != nil && e.flags&flagPinned != 0 {
		m.store.written.Add(-msg.cost())
	}
	sec.unlink(m, e)
	delete(sec.created, e.serial)
}

// retain purges the oldest written messages of a folder that has too many.
func (m *Mailbox) retain(sec *mailSection, k Key) {
	f := sec.folders[k]
	for i := len(f.entries) - 1; i >= 0 && len(f.entries) > maxDeleted+len(sec.made); i-- {
		if e := f.entries[i]; e.serial >= createdSerial {
			m.purge(sec, e)
		}
	}
}
