package result_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
)

// passing is a result about which nothing is wrong.
func passing() *result.Result {
	return &result.Result{
		Buckets:    result.Buckets{Planned: 10, Completed: 9, Failed: 1},
		Comparison: result.Comparison{Pairs: 5, Compared: 5, Equal: 5},
		Gates:      []result.Outcome{{Gate: "p95 of right < 800ms", Observed: "231ms", Verdict: result.Pass}},
	}
}

func breaks(r *result.Result) {
	r.Findings = append(r.Findings, result.Finding{ID: "page.cap", Class: result.Breaking, Severity: result.Major})
}

func bends(r *result.Result) { r.Generator.Bent = []string{"lag p99 was 210 ms, 50 ms allowed"} }

func gateFails(r *result.Result) {
	r.Gates[0].Verdict, r.Gates[0].Observed = result.Fail, "912ms"
}

func stops(kind result.StopKind, why string) func(*result.Result) {
	return func(r *result.Result) { r.Stop = &result.Stop{Kind: kind, Why: why} }
}

func searches(how string) func(*result.Result) {
	return func(r *result.Result) {
		r.Search = []result.Search{{Path: "cloud", Result: how, Why: "so it was"}}
	}
}

func TestDecide(t *testing.T) {
	type want struct {
		Verdict result.Verdict
		Exit    int
		Reasons []string
	}
	for _, c := range []struct {
		name string
		with []func(*result.Result)
		want want
	}{
		{"without trouble it passes", nil, want{result.Pass, 0, []string{}}},
		{"after a defect of its own it exits 70", []func(*result.Result){stops(result.StopInternal, "a writer vanished"), breaks},
			want{result.Inconclusive, 70, []string{"internal error: a writer vanished", "1 breaking difference at major or worse: page.cap"}}},
		{"when legs are missing from the buckets it exits 70", []func(*result.Result){func(r *result.Result) { r.Buckets.Planned = 11 }},
			want{result.Inconclusive, 70, []string{"internal error: planned 11 legs, but the buckets add up to 10"}}},
		{"interrupted with a breaking difference it exits 130", []func(*result.Result){breaks, stops(result.StopInterrupted, "Ctrl-C after 12 s")},
			want{result.Inconclusive, 130, []string{"interrupted: Ctrl-C after 12 s", "1 breaking difference at major or worse: page.cap"}}},
		{"stopped by a brake it exits 5 and is inconclusive", []func(*result.Result){breaks, stops(result.StopBrake, "error budget spent")},
			want{result.Inconclusive, 5, []string{"stopped by a brake: error budget spent", "1 breaking difference at major or worse: page.cap"}}},
		{"with a breaking difference and a bent ruler it fails by the finding", []func(*result.Result){bends, breaks},
			want{result.Fail, 1, []string{"1 breaking difference at major or worse: page.cap", "the ruler bent: lag p99 was 210 ms, 50 ms allowed"}}},
		{"with a bent ruler and a failed gate it is inconclusive", []func(*result.Result){bends, gateFails},
			want{result.Inconclusive, 6, []string{"the ruler bent: lag p99 was 210 ms, 50 ms allowed", "gate failed: p95 of right < 800ms (observed 912ms)"}}},
		{"when not even the first rate of a search held it fails", []func(*result.Result){searches(result.SearchNothing)},
			want{result.Fail, 1, []string{"search on cloud: so it was"}}},
		{"when a search has no answer it is inconclusive", []func(*result.Result){searches(result.SearchSaturated), gateFails},
			want{result.Inconclusive, 6, []string{"search on cloud: so it was", "gate failed: p95 of right < 800ms (observed 912ms)"}}},
		{"when a search has one it passes", []func(*result.Result){searches(result.SearchFound)}, want{result.Pass, 0, []string{}}},
		{"with a failed gate alone it fails", []func(*result.Result){gateFails},
			want{result.Fail, 1, []string{"gate failed: p95 of right < 800ms (observed 912ms)"}}},
		{"when a gate has no data it is inconclusive", []func(*result.Result){func(r *result.Result) { r.Gates[0].Verdict = result.NoData }},
			want{result.Inconclusive, 6, []string{"gate has no data: p95 of right < 800ms"}}},
		{"when a gate without data may be empty it passes", []func(*result.Result){func(r *result.Result) { r.Gates[0].Verdict, r.Gates[0].MayBeEmpty = result.NoData, true }},
			want{result.Pass, 0, []string{}}},
		{"when no leg came to an end it is inconclusive", []func(*result.Result){func(r *result.Result) { r.Buckets = result.Buckets{Planned: 3, NotStarted: 3} }},
			want{result.Inconclusive, 6, []string{"no data: no leg came to an end"}}},
		{"killed it is inconclusive", []func(*result.Result){stops(result.StopKilled, "its record ends 4 s after the start")},
			want{result.Inconclusive, 6, []string{"the run was killed: its record ends 4 s after the start"}}},
		{"with a breaking difference that is waived it passes", []func(*result.Result){breaks, func(r *result.Result) { r.Findings[0].Waived = true }},
			want{result.Pass, 0, []string{}}},
		{"with a breaking difference below major it passes", []func(*result.Result){breaks, func(r *result.Result) { r.Findings[0].Severity = result.Minor }},
			want{result.Pass, 0, []string{}}},
		{"with a critical difference of representation it passes", []func(*result.Result){breaks, func(r *result.Result) { r.Findings[0].Class, r.Findings[0].Severity = result.Adapter, result.Critical }},
			want{result.Pass, 0, []string{}}},
		{"it names an expired waiver next to what it no longer covers", []func(*result.Result){breaks, func(r *result.Result) {
			r.Waivers = []result.Waiver{{Finding: "page.cap", Owner: "mail team", Expires: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), Expired: true}}
		}}, want{result.Fail, 1, []string{"1 breaking difference at major or worse: page.cap", "the waiver of page.cap by mail team expired on 2026-01-31"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := passing()
			for _, change := range c.with {
				change(r)
			}
			for range 2 { // deciding twice changes nothing
				result.Decide(r)
				if diff := cmp.Diff(c.want, want{r.Verdict, r.ExitCode, r.Reasons}); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestTheImplicitGateStandsAmongTheOthers(t *testing.T) {
	for _, c := range []struct {
		name string
		r    func() *result.Result
		want []result.Outcome
	}{
		{"it passes when nothing breaks", passing, []result.Outcome{{Gate: result.ImplicitGate, Observed: "0", Verdict: result.Pass, Measure: result.MeasureCount, Implicit: true}}},
		{"it fails with the number of breaking differences", func() *result.Result { r := passing(); breaks(r); breaks(r); return r },
			[]result.Outcome{{Gate: result.ImplicitGate, Observed: "2", Verdict: result.Fail, Measure: result.MeasureCount, Implicit: true}}},
		{"it says so when pairs existed and none was compared", func() *result.Result { r := passing(); r.Comparison.Compared = 0; return r },
			[]result.Outcome{{Gate: result.ImplicitGate, Verdict: result.NoData, Measure: result.MeasureCount, Implicit: true, MayBeEmpty: true, Note: "no pair was compared"}}},
		{"it is absent when one path was asked alone", func() *result.Result { r := passing(); r.Comparison = result.Comparison{}; return r }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.r()
			result.Decide(r)
			result.Decide(r)
			if diff := cmp.Diff(c.want, r.Gates[1:], cmp.Transformer("empty", func(o []result.Outcome) []result.Outcome {
				if len(o) == 0 {
					return nil
				}
				return o
			})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReasonsNameAtMostFiveRules(t *testing.T) {
	r := passing()
	for _, id := range []string{"a", "b", "a", "c", "d", "e", "f", "g"} {
		r.Findings = append(r.Findings, result.Finding{ID: id, Class: result.Breaking, Severity: result.Critical})
	}
	result.Decide(r)
	want := "8 breaking differences at major or worse: a, b, c, d, e and 2 more"
	if r.Reasons[0] != want {
		t.Errorf("got  %q\nwant %q", r.Reasons[0], want)
	}
}

func TestEveryBucketCounts(t *testing.T) {
	b := result.Buckets{Planned: 28, Completed: 1, Failed: 2, Throttled: 3, Dropped: 4, Interrupted: 5, NotStarted: 6, Unknown: 7}
	if err := b.Check(); err != nil {
		t.Errorf("28 = 1+…+7: %v", err)
	}
	if got, want := b.Add(b), (result.Buckets{Planned: 56, Completed: 2, Failed: 4, Throttled: 6, Dropped: 8, Interrupted: 10, NotStarted: 12, Unknown: 14}); got != want {
		t.Errorf("twice %+v is %+v", b, got)
	}
	tr := result.Traffic{Steps: 1, Retries: 2, Pages: 3, Polls: 4, Probes: 5, Fixtures: 6, Tokens: 7}
	if tr.Sum() != 28 {
		t.Errorf("sum of traffic is %d, want 28", tr.Sum())
	}
}
