// Package gate is the grammar of a run's conditions and their evaluation over its result:
//
//	p95 of right < 800ms
//	p95 of right - p95 of left < 400ms
//	p99 of cloud / p99 of onprem < 1.5 for open-inbox/list
//	mean of each path < 300ms on service time
//	failed on each path < 0.5%
//	throttled on right = 0
//	differences at major or worse = 0
//	rate of right >= 45/s
//	p95 of right < 1s for 30s
//	failed on each path < 20% abort after 15s
//
// A condition that can never hold, or never fail, is a mistake and no gate. One whose
// value rests on too few samples has no data: it neither passes nor fails.
package gate

import (
	"slices"
	"strings"
	"time"

	"cutover/harness/result"
)

// Gate is one parsed condition. It is immutable.
type Gate struct {
	text string
	// first stands alone, or combine ("-" or "/") sets it against second.
	first, second measure
	combine       string
	// compare is one of < <= > >= =, limit the number to its right in the unit of unit.
	compare string
	limit   float64
	unit    unit
	// window, when set, asks that the condition hold in every stretch of that length.
	window     time.Duration
	mayBeEmpty bool
	// abort ends the run as soon as the condition fails, once delay has been measured.
	abort bool
	delay time.Duration
}

// AbortDelay is how long a run is measured before a gate that says "abort" may end
// it, unless the gate says otherwise: the first answers of a cold start are no verdict.
const AbortDelay = 10 * time.Second

// Aborts reports whether a failure ends the run at once, and from how much measured
// time on.
func (g Gate) Aborts() (after time.Duration, aborts bool) { return g.delay, g.abort }

// String is the condition as it was written, its blanks made single.
func (g Gate) String() string { return g.text }

// Refers lists the paths or sides that the condition names ("left", "cloud"; each and any
// are none) and its steps: "scenario/step", or one word that a scenario, a step or a tag
// must carry. A plan checks that they exist.
func (g Gate) Refers() (paths, steps []string) {
	for _, m := range g.measures() {
		if m.path != "" && m.path != each && m.path != anyPath && !slices.Contains(paths, m.path) {
			paths = append(paths, m.path)
		}
		if m.step != "" && !slices.Contains(steps, m.step) {
			steps = append(steps, m.step)
		}
	}
	return paths, steps
}

// Compares reports whether the condition speaks of differences between the two sides, and
// so means nothing for a run with one path.
func (g Gate) Compares() bool {
	return slices.ContainsFunc(g.measures(), func(m measure) bool { return m.metric.kind == ofFindings })
}

func (g Gate) measures() []measure {
	if g.combine == "" {
		return []measure{g.first}
	}
	return []measure{g.first, g.second}
}

// Evaluate judges a result.
func (g Gate) Evaluate(r *result.Result) result.Outcome {
	out := result.Outcome{Gate: g.text, Limit: g.unit.format(g.limit), Measure: g.unit.measure, MayBeEmpty: g.mayBeEmpty, Verdict: result.NoData}
	seen := g.observe(r)
	if len(seen) == 0 {
		return out
	}
	any := g.first.path == anyPath && g.combine == ""
	worst := seen[0]
	for _, s := range seen {
		switch better := g.margin(s.value) > g.margin(worst.value); {
		case s.missing != "" && any:
		case s.missing != "":
			out.Note = s.missing
			return out
		case worst.missing != "", s.value != worst.value && better == any:
			worst = s
		}
	}
	if worst.missing != "" {
		out.Note = worst.missing
		return out
	}
	out.Observed, out.Margin = g.unit.format(worst.value), g.unit.format(g.margin(worst.value))
	if worst.where != "" {
		out.Observed += " " + worst.where
	}
	out.Verdict = result.Fail
	if g.holds(worst.value) {
		out.Verdict = result.Pass
	}
	return out
}

func (g Gate) holds(v float64) bool {
	switch g.compare {
	case "<":
		return v < g.limit
	case "<=":
		return v <= g.limit
	case ">":
		return v > g.limit
	case ">=":
		return v >= g.limit
	}
	return v == g.limit
}

// margin is how far a value is on the good side of the limit, negative on the bad side.
func (g Gate) margin(v float64) float64 {
	switch g.compare[0] {
	case '<':
		return g.limit - v
	case '>':
		return v - g.limit
	}
	return -abs(v - g.limit)
}

func abs(v float64) float64 { return max(v, -v) }

// normal makes blanks single, so that a gate written over two lines is one text.
func normal(text string) string { return strings.Join(strings.Fields(text), " ") }
