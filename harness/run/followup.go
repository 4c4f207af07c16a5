package run

import (
	"bytes"
	"net/url"
	"slices"
	"time"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/plan"
	"cutover/harness/wire"
)

// Some iterations are looked into further once both of their legs are over: the
// following pages of their lists, and their reads a second time to tell noise from
// difference. That happens outside all latencies and buckets, through the same lanes and
// caps, and is left out when there is more of it than the followers get to.
const (
	followers   = 4              // goroutines
	followQueue = 64             // iterations that wait for one
	mostPages   = plan.MostPages // of one list
)

// Why followed pairs are not compared.
const (
	skipPages  = "more than 20 pages"
	skipBroken = "a following page was not answered"
)

// follower asks for both sides.
type follower struct {
	run     *runner
	workers []*worker // one for each side
}

// follows reports whether an iteration is to be looked into further.
func (p *pairs) follows(one *pairing) bool {
	if one.diverged || p.run.stop.Err() != nil {
		return false
	}
	if one.noisy {
		return true
	}
	for side := range one.halves {
		for i := range one.halves[side].answers {
			if one.halves[side].answers[i].next != "" {
				return true
			}
		}
	}
	return false
}

// startFollowers begins what close ends.
func (p *pairs) startFollowers() {
	p.further = make(chan *pairing, followQueue)
	for range followers {
		f := &follower{run: p.run, workers: []*worker{p.run.newWorker(0), p.run.newWorker(1)}}
		p.followed.Go(func() {
			for one := range p.further {
				f.follow(one)
				p.hand(one)
			}
		})
	}
}

// follow asks everything that is still wanted of one iteration.
func (f *follower) follow(one *pairing) {
	sc := &f.run.plan.Scenarios[one.arrival.Scenario]
	for i := range sc.Steps {
		left, right := one.halves[0].at(i), one.halves[1].at(i)
		if left == nil || right == nil {
			continue
		}
		if one.noisy && !sc.Steps[i].Asks[0].Writes && !sc.Steps[i].Asks[1].Writes && left.ok && right.ok {
			// Left and right were asked by their legs; now the other way round.
			right.again = f.again(one, 1, i, right)
			left.again = f.again(one, 0, i, left)
		}
		if left.next != "" || right.next != "" {
			f.pages(one, 0, i, left)
			f.pages(one, 1, i, right)
		}
	}
}

// at is the half's answer to a step, nil when there is none.
func (h *half) at(step int) *answered {
	i := slices.IndexFunc(h.answers, func(a answered) bool { return a.step == step })
	if i < 0 {
		return nil
	}
	return &h.answers[i]
}

// ready makes the step's request again, as its leg made it.
func (f *follower) ready(one *pairing, side, step int, a *answered) (*worker, *visit, bool) {
	w := f.workers[side]
	sc := &f.run.plan.Scenarios[one.arrival.Scenario]
	l := &leg{side: side, phase: one.arrival.Phase, measured: true, number: one.number, arrival: one.arrival, due: f.run.clock.Now()}
	w.scope.begin(f.run.plan, l)
	for _, ref := range a.refs {
		w.scope.take(ref.name, ref.value)
	}
	v := &visit{leg: l, lane: f.run.lanes[side][one.arrival.Mailbox], step: &sc.Steps[step], index: step, ask: &sc.Steps[step].Asks[side], due: l.due}
	return w, v, w.prepare(v) == nil
}

// once sends the readied request through the mailbox's lane.
func (f *follower) once(w *worker, v *visit, kind wire.Kind) bool {
	r := f.run
	if !w.waiter.enter(r, v.lane) {
		return false
	}
	defer func() { r.pass(v.lane, r.clock.Now()) }()
	handed, _, o := w.clear(v, false)
	if o != ok {
		return false
	}
	number := r.leaves(w.side, v.leg.arrival.Mailbox, handed)
	w.req.Kind, w.fresh = kind, false
	r.inFlight.Add(1)
	r.doers[w.side].Do(r.hard, &w.req, &w.call)
	r.inFlight.Add(-1)
	w.shard.request(w.side, kind, false, 0, &w.call)
	if w.call.Failure != nil {
		return false
	}
	if pushed, after := r.plan.Sides[w.side].Adapter.Pushback(&w.call.Response); pushed {
		r.pushedBack(w, v, number, after, firstBackoff)
		return false
	}
	return true
}

// again asks a step a second time, nil when no answer came.
func (f *follower) again(one *pairing, side, step int, a *answered) *conform.Answer {
	w, v, fine := f.ready(one, side, step, a)
	if !fine || !f.once(w, v, wire.Probe) {
		return nil
	}
	call := w.call.Clone()
	return &conform.Answer{Status: call.Response.Status, Header: call.Response.Header, Body: call.Response.Body, Truncated: call.Response.Truncated}
}

// pages follows the links of a list until there is none, one leads back, or there are too many, and
// keeps the bodies behind the first one.
func (f *follower) pages(one *pairing, side, step int, a *answered) {
	r := f.run
	adapter := r.plan.Sides[side].Adapter
	served := map[string]int{} // the number of the page that a URL led to
	for next := a.next; next != ""; {
		w, v, fine := f.ready(one, side, step, a)
		if len(served) == 0 {
			served[sameURL(w.req.URL)] = 1
		}
		if a.loop = served[sameURL(next)]; a.loop > 0 {
			return
		}
		if len(a.pages) == mostPages-1 {
			a.cut = skipPages
			return
		}
		served[sameURL(next)] = len(a.pages) + 2
		w.req.URL, w.req.Body = next, nil
		due := r.clock.Now()
		if !fine || !f.once(w, v, wire.Page) || w.call.Response.Status != 200 {
			a.cut = skipBroken
			return
		}
		w.recordPage(v, due)
		a.pages = append(a.pages, bytes.Clone(w.call.Response.Body))
		next, _ = adapter.Next(w.parsed())
	}
}

// sameURL is one text for the spellings of a URL that differ in escaping and in the order of options.
func sameURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	u.RawQuery = u.Query().Encode()
	return u.String()
}

// recordPage records a following page in a row of its own.
func (w *worker) recordPage(v *visit, due time.Time) {
	t := &w.call.Timing
	w.shard.record(&sample{
		row: w.run.recorder.row(w.side, v.leg.arrival.Scenario, v.index, paged), measured: true, outcome: ok, sent: true,
		response: t.Done.Sub(due), service: t.Done.Sub(t.Sent), lag: t.Sent.Sub(due), bytesIn: t.BytesIn, bytesOut: t.BytesOut, reused: t.Reused,
	})
}

// drained compares two lists whose pages were followed, as one list each.
func (p *pairs) drained(pair conform.Pair, st *plan.Step, left, right *answered) {
	if len(left.pages)+len(right.pages) == 0 && left.cut == "" && right.cut == "" && left.loop+right.loop == 0 {
		return
	}
	pair.Step = st.Name + suffixes[paged]
	if left.cut == "" && right.cut == "" || left.loop+right.loop > 0 {
		p.comparer.Pages(pair, left.trail(), right.trail())
	}
	if left.loop > 0 || right.loop > 0 {
		return
	}
	if reason := or(left.cut, right.cut); reason != "" {
		p.comparer.Skip(reason, 1)
		return
	}
	pair.Left.Body = joined(p.run.dialects[0], left)
	pair.Right.Body = joined(p.run.dialects[1], right)
	pair.LeftAgain, pair.RightAgain = nil, nil
	if pair.Left.Body == nil || pair.Right.Body == nil {
		p.comparer.Skip(skipBroken, 1)
		return
	}
	p.comparer.Compare(pair)
}

// trail is the list as the comparison judges its pages.
func (a *answered) trail() conform.Trail {
	return conform.Trail{Pages: append([][]byte{a.answer.Body}, a.pages...), Loop: a.loop}
}

// joined is one list made of all pages, in the side's own spelling; nil when some
// page is no list.
func joined(d *canon.Dialect, a *answered) []byte {
	out := []byte(nil)
	doc := (*canon.Doc)(nil)
	for _, body := range append([][]byte{a.answer.Body}, a.pages...) {
		doc, _ = canon.Parse(body, d, doc)
		value, found := doc.Find("$.value")
		if !found || value.Kind() != canon.Array {
			return nil
		}
		for item := range value.Children() {
			sep := byte(',')
			if out == nil {
				out, sep = append(out, `{"value":`...), '['
			}
			out = append(append(out, sep), item.Raw()...)
		}
	}
	if out == nil {
		return []byte(`{"value":[]}`)
	}
	return append(out, "]}"...)
}
