package conform

import "sync"

// maxEdges bounds the identity graph: 1 M edges take about 64 MB. Beyond it the graph is a sample of the
// ids: half of them, a quarter, and so on, each with all its edges.
const maxEdges = 1 << 20

// edgeShards are locked one by one. A power of two.
const edgeShards = 32

type edgeKey struct{ left, right uint64 }

type edgeCount struct {
	strong, weak uint32
	evidence     uint32
	arrival      uint32
}

// edgeShard is an open-addressing table of edges: an insert touches one place of memory, where a map
// of a million edges takes three.
type edgeShard struct {
	mu    sync.Mutex
	slots []edgeSlot // a power of two of them, at most three quarters in use
	used  int
	level uint32 // of the sample that is in it: the graph's, or an earlier one
}

// edgeSlot is free when it counts nothing.
type edgeSlot struct {
	key   edgeKey
	count edgeCount
}

func (s *edgeSlot) free() bool { return s.count.strong|s.count.weak == 0 }

// spread makes a place of a key. Its ids are digests, but of a mailbox whose ids may be of one kind.
func spread(key edgeKey) uint64 {
	h := (key.left ^ key.right*0xbf58476d1ce4e5b9) * 0x94d049bb133111eb
	return h ^ h>>32
}

// slot is where a key is, or belongs.
func (s *edgeShard) slot(key edgeKey) *edgeSlot {
	if s.used*4 >= len(s.slots)*3 {
		s.resize(max(64, 2*len(s.slots)), func(edgeKey) bool { return true })
	}
	mask := uint64(len(s.slots) - 1)
	for at := spread(key) & mask; ; at = (at + 1) & mask {
		if one := &s.slots[at]; one.free() || one.key == key {
			return one
		}
	}
}

// resize moves the edges that are kept into a table of another size.
func (s *edgeShard) resize(size int, kept func(edgeKey) bool) {
	old := s.slots
	s.slots, s.used = make([]edgeSlot, size), 0
	mask := uint64(size - 1)
	for i := range old {
		if old[i].free() || !kept(old[i].key) {
			continue
		}
		at := spread(old[i].key) & mask
		for !s.slots[at].free() {
			at = (at + 1) & mask
		}
		s.slots[at] = old[i]
		s.used++
	}
}

// each visits all edges, in no order.
func (s *edgeShard) each(visit func(edgeKey, edgeCount)) {
	for i := range s.slots {
		if !s.slots[i].free() {
			visit(s.slots[i].key, s.slots[i].count)
		}
	}
}

// sampled reports whether an edge belongs to the sample of a level: every edge of one in 2^level ids of each
// side does. What a sample holds depends on the ids alone, never on the order in which they came, and a
// sampled id has all its counterparts in it: no split and no merge is found that is none.
func sampled(key edgeKey, level uint32) bool {
	return level == 0 || key.left*0x9e3779b97f4a7c15>>(64-level) == 0 || key.right*0x9e3779b97f4a7c15>>(64-level) == 0
}

// insert counts one edge. A shard without room makes the sample of the whole graph smaller.
func (g *identityGraph) insert(key edgeKey, weak bool, place, arrival uint32) {
	s := &g.shards[key.left%edgeShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if level := g.level.Load(); s.level != level {
			s.level = level
			s.resize(len(s.slots), func(k edgeKey) bool { return sampled(k, level) })
		}
		if !sampled(key, s.level) {
			return
		}
		have := s.slot(key)
		if have.free() && s.used >= g.limit/edgeShards && s.level < mostLevels {
			g.level.CompareAndSwap(s.level, s.level+1)
			continue
		}
		s.count(have, key, weak, g.earlier(have, place, arrival), place, arrival)
		return
	}
}

// mostLevels ends the sampling: one in a million ids.
const mostLevels = 20

// earlier reports whether a sighting is the one to remember an edge by.
func (g *identityGraph) earlier(have *edgeSlot, place, arrival uint32) bool {
	c := &have.count
	return have.free() || arrival < c.arrival || arrival == c.arrival && place != c.evidence && g.before(place, c.evidence)
}

func (s *edgeShard) count(have *edgeSlot, key edgeKey, weak, first bool, place, arrival uint32) {
	if have.free() {
		have.key = key
		s.used++
	}
	if first {
		have.count.arrival, have.count.evidence = arrival, place
	}
	if weak {
		have.count.weak++
	} else {
		have.count.strong++
	}
}

// add takes in the edges of one pair. Where there are thousands, their places in memory are read ahead,
// several at a time: see canon.Fetch.
func (g *identityGraph) add(arrival uint64, edges []edge) {
	for i := range edges {
		if i%fetched == 0 && len(edges) > alignedWindow {
			g.fetch(edges[i:min(i+fetched, len(edges))])
		}
		g.insert(edges[i].key, edges[i].weak, edges[i].place, uint32(min(arrival, 1<<32-1)))
	}
}

func (g *identityGraph) fetch(edges []edge) {
	sum := uint32(0)
	for i := range edges {
		key := edges[i].key
		s := &g.shards[key.left%edgeShards]
		s.mu.Lock()
		if len(s.slots) > 0 {
			sum += s.slots[spread(key)&uint64(len(s.slots)-1)].count.strong
		}
		s.mu.Unlock()
	}
	g.fetches.Store(sum)
}

// loneIDs are ids of items that had no counterpart in a list. They are few, or the lists are strangers.
type loneIDs struct {
	mu  sync.Mutex
	ids map[uint64]bool
}

// maxLone bounds them.
const maxLone = 1 << 16

func (l *loneIDs) add(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[uint64]bool{}
	}
	if len(l.ids) < maxLone {
		l.ids[id] = true
	}
}

func (l *loneIDs) has(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids[id]
}
