package plan

import (
	"slices"

	"cutover/harness/gate"
)

// GatesFor returns the gates that a side by itself can be judged by: those that
// name no other side and compare nothing.
func (p *Plan) GatesFor(side int) []gate.Gate {
	var out []gate.Gate
	s := p.Sides[side]
	for _, g := range p.Gates {
		names, _ := g.Refers()
		foreign := slices.ContainsFunc(names, func(name string) bool { return name != s.Side && name != s.Path })
		if !foreign && !g.Compares() {
			out = append(out, g)
		}
	}
	return out
}

// searches checks the phases that look for a limit: each side needs a gate that
// says what holding means, and somebody must want the answer.
func (c *compiler) searches() {
	for i := range c.plan.Phases {
		ph := &c.plan.Phases[i]
		if ph.Load.Search == nil || i >= len(c.suite.Load) {
			continue
		}
		at := c.suite.Load[i].Model.Pos
		if !ph.Measured {
			c.problems.Add(at, "phase %s searches, but measure: false throws its answer away: leave measure out", ph.Name)
		}
		for side, s := range c.plan.Sides {
			if len(c.plan.GatesFor(side)) == 0 {
				c.problems.Add(at, "the search on path %s needs a gate that judges this path by itself: say p95 of each path < 800ms", s.Path)
			}
		}
	}
}
