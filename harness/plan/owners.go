package plan

import (
	"cmp"
	"slices"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// assign gives every scenario its mailboxes. Scenarios that only read share all
// that no writer owns. A writing scenario owns mailboxes that nobody else asks, as many
// as its share of all requests; each has one writer at a time, so that what it finds
// there is what it left there. Which ones is drawn by the seed from the names, so that
// it does not depend on their order in the profile.
func (c *compiler) assign() {
	p := c.plan
	if p.Anonymous() {
		for i := range p.Scenarios {
			p.Scenarios[i].Mailboxes = []int{0}
		}
		return
	}
	free := c.drawn()
	total, writers, readers := 0.0, 0, false
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		total += s.work()
		if s.Weight > 0 && s.Writes {
			writers++
		}
		readers = readers || s.Weight > 0 && !s.Writes
	}
	left := writers
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		if s.Weight == 0 || !s.Writes {
			continue
		}
		left--
		fit := fitting(p.Mailboxes, free, c.suite.Scenarios[c.index[i]].Mailboxes)
		reserve := left // one for each writer that is still to come, one for the readers
		if readers {
			reserve++
		}
		want := max(1, int(float64(len(p.Mailboxes))*s.work()/total))
		want = min(want, len(fit), max(1, len(free)-reserve))
		if len(fit) == 0 || len(free) <= reserve {
			c.short(i, writers, readers)
			continue
		}
		s.Mailboxes = slices.Clone(fit[:want])
		free = slices.DeleteFunc(free, func(m int) bool { return slices.Contains(s.Mailboxes, m) })
		slices.Sort(s.Mailboxes)
	}
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		if s.Weight == 0 || s.Writes {
			continue
		}
		tag := c.suite.Scenarios[c.index[i]].Mailboxes
		s.Mailboxes = fitting(p.Mailboxes, free, tag)
		slices.Sort(s.Mailboxes)
		if len(s.Mailboxes) == 0 {
			c.short(i, writers, readers)
		}
	}
}

// work is a scenario's part of all requests: its weight times the requests of an
// iteration, on the side where they are more.
func (s *Scenario) work() float64 {
	most := 1.0
	for side := range s.Steps[0].Asks {
		most = max(most, s.requests(side))
	}
	return float64(s.Weight) * most
}

// short reports a scenario without a mailbox.
func (c *compiler) short(i, writers int, readers bool) {
	s := &c.suite.Scenarios[c.index[i]]
	if s.Mailboxes != "" && len(fitting(c.plan.Mailboxes, c.drawn(), s.Mailboxes)) == 0 {
		c.problems.Add(s.Pos, "scenario %q wants mailboxes tagged %q, but no mailbox of profile %s carries that tag%s",
			s.Name, s.Mailboxes, c.profile.Name, strictyaml.Suggest(s.Mailboxes, allTags(c.plan.Mailboxes)))
		return
	}
	need := writers
	if readers {
		need++
	}
	c.problems.Add(s.Pos, "scenario %q is left without a mailbox: %d writing scenarios need one of their own each, so the profile needs at least %d mailboxes (it has %d)",
		s.Name, writers, need, len(c.plan.Mailboxes))
}

// drawn is every mailbox in the order of a draw by seed and name.
func (c *compiler) drawn() []int {
	order := make([]int, len(c.plan.Mailboxes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		boxes := c.plan.Mailboxes
		return cmp.Or(cmp.Compare(c.ownerKey(a, boxes[a]), c.ownerKey(b, boxes[b])), cmp.Compare(a, b))
	})
	return order
}

// fitting keeps the mailboxes that carry tag; "" is carried by all.
func fitting(boxes []profiles.Mailbox, of []int, tag string) []int {
	var out []int
	for _, i := range of {
		if tag == "" || slices.Contains(boxes[i].Tags, tag) {
			out = append(out, i)
		}
	}
	return out
}

func allTags(boxes []profiles.Mailbox) []string {
	var tags []string
	for _, b := range boxes {
		tags = append(tags, b.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// Anonymous reports whether there are no mailboxes: one without a name stands for
// whatever the path leads to.
func (p *Plan) Anonymous() bool {
	return len(p.Mailboxes) == 1 && (p.Mailboxes[0].Name == "" || p.Mailboxes[0].Name == profiles.Anonymous)
}
