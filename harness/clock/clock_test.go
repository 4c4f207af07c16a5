package clock_test

import (
	"context"
	"errors"
	"slices"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/clock"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func TestSystemFollowsABubblesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.System()
		began := c.Now()
		if err := c.SleepUntil(t.Context(), began.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := c.Now().Sub(began); got != time.Hour {
			t.Errorf("slept %v, want 1h", got)
		}
		timer := c.NewTimer(time.Minute)
		if !timer.Reset(2 * time.Minute) {
			t.Error("a running timer says that it is not")
		}
		<-timer.C()
		if got := c.Now().Sub(began); got != time.Hour+2*time.Minute {
			t.Errorf("the timer fired after %v, want 1h2m", got)
		}
		if timer.Stop() {
			t.Error("a fired timer says that it runs")
		}
	})
}

func TestSleepUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := clock.NewFake(start)
		for name, c := range map[string]clock.Clock{"system": clock.System(), "fake": fake} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := c.SleepUntil(ctx, c.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, want the context's error", name, err)
			}
			if err := c.SleepUntil(ctx, c.Now()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: with an ended context got %v, want its error", name, err)
			}
			cancel()
		}
		if n := fake.Waiting(); n != 0 {
			t.Errorf("%d sleepers are left behind", n)
		}
	})
}

func TestAMomentThatHasPassedIsNotWaitedFor(t *testing.T) {
	for name, c := range map[string]clock.Clock{"system": clock.System(), "precise": clock.Precise(), "fake": clock.NewFake(start)} {
		if err := c.SleepUntil(context.Background(), c.Now().Add(-time.Second)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFakeFiresWhatHasBecomeDue(t *testing.T) {
	c := clock.NewFake(start)
	late, soon, never := c.NewTimer(3*time.Second), c.NewTimer(time.Second), c.NewTimer(time.Hour)
	c.Advance(10 * time.Second)
	got := []time.Duration{(<-soon.C()).Sub(start), (<-late.C()).Sub(start), c.Now().Sub(start)}
	if want := []time.Duration{time.Second, 3 * time.Second, 10 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("fired and stands at %v, want %v", got, want)
	}
	if !never.Stop() || c.Waiting() != 0 {
		t.Error("the last timer did not run any more, or was left behind")
	}
	if soon.Reset(-1); (<-soon.C()).Sub(start) != 10*time.Second {
		t.Error("a timer of no time did not fire at once")
	}
}

func TestAFakeTimerForgetsItsFiringWhenStopped(t *testing.T) {
	c := clock.NewFake(start)
	timer := c.NewTimer(time.Second)
	c.Advance(time.Minute)
	if timer.Stop() {
		t.Error("a fired timer says that it runs")
	}
	select {
	case at := <-timer.C():
		t.Errorf("a stale firing of %v was received", at)
	default:
	}
}

func TestFakeWakesASleeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewFake(start)
		var wg sync.WaitGroup
		var woke time.Time
		wg.Go(func() {
			if err := c.SleepUntil(t.Context(), start.Add(time.Minute)); err != nil {
				t.Error(err)
			}
			woke = c.Now()
		})
		if err := c.Await(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
		wg.Wait()
		if !woke.Equal(start.Add(time.Minute)) {
			t.Errorf("woke at %v", woke)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Await(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("awaiting with an ended context: %v", err)
		}
	})
}

func TestPreciseSleepsUntilTheMomentAndNotBefore(t *testing.T) {
	c := clock.Precise()
	for _, d := range []time.Duration{50 * time.Microsecond, 700 * time.Microsecond, 5 * time.Millisecond} {
		due := c.Now().Add(d)
		if err := c.SleepUntil(context.Background(), due); err != nil {
			t.Fatal(err)
		}
		if early := due.Sub(c.Now()); early > 0 {
			t.Errorf("woke %v before its time", early)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if err := c.SleepUntil(ctx, c.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past its deadline: got %v", err)
	}
	if err := c.SleepUntil(ctx, c.Now()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with an ended context: got %v", err)
	}
}

// BenchmarkLateness paces a schedule t0 + n/rate and reports by how much its
// waits end late.
func BenchmarkLateness(b *testing.B) {
	for _, row := range []struct {
		name  string
		clock clock.Clock
		rate  int
	}{
		{"precise/2000", clock.Precise(), 2000}, {"precise/10000", clock.Precise(), 10_000},
		{"system/2000", clock.System(), 2000}, {"system/10000", clock.System(), 10_000},
	} {
		b.Run(row.name, func(b *testing.B) {
			late := make([]time.Duration, 0, b.N)
			t0 := row.clock.Now()
			for n := range b.N {
				due := t0.Add(time.Duration(n) * time.Second / time.Duration(row.rate))
				if err := row.clock.SleepUntil(context.Background(), due); err != nil {
					b.Fatal(err)
				}
				late = append(late, row.clock.Now().Sub(due))
			}
			sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
			b.ReportMetric(float64(late[len(late)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(late[len(late)-1].Microseconds()), "max-µs")
		})
	}
}
