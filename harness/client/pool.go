package client

import (
	"context"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
)

// poolKey says which connections may stand in for each other.
type poolKey struct {
	secure    bool
	authority string
	mailbox   string // "" unless connections are kept per mailbox
}

// pools holds a pool for each key, made when first asked for.
type pools struct {
	limit int
	last  atomic.Pointer[pool] // most paths have one host, and ask for its pool alone
	mu    sync.RWMutex
	byKey map[poolKey]*pool
}

func newPools(limit int) pools { return pools{limit: limit, byKey: make(map[poolKey]*pool)} }

func (ps *pools) of(key poolKey) *pool {
	if p := ps.last.Load(); p != nil && p.key == key {
		return p
	}
	ps.mu.RLock()
	p := ps.byKey[key]
	ps.mu.RUnlock()
	if p != nil {
		ps.last.Store(p)
		return p
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p = ps.byKey[key]; p == nil {
		p = &pool{key: key, address: key.address(), limit: ps.limit}
		ps.byKey[key] = p
	}
	return p
}

func (ps *pools) close() {
	ps.mu.RLock()
	defer ps.mu.RUnlock()
	for _, p := range ps.byKey {
		p.close()
	}
}

// pool hands out at most limit places. A place is a kept connection or the
// right to open one, and is given back with release.
type pool struct {
	key     poolKey
	address string
	limit   int

	ask    sync.Once // asks a server that does not agree to HTTP/1.1 for HTTP/2
	onlyH2 bool      // what it answered; written in ask

	mu      sync.Mutex
	idle    []*leanConn // the last used first out, so that the others can expire
	places  int         // taken and idle together
	waiting []*waiter   // first come first served; whoever leaves the list has been granted something
	closed  bool        // kept connections are closed when they come back
}

// waiter is a request without a connection.
type waiter struct {
	granted chan grant // buffered by one: whoever grants does not wait
	dialing bool       // guarded by the pool: a connection is being opened for it
}

// grant is a connection, or an error, or with neither the right to open one.
type grant struct {
	c   *leanConn
	err error
}

// take returns an idle connection. Without one it returns a waiter to wait
// with, and whether the request has taken a place for a new connection, which
// it must have opened. A request that wants a connection to itself alone gets
// its place without a waiter, if there is one.
func (p *pool) take(alone bool) (c *leanConn, w *waiter, place bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c, nil, false
	}
	if p.places < p.limit {
		p.places++
		place = true
		if alone {
			return nil, nil, true
		}
	}
	w = &waiter{make(chan grant, 1), place}
	p.waiting = append(p.waiting, w)
	return nil, w, place
}

// wait returns what w is granted: a connection, or nil for the right to open
// one. Giving up is a failure of the stage.
func (p *pool) wait(ctx context.Context, clk clock.Clock, deadline time.Time, w *waiter, stage Stage) (*leanConn, error) {
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
	if !p.leave(w) { // the grant came in the very moment of giving up
		if g := <-w.granted; g.err == nil {
			p.release(g.c)
		}
	}
	return nil, &StageError{stage, err}
}

// leave takes w off the queue and reports whether it was on it.
func (p *pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, w)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return true
}

// fail gives a place back in which no connection could be opened. w learns
// why, unless it has been served meanwhile.
func (p *pool) fail(w *waiter, err error) {
	if p.leave(w) {
		w.granted <- grant{err: err}
	}
	p.release(nil)
}

// opened brings the connection that was opened for w.
func (p *pool) opened(w *waiter, c *leanConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.dialing = false
	p.settle(c)
}

// release gives a place back: with its connection, or with nil when that is
// closed.
func (p *pool) release(c *leanConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(c)
}

// settle passes c on, or counts its place as free. Afterwards nobody waits for
// nothing: a waiter has a connection being opened for it, or all places are
// taken. p.mu is held.
func (p *pool) settle(c *leanConn) {
	if p.closed && c != nil {
		c.shut()
		c = nil
	}
	switch {
	case c == nil:
		p.places--
	case len(p.waiting) > 0:
		p.waiting[0].granted <- grant{c: c}
		p.waiting = slices.Delete(p.waiting, 0, 1)
	default:
		c.kept = true
		p.idle = append(p.idle, c)
	}
	for p.places < p.limit {
		i := slices.IndexFunc(p.waiting, func(w *waiter) bool { return !w.dialing })
		if i < 0 {
			return
		}
		p.places++
		p.waiting[i].granted <- grant{}
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.shut()
	}
	p.places -= len(p.idle)
	p.idle = nil
}
