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

// h2 speaks HTTP/2 over connections of its own, many requests at a time on each. In a
// steady state, which means a kept connection, a request like the one before on it,
// and answers whose header block repeats, a request allocates nothing.
//
// Rules of the house:
//   - Header blocks are written without a dynamic table, so that the same request is
//     the same bytes, and a block can be left out when a stream is given up.
//   - A connection has one reading goroutine. It answers PING and SETTINGS at once,
//     also while no request is under way, and fills the Calls of its streams.
//   - A request that the server cannot have seen (its stream lies beyond a GOAWAY, or
//     was refused) is sent again; one that it may have seen only if it is safe to repeat.
type h2 struct {
	o        *Options
	dialer   *dialer
	counters *counters

	mu    sync.RWMutex // guards pools
	pools map[poolKey]*h2Pool

	closing context.Context // ends dials that nobody waits for any more
	cancel  context.CancelFunc
	dials   sync.WaitGroup
	readers sync.WaitGroup
}

func newH2(o *Options, d *dialer, c *counters) doer {
	h := &h2{o: o, dialer: d, counters: c, pools: make(map[poolKey]*h2Pool)}
	h.closing, h.cancel = context.WithCancel(context.Background())
	return h
}

func (h *h2) close() {
	h.mu.RLock()
	for _, p := range h.pools {
		p.close()
	}
	h.mu.RUnlock()
	h.cancel()
	h.dials.Wait()
	h.readers.Wait()
}

func (h *h2) pool(key poolKey) *h2Pool {
	h.mu.RLock()
	p := h.pools[key]
	h.mu.RUnlock()
	if p != nil {
		return p
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p = h.pools[key]; p == nil {
		streams := orElse(h.o.MaxStreams, defaultStreams)
		if h.o.Connections == PerRequest {
			streams = 1
		}
		p = &h2Pool{client: h, key: key, address: key.address(), limit: orElse(h.o.MaxConns, DefaultMaxConns), streams: streams}
		h.pools[key] = p
	}
	return p
}

// h2Tries is how often a request goes out that no server can have seen.
const h2Tries = 3

func (h *h2) do(ctx context.Context, req *wire.Request, into *wire.Call) *wire.Failure {
	to, err := parseTarget(req.URL)
	if err != nil {
		return fail(ctx, Sending, err)
	}
	began := h.o.Clock.Now()
	deadline := began.Add(orElse(req.Timeout, h.o.Timeout))
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	key := poolKey{secure: to.secure, authority: to.authority}
	if h.o.Connections == PerMailbox {
		key.mailbox = req.Mailbox
	}
	p := h.pool(key)
	for try := 1; ; try++ {
		c, err := p.get(ctx, began, deadline)
		if err != nil {
			return fail(ctx, Waiting, err)
		}
		s := newStream(ctx, req, into, deadline)
		stage, err := c.exchange(s, &to)
		seen := s.fate
		into.Timing.Done = h.o.Clock.Now()
		into.Timing.Wait = into.Timing.Sent.Sub(began)
		if into.Timing.Sent.IsZero() {
			into.Timing.Wait = 0
		}
		s.free()
		p.release(c, into.Timing.Done)
		if err != nil && try < h2Tries && ctx.Err() == nil && (seen.unseen || seen.kept && !seen.got && repeatable(req) && broken(err)) {
			h.counters.retried.Add(1)
			into.Reset()
			continue
		}
		if err == nil && seen.gzip {
			stage, err = Receiving, inflate(into, h.o.MaxBody)
		}
		return fail(ctx, stage, err)
	}
}

// broken reports whether err means that a connection ended.
func broken(err error) bool {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op)
}

// open dials and sends what begins a connection.
func (h *h2) open(ctx context.Context, p *h2Pool, deadline time.Time) (*h2Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var nc net.Conn
	var raw *conn
	if p.key.secure {
		secured, err := h.dialer.dialTLS(ctx, "tcp", p.address, []string{"h2"})
		if err != nil {
			return nil, err
		}
		nc, raw = secured, underlying(secured)
	} else {
		plain, err := h.dialer.dial(ctx, "tcp", p.address)
		if err != nil {
			return nil, err
		}
		nc, raw = plain, plain
	}
	raw.opened()
	return startH2(h, p, nc, raw), nil
}
