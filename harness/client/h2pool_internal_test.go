package client

import "testing"

// A server may send its settings before the pool has heard that the connection is open.
func TestAConnectionIsHandedOutOnlyAfterItWasTakenIn(t *testing.T) {
	p := &h2Pool{client: &h2{o: &Options{Connections: PerRequest}}, limit: 1, streams: 1, dialing: 1}
	c := &h2Conn{pool: p, room: 1}
	w := &h2Waiter{make(chan h2Grant, 1)}
	p.waiting = []*h2Waiter{w}
	p.allow(c, 100)
	if len(w.granted) != 0 || c.load != 0 {
		t.Errorf("granted %d, load %d before it was taken in; want none", len(w.granted), c.load)
	}
	c.counted = true // as dialOne does
	p.list(c)
	p.serve()
	if len(w.granted) != 1 || c.load != 1 {
		t.Errorf("granted %d, load %d once it was; want one", len(w.granted), c.load)
	}
}
