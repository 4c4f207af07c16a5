package run

import (
	"sync"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// differences keeps, by scenario and step, how much later the right path answered
// the same arrival than the left one.
type differences struct {
	mu   sync.Mutex // guards seen
	seen map[[2]int]*signed
}

// signed is a distribution around zero as two histograms.
type signed struct{ later, earlier hist.Histogram }

// note takes in the response times of one pair.
func (d *differences) note(scenario, step int, left, right time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[[2]int]*signed{}
	}
	s := d.seen[[2]int{scenario, step}]
	if s == nil {
		s = new(signed)
		d.seen[[2]int{scenario, step}] = s
	}
	if right > left {
		s.later.Record(right - left)
		return
	}
	s.earlier.Record(left - right)
}

// paired lists the steps in the order of the suite.
func (r *runner) paired() []result.Paired {
	var out []result.Paired
	d := &r.pairs.differences
	d.mu.Lock()
	defer d.mu.Unlock()
	for sc := range r.plan.Scenarios {
		for st := range r.plan.Scenarios[sc].Steps {
			if s := d.seen[[2]int{sc, st}]; s != nil {
				out = append(out, result.Pair(r.plan.Scenarios[sc].Name, r.plan.Scenarios[sc].Steps[st].Name, &s.later, &s.earlier))
			}
		}
	}
	return out
}
