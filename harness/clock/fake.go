package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Fake is a clock that moves only when [Fake.Advance] is called. It is safe
// for concurrent use.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	waiting []*fakeTimer // running timers, unordered
	changed chan struct{}
}

// NewFake returns a clock that stands at start.
func NewFake(start time.Time) *Fake {
	return &Fake{now: start, changed: make(chan struct{})}
}

// Now returns the time at which the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d and fires every timer that has become due, each
// with its own due time. It does not wait for whoever receives.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.waiting = slices.DeleteFunc(f.waiting, func(t *fakeTimer) bool {
		if t.due.After(f.now) {
			return false
		}
		t.c <- t.due // empty, since the timer had not fired
		return true
	})
}

// Waiting returns how many timers and sleepers have not fired.
func (f *Fake) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting)
}

// Await returns once at least n timers and sleepers wait, or with ctx's error.
// A test calls it before Advance, to be sure that the goroutine it wants to
// wake has gone to sleep.
func (f *Fake) Await(ctx context.Context, n int) error {
	for {
		f.mu.Lock()
		enough, changed := len(f.waiting) >= n, f.changed
		f.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// NewTimer returns a timer that fires when the clock has been advanced by d.
func (f *Fake) NewTimer(d time.Duration) Timer {
	t := &fakeTimer{clock: f, c: make(chan time.Time, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start(t, d)
	return t
}

// SleepUntil returns once the clock has been advanced to t.
func (f *Fake) SleepUntil(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	if !t.After(f.now) {
		f.mu.Unlock()
		return nil
	}
	timer := &fakeTimer{clock: f, c: make(chan time.Time, 1)}
	f.start(timer, t.Sub(f.now))
	f.mu.Unlock()
	defer timer.Stop()
	select {
	case <-timer.c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start arms t; f.mu is held.
func (f *Fake) start(t *fakeTimer, d time.Duration) {
	t.due = f.now.Add(d)
	if d <= 0 {
		t.c <- f.now
		return
	}
	f.waiting = append(f.waiting, t)
	close(f.changed)
	f.changed = make(chan struct{})
}

// remove reports whether t was waiting; f.mu is held.
func (f *Fake) remove(t *fakeTimer) bool {
	i := slices.Index(f.waiting, t)
	if i < 0 {
		return false
	}
	f.waiting = slices.Delete(f.waiting, i, i+1)
	return true
}

type fakeTimer struct {
	clock *Fake
	c     chan time.Time
	due   time.Time // guarded by clock.mu
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.stop()
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	running := t.stop()
	t.clock.start(t, d)
	return running
}

// stop disarms t and discards an unreceived firing; clock.mu is held.
func (t *fakeTimer) stop() bool {
	running := t.clock.remove(t)
	select {
	case <-t.c:
	default:
	}
	return running
}
