// Package guard is the only door to the network. Everything that is sent, by
// whatever part of the program, passes a [Door] that was opened with [Rules],
// and what the rules forbid is refused before a packet, a DNS query included,
// leaves the machine.
//
// Rules of the door:
//   - Without consent only loopback is reached; the lab never leaves it at all.
//   - The address is judged again whenever a connection is made, so that a name
//     which changes its mind (DNS rebinding) reaches nothing new.
//   - Each path has its hosts; a link that a server hands out leads nowhere else.
//   - Writes, recipients, mailboxes, hours and volumes follow the consent.
//   - Caps make callers wait; they are never exceeded.
//   - Requests are counted when they were put on the wire, per path and kind.
package guard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/client"
	"cutover/harness/clock"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// Options are how a path's connections are made. The door decides Resolve,
// wraps Control, and allows a proxy only with a consent that says so.
type Options = client.Options

// Door hands out the senders of a run and counts what they send.
type Door struct {
	rules  Rules
	clock  clock.Clock
	limits *limits
	ctx    context.Context // ends when the door closes
	close  context.CancelCauseFunc
	kept   boundContexts

	holds sync.Mutex // guards the two fields below
	asked time.Time  // second for which consent was last judged
	said  error

	mu      sync.Mutex // guards the fields below
	traffic map[string]*counters
	clients map[string][]*client.Client
	senders map[string][]*client.Client // of clients, those that Path handed out
	shut    bool
}

type counters [len(wire.Kinds)]atomic.Uint64

var errClosed = refuse("closed", "the door to the network is closed", "start another run")

// Open judges the rules themselves and returns the door that enforces them.
// The error is a *Refusal.
func Open(r Rules) (*Door, error) {
	if r.Clock == nil {
		r.Clock = clock.System()
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := r.CheckMailboxes(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r.Caps = r.Caps.within(r)
	r.Uploads = r.uploads()
	return &Door{rules: r, clock: r.Clock, limits: newLimits(r.Caps, r.Clock, r.Brake), ctx: ctx, close: cancel,
		traffic: map[string]*counters{}, clients: map[string][]*client.Client{}, senders: map[string][]*client.Client{}}, nil
}

func (r Rules) now() time.Time {
	if r.Clock == nil {
		return clock.System().Now()
	}
	return r.Clock.Now()
}

// Path returns the sender for requests down the path called name. The door
// owns its connections.
func (d *Door) Path(name string, o Options) (*Doer, error) {
	c, err := d.connect(name, o)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.senders[name] = append(d.senders[name], c)
	d.mu.Unlock()
	return d.doer(name, c), nil
}

func (d *Door) doer(name string, next wire.Doer) *Doer {
	return &Doer{door: d, path: name, next: next, hosts: d.rules.Hosts[name], uploads: d.rules.Uploads[name], counted: d.counters(name), passed: newPassed()}
}

// connect builds a client whose connections the door judges.
func (d *Door) connect(path string, o Options) (*client.Client, error) {
	o.Resolve = d.rules.Resolve
	if o.Proxy = o.Proxy && d.rules.Consent != nil && d.rules.Consent.Proxy; !o.Proxy {
		o.ProxyFor = nil
	}
	inner := o.Control
	o.Control = func(network, address string) error {
		if err := d.rules.connection(address); err != nil {
			return err
		}
		if inner != nil {
			return inner(network, address)
		}
		return nil
	}
	c, err := client.New(o)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients[path] = append(d.clients[path], c)
	return c, nil
}

func (d *Door) counters(path string) *counters {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.traffic[path] == nil {
		d.traffic[path] = new(counters)
	}
	return d.traffic[path]
}

// Traffic tells how many requests were put on the wire so far, per path. The
// legs of connection-level sign-in (NTLM) count as tokens.
func (d *Door) Traffic() map[string]result.Traffic {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]result.Traffic, len(d.traffic))
	for path, c := range d.traffic {
		var legs uint64
		for _, c := range d.clients[path] {
			legs += c.Stats().Extra
		}
		all[path] = result.Traffic{
			Steps: c[wire.Step].Load(), Retries: c[wire.Retry].Load(), Pages: c[wire.Page].Load(), Polls: c[wire.Poll].Load(),
			Probes: c[wire.Probe].Load(), Fixtures: c[wire.Fixture].Load(), Tokens: c[wire.Token].Load() + legs,
		}
	}
	return all
}

// Observed tells the highest rates and concurrency that the door let through.
func (d *Door) Observed() Observed { return d.limits.observed() }

// Close shuts the door: requests under way end as refused, later ones are
// refused at once, idle connections are closed. A second Close does nothing.
func (d *Door) Close() {
	d.close(errClosed)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return
	}
	d.shut = true
	for _, clients := range d.clients {
		for _, c := range clients {
			c.Close()
		}
	}
}

// open tells whether a request of this kind may still be sent.
func (d *Door) open(kind wire.Kind) *Refusal {
	if d.ctx.Err() != nil {
		return d.closed()
	}
	if d.rules.Brake != nil {
		return d.rules.Brake.refusal(kind)
	}
	return nil
}

// unwatched tells whether the lab's freedom holds: nobody's mailbox is at stake.
func (d *Door) unwatched() bool { return d.rules.Simulated && d.rules.Recipients == nil }

// closed is why the door is shut.
func (d *Door) closed() *Refusal {
	if r, ok := refusalIn(context.Cause(d.ctx)); ok {
		return r
	}
	return errClosed
}

// fail shuts the door because a safety record could not be kept.
func (d *Door) fail(err error) {
	d.close(refuse("audit", err.Error(), "make room or rights for the run folder"))
}

// consented tells whether the consent holds now. It is worked out once a
// second: windows and expiry are written in minutes and days.
func (d *Door) consented() error {
	if d.rules.Consent == nil {
		return nil
	}
	now := d.clock.Now()
	d.holds.Lock()
	defer d.holds.Unlock()
	if second := now.Truncate(time.Second); !second.Equal(d.asked) {
		d.asked, d.said = second, d.rules.Consent.Holds(now)
	}
	return d.said
}

// failure is how a rule's no reaches the caller.
func failure(err error) *wire.Failure { return &wire.Failure{Kind: wire.Refused, Err: err} }

// refusalIn finds a rule's no inside what the client reports.
func refusalIn(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}
