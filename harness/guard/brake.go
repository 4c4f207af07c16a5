package guard

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
	"cutover/harness/wire"
)

// BrakeOptions say when a run slows down or stops by itself. A zero field
// switches its condition off.
type BrakeOptions struct {
	Clock clock.Clock
	// Errors is the share of a path's answers in the last five seconds that may be
	// server errors (5xx) or broken connections; above it, or when Least answers in a row
	// were, the run stops.
	// Throttling (429, or 503 with Retry-After) is not an error here.
	Errors float64
	// Warn is the share above which the rate is halved.
	Warn float64
	// Least is how many answers the window needs before a share counts; 0: 20.
	Least int
	// Throttled is how many 429 in a row halve the rate. The next time within
	// a minute the run stops.
	Throttled int
	// Stall stops the run when this long no answer came on a path while
	// requests were under way there.
	Stall time.Duration
	// KillFile stops the run when the file exists.
	KillFile string
	// Deadline stops the run at a time of day that no suite can move; zero: none.
	Deadline time.Time
	// Victims are mailboxes that the load does not touch. Each is asked every VictimEvery
	// (0: 250 ms). The run stops when the p95 of the last 20 answers of one exceeds
	// VictimFactor (0: 1.5) times what Baseline measured, or when three in a row fail.
	Victims      []Victim
	VictimEvery  time.Duration
	VictimFactor float64
}

// Production are the brakes for a real deployment.
func Production() BrakeOptions {
	return BrakeOptions{Errors: 0.10, Warn: 0.02, Throttled: 3, Stall: 10 * time.Second}
}

// Simulation are the brakes for the lab: a meltdown stops the run, injected
// faults and throttling do not.
func Simulation() BrakeOptions { return BrakeOptions{Errors: 0.90, Stall: 15 * time.Second} }

// RuleBrake is the rule of a refusal that a tripped brake makes.
const RuleBrake = "brake"

const (
	// window is how many seconds of answers the shares look back on.
	window    = 5
	pollEvery = 250 * time.Millisecond // kill file, stall, deadline
	again     = time.Minute            // a second throttling within it stops the run
)

// Brake watches the answers of a run. Once tripped it stays tripped and the
// door refuses everything but clean-up.
type Brake struct {
	o       BrakeOptions
	tripped chan struct{} // closed by Trip, once
	slow    atomic.Int32  // how often the rate was halved; written under mu

	mu      sync.Mutex // guards the fields below
	cause   *Refusal
	halved  time.Time // when the rate was last halved
	flights map[string]*flight
	victims []*watched
}

// flight is what is under way on one path.
type flight struct {
	requests int
	last     time.Time // last answer, or the first request after an idle time
	ring     [window]second
	failed   int // answers in a row: a path that asks for patience gives few
	pushed   int // 429 in a row
}

// second counts the answers of one second.
type second struct {
	at          int64
	all, failed int
}

// NewBrake returns a brake that is not yet tripped. Watch must run for the
// conditions that no answer triggers.
func NewBrake(o BrakeOptions) *Brake {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Least == 0 {
		o.Least = 20
	}
	if o.VictimFactor == 0 {
		o.VictimFactor = 1.5
	}
	if o.VictimEvery == 0 {
		o.VictimEvery = 250 * time.Millisecond
	}
	b := &Brake{o: o, tripped: make(chan struct{}), flights: map[string]*flight{}}
	for _, v := range o.Victims {
		b.victims = append(b.victims, &watched{Victim: v})
	}
	return b
}

// Tripped is closed when the run must stop.
func (b *Brake) Tripped() <-chan struct{} { return b.tripped }

// Cause is why the run must stop, nil while it need not.
func (b *Brake) Cause() *Refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}

// Slowdowns tells how often the rate was halved.
func (b *Brake) Slowdowns() int { return int(b.slow.Load()) }

// Trip stops the run. Only the first cause is kept.
func (b *Brake) Trip(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trip(what)
}

func (b *Brake) trip(what string) {
	if b.cause != nil {
		return
	}
	b.cause = refuse(RuleBrake, what, "look at the deployment before the next run; `cutover clean --run ID` removes what this one created")
	close(b.tripped)
}

// refusal is what the door answers: nil while the run may go on.
func (b *Brake) refusal(kind wire.Kind) *Refusal {
	if kind == wire.Fixture {
		return nil
	}
	select {
	case <-b.tripped:
		return b.Cause()
	default:
		return nil
	}
}

// factor is by what the rate is divided: 1, 2, 4 …
func (b *Brake) factor() float64 {
	if b == nil {
		return 1
	}
	return float64(uint64(1) << min(b.slow.Load(), 10))
}

// begin notes a request that leaves now.
func (b *Brake) begin(path string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.flights[path]
	if f == nil {
		f = &flight{}
		b.flights[path] = f
	}
	if f.requests == 0 {
		f.last = now
	}
	f.requests++
}

// observe judges an answer that came now.
func (b *Brake) observe(path string, into *wire.Call, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.flights[path]
	f.requests--
	if into.Failure == nil {
		f.last = now
	}
	failed, throttled, counts := judged(into)
	if !counts {
		return
	}
	b.throttling(path, f, throttled, now)
	all, bad := f.count(now, failed)
	share := float64(bad) / float64(all)
	switch {
	case b.cause != nil:
	case b.o.Errors > 0 && f.failed >= b.o.Least:
		b.trip(fmt.Sprintf("%d answers in a row on path %s were server errors or broken connections", f.failed, path))
	case all < b.o.Least:
	case b.o.Errors > 0 && share > b.o.Errors:
		b.trip(fmt.Sprintf("%d of the last %d answers on path %s were server errors or broken connections, more than %.0f %%", bad, all, path, b.o.Errors*100))
	case b.o.Warn > 0 && share > b.o.Warn && now.Sub(b.halved) >= window*time.Second:
		b.halve(now)
	}
}

// judged sorts an answer: a failure of the server or the network, throttling,
// or nothing that a brake looks at.
func judged(into *wire.Call) (failed, throttled, counts bool) {
	if f := into.Failure; f != nil {
		ours := f.Kind == wire.Refused || f.Kind == wire.Canceled || f.Kind == wire.NoToken
		return !ours, false, !ours
	}
	s := into.Response.Status
	throttled = s == 429 || s == 503 && into.Response.Header.Has("Retry-After")
	return s >= 500 && !throttled, throttled, true
}

func (b *Brake) throttling(path string, f *flight, throttled bool, now time.Time) {
	if !throttled {
		f.pushed = 0
		return
	}
	f.pushed++
	if b.o.Throttled == 0 || f.pushed < b.o.Throttled {
		return
	}
	f.pushed = 0
	if b.slow.Load() > 0 && now.Sub(b.halved) < again {
		b.trip(fmt.Sprintf("path %s was throttled %d times in a row again, after the rate had been halved", path, b.o.Throttled))
		return
	}
	b.halve(now)
}

func (b *Brake) halve(now time.Time) {
	b.slow.Add(1)
	b.halved = now
}

// count adds an answer to the current second and sums the window.
func (f *flight) count(now time.Time, failed bool) (all, bad int) {
	at := now.Unix()
	slot := &f.ring[at%window]
	if slot.at != at {
		*slot = second{at: at}
	}
	slot.all++
	f.failed++
	if failed {
		slot.failed++
	} else {
		f.failed = 0
	}
	for _, s := range f.ring {
		if at-s.at < window {
			all += s.all
			bad += s.failed
		}
	}
	return all, bad
}

// Watch checks what no answer shows (kill file, stall, deadline, the victims'
// response times) until ctx ends or the brake trips, and waits for what it started.
func (b *Brake) Watch(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var victims sync.WaitGroup
	for _, v := range b.victims {
		victims.Go(func() { b.attend(ctx, v) })
	}
	defer victims.Wait()
	defer stop()
	timer := b.o.Clock.NewTimer(pollEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.tripped:
			return
		case <-timer.C():
		}
		b.look()
		timer.Reset(pollEvery)
	}
}

func (b *Brake) look() {
	killed := false
	if b.o.KillFile != "" {
		_, err := os.Stat(b.o.KillFile)
		killed = err == nil
	}
	now := b.o.Clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case killed:
		b.trip("the kill file " + b.o.KillFile + " exists")
	case !b.o.Deadline.IsZero() && !now.Before(b.o.Deadline):
		b.trip("the deadline of " + b.o.Deadline.Format(time.RFC3339) + " has come")
	}
	for path, f := range b.flights {
		if b.o.Stall > 0 && f.requests > 0 && now.Sub(f.last) >= b.o.Stall {
			b.trip(fmt.Sprintf("no answer came for %s on path %s while %d requests were under way", b.o.Stall, path, f.requests))
		}
	}
}
