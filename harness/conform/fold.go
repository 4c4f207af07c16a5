package conform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"cutover/harness/result"
)

// tallyKey is what one finding is about. It holds nothing of a mailbox.
type tallyKey struct {
	scenario, step, endpoint, pointer, rule, because string
}

type stepKey struct{ scenario, step string }

type tally struct {
	rule        *rule
	count       uint64
	severity    result.Severity
	attribution string
	cause       string
	left, right string
	example     result.Example
	refs        []Ref // of the example
	sketch      sketch
}

// folder gathers observations. All its fields are under mu.
type folder struct {
	mu       sync.Mutex
	tallies  map[tallyKey]*tally
	steps    map[stepKey]*uint64 // compared pairs of a step
	noises   map[noiseKey]*noiseCount
	repeats  map[stepKey]uint64   // repeated pairs of a step
	learned  map[noiseKey]Learned // read only
	values   map[string]bool      // ids of rules that were seen on values
	pressure pressureLog
}

func (f *folder) compared(p Pair) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := stepKey{p.Scenario, p.Step}
	if f.steps[key] == nil {
		f.steps[key] = new(uint64)
	}
	*f.steps[key]++
	at(f.pressure.steps, key, p.Rate)
}

// commit folds what one pair showed. A finding counts pairs, so the same difference at the same
// place counts once a pair.
func (c *Comparer) commit(p Pair, seen []observation) {
	if len(seen) == 0 {
		return
	}
	f := &c.folded
	f.mu.Lock()
	defer f.mu.Unlock()
	done := make(map[tallyKey]bool, len(seen))
	for _, o := range seen {
		key := tallyKey{p.Scenario, p.Step, p.Endpoint, o.pointer, o.rule.id, o.because}
		t := f.tallies[key]
		if o.aspect == aspectValue {
			f.values[o.rule.id] = true
		}
		if t == nil {
			t = &tally{rule: o.rule, attribution: o.attribution, severity: o.severity, sketch: newSketch()}
			f.tallies[key] = t
		}
		if !done[key] {
			done[key] = true
			t.count++
			at(f.pressure.seen, key, p.Rate)
			t.sketch.add(iteration(p))
		}
		if t.attribution != o.attribution {
			t.attribution = joinAttribution(t.attribution, o.attribution)
		}
		if o.severity.Rank() > t.severity.Rank() {
			t.severity = o.severity
		}
		if t.left == "" && t.right == "" || t.later(p, o) {
			t.left, t.right, t.cause = o.left, o.right, o.cause
			t.example, t.refs = exampleOf(p), p.Refs
		}
	}
}

// later reports whether the kept example comes after another one: of several the one of the lowest
// arrival is kept, and of equals the one that sorts first.
func (t *tally) later(p Pair, o observation) bool {
	return cmp.Or(cmp.Compare(p.Arrival, t.example.Arrival), cmp.Compare(p.Mailbox, t.example.Mailbox),
		cmp.Compare(o.left, t.left), cmp.Compare(o.right, t.right), cmp.Compare(o.cause, t.cause)) < 0
}

func exampleOf(p Pair) result.Example {
	return result.Example{
		Arrival: p.Arrival, Mailbox: p.Mailbox, LeftStatus: p.Left.Status, RightStatus: p.Right.Status,
		LeftRequestID: requestID(p.Left), RightRequestID: requestID(p.Right),
	}
}

// requestID is what support finds an answer by: the id that the client chose where the server
// repeats it, else the server's own.
func requestID(a Answer) string {
	if id := a.Header.Value("client-request-id"); id != "" {
		return id
	}
	return a.Header.Value("request-id")
}

// joinAttribution keeps blame from depending on the order of pairs.
func joinAttribution(a, b string) string {
	switch {
	case a == "" || a == attributedNeither:
		return b
	case b == "" || b == attributedNeither || a == b:
		return a
	}
	return attributedBoth
}

// findings turns the tallies into the report's order: worst first, then by place.
func (f *folder) findings() []result.Finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]result.Finding, 0, len(f.tallies))
	for key, t := range f.tallies {
		example := t.example
		r := t.rule
		finding := result.Finding{
			ID: r.id, Title: r.title, Kind: r.kind, Fingerprint: fingerprint(r.id, key.endpoint, key.pointer, r.kind),
			Severity: t.severity, Class: r.class, Scenario: key.scenario, Step: key.step, Endpoint: key.endpoint, Pointer: key.pointer,
			Left: t.left, Right: t.right, Count: t.count, Attribution: t.attribution, Cause: t.cause, Remedy: r.remedy,
			Because: key.because, Source: r.source, Example: &example,
		}
		if finding.Attribution == "" {
			finding.Attribution = attributedNeither
		}
		if n := f.steps[stepKey{key.scenario, key.step}]; n != nil && *n > 0 {
			finding.Share = min(1, float64(t.count)/float64(*n))
		}
		list = append(list, finding)
	}
	slices.SortFunc(list, compareFindings)
	return list
}

var classRank = map[result.Class]int{result.Breaking: 0, result.Capability: 1, result.Timing: 2, result.Adapter: 3}

func compareFindings(a, b result.Finding) int {
	return cmp.Or(
		cmp.Compare(classRank[a.Class], classRank[b.Class]),
		cmp.Compare(b.Severity.Rank(), a.Severity.Rank()),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Step, b.Step),
		cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Because, b.Because),
	)
}

// fingerprint names a finding across runs. It is made of the rule, the endpoint and the place alone.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// counters are counts by reason.
type counters struct {
	mu     sync.Mutex
	counts map[string]uint64
}

func (c *counters) add(reason string, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[reason] += n
}

func (c *counters) snapshot() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.counts) == 0 {
		return nil
	}
	out := make(map[string]uint64, len(c.counts))
	for reason, n := range c.counts {
		out[reason] = n
	}
	return out
}
