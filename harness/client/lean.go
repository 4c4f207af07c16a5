package client

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"cutover/harness/wire"
)

// lean speaks HTTP/1.1 over connections of its own. In a steady state, which
// means a kept connection and answers whose header lines repeat, a request
// allocates nothing: request lines are written into the connection's buffer,
// header lines of the answer are looked up among those seen before, and the
// body goes straight into the caller's Call.
type lean struct {
	o        *Options
	dialer   *dialer
	counters *counters
	pools    pools

	closing context.Context // ends dials that nobody waits for any more
	cancel  context.CancelFunc
	dials   sync.WaitGroup
}

func newLean(o *Options, d *dialer, c *counters) doer {
	l := &lean{o: o, dialer: d, counters: c, pools: newPools(orElse(o.MaxConns, DefaultMaxConns))}
	l.closing, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *lean) close() {
	l.pools.close()
	l.cancel()
	l.dials.Wait()
}

func (l *lean) do(ctx context.Context, req *wire.Request, into *wire.Call) *wire.Failure {
	to, err := parseTarget(req.URL)
	if err != nil {
		return fail(ctx, Sending, err)
	}
	began := l.o.Clock.Now()
	deadline := began.Add(orElse(req.Timeout, l.o.Timeout))
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	key := poolKey{secure: to.secure, authority: to.authority}
	if l.o.Connections == PerMailbox {
		key.mailbox = req.Mailbox
	}
	p := l.pools.of(key)
	c, err := l.connection(ctx, p, req, began, deadline)
	if err != nil {
		return fail(ctx, Waiting, err)
	}
	stage, err := c.exchange(ctx, req, &to, into, deadline)
	if err != nil && c.stale(ctx, req, err) {
		// Nothing of an answer came on a connection that was kept too long:
		// the server had ended it before it saw the request.
		c.shut()
		l.counters.retried.Add(1)
		into.Reset()
		if c, err = l.open(ctx, p, deadline); err != nil {
			p.release(nil)
			return fail(ctx, Connecting, err)
		}
		stage, err = c.exchange(ctx, req, &to, into, deadline)
	}
	if into.Timing.Done = c.first; err != nil || !c.got || c.reads != c.firstRead { // else the last byte came with the first
		into.Timing.Done = l.o.Clock.Now()
	}
	into.Timing.Wait = into.Timing.Sent.Sub(began)
	if err != nil || !c.keep || l.o.Connections == PerRequest {
		c.shut()
		p.release(nil)
	} else {
		c.rest(into.Timing.Done)
		p.release(c)
	}
	return fail(ctx, stage, err)
}

// connection returns a kept connection or a new one. While one is being
// opened, a connection that another request gives back is taken instead if it
// comes first, so that a burst on a cold pool does not have to wait for as many
// handshakes. began is when the request came.
func (l *lean) connection(ctx context.Context, p *pool, req *wire.Request, began, deadline time.Time) (*leanConn, error) {
	for {
		c, w, place := p.take(l.o.Connections == PerRequest)
		if w != nil {
			stage := Waiting
			if place {
				stage = Connecting
				l.dials.Go(func() { l.dialFor(p, w) })
			} else {
				l.counters.blocked.Add(1)
			}
			var err error
			if c, err = p.wait(ctx, l.o.Clock, deadline, w, stage); err != nil {
				return nil, err
			}
		}
		if c == nil {
			c, err := l.open(ctx, p, deadline)
			if err != nil {
				p.release(nil)
			}
			return c, err
		}
		if !c.kept {
			return c, nil
		}
		// A request that must not be repeated gets only a connection that is
		// known to be open: a look costs a system call, a write that was lost
		// or made twice costs more.
		if began.Before(c.expires) && (repeatable(req) || c.alive()) {
			if c.used {
				l.counters.reused.Add(1)
			}
			return c, nil
		}
		c.shut()
		p.release(nil)
	}
}

// dialFor opens a connection in a place that w's request has taken. Whoever
// waits longest gets the connection; w alone gets the error, if it still waits.
func (l *lean) dialFor(p *pool, w *waiter) {
	longest := l.o.ConnectTimeout + l.o.TLSTimeout
	c, err := l.open(l.closing, p, l.o.Clock.Now().Add(longest))
	if err != nil {
		p.fail(w, err)
		return
	}
	c.expires = l.o.Clock.Now().Add(idleLimit)
	p.opened(w, c)
}

// repeatable reports whether req may be sent again when it is not known
// whether the server saw it: the safe methods of RFC 9110.
func repeatable(req *wire.Request) bool {
	return req.Method == "GET" || req.Method == "HEAD" || req.Method == "OPTIONS"
}

// open dials; the place in the pool is the caller's.
func (l *lean) open(ctx context.Context, p *pool, deadline time.Time) (*leanConn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var nc net.Conn
	var raw *conn
	if p.key.secure {
		secured, err := l.secure(ctx, p)
		if err != nil {
			return nil, err
		}
		nc, raw = secured, underlying(secured)
	} else {
		plain, err := l.dialer.dial(ctx, "tcp", p.address)
		if err != nil {
			return nil, err
		}
		nc, raw = plain, plain
	}
	raw.opened()
	return newLeanConn(l, nc, raw), nil
}

// stale reports whether err means that a kept connection was dead before the
// request, and the request may be sent again.
func (c *leanConn) stale(ctx context.Context, req *wire.Request, err error) bool {
	if !c.kept || c.got || !repeatable(req) || ctx.Err() != nil {
		return false
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op)
}
