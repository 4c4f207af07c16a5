package conform

import "cutover/harness/result"

// Origin lists the captures that the example of a finding was asked with. It is nil for findings that
// no single pair shows: identities, versions, manners of pushing back.
func (c *Comparer) Origin(f result.Finding) []Ref {
	c.folded.mu.Lock()
	defer c.folded.mu.Unlock()
	if t := c.folded.tallies[keyOfFinding(f)]; t != nil {
		return t.refs
	}
	return nil
}

// Single reports whether one pair of answers is enough to show a finding.
func (c *Comparer) Single(f result.Finding) bool {
	c.folded.mu.Lock()
	defer c.folded.mu.Unlock()
	return c.folded.tallies[keyOfFinding(f)] != nil
}

// Again returns a Comparer with the same options that has seen nothing.
func (c *Comparer) Again() *Comparer {
	o := c.opts
	o.Key = c.mask.key
	return New(o)
}
