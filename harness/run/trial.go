package run

import (
	"time"

	"cutover/harness/result"
)

// trialBooks is what one trial of a search recorded, apart from all others.
type trialBooks struct {
	tally  *tally
	gen    generator
	from   int // second in which it began
	series []result.Second
}

// beginTrial opens books for a trial, and tells the observer.
func (b *books) beginTrial(what string, phase int, length time.Duration) {
	b.turning.Lock()
	b.trial = &trialBooks{tally: b.run.recorder.tally(), from: b.at}
	b.turning.Unlock()
	o := b.run.deps.Observer
	if o == nil {
		return
	}
	info := b.info(phase)
	info.Describe, info.Length = what, length
	b.tell.Lock()
	defer b.tell.Unlock()
	o.Phase(info)
}

// endTrial closes a trial's books with what the second under way brought so far.
func (b *books) endTrial() *trialBooks {
	b.turning.Lock()
	defer b.turning.Unlock()
	b.gather()
	t := b.trial
	b.trial = nil
	for _, s := range b.series[min(t.from, len(b.series)):] {
		s.Measured = true
		t.series = append(t.series, s)
	}
	return t
}

// take adds what was recorded to the totals. What a trial recorded stands there as if
// it were not measured: which trials count is known when the search ends.
func (b *books) take(t *tally) {
	if b.trial == nil {
		b.total.merge(t)
		return
	}
	b.trial.tally.merge(t)
	aside := *t
	aside.rows = [2][]*cell{t.rows[1], nil}
	b.total.merge(&aside)
	b.total.merge(&tally{rows: [2][]*cell{t.rows[0], nil}})
}

// adopt adds the rows of trials to what was measured.
func (b *books) adopt(trials []*tally) {
	b.turning.Lock()
	defer b.turning.Unlock()
	for _, t := range trials {
		b.total.merge(&tally{rows: [2][]*cell{nil, t.rows[1]}})
	}
}

// settled waits until no leg is under way. False: the run ends meanwhile.
func (r *runner) settled() bool {
	for r.open.Load() > 0 {
		select {
		case <-r.idle:
		case <-r.stop.Done():
			return false
		}
	}
	return r.stop.Err() == nil
}
