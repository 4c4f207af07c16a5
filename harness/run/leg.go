package run

import (
	"time"

	"cutover/harness/canon"
	"cutover/harness/expect"
	"cutover/harness/lane"
	"cutover/harness/plan"
	"cutover/harness/wire"
)

// leg is one iteration down one path. It is queued by its ticket and belongs to
// one goroutine at a time.
type leg struct {
	ticket   lane.Ticket
	side     int
	phase    int
	measured bool
	number   uint64 // of the arrival, counted over all phases
	arrival  plan.Arrival
	due      time.Time
	queued   time.Time // when it had to queue for its mailbox; zero: it did not
	pair     *pairing  // nil: not compared
}

// worker drives legs of one side, one after the other. Everything that a request
// needs is kept and used again, so that a static step allocates nothing here.
type worker struct {
	run   *runner
	side  int
	shard *shard
	scope scope
	req   wire.Request
	call  wire.Call
	doc   *canon.Doc
	fresh bool   // doc is that of call
	asked uint32 // requests that the leg has made
	// mailed tells that req mails somebody, and that the tag will find what it leaves.
	mailed bool
	// dropped is why the last leg that was too late was dropped.
	dropped string
	wake    chan *leg // one slot; closed by the pool
	waiter  *waiter   // for its own waits
	next    *worker   // in the pool's list of idle workers
}

func (r *runner) newWorker(side int) *worker {
	return &worker{
		run: r, side: side, shard: r.recorder.shards[r.workers.Add(1)%uint64(len(r.recorder.shards))],
		scope: scope{common: r.common}, wake: make(chan *leg, 1), waiter: newWaiter(),
	}
}

// drive runs a leg that has a slot of its lane, then those that inherit the slot.
func (w *worker) drive(l *leg) {
	now := w.run.clock.Now()
	for l != nil {
		boxLane := w.run.lanes[l.side][l.arrival.Mailbox]
		e := w.leg(l, boxLane, now)
		w.run.end(w.shard, l, e.bucket, e.reason)
		if !e.held {
			return
		}
		l = w.run.release(boxLane, e.at)
		now = e.at
	}
}

// ending is how a leg came to its end.
type ending struct {
	bucket bucket
	reason string // why it was dropped
	at     time.Time
	held   bool // it still holds the slot of its lane
}

// visit is where a leg stands: which step is being asked, and when it was due.
type visit struct {
	leg     *leg
	lane    *lane.Lane
	step    *plan.Step
	index   int
	ask     *plan.Ask
	due     time.Time
	capWait time.Duration // of the request under way
	waited  time.Duration // of the whole leg
	signIn  time.Duration // what waiting for the credential of the request under way took
	now     time.Time     // just read, when nothing that takes time has happened since; else zero
}

// leg asks every step, beginning now, and returns where the leg ends. It holds a
// slot of its lane when it is called.
func (w *worker) leg(l *leg, boxLane *lane.Lane, now time.Time) ending {
	sc := &w.run.plan.Scenarios[l.arrival.Scenario]
	w.scope.begin(w.run.plan, l)
	w.asked = 0
	if lag := now.Sub(l.due); lag > w.run.maxLag {
		return ending{dropped, dropLane, now, true}
	}
	v := visit{leg: l, lane: boxLane, due: l.due, now: now}
	if !l.queued.IsZero() {
		v.capWait = now.Sub(l.queued)
	}
	w.shard.begun(l.phase)
	last, result := ok, completed
	done := l.due
	for i := range sc.Steps {
		v.step, v.index, v.ask = &sc.Steps[i], i, &sc.Steps[i].Asks[l.side]
		if v.ask.Template == nil || !w.wanted(v.step) {
			continue
		}
		if i > 0 || !v.ask.Template.Static {
			v.now = time.Time{}
		}
		if i > 0 {
			v.due = done.Add(v.step.Think)
		}
		if v.step.Think > 0 && i > 0 && !w.think(&v) {
			return ending{interrupted, "", w.run.clock.Now(), false}
		}
		var stop bool
		if done, last, stop = w.step(&v); stop {
			result = bucketOf(last)
			break
		}
	}
	w.whole(&v, last, done, len(sc.Steps))
	if done == l.due {
		done = now // no step was asked
	}
	return ending{result, w.dropped, done, true}
}

// whole records the row of the whole leg, unless it was cut short by the run's
// own end.
func (w *worker) whole(v *visit, last outcome, done time.Time, steps int) {
	l := v.leg
	if b := bucketOf(last); b == interrupted || b == dropped {
		return
	}
	w.shard.record(&sample{
		row: w.run.recorder.leg(l.side, l.arrival.Scenario, steps), measured: l.measured, outcome: last,
		response: done.Sub(l.due), service: done.Sub(l.due) - v.waited, capWait: v.waited,
	})
}

func bucketOf(o outcome) bucket {
	switch o {
	case ok:
		return completed
	case throttled:
		return throttledLeg
	case failed(wire.Canceled):
		return interrupted
	case tooLate:
		return dropped
	}
	return failedLeg
}

// wanted evaluates a step's condition. One that breaks counts as false: the steps
// that need what this one would have captured then say so.
func (w *worker) wanted(st *plan.Step) bool {
	if st.When == nil {
		return true
	}
	holds, err := st.When.Holds(expect.Answer{Scope: &w.scope})
	return err == nil && holds
}

// think lets the mailbox go while the user does nothing, and takes it back when the
// step is due. False: the run ends meanwhile, and no slot is held.
func (w *worker) think(v *visit) bool {
	r := w.run
	r.pass(v.lane, r.clock.Now())
	if r.clock.SleepUntil(r.stop, v.due) != nil {
		return false
	}
	due := r.clock.Now()
	if !w.waiter.enter(r, v.lane) {
		return false
	}
	v.capWait = r.clock.Now().Sub(due)
	return true
}

// step asks one step, as often as it repeats or polls. It returns when its last
// answer was done, how it ended, and whether the leg ends here.
func (w *worker) step(v *visit) (done time.Time, last outcome, stop bool) {
	first := v.due
	var deadline time.Time
	if v.step.Until != nil {
		deadline = first.Add(v.step.Until.Within)
	}
	for n := 0; ; n++ {
		kind := wire.Step
		if n > 0 && v.step.Until != nil {
			kind = wire.Poll
		}
		var answered outcome
		done, answered = w.ask(v, kind)
		w.run.keep(w, v, n, done.Sub(v.due), answered)
		if u := v.step.Until; u != nil && (answered == ok || answered == unexpected) {
			holds, err := u.Condition.Holds(expect.Answer{Response: &w.call.Response, Doc: w.parsed(), Scope: &w.scope})
			if err == nil && holds {
				w.recordWait(v, first, done, ok)
				return done, ok, !w.capture(v, done)
			}
			v.due = done.Add(u.Every)
			if v.due.After(deadline) {
				w.recordWait(v, first, done, unexpected)
				return done, unexpected, true
			}
			if w.run.clock.SleepUntil(w.run.stop, v.due) != nil {
				return done, failed(wire.Canceled), true
			}
			continue
		}
		if answered != ok {
			return done, answered, true
		}
		if !w.capture(v, done) {
			return done, unexpected, true
		}
		if n+1 >= v.step.Repeat {
			return done, ok, false
		}
		v.due, v.capWait = done, 0
	}
}

// recordWait records how long it took until a polled condition held.
func (w *worker) recordWait(v *visit, first, done time.Time, o outcome) {
	l := v.leg
	w.shard.record(&sample{
		row: w.run.recorder.row(l.side, l.arrival.Scenario, v.index, waited), measured: l.measured, outcome: o,
		response: done.Sub(first), service: done.Sub(first),
	})
}

// capture takes what later steps need out of the answer. False: something is not
// there, so that they could not be asked.
func (w *worker) capture(v *visit, done time.Time) bool {
	a := expect.Answer{Response: &w.call.Response, Scope: &w.scope}
	for i := range v.ask.Captures {
		c := &v.ask.Captures[i]
		if c.NeedsDoc() {
			a.Doc = w.parsed()
		}
		value, found := c.Take(a)
		if !found {
			w.run.fault(v, "capture "+c.Name+" found nothing at "+c.String())
			return false
		}
		w.scope.take(c.Name, value)
	}
	for i := range v.ask.Batch {
		if reason := w.part(&v.ask.Batch[i]); reason != "" {
			w.run.fault(v, reason)
			return false
		}
	}
	return true
}

// part judges one answer of a batch and takes what is captured from it.
func (w *worker) part(p *plan.Part) string {
	response, doc, found := expect.Part(w.parsed(), p.ID)
	if !found {
		return "batch part " + p.ID + " was not answered"
	}
	a := expect.Answer{Response: &response, Doc: doc, Scope: &w.scope}
	if reason := p.Expect.Judge(a); reason != "" {
		return "batch part " + p.ID + ": " + reason
	}
	for i := range p.Captures {
		value, found := p.Captures[i].Take(a)
		if !found {
			return "batch part " + p.ID + ": capture " + p.Captures[i].Name + " found nothing"
		}
		w.scope.take(p.Captures[i].Name, value)
	}
	return ""
}

// parsed is the canonical body of the last answer, parsed when first asked for.
func (w *worker) parsed() *canon.Doc {
	if !w.fresh {
		w.doc, _ = canon.Parse(w.call.Response.Body, w.run.dialects[w.side], w.doc)
		w.fresh = true
	}
	return w.doc
}
