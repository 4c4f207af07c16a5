package plan

import (
	"fmt"
	"slices"

	"cutover/suites"
)

// Feed is a table of the suite with the scenarios that take rows from it.
type Feed struct {
	Name string
	*suites.Feed
	users []int // indices into Plan.Scenarios, ascending
}

// feeds finds out which scenario takes rows from which table, and refuses a table of
// unique rows that the load would use up.
func (c *compiler) feeds() {
	p := c.plan
	for i := range c.suite.Data {
		e := &c.suite.Data[i]
		f := Feed{Name: e.Key, Feed: &e.Value}
		for s := range p.Scenarios {
			if p.Scenarios[s].takes(e.Key) {
				f.users = append(f.users, s)
			}
		}
		p.Feeds = append(p.Feeds, f)
		if len(f.users) == 0 {
			p.NotTested = append(p.NotTested, fmt.Sprintf("data %q: no scenario takes a row from it", e.Key))
			continue
		}
		if e.Value.Pick == "unique" {
			c.enoughRows(&f)
		}
	}
}

// fedName reports whether a table of the suite answers a name.
func fedName(s *suites.Suite, name string) bool {
	feed, column, ok := suites.CutDataName(name)
	if !ok {
		return false
	}
	d, ok := s.Data.Get(feed)
	return ok && d.Column(column) >= 0
}

// takes reports whether a request of the scenario holds {{data.NAME.…}}.
func (s *Scenario) takes(feed string) bool {
	named := func(name string) bool {
		of, _, ok := suites.CutDataName(name)
		return ok && of == feed
	}
	for i := range s.Steps {
		for _, ask := range s.Steps[i].Asks {
			if ask.Template != nil && slices.ContainsFunc(ask.Template.Names(), named) {
				return true
			}
		}
	}
	return false
}

// enoughRows refuses a load that would run out of unique rows.
func (c *compiler) enoughRows(f *Feed) {
	p := c.plan
	last := len(p.Phases) - 1
	if last < 0 {
		return
	}
	most := uint64(0)
	for _, s := range f.users {
		for i := range p.Phases {
			if p.Phases[i].Count() == 0 {
				c.problems.Add(f.Pos, "data %q is unique, but phase %s has no known number of iterations: bound it with iterations, or pick cycle", f.Name, p.Phases[i].Name)
				return
			}
		}
		most = max(most, p.before(last+1, s))
	}
	if need := most * uint64(len(f.users)); need > uint64(len(f.Cells)) {
		c.problems.Add(f.Pos, "data %q has %d rows and the load needs up to %d unique ones: add rows, shorten the load, or pick cycle", f.Name, len(f.Cells), need)
	}
}

// before is how many occurrences of a scenario lie before a phase, at most: the last
// block of a phase counts as a whole one.
func (p *Plan) before(phase, scenario int) uint64 {
	sum, size := uint64(0), uint64(len(p.mix.slots))
	for i := range p.Phases[:phase] {
		n := p.Phases[i].Count()
		if n == 0 {
			n = 1 << 40 // a phase that only time bounds
		}
		sum += (n + size - 1) / size * p.mix.share[scenario]
	}
	return sum
}

// Row is the row of a feed that an arrival takes. Both legs take the same. ok is false
// when the arrival's scenario takes none.
func (p *Plan) Row(feed int, a *Arrival) (row int, ok bool) {
	f := &p.Feeds[feed]
	at, found := slices.BinarySearch(f.users, a.Scenario)
	if !found || len(f.Cells) == 0 {
		return 0, false
	}
	size := uint64(len(f.Cells))
	if f.Pick == "random" {
		return int(mixed(a.Seed, uint64(feed), saltFeed) % size), true
	}
	n := (p.before(a.Phase, a.Scenario)+a.Occurrence)*uint64(len(f.users)) + uint64(at)
	return int(n % size), true
}
