package run

import (
	"errors"
	"fmt"
	"time"

	"cutover/harness/result"
)

// errAborted ends a run of which a gate that aborts has failed.
var errAborted = errors.New("a gate that aborts the run has failed")

// abortion is the gate that ended the run, with what it saw then: what still came in
// cannot make it good.
type abortion struct {
	gate    int
	outcome result.Outcome
}

// abortByGate looks, at the end of a second of the given phase, at the gates that may
// end the run. It belongs to the books' goroutine.
func (r *runner) abortByGate(phase int) {
	if ph := &r.plan.Phases[phase]; !ph.Measured || ph.Load.Search != nil || r.aborted.Load() != nil {
		return
	}
	var seen *result.Result
	for i, g := range r.plan.Gates {
		after, aborts := g.Aborts()
		measured := r.books.measured()
		if !aborts || measured < after {
			continue
		}
		if seen == nil {
			seen = r.soFar()
		}
		o := g.Evaluate(seen)
		if o.Verdict != result.Fail {
			continue
		}
		o.Note = fmt.Sprintf("%s: observed %s after %s of measuring", g, o.Observed, measured)
		r.aborted.Store(&abortion{gate: i, outcome: o})
		r.stopNow(errAborted)
		return
	}
}

// measured is how many seconds of measured phases are in the books.
func (b *books) measured() time.Duration {
	n := 0
	for _, s := range b.series {
		if s.Measured {
			n++
		}
	}
	return time.Duration(n) * time.Second
}

// soFar is the result as gates see it while the run goes on.
func (r *runner) soFar() *result.Result {
	out := r.describe()
	out.Steps, out.Series = r.steps(), r.books.series
	planned := out.Buckets.Planned
	out.Buckets = bucketsOf(r.books.total)
	out.Buckets.Planned = planned
	if r.pairs.comparer != nil {
		out.Findings, out.Comparison = r.pairs.comparer.SoFar(), r.pairs.comparer.Counted()
		if r.deps.Waive != nil {
			out.Findings, _ = r.deps.Waive(out.Findings)
		}
	}
	return out
}
