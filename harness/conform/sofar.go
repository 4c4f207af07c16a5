package conform

import (
	"slices"

	"cutover/harness/result"
)

// SoFar lists the findings of the pairs that are in, worst first, while others
// still arrive. What only the end can tell is not among them: pairs that are held
// back until their identities are known, and what builds and throttling show.
func (c *Comparer) SoFar() []result.Finding {
	findings := c.folded.hush(c.folded.findings())
	slices.SortStableFunc(findings, compareFindings)
	return findings
}

// Counted counts the pairs that are in. Pairs that are held back until their
// identities are known are among Pairs alone.
func (c *Comparer) Counted() result.Comparison {
	return result.Comparison{Pairs: c.pairs.Load(), Compared: c.compared.Load(), Equal: c.equal.Load(), Identical: c.identical.Load(), Different: c.different.Load()}
}
