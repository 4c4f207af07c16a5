package store

import "sync/atomic"

// headCache keeps generated messages in memory, first in first out, over all
// mailboxes. It needs no lock: a slot is taken by counting, and an entry is
// forgotten only if it still holds the very message that the slot recorded.
type headCache struct {
	slots []atomic.Pointer[cachedHead]
	at    atomic.Uint64
}

type cachedHead struct {
	entry   *entry
	message *Message
}

func (c *headCache) init(n int) { c.slots = make([]atomic.Pointer[cachedHead], n) }

func (c *headCache) add(e *entry, m *Message) {
	if !e.message.CompareAndSwap(nil, m) {
		return
	}
	n := c.at.Add(1) % uint64(len(c.slots))
	if old := c.slots[n].Swap(&cachedHead{e, m}); old != nil {
		old.entry.message.CompareAndSwap(old.message, nil)
	}
}
