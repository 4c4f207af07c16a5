package client

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"
)

// defaultStreams is how many requests share a connection when nobody says: as many as
// servers commonly allow.
const defaultStreams = 100

// h2Pool is the connections that may stand in for each other. A request reserves a
// place on one; where all are full another is opened, up to the limit.
type h2Pool struct {
	client  *h2
	key     poolKey
	address string
	limit   int // connections
	streams int // requests at a time on a connection, whatever its server allows

	mu      sync.Mutex  // guards everything below, and what connections say it guards
	count   int         // connections that take requests
	listed  []*h2Conn   // those of them with a free place; the last is taken first
	hopes   int         // connections whose servers have not said yet how many streams they allow
	dialing int         // connections that are being opened
	waiting []*h2Waiter // first come, first served; whoever leaves the list has been granted something
	closed  bool
}

// h2Waiter is a request without a place.
type h2Waiter struct{ granted chan h2Grant } // one slot: whoever grants does not wait

// h2Grant is a connection with a place on it, or why there is none.
type h2Grant struct {
	c   *h2Conn
	err error
}

// get reserves a place on a connection; release gives it back.
func (p *h2Pool) get(ctx context.Context, began, deadline time.Time) (*h2Conn, error) {
	p.mu.Lock()
	if c := p.pick(began); c != nil {
		p.mu.Unlock()
		return c, nil
	}
	w := &h2Waiter{make(chan h2Grant, 1)}
	p.waiting = append(p.waiting, w)
	if !p.dial() {
		p.client.counters.blocked.Add(1)
	}
	p.mu.Unlock()
	return p.wait(ctx, deadline, w)
}

// pick reserves a place on a connection, and closes those that were idle for too long.
// A zero now closes none. p.mu is held.
func (p *h2Pool) pick(now time.Time) *h2Conn {
	for len(p.listed) > 0 {
		c := p.listed[len(p.listed)-1]
		if c.load == 0 && !now.IsZero() && !now.Before(c.expires) {
			p.drop(c)
			c.shut()
			continue
		}
		c.load++
		p.list(c)
		return c
	}
	return nil
}

// list puts a connection among those with a free place, or takes it out. The server's
// settings may be read before dialOne has taken the connection in; handed out then, it
// could be used and closed again by the time that dialOne looks at it.
func (p *h2Pool) list(c *h2Conn) {
	free := c.counted && !c.gone && c.load < min(c.room, p.streams)
	switch {
	case free && !c.listed:
		p.listed = append(p.listed, c)
	case !free && c.listed: // most often the last
		i := len(p.listed) - 1
		for p.listed[i] != c {
			i--
		}
		p.listed = slices.Delete(p.listed, i, i+1)
	}
	c.listed = free
}

// heard says that nothing more is to be hoped for from c's settings.
func (p *h2Pool) heard(c *h2Conn) {
	if c.hoped {
		c.hoped = false
		p.hopes--
	}
}

// drop makes a connection take no more requests.
func (p *h2Pool) drop(c *h2Conn) {
	if !c.gone {
		c.gone = true
		if c.counted {
			p.count--
		}
		p.heard(c)
		p.list(c)
	}
}

// dial opens connections for those who wait beyond the connections that are being
// opened. False: the limit is reached. p.mu is held.
func (p *h2Pool) dial() bool {
	for len(p.waiting) > (p.dialing+p.hopes)*p.streams {
		if p.count+p.dialing >= p.limit || p.closed {
			return false
		}
		p.dialing++
		p.client.dials.Go(p.dialOne)
	}
	return true
}

// dialOne opens a connection and serves whoever waits.
func (p *h2Pool) dialOne() {
	o := p.client.o
	c, err := p.client.open(p.client.closing, p, o.Clock.Now().Add(o.ConnectTimeout+o.TLSTimeout))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialing--
	if err == nil && c.gone { // its reader was faster
		err = &StageError{Sending, c.cause()}
	}
	switch {
	case err != nil:
		for p.count == 0 && len(p.waiting) > (p.dialing+p.hopes)*p.streams {
			p.grant(h2Grant{err: err})
		}
	case p.closed:
		c.shut()
	default:
		c.expires = o.Clock.Now().Add(idleLimit)
		p.count++
		c.counted = true
		if c.hoped = !c.told; c.hoped {
			p.hopes++
		}
		p.list(c)
		p.serve()
	}
}

// grant serves the one who waits longest. p.mu is held.
func (p *h2Pool) grant(g h2Grant) {
	p.waiting[0].granted <- g
	p.waiting = slices.Delete(p.waiting, 0, 1)
}

// serve hands out the places that are free. p.mu is held.
func (p *h2Pool) serve() {
	for len(p.waiting) > 0 {
		c := p.pick(time.Time{})
		if c == nil {
			p.dial()
			return
		}
		p.grant(h2Grant{c: c})
	}
}

// wait returns what w is granted. Giving up is a failure of waiting, or of connecting
// while a connection is being opened.
func (p *h2Pool) wait(ctx context.Context, deadline time.Time, w *h2Waiter) (*h2Conn, error) {
	clk := p.client.o.Clock
	timer := clk.NewTimer(deadline.Sub(clk.Now()))
	defer timer.Stop()
	var err error
	select {
	case g := <-w.granted:
		return g.c, g.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C():
		err = os.ErrDeadlineExceeded
	}
	p.mu.Lock()
	stage := Waiting
	if p.dialing > 0 {
		stage = Connecting
	}
	i := slices.Index(p.waiting, w)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // the grant came in the very moment of giving up
		if g := <-w.granted; g.c != nil {
			p.release(g.c, clk.Now())
		}
	}
	return nil, &StageError{stage, err}
}

// release gives a place back.
func (p *h2Pool) release(c *h2Conn, now time.Time) {
	p.mu.Lock()
	c.load--
	c.expires = now.Add(idleLimit)
	if p.closed && c.load == 0 || p.client.o.Connections == PerRequest {
		p.drop(c)
	}
	if c.gone && c.load == 0 {
		c.shut()
	}
	p.list(c)
	p.serve()
	p.mu.Unlock()
}

// retire takes a connection out that takes no more requests: it ended, or its server
// said goodbye. Requests under way on it are not disturbed.
func (p *h2Pool) retire(c *h2Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(c)
	if c.load == 0 {
		c.shut()
	}
	p.serve()
}

// allow sets how many streams a connection's server allows.
func (p *h2Pool) allow(c *h2Conn, streams int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.room, c.told = streams, true
	p.heard(c)
	p.list(c)
	p.serve()
}

func (p *h2Pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range slices.Clone(p.listed) {
		if c.load == 0 {
			p.drop(c)
			c.shut()
		}
	}
}
