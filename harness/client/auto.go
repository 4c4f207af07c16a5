package client

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"

	"cutover/harness/wire"
)

// errOnlyH2 is what the lean client says of a server that speaks nothing but HTTP/2.
var errOnlyH2 = errors.New("the server speaks HTTP/2 alone")

// auto speaks HTTP/1.1 wherever a server does, and HTTP/2 to a server that does nothing
// else. HTTP/1.1 comes first because a request then has its connection to itself, as
// most clients of Exchange have, and its times are its own.
//
// Servers choose by their own order, so offering both would bring HTTP/2 nearly
// everywhere. HTTP/1.1 is offered alone; a server that refuses the handshake, or chooses
// nothing, is asked once whether it takes h2.
type auto struct {
	lean, h2 doer

	some atomic.Bool // only is not empty
	mu   sync.RWMutex
	only map[poolKey]bool // servers that speak HTTP/2 alone; guarded by mu
}

func newAuto(o *Options, d *dialer, c *counters) doer {
	return &auto{lean: newLean(o, d, c), h2: newH2(o, d, c), only: map[poolKey]bool{}}
}

func (a *auto) do(ctx context.Context, req *wire.Request, into *wire.Call) *wire.Failure {
	if !a.speaksOnlyH2(req) {
		failure := a.lean.do(ctx, req, into)
		if failure == nil || !errors.Is(failure.Err, errOnlyH2) {
			return failure
		}
		a.found(req)
		into.Reset()
	}
	return a.h2.do(ctx, req, into)
}

// speaksOnlyH2 reports whether the server of a request is known to. Hardly any does.
func (a *auto) speaksOnlyH2(req *wire.Request) bool {
	if !a.some.Load() {
		return false
	}
	to, err := parseTarget(req.URL)
	if err != nil || !to.secure {
		return false
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.only[poolKey{secure: true, authority: to.authority}]
}

// found notes that the server of a request speaks HTTP/2 alone.
func (a *auto) found(req *wire.Request) {
	to, err := parseTarget(req.URL)
	if err != nil {
		return // it has just been parsed
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.only[poolKey{secure: true, authority: to.authority}] = true
	a.some.Store(true)
}

func (a *auto) close() {
	a.lean.close()
	a.h2.close()
}

// secure shakes hands for HTTP/1.1. Under [Auto] a server that does not agree is asked,
// once a pool, whether it takes HTTP/2.
func (l *lean) secure(ctx context.Context, p *pool) (*tls.Conn, error) {
	secured, err := l.dialer.dialTLS(ctx, "tcp", p.address, []string{"http/1.1"})
	if l.o.Protocol != Auto || err == nil && secured.ConnectionState().NegotiatedProtocol != "" {
		return secured, err
	}
	var staged *StageError
	if err != nil && (!errors.As(err, &staged) || staged.Stage != Securing) {
		return nil, err
	}
	p.ask.Do(func() { p.onlyH2 = l.dialer.speaksH2(ctx, p.address) })
	if !p.onlyH2 {
		return secured, err
	}
	if secured != nil {
		secured.Close()
	}
	return nil, &StageError{Securing, errOnlyH2}
}

// speaksH2 asks a server whether it takes HTTP/2. The connection carries no request and
// is not counted.
func (d *dialer) speaksH2(ctx context.Context, address string) bool {
	asking := dialer{o: d.o, counters: new(counters)}
	secured, err := asking.dialTLS(ctx, "tcp", address, []string{"h2"})
	if err != nil {
		return false
	}
	secured.Close()
	return true
}
