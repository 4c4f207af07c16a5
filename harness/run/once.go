package run

import (
	"context"
	"fmt"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// Said is what one path was asked in one step, and what it said.
type Said struct {
	Scenario, Step string
	Path, Side     string
	Method, URL    string
	Endpoint       string
	RequestHeader  wire.Header // without the credential
	RequestBody    []byte
	Call           *wire.Call // its last answer; nil when the path was not asked
	Outcome        string     // in the words of the result
	Reason         string     // why it is not ok, or was not asked
}

// Conversation is one iteration down every path of a plan.
type Conversation struct {
	Said       []Said // by side, then by step
	Findings   []result.Finding
	Comparison result.Comparison
	Identities result.Identities
}

// Once asks the nth iteration of a plan's first phase a single time, one path after
// the other, and compares the answers: what `cutover call` shows. The plan's pace, its
// buckets and gates play no part; its captures, expectations, caps and journal do. The
// error is *NotReady when signing in failed.
func Once(ctx context.Context, p *plan.Plan, n uint64, d Deps) (*Conversation, error) {
	r, err := newRunner(ctx, p, d)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	defer r.hardNow()
	defer r.stopNow(errDone)
	defer context.AfterFunc(ctx, r.hardNow)()
	if err := r.warm(); err != nil {
		r.pairs.close()
		return nil, &NotReady{err}
	}
	r.start = r.clock.Now()
	a, known := p.Arrival(0, n)
	if !known {
		r.pairs.close()
		return nil, fmt.Errorf("run: the plan has no arrival %d", n)
	}
	a.Sampled, a.Noisy = true, false
	pair := r.pairs.open(&a, n)
	out := &Conversation{}
	for side := range p.Sides {
		out.Said = append(out.Said, r.converse(side, &a, n, pair)...)
		if pair != nil {
			r.pairs.ended(pair, side, completed)
		}
	}
	r.pairs.close()
	if r.pairs.comparer != nil {
		report := r.pairs.comparer.Report()
		out.Findings, out.Comparison, out.Identities = report.Findings, report.Comparison, report.Identities
	}
	if failure := r.failure.Load(); failure != nil {
		return out, *failure
	}
	return out, ctx.Err()
}

// converse asks one side every step until one does not end well.
func (r *runner) converse(side int, a *plan.Arrival, n uint64, pair *pairing) (out []Said) {
	w := r.newWorker(side)
	l := &leg{side: side, number: n, measured: true, arrival: *a, due: r.clock.Now(), pair: pair}
	sc := &r.plan.Scenarios[a.Scenario]
	w.scope.begin(r.plan, l)
	v := visit{leg: l, lane: r.lanes[side][a.Mailbox]}
	if !w.waiter.enter(r, v.lane) {
		return nil
	}
	defer func() { r.pass(v.lane, r.clock.Now()) }()
	for i := range sc.Steps {
		v.step, v.index, v.ask, v.due = &sc.Steps[i], i, &sc.Steps[i].Asks[side], r.clock.Now()
		one := Said{Scenario: sc.Name, Step: v.step.Name, Path: r.plan.Sides[side].Path, Side: r.plan.Sides[side].Side, Endpoint: v.step.Endpoint}
		if v.ask.Template == nil || !w.wanted(v.step) {
			one.Reason = or(v.ask.Reason, "its condition does not hold")
			out = append(out, one)
			continue
		}
		before := r.faults.total()
		_, last, stop := w.step(&v)
		one.Method, one.URL = w.req.Method, w.req.URL
		one.RequestHeader, one.RequestBody = append(wire.Header(nil), w.req.Header...), append([]byte(nil), w.req.Body...)
		one.Call, one.Outcome = w.call.Clone(), last.String()
		if r.faults.total() > before {
			one.Reason = r.faults.lastReason()
		}
		out = append(out, one)
		if stop {
			return out
		}
	}
	return out
}

// total is how many faults were seen so far.
func (f *faults) total() (n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, count := range f.seen {
		n += count
	}
	return n
}

// lastReason is the reason seen last.
func (f *faults) lastReason() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}
