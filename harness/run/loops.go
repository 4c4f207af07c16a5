package run

import (
	"math"
	"time"

	"cutover/harness/load"
	"cutover/harness/plan"
)

// loops counts the legs of phases whose users decide when to ask: closed ones and
// searches. No plan says when such a leg is due, so a killed run's record tells how
// many had begun. It belongs to the books' goroutine.
type loops struct {
	begun, unplanned uint64 // legs that lines of whole seconds tell of
	seen             uint64 // legs at the last look
	looked           time.Time
	pace             float64 // the most legs a second between two looks; 0: not known yet
}

// betweenLooks is how far two looks have to be apart to tell a pace.
const betweenLooks = 100 * time.Millisecond

// looped is how many legs such phases made so far, and how many of them belong to
// phases that only time bounds, of which the plan knows no number.
func (r *runner) looped() (legs, unplanned uint64) {
	for i := range r.plan.Phases {
		ph := &r.plan.Phases[i]
		if ph.Load.Open != nil {
			continue
		}
		n := r.books.progress.handed[i].Load()
		legs += n
		if ph.Count() == 0 {
			unplanned += n
		}
	}
	return legs, unplanned
}

// look returns what such phases made since the last whole second.
func (l *loops) look(r *runner, now time.Time) (begun, unplanned uint64) {
	legs, free := r.looped()
	if began := r.books.began(int(r.books.progress.phase.Load())); began.After(l.looked) {
		l.looked = began // before it, users had not begun
	}
	if past := now.Sub(l.looked); past >= betweenLooks {
		l.pace = max(l.pace, float64(legs-l.seen)/past.Seconds())
		l.seen, l.looked = legs, now
	}
	return legs - l.begun, free - l.unplanned
}

// turned notes what the line of a whole second tells.
func (l *loops) turned(begun, unplanned uint64) {
	l.begun += begun
	l.unplanned += unplanned
}

// ahead is how many legs such phases may make within the next second, at most.
// Legs of phases that only time bounds are in no plan and count as nothing.
func (l *loops) ahead(r *runner, elapsed time.Duration) uint64 {
	i := int(r.books.progress.phase.Load())
	ph := &r.plan.Phases[i]
	left := ph.Count()*uint64(len(r.plan.Sides)) - min(ph.Count()*uint64(len(r.plan.Sides)), r.books.progress.handed[i].Load())
	switch {
	case ph.Load.Closed != nil && ph.Count() > 0:
		n := l.most(r.plan, ph)
		if n < left {
			return n
		}
		return left + l.opening(r.plan, i+1) // it may end, and the next one begin
	case ph.Load.Open != nil && i+1 < len(r.plan.Phases) && r.plan.Phases[i+1].Load.Open == nil && r.plan.Phases[i+1].Start <= elapsed+time.Second:
		return l.opening(r.plan, i+1)
	}
	return 0
}

// first is how many legs they may make before anything was seen of them.
func (l *loops) first(p *plan.Plan) uint64 {
	if p.Phases[0].Load.Open != nil {
		return 0
	}
	return l.opening(p, 0)
}

// opening is how many legs phase i may make in its first second.
func (l *loops) opening(p *plan.Plan, i int) uint64 {
	if i >= len(p.Phases) {
		return 0
	}
	ph, sides := &p.Phases[i], uint64(len(p.Sides))
	switch {
	case ph.Load.Open != nil:
		return uint64(dueBefore(ph.Load.Open, time.Second)) * sides
	case ph.Load.Closed != nil && ph.Count() > 0:
		return min(l.most(p, ph), ph.Count()*sides)
	}
	return 0
}

// most is how many legs the users of a closed phase may make in a second: as many as
// thinking or pacing leaves them time for, else twice what they were seen to do.
func (l *loops) most(p *plan.Plan, ph *plan.Phase) uint64 {
	users := float64(ph.Load.Closed.Users * len(p.Sides))
	if each := rest(ph.Load.Closed); each > 0 {
		return uint64(math.Ceil(users * (1 + time.Second.Seconds()/each.Seconds())))
	}
	if l.pace == 0 {
		return math.MaxUint64
	}
	return uint64(math.Ceil(users + 2*l.pace))
}

// rest is how long a user takes at least from one leg to the next, 0 when only the
// answers tell.
func rest(c *load.Closed) time.Duration { return max(c.Think, c.Pace) }
