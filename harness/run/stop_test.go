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
	"cutover/suites/strictyaml"
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

// When the brake trips, the door refuses what the legs under way still want to ask.
// That is the run's doing and not the target's.
func TestLegsThatABrakeCutShortAreInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "        get: /item\n", "        get: /item\n      - {name: again, get: /item}\n", 1)
		p := compile(t, suite, onePath, plan.Options{})
		cause := &guard.Refusal{Rule: guard.RuleBrake, What: "too many errors"}
		ctx, cancel := context.WithCancelCause(t.Context())
		s := newTarget(func(_ *wire.Request, at time.Duration) reply {
			if at >= 3*time.Second {
				cancel(cause)
				return reply{failure: wire.Refused, err: cause}
			}
			return reply{status: 200, body: "{}", after: 500 * time.Millisecond}
		})
		got, err := run.Run(ctx, p, deps(map[string]*target{"only": s}))
		if err != nil {
			t.Fatal(err)
		}
		// 100 a second: those of the first 2 s are through, those of the third are at
		// their second step when the brake trips, and the one that tripped it has begun.
		b := got.Buckets
		if b.Failed != 0 || b.Completed < 200 || b.Interrupted < 50 || b.Interrupted > 101 || b.Sum() != 1000 || got.ExitCode != 5 {
			t.Errorf("buckets %+v, exit %d", b, got.ExitCode)
		}
		if len(got.Faults) > 0 {
			t.Errorf("faults %+v", got.Faults)
		}
		if ph := got.Phases[0]; ph.RanMS < 2990 || ph.RanMS > 3010 || ph.AskedPS < 99 || ph.AskedPS > 101 || ph.GotPS < 99 || ph.GotPS > 101 {
			t.Errorf("the phase ran %v ms, asked %v/s, got %v/s; want 3000, 100, 100", ph.RanMS, ph.AskedPS, ph.GotPS)
		}
	})
}

func TestARunOfAFewIterationsEndsWithTheLastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{Iterations: 5})
		got := mustRun(t, p, deps(map[string]*target{"only": newTarget(always(time.Millisecond))}))
		if took := got.Ended.Sub(got.Started); took > 51*time.Millisecond || got.Buckets.Completed != 5 || got.Phases[0].AskedPS != 100 {
			t.Errorf("5 iterations at 100/s took %v, %+v, asked %v/s", took, got.Buckets, got.Phases[0].AskedPS)
		}
	})
}

func TestAGateThatAbortsEndsTheRun(t *testing.T) {
	for _, row := range []struct {
		it, gate string
		want     *result.Stop
		started  uint64 // legs
	}{
		{"ends it at the first second past its delay", "p95 of only < 300ms abort after 3s",
			&result.Stop{Kind: result.StopGate, Why: "p95 of only < 300ms abort after 3s: observed 400ms after 3s of measuring"}, 30},
		{"lets it go on while it holds", "p95 of only < 500ms abort after 3s", nil, 100},
		{"lets it go on when it only judges the end", "p95 of only < 300ms", nil, 100},
	} {
		t.Run(row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, getSuite, onePath, plan.Options{Gates: []string{row.gate}, Rate: strictyaml.Rate{PerSecond: 10}, Duration: 10 * time.Second})
				got := mustRun(t, p, deps(map[string]*target{"only": newTarget(always(400 * time.Millisecond))}))
				if diff := cmp.Diff(row.want, got.Stop); diff != "" {
					t.Errorf("stop (-want +got)\n%s", diff)
				}
				if n := got.Buckets.Planned - got.Buckets.NotStarted; n < row.started || n > row.started+2 || got.Buckets.Check() != nil {
					t.Errorf("%d legs started, want about %d: %+v", n, row.started, got.Buckets)
				}
				if last := got.Gates[len(got.Gates)-1]; row.want != nil && (last.Verdict != result.Fail || got.ExitCode != 1 || got.Verdict != result.Fail) {
					t.Errorf("%+v, exit code %d, %s: %q", last, got.ExitCode, got.Verdict, got.Reasons)
				}
			})
		})
	}
}
