package run

import (
	"cmp"
	"slices"
	"sync"

	"cutover/harness/result"
)

// faults remembers the first few reasons for which steps failed, by step.
type faults struct {
	mu   sync.Mutex // guards everything below
	seen map[faultKey]uint64
	last string // the reason seen last
}

type faultKey struct {
	side, scenario, step int
	reason               string
}

// maxFaults bounds the distinct reasons that are kept.
const maxFaults = 200

// fault notes why a step failed. A warm-up's reasons are not counted: it is in no row that they could explain.
func (r *runner) fault(v *visit, reason string) {
	key := faultKey{v.leg.side, v.leg.arrival.Scenario, v.index, reason}
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	if r.faults.seen == nil {
		r.faults.seen = map[faultKey]uint64{}
	}
	r.faults.last = reason
	if !v.leg.measured {
		return
	}
	if _, known := r.faults.seen[key]; known || len(r.faults.seen) < maxFaults {
		r.faults.seen[key]++
	}
}

// list is what was seen, the most frequent first.
func (f *faults) list(r *runner) []result.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []result.Fault
	for key, n := range f.seen {
		sc := &r.plan.Scenarios[key.scenario]
		out = append(out, result.Fault{Scenario: sc.Name, Step: sc.Steps[key.step].Name, Path: r.plan.Sides[key.side].Path, Reason: key.reason, Count: n})
	}
	slices.SortFunc(out, func(a, b result.Fault) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Step, b.Step),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
