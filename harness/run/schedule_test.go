package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

func TestTogetherAndApart(t *testing.T) {
	for _, one := range []struct {
		pair string
		gap  time.Duration
	}{{"together", 0}, {"apart", 5 * time.Millisecond}} {
		t.Run(one.pair, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(getSuite, "scenarios:", "pair: "+one.pair+"\nscenarios:", 1), pairProfile(5), plan.Options{Iterations: 100})
				near, far := newTarget(always(time.Millisecond)), newTarget(always(2*time.Millisecond))
				mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
				first := 0
				l, r := near.requests(), far.requests()
				for i := range l {
					gap := r[i].at - l[i].at
					if gap != one.gap && gap != -one.gap {
						t.Fatalf("arrival %d: %v between the legs, want %v", i, gap, one.gap)
					}
					if gap > 0 {
						first++
					}
					if a, _ := p.Arrival(0, uint64(i)); one.gap > 0 && a.LeftFirst != (gap > 0) {
						t.Fatalf("arrival %d: the left leg first is %v in the plan, %v on the wire", i, a.LeftFirst, gap > 0)
					}
				}
				if one.gap > 0 && first != 50 {
					t.Errorf("the left path went first %d times of 100, want 50", first)
				}
			})
		})
	}
}

func TestAPathThatStandsStillDoesNotHoldUpTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, pairProfile(50), plan.Options{})
		near, far := newTarget(always(time.Millisecond)), newTarget(always(5*time.Second))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if late := *row(t, got, "get", "near").Lag.Max; late > 1 {
			t.Errorf("the fast path was sent up to %v ms late", late)
		}
		if n := row(t, got, "get", "near").Count; n != 1000 {
			t.Errorf("%d requests to the fast path, want 1000", n)
		}
	})
}

func TestAClosedLoadHasItsOwnUsersOnEachPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", "closed: {users: 5, think: 50ms, for: 10s}", 1)
		p := compile(t, suite, pairProfile(20), plan.Options{})
		near, far := newTarget(always(50*time.Millisecond)), newTarget(always(450*time.Millisecond))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		// 5 users for 10 s: one iteration in 100 ms, or in 500 ms.
		if n := len(near.requests()); n != 500 {
			t.Errorf("the fast path got %d requests, want 500", n)
		}
		if n := len(far.requests()); n != 100 {
			t.Errorf("the slow path got %d requests, want 100", n)
		}
		if want := (result.Buckets{Planned: 600, Completed: 600}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
		if got.Comparison.Compared != 100 {
			t.Errorf("%d pairs compared, want the 100 that both users got to", got.Comparison.Compared)
		}
	})
}

func TestAClosedLoadEndsAfterItsIterations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", "closed: {users: 7, iterations: 100}", 1)
		p := compile(t, suite, pairProfile(20), plan.Options{})
		near, far := newTarget(always(50*time.Millisecond)), newTarget(always(20*time.Millisecond))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if want := (result.Buckets{Planned: 200, Completed: 200}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
	})
}

func TestAWarmUpIsSentAndLeftOutOfTheFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "load:\n", "load:\n  - {name: warm-up, constant: {rate: 50/s, for: 2s}, measure: false}\n", 1)
		p := compile(t, suite, pairProfile(20), plan.Options{})
		slowStart := func(_ *wire.Request, at time.Duration) reply {
			if at < 2*time.Second {
				return reply{status: 500, after: 900 * time.Millisecond}
			}
			return reply{status: 200, body: "{}", after: time.Millisecond}
		}
		near, far := newTarget(slowStart), newTarget(slowStart)
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if want := (result.Buckets{Planned: 2200, Completed: 2000, Failed: 200}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
		get := row(t, got, "get", "near")
		if get.Count != 1000 || *get.Response.Max > 2 {
			t.Errorf("%d measured requests, the longest %v ms: the warm-up is among them", get.Count, *get.Response.Max)
		}
		if got.Phases[0].Measured || !got.Phases[1].Measured || got.Phases[1].StartS != 2 || got.Comparison.Pairs != 1000 {
			t.Errorf("phases %+v, %d pairs", got.Phases, got.Comparison.Pairs)
		}
		if r := get.RatePerS; r < 99 || r > 101 {
			t.Errorf("%.1f requests/s over the measured phase, want 100", r)
		}
	})
}

func TestTheCapOfAPathBoundsItsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", "spike: {base: 1/s, peak: 200/s, after: 2s, hold: 1s, for: 10s}", 1)
		p := compile(t, suite, onePath+"limits: {rate: 50/s}\n", plan.Options{})
		s := newTarget(always(time.Millisecond))
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		sent := s.requests()
		for i := range sent {
			if i >= 50 && sent[i].at-sent[i-50].at < time.Second {
				t.Fatalf("51 requests within %v, cap 50/s", sent[i].at-sent[i-50].at)
			}
		}
		if got.Buckets.Completed != got.Buckets.Planned {
			t.Errorf("buckets %+v: a backlog of 3 s is worked off, not dropped", got.Buckets)
		}
		if len(got.Generator.Bent) > 0 {
			t.Errorf("the cap's wait is blamed on the generator: %v", got.Generator.Bent)
		}
	})
}
