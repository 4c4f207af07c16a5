package run

import (
	"sync"
	"time"

	"cutover/harness/lane"
)

// pool is the workers of one side. It grows when no worker is idle and is bounded
// by the slots of all lanes, because only a leg with a slot is submitted.
type pool struct {
	run  *runner
	side int
	wait sync.WaitGroup // every worker

	mu     sync.Mutex // guards everything below
	idle   *worker    // the one that worked last comes first: its memory is warm
	closed bool       // a worker that becomes idle ends
}

// submit hands a leg that has its lane's slot to a worker.
func (p *pool) submit(l *leg) {
	p.mu.Lock()
	w := p.idle
	if w != nil {
		p.idle, w.next = w.next, nil
		p.mu.Unlock()
		w.wake <- l
		return
	}
	w = p.run.newWorker(p.side)
	p.mu.Unlock()
	w.wake <- l
	p.wait.Go(func() {
		for l := range w.wake {
			w.drive(l)
			if !p.rest(w) {
				return
			}
		}
	})
}

// rest puts a worker among the idle ones. False: there is nothing left to do.
func (p *pool) rest(w *worker) bool {
	w.call.Reset() // a huge answer is not kept while nobody asks
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	w.next, p.idle = p.idle, w
	return true
}

// close ends the workers and waits. Every leg has ended, though the worker that ended
// the last one may not be idle yet.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for w := p.idle; w != nil; w = w.next {
		close(w.wake)
	}
	p.idle = nil
	p.mu.Unlock()
	p.wait.Wait()
}

// waiter stands in a lane for a goroutine that blocks: a user of a closed load, or
// a leg that comes back from thinking.
type waiter struct {
	ticket lane.Ticket
	ready  chan bool // one slot: true, the lane's slot is the waiter's; false, it never will be
}

// never is a due time that no lane finds too late.
var never = time.Unix(1<<40, 0)

func newWaiter() *waiter {
	w := &waiter{ready: make(chan bool, 1)}
	w.ticket = lane.Ticket{Due: never, Value: w}
	return w
}

// enter takes a slot of a lane and waits for it. False: the run ends meanwhile, and
// no slot is held.
func (w *waiter) enter(r *runner, l *lane.Lane) bool {
	return l.Enter(&w.ticket) || w.wait(r, l)
}

// wait waits in the lane's queue for a slot.
func (w *waiter) wait(r *runner, l *lane.Lane) bool {
	select {
	case got := <-w.ready:
		return got
	case <-r.stop.Done():
	}
	if l.Cancel(&w.ticket) {
		return false
	}
	if <-w.ready { // it was handed out meanwhile
		r.pass(l, r.clock.Now())
	}
	return false
}

// pass gives a slot back for a caller that cannot drive who inherits it.
func (r *runner) pass(l *lane.Lane, now time.Time) {
	if next := r.release(l, now); next != nil {
		r.pools[next.side].submit(next)
	}
}

// release gives a slot back. A leg that inherits it is returned for the caller to
// drive; a waiter is woken.
func (r *runner) release(l *lane.Lane, now time.Time) *leg {
	next, late := l.Leave(now)
	r.dropAll(late)
	if next == nil {
		return nil
	}
	switch owner := next.Value.(type) {
	case *leg:
		return owner
	case *waiter:
		owner.ready <- true
	}
	return nil
}

// dropAll ends legs whose turn came too late.
func (r *runner) dropAll(late *lane.Ticket) {
	for late != nil {
		next := late.Next()
		if l, ok := late.Value.(*leg); ok {
			r.end(r.recorder.shards[0], l, dropped, dropLane)
		}
		late = next
	}
}

// clearLanes ends all legs that have not started and turns waiters away.
func (r *runner) clearLanes() {
	for _, lanes := range r.lanes {
		for _, l := range lanes {
			for t := l.Clear(); t != nil; {
				next := t.Next()
				switch owner := t.Value.(type) {
				case *leg:
					r.end(r.recorder.shards[0], owner, notStarted, "")
				case *waiter:
					owner.ready <- false
				}
				t = next
			}
		}
	}
}

// sweep drops the legs that have waited too long in lanes from which nobody leaves.
func (r *runner) sweep(now time.Time) {
	for _, lanes := range r.lanes {
		for _, l := range lanes {
			r.dropAll(l.Expire(now))
		}
	}
}
