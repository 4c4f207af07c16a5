package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cutover/harness/guard"
	"cutover/harness/hist"
	"cutover/harness/result"
	"cutover/harness/shift"
)

// describe fills in what is known before the first request.
func (r *runner) describe() *result.Result {
	p := r.plan
	out := &result.Result{
		Schema: result.Schema, RunID: r.deps.RunID, Suite: p.Suite.Name, SuiteHash: p.SuiteHash(), Profile: p.Profile.Name,
		ProfileHash: p.ProfileHash(), PlanHash: p.Hash(), Target: result.Real, Seed: p.Seed, Started: r.start.UTC(),
		Mailboxes: len(p.Mailboxes), NotTested: slices.Clone(p.NotTested), ValuesShown: r.deps.ShowValues, Checks: r.deps.Checks, Answers: r.deps.Answers,
	}
	out.Before = r.heldAgainst()
	if p.Profile.Simulated {
		out.Target = result.Simulated
	}
	if out.NotTested == nil {
		out.NotTested = []string{}
	}
	for _, s := range p.Sides {
		d := s.Adapter.Describe()
		out.Paths = append(out.Paths, result.PathInfo{Name: s.Path, Side: s.Side, Dialect: d.Dialect, URL: d.Root})
	}
	for i := range p.Phases {
		ph := &p.Phases[i]
		out.Phases = append(out.Phases, result.Phase{Name: ph.Name, Model: ph.Load.Describe(), Measured: ph.Measured,
			StartS: ph.Start.Seconds(), LengthS: ph.Length().Seconds(), SettleS: ph.Settle.Seconds(), Planned: ph.Count(), AskedPS: ph.MeanRate()})
		out.Buckets.Planned += ph.Count() * uint64(len(p.Sides))
	}
	for _, g := range p.Gates {
		out.Gates = append(out.Gates, result.Outcome{Gate: g.String(), Verdict: result.NoData})
	}
	return out
}

// finish turns the books into the result.
func (r *runner) finish(ended time.Time) *result.Result {
	out := r.describe()
	b := r.books
	out.Ended = ended.UTC()
	out.Stop = r.stopped()
	out.Buckets = r.buckets()
	out.DropReasons = b.total.drops
	out.Traffic = b.traffic()
	if r.deps.Traffic != nil {
		out.Traffic = r.deps.Traffic()
	}
	r.finishPhases(out)
	out.Steps = r.steps()
	out.Shift = r.shifts()
	out.Paired = r.paired()
	out.Series = b.series
	if r.pairs.comparer != nil {
		report := r.pairs.comparer.Report()
		out.Findings, out.Comparison, out.Identities, out.Noise = report.Findings, report.Comparison, report.Identities, report.Noise
		out.Clusters = report.Clusters
	}
	out.Diverged = r.pairs.divergences.list()
	if r.deps.Waive != nil {
		out.Findings, out.Waivers = r.deps.Waive(out.Findings)
	}
	if out.Findings == nil {
		out.Findings = []result.Finding{}
	}
	c := &r.created
	out.Cleanup = result.Cleanup{Created: c.items.Load(), Removed: c.removed.Load(), Unknown: c.unknown.Load()}
	out.Cleanup.Left = out.Cleanup.Created - min(out.Cleanup.Created, out.Cleanup.Removed)
	out.Generator = r.generator()
	out.NotTested = append(out.NotTested, r.untested()...)
	out.Faults = r.faults.list(r)
	out.Pushback, out.Search = r.pushbacks(), r.found
	out.Gates = r.gates(out)
	result.Decide(out)
	return out
}

// buckets adds up where the legs ended. What was planned and never made, because
// the run was stopped, has not started.
func (r *runner) buckets() result.Buckets {
	out := bucketsOf(r.books.total)
	for i := range r.plan.Phases {
		handed := r.books.progress.handed[i].Load()
		planned := r.plan.Phases[i].Count() * uint64(len(r.plan.Sides))
		if planned == 0 || planned < handed {
			planned = handed // only time bounds the phase
		}
		out.Planned += planned
		out.NotStarted += planned - handed
	}
	return out
}

// stopped says why the run ended before its plan did, nil when it did not.
func (r *runner) stopped() *result.Stop {
	if err := r.failure.Load(); err != nil {
		return &result.Stop{Kind: result.StopInternal, Why: (*err).Error()}
	}
	cause := context.Cause(r.stop)
	if cause == nil || errors.Is(cause, errDone) {
		return nil
	}
	var refusal *guard.Refusal
	if errors.As(cause, &refusal) {
		return &result.Stop{Kind: result.StopBrake, Why: refusal.What}
	}
	if a := r.aborted.Load(); a != nil && errors.Is(cause, errAborted) {
		return &result.Stop{Kind: result.StopGate, Why: a.outcome.Note}
	}
	why := "the run was asked to stop"
	if !errors.Is(cause, context.Canceled) {
		why = cause.Error()
	}
	return &result.Stop{Kind: result.StopInterrupted, Why: why}
}

// measuredSeconds is how long the measured phases lasted.
func (r *runner) measuredSeconds(ended time.Time) float64 {
	sum := 0.0
	for i := range r.plan.Phases {
		ph := &r.plan.Phases[i]
		began := r.books.began(i)
		if !ph.Measured || began.IsZero() || ph.Load.Search != nil {
			continue
		}
		length := ph.Length()
		if length == 0 || began.Add(length).After(ended) {
			length = ended.Sub(began)
		}
		sum += max(0, length-ph.Settle).Seconds()
	}
	return sum
}

// steps are the rows of the measured phases, in the order of suite and sides.
func (r *runner) steps() []result.StepStats {
	out := []result.StepStats{}
	seconds := r.measuredSeconds(r.clock.Now())
	for sc := range r.plan.Scenarios {
		for i, at := range r.recorder.rows {
			c := r.books.total.rows[1][i]
			if at.scenario != sc || c == nil || c.count == 0 {
				continue
			}
			s := r.stats(at, c, seconds+r.searched[at.side].Seconds())
			if len(r.found) == 0 { // else the steps speak of some trials alone
				s.FirstByte, s.Receive = r.recorder.apart(i)
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b result.StepStats) int {
		return cmp.Or(cmp.Compare(r.scenarioIndex(a.Scenario), r.scenarioIndex(b.Scenario)), cmp.Compare(r.stepIndex(a), r.stepIndex(b)), cmp.Compare(a.Side, b.Side))
	})
	return out
}

func (r *runner) scenarioIndex(name string) int {
	for i := range r.plan.Scenarios {
		if r.plan.Scenarios[i].Name == name {
			return i
		}
	}
	return -1
}

// stepIndex orders rows: the whole leg first, then the steps in the order of the suite.
func (r *runner) stepIndex(s result.StepStats) int {
	if s.Step == result.WholeLeg {
		return -1
	}
	for i, st := range r.plan.Scenarios[r.scenarioIndex(s.Scenario)].Steps {
		for sort, suffix := range suffixes {
			if s.Step == st.Name+suffix {
				return int(rowSorts)*i + sort
			}
		}
	}
	return 0
}

func (r *runner) stats(at row, c *cell, seconds float64) result.StepStats {
	sc := &r.plan.Scenarios[at.scenario]
	s := result.StepStats{
		Scenario: sc.Name, Step: r.stepName(at), Path: r.plan.Sides[at.side].Path, Side: r.plan.Sides[at.side].Side, Tags: sc.Tags,
		Count: c.count, Outcomes: map[string]uint64{}, BytesIn: c.bytesIn, BytesOut: c.bytesOut,
		Response: result.Summarise(&c.response), Service: result.Summarise(&c.service), Lag: result.Summarise(&c.lag), CapWait: result.Summarise(&c.capWait),
		Histogram: c.response.Clone(), ServiceH: c.service.Clone(),
	}
	if at.step >= 0 {
		st := &sc.Steps[at.step]
		s.Endpoint, s.Line = st.Endpoint, st.Source.Pos.Line
	}
	if seconds > 0 {
		s.RatePerS, s.GoodPerS = float64(c.count)/seconds, float64(c.outcomes[ok])/seconds
	}
	for o, n := range c.outcomes {
		if n > 0 {
			s.Outcomes[outcome(o).String()] = n
		}
	}
	return s
}

// shifts pairs the seconds of both paths, row by row.
func (r *runner) shifts() []result.Shift {
	out := []result.Shift{}
	if len(r.plan.Sides) < 2 {
		return out
	}
	type key struct{ scenario, step string }
	type pair struct{ left, right hist.Packed }
	rows := map[key][]pair{}
	var order []key
	left := r.plan.Sides[0].Path
	for t, s := range r.books.series {
		if !s.Measured {
			continue
		}
		for _, p := range s.Series {
			k := key{p.Scenario, p.Step}
			if rows[k] == nil {
				order = append(order, k)
				rows[k] = make([]pair, len(r.books.series))
			}
			if p.Path == left {
				rows[k][t].left = p.Histogram
			} else {
				rows[k][t].right = p.Histogram
			}
		}
	}
	qs := []float64{0.5, 0.95, 0.99}
	for _, k := range order {
		var pairs []shift.Pair
		for _, p := range rows[k] {
			if p != (pair{}) {
				pairs = append(pairs, shift.Pair{Left: p.left.Unpack(), Right: p.right.Unpack()})
			}
		}
		e := shift.Quantiles(pairs, qs, result.Enough, r.plan.Seed)
		out = append(out, result.Shift{Scenario: k.scenario, Step: k.step, Confidence: shift.Confidence,
			P50: interval(e[0]), P95: interval(e[1]), P99: interval(e[2])})
	}
	slices.SortStableFunc(out, func(a, b result.Shift) int {
		return cmp.Or(cmp.Compare(r.scenarioIndex(a.Scenario), r.scenarioIndex(b.Scenario)),
			cmp.Compare(r.stepIndex(result.StepStats{Scenario: a.Scenario, Step: a.Step}), r.stepIndex(result.StepStats{Scenario: b.Scenario, Step: b.Step})))
	})
	return out
}

func interval(e shift.Estimate) result.Interval {
	var out result.Interval
	if e.Known {
		value := ms(e.Value)
		out.Value = &value
	}
	if e.Bounded {
		low, high := ms(e.Low), ms(e.High)
		out.Low, out.High = &low, &high
	}
	return out
}

// gates judges the conditions over the finished result.
func (r *runner) gates(out *result.Result) []result.Outcome {
	outcomes := []result.Outcome{}
	for i, g := range r.plan.Gates {
		o := g.Evaluate(out)
		if a := r.aborted.Load(); a != nil && a.gate == i {
			o = a.outcome
		}
		o.Line = r.plan.Lines[i]
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// untested names steps that the plan has and the run never got to.
func (r *runner) untested() []string {
	var out []string
	for i, at := range r.recorder.rows {
		if at.step < 0 || at.sort != asked {
			continue
		}
		st := &r.plan.Scenarios[at.scenario].Steps[at.step]
		if st.Asks[at.side].Template == nil {
			continue
		}
		if c := r.books.total.rows[1][i]; c == nil || c.count == 0 {
			out = append(out, fmt.Sprintf("%s/%s on %s: never asked in a measured phase", r.plan.Scenarios[at.scenario].Name, st.Name, r.plan.Sides[at.side].Path))
		}
	}
	return out
}
