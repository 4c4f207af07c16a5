package run

import (
	"math"
	"sort"
	"time"

	"cutover/harness/load"
	"cutover/harness/result"
)

// finishPhases says how long each phase went on, and which rates it asked for and
// got in that time: of a phase that was stopped, only the part before counts.
func (r *runner) finishPhases(out *result.Result) {
	for i := range out.Phases {
		ph, planned := &out.Phases[i], &r.plan.Phases[i]
		if ph.Planned == 0 {
			ph.Planned = r.books.progress.handed[i].Load() / uint64(len(r.plan.Sides))
		}
		ran := r.ran(i)
		ph.RanMS = ms(ran)
		if planned.Load.Search != nil || ran <= 0 {
			continue
		}
		ph.GotPS = float64(r.books.total.phases[i].begun) / float64(len(r.plan.Sides)) / ran.Seconds()
		if m := planned.Load.Open; m != nil && ran < m.Length() {
			ph.AskedPS = float64(dueBefore(m, ran)) / ran.Seconds()
		}
	}
}

// ran is how long a phase handed out arrivals.
func (r *runner) ran(i int) time.Duration {
	began := r.books.began(i)
	if began.IsZero() {
		return 0
	}
	ended := r.scheduled
	if i+1 < len(r.plan.Phases) {
		if next := r.books.began(i + 1); !next.IsZero() {
			ended = next
		}
	}
	if length := r.plan.Phases[i].Length(); length > 0 && ended.Sub(began) > length {
		return length
	}
	return ended.Sub(began)
}

// dueBefore counts the arrivals of a model that are due before an offset.
func dueBefore(m load.Model, at time.Duration) int {
	return sort.Search(int(min(m.Count(), math.MaxInt32)), func(n int) bool {
		due, _ := m.Due(uint64(n))
		return due >= at
	})
}
