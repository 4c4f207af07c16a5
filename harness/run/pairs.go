package run

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/conform"
	"cutover/harness/plan"
	"cutover/harness/record"
	"cutover/harness/wire"
)

// queueBytes bounds the answers that wait to be compared, on either side of their
// pair: 64 MiB.
const queueBytes = 64 << 20

// comparers is how many goroutines compare. The load matters more.
const comparers = 2

// Why pairs are not compared.
const (
	skipQueue = "no room in the queue"
	skipOther = "the other path's leg did not get there"
)

// pairs collects the answers of both legs of an iteration and hands them to the
// comparison, off the hot path. Halves wait for each other by arrival.
type pairs struct {
	run         *runner
	comparer    *conform.Comparer // nil: nothing is compared
	queue       chan *pairing     // closed by close
	wait        sync.WaitGroup    // comparers
	further     chan *pairing     // iterations to look into further; closed by close
	followed    sync.WaitGroup    // followers
	bytes       atomic.Int64
	diverged    []atomic.Bool // by mailbox: a write succeeded on one side only
	divergences divergences
	keeping     *keeping // of a run of one side; nil: nobody wants its answers

	differences differences

	mu  sync.Mutex // guards met
	met map[uint64]*pairing
}

// pairing is one iteration whose answers are compared.
type pairing struct {
	arrival  plan.Arrival
	number   uint64
	diverged bool
	split    int               // the step behind the first write that succeeded on one side only, 0 for none
	noisy    bool              // its reads are asked a second time
	before   *record.Iteration // what a record has of it, in a run of one side
	halves   [2]half
	out      atomic.Int32 // legs that have not ended
}

// half is what one leg was answered. It is written by its worker until its leg has
// ended, and read after both have.
type half struct {
	answers []answered
	full    bool // the queue had no room for some answer
	cut     bool // the leg was dropped, interrupted or never made
	bytes   int64
}

// answered is one answer, kept until its pair is complete.
type answered struct {
	step     int
	answer   conform.Answer
	ok       bool
	timed    bool          // as expected, in a measured phase
	response time.Duration // from when the step was due
	wrote    bool          // a write that succeeded
	refs     []taken
	next     string // the following page, when pages are drained
	// What following up brought.
	again *conform.Answer
	pages [][]byte
	cut   string // why the pages end early
	loop  int    // the page to which the last one's link leads back, 0 for none
}

func newPairs(r *runner) *pairs {
	p := &pairs{run: r, met: map[uint64]*pairing{}, diverged: make([]atomic.Bool, len(r.plan.Mailboxes))}
	if len(r.plan.Sides) < 2 {
		if p.keeping = newKeeping(r, p); p.keeping != nil {
			p.comparer = p.keeping.comparer
		}
		return p
	}
	p.comparer = conform.New(conform.Options{
		Left: r.dialects[0], Right: r.dialects[1], Stores: or(r.plan.Suite.Compare.Stores, r.plan.Profile.Stores),
		Content: r.plan.Suite.Compare.Content, Rules: r.plan.Suite.Compare.Rules, Identities: identities(r.plan),
		ShowValues: r.deps.ShowValues, Key: r.deps.Key, Since: r.clock.Now(), Learned: r.deps.Learned, Tag: r.common.tag,
	})
	for i := range r.plan.Scenarios {
		sc := &r.plan.Scenarios[i]
		for j := range sc.Steps {
			for _, a := range sc.Steps[j].Asks {
				if a.Template == nil {
					p.comparer.NotComparable(sc.Name, sc.Steps[j].Name, a.Reason)
				}
			}
		}
	}
	p.queue = make(chan *pairing, 4096)
	p.startFollowers()
	for range comparers {
		p.wait.Go(func() {
			for one := range p.queue {
				p.compare(one)
			}
		})
	}
	return p
}

// identities are the addresses of each pair of mailboxes.
func identities(p *plan.Plan) [][2]string {
	var out [][2]string
	add := func(left, right string) {
		if left != "" && right != "" {
			out = append(out, [2]string{left, right})
		}
	}
	for _, m := range p.Mailboxes {
		l, r := m.Address[p.Sides[0].Path], m.Address[p.Sides[1].Path]
		add(l.SMTP, r.SMTP)
		if l.UPN != l.SMTP || r.UPN != r.SMTP {
			add(l.UPN, r.UPN)
		}
	}
	return out
}

// open makes the pairing of an arrival of an open phase, nil when it is not compared.
func (p *pairs) open(a *plan.Arrival, number uint64) *pairing {
	if p.keeping != nil {
		return p.keeping.open(a, number)
	}
	if p.comparer == nil || !a.Sampled {
		return nil
	}
	one := &pairing{arrival: *a, number: number, noisy: a.Noisy}
	one.out.Store(2)
	return one
}

// meet returns the pairing of an arrival of a closed phase, whose two users meet
// when they meet.
func (p *pairs) meet(a *plan.Arrival, number uint64) *pairing {
	if p.keeping != nil {
		return p.keeping.open(a, number)
	}
	if p.comparer == nil || !a.Sampled {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.met[number]; one != nil {
		delete(p.met, number)
		return one
	}
	one := p.open(a, number)
	p.met[number] = one
	return one
}

// keep retains an answer for the comparison. A repeated step is compared once, a
// polled one not at all: when it is visible differs by nature.
func (r *runner) keep(w *worker, v *visit, n int, response time.Duration, o outcome) {
	pair := v.leg.pair
	if pair == nil || n > 0 || v.step.Until != nil || o == failed(wire.Canceled) || o == tooLate || o == failed(wire.NoToken) {
		return
	}
	h := &pair.halves[w.side]
	size := int64(len(w.call.Response.Body)) + 512
	if r.pairs.bytes.Add(size) > queueBytes {
		r.pairs.bytes.Add(-size)
		h.full = true
		return
	}
	h.bytes += size
	call := w.call.Clone()
	one := answered{step: v.index, timed: o == ok && v.leg.measured, response: response, ok: o == ok, wrote: v.ask.Writes && o == ok && call.Response.Status < 400, answer: conform.Answer{
		Status: call.Response.Status, Header: call.Response.Header, Body: call.Response.Body,
		Failure: call.Failure, Throttled: o == throttled, Truncated: call.Response.Truncated,
	}}
	for _, name := range v.step.Needs {
		if value, found := w.scope.Lookup(name); found {
			one.refs = append(one.refs, taken{name, value})
		}
	}
	if r.plan.Drain && o == ok && w.req.Method == "GET" && bytes.Contains(call.Response.Body, []byte("nextLink")) {
		one.next, _ = r.plan.Sides[w.side].Adapter.Next(w.parsed())
	}
	h.answers = append(h.answers, one)
}

// ended says that one of the pair's legs is over. The last one hands the pair on.
func (p *pairs) ended(one *pairing, side int, b bucket) {
	if b == dropped || b == interrupted || b == notStarted {
		one.halves[side].cut = true
	}
	if one.out.Add(-1) > 0 {
		return
	}
	if p.keeping != nil {
		p.keeping.ended(one)
		return
	}
	// Legs of a mailbox with a writer end in order on each side, so that what one pair
	// made different is known before the next pair is complete.
	box := &p.diverged[one.arrival.Mailbox]
	one.diverged = box.Load()
	if p.run.plan.Scenarios[one.arrival.Scenario].Writes {
		if step, side, found := oneSided(one); found {
			p.diverge(one, step, side)
		}
	}
	if p.follows(one) {
		select {
		case p.further <- one:
			return
		default: // the followers are busy: compared as it is
			for side := range one.halves {
				for i := range one.halves[side].answers {
					one.halves[side].answers[i].cut = skipQueue
				}
			}
		}
	}
	p.hand(one)
}

// hand passes a complete pair on to the comparers.
func (p *pairs) hand(one *pairing) {
	select {
	case p.queue <- one:
	default:
		p.skipAll(one, skipQueue)
	}
}

// abandon says that a leg will never be made.
func (p *pairs) abandon(one *pairing, side int) {
	if one != nil {
		p.ended(one, side, notStarted)
	}
}

// oneSided finds the first write that succeeded on one side only.
func oneSided(one *pairing) (step, side int, found bool) {
	var wrote [2]map[int]bool
	for side := range one.halves {
		wrote[side] = map[int]bool{}
		for _, a := range one.halves[side].answers {
			if a.wrote {
				wrote[side][a.step] = true
			}
		}
	}
	for s := range wrote {
		for at := range wrote[s] {
			if !wrote[1-s][at] && (!found || at < step) {
				step, side, found = at, s, true
			}
		}
	}
	return step, side, found
}

func (p *pairs) release(one *pairing) {
	p.bytes.Add(-one.halves[0].bytes - one.halves[1].bytes)
}

func (p *pairs) skipAll(one *pairing, reason string) {
	p.comparer.Skip(reason, uint64(max(len(one.halves[0].answers), len(one.halves[1].answers))))
	p.release(one)
}

// compare matches the answers of a pair by step.
func (p *pairs) compare(one *pairing) {
	defer p.release(one)
	sc := &p.run.plan.Scenarios[one.arrival.Scenario]
	left, right := one.halves[0].answers, one.halves[1].answers
	for len(left) > 0 || len(right) > 0 {
		switch {
		case len(right) == 0 || len(left) > 0 && left[0].step < right[0].step:
			p.alone(one, sc, left[0], 1)
			left = left[1:]
		case len(left) == 0 || right[0].step < left[0].step:
			p.alone(one, sc, right[0], 0)
			right = right[1:]
		default:
			p.both(one, sc, left[0], right[0])
			left, right = left[1:], right[1:]
		}
	}
}

// alone counts an answer without a counterpart, unless the other path does not ask
// that step at all, which is told elsewhere.
func (p *pairs) alone(one *pairing, sc *plan.Scenario, a answered, other int) {
	if sc.Steps[a.step].Asks[other].Template == nil {
		return
	}
	reason := skipOther
	if one.halves[other].full || one.halves[1-other].full {
		reason = skipQueue
	}
	p.comparer.Skip(reason, 1)
}

// offered is how many iterations a second the plan wanted when an arrival was due, 0 in a closed phase.
func (r *runner) offered(a *plan.Arrival) float64 {
	if open := r.plan.Phases[a.Phase].Load.Open; open != nil {
		return open.RateAt(a.Due)
	}
	return 0
}

// pairOf is what the comparison is told about two answers to one step.
func (p *pairs) pairOf(one *pairing, sc *plan.Scenario, left, right *answered) conform.Pair {
	st := &sc.Steps[left.step]
	pair := conform.Pair{
		Scenario: sc.Name, Step: st.Name, Endpoint: st.Endpoint, Arrival: one.number, Mailbox: p.run.plan.Mailboxes[one.arrival.Mailbox].Name,
		Left: left.answer, Right: right.answer, Rules: st.Compare, Diverged: one.diverged || one.split > 0 && left.step >= one.split, Expected: left.ok && right.ok,
		OwnWords: st.Asks[0].Own || st.Asks[1].Own, Rate: p.run.offered(&one.arrival),
	}
	if t := st.Asks[0].Template; t != nil {
		pair.Select, pair.Search, pair.Top, pair.LeftNotes = t.Select, t.Searches, t.Top, t.Notes
	}
	if t := st.Asks[1].Template; t != nil {
		pair.RightNotes = t.Notes
	}
	for i := range left.refs {
		if i < len(right.refs) {
			pair.Refs = append(pair.Refs, conform.Ref{Left: left.refs[i].value, Right: right.refs[i].value, Name: left.refs[i].name})
		}
	}
	pair.LeftAgain, pair.RightAgain = left.again, right.again
	return pair
}

func (p *pairs) both(one *pairing, sc *plan.Scenario, left, right answered) {
	pair := p.pairOf(one, sc, &left, &right)
	if left.timed && right.timed {
		p.differences.note(one.arrival.Scenario, left.step, left.response, right.response)
	}
	p.comparer.Compare(pair)
	if left.next != "" || right.next != "" {
		p.drained(pair, &sc.Steps[left.step], &left, &right)
	}
}

// close waits until everything that was handed in has been compared.
func (p *pairs) close() {
	if p.keeping != nil {
		p.keeping.close()
		return
	}
	if p.comparer == nil {
		return
	}
	p.mu.Lock()
	for _, one := range p.met {
		p.skipAll(one, skipOther)
	}
	p.met = nil
	p.mu.Unlock()
	close(p.further)
	p.followed.Wait()
	close(p.queue)
	p.wait.Wait()
}
