package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/guard"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

func TestWhyARunWasStoppedIsTold(t *testing.T) {
	for _, row := range []struct {
		it    string
		cause error
		want  result.Stop
		exit  int
	}{
		{"says that it was interrupted", nil, result.Stop{Kind: result.StopInterrupted, Why: "the run was asked to stop"}, 130},
		{"repeats the cause", errors.New("Ctrl-C"), result.Stop{Kind: result.StopInterrupted, Why: "Ctrl-C"}, 130},
		{"tells a brake from an interrupt", &guard.Refusal{Rule: "brake", What: "9 of 10 answers were errors"},
			result.Stop{Kind: result.StopBrake, Why: "9 of 10 answers were errors"}, 5},
	} {
		t.Run(row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, chainSuite, onePath, plan.Options{})
				s := newTarget(func(*wire.Request, time.Duration) reply { return reply{status: 200, body: `{"value":[{"id":"A"}]}`} })
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					time.Sleep(450 * time.Millisecond) // legs 3 and 4 are thinking
					cancel(row.cause)
				}()
				got, err := run.Run(ctx, p, deps(map[string]*target{"only": s}))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&row.want, got.Stop); diff != "" || got.ExitCode != row.exit {
					t.Errorf("exit %d, stop (-want +got)\n%s", got.ExitCode, diff)
				}
				if want := (result.Buckets{Planned: 10, Completed: 3, Interrupted: 2, NotStarted: 5}); got.Buckets != want {
					t.Errorf("buckets %+v, want %+v", got.Buckets, want)
				}
			})
		})
	}
}

func TestWhatStillWaitsWhenARunIsInterruptedHasNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath+"limits: {connections: 2}\n", plan.Options{})
		s := newTarget(always(time.Second))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(3500 * time.Millisecond)
			cancel()
		}()
		got, err := run.Run(ctx, p, deps(map[string]*target{"only": s}))
		if err != nil {
			t.Fatal(err)
		}
		if want := (result.Buckets{Planned: 1000, Completed: 8, NotStarted: 992}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
	})
}

// Nobody leaves the lane for a minute; what waits in it is dropped all the same.
func TestALegIsDroppedWhenItsTimeIsUpAndNotWhenItsTurnComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath+"limits: {connections: 1}\n", plan.Options{})
		s := newTarget(always(time.Minute))
		d := deps(map[string]*target{"only": s})
		log := &diary{}
		d.Observer = log
		got := mustRun(t, p, d)
		if want := (result.Buckets{Planned: 1000, Completed: 1, Dropped: 999}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
		if n := log.states[34].Buckets.Dropped; n < 400 || n > 510 {
			t.Errorf("after 35 s %d legs were dropped, want about 500", n)
		}
	})
}

func TestInterruptingAClosedLoadEndsItsUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", "closed: {users: 30, iterations: 1000}", 1)
		p := compile(t, suite, pairProfile(3), plan.Options{})
		near, far := newTarget(always(100*time.Millisecond)), newTarget(always(time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(2050 * time.Millisecond)
			cancel()
		}()
		got, err := run.Run(ctx, p, deps(map[string]*target{"near": near, "far": far}))
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Buckets.Check(); err != nil {
			t.Error(err)
		}
		b := got.Buckets
		// 3 mailboxes × 4 at a time: 12 in 100 ms on one path, 12 for ever on the other.
		if b.Planned != 2000 || b.Completed != 252 || b.Interrupted != 12 || b.NotStarted != 2000-252-12 {
			t.Errorf("buckets %+v", b)
		}
	})
}
