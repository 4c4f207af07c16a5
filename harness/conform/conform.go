// Package conform says what differs between the answers that two paths give to the same question.
//
// Two answers conform when there is a renaming of identities (ids, etags, the twins' own addresses),
// one bijection per sort, and a set of representations that mean the same, under which they are equal.
// Compare checks one pair in layers (availability, status, error contract, headers, body) and stops at
// the first layer that makes the next meaningless. Report folds everything that was seen, in whatever
// order, into the same findings.
package conform

import (
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/canon"
	"cutover/harness/request"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/suites"
)

// Options say how the two sides relate. The zero Options compare two twins that speak Graph.
type Options struct {
	Left, Right *canon.Dialect
	// Stores is "twin" (two mailboxes with the same content, the default), "same" (two paths to one
	// mailbox: ids must be equal) or "moved" (before and after a move).
	Stores string
	// Content is "full" (default) or "shape": types, presence and errors, for mailboxes that are not twins.
	Content string
	// Rules overlook differences in every step.
	Rules []suites.CompareRule
	// Tag is the category of the items that the run made itself, "" for none. Servers give such items ids
	// of their own, so that they are paired by the tag before anything else.
	Tag string
	// Identities are the addresses of the pairs: left address, right address.
	Identities [][2]string
	// ShowValues puts values into findings. Otherwise they carry type, length and a keyed pseudonym.
	ShowValues bool
	// Key is the key of pseudonyms; nil takes a random one.
	Key []byte
	// Learned are the places whose values are known to be noise.
	Learned []Learned
	// Veiled says that both answers of each pair went through a Veil: what stands in them is shown as it is,
	// and the order of moments means nothing.
	Veiled bool
	// Since is when the run began. Moments at or after it were made by the run itself, so that they
	// may differ between two stores; zero switches that leniency off.
	Since time.Time
}

// Answer is what one path said. Its slices are only read, and only during Compare.
type Answer struct {
	Status    int
	Header    wire.Header
	Body      []byte
	Failure   *wire.Failure
	Throttled bool
	Truncated bool // the body was cut: it is not compared
	Size      int  // bytes of the body before it was veiled; 0: as it is
}

// Ref is a captured value that both requests were made with: the left path's and the right path's.
type Ref struct {
	Left, Right string
	Name        string // of the capture
}

// Pair is one step answered by both paths.
type Pair struct {
	Scenario, Step string
	Endpoint       string // "GET /me/messages/{id}", in Graph's words
	Arrival        uint64
	Mailbox        string
	Left, Right    Answer
	Select         []string // in Graph's words
	Search         bool     // it asks by $search, whose index may lag behind the mailbox
	Top            int      // how many items a page was asked for, 0 for no wish
	Rules          []suites.CompareRule
	// Refs are the captures in the two requests. When the items that they name turn out not to be
	// each other's counterpart, the pair is not comparable.
	Refs []Ref
	// LeftNotes and RightNotes are what the dialects could not say as asked.
	LeftNotes, RightNotes []request.Note
	// LeftAgain and RightAgain are second answers to the same question, asked in the order left,
	// right, right, left. Where a side differs from itself, its values are noise.
	LeftAgain, RightAgain *Answer
	// Rate is how many iterations a second the plan offered when the pair was due, 0 where none was planned.
	Rate float64
	// Diverged marks a mailbox pair that a one-sided write has made different.
	Diverged bool
	// Expected says that the suite itself expects the two statuses that were answered.
	Expected bool
	// OwnWords says that a path asked in its own words: nothing is comparable but whether it answered.
	OwnWords bool
}

// Report is what all pairs came to.
type Report struct {
	Findings   []result.Finding
	Comparison result.Comparison
	Identities result.Identities
	Noise      []result.NoiseStep // what asking four times showed
	Clusters   []result.Cluster
	Rules      []RuleUse
}

// RuleUse counts what a suite's rule overlooked. A rule without hits is dead, or misspelt.
type RuleUse struct {
	Rule suites.CompareRule
	Hits uint64
}

// Comparer compares pairs. It is safe for concurrent use.
type Comparer struct {
	opts      Options
	left      *canon.Dialect
	right     *canon.Dialect
	names     renaming
	rules     ruleSet
	ids       *identityGraph
	versions  *versionLog
	renewals  renewalLog
	folded    folder
	pushbacks pushbackLog
	benches   sync.Pool
	mask      masker

	stepRules sync.Map // *suites.CompareRule, the first of a step → ruleSet
	entities  sync.Map // endpoint → entity

	mu      sync.Mutex
	pending []pending
	notComp map[string]bool

	pairs, compared, equal, identical, different atomic.Uint64
	skipped                                      counters
}

// New makes a Comparer.
func New(o Options) *Comparer {
	c := &Comparer{opts: o, left: o.Left, right: o.Right}
	if c.left == nil {
		c.left = canon.Graph()
	}
	if c.right == nil {
		c.right = canon.Graph()
	}
	key := o.Key
	if len(key) == 0 {
		key = make([]byte, 32)
		rand.Read(key) // never fails: crypto/rand ends the program instead
	}
	if o.Veiled {
		c.opts.Since = time.Time{} // what the run made is alike already
	}
	c.mask = masker{key: key, show: o.ShowValues, veiled: o.Veiled}
	c.names = newRenaming(o.Identities)
	c.rules = compileRules(o.Rules)
	c.ids = newIdentityGraph(maxEdges)
	c.versions = newVersionLog()
	c.folded.tallies = map[tallyKey]*tally{}
	c.folded.steps = map[stepKey]*uint64{}
	c.folded.pressure = newPressureLog()
	c.folded.noises = map[noiseKey]*noiseCount{}
	c.folded.repeats = map[stepKey]uint64{}
	c.folded.learned = believed(o.Learned)
	c.folded.values = map[string]bool{}
	c.skipped.counts = map[string]uint64{}
	c.notComp = map[string]bool{}
	c.benches.New = func() any { return &bench{patterns: map[uint64]string{}} }
	return c
}

type docPair struct{ left, right *canon.Doc }

// bench is what one comparison works with, kept for the next one.
type bench struct {
	docs     docPair
	edges    []edge
	places   []knownPlace
	patterns map[uint64]string // by the hash of the trail
	aligners []*aligner        // by how deep lists stand in lists
	depth    int               // aligners in use
	steps    uint64            // what the alignments of the pair cost
}

// maxPatterns bounds how many pointers a bench remembers: a server may name its members as it likes.
const maxPatterns = 4096

func (b *bench) clear() {
	b.edges, b.places = b.edges[:0], b.places[:0]
	b.depth, b.steps = 0, 0
	if len(b.patterns) > maxPatterns {
		clear(b.patterns)
	}
}

// NotComparable records that a step cannot be compared at all, with the reason: a dialect cannot say
// it. Such a step is counted apart and never as equal.
func (c *Comparer) NotComparable(scenario, step, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notComp[scenario+"/"+step+": "+reason] = true
}

// Skip counts n pairs that were not handed in, by reason: sampled out, no room in the queue.
func (c *Comparer) Skip(reason string, n uint64) {
	c.pairs.Add(n)
	c.skipped.add(reason, n)
}

// Compare takes in one pair. The order in which pairs arrive does not matter.
func (c *Comparer) Compare(p Pair) {
	c.pairs.Add(1)
	reason, seen := c.availability(p)
	if reason != "" {
		c.skipped.add(reason, 1)
		c.folded.pressed(p, func(b *bandCount) { b.unavailable++ })
		c.commit(p, seen)
		return
	}
	bench := c.benches.Get().(*bench)
	defer c.benches.Put(bench)
	bench.clear()
	w := walk{c: c, pair: &p, entity: c.entityOf(p.Endpoint), rules: c.rulesOf(p.Rules), bench: bench, mailbox: canon.HashText(p.Mailbox).Lo}
	if immutable(p.Left) || immutable(p.Right) {
		w.mailbox ^= canon.HashText("immutable ids").Lo // another name space: one item has two names
	}
	w.compare(&bench.docs)
	w.repeated()
	if w.skip != "" {
		c.skipped.add(w.skip, 1)
		c.commit(p, w.seen)
		return
	}
	if len(p.Refs) > 0 && len(w.seen) > 0 && c.hold(p, &w) {
		return
	}
	c.settle(p, w.seen, w.identical)
}

// settle counts a compared pair and folds what was seen in it.
func (c *Comparer) settle(p Pair, seen []observation, identical bool) {
	c.compared.Add(1)
	differs := false
	for _, o := range seen {
		differs = differs || o.breaks()
	}
	switch {
	case differs:
		c.different.Add(1)
	default:
		c.equal.Add(1)
		if identical && len(seen) == 0 {
			c.identical.Add(1)
		}
	}
	c.folded.pressed(p, func(b *bandCount) {
		if b.pairs++; differs {
			b.different++
		}
	})
	c.folded.compared(p)
	c.commit(p, seen)
}

// entity is what an endpoint answers with.
type entity struct {
	typ               string
	collection, reads bool
}

// entityOf reads an endpoint once.
func (c *Comparer) entityOf(endpoint string) entity {
	if e, ok := c.entities.Load(endpoint); ok {
		return e.(entity)
	}
	method, path, _ := strings.Cut(endpoint, " ")
	typ, collection := request.Returns(method, request.Segments(path))
	e := entity{typ: typ, collection: collection, reads: method == "GET"}
	c.entities.Store(endpoint, e)
	return e
}
