package run

import "time"

// A phase may settle before it is measured: connections open, caches fill, what the
// phase before left queued drains. Legs due meanwhile are sent, counted in the buckets
// and compared; their times stand in no figure of the measured phases.

// settles returns when a phase that begins at base is measured.
func (r *runner) settles(phase int, base time.Time) time.Time {
	return base.Add(r.plan.Phases[phase].Settle)
}

// measures reports whether a leg of a phase that is due then counts.
func (r *runner) measures(phase int, due time.Time) bool {
	ph := &r.plan.Phases[phase]
	return ph.Measured && (ph.Settle == 0 || !due.Before(r.settles(phase, r.books.began(phase))))
}

// measuredSecond reports whether a whole second of the run, counted from its start, lies
// behind the settling of the phase under way. The trials of a search judge themselves.
func (r *runner) measuredSecond(phase, at int) bool {
	ph := &r.plan.Phases[phase]
	if !ph.Measured || ph.Load.Search != nil {
		return false
	}
	begins := r.start.Add(time.Duration(at) * time.Second)
	return ph.Settle == 0 || !begins.Before(r.settles(phase, r.books.began(phase)))
}
