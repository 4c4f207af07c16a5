package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/canon"
	"cutover/harness/clock"
	"cutover/harness/lane"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// What holds when the caller or the suite does not say otherwise.
const (
	defaultMaxLag  = 30 * time.Second
	defaultGrace   = 5 * time.Second
	defaultTimeout = 30 * time.Second // of a whole answer
)

// policy is what a throttling answer causes.
type policy uint8

const (
	honour policy = iota
	observe
	ignore
)

var policies = map[string]policy{"honour": honour, "observe": observe, "ignore": ignore}

// runner is one run under way.
type runner struct {
	plan     *plan.Plan
	deps     Deps
	clock    clock.Clock
	pacer    clock.Clock
	common   *common
	recorder *recorder
	pools    []*pool
	lanes    [][]*lane.Lane // by side and mailbox
	rates    []*lane.Shared // by side; nil: no cap
	doers    []wire.Doer
	auth     []Authoriser
	headers  [][]wire.Field
	timeouts []time.Duration
	served   []servedBy
	dialects []*canon.Dialect
	policy   policy
	firewall bool // recipients of stored items are read before they are mailed
	maxLag   time.Duration
	workers  atomic.Uint64 // made so far; spreads them over the shards
	pairs    *pairs
	books    *books

	// stop ends when no further leg may start and whoever sleeps must wake; hard ends
	// when requests in flight are given up.
	stop, hard context.Context
	stopNow    context.CancelCauseFunc
	hardNow    context.CancelFunc

	start     time.Time
	scheduled time.Time      // when the schedule ended, or was stopped
	under     sync.WaitGroup // legs that were handed to a lane and have not ended
	users     sync.WaitGroup // of closed phases
	inFlight  atomic.Int64
	failure   atomic.Pointer[error]    // first internal error
	aborted   atomic.Pointer[abortion] // the gate that ended the run; nil: none did
	faults    faults
	created   created
	pressed   []*pressure     // by side
	open      atomic.Int64    // legs that were made and have not ended
	idle      chan struct{}   // one slot: open has become 0
	found     []result.Search // by the schedule alone
	searched  []time.Duration // by side: of the trials that the steps speak of
}

// newRunner checks the dependencies and readies everything that a leg touches.
func newRunner(ctx context.Context, p *plan.Plan, d Deps) (*runner, error) {
	if p.Unbound {
		return nil, errors.New("the lab of this plan has not been started")
	}
	r := &runner{plan: p, deps: d, clock: d.Clock, pacer: d.Pacer, common: newCommon(p, d.RunID), recorder: newRecorder(p),
		policy: policies[p.Suite.Pushback], maxLag: or(d.MaxLag, or(p.Suite.MaxLag, defaultMaxLag))}
	r.firewall = d.Firewall || !p.Profile.Simulated
	if r.pacer == nil {
		r.pacer = r.clock
	}
	r.stop, r.stopNow = context.WithCancelCause(ctx)
	r.hard, r.hardNow = context.WithCancel(context.WithoutCancel(ctx))
	for i, side := range p.Sides {
		doer := d.Doers[side.Path]
		if doer == nil {
			return nil, fmt.Errorf("path %s has no sender", side.Path)
		}
		r.doers = append(r.doers, doer)
		r.auth = append(r.auth, d.Auth[side.Path])
		var fields []wire.Field
		for _, h := range side.Profile.Headers {
			fields = append(fields, wire.Field{Name: h.Key, Value: h.Value})
		}
		r.headers = append(r.headers, fields)
		r.timeouts = append(r.timeouts, or(side.Profile.Timeout, defaultTimeout))
		r.served = append(r.served, newServedBy(side.Profile.ServedBy))
		r.dialects = append(r.dialects, side.Adapter.Dialect())
		r.pools = append(r.pools, &pool{run: r, side: i})
		var shared *lane.Shared
		if rate := p.Caps.Rate[i]; rate > 0 {
			shared = lane.NewShared(rate)
		}
		r.rates = append(r.rates, shared)
		r.lanes = append(r.lanes, r.newLanes(i))
	}
	r.created.seqs = map[itemKey]uint64{}
	r.pressed, r.searched, r.idle = newPressures(len(p.Sides)), make([]time.Duration, len(p.Sides)), make(chan struct{}, 1)
	r.pairs = newPairs(r)
	r.books = newBooks(r)
	return r, nil
}

// newLanes makes a lane for each mailbox. A mailbox that a scenario writes to has
// one writer: its lane lets one request through at a time.
func (r *runner) newLanes(side int) []*lane.Lane {
	p := r.plan
	written := make([]bool, len(p.Mailboxes))
	for i := range p.Scenarios {
		for _, m := range p.Scenarios[i].Mailboxes {
			written[m] = written[m] || p.Scenarios[i].Writes && !p.Anonymous()
		}
	}
	lanes := make([]*lane.Lane, len(p.Mailboxes))
	for m := range lanes {
		limits := lane.Limits{Concurrency: p.Caps.MailboxConcurrency[side], Rate: p.Caps.MailboxRate[side], MaxLag: r.maxLag}
		if written[m] {
			limits.Concurrency = 1
		}
		lanes[m] = lane.New(limits)
	}
	return lanes
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// warm signs in as every mailbox before the clock starts.
func (r *runner) warm() error {
	var first error
	for _, a := range r.auth {
		if a == nil {
			continue
		}
		if err := a.Warm(r.stop, r.plan.Mailboxes); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// end puts a leg into its bucket.
func (r *runner) end(s *shard, l *leg, b bucket, reason string) {
	s.ended(l.phase, b, reason)
	if l.pair != nil {
		r.pairs.ended(l.pair, l.side, b)
		l.pair = nil
	}
	legs.Put(l)
	if r.open.Add(-1) == 0 {
		select {
		case r.idle <- struct{}{}:
		default:
		}
	}
	r.under.Done()
}

var legs = sync.Pool{New: func() any { return new(leg) }}

// abort ends the run over an error of its own.
func (r *runner) abort(err error) {
	if r.failure.CompareAndSwap(nil, &err) {
		r.stopNow(err)
	}
}
