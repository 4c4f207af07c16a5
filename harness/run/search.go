package run

import (
	"fmt"
	"time"

	"cutover/harness/load"
	"cutover/harness/result"
)

// search looks for the highest rate of each path at which its gates hold, one path
// after the other, and returns when the next phase begins.
//
// Rules:
//   - A trial begins when no leg is under way, and ends when its last one has: what a
//     rate did is never counted for the next.
//   - What all trials sent counts in the buckets; only those at the answer count in
//     the steps, so that gates and reports speak of the rate that was found.
//   - A trial in which the generator bent says nothing. It is tried once more, and
//     then the search ends without an answer.
func (r *runner) search(phase int, number uint64, s *load.Search) time.Time {
	for side := range r.plan.Sides {
		h := &hunting{run: r, phase: phase, side: side, number: number, search: *s, out: result.Search{
			Phase: r.plan.Phases[phase].Name, Path: r.plan.Sides[side].Path, Side: r.plan.Sides[side].Side, Wanted: s.Confirm, Trials: []result.Trial{},
		}}
		h.hunt()
		r.found = append(r.found, h.out)
		if r.stop.Err() != nil {
			break
		}
	}
	return r.clock.Now()
}

// hunting is the search on one path.
type hunting struct {
	run         *runner
	phase, side int
	number      uint64 // of the first arrival, counted over all phases
	n           uint64 // arrivals so far
	search      load.Search
	out         result.Search
	held        []keptTrial
	failed      *keptTrial // the one at the lowest rate
}

// keptTrial is what a trial recorded that may become the answer.
type keptTrial struct {
	rate float64
	what *tally
}

// hunt tries rates until the answer is found, or cannot be.
func (h *hunting) hunt() {
	r := h.run
	hunt := h.search.Begin()
	bent := false // the trial before was
	for {
		rate, more := hunt.Next()
		if !more {
			h.answer(hunt.Found())
			return
		}
		trial, what := h.try(rate, rate == hunt.Found().Low)
		h.out.Trials = append(h.out.Trials, trial)
		switch trial.Verdict {
		case result.TrialInterrupted:
			h.unanswered(hunt.Found(), result.SearchStopped, "the run ended before the search did")
			return
		case result.TrialUnjudged:
			h.unanswered(hunt.Found(), result.SearchUnjudged, fmt.Sprintf("at %.4g/s %s: make the trials longer (each)", rate, trial.Limiting))
			return
		case result.TrialSaturated:
			if bent {
				h.unanswered(hunt.Found(), result.SearchSaturated,
					fmt.Sprintf("the generator gave out at %.4g/s before the target did (%s): use a faster machine or a lower max", rate, trial.Limiting))
				return
			}
			bent = true
		default:
			bent = false
			held := trial.Verdict == result.TrialHeld
			h.keep(held, keptTrial{rate, what})
			hunt.Report(held, trial.Limiting)
		}
		if r.clock.SleepUntil(r.stop, r.clock.Now().Add(h.search.Drain)) != nil {
			h.unanswered(hunt.Found(), result.SearchStopped, "the run ended before the search did")
			return
		}
	}
}

// keep retains what a trial recorded as long as it may become the answer.
func (h *hunting) keep(held bool, k keptTrial) {
	switch {
	case held:
		h.held = append(h.held, k)
	case h.failed == nil || k.rate <= h.failed.rate:
		h.failed = &k
	}
}

// answer writes down what the hunt found.
func (h *hunting) answer(f load.Found) {
	switch {
	case f.Low == 0:
		h.unanswered(f, result.SearchNothing, fmt.Sprintf("not even %.4g/s held: %s", h.search.Start, f.Limiting))
	case f.Confirmed < h.search.Confirm:
		h.unanswered(f, result.SearchUnsettled, fmt.Sprintf("after %d trials %.4g/s held only %d of %d times", len(f.Probes), f.Low, f.Confirmed, h.search.Confirm))
	default:
		h.unanswered(f, result.SearchFound, "")
	}
}

// unanswered writes down what is known, and why it is no more.
func (h *hunting) unanswered(f load.Found, how, why string) {
	o := &h.out
	o.Result, o.Why = how, why
	o.HeldPS, o.FailedPS, o.Limiting, o.Confirmed = f.Low, f.High, f.Limiting, f.Confirmed
	trials := h.atAnswer(f.Low)
	h.run.books.adopt(trials)
	h.run.searched[h.side] += time.Duration(len(trials)) * h.search.Each
}

// atAnswer are the trials that the steps of the result speak of: those at the rate
// found, or the one that failed at the lowest rate when none held.
func (h *hunting) atAnswer(rate float64) (out []*tally) {
	if rate == 0 && h.failed != nil {
		return []*tally{h.failed.what}
	}
	for _, k := range h.held {
		if k.rate == rate {
			out = append(out, k.what)
		}
	}
	return out
}

// try asks at one rate and judges what came back.
func (h *hunting) try(rate float64, confirm bool) (result.Trial, *tally) {
	r := h.run
	out := result.Trial{AskedPS: rate, Confirm: confirm, Gates: []result.Outcome{}}
	if !r.settled() {
		out.Verdict = result.TrialInterrupted
		return out, nil
	}
	start := r.clock.Now()
	out.StartS = start.Sub(r.start).Round(time.Millisecond).Seconds()
	r.books.beginTrial(fmt.Sprintf("%s at %.4g/s", h.out.Path, rate), h.phase, h.search.Each)
	h.send(start, rate)
	settled := r.settled()
	t := r.books.endTrial()
	h.judge(&out, t)
	if !settled || r.stop.Err() != nil {
		out.Verdict, out.Limiting = result.TrialInterrupted, ""
	}
	return out, t.tally
}

// send hands out the arrivals of a trial when they are due.
func (h *hunting) send(start time.Time, rate float64) {
	r := h.run
	model := load.Constant(rate, h.search.Each)
	for n := uint64(0); ; n++ {
		due, more := model.Due(n)
		if !more {
			break
		}
		a, _ := r.plan.Arrival(h.phase, h.n)
		if r.pacer.SleepUntil(r.stop, start.Add(due)) != nil {
			return
		}
		r.dispatch(h.phase, h.side, h.number+h.n, &a, start.Add(due), nil)
		h.n++
	}
	r.pacer.SleepUntil(r.stop, start.Add(h.search.Each))
}

// judge decides what a trial says.
func (h *hunting) judge(out *result.Trial, t *trialBooks) {
	r := h.run
	seconds := h.search.Each.Seconds()
	out.Legs = bucketsOf(t.tally)
	out.Legs.Planned = out.Legs.Sum()
	out.GotPS = float64(t.tally.phases[h.phase].begun) / seconds
	out.LagP99 = ms(t.tally.own.Quantile(0.99))
	seen := h.seen(t, seconds)
	out.Response = seen.response
	for _, g := range r.plan.GatesFor(h.side) {
		out.Gates = append(out.Gates, g.Evaluate(seen.result))
	}
	if bent := r.bends(t.tally, t.gen); len(bent) > 0 {
		out.Verdict, out.Limiting = result.TrialSaturated, bent[0]
		return
	}
	out.Verdict = result.TrialHeld
	if b := out.Legs; b.Completed == 0 {
		out.Verdict, out.Limiting = result.TrialFailed, "no leg completed"
	} else if b.Dropped > 0 {
		out.Verdict, out.Limiting = result.TrialFailed, fmt.Sprintf("%d legs waited too long for their turn", b.Dropped)
	}
	for _, verdict := range []result.Verdict{result.Fail, result.NoData} {
		for _, g := range out.Gates {
			if g.Verdict != verdict || out.Verdict != result.TrialHeld || verdict == result.NoData && g.MayBeEmpty {
				continue
			}
			out.Verdict, out.Limiting = result.TrialFailed, fmt.Sprintf("%s (observed %s)", g.Gate, g.Observed)
			if verdict == result.NoData {
				out.Verdict, out.Limiting = result.TrialUnjudged, fmt.Sprintf("%s has no data (%s)", g.Gate, g.Note)
			}
		}
	}
}

// trialSeen is a trial as gates see it.
type trialSeen struct {
	result   *result.Result
	response result.Summary // of whole legs
}

// seen makes a result of a trial alone.
func (h *hunting) seen(t *trialBooks, seconds float64) trialSeen {
	r := h.run
	out := trialSeen{result: &result.Result{Buckets: bucketsOf(t.tally), Series: t.series}}
	out.result.Buckets.Planned = out.result.Buckets.Sum()
	out.result.Paths = []result.PathInfo{{Name: h.out.Path, Side: h.out.Side}}
	whole := new(cell)
	for i, at := range r.recorder.rows {
		c := t.tally.rows[1][i]
		if c == nil || c.count == 0 || at.side != h.side {
			continue
		}
		out.result.Steps = append(out.result.Steps, r.stats(at, c, seconds))
		if at.step < 0 {
			whole.merge(c)
		}
	}
	out.response = result.Summarise(&whole.response)
	return out
}
