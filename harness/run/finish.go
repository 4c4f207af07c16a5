package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cutover/harness/guard"
	"cutover/harness/result"
	"cutover/harness/shift"
)

// Limits past which the generator is not believed. A lag of 100 ms is a visible
// share of any answer worth measuring; k6's documentation asks for at most 80 % CPU,
// Locust warns at 90 %. A lab in the same process shares its processors with the
// generator, and what it simulates is known: it is given more.
const (
	mostLag       = 100 * time.Millisecond
	mostLagInside = 250 * time.Millisecond
	mostCPU       = 0.90
)

// describe fills in what is known before the first request.
func (r *runner) describe() *result.Result {
	p := r.plan
	out := &result.Result{
		Schema: result.Schema, RunID: r.deps.RunID, Suite: p.Suite.Name, SuiteHash: p.SuiteHash(), Profile: p.Profile.Name,
		ProfileHash: p.ProfileHash(), PlanHash: p.Hash(), Target: result.Real, Seed: p.Seed, Started: r.start.UTC(),
		Mailboxes: len(p.Mailboxes), NotTested: slices.Clone(p.NotTested), ValuesShown: r.deps.ShowValues, Checks: r.deps.Checks, Answers: r.deps.Answers,
	}
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
			StartS: ph.Start.Seconds(), LengthS: ph.Length().Seconds(), Planned: ph.Count(), AskedPS: ph.MeanRate()})
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
	out.Series = b.series
	if r.pairs.comparer != nil {
		report := r.pairs.comparer.Report()
		out.Findings, out.Comparison, out.Identities = report.Findings, report.Comparison, report.Identities
	}
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
	why := "the run was asked to stop"
	if !errors.Is(cause, context.Canceled) {
		why = cause.Error()
	}
	return &result.Stop{Kind: result.StopInterrupted, Why: why}
}

func (r *runner) finishPhases(out *result.Result) {
	for i := range out.Phases {
		ph := &out.Phases[i]
		if ph.Planned == 0 {
			ph.Planned = r.books.progress.handed[i].Load() / uint64(len(r.plan.Sides))
		}
		length := ph.LengthS
		if length == 0 && !r.books.began(i).IsZero() {
			length = out.Ended.Sub(r.books.began(i)).Seconds()
		}
		if length > 0 {
			ph.GotPS = float64(r.books.total.phases[i].begun) / float64(len(r.plan.Sides)) / length
		}
	}
}

// measuredSeconds is how long the measured phases lasted.
func (r *runner) measuredSeconds(ended time.Time) float64 {
	sum := 0.0
	for i := range r.plan.Phases {
		ph := &r.plan.Phases[i]
		began := r.books.began(i)
		if !ph.Measured || began.IsZero() {
			continue
		}
		length := ph.Length()
		if length == 0 || began.Add(length).After(ended) {
			length = ended.Sub(began)
		}
		sum += length.Seconds()
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
			out = append(out, r.stats(at, c, seconds))
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
		s.RatePerS = float64(c.count) / seconds
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
	rows := map[key][]shift.Pair{}
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
				rows[k] = make([]shift.Pair, len(r.books.series))
			}
			if p.Path == left {
				rows[k][t].Left = p.Histogram
			} else {
				rows[k][t].Right = p.Histogram
			}
		}
	}
	qs := []float64{0.5, 0.95, 0.99}
	for _, k := range order {
		pairs := slices.DeleteFunc(rows[k], func(p shift.Pair) bool { return p.Left == nil && p.Right == nil })
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
		o.Line = r.plan.Lines[i]
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// generator says how this program fared, and where it bent the ruler.
func (r *runner) generator() result.Generator {
	b := r.books
	g := result.Generator{RSSBytes: uint64(b.gen.rss), LagP99: ms(b.total.own.Quantile(0.99)), LagMax: ms(b.total.own.Max()),
		GCPause: ms(b.gen.gcPause), Opened: b.total.opened, Reused: b.total.reused, InProcess: r.deps.LabInside}
	if b.gen.reads > 0 {
		g.CPU = b.gen.cpu / float64(b.gen.reads)
	}
	limit := mostLag
	if r.deps.LabInside {
		limit = mostLagInside
	}
	if lag := b.total.own.Quantile(0.99); lag > limit && result.Enough(0.99, b.total.own.Count()) {
		g.Bent = append(g.Bent, fmt.Sprintf("1%% of the requests left more than %v after they could have (limit %v)", lag.Round(time.Millisecond), limit))
	}
	if n := b.total.drops[dropGenerator]; n > 0 {
		g.Bent = append(g.Bent, fmt.Sprintf("%d legs were dropped because the generator did not get to them", n))
	}
	if !r.deps.LabInside && g.CPU > mostCPU {
		g.Bent = append(g.Bent, fmt.Sprintf("the generator used %.0f%% of its processors (limit %.0f%%)", 100*g.CPU, 100*mostCPU))
	}
	return g
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
