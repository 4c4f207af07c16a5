package history

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"cutover/harness/compare"
	"cutover/harness/result"
)

// Trend is one number over the nights, the oldest first.
type Trend struct {
	Scenario string   `json:"scenario"`
	Step     string   `json:"step"`
	Path     string   `json:"path"`
	Quantile string   `json:"quantile"` // p50, p95 or p99
	Points   []Point  `json:"points"`
	Changes  []Change `json:"changes"`
}

// Point is one night. Value is nil where too few samples stand behind it.
type Point struct {
	Run   Run      `json:"run"`
	Value *float64 `json:"value_ms"`
}

// Change is a night from which on a number was another one, with what else changed from
// the night before.
type Change struct {
	RunID  string               `json:"run_id"` // the first night of the new level
	Before float64              `json:"before_ms"`
	After  float64              `json:"after_ms"`
	Share  float64              `json:"share"` // 0.2 for 20 % slower, negative for faster
	With   []compare.Difference `json:"with"`

	at int
}

// Still says whether the number kept its new, worse level to the end.
func (t Trend) Still() (Change, bool) {
	if len(t.Changes) == 0 {
		return Change{}, false
	}
	last := t.Changes[len(t.Changes)-1]
	return last, last.Share > 0
}

// Wanted chooses what Trends follows. Empty fields choose all; Quantile is p95 when empty.
type Wanted struct {
	Filter
	Step     string // "scenario/step"
	Path     string
	Quantile string
}

// Trends follows numbers over the nights that fit, each with its change points. The rows
// of whole legs are left out unless Step names one. Nights whose times do not count have
// no value.
func (h *History) Trends(w Wanted) ([]Trend, error) {
	runs, err := h.List(w.Filter)
	if err != nil {
		return nil, err
	}
	quantile := cmp.Or(w.Quantile, "p95")
	at := map[rowKey]int{}
	var out []Trend
	for i, run := range runs {
		metrics, err := h.Metrics(run)
		if err != nil {
			return nil, err
		}
		for _, m := range metrics {
			name := m.Scenario + "/" + m.Step
			if w.Path != "" && m.Path != w.Path || w.Step != "" && name != w.Step || w.Step == "" && m.Step == result.WholeLeg {
				continue
			}
			key := rowKey{m.Scenario, m.Step, m.Path, quantile}
			k, known := at[key]
			if !known {
				k = len(out)
				at[key] = k
				out = append(out, Trend{Scenario: m.Scenario, Step: m.Step, Path: m.Path, Quantile: quantile, Points: make([]Point, len(runs))})
				for j, r := range runs {
					out[k].Points[j].Run = r
				}
			}
			if run.Counts {
				out[k].Points[i].Value = m.quantile(quantile)
			}
		}
	}
	for i := range out {
		out[i].Changes = changesOf(out[i].Points)
	}
	slices.SortStableFunc(out, func(a, b Trend) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Path, b.Path))
	})
	return out, nil
}

func (m Metric) quantile(name string) *float64 {
	switch name {
	case "p50":
		return m.P50
	case "p95":
		return m.P95
	case "p99":
		return m.P99
	}
	return nil
}

// changesOf finds the change points of a trend and what changed with each.
func changesOf(points []Point) []Change {
	var values []float64
	var index []int
	for i, p := range points {
		if p.Value != nil && *p.Value > 0 {
			values, index = append(values, math.Log(*p.Value)), append(index, i)
		}
	}
	out := []Change{}
	for _, at := range changePoints(values) {
		from, to := bounds(at, changePoints(values), len(values))
		before, after := math.Exp(compare.Median(values[from:at])), math.Exp(compare.Median(values[at:to]))
		night, previous := points[index[at]].Run, points[index[at-1]].Run
		out = append(out, Change{RunID: night.RunID, Before: before, After: after, Share: after/before - 1, at: index[at],
			With: compare.Differences(previous.result(), night.result())})
	}
	return out
}

// bounds returns where the levels before and after a change point begin and end.
func bounds(at int, all []int, n int) (from, to int) {
	to = n
	for _, other := range all {
		if other < at {
			from = other
		}
		if other > at {
			return from, other
		}
	}
	return from, to
}

// result is as much of a result as a comparison of circumstances needs.
func (r Run) result() *result.Result {
	return &result.Result{RunID: r.RunID, SuiteHash: r.SuiteHash, ProfileHash: r.ProfileHash, PlanHash: r.PlanHash, Seed: r.Seed,
		Mailboxes: r.Mailboxes, Versions: r.Versions, Paths: r.Paths, Target: r.Target}
}

// A level has at least so many nights.
const (
	fewBefore = 4
	fewAfter  = 2
)

// changePoints splits logarithms of times into stretches of one level each: the place that
// leaves the least absolute error, if the levels differ by 5 % and not by chance, then the
// same in both halves.
func changePoints(values []float64) []int {
	best, least := 0, math.Inf(1)
	for at := fewBefore; at+fewAfter <= len(values); at++ {
		if e := absoluteError(values[:at]) + absoluteError(values[at:]); e < least {
			best, least = at, e
		}
	}
	if best == 0 || !differ(values[:best], values[best:], len(values)-fewBefore-fewAfter+1) {
		return nil
	}
	out := changePoints(values[:best])
	out = append(out, best)
	for _, at := range changePoints(values[best:]) {
		out = append(out, best+at)
	}
	return out
}

func absoluteError(values []float64) float64 {
	middle, sum := compare.Median(values), 0.0
	for _, v := range values {
		sum += math.Abs(v - middle)
	}
	return sum
}

// differ says whether two stretches are two levels: by ranks, corrected for the places that
// were tried; or, when the later one is too short for ranks, by the nightly threshold.
func differ(before, after []float64, places int) bool {
	step := compare.Median(after) - compare.Median(before)
	if math.Abs(step) < math.Log1p(compare.DefaultMinEffect) {
		return false
	}
	above, below := compare.MannWhitney(before, after)
	if min(above, below)*2*float64(places) <= compare.Level {
		return true
	}
	limit := max(math.Log1p(leastShift), mads*compare.MAD(before))
	for _, v := range after {
		if math.Abs(v-compare.Median(before)) <= limit {
			return false
		}
	}
	return true
}

// FirstSeen finds the night in which a finding came to stay: the first of the nights up to
// the last that show it, of which no two in a row are without it. ok is false when the
// last two nights are without it.
func FirstSeen(shown []bool) (at int, ok bool) {
	missing := 0
	at = -1
	for i := len(shown) - 1; i >= 0; i-- {
		if shown[i] {
			at, missing = i, 0
			continue
		}
		if missing++; missing == 2 {
			break
		}
	}
	return at, at >= 0
}

// Sparkline draws values as blocks of eight heights, from the least to the most; a dot
// where there is none.
func Sparkline(points []Point) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if p.Value != nil {
			low, high = min(low, *p.Value), max(high, *p.Value)
		}
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	var out strings.Builder
	for _, p := range points {
		switch {
		case p.Value == nil:
			out.WriteRune('·')
		case high-low <= 0.02*high: // noise is not stretched into mountains
			out.WriteRune(blocks[3])
		default:
			out.WriteRune(blocks[int(math.Round((*p.Value-low)/(high-low)*7))])
		}
	}
	return out.String()
}
