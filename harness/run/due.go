package run

import (
	"time"

	"cutover/harness/plan"
)

// dueCursor walks through the plan's open arrivals second by second, whatever the
// schedule is doing, so that a killed run's record says what should have happened. A
// phase whose end the plan does not know is passed when the schedule has passed it.
type dueCursor struct {
	plan  *plan.Plan
	books *books // tells when phases began; nil: none has
	phase int
	n     uint64
	ahead uint64 // legs due in the second after the last that was asked for
	next  int
}

// upTo returns how many legs are due in second t and in the one after it. Seconds
// are asked for in order.
func (c *dueCursor) upTo(t int) (due, ahead uint64) {
	if c.next == 0 {
		c.ahead = c.count(0)
	}
	due = c.ahead
	c.ahead = c.count(t + 1)
	c.next = t + 1
	return due, c.ahead
}

// first returns how many legs are due in the first second, without moving on.
func (c *dueCursor) first() uint64 {
	ahead := dueCursor{plan: c.plan}
	return ahead.count(0)
}

// count walks over the legs that are due before the end of second t.
func (c *dueCursor) count(t int) (legs uint64) { return c.before(time.Duration(t+1) * time.Second) }

// before walks over the legs that are due before end, counted from the start.
func (c *dueCursor) before(end time.Duration) (legs uint64) {
	for c.phase < len(c.plan.Phases) {
		ph := &c.plan.Phases[c.phase]
		if ph.Load.Open != nil {
			for start := c.start(c.phase); ; c.n++ {
				due, ok := ph.Load.Open.Due(c.n)
				if !ok {
					break
				}
				if start+due >= end {
					return legs
				}
				legs += uint64(len(c.plan.Sides))
			}
		} else if ph.Length() == 0 && !c.passed() {
			return legs
		}
		c.phase++
		c.n = 0
	}
	return legs
}

// start is when phase i begins, counted from the start of the run: as the schedule
// says, or as the plan does behind the last phase that began.
func (c *dueCursor) start(i int) time.Duration {
	if c.books == nil {
		return c.plan.Phases[i].Start
	}
	ahead := time.Duration(0)
	for ; i >= 0; i-- {
		if began := c.books.began(i); !began.IsZero() {
			return began.Sub(c.books.run.start) + ahead
		}
		if i > 0 {
			ahead += c.plan.Phases[i-1].Length()
		}
	}
	return ahead
}

// passed tells whether the schedule has left the cursor's phase behind.
func (c *dueCursor) passed() bool {
	return c.books != nil && int(c.books.progress.phase.Load()) > c.phase
}
