package client

import (
	"errors"
	"os"
	"sync"
	"time"
)

// deadlines spares the network's timers: the deadline of a kept connection moves
// with every request, most often later, and nearly none ever comes. The one that is
// armed may therefore be earlier than the one that is wanted; a read or write that it
// ends is armed anew and goes on.
type deadlines struct {
	mu     sync.Mutex
	wanted time.Time // zero: nothing is put off
	armed  time.Time // not later than wanted; zero: not known
}

// SetDeadline sets the deadline of reads and writes.
func (c *conn) SetDeadline(t time.Time) error {
	d := &c.deadlines
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if !d.armed.IsZero() && !t.IsZero() && !t.Before(d.armed) {
		return nil
	}
	d.armed = t
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline sets the deadline of writes alone, at once.
func (c *conn) SetWriteDeadline(t time.Time) error {
	d := &c.deadlines
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted, d.armed = time.Time{}, time.Time{}
	return c.Conn.SetWriteDeadline(t)
}

// early reports whether err is the end of a time that was armed too short, and arms the
// rest.
func (c *conn) early(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d := &c.deadlines
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed.IsZero() || !d.armed.Before(d.wanted) {
		return false
	}
	d.armed = d.wanted
	return c.Conn.SetDeadline(d.wanted) == nil
}

// Write writes all of p.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	for err != nil && c.early(err) {
		var more int
		more, err = c.Conn.Write(p[n:])
		n += more
	}
	return n, err
}
