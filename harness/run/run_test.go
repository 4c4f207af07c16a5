package run_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

const getSuite = `
suite: plain-get
scenarios:
  - name: page
    steps:
      - name: get
        get: /item
load:
  - {name: steady, constant: {rate: 100/s, for: 10s}}
`

func row(t *testing.T, r *result.Result, step, path string) result.StepStats {
	t.Helper()
	for _, s := range r.Steps {
		if s.Step == step && s.Path == path {
			return s
		}
	}
	t.Fatalf("the result has no row %s on %s; rows: %+v", step, path, r.Steps)
	return result.StepStats{}
}

// A server that stands still for a second makes every request late that was due
// in it: the one that was due at its beginning by a second, the last one not at all.
func TestAStallOfASecondMakesAHundredSamplesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{})
		s := newTarget(func(_ *wire.Request, at time.Duration) reply {
			wait := time.Millisecond
			if at >= 4*time.Second && at < 5*time.Second {
				wait += 5*time.Second - at
			}
			return reply{status: 200, body: "{}", after: wait}
		})
		got, err := run.Run(t.Context(), p, deps(map[string]*target{"only": s}))
		if err != nil {
			t.Fatal(err)
		}
		get := row(t, got, "get", "only")
		if get.Count != 1000 || got.Buckets.Completed != 1000 {
			t.Fatalf("%d requests, buckets %+v; want 1000 completed", get.Count, got.Buckets)
		}
		late := get.Histogram.Count() - get.Histogram.CountBelow(5*time.Millisecond)
		if late < 98 || late > 103 {
			t.Errorf("%d samples above 5 ms, want about 100", late)
		}
		// 100 of 1,000 samples wait 10, 20 … 1,000 ms: rank 990 is the 10th from the top.
		near(t, "p99", get.Response.P99, 901)
		near(t, "p99.9", get.Response.P999, 991)
		near(t, "max", get.Response.Max, 1001)
		near(t, "p50", get.Response.P50, 1)
	})
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 0.02*want+0.05 {
		value := math.NaN()
		if got != nil {
			value = *got
		}
		t.Errorf("%s = %v ms, want %v within 2 %%", what, value, want)
	}
}

func TestTheSameHoldsBehindACapOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath+"limits: {connections: 5}\n", plan.Options{})
		s := newTarget(func(_ *wire.Request, at time.Duration) reply {
			wait := time.Millisecond
			if at >= 4*time.Second && at < 5*time.Second {
				wait += 5*time.Second - at
			}
			return reply{status: 200, body: "{}", after: wait}
		})
		got, err := run.Run(t.Context(), p, deps(map[string]*target{"only": s}))
		if err != nil {
			t.Fatal(err)
		}
		get := row(t, got, "get", "only")
		if s.mostOpen[""] != 5 {
			t.Errorf("%d requests in flight at most, want 5", s.mostOpen[""])
		}
		near(t, "p99 of response", get.Response.P99, 903) // the queue of 95 drains at 5 a millisecond
		if get.CapWait.Max == nil || *get.CapWait.Max < 900 {
			t.Errorf("the longest wait for the cap is %v, want about 950 ms", get.CapWait.Max)
		}
		if *get.Service.P99 > 1001 || *get.Service.P95 > 2 {
			t.Errorf("service times %v, %v: only five requests met the stall", *get.Service.P95, *get.Service.P99)
		}
		if len(got.Generator.Bent) > 0 {
			t.Errorf("the generator is blamed for a mailbox's cap: %v", got.Generator.Bent)
		}
	})
}

func TestEveryPlannedLegEndsInOneBucket(t *testing.T) {
	for _, row := range []struct {
		it     string
		answer func(*wire.Request, time.Duration) reply
		stop   time.Duration
		grace  time.Duration
		want   result.Buckets
		exit   int
	}{
		{"completes what is answered", always(time.Millisecond), 0, 0, result.Buckets{Planned: 1000, Completed: 1000}, 0},
		{"fails what breaks", func(*wire.Request, time.Duration) reply { return reply{failure: wire.Reset} }, 0, 0,
			result.Buckets{Planned: 1000, Failed: 1000}, 0},
		{"counts what is pushed back for too long apart", func(*wire.Request, time.Duration) reply { return reply{status: 429} }, 0, 0,
			result.Buckets{}, 0},
		{"drops what waited longer than 30 s", always(time.Minute), 0, 0, result.Buckets{}, 0},
		{"lets requests in flight end when it is interrupted", always(500 * time.Millisecond), 3 * time.Second, 0,
			result.Buckets{Planned: 1000, Completed: 300, NotStarted: 700}, 130},
		{"gives up on requests that outlast the grace", always(10 * time.Second), 3 * time.Second, time.Second,
			result.Buckets{Planned: 1000, Interrupted: 300, NotStarted: 700}, 130},
	} {
		t.Run(row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, getSuite, onePath, plan.Options{})
				s := newTarget(row.answer)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.stop > 0 {
					go func() {
						time.Sleep(row.stop - time.Millisecond)
						cancel()
					}()
				}
				d := deps(map[string]*target{"only": s})
				d.Grace = row.grace
				got, err := run.Run(ctx, p, d)
				if err != nil {
					t.Fatal(err)
				}
				if err := got.Buckets.Check(); err != nil {
					t.Error(err)
				}
				if row.want.Planned > 0 && got.Buckets != row.want {
					t.Errorf("buckets %+v, want %+v", got.Buckets, row.want)
				}
				if row.exit != 0 && got.ExitCode != row.exit {
					t.Errorf("exit %d (%v), want %d", got.ExitCode, got.Reasons, row.exit)
				}
				if sum := got.Traffic["only"].Sum(); sum != uint64(len(s.requests())) {
					t.Errorf("traffic %d, the target saw %d", sum, len(s.requests()))
				}
				t.Logf("%+v %v %v", got.Buckets, got.DropReasons, got.Reasons)
			})
		})
	}
}
