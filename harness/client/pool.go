package client

import (
	"context"
	"os"
	"sync"
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
	mu    sync.RWMutex
	byKey map[poolKey]*pool
}

func newPools(limit int) pools { return pools{limit: limit, byKey: make(map[poolKey]*pool)} }

func (ps *pools) of(key poolKey) *pool {
	ps.mu.RLock()
	p := ps.byKey[key]
	ps.mu.RUnlock()
	if p != nil {
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

	mu      sync.Mutex
	idle    []*leanConn // the last used first out, so that the others can expire
	places  int         // taken and idle together
	waiting []*waiter   // first come first served; not empty only when no place is free
	closed  bool        // kept connections are closed when they come back
}

type waiter struct {
	place chan *leanConn // buffered by one: release never blocks
}

var waiters = sync.Pool{New: func() any { return &waiter{make(chan *leanConn, 1)} }}

// take returns an idle connection, or nil for the right to open one. It waits
// while all places are taken.
func (p *pool) take(ctx context.Context, clk clock.Clock, deadline time.Time, count *counters) (*leanConn, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	if p.places < p.limit {
		p.places++
		p.mu.Unlock()
		return nil, nil
	}
	w := waiters.Get().(*waiter)
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	count.blocked.Add(1)
	return p.wait(ctx, clk, deadline, w)
}

func (p *pool) wait(ctx context.Context, clk clock.Clock, deadline time.Time, w *waiter) (*leanConn, error) {
	timer := clk.NewTimer(deadline.Sub(clk.Now()))
	defer timer.Stop()
	var err error
	select {
	case c := <-w.place:
		waiters.Put(w)
		return c, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C():
		err = os.ErrDeadlineExceeded
	}
	p.mu.Lock()
	for i, other := range p.waiting {
		if other == w {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.mu.Unlock()
			waiters.Put(w)
			return nil, &StageError{Waiting, err}
		}
	}
	p.mu.Unlock()
	p.release(<-w.place) // the place came in the very moment of giving up
	waiters.Put(w)
	return nil, &StageError{Waiting, err}
}

// release gives a place back: with its connection, or with nil when that is
// closed.
func (p *pool) release(c *leanConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed && c != nil {
		c.shut()
		c = nil
	}
	if len(p.waiting) > 0 {
		w := p.waiting[0]
		p.waiting = append(p.waiting[:0], p.waiting[1:]...)
		w.place <- c
		return
	}
	if c == nil {
		p.places--
		return
	}
	p.idle = append(p.idle, c)
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
