package guard

import (
	"hash/maphash"
	"sync/atomic"

	"cutover/harness/wire"
)

// passedSlots is how many different reads a path remembers: more than suites have
// steps.
const passedSlots = 128

// passed remembers the reads that the rules let through. The rules of an open door do
// not change, so the same question gets the same answer; what depends on the time and
// on the header lines is judged every time. It never remembers a no, a request that
// may change something, or one with a body.
type passed struct {
	seed  maphash.Seed
	slots [passedSlots]passedSlot
}

type passedSlot struct {
	seen atomic.Uint64 // hash of the last request; one that comes a second time is remembered
	read atomic.Pointer[passedRead]
}

// passedRead is everything of a read that the remembered rules look at.
type passedRead struct {
	method, url, mailbox string
	authorized           bool
}

func newPassed() *passed { return &passed{seed: maphash.MakeSeed()} }

// fits tells whether a request that changes nothing is one that may be remembered.
func fits(req *wire.Request) bool {
	e := &req.Effect
	return len(req.Body) == 0 && len(e.Recipients) == 0 && !e.StoredRecipients && (req.Method == "GET" || req.Method == "HEAD")
}

func (p *passed) slot(req *wire.Request) (*passedSlot, uint64) {
	sum := maphash.String(p.seed, req.URL)
	return &p.slots[sum%passedSlots], sum
}

// has tells whether the same read was let through before.
func (p *passed) has(req *wire.Request) bool {
	slot, _ := p.slot(req)
	r := slot.read.Load()
	return r != nil && r.url == req.URL && r.method == req.Method && r.mailbox == req.Mailbox && r.authorized == (req.Authorization != "")
}

// add remembers a read that the rules let through, when it comes again: addresses
// that are made up anew for each request would only displace the others.
func (p *passed) add(req *wire.Request) {
	slot, sum := p.slot(req)
	if slot.seen.Swap(sum) == sum {
		slot.read.Store(&passedRead{req.Method, req.URL, req.Mailbox, req.Authorization != ""})
	}
}
