// Package clock is the module's only source of time. Everything else is given
// a [Clock], so that a ten-minute run can be tested in microseconds. [System]
// is package time; [Precise] hits a due time more exactly; [Fake] stands still
// until told to move.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits for it.
type Clock interface {
	// Now returns the current time. Times of one clock carry what is needed
	// to subtract them exactly.
	Now() time.Time
	// NewTimer returns a timer that fires once, after d. A d of 0 or less
	// fires at once.
	NewTimer(d time.Duration) Timer
	// SleepUntil returns nil once t has come, at once when it has passed. It
	// returns ctx's error when ctx ends first.
	SleepUntil(ctx context.Context, t time.Time) error
}

// Timer fires once. It behaves as time.Timer does: after Stop or Reset no
// stale value is received.
type Timer interface {
	// C delivers the time at which the timer fired.
	C() <-chan time.Time
	// Stop prevents the firing and reports whether it did.
	Stop() bool
	// Reset makes the timer fire after d and reports whether it was running.
	Reset(d time.Duration) bool
}

// System returns the clock of package time. Inside a testing/synctest bubble
// it follows the bubble's time. On Linux its waits end up to 1.1 ms late in an
// otherwise idle process; [Precise] does better.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

func (system) SleepUntil(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	wait := time.Until(t)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type systemTimer struct{ t *time.Timer }

func (t systemTimer) C() <-chan time.Time        { return t.t.C }
func (t systemTimer) Stop() bool                 { return t.t.Stop() }
func (t systemTimer) Reset(d time.Duration) bool { return t.t.Reset(d) }
