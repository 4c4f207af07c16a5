package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"cutover/harness/result"
)

// Test is one named test: one quantile of one step on one path. Base and Run are the
// medians over the runs of each side, in milliseconds.
type Test struct {
	Scenario string          `json:"scenario"`
	Step     string          `json:"step"`
	Path     string          `json:"path"`
	Side     string          `json:"side"`
	Quantile float64         `json:"quantile"`
	BaseRuns int             `json:"base_runs"`
	RunRuns  int             `json:"run_runs"`
	Base     float64         `json:"base_ms"`
	Run      float64         `json:"run_ms"`
	Shift    result.Interval `json:"shift"` // as a share of the base, 95 %
	P        *float64        `json:"p,omitempty"`
	Adjusted *float64        `json:"p_holm,omitempty"`
	Band     float64         `json:"band,omitempty"` // run to run, as a share; single runs only
	Assumed  bool            `json:"band_assumed,omitempty"`
	Says     Says            `json:"says"`
	Why      string          `json:"why,omitempty"`

	faster float64 // p of the other direction
}

// Name is what the test is called in reasons: "p95 of open-inbox/list on cloud".
func (t Test) Name() string {
	return fmt.Sprintf("%s of %s/%s on %s", QuantileName(t.Quantile), t.Scenario, t.Step, t.Path)
}

// QuantileName writes 0.95 as p95 and 0.999 as p99.9.
func QuantileName(q float64) string {
	return fmt.Sprintf("p%g", math.Round(q*1e5)/1e3)
}

// key is one row of a run.
type key struct{ scenario, step, path string }

func (k key) text() string { return k.scenario + "/" + k.step }

// fewestSamples is how many samples of one run a quantile needs to be tested: five are
// expected beyond it.
func fewestSamples(q float64) uint64 { return max(20, uint64(math.Ceil(5/(1-q)))) }

// named chooses the tests, from the base side alone, so that no outcome chooses them. The
// row of a whole leg repeats its steps and is not tested unless it is asked for.
func (r *Report) named(base []*result.Result, o Options) []Test {
	type row struct {
		key
		side  string
		count uint64
	}
	seen := map[key]int{}
	var rows []row
	for _, one := range base {
		for _, s := range one.Steps {
			k := key{s.Scenario, s.Step, s.Path}
			if s.Step == result.WholeLeg && !slices.Contains(o.Steps, k.text()) {
				continue
			}
			if len(o.Steps) > 0 && !slices.Contains(o.Steps, k.text()) || len(o.Paths) > 0 && !slices.Contains(o.Paths, s.Path) {
				continue
			}
			i, known := seen[k]
			if !known {
				i = len(rows)
				seen[k] = i
				rows = append(rows, row{key: k, side: s.Side})
			}
			rows[i].count += s.Count
		}
	}
	if most := max(1, MaxTests/len(o.Quantiles)); len(rows) > most {
		ordered := slices.Clone(rows)
		slices.SortStableFunc(ordered, func(a, b row) int { return cmp.Compare(b.count, a.count) })
		r.Notes = append(r.Notes, fmt.Sprintf("%d rows are not tested: at most %d tests, the steps asked most first", len(rows)-most, MaxTests))
		keep := map[key]bool{}
		for _, one := range ordered[:most] {
			keep[one.key] = true
		}
		rows = slices.DeleteFunc(rows, func(one row) bool { return !keep[one.key] })
	}
	var tests []Test
	rare := 0
	for _, one := range rows {
		for _, q := range o.Quantiles {
			if one.count/uint64(len(base)) < fewestSamples(q) {
				rare++
				continue
			}
			tests = append(tests, Test{Scenario: one.scenario, Step: one.step, Path: one.path, Side: one.side, Quantile: q})
		}
	}
	if rare > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d quantiles are not tested: too few samples stand behind them (p50 needs %d a run, p95 %d)", rare, fewestSamples(0.5), fewestSamples(0.95)))
	}
	return tests
}

func (r *Report) test(base, run []*result.Result, o Options) {
	r.Tests = r.named(base, o)
	if len(base) == 1 && len(run) == 1 {
		within(r.Tests, base[0], run[0], o)
	} else {
		between(r.Tests, base, run)
	}
	adjust(r.Tests)
	for i := range r.Tests {
		r.Tests[i].judge(o, len(r.Tests))
	}
	if r.Tests == nil {
		r.Tests = []Test{}
	}
}

// between compares the quantiles of whole runs, one number a run.
func between(tests []Test, base, run []*result.Result) {
	for i := range tests {
		t := &tests[i]
		b, n := quantiles(base, *t), quantiles(run, *t)
		t.BaseRuns, t.RunRuns = len(b), len(n)
		if len(b) == 0 || len(n) == 0 {
			t.Why = "the step was not asked often enough on one side"
			continue
		}
		t.Base, t.Run = micro(math.Exp(Median(b))), micro(math.Exp(Median(n)))
		value, low, high, bounded := hodgesLehmann(b, n)
		t.Shift.Value = share(value)
		if bounded {
			t.Shift.Low, t.Shift.High = share(low), share(high)
		}
		above, below := MannWhitney(b, n)
		t.P, t.faster = &above, below
	}
}

// quantiles are the logarithms of the quantile in milliseconds, a value for each run in
// which enough samples stand behind it.
func quantiles(runs []*result.Result, t Test) []float64 {
	var out []float64
	for _, r := range runs {
		for _, s := range r.Steps {
			if s.Scenario != t.Scenario || s.Step != t.Step || s.Path != t.Path || s.Count < fewestSamples(t.Quantile) {
				continue
			}
			ms := 0.0
			if s.Histogram != nil && s.Histogram.Count() > 0 {
				ms = s.Histogram.Quantile(t.Quantile).Seconds() * 1000
			} else if v := s.Response.Quantile(t.Quantile); v != nil {
				ms = *v
			}
			if ms > 0 {
				out = append(out, math.Log(ms))
			}
		}
	}
	return out
}

// micro rounds milliseconds to the microsecond.
func micro(ms float64) float64 { return math.Round(ms*1000) / 1000 }

// share turns a difference of logarithms into a relative shift.
func share(log float64) *float64 {
	v := math.Expm1(log)
	return &v
}

// adjust corrects the p-values for their number.
func adjust(tests []Test) {
	var p []float64
	var at []int
	for i, t := range tests {
		if t.P != nil {
			p, at = append(p, *t.P), append(at, i)
		}
	}
	for k, v := range Holm(p) {
		tests[at[k]].Adjusted = &v
	}
}

// judge says what one test tells.
func (t *Test) judge(o Options, tests int) {
	if t.Shift.Value == nil || t.P == nil {
		t.Says = CantTell
		return
	}
	least, margin := o.MinEffect, o.Margin
	if t.Band > 0 { // single runs
		least, margin = max(least, t.Band), max(margin, t.Band)
	}
	floor := MinShift.Seconds() * 1000
	felt := math.Abs(t.Run-t.Base) >= floor
	switch {
	case *t.Adjusted <= Level && *t.Shift.Value >= o.MinEffect && felt:
		t.Says = Slower
	case t.Shift.High != nil && (*t.Shift.High <= margin || *t.Shift.High*t.Base <= floor):
		t.Says = Same
		if t.faster*float64(tests) <= Level && *t.Shift.Value <= -o.MinEffect && felt {
			t.Says = Faster
		}
	case t.Shift.High == nil:
		t.Says, t.Why = CantTell, fmt.Sprintf("%d and %d runs are too few for an interval", t.BaseRuns, t.RunRuns)
	case *t.Shift.Value >= least && felt:
		t.Says, t.Why = CantTell, t.tooWeak(tests, least)
	default:
		t.Says, t.Why = CantTell, fmt.Sprintf("up to %s slower is possible, the margin is %s", percent(*t.Shift.High), percent(margin))
	}
}

// tooWeak says why a shift that was seen proves nothing.
func (t *Test) tooWeak(tests int, least float64) string {
	if t.Band == 0 {
		if possible := 1 / binomial(t.BaseRuns+t.RunRuns, t.RunRuns); possible*float64(tests) > Level {
			return fmt.Sprintf("%s, but %d against %d runs cannot prove anything among %d tests: record more runs, or name fewer tests",
				signed(*t.Shift.Value), t.BaseRuns, t.RunRuns, tests)
		}
	}
	return fmt.Sprintf("%s is not surely above %s (p %.2g after correction)", signed(*t.Shift.Value), percent(least), *t.Adjusted)
}

func binomial(n, k int) float64 {
	out := 1.0
	for i := 1; i <= k; i++ {
		out *= float64(n-k+i) / float64(i)
	}
	return out
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", share*100) }

func signed(share float64) string { return fmt.Sprintf("%+.3g %%", share*100) }
