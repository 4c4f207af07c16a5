package run

import (
	"context"
	"sync/atomic"
	"time"

	"cutover/harness/lane"
	"cutover/harness/load"
	"cutover/harness/plan"
)

// endless is how many numbers a phase takes that only time bounds.
const endless = 1 << 40

// schedule hands out every leg when it is due and returns when the last one was,
// or the run is to stop. It never waits for a leg of an open phase.
func (r *runner) schedule() {
	base := r.start
	number := uint64(0)
	for i := range r.plan.Phases {
		ph := &r.plan.Phases[i]
		if r.pacer.SleepUntil(r.stop, base) != nil {
			return
		}
		r.books.phase(i, base)
		if ph.Load.Closed != nil {
			base = r.closed(i, base, number, ph.Load.Closed)
		} else if ph.Load.Search != nil {
			base = r.search(i, number, ph.Load.Search)
		} else {
			r.arrivals(i, base, number)
			base = base.Add(ph.Length())
		}
		if n := ph.Count(); n > 0 {
			number += n
		} else {
			number += endless
		}
		if r.stop.Err() != nil {
			return
		}
	}
	r.pacer.SleepUntil(r.stop, base)
}

// arrivals hands out the legs of an open phase.
func (r *runner) arrivals(phase int, base time.Time, number uint64) {
	p := r.plan
	two := len(p.Sides) == 2
	for n := uint64(0); ; n++ {
		a, more := p.Arrival(phase, n)
		if !more {
			return
		}
		due := base.Add(a.Due)
		if r.pacer.SleepUntil(r.stop, due) != nil {
			return
		}
		pair := r.pairs.open(&a, number+n)
		first := 0
		if two && !a.LeftFirst {
			first = 1
		}
		r.dispatch(phase, first, number+n, &a, due, pair)
		if !two {
			continue
		}
		if a.Second > a.Due {
			due = base.Add(a.Second)
			if r.pacer.SleepUntil(r.stop, due) != nil {
				r.pairs.abandon(pair, 1-first)
				return
			}
		}
		r.dispatch(phase, 1-first, number+n, &a, due, pair)
	}
}

// dispatch makes a leg and lets it stand in the lane of its mailbox.
func (r *runner) dispatch(phase, side int, number uint64, a *plan.Arrival, due time.Time, pair *pairing) {
	l := r.newLeg(phase, side, number, a, due, pair)
	now := r.clock.Now()
	if now.Sub(due) > r.maxLag {
		r.end(r.recorder.shards[0], l, dropped, dropGenerator)
		return
	}
	l.queued = now
	if r.lanes[side][a.Mailbox].Enter(&l.ticket) {
		l.queued = time.Time{}
		r.pools[side].submit(l)
	}
}

func (r *runner) newLeg(phase, side int, number uint64, a *plan.Arrival, due time.Time, pair *pairing) *leg {
	l := legs.Get().(*leg)
	*l = leg{side: side, phase: phase, measured: r.measures(phase, due), number: number, arrival: *a, due: due, pair: pair}
	l.ticket = lane.Ticket{Due: due, Value: l}
	r.books.progress.handed[phase].Add(1)
	r.open.Add(1)
	r.under.Add(1)
	return l
}

// closed lets the users of a closed phase ask, wait and think, and returns when
// the next phase begins. Users whose last answer is still to come do not hold it up.
func (r *runner) closed(phase int, base time.Time, number uint64, c *load.Closed) time.Time {
	idle, allIdle := context.WithCancel(r.stop)
	defer allIdle()
	busy := new(atomic.Int64)
	busy.Store(int64(c.Users * len(r.plan.Sides)))
	for side := range r.plan.Sides {
		next := new(atomic.Uint64)
		for i := range c.Users {
			u := &user{run: r, worker: r.newWorker(side), phase: phase, base: base, number: number, load: c, next: next}
			r.users.Go(func() {
				u.live(base.Add(c.Start(i)))
				if busy.Add(-1) == 0 {
					allIdle()
				}
			})
		}
	}
	if c.For == 0 {
		<-idle.Done()
		return r.clock.Now()
	}
	end := base.Add(c.For)
	r.pacer.SleepUntil(idle, end)
	if now := r.clock.Now(); now.Before(end) {
		return now
	}
	return end
}

// user is one user of a closed load on one path.
type user struct {
	run    *runner
	worker *worker
	phase  int
	base   time.Time
	number uint64
	load   *load.Closed
	next   *atomic.Uint64 // of all users of the path
}

// live asks iteration after iteration until the phase or the run ends.
func (u *user) live(due time.Time) {
	r, w := u.run, u.worker
	free := time.Time{} // when the last answer came: who neither thinks nor paces asks again then
	for u.load.For == 0 || due.Sub(u.base) < u.load.For {
		began := due
		if !due.Equal(free) {
			began = r.clock.Now()
		}
		if due.After(began) || r.stop.Err() != nil {
			if r.clock.SleepUntil(r.stop, due) != nil {
				return
			}
			began = r.clock.Now()
		}
		n := u.next.Add(1) - 1
		a, more := r.plan.Arrival(u.phase, n)
		if !more {
			return
		}
		l := r.newLeg(u.phase, w.side, u.number+n, &a, due, r.pairs.meet(&a, u.number+n))
		mailbox := r.lanes[w.side][a.Mailbox]
		now := began
		if !mailbox.Enter(&w.waiter.ticket) {
			l.queued = began
			if !w.waiter.wait(r, mailbox) {
				r.end(w.shard, l, notStarted, "")
				return
			}
			now = r.clock.Now()
		}
		e := w.leg(l, mailbox, now)
		r.end(w.shard, l, e.bucket, e.reason)
		if e.held {
			r.pass(mailbox, e.at)
		}
		due = u.base.Add(u.load.Next(began.Sub(u.base), e.at.Sub(u.base)))
		free = e.at
	}
}
