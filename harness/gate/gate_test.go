package gate_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/gate"
	"cutover/harness/hist"
	"cutover/harness/result"
	"cutover/suites"
)

// times is a histogram with one sample at each millisecond from 1 to n, shifted.
func times(n int, shift time.Duration) *hist.Histogram {
	h := new(hist.Histogram)
	for i := range n {
		h.Record(time.Duration(i+1)*time.Millisecond + shift)
	}
	return h
}

// row is a step of 200 requests: 190 ok, 4 failed, 6 throttled.
func row(scenario, step, path, side string, shift time.Duration) result.StepStats {
	return result.StepStats{
		Scenario: scenario, Step: step, Path: path, Side: side, Count: 200, RatePerS: 20, Tags: []string{scenario + "-tag"},
		Outcomes:  map[string]uint64{"ok": 190, "timeout": 3, "unexpected": 1, "throttled": 6},
		Histogram: times(200, shift), ServiceH: times(100, shift),
	}
}

func sample() *result.Result {
	r := &result.Result{
		Paths: []result.PathInfo{{Name: "onprem", Side: "left"}, {Name: "cloud", Side: "right"}},
		Steps: []result.StepStats{
			row("inbox", "list", "onprem", "left", 0), row("inbox", "list", "cloud", "right", 100*time.Millisecond),
			row("inbox", "*", "onprem", "left", time.Second), row("inbox", "*", "cloud", "right", 2*time.Second),
			row("week", "view", "onprem", "left", 0), row("week", "view", "cloud", "right", 300*time.Millisecond),
		},
		Buckets:    result.Buckets{Planned: 1000, Completed: 990, Dropped: 10},
		Comparison: result.Comparison{Pairs: 10, Compared: 10},
		Findings: []result.Finding{
			{ID: "a", Scenario: "inbox", Step: "list", Class: result.Breaking, Severity: result.Critical},
			{ID: "b", Scenario: "inbox", Step: "list", Class: result.Breaking, Severity: result.Minor},
			{ID: "c", Scenario: "week", Step: "view", Class: result.Breaking, Severity: result.Major, Waived: true},
			{ID: "d", Scenario: "week", Step: "view", Class: result.Adapter, Severity: result.Major},
		},
	}
	few := row("rare", "read", "cloud", "right", 0)
	few.RatePerS = 0
	few.Histogram, few.Outcomes = times(10, 0), map[string]uint64{"ok": 10}
	r.Steps = append(r.Steps, few)
	for t := range 10 {
		shift := time.Duration(0)
		switch {
		case t == 0: // warming up
			shift = 9 * time.Second
		case t >= 6:
			shift = 500 * time.Millisecond
		}
		point := result.SeriesPoint{Scenario: "inbox", Step: "list", Path: "cloud", Count: 20, Errors: uint64(t / 9), Histogram: hist.Pack(times(20, shift))}
		r.Series = append(r.Series, result.Second{T: t, Measured: t > 0, Series: []result.SeriesPoint{point}})
	}
	return r
}

func TestGatesAreJudged(t *testing.T) {
	for _, one := range []struct{ gate, verdict string }{
		{"max of right < 800ms", "pass"},
		{"p50 of left < 101ms", "pass"},
		{"min of cloud for inbox/list >= 100ms", "pass"},
		{"p95 of right < 400ms", "fail"},
		{"p95 of right for inbox < 400ms", "pass"},
		{"p95 of inbox of right < 400ms", "pass"},
		{"p95 of inbox/list of right < 400ms", "pass"},
		{"p95 of right < 400ms for inbox/list", "pass"},
		{"p95 of right for inbox-tag < 400ms", "pass"},
		{"p95 of right for view < 400ms", "fail"},
		{"max of right for inbox/* >= 2s", "pass"},
		{"max of right for * >= 2s", "pass"},
		{"max of right on service time < 401ms", "pass"},
		{"max of right < 401ms on service time", "pass"},
		{"mean of left <= 100.6ms", "pass"},
		{"p99 of each path < 300ms", "fail"},
		{"p99 of any path < 300ms", "pass"},
		{"p99 < 300ms", "fail"},
		{"max of right - max of left < 400ms", "pass"},
		{"max of right - max of left < 300ms", "fail"},
		{"max of right for inbox - max of left for inbox <= 100ms", "pass"},
		{"max of right - max of left <= 100ms for inbox", "pass"},
		{"max of right / max of left <= 2.5", "pass"},
		{"max of right / max of left < 2.4", "fail"},
		{"min of left for inbox - min of right for inbox < -50ms", "pass"},
		{"failed on each path < 2.1%", "pass"},
		{"failed on each path < 2%", "fail"},
		{"failed on right for inbox/list <= 4", "pass"},
		{"throttled on right = 0", "fail"},
		{"throttled on right <= 3%", "pass"},
		{"completed on each path >= 95%", "pass"},
		{"failed on right - failed on left <= 0", "pass"},
		{"dropped <= 1%", "pass"},
		{"dropped < 10", "fail"},
		{"rate of right >= 40/s", "pass"},
		{"rate of right >= 2500/m", "fail"},
		{"differences = 0", "fail"},
		{"differences at major or worse <= 1", "pass"},
		{"differences at minor = 1", "pass"},
		{"differences at info or worse <= 2", "pass"},
		{"differences for week = 0", "pass"},
		{"findings at major or worse = 2", "pass"},
		{"adapter findings = 1", "pass"},
		{"breaking findings at critical = 1", "pass"},
		{"p95 of cloud for inbox/list < 100ms for 3s", "fail"},
		{"p95 of cloud for inbox/list < 600ms for 3s", "pass"},
		{"failed on cloud for inbox < 5% for 2s", "pass"},
		{"failed on cloud for inbox < 2% for 2s", "fail"},
		{"p99 of cloud for rare < 1s", "no-data"},
		{"p95 of left for rare < 1s", "no-data"},
		{"failed on legacy < 1%", "no-data"},
		{"p95 of legacy - p95 of left < 1s", "no-data"},
		{"p95 of cloud for nothing < 1s", "no-data"},
		{"rate of cloud for nothing > 1/s", "no-data"},
		{"p95 of cloud for inbox/list < 1s for 30s", "no-data"},
		{"p95 of any path for rare < 1s may be empty", "no-data"},
		{"max of any path for rare < 1s", "pass"},
	} {
		t.Run(one.gate, func(t *testing.T) {
			g, err := gate.Parse(one.gate)
			if err != nil {
				t.Fatal(err)
			}
			got := g.Evaluate(sample())
			if string(got.Verdict) != one.verdict {
				t.Errorf("verdict %s, want %s: %+v", got.Verdict, one.verdict, got)
			}
			if (got.Observed == "") != (got.Verdict == result.NoData) {
				t.Errorf("observed %q with verdict %s", got.Observed, got.Verdict)
			}
		})
	}
}

func TestOutcomesAreWritten(t *testing.T) {
	for _, want := range []result.Outcome{
		{Gate: "max of right < 800ms", Observed: "500ms", Limit: "800ms", Margin: "300ms", Verdict: "pass", Measure: "latency"},
		{Gate: "max of each path < 400ms", Observed: "500ms on cloud", Limit: "400ms", Margin: "-100ms", Verdict: "fail", Measure: "latency"},
		{Gate: "max of any path < 400ms", Observed: "200ms on onprem", Limit: "400ms", Margin: "200ms", Verdict: "pass", Measure: "latency"},
		{Gate: "max of right / max of left < 2", Observed: "2.5", Limit: "2", Margin: "-0.5", Verdict: "fail", Measure: "latency"},
		{Gate: "max of left - max of right < 0ms", Observed: "-300ms", Limit: "0ms", Margin: "300ms", Verdict: "pass", Measure: "latency"},
		{Gate: "failed on each path < 0.5%", Observed: "2% on onprem", Limit: "0.5%", Margin: "-1.5%", Verdict: "fail", Measure: "share"},
		{Gate: "dropped = 0", Observed: "10", Limit: "0", Margin: "-10", Verdict: "fail", Measure: "count"},
		{Gate: "rate of right >= 41/s", Observed: "40/s", Limit: "41/s", Margin: "-1/s", Verdict: "fail", Measure: "rate"},
		{Gate: "differences at major or worse = 0", Observed: "1", Limit: "0", Margin: "-1", Verdict: "fail", Measure: "count"},
		{Gate: "max of cloud for inbox < 400ms for 3s", Observed: "520ms from second 4", Limit: "400ms", Margin: "-120ms", Verdict: "fail", Measure: "latency"},
		{Gate: "p99 of cloud for rare < 1s may be empty", Limit: "1s", Verdict: "no-data", Measure: "latency", MayBeEmpty: true, Note: "10 samples are too few for p99"},
		{Gate: "failed on legacy < 1%", Limit: "1%", Verdict: "no-data", Measure: "share", Note: `the run has no path "legacy"`},
	} {
		t.Run(want.Gate, func(t *testing.T) {
			g, err := gate.Parse("  " + want.Gate + "\n")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, g.Evaluate(sample())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingComparedIsNoData(t *testing.T) {
	r := sample()
	r.Comparison, r.Buckets = result.Comparison{}, result.Buckets{}
	for _, text := range []string{"differences = 0", "dropped = 0"} {
		g, err := gate.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Evaluate(r); got.Verdict != result.NoData || got.Note == "" {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestAWindowDoesNotReachOverWhatIsNotMeasured(t *testing.T) {
	r := sample()
	for i := range r.Series {
		r.Series[i].Measured = i != 4 // 0 to 3 and 5 to 9
	}
	for text, want := range map[string]result.Verdict{
		"p95 of cloud for inbox/list < 10s for 5s":   result.Pass,
		"p95 of cloud for inbox/list < 10s for 6s":   result.NoData,
		"p95 of cloud for inbox/list < 1s for 4s":    result.Fail,
		"p50 of cloud for inbox/list > 500ms for 5s": result.Pass,
	} {
		g, err := gate.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Evaluate(r); got.Verdict != want {
			t.Errorf("%s: %+v, want %s", text, got, want)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	for _, one := range []struct{ gate, want string }{
		{"", "a gate must not be empty: write a condition such as p95 of right < 800ms"},
		{"p96 of right < 800ms", `nothing is measured as "p96" (did you mean "p90"?): write one of min, mean, p50, p90, p95, p99, p99.9, max, completed, failed, throttled, dropped, rate, differences, findings`},
		{"p95 of right", `"p95 of right" compares nothing: end it with a limit such as < 800ms`},
		{"p95 of right <", `the limit is missing behind "<": write a duration such as 800ms`},
		{"p95 of right < fast", `"fast" is no limit: write a duration such as 800ms`},
		{"p95 of right < 5%", `p95 is measured as a duration such as 800ms, not as "5%"`},
		{"p95 of right < 800", `p95 is measured as a duration such as 800ms, not as "800"`},
		{"failed on right < 5ms", `failed is measured as a share such as 0.5% or a number such as 0, not as "5ms"`},
		{"rate of right > 5", `rate is measured as a rate such as 45/s, not as "5"`},
		{"p95 of right / p95 of left < 400ms", `p95 / p95 is measured as a factor such as 1.5, not as "400ms"`},
		{"p95 of right - p95 of left < 1.5", `p95 - p95 is measured as a duration such as 800ms, not as "1.5"`},
		{"differences < 5%", `differences is measured as a number such as 0, not as "5%"`},
		{"p95 of right < -5ms", `p95 is never negative: -5ms cannot be its limit`},
		{"failed on right < 0%", `failed is never below 0: write = 0`},
		{"failed on right < 0", `failed is never below 0: write = 0`},
		{"failed on right >= 0%", `failed >= 0% always holds: it is no gate`},
		{"failed on right <= 100%", `failed <= 100% always holds: it is no gate`},
		{"completed on right > 100%", `completed is never above 100%: nothing could pass`},
		{"failed on right < 1.5", `failed is a whole number or a share: write 1.5% or a whole number`},
		{"p95 of right = 5ms", `p95 is never exactly 5ms: write < or <=`},
		{"p95 right < 5ms", `"right" is not understood behind p95: write 'of PATH', 'for SCENARIO/STEP', or a comparison such as < 800ms`},
		{"p95 of < 5ms", `p95 of what? write left, right, each path, any path, or the name of a path`},
		{"p95 for < 5ms", `for what? write a step such as open-inbox/list, or a scenario`},
		{"p95 of right on left < 5ms", `p95 speaks of two paths, "right" and "left": write one, or 'each path'`},
		{"p95 for a for b < 5ms", `p95 speaks of two steps, "a" and "b": write two gates`},
		{"p95 of right < 5ms for a for b", `p95 speaks of two steps, "a" and "b": write two gates`},
		{"p95 of right - mean of left < 5ms for a for b", `p95 speaks of two steps, "a" and "b": write two gates`},
		{"p95 at major < 5ms", `p95 has no severity: leave 'at major' out`},
		{"differences at bad = 0", `"bad" is no severity: write one of critical, major, minor, info`},
		{"differences of right = 0", `differences are between two paths: leave 'of right' out`},
		{"failed on right on service time = 0", `failed is no time: leave 'on service time' out`},
		{"dropped on right = 0", `dropped counts legs of the whole run: leave the path and the step out`},
		{"p95 of right - failed on left < 5ms", `p95 and failed cannot be compared: write the same on both sides of "-"`},
		{"dropped - dropped = 0", `dropped cannot stand on both sides of "-"`},
		{"p95 of each path - p95 of left < 5ms", `each side of "-" needs one path: p95 of right - p95 of left`},
		{"p95 of left - p95 of left < 5ms", `both sides of "-" are the same`},
		{"p95 of right < 5ms for ever and ever", `"and ever" is not understood behind the limit: write 'for SCENARIO/STEP', 'for 30s', 'on service time', 'may be empty' or 'abort after 30s'`},
		{"rate of right > 5/s for 30s", `rate knows no windows: leave 'for 30s' out`},
		{"p95 of right < 5ms for 1500ms", `a window is whole seconds, not 1.5s: write for 30s`},
		{"p95 of right < 5ms on service time for 30s", `windows know response times only: leave 'on service time' out`},
		{"p95 of right < NaN", `"NaN" is no limit: write a duration such as 800ms`},
		{"p95 of right -", `nothing is measured as "": write one of min, mean, p50, p90, p95, p99, p99.9, max, completed, failed, throttled, dropped, rate, differences, findings`},
	} {
		t.Run(one.gate, func(t *testing.T) {
			_, err := gate.Parse(one.gate)
			if err == nil || err.Error() != one.want {
				t.Errorf("\ngot  %v\nwant %s", err, one.want)
			}
		})
	}
	if _, err := gate.Parse(fmt.Sprintf("p95 of %0500d < 5ms", 1)); err == nil {
		t.Error("a gate of 500 characters is accepted")
	}
}

func TestWhichGatesAbort(t *testing.T) {
	for _, c := range []struct {
		text   string
		aborts bool
		after  time.Duration
	}{
		{"failed on each path < 5%", false, 0},
		{"failed on each path < 5% abort", true, gate.AbortDelay},
		{"failed on each path < 5% abort after 1m30s", true, 90 * time.Second},
		{"p95 of right < 1s for 30s abort after 20s may be empty", true, 20 * time.Second},
	} {
		g, err := gate.Parse(c.text)
		after, aborts := g.Aborts()
		if err != nil || aborts != c.aborts || after != c.after {
			t.Errorf("%s: aborts %v after %s (%v), want %v after %s", c.text, aborts, after, err, c.aborts, c.after)
		}
	}
	for _, text := range []string{"failed on right < 5% abort after", "failed on right < 5% abort after 10", "failed on right < 5% abort after 1500ms"} {
		if _, err := gate.Parse(text); err == nil || !strings.HasPrefix(err.Error(), "abort after what? write whole seconds such as abort after 30s, not ") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestRefers(t *testing.T) {
	for _, one := range []struct {
		gate         string
		paths, steps []string
		compares     bool
	}{
		{"p95 of right < 5ms", []string{"right"}, nil, false},
		{"p95 of each path < 5ms for inbox/list", nil, []string{"inbox/list"}, false},
		{"p95 of cloud for a - p95 of left for b < 5ms", []string{"cloud", "left"}, []string{"a", "b"}, false},
		{"p95 of cloud - p95 of left < 5ms for a", []string{"cloud", "left"}, []string{"a"}, false},
		{"differences = 0", nil, nil, true},
	} {
		g, err := gate.Parse(one.gate)
		if err != nil {
			t.Fatal(err)
		}
		paths, steps := g.Refers()
		if !cmp.Equal(paths, one.paths) || !cmp.Equal(steps, one.steps) || g.Compares() != one.compares {
			t.Errorf("%s refers to %q and %q, compares: %t", g, paths, steps, g.Compares())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"p95 of right < 800ms", "p95 of a - p95 of b <= -5ms for x/y may be empty", "differences at major or worse = 0",
		"p99.9 of each path≤1s for 30s on service time", "failed/failed=0", "rate of x >= 5/m", "adapter findings at info = 3"} {
		f.Add(seed)
	}
	r := sample()
	f.Fuzz(func(t *testing.T, text string) {
		g, err := gate.Parse(text)
		if err != nil {
			return
		}
		first := g.Evaluate(r)
		again, err := gate.Parse(g.String())
		if err != nil {
			t.Fatalf("%q prints as %q, which is no gate: %v", text, g, err)
		}
		if diff := cmp.Diff(first, again.Evaluate(r)); diff != "" {
			t.Errorf("%q prints as %q, which is judged otherwise:\n%s", text, g, diff)
		}
	})
}

func TestGatesOfSuitesAndDocumentsParse(t *testing.T) {
	var texts []string
	for _, b := range suites.Builtin() {
		s, err := suites.Load(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range s.Gates {
			texts = append(texts, g.Text)
		}
	}
	doc, err := os.ReadFile("../../docs/suite.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fence := range strings.Split(string(doc), "```yaml\ngates:\n")[1:] {
		fence, _, _ = strings.Cut(fence, "```")
		for line := range strings.Lines(fence) {
			texts = append(texts, strings.TrimPrefix(strings.TrimSpace(line), "- "))
		}
	}
	if len(texts) < 30 {
		t.Fatalf("only %d gates", len(texts))
	}
	for _, text := range texts {
		if _, err := gate.Parse(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
