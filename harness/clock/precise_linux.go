package clock

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// exact is how much of a wait is left to the kernel's high-resolution timer.
// The rest is waited for by a runtime timer, which ends up to 1.1 ms late but
// can be cancelled.
const exact = 3 * time.Millisecond

// Precise returns a clock whose SleepUntil ends within about 0.1 ms of the due
// time. It sleeps in the kernel on the calling thread, whose timer slack it
// sets to the smallest value (the default is 50 µs), so GOMAXPROCS should be
// at least 2 and only pacing goroutines should wait on it. The last 3 ms of a
// wait cannot be cancelled. It does not follow the time of a testing/synctest
// bubble.
func Precise() Clock { return precise{} }

type precise struct{ system }

func (precise) SleepUntil(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if time.Until(t) <= 0 {
		return nil
	}
	// Whom the caller has just given work runs now, on this thread: were it left behind
	// here asleep, another thread would have to be woken to fetch it.
	runtime.Gosched()
	wait := time.Until(t)
	if wait <= 0 {
		return nil
	}
	if wait > exact {
		if err := (system{}).SleepUntil(ctx, t.Add(-exact*2/3)); err != nil {
			return err
		}
	}
	nanosleepUntil(t)
	return nil
}

// nanosleepUntil blocks the thread until t. The goroutine stays on its thread
// meanwhile, because the timer slack is the thread's. Signals (the runtime
// sends them to pre-empt) end a nanosleep early, hence the loop.
func nanosleepUntil(t time.Time) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// An error leaves the default slack: less exact, not wrong.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for {
		left := time.Until(t)
		if left <= 0 {
			return
		}
		request := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&request, nil)
	}
}
