package conform

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// Identities that are noted but not related: they name the request or the version, not a thing.
const (
	sortVersion = "version"
	sortRequest = "request"
)

// edge says that an id on the left and one on the right stood for the same thing.
type edge struct {
	key   edgeKey
	place uint32
	weak  bool
}

// identity relates two ids. They are never compared by value between two stores; in one store they
// must be equal.
func (w *walk) identity(p *canon.Property, l, r canon.Node) {
	switch p.Sort {
	case sortRequest, sortVersion:
		return
	}
	if w.c.opts.Stores == "same" {
		w.sameStore(p.Sort, l, r)
		return
	}
	if l.Empty() || r.Empty() {
		if l.Empty() != r.Empty() {
			w.nodes("field.empty-absent", aspectPresence, l, r, attributedNeither)
		}
		return
	}
	sort := p.Sort
	if sort == "item" && w.entity.typ != "" {
		sort = w.entity.typ
	}
	if sort == "occurrence" {
		w.cancelledDays(l, r)
	}
	key := edgeKey{w.token(l.TextHash()), w.token(r.TextHash())}
	w.bench.edges = append(w.bench.edges, edge{key: key, place: w.place(sort), weak: w.weak || len(w.pair.Refs) > 0})
}

// token makes an id of one mailbox pair out of its digest. It is not seeded: equal runs break ties alike.
func token(mailbox uint64, id canon.Hash) uint64 {
	return (id.Lo^mailbox)*0x9e3779b97f4a7c15 ^ id.Hi
}

func (w *walk) token(id canon.Hash) uint64 { return token(w.mailbox, id) }

// place is the index of where the walk stands. A pair has few such places.
func (w *walk) place(sort string) uint32 {
	pointer := w.pattern()
	for i := range w.bench.places {
		if p := &w.bench.places[i]; p.pointer == pointer && p.sort == sort {
			return p.index
		}
	}
	p := w.pair
	index := w.c.ids.place(evidence{sort, p.Scenario, p.Step, p.Endpoint, pointer})
	w.bench.places = append(w.bench.places, knownPlace{pointer, sort, index})
	return index
}

type knownPlace struct {
	pointer, sort string
	index         uint32
}

func (w *walk) sameStore(sort string, l, r canon.Node) {
	lt, rt := l.Text(), r.Text()
	switch {
	case lt == rt:
	case alphabet.Replace(lt) == alphabet.Replace(rt):
		w.note("id.alphabet", aspectValue, w.c.mask.id(sort, lt), w.c.mask.id(sort, rt))
	default:
		w.observe("identity.unequal", aspectValue, w.c.mask.id(sort, lt), w.c.mask.id(sort, rt), attributedNeither)
	}
}

// alphabet spells REST ids as EWS does: REST writes - for / and _ for +.
var alphabet = strings.NewReplacer("-", "/", "_", "+")

// etag checks that an item's etag is its changeKey, as it is on every Outlook item.
func (w *walk) etag(n canon.Node, side string) {
	etag, ok := n.Get("@odata.etag")
	if !ok || etag.Kind() != canon.String {
		return
	}
	key, ok := n.Get("changeKey")
	if !ok || key.Kind() != canon.String {
		return
	}
	inner := bytes.TrimSuffix(bytes.TrimPrefix(etag.Raw(), []byte(`W/\"`)), []byte(`\"`))
	if bytes.Equal(inner, key.Raw()) || strings.Trim(strings.TrimPrefix(etag.Text(), "W/"), `"`) == key.Text() {
		return
	}
	l, r := "etag is changeKey", "etag is changeKey"
	if side == attributedLeft {
		l = "etag is not changeKey"
	} else {
		r = "etag is not changeKey"
	}
	w.observe("identity.etag", aspectValue, l, r, side)
}

// identityGraph counts which ids stood for the same thing. It is filled from many goroutines; what it
// says depends on the set of edges alone.
type identityGraph struct {
	shards [edgeShards]edgeShard
	limit  int
	level  atomic.Uint32 // of the sample
	lone   loneIDs

	fetches atomic.Uint32 // means nothing; see fetch

	mu       sync.Mutex
	evidence map[evidence]uint32
	places   []evidence
}

// evidence is where an edge was seen.
type evidence struct{ sort, scenario, step, endpoint, pointer string }

func newIdentityGraph(limit int) *identityGraph {
	return &identityGraph{limit: limit, evidence: map[evidence]uint32{}}
}

// before orders two places by what they are, not by when they were first seen.
func (g *identityGraph) before(a, b uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.places[a].compare(g.places[b]) < 0
}

func (g *identityGraph) place(e evidence) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, ok := g.evidence[e]
	if !ok {
		i = uint32(len(g.places))
		g.evidence[e] = i
		g.places = append(g.places, e)
	}
	return i
}

// matching is φ for the tokens that somebody asked about: which id on the right is which on the left,
// by strong evidence.
type matching struct {
	toRight, toLeft map[uint64]uint64
}

// contradicts reports whether strong evidence gives one of the two ids another counterpart.
func (m matching) contradicts(left, right uint64) bool {
	if r, ok := m.toRight[left]; ok && r != right {
		return true
	}
	l, ok := m.toLeft[right]
	return ok && l != left
}

// knows reports whether strong evidence gives one of the two ids a counterpart.
func (m matching) knows(left, right uint64) bool {
	_, l := m.toRight[left]
	_, r := m.toLeft[right]
	return l || r
}

// keep remembers an edge of the renaming when it was asked about.
func (m matching) keep(e edgeKey, asked map[uint64]bool) {
	if asked[e.left] {
		m.toRight[e.left] = e.right
	}
	if asked[e.right] {
		m.toLeft[e.right] = e.left
	}
}

// violation is an edge outside the matching.
type violation struct {
	merge bool
	place evidence
	edges uint64
}

// judge decides the renaming. Every component must be a single edge; in one that is not, the heaviest
// edges are the renaming and the others violate it. asked are the tokens whose counterparts are wanted.
func (g *identityGraph) judge(asked map[uint64]bool) (ids result.Identities, bad []violation, phi matching) {
	phi = matching{map[uint64]uint64{}, map[uint64]uint64{}}
	edges := g.strong()
	crowded := edges[:0]
	for _, e := range markCrowded(edges) {
		if e.crowded {
			crowded = append(crowded, e)
			continue
		}
		ids.Matched++
		phi.keep(e.edgeKey, asked)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(crowded, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.strong, a.strong), cmp.Compare(a.arrival, b.arrival),
			g.places[a.evidence].compare(g.places[b.evidence]), cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right))
	})
	byPlace := map[violation]uint64{}
	left, right := map[uint64]bool{}, map[uint64]bool{} // in the renaming; true once violated
	for _, e := range crowded {
		_, hasLeft := left[e.left]
		_, hasRight := right[e.right]
		if !hasLeft && !hasRight {
			left[e.left], right[e.right] = false, false
			phi.keep(e.edgeKey, asked)
			continue
		}
		if hasLeft {
			byPlace[violation{merge: false, place: g.places[e.evidence]}]++
			left[e.left] = true
		}
		if hasRight {
			byPlace[violation{merge: true, place: g.places[e.evidence]}]++
			right[e.right] = true
		}
	}
	ids.Split, ids.Merged = violated(left), violated(right)
	for v, n := range byPlace {
		v.edges = n
		bad = append(bad, v)
	}
	slices.SortFunc(bad, func(a, b violation) int {
		return cmp.Or(a.place.compare(b.place), cmp.Compare(btoi(a.merge), btoi(b.merge)))
	})
	return ids, bad, phi
}

// violated counts the ids that have more than one counterpart.
func violated(tokens map[uint64]bool) (n uint64) {
	for _, bad := range tokens {
		if bad {
			n++
		}
	}
	return n
}

// markCrowded marks the edges that share an end with another one.
func markCrowded(edges []weighed) []weighed {
	for _, end := range []func(weighed) uint64{
		func(e weighed) uint64 { return e.left },
		func(e weighed) uint64 { return e.right },
	} {
		slices.SortFunc(edges, func(a, b weighed) int { return cmp.Compare(end(a), end(b)) })
		for i := 1; i < len(edges); i++ {
			if end(edges[i]) == end(edges[i-1]) {
				edges[i].crowded, edges[i-1].crowded = true, true
			}
		}
	}
	return edges
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e evidence) compare(o evidence) int {
	return cmp.Or(strings.Compare(e.scenario, o.scenario), strings.Compare(e.step, o.step), strings.Compare(e.endpoint, o.endpoint),
		strings.Compare(e.pointer, o.pointer), strings.Compare(e.sort, o.sort))
}

type weighed struct {
	edgeKey
	edgeCount
	crowded bool // another edge ends at one of its ids
}

// strong lists the edges with strong evidence that are in the sample.
func (g *identityGraph) strong() []weighed {
	var list []weighed
	level := g.level.Load()
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		list = slices.Grow(list, s.used)
		s.each(func(key edgeKey, count edgeCount) {
			if count.strong > 0 && sampled(key, level) {
				list = append(list, weighed{edgeKey: key, edgeCount: count})
			}
		})
		s.mu.Unlock()
	}
	return list
}
