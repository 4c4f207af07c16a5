// Package lane holds the requests that wait for one mailbox.
//
// Exchange Online serves at most four requests at a time for an app and a mailbox,
// and answers the fifth with 429; on-premises policies are as strict. A lane keeps
// to such a cap without blocking anybody: what may not leave yet stands in a queue
// and leaves in the order in which it came, with the due time that it came with.
//
// Rules of a lane:
//   - A ticket holds one of Concurrency slots from Enter or Leave until it is handed
//     to Leave itself.
//   - Slots pass from the one that leaves to the longest waiting one that is not late.
//   - The window of a rate holds exactly: never more than k requests in any k/rate
//     seconds, k being the whole requests of one second (at least one).
//   - While the server has asked for a pause, nothing leaves.
package lane

import (
	"sync"
	"time"
)

// Ticket is one that wants to send for a mailbox. Its owner embeds it, so that
// queueing allocates nothing. A ticket stands in one queue at a time.
type Ticket struct {
	Due   time.Time // when it should have left
	Value any       // the owner, a pointer
	next  *Ticket
}

// Limits are the caps of a lane.
type Limits struct {
	Concurrency int           // requests in flight at a time; 0: no cap
	Rate        float64       // requests per second; 0: no cap
	MaxLag      time.Duration // later tickets are dropped instead of admitted; 0: never
}

// Lane is the queue of one mailbox on one path. Its methods may be called from
// any goroutine and never wait.
type Lane struct {
	limits Limits

	mu       sync.Mutex // guards everything below
	inFlight int
	peak     int
	head     *Ticket // the longest waiting
	tail     *Ticket
	waiting  int
	pause    time.Time // nothing leaves before
	rate     Window
	deepest  int
}

// New returns an empty lane.
func New(limits Limits) *Lane {
	return &Lane{limits: limits, rate: NewWindow(limits.Rate)}
}

// Enter asks for a slot. True: the ticket has one and its owner may go on. False:
// it stands in the queue, and some later Leave or Expire will hand it out.
func (l *Lane) Enter(t *Ticket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == nil && l.free() {
		l.take()
		return true
	}
	t.next = nil
	if l.head == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
	l.waiting++
	l.deepest = max(l.deepest, l.waiting)
	return false
}

// Leave gives a slot back. It returns the ticket that has it from here on, nil
// when nobody waits, and as a linked list (see Ticket.Next) those that were found
// too late at now.
func (l *Lane) Leave(now time.Time) (next, late *Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	late = l.expire(now)
	if l.head == nil || !l.free() {
		return nil, late
	}
	next = l.pop()
	l.take()
	return next, late
}

// Expire takes the tickets out of the queue that are too late at now.
func (l *Lane) Expire(now time.Time) (late *Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expire(now)
}

// Clear takes all waiting tickets out of the queue.
func (l *Lane) Clear() (waiting *Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting = l.head
	l.head, l.tail, l.waiting = nil, nil, 0
	return waiting
}

// Cancel takes one ticket out of the queue. False: it was not there, so that it
// holds a slot or has been handed out as late.
func (l *Lane) Cancel(t *Ticket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var before *Ticket
	for at := l.head; at != nil; before, at = at, at.next {
		if at != t {
			continue
		}
		if before == nil {
			l.head = t.next
		} else {
			before.next = t.next
		}
		if l.tail == t {
			l.tail = before
		}
		t.next = nil
		l.waiting--
		return true
	}
	return false
}

// Next is the ticket after t in a list that Leave, Expire or Clear returned. Read
// it before t is used again.
func (t *Ticket) Next() *Ticket { return t.next }

// Reserve books the next request of the lane and returns when it may leave, now
// or later, by the rate cap and the server's pause. A pause that comes later
// moves it: ask Paused again before sending.
func (l *Lane) Reserve(now time.Time) time.Time {
	if l.limits.Rate == 0 {
		return l.Paused(now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pause.After(now) {
		now = l.pause
	}
	return l.rate.Reserve(now)
}

// Paused returns when the server's pause ends, or now when there is none.
func (l *Lane) Paused(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pause.After(now) {
		return l.pause
	}
	return now
}

// Pause keeps the lane still until t, as a Retry-After asks.
func (l *Lane) Pause(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.After(l.pause) {
		l.pause = t
	}
}

// Peak returns the most slots that were taken at a time and the longest queue.
func (l *Lane) Peak() (inFlight, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peak, l.deepest
}

func (l *Lane) free() bool {
	return l.limits.Concurrency == 0 || l.inFlight < l.limits.Concurrency
}

func (l *Lane) take() {
	l.inFlight++
	l.peak = max(l.peak, l.inFlight)
}

func (l *Lane) pop() *Ticket {
	t := l.head
	l.head = t.next
	if l.head == nil {
		l.tail = nil
	}
	t.next = nil
	l.waiting--
	return t
}

// expire unlinks the late ones. The queue is ordered by arrival, so that for legs
// the late ones stand in front; a ticket that came back from a think time may be due
// later than its successor, which is then dropped at its own turn.
func (l *Lane) expire(now time.Time) (late *Ticket) {
	if l.limits.MaxLag == 0 {
		return nil
	}
	var last *Ticket
	for l.head != nil && now.Sub(l.head.Due) > l.limits.MaxLag {
		t := l.pop()
		if late == nil {
			late = t
		} else {
			last.next = t
		}
		last = t
	}
	return late
}
