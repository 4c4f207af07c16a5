package run_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

const searchSuite = `
suite: limit
scenarios:
  - name: page
    steps:
      - name: get
        get: /item
load:
  - {name: limit, search: {start: 20/s, max: 1000/s, each: 20s, drain: 2s, precision: 2%, confirm: 2}}
gates:
  - p95 of each path < 200ms
  - failed on each path < 1%
`

// limited serves so many requests a second, one after the other.
func limited(perSecond float64) func(*wire.Request, time.Duration) reply {
	var mu sync.Mutex
	free := time.Duration(0)
	return func(_ *wire.Request, at time.Duration) reply {
		mu.Lock()
		defer mu.Unlock()
		free = max(free, at) + time.Duration(float64(time.Second)/perSecond)
		return reply{status: 200, body: `{}`, after: free - at}
	}
}

func TestASearchFindsTheLimitOfEachPath(t *testing.T) {
	for _, limit := range []struct{ near, far float64 }{{90, 137}, {320, 33}} {
		synctest.Test(t, func(t *testing.T) {
			p := compile(t, searchSuite, pairProfile(200), plan.Options{})
			near, far := newTarget(limited(limit.near)), newTarget(limited(limit.far))
			got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
			if len(got.Search) != 2 || got.Verdict != result.Pass {
				t.Fatalf("%d searches, verdict %s (%v)", len(got.Search), got.Verdict, got.Reasons)
			}
			for i, want := range []float64{limit.near, limit.far} {
				s := got.Search[i]
				if s.Result != result.SearchFound || s.HeldPS < 0.95*want || s.HeldPS > 1.05*want || s.FailedPS < s.HeldPS || s.FailedPS > 1.05*want || s.Confirmed != 2 {
					t.Errorf("%s: %s, %.1f to %.1f, confirmed %d times, %s; the limit is %v", s.Path, s.Result, s.HeldPS, s.FailedPS, s.Confirmed, s.Why, want)
				}
				if !strings.HasPrefix(s.Limiting, "p95 of each path < 200ms (observed ") {
					t.Errorf("%s is limited by %q", s.Path, s.Limiting)
				}
				asked := row(t, got, "get", s.Path)
				if asked.RatePerS < 0.98*s.HeldPS || asked.RatePerS > 1.02*s.HeldPS {
					t.Errorf("%s: the steps speak of %.1f/s, the answer is %.1f/s", s.Path, asked.RatePerS, s.HeldPS)
				}
			}
			searchesOneAfterTheOther(t, near, far, got)
		})
	}
}

// searchesOneAfterTheOther checks that no trial began before the one before was over.
func searchesOneAfterTheOther(t *testing.T, near, far *target, got *result.Result) {
	t.Helper()
	l, r := near.requests(), far.requests()
	if last, first := l[len(l)-1].at, r[0].at; last > first {
		t.Errorf("the second path is asked from %v on, the first one until %v", first, last)
	}
	var sent uint64
	for _, s := range got.Search {
		for i, trial := range s.Trials {
			sent += trial.Legs.Sum()
			if i > 0 && trial.StartS < s.Trials[i-1].StartS+22 {
				t.Errorf("trial %d starts at %v s, the one before at %v s: 20 s and a drain of 2 s lie between", i, trial.StartS, s.Trials[i-1].StartS)
			}
			if trial.Verdict == result.TrialHeld && (trial.GotPS < 0.99*trial.AskedPS || len(trial.Gates) != 2) {
				t.Errorf("trial %d got %v of %v, %d gates", i, trial.GotPS, trial.AskedPS, len(trial.Gates))
			}
		}
	}
	if sent != uint64(len(l)+len(r)) || got.Buckets.Sum() != sent {
		t.Errorf("the trials count %d legs, the buckets %d, the targets %d", sent, got.Buckets.Sum(), len(l)+len(r))
	}
}

// late is a pacer that oversleeps.
type late struct{ clock.Clock }

func (l late) SleepUntil(ctx context.Context, t time.Time) error {
	if t.After(l.Now()) {
		t = t.Add(400 * time.Millisecond)
	}
	return l.Clock.SleepUntil(ctx, t)
}

func TestASearchThatFindsNothingSaysWhy(t *testing.T) {
	for _, row := range []struct {
		it     string
		edit   func(string) string
		answer func(*wire.Request, time.Duration) reply
		pacer  bool
		stop   time.Duration
		want   result.Search
		exit   int
		reason string
	}{
		{"fails when not even the first rate holds", nil, limited(5), false, 0,
			result.Search{Result: result.SearchNothing, FailedPS: 20}, 1, "search on only: not even 20/s held: p95 of each path < 200ms"},
		{"fails when nothing is answered", nil, func(*wire.Request, time.Duration) reply { return reply{failure: wire.Reset} }, false, 0,
			result.Search{Result: result.SearchNothing, FailedPS: 20}, 6, "no leg completed: 400 failed, 0 throttled, 0 dropped"},
		{"says that even the highest rate held", func(s string) string { return strings.Replace(s, "1000/s", "40/s", 1) }, always(time.Millisecond), false, 0,
			result.Search{Result: result.SearchFound, HeldPS: 40, Confirmed: 2}, 0, ""},
		{"cannot tell from too few samples", func(s string) string {
			return strings.Replace(s, "p95 of each path < 200ms", "p99.9 of each path < 1s", 1)
		}, always(0), false, 0,
			result.Search{Result: result.SearchUnjudged}, 6, "search on only: at 20/s p99.9 of each path < 1s has no data"},
		{"cannot tell when the generator gives out first", nil, always(time.Millisecond), true, 0,
			result.Search{Result: result.SearchSaturated}, 6, "search on only: the generator gave out at 20/s before the target did"},
		{"is over when the run is", nil, always(time.Millisecond), false, 50 * time.Second,
			result.Search{Result: result.SearchStopped, HeldPS: 40}, 130, "interrupted: the run was asked to stop"},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				suite := searchSuite
				if row.edit != nil {
					suite = row.edit(suite)
				}
				p := compile(t, suite, onePath, plan.Options{})
				s := newTarget(row.answer)
				d := deps(map[string]*target{"only": s})
				if row.pacer {
					d.Pacer = late{s.clock}
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.stop > 0 {
					defer time.AfterFunc(row.stop, cancel).Stop()
				}
				got, err := run.Run(ctx, p, d)
				if err != nil {
					t.Fatal(err)
				}
				f := got.Search[0]
				seen := result.Search{Result: f.Result, HeldPS: f.HeldPS, FailedPS: f.FailedPS, Confirmed: f.Confirmed}
				if diff := cmp.Diff(row.want, seen); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				told := slices.ContainsFunc(got.Reasons, func(reason string) bool { return strings.HasPrefix(reason, row.reason) })
				if got.ExitCode != row.exit || row.reason != "" && !told {
					t.Errorf("exit %d, %q; want %d, %q", got.ExitCode, got.Reasons, row.exit, row.reason)
				}
				if err := got.Buckets.Check(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
