package conform

import (
	"math"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// Noise is told from difference by asking four times, left, right, right, left: what a side answers
// differently to itself within moments is volatile. Volatility silences values only; types, presence and
// order stay asserted.

// noiseKey is a place of a step whose value was seen to change.
type noiseKey struct{ scenario, step, pointer string }

// noiseCount is what repeated pairs showed at one place.
type noiseCount struct {
	raw   uint64 // the sides differed and neither changed: a difference
	left  uint64 // the left side changed
	right uint64 // the right side changed
	only  uint64 // a side changed where the sides did not differ
	pairs uint64 // repeated pairs in which the place showed anything

	explained uint64 // the sides differed, and a side changed
	broke     uint64 // of raw: differences that break an application
}

// repeated compares each side with its own second answer and moves what that explains from the
// observations to the noise.
func (w *walk) repeated() {
	p := w.pair
	if p.LeftAgain == nil || p.RightAgain == nil {
		return
	}
	left := w.c.changes(w.c.left, p, p.Left, *p.LeftAgain)
	right := w.c.changes(w.c.right, p, p.Right, *p.RightAgain)
	kept := w.seen[:0]
	explained := map[string]bool{}
	for _, o := range w.seen {
		if o.aspect == aspectValue && (left[o.pointer] || right[o.pointer]) {
			explained[o.pointer] = true
			continue
		}
		kept = append(kept, o)
	}
	w.seen = kept
	places := map[string]bool{}
	for pointer := range left {
		places[pointer] = true
	}
	for pointer := range right {
		places[pointer] = true
	}
	broke := map[string]bool{}
	for _, o := range kept {
		if o.aspect == aspectValue {
			places[o.pointer] = true
			broke[o.pointer] = broke[o.pointer] || o.breaks()
		}
	}
	w.c.folded.noise(p, places, func(pointer string, n *noiseCount) {
		n.pairs++
		switch {
		case !left[pointer] && !right[pointer]:
			n.raw++
			if broke[pointer] {
				n.broke++
			}
		case !explained[pointer]:
			n.only++
		default:
			n.explained++
		}
		if left[pointer] {
			n.left++
		}
		if right[pointer] {
			n.right++
		}
	})
}

// changes lists the places whose values a side answers differently to itself.
func (c *Comparer) changes(d *canon.Dialect, p *Pair, first, second Answer) map[string]bool {
	places := map[string]bool{}
	if unavailable(first) != "" || unavailable(second) != "" || first.Status != second.Status {
		return places
	}
	o := c.opts
	o.Left, o.Right, o.Identities, o.Rules, o.Learned = d, d, nil, nil, nil
	o.Key = c.mask.key
	alone := New(o)
	alone.Compare(Pair{Scenario: p.Scenario, Step: p.Step, Endpoint: p.Endpoint, Mailbox: p.Mailbox, Left: first, Right: second})
	for _, f := range alone.Report().Findings {
		places[f.Pointer] = true
	}
	return places
}

func (f *folder) noise(p *Pair, places map[string]bool, count func(pointer string, n *noiseCount)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.repeats[stepKey{p.Scenario, p.Step}]++
	for pointer := range places {
		key := noiseKey{p.Scenario, p.Step, pointer}
		n := f.noises[key]
		if n == nil {
			n = &noiseCount{}
			f.noises[key] = n
		}
		count(pointer, n)
	}
}

// volatile reports whether the place is noise rather than difference: some side changed, and the pairs
// that differ although no side changed are no more than chance would bring.
func (n *noiseCount) volatile() bool {
	if n == nil || n.left+n.right == 0 {
		return false
	}
	return signTest(n.raw, n.only) > 0.05
}

// signTest is the probability of at least raw successes among raw+noise fair coins: the exact one-sided
// sign test of "the sides differ no more often than each from itself".
func signTest(raw, noise uint64) float64 {
	n := raw + noise
	if n == 0 || raw == 0 {
		return 1
	}
	p := 0.0
	for k := raw; k <= n; k++ {
		p += math.Exp(logBinomial(n, k) - float64(n)*math.Ln2)
	}
	return min(1, p)
}

func logBinomial(n, k uint64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}

// rule names the sort of volatility.
func (n *noiseCount) rule() (*rule, string) {
	switch {
	case n.left > 0 && n.right > 0:
		return named("volatile.both"), attributedBoth
	case n.left > 0:
		return named("volatile.left"), attributedLeft
	}
	return named("volatile.right"), attributedRight
}

// hush turns the value findings at volatile places into findings of volatility, one a place.
func (f *folder) hush(findings []result.Finding) []result.Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := findings[:0]
	merged := map[noiseKey]result.Finding{}
	for _, one := range findings {
		key := noiseKey{one.Scenario, one.Step, one.Pointer}
		n := f.noises[key]
		if !f.values[one.ID] || !n.volatile() && !f.learned[key].silences(n) {
			kept = append(kept, one)
			continue
		}
		if have, ok := merged[key]; !ok || one.Count > have.Count {
			merged[key] = one
		}
	}
	for key, n := range f.quiet(merged) {
		rule, side := n.rule()
		one := merged[key]
		kept = append(kept, result.Finding{
			ID: rule.id, Title: rule.title, Kind: rule.kind, Fingerprint: fingerprint(rule.id, one.Endpoint, key.pointer, rule.kind),
			Severity: rule.severity, Class: rule.class, Scenario: key.scenario, Step: key.step, Endpoint: one.Endpoint, Pointer: key.pointer,
			Left: changing(n.left), Right: changing(n.right), Count: max(one.Count, n.pairs-n.raw), Share: one.Share, Attribution: side,
			Remedy: rule.remedy, Example: one.Example,
		})
	}
	return kept
}

// quiet lists the places whose values are noise: what repeated pairs showed in this run, and learned places
// that a difference was silenced at, with what they had shown.
func (f *folder) quiet(merged map[noiseKey]result.Finding) map[noiseKey]*noiseCount {
	places := map[noiseKey]*noiseCount{}
	for key, n := range f.noises {
		if n.volatile() {
			places[key] = n
		}
	}
	for key := range merged {
		if one := f.learned[key]; places[key] == nil {
			places[key] = &noiseCount{left: one.Left, right: one.Right}
		}
	}
	return places
}

func changing(times uint64) string {
	if times > 0 {
		return "changes between two answers"
	}
	return "stays"
}
