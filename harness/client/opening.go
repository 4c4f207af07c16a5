package client

import (
	"sync"

	"cutover/harness/hist"
)

// openings are what opening connections took. They are recorded once a connection, so
// that one lock serves all.
type openings struct {
	mu           sync.Mutex
	connect, tls hist.Histogram
}

// add records an opened connection.
func (o *openings) add(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connect.Record(c.connect)
	if c.tls > 0 {
		o.tls.Record(c.tls)
	}
}

// Openings adds to connect how long name resolution and TCP handshake took, and to tls
// how long the TLS handshake took, of each connection opened so far.
func (c *Client) Openings(connect, tls *hist.Histogram) {
	o := &c.counters.openings
	o.mu.Lock()
	defer o.mu.Unlock()
	connect.Merge(&o.connect)
	tls.Merge(&o.tls)
}
