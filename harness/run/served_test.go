package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// One answer in four comes from another side's server, one is a server's error without a
// name, and one is throttled.
func TestAnAnswerOfAnotherServerIsAnOutcomeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		profile := strings.Replace(onePath, `"http://127.0.0.1:9/"}`, `"http://127.0.0.1:9/"}, served_by: {X-FEServer: "ex-"}`, 1)
		p := compile(t, strings.Replace(getSuite, "scenarios:", "pushback: observe\nscenarios:", 1), profile, plan.Options{Iterations: 40})
		asked := 0
		s := newTarget(func(*wire.Request, time.Duration) reply {
			asked++
			switch asked % 4 {
			case 1:
				return reply{status: 200, body: "{}", header: wire.Header{{Name: "x-feserver", Value: "DB7PR04"}}}
			case 2:
				return reply{status: 502}
			case 3:
				return reply{status: 429}
			}
			return reply{status: 200, body: "{}", header: wire.Header{{Name: "X-FEServer", Value: "EX-01"}}}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		want := map[string]uint64{result.OutcomeOK: 10, result.OutcomeWrongPath: 10, result.OutcomeUnexpected: 10, result.OutcomeThrottled: 10}
		get := row(t, got, "get", "only")
		if diff := cmp.Diff(want, get.Outcomes); diff != "" || get.Failed() != 20 {
			t.Errorf("%d failed; outcomes (-want +got)\n%s", get.Failed(), diff)
		}
		if get.GoodPerS <= 0 || get.RatePerS != 4*get.GoodPerS {
			t.Errorf("goodput %v/s of %v/s, want a quarter", get.GoodPerS, get.RatePerS)
		}
		if b := got.Buckets; b.Completed != 10 || b.Failed != 20 || b.Throttled != 10 {
			t.Errorf("%+v", b)
		}
	})
}

// What a phase begins with is slow until it has settled; the figures begin then.
func TestAPhaseIsMeasuredOnceItHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := strings.Replace(getSuite, "for: 10s}", "for: 10s}, settle: 3s", 1)
		p := compile(t, suite, pairProfile(20), plan.Options{})
		slowStart := func(_ *wire.Request, at time.Duration) reply {
			if at < 3*time.Second {
				return reply{status: 200, body: "{}", after: 90 * time.Millisecond}
			}
			return reply{status: 200, body: "{}", after: time.Millisecond}
		}
		near, far := newTarget(slowStart), newTarget(slowStart)
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		get := row(t, got, "get", "near")
		if get.Count != 700 || *get.Response.Max > 2 || got.Buckets.Completed != 2000 {
			t.Errorf("%d measured requests, the longest %v ms, of %+v; want 700 of those behind the third second", get.Count, *get.Response.Max, got.Buckets)
		}
		if r := get.RatePerS; r < 99 || r > 101 || got.Phases[0].SettleS != 3 || got.Comparison.Pairs != 1000 {
			t.Errorf("%.1f requests/s, phase %+v, %d pairs compared; want 100/s, 3 s and all pairs", r, got.Phases[0], got.Comparison.Pairs)
		}
		for _, s := range got.Series {
			if s.Measured != (s.T >= 3) {
				t.Errorf("second %d: measured %v", s.T, s.Measured)
			}
		}
	})
}

// Lag, the wait for the first byte and the rest of the answer add up to the response.
func TestTheResponseTimeIsTakenApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{Iterations: 20})
		s := newTarget(func(*wire.Request, time.Duration) reply {
			return reply{status: 200, body: "{}", connect: 2 * time.Millisecond, after: 8 * time.Millisecond, rest: 5 * time.Millisecond}
		})
		get := row(t, mustRun(t, p, deps(map[string]*target{"only": s})), "get", "only")
		near(t, "lag", get.Lag.Mean, 2)
		near(t, "first byte", get.FirstByte.Mean, 8)
		near(t, "receive", get.Receive.Mean, 5)
		near(t, "response", get.Response.Mean, 15)
	})
}
