package plan

import (
	"slices"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// control takes the profile's control mailbox out of the mailboxes that the load
// may ask: it is only watched, to see what the load does to others.
func (c *compiler) control() {
	name := c.profile.Control
	if name == "" {
		return
	}
	boxes := c.plan.Mailboxes
	i := slices.IndexFunc(boxes, func(m profiles.Mailbox) bool { return m.Name == name })
	if i < 0 && c.plan.Unbound {
		i = len(boxes) - 1 // the lab's names are not known yet
	}
	switch {
	case i < 0:
		var names []string
		for _, m := range boxes {
			names = append(names, m.Name)
		}
		c.problems.Add(c.profile.Pos, "control: profile %s has no mailbox %q%s", c.profile.Name, name, strictyaml.Suggest(name, names))
		return
	case len(boxes) < 2:
		c.problems.Add(c.profile.Pos, "control: %q is the only mailbox of profile %s, and the load needs one of its own", name, c.profile.Name)
		return
	}
	m := boxes[i]
	c.plan.Control = &m
	c.plan.Mailboxes = slices.Delete(slices.Clone(boxes), i, i+1)
}
