package run_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// A server that answers from a stale copy as soon as it is asked more than so often in a second differs
// under pressure alone, and the result says from which offered rate on.
func TestADifferenceThatOnlyPressureBringsOutIsSeenByItsRate(t *testing.T) {
	const suite = `
suite: pressure
scenarios:
  - name: inbox
    steps: [{name: list, get: /items}]
load:
  - {name: calm, constant: {rate: 10/s, for: 10s}}
  - {name: busy, constant: {rate: 40/s, for: 5s}}
`
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, suite, pairProfile(5), plan.Options{})
		near := newTarget(func(*wire.Request, time.Duration) reply { return reply{status: 200, body: `{"name":"fresh"}`} })
		var mu sync.Mutex
		var recent []time.Duration
		far := newTarget(func(_ *wire.Request, at time.Duration) reply {
			mu.Lock()
			defer mu.Unlock()
			recent = append(recent, at)
			for len(recent) > 0 && recent[0] <= at-time.Second {
				recent = recent[1:]
			}
			if len(recent) > 20 {
				return reply{status: 200, body: `{"name":"stale"}`}
			}
			return reply{status: 200, body: `{"name":"fresh"}`}
		})
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		want := []result.LoadBand{
			{From: 10, To: 10, Pairs: 100, ShareHigh: 0.037},
			{From: 40, To: 40, Pairs: 200, Different: 186, Share: 0.93, ShareLow: 0.886, ShareHigh: 0.958},
		}
		if diff := cmp.Diff(want, got.Comparison.ByLoad, cmpopts.EquateApprox(0, 0.001)); diff != "" {
			t.Errorf("bands (-want +got)\n%s", diff)
		}
		if len(got.Findings) != 1 {
			t.Fatalf("findings %+v", got.Findings)
		}
		f := got.Findings[0]
		if f.Pressure != "only from 40/s on: in 186 of 200 pairs there, in none of 100 below" {
			t.Errorf("it says %q", f.Pressure)
		}
		if e := f.Evidence; e == nil || e.Resent != result.NotResent || e.Because != "it shows only under load" {
			t.Errorf("evidence %+v", e)
		}
	})
}

func TestADifferenceAtEveryRateIsNotBlamedOnPressure(t *testing.T) {
	const suite = `
suite: pressure
scenarios:
  - name: inbox
    steps: [{name: list, get: /items}]
load: [{name: ramp, ramp: {from: 5/s, to: 40/s, over: 10s}}]
`
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, suite, pairProfile(5), plan.Options{})
		answer := func(name string) func(*wire.Request, time.Duration) reply {
			return func(*wire.Request, time.Duration) reply {
				return reply{status: 200, body: fmt.Sprintf(`{"name":%q}`, name)}
			}
		}
		near, far := newTarget(answer("a")), newTarget(answer("b"))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		var bands []string
		pairs := uint64(0)
		for _, b := range got.Comparison.ByLoad {
			bands = append(bands, fmt.Sprintf("%.0f–%.0f: %.0f%%", b.From, b.To, 100*b.Share))
			pairs += b.Pairs
		}
		if want := "5–5: 100%, 6–8: 100%, 8–11: 100%, 11–16: 100%, 16–23: 100%, 23–32: 100%, 32–40: 100%"; strings.Join(bands, ", ") != want || pairs != got.Comparison.Compared {
			t.Errorf("bands %v of %d pairs, want %s", bands, pairs, want)
		}
		if f := got.Findings[0]; f.Pressure != "" {
			t.Errorf("it says %q", f.Pressure)
		}
	})
}
