package run

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"cutover/harness/conform"
	"cutover/harness/plan"
	"cutover/harness/request"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// When the load is over, the first example of a difference is asked once more, left and right, to see
// whether it is still there: first with the one property and the one item that it is about, then as the
// suite asks. Only reads are sent, through the lanes, caps and door of the run, counted as probes, outside
// buckets and latencies, and nothing at all once the run was stopped.
const (
	mostProofs = plan.MostProofs // findings that are asked again, one a rule
	provers    = 4               // that ask at a time
)

// Why a finding is not asked again.
const (
	becauseStopped = "the run was stopped"
	becauseWrite   = "the request changes the mailbox"
	becausePost    = "only GET requests are sent again"
	becausePages   = "it takes every page of the list to see it"
	becauseMany    = "it takes several answers to see it"
	becauseOnce    = "it depends on the moment"
	becauseLoad    = "it shows only under load"
	becauseBudget  = "the run asks no more than 50 examples again"
	becauseOther   = "another place of the same rule was"
	becauseChanged = "its scenario changes the mailbox, which is no longer as it was"
	becauseSilent  = "a side did not answer"
)

// proof is a finding with what is needed to ask for it again.
type proof struct {
	finding *result.Finding
	one     *pairing
	steps   []plan.Step // the scenario's
	step    int
	refs    []conform.Ref
}

// prove adds evidence to the findings of a run that is over.
func (r *runner) prove(out *result.Result) {
	if r.pairs.comparer == nil || r.pairs.keeping != nil {
		return
	}
	var chosen []*proof
	seen := map[string]bool{}
	for i := range out.Findings {
		p := r.proofOf(&out.Findings[i])
		if p == nil {
			continue
		}
		f := p.finding
		f.Evidence = &result.Evidence{Resent: result.NotResent, Because: r.unsendable(p)}
		switch {
		case f.Evidence.Because != "":
		case seen[f.ID]:
			f.Evidence.Because = becauseOther
		case len(chosen) == mostProofs:
			f.Evidence.Because = becauseBudget
		default:
			seen[f.ID] = true
			chosen = append(chosen, p)
			continue // it gets its lines when it is known how much of the request is needed
		}
		r.lines(p, r.newProver(), nil)
	}
	r.ask(chosen)
	r.books.second.reset()
	r.recorder.drain(r.books.second)
	r.books.total.merge(r.books.second)
	out.Traffic = r.books.traffic()
	if r.deps.Traffic != nil {
		out.Traffic = r.deps.Traffic()
	}
}

// ask lets the provers ask for the chosen findings.
func (r *runner) ask(chosen []*proof) {
	queue := make(chan *proof, len(chosen))
	for _, p := range chosen {
		queue <- p
	}
	close(queue)
	var wait sync.WaitGroup
	for range min(provers, len(chosen)) {
		f := r.newProver()
		wait.Go(func() {
			for p := range queue {
				f.prove(p)
			}
		})
	}
	wait.Wait()
}

func (r *runner) newProver() *follower {
	return &follower{run: r, workers: []*worker{r.newWorker(0), r.newWorker(1)}}
}

// proofOf finds the step and the arrival of a finding's example, nil when it has none.
func (r *runner) proofOf(f *result.Finding) *proof {
	if f.Example == nil {
		return nil
	}
	a, ok := r.arrivalOf(f.Example.Arrival)
	if !ok || r.plan.Scenarios[a.Scenario].Name != f.Scenario {
		return nil
	}
	p := &proof{finding: f, steps: r.plan.Scenarios[a.Scenario].Steps, refs: r.pairs.comparer.Origin(*f)}
	p.one = &pairing{arrival: a, number: f.Example.Arrival}
	name := strings.TrimSuffix(f.Step, suffixes[paged])
	p.step = slices.IndexFunc(p.steps, func(st plan.Step) bool { return st.Name == name })
	if p.step < 0 || p.steps[p.step].Asks[0].Template == nil || p.steps[p.step].Asks[1].Template == nil {
		return nil
	}
	return p
}

// arrivalOf is the arrival of a number that counts over all phases, as schedule does.
func (r *runner) arrivalOf(number uint64) (plan.Arrival, bool) {
	for i := range r.plan.Phases {
		n := r.plan.Phases[i].Count()
		if n == 0 {
			n = endless
		}
		if number < n {
			return r.plan.Arrival(i, number)
		}
		number -= n
	}
	return plan.Arrival{}, false
}

// unsendable says why a finding cannot be asked again, "" when it can.
func (r *runner) unsendable(p *proof) string {
	st := &p.steps[p.step]
	switch {
	case r.stop.Err() != nil:
		return becauseStopped
	case st.Asks[0].Writes || st.Asks[1].Writes:
		return becauseWrite
	case st.Asks[0].Template.Method != "GET" || st.Asks[1].Template.Method != "GET":
		return becausePost
	case !r.pairs.comparer.Single(*p.finding):
		return becauseMany
	case p.finding.Step != st.Name:
		return becausePages
	case p.finding.Class == result.Timing:
		return becauseOnce
	case p.finding.Pressure != "":
		return becauseLoad
	}
	return ""
}

// prove asks for one finding.
func (f *follower) prove(p *proof) {
	e := p.finding.Evidence
	if narrow := f.run.reduced(p); narrow != nil {
		if shown, _ := f.shows(p, narrow); shown {
			e.Resent = result.PersistsReduced
			f.run.lines(p, f, narrow)
			return
		}
	}
	shown, because := f.shows(p, nil)
	switch {
	case shown:
		e.Resent = result.PersistsFull
	case because == becauseStopped:
		e.Because = because
	default:
		e.Resent, e.Because = result.NotReproduced, because
		if because == "" && f.run.plan.Scenarios[p.one.arrival.Scenario].Writes {
			e.Because = becauseChanged
		}
	}
	f.run.lines(p, f, nil)
}

// shows asks both sides, with other templates when some are given, and reports whether the finding is
// in their answers.
func (f *follower) shows(p *proof, with []*request.Template) (shown bool, because string) {
	var said [2]answered
	for side := range said {
		if f.run.stop.Err() != nil {
			return false, becauseStopped
		}
		w, v, fine := f.stand(p, side, with)
		if !fine || !f.once(w, v, wire.Probe) {
			return false, becauseSilent
		}
		resp := &w.call.Response
		said[side] = answered{step: p.step, refs: p.taken(side), answer: conform.Answer{
			Status: resp.Status, Header: slices.Clone(resp.Header), Body: bytes.Clone(resp.Body), Truncated: resp.Truncated,
		}}
	}
	pair := f.run.pairs.pairOf(p.one, &f.run.plan.Scenarios[p.one.arrival.Scenario], &said[0], &said[1])
	if with != nil {
		pair.Select = with[0].Select
	}
	again := f.run.pairs.comparer.Again()
	again.Compare(pair)
	return slices.ContainsFunc(again.Report().Findings, func(o result.Finding) bool {
		return o.ID == p.finding.ID && o.Pointer == p.finding.Pointer
	}), ""
}

// stand readies a side's request for a finding's example.
func (f *follower) stand(p *proof, side int, with []*request.Template) (*worker, *visit, bool) {
	w := f.workers[side]
	l := &leg{side: side, phase: p.one.arrival.Phase, number: p.one.number, arrival: p.one.arrival, due: f.run.clock.Now()}
	w.scope.begin(f.run.plan, l)
	for _, ref := range p.taken(side) {
		w.scope.take(ref.name, ref.value)
	}
	ask := p.steps[p.step].Asks[side]
	if with != nil {
		ask.Template = with[side]
	}
	v := &visit{leg: l, lane: f.run.lanes[side][p.one.arrival.Mailbox], step: &p.steps[p.step], index: p.step, ask: &ask, due: l.due}
	return w, v, w.prepare(v) == nil
}

// taken are the example's captures on one side.
func (p *proof) taken(side int) []taken {
	var out []taken
	for _, ref := range p.refs {
		value := ref.Left
		if side == 1 {
			value = ref.Right
		}
		out = append(out, taken{ref.Name, value})
	}
	return out
}

// reduced says the step's question for the one item and the one property that the finding is about,
// nil when that is not possible or nothing less than what the suite asks.
func (r *runner) reduced(p *proof) []*request.Template {
	segments := strings.Split(strings.TrimPrefix(p.finding.Pointer, "/"), "/")
	list := segments[0] == "value" && len(segments) > 1 && segments[1] == "*"
	if list {
		segments = segments[2:]
	}
	if len(segments) == 0 || segments[0] == "" || strings.ContainsAny(segments[0], "@(*") || p.steps[p.step].Source == nil {
		return nil
	}
	var out []*request.Template
	for i, side := range r.plan.Sides {
		asked := p.steps[p.step].Source.Asked(side.Path, side.Side)
		op, less := narrowed(asked.Operation, segments[0], list)
		if asked.OwnWords || !less || side.Profile.Dialect.Kind == "plain" { // what a plain path asks is not ours to change
			return nil
		}
		t, err := side.Adapter.Prepare(op)
		if err != nil || t.Endpoint != p.steps[p.step].Asks[i].Template.Endpoint {
			return nil
		}
		out = append(out, t)
	}
	return out
}

// narrowed asks an operation for one property and, of a list, for one item.
func narrowed(op suites.Operation, property string, list bool) (suites.Operation, bool) {
	if strings.Contains(op.URL, "?") {
		return op, false
	}
	wanted := map[string]string{"$select": property}
	if list {
		wanted["$top"] = "1"
	}
	var query strictyaml.Map[suites.QueryValue]
	same := 0
	for _, e := range op.Query {
		value, ours := wanted[e.Key]
		switch {
		case ours && e.Value.Text() == value:
			same++
		case ours:
		case e.Key == "$expand" && !strings.HasPrefix(e.Value.Text(), property):
		default:
			query = append(query, e)
		}
	}
	less := same < len(wanted) || len(query)+same < len(op.Query)
	for _, name := range []string{"$select", "$top"} {
		if value, ok := wanted[name]; ok {
			query = append(query, strictyaml.Entry[suites.QueryValue]{Key: name, Value: suites.QueryValue{Items: []string{value}}})
		}
	}
	op.Query = query
	return op, less
}
