package run

import (
	"time"

	"cutover/harness/plan"
	"cutover/harness/result"
)

// SecondKeeper is a Folder that takes in the second under way as well, several times a
// second, so that a run that is killed loses a part of a second; *runfolder.Folder is
// one.
type SecondKeeper interface {
	KeepSecond(s result.Second, ran time.Duration) error
}

// betweens is how often the second under way is written down. A kill loses what was
// completed since, and the legs that were due within one second of it are unknown: a
// disk that stalls for three quarters of a second changes nothing about that.
const betweens = 250 * time.Millisecond

// betweenShare bounds the time that writing it down may take: a twentieth of the run.
const betweenShare = 20

// between writes down the second under way. It belongs to the books' goroutine.
type between struct {
	passed, coming dueCursor
	due            uint64 // legs due up to the last writing
	ahead          uint64 // legs due up to a second after it
	told           uint64 // legs that the lines of whole seconds tell of
	again          time.Time
}

func newBetween(p *plan.Plan, b *books) between {
	return between{passed: dueCursor{plan: p, books: b}, coming: dueCursor{plan: p, books: b}}
}

// turned notes that a second ended of which a line tells that due legs were due.
func (w *between) turned(due uint64) { w.told += due }

// ends is when the second under way ends.
func (b *books) ends() time.Time {
	return b.run.start.Add(time.Duration(b.at+1) * time.Second)
}

// wake is how long it takes until something is to be written.
func (b *books) wake(now time.Time) time.Duration {
	next := betweens - now.Sub(b.run.start)%betweens
	return min(next, b.ends().Sub(now))
}

// writeBetween writes down what the second under way brought so far.
func (b *books) writeBetween(now time.Time) {
	r, w := b.run, &b.between
	folder, keeps := r.deps.Folder.(SecondKeeper)
	if !keeps || now.Before(w.again) {
		return
	}
	b.turning.Lock()
	defer b.turning.Unlock()
	b.gather()
	ran := now.Sub(r.start)
	w.due += w.passed.before(ran)
	w.ahead += w.coming.before(ran + time.Second)
	ph := &r.plan.Phases[b.progress.phase.Load()]
	s := result.Second{
		T: b.at, Phase: ph.Name, Measured: r.measuredSecond(int(b.progress.phase.Load()), b.at), Buckets: bucketsOf(b.carry), Due: w.due - min(w.due, w.told), Ahead: w.ahead - w.due,
		InFlight: uint64(max(0, r.inFlight.Load())), Series: b.series1(b.carry), Findings: uint64(b.kept.seen), Comparison: b.kept.count(r),
	}
	s.Buckets.Planned = s.Due
	s.Begun, s.Unplanned = b.loops.look(r, now)
	s.Ahead += b.loops.ahead(r, ran)
	if err := folder.KeepSecond(s, ran-time.Duration(b.at)*time.Second); err != nil {
		r.abort(err)
	}
	w.again = now.Add(betweenShare * r.clock.Now().Sub(now))
}

// gather moves what was recorded since the last time into the second under way.
func (b *books) gather() {
	b.spare.reset()
	b.run.recorder.drain(b.spare)
	b.take(b.spare)
	b.carry.merge(b.spare)
}
