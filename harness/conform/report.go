package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"
	"cutover/suites"
)

// maxPending bounds how many pairs wait for the identities to be known.
const maxPending = 20_000

// pending is a pair that was made with captured ids and differs: whether the two ids name the same
// item is only known when all lists were seen.
type pending struct {
	pair      Pair
	refs      [][2]uint64
	seen      []observation
	identical bool
}

// hold keeps a pair back until the report. It reports false when there is no room.
func (c *Comparer) hold(p Pair, w *walk) bool {
	if c.opts.Stores == "same" {
		return false
	}
	kept := pending{seen: w.seen, identical: w.identical}
	for _, r := range p.Refs {
		kept.refs = append(kept.refs, [2]uint64{w.token(canon.HashText(r.Left)), w.token(canon.HashText(r.Right))})
	}
	kept.pair = p
	kept.pair.Left.Body, kept.pair.Right.Body = nil, nil
	kept.pair.Left.Header, kept.pair.Right.Header = slices.Clone(p.Left.Header), slices.Clone(p.Right.Header)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= maxPending {
		return false
	}
	c.pending = append(c.pending, kept)
	return true
}

// unstable checks that an item that was asked by its id answers with that id.
func (w *walk) unstable(l, r canon.Node) {
	if !w.entity.reads || w.entity.collection || len(w.pair.Refs) == 0 || w.entity.typ == "" {
		return
	}
	lid, lok := l.Get("id")
	rid, rok := r.Get("id")
	if !lok || !rok {
		return
	}
	ref := w.pair.Refs[len(w.pair.Refs)-1]
	// An id that was asked for in its immutable form is answered in another one.
	lsame := lid.Text() == ref.Left || immutable(w.pair.Left)
	rsame := rid.Text() == ref.Right || immutable(w.pair.Right)
	if lsame == rsame {
		return
	}
	w.enter(step{"id", -1})
	w.observe("identity.unstable", aspectValue, sameOr(lsame), sameOr(rsame), blame(!lsame, !rsame))
	w.leave()
}

// immutable reports whether a side answers with immutable ids.
func immutable(a Answer) bool {
	return strings.Contains(strings.ToLower(a.Header.Value("Preference-Applied")), "immutableid")
}

func sameOr(same bool) string {
	if same {
		return "the id that was asked"
	}
	return "another id"
}

// Report folds everything that was compared. It may be called while pairs still arrive and then
// covers those that are in.
func (c *Comparer) Report() Report {
	held, asked := c.held()
	ids, bad, phi := c.ids.judge(asked)
	c.release(held, phi)
	var r Report
	r.Identities = ids
	r.Findings = c.folded.hush(c.folded.findings())
	r.Noise = c.folded.learnt()
	r.Findings = append(r.Findings, c.identityFindings(bad)...)
	r.Findings = append(r.Findings, c.versionFindings()...)
	r.Findings = append(r.Findings, c.renewalFindings()...)
	r.Findings = append(r.Findings, c.pushbackFindings()...)
	slices.SortStableFunc(r.Findings, compareFindings)
	r.Clusters = cluster(r.Findings, c.folded.sketches())
	c.folded.bound(r.Findings)
	r.Comparison = result.Comparison{
		Pairs: c.pairs.Load(), Compared: c.compared.Load(), Equal: c.equal.Load(), Identical: c.identical.Load(),
		Different: c.different.Load(), Skipped: c.skipped.snapshot(), ByLoad: c.folded.byLoad(),
	}
	r.Comparison.AtMost = result.AtMost(r.Comparison.Different, r.Comparison.Compared)
	if level := c.ids.level.Load(); level > 0 {
		c.NotComparable("*", "*", fmt.Sprintf("identities beyond a sample: of more than %d only one in %d of each side is judged", maxEdges, 1<<level))
	}
	c.mu.Lock()
	r.Comparison.NotComp = slices.Sorted(maps.Keys(c.notComp))
	c.mu.Unlock()
	r.Rules = c.ruleUse()
	return r
}

// held takes the pairs that were held back, and the ids on which they depend.
func (c *Comparer) held() (held []pending, asked map[uint64]bool) {
	c.mu.Lock()
	held, c.pending = c.pending, nil
	c.mu.Unlock()
	asked = make(map[uint64]bool, 2*len(held))
	for _, p := range held {
		for _, ref := range p.refs {
			asked[ref[0]], asked[ref[1]] = true, true
		}
	}
	return held, asked
}

// release decides the pairs that were held back: where the captures name different items the pair
// is not comparable.
func (c *Comparer) release(held []pending, phi matching) {
	for _, p := range held {
		unpaired := false
		for _, ref := range p.refs {
			unpaired = unpaired || phi.contradicts(ref[0], ref[1]) || !phi.knows(ref[0], ref[1]) && (c.ids.lone.has(ref[0]) || c.ids.lone.has(ref[1]))
		}
		if unpaired {
			c.skipped.add("captures name different items", 1)
			continue
		}
		c.settle(p.pair, p.seen, p.identical)
	}
}

// identityFindings names the places where ids broke the bijection.
func (c *Comparer) identityFindings(bad []violation) []result.Finding {
	var list []result.Finding
	for _, v := range bad {
		id, l, r := "identity.split", "one "+v.place.sort+" id", "several ids"
		if v.merge {
			id, l, r = "identity.merge", "several "+v.place.sort+" ids", "one id"
		}
		if v.place.sort == "ical" {
			id = "event.uid" // one UID a series, or one an occurrence: both servers are right
		}
		f := c.finding(id, v.place.scenario, v.place.step, v.place.endpoint, v.place.pointer)
		f.Left, f.Right, f.Count, f.Attribution = l, r, v.edges, attributedRight
		list = append(list, f)
	}
	return list
}

func (c *Comparer) finding(id, scenario, step, endpoint, pointer string) result.Finding {
	r := named(id)
	f := result.Finding{
		ID: r.id, Title: r.title, Kind: r.kind, Fingerprint: fingerprint(r.id, endpoint, pointer, r.kind), Severity: r.severity, Class: r.class,
		Scenario: scenario, Step: step, Endpoint: endpoint, Pointer: pointer, Remedy: r.remedy, Source: r.source, Attribution: attributedNeither,
	}
	c.folded.mu.Lock()
	defer c.folded.mu.Unlock()
	if n := c.folded.steps[stepKey{scenario, step}]; n != nil && *n > 0 {
		f.Share = 1
	}
	return f
}

// versionFindings names the places where an item changed and its version did not.
func (c *Comparer) versionFindings() []result.Finding {
	left, right := c.versions.broken()
	tallies := map[tallyKey]*result.Finding{}
	count := func(places []place, l, r, side string) {
		for _, at := range places {
			key := tallyKey{scenario: at.scenario, step: at.step, endpoint: at.endpoint, pointer: at.pointer}
			f := tallies[key]
			if f == nil {
				made := c.finding("version.pattern", at.scenario, at.step, at.endpoint, at.pointer)
				made.Left, made.Right, made.Attribution = l, r, side
				made.Example = &result.Example{Arrival: at.arrival, Mailbox: at.mailbox}
				f = &made
				tallies[key] = f
			}
			if f.Count++; f.Attribution != side {
				f.Left, f.Right, f.Attribution = versionStayed, versionStayed, attributedBoth
			}
		}
	}
	count(left, versionStayed, versionKept, attributedLeft)
	count(right, versionKept, versionStayed, attributedRight)
	var list []result.Finding
	for _, f := range tallies {
		if n := c.folded.comparedIn(f.Scenario, f.Step); n > 0 {
			f.Share = min(1, float64(f.Count)/float64(n))
		}
		list = append(list, *f)
	}
	return list
}

const (
	versionStayed = "same version, other content"
	versionKept   = "version follows content"
)

func (f *folder) comparedIn(scenario, step string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.steps[stepKey{scenario, step}]; n != nil {
		return *n
	}
	return 0
}

// ruleUse lists the suite's rules with their hits, in the order in which the suite has them.
func (c *Comparer) ruleUse() []RuleUse {
	var list []RuleUse
	for _, r := range c.rules {
		list = append(list, RuleUse{r.rule, r.hits.Load()})
	}
	c.stepRules.Range(func(_, set any) bool {
		for _, r := range set.(ruleSet) {
			list = append(list, RuleUse{r.rule, r.hits.Load()})
		}
		return true
	})
	slices.SortStableFunc(list, func(a, b RuleUse) int { return a.Rule.Pos.Compare(b.Rule.Pos) })
	return list
}

// rulesOf joins the suite's rules with a step's, compiled once.
func (c *Comparer) rulesOf(step []suites.CompareRule) ruleSet {
	if len(step) == 0 {
		return c.rules
	}
	set, ok := c.stepRules.Load(&step[0])
	if !ok {
		set, _ = c.stepRules.LoadOrStore(&step[0], compileRules(step))
	}
	return append(append(ruleSet(nil), c.rules...), set.(ruleSet)...)
}
