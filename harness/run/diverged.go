package run

import (
	"cmp"
	"slices"
	"sync"

	"cutover/harness/plan"
	"cutover/harness/result"
)

// divergences are the mailbox pairs that a one-sided write made different, each with the first one.
type divergences struct {
	mu   sync.Mutex // guards seen
	seen []result.Diverged
}

func (d *divergences) add(one result.Diverged) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, one)
}

// list is what was seen, by mailbox.
func (d *divergences) list() []result.Diverged {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := slices.Clone(d.seen)
	slices.SortFunc(out, func(a, b result.Diverged) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Arrival, b.Arrival))
	})
	return slices.CompactFunc(out, func(a, b result.Diverged) bool { return a.Mailbox == b.Mailbox })
}

// diverge notes that a step of an iteration wrote to one side only, 0 for the left one.
func (p *pairs) diverge(one *pairing, step, side int) {
	p.diverged[one.arrival.Mailbox].Store(true)
	one.split = step + 1
	sc := &p.run.plan.Scenarios[one.arrival.Scenario]
	p.divergences.add(result.Diverged{
		Mailbox: p.run.plan.Mailboxes[one.arrival.Mailbox].Name, Scenario: sc.Name, Step: sc.Steps[step].Name,
		Side: [2]string{plan.Left, plan.Right}[side], Arrival: one.number,
	})
}
