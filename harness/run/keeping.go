package run

import (
	"fmt"
	"sync"

	"cutover/harness/conform"
	"cutover/harness/plan"
	"cutover/harness/record"
	"cutover/harness/result"
)

// A run of one side has no pairs. It can write its answers down, and it can be held against what the other
// side had answered before. Either way they are veiled first: what is kept, and what is compared, are
// structures and pseudonyms.

// Why answers of one side are not compared.
const (
	skipUnasked   = "asked now and not before"
	skipUnanswerd = "asked before and not now"
	skipOtherwise = "asked before of another mailbox or by another scenario"
)

// Keeper takes in the veiled answers of each iteration; *record.Writer is one.
type Keeper interface{ Keep(record.Iteration) error }

// keeping is what becomes of the answers of a run of one side.
type keeping struct {
	run      *runner
	pairs    *pairs
	veil     *conform.Veil
	comparer *conform.Comparer // nil: the answers are only written down
	queue    chan *pairing     // closed by close
	wait     sync.WaitGroup
	recorded int // the side of the record, 0 for left
}

// newKeeping returns nil when nobody wants the answers.
func newKeeping(r *runner, p *pairs) *keeping {
	against := r.deps.Against
	if r.deps.Record == nil && against == nil {
		return nil
	}
	k := &keeping{run: r, pairs: p, queue: make(chan *pairing, 4096), veil: conform.NewVeil(conform.VeilOptions{
		Key: r.deps.Key, Dialect: r.dialects[0], Since: r.clock.Now(), Own: ownAddresses(r.plan), Marks: []string{r.common.tag, r.common.runID},
	})}
	if against != nil {
		o := conform.Options{
			Left: &against.Header.Dialect, Right: r.dialects[0], Stores: or(r.plan.Suite.Compare.Stores, "moved"),
			Content: r.plan.Suite.Compare.Content, Rules: r.plan.Suite.Compare.Rules, Key: r.deps.Key, Veiled: true, Learned: r.deps.Learned, Tag: k.veil.Text(r.common.tag),
		}
		if against.Header.Side == plan.Right {
			o.Left, o.Right, k.recorded = o.Right, o.Left, 1
		}
		k.comparer = conform.New(o)
		if !against.Complete {
			k.comparer.NotComparable("*", "*", "the record is not complete: "+against.Why)
		}
		for i := range r.plan.Scenarios {
			for j := range r.plan.Scenarios[i].Steps {
				if st := &r.plan.Scenarios[i].Steps[j]; st.Asks[0].Template == nil {
					k.comparer.NotComparable(r.plan.Scenarios[i].Name, st.Name, st.Asks[0].Reason)
				}
			}
		}
	}
	for range followers {
		k.wait.Go(k.work)
	}
	return k
}

// heldAgainst describes the record that the run is held against, nil when there is none.
func (r *runner) heldAgainst() *result.Before {
	if r.deps.Against == nil {
		return nil
	}
	h := r.deps.Against.Header
	return &result.Before{RunID: h.RunID, Made: h.Made, Side: h.Side, Path: h.Path, Dialect: h.Dialect.Name, Complete: r.deps.Against.Complete, Why: r.deps.Against.Why}
}

// ownAddresses are all addresses of the asked mailboxes, on every path of the profile, with the mailbox's
// name: it keeps its name when it moves.
func ownAddresses(p *plan.Plan) [][2]string {
	var own [][2]string
	for _, m := range p.Mailboxes {
		for _, a := range m.Address {
			for _, address := range []string{a.SMTP, a.UPN} {
				if address != "" {
					own = append(own, [2]string{address, m.Name})
				}
			}
		}
	}
	return own
}

// open makes what collects the answers of an iteration.
func (k *keeping) open(a *plan.Arrival, number uint64) *pairing {
	if !a.Sampled {
		return nil
	}
	one := &pairing{arrival: *a, number: number, noisy: a.Noisy}
	one.out.Store(1)
	return one
}

// ended takes an iteration whose leg is over.
func (k *keeping) ended(one *pairing) {
	box := &k.pairs.diverged[one.arrival.Mailbox]
	one.diverged = box.Load()
	if against := k.run.deps.Against; against != nil {
		if it, ok := against.Take(one.number); ok {
			one.before = &it
		}
		// Legs of a mailbox with a writer end in order, so that what one iteration made different is
		// known before the next one ends.
		if k.run.plan.Scenarios[one.arrival.Scenario].Writes {
			if step, side, found := k.wroteOtherwise(one); found {
				k.pairs.diverge(one, step, side)
			}
		}
	}
	select {
	case k.queue <- one:
	default:
		k.skip(skipQueue, len(one.halves[0].answers))
		k.pairs.release(one)
	}
}

func (k *keeping) skip(reason string, n int) {
	if k.comparer != nil && n > 0 {
		k.comparer.Skip(reason, uint64(n))
	}
}

// wroteOtherwise finds the first write that succeeded before or now, and not both times.
func (k *keeping) wroteOtherwise(one *pairing) (step, side int, found bool) {
	wrote := map[string]bool{}
	if one.before != nil {
		for _, a := range one.before.Answers {
			wrote[a.Step] = a.Wrote
		}
	}
	now := map[string]bool{}
	for _, a := range one.halves[0].answers {
		now[k.step(one, a.step).Name] = a.wrote
	}
	for i, st := range k.run.plan.Scenarios[one.arrival.Scenario].Steps {
		switch {
		case wrote[st.Name] && !now[st.Name]:
			return i, k.recorded, true
		case now[st.Name] && !wrote[st.Name]:
			return i, 1 - k.recorded, true
		}
	}
	return 0, 0, false
}

func (k *keeping) step(one *pairing, i int) *plan.Step {
	return &k.run.plan.Scenarios[one.arrival.Scenario].Steps[i]
}

// work follows iterations up, veils them, and writes or compares them.
func (k *keeping) work() {
	f := &follower{run: k.run, workers: []*worker{k.run.newWorker(0)}}
	for one := range k.queue {
		if k.pairs.follows(one) {
			k.follow(f, one)
		}
		it := record.Iteration{Number: one.number, Scenario: k.run.plan.Scenarios[one.arrival.Scenario].Name, Mailbox: k.run.plan.Mailboxes[one.arrival.Mailbox].Name}
		for i := range one.halves[0].answers {
			it.Answers = append(it.Answers, k.veiled(one, &one.halves[0].answers[i]))
		}
		k.pairs.release(one)
		if keeper := k.run.deps.Record; keeper != nil {
			if err := keeper.Keep(it); err != nil {
				k.run.abort(fmt.Errorf("the record: %w", err))
			}
		}
		if k.comparer != nil {
			k.compare(one, it)
		}
	}
}

// follow asks the reads of an iteration a second time, and the following pages of its lists.
func (k *keeping) follow(f *follower, one *pairing) {
	for i := range one.halves[0].answers {
		a := &one.halves[0].answers[i]
		if one.noisy && a.ok && !k.step(one, a.step).Asks[0].Writes {
			a.again = f.again(one, 0, a.step, a)
		}
		if a.next != "" {
			f.pages(one, 0, a.step, a)
		}
	}
}

// veiled is an answer as it may be kept.
func (k *keeping) veiled(one *pairing, a *answered) record.Answer {
	st := k.step(one, a.step)
	out := record.Answer{Step: st.Name, Said: record.Of(k.veil.Answer(a.answer)), OK: a.ok, Wrote: a.wrote, Own: st.Asks[0].Own, Cut: a.cut}
	if t := st.Asks[0].Template; t != nil {
		out.Notes = t.Notes
	}
	for _, ref := range a.refs {
		out.Refs = append(out.Refs, record.Ref{Name: ref.name, Value: k.veil.ID(ref.value)})
	}
	if a.again != nil {
		said := record.Of(k.veil.Answer(*a.again))
		out.Again = &said
	}
	if len(a.pages) > 0 && a.cut == "" {
		whole := a.answer
		if whole.Body = joined(k.run.dialects[0], a); whole.Body != nil {
			said := record.Of(k.veil.Answer(whole))
			out.List = &said
		}
	}
	return out
}

// compare holds an iteration against what the record has of it.
func (k *keeping) compare(one *pairing, now record.Iteration) {
	before := one.before
	switch {
	case before == nil:
		k.skip(skipUnasked, len(now.Answers))
		return
	case before.Scenario != now.Scenario || before.Mailbox != now.Mailbox:
		k.skip(skipOtherwise, len(now.Answers))
		return
	}
	known := map[string]*record.Answer{}
	for i := range before.Answers {
		known[before.Answers[i].Step] = &before.Answers[i]
	}
	for i := range now.Answers {
		a := &now.Answers[i]
		if was := known[a.Step]; was != nil {
			delete(known, a.Step)
			k.both(one, one.halves[0].answers[i].step, was, a)
		} else {
			k.skip(skipUnasked, 1)
		}
	}
	k.skip(skipUnanswerd, len(known))
}

// both compares what a step was answered before and now.
func (k *keeping) both(one *pairing, step int, was, is *record.Answer) {
	st, left, right := k.step(one, step), was, is
	if k.recorded == 1 {
		left, right = is, was
	}
	pair := conform.Pair{
		Scenario: k.run.plan.Scenarios[one.arrival.Scenario].Name, Step: st.Name, Endpoint: st.Endpoint, Arrival: one.number,
		Mailbox: k.run.plan.Mailboxes[one.arrival.Mailbox].Name, Left: left.Said.Answer(), Right: right.Said.Answer(), Rules: st.Compare,
		Diverged: one.diverged || one.split > 0 && step >= one.split, Expected: left.OK && right.OK, OwnWords: left.Own || right.Own, LeftNotes: left.Notes, RightNotes: right.Notes,
		Rate: k.run.offered(&one.arrival),
	}
	if t := st.Asks[0].Template; t != nil {
		pair.Select, pair.Search, pair.Top = t.Select, t.Searches, t.Top
	}
	for i := range left.Refs {
		if i < len(right.Refs) {
			pair.Refs = append(pair.Refs, conform.Ref{Left: left.Refs[i].Value, Right: right.Refs[i].Value, Name: left.Refs[i].Name})
		}
	}
	if left.Again != nil && right.Again != nil {
		la, ra := left.Again.Answer(), right.Again.Answer()
		pair.LeftAgain, pair.RightAgain = &la, &ra
	}
	k.comparer.Compare(pair)
	k.lists(pair, left, right)
}

// lists compares two lists whose pages were followed. A list of one page is all of its list.
func (k *keeping) lists(pair conform.Pair, left, right *record.Answer) {
	switch {
	case left.List == nil && right.List == nil && left.Cut == "" && right.Cut == "":
		return
	case left.Cut != "" || right.Cut != "":
		k.skip(or(left.Cut, right.Cut), 1)
		return
	}
	pair.Step += suffixes[paged]
	pair.LeftAgain, pair.RightAgain = nil, nil
	if left.List != nil {
		pair.Left = left.List.Answer()
	}
	if right.List != nil {
		pair.Right = right.List.Answer()
	}
	k.comparer.Compare(pair)
}

// close waits until everything was written or compared, and counts what the record has beyond it.
func (k *keeping) close() {
	close(k.queue)
	k.wait.Wait()
	if k.comparer == nil {
		return
	}
	for _, it := range k.run.deps.Against.Rest() {
		k.skip(skipUnanswerd, len(it.Answers))
	}
}
