package conform

import (
	"cmp"
	"slices"

	"cutover/harness/canon"
)

// alignment says which elements of two lists belong together, in the order of the left list.
type alignment struct {
	pairs       []pairing
	left, right []int // elements without a counterpart
	degraded    bool  // some were paired by position alone
}

type pairing struct {
	left, right int
	weak        bool // several candidates were indistinguishable
}

// aligner is the state of one alignment. Its memory serves the next one: lists of thousands then leave
// nothing to collect. Everything in it grows with the length of the two lists, likely excepted, which
// unkeyedWindow bounds.
type aligner struct {
	ls, rs         []canon.Node
	lh, rh         []canon.Hash // of ls and rs: the elements themselves lie far apart
	toRight        []int        // by left index, -1 for none
	toLeft         []int        // by right index, -1 for none
	weak           []bool
	leftFree, free int
	index          index
	lefts, rights  []int // one group
	likely         []likely
	out            alignment
	fetches        byte   // means nothing; see fetch
	steps          uint64 // elements looked at and likenesses judged: what an alignment costs
}

// aligner takes the aligner of the next depth: lists stand in lists.
func (b *bench) aligner() *aligner {
	if b.depth == len(b.aligners) {
		b.aligners = append(b.aligners, &aligner{})
	}
	b.depth++
	return b.aligners[b.depth-1]
}

// collect lists the elements of two arrays.
func (a *aligner) collect(l, r canon.Node) (ls, rs []canon.Node) {
	a.ls, a.rs, a.lh, a.rh = a.ls[:0], a.rs[:0], a.lh[:0], a.rh[:0]
	for child := range l.Children() {
		a.ls, a.lh = append(a.ls, child), append(a.lh, child.Hash())
	}
	for child := range r.Children() {
		a.rs, a.rh = append(a.rs, child), append(a.rh, child.Hash())
	}
	return a.ls, a.rs
}

func (a *aligner) begin(ls, rs []canon.Node) {
	a.ls, a.rs = ls, rs
	a.leftFree, a.free = len(ls), len(rs)
	a.toRight, a.toLeft = unpairedYet(a.toRight, len(ls)), unpairedYet(a.toLeft, len(rs))
	a.weak = slices.Grow(a.weak[:0], len(ls))[:len(ls)]
	clear(a.weak)
	a.out = alignment{pairs: a.out.pairs[:0], left: a.out.left[:0], right: a.out.right[:0]}
}

func unpairedYet(list []int, n int) []int {
	list = slices.Grow(list[:0], n)[:n]
	for i := range list {
		list[i] = -1
	}
	return list
}

// align pairs elements: by what names an item whatever its content is, then equal content, then by key,
// then by likeness. It takes expected linear time for keyed lists; what has no key at all is bounded by
// unkeyedWindow. What it returns is valid until the aligner is used again.
func (w *walk) align(a *aligner, ls, rs []canon.Node) *alignment {
	a.begin(ls, rs)
	keys := w.keys(ls, rs)
	for i := range keys.names {
		if k := &keys.names[i]; a.open() && w.worthTrying(k, ls[0], rs[0]) {
			a.byKey(w, k)
		}
	}
	if a.open() {
		a.byRemoval(w)
	}
	if a.open() {
		a.byContent()
	}
	for i := range keys.others {
		if a.open() {
			a.byKey(w, &keys.others[i])
		}
	}
	if a.open() {
		a.out.degraded = a.byLikeness()
	}
	a.told()
	w.bench.steps += a.steps
	a.steps = 0
	return &a.out
}

// fetched is how many right elements are fetched at a time: about as many reads as a processor has under way.
const fetched = 16

// fetch fetches the right elements of the next pairs of a long list. The left ones are used in order, which
// the processor foresees; of thousands of shuffled ones it cannot know which comes next.
func (a *aligner) fetch(n int) {
	pairs := a.out.pairs[n:]
	if len(a.out.pairs) <= alignedWindow || len(pairs) < fetched {
		return
	}
	var next [fetched]canon.Node
	for i := range next {
		next[i] = a.rs[pairs[i].right]
	}
	a.fetches ^= canon.Fetch(next[:])
}

// open reports whether both lists have elements left to pair.
func (a *aligner) open() bool { return a.leftFree > 0 && a.free > 0 }

// told lists what was found out.
func (a *aligner) told() {
	for i, j := range a.toRight {
		if j >= 0 {
			a.out.pairs = append(a.out.pairs, pairing{i, j, a.weak[i]})
		} else {
			a.out.left = append(a.out.left, i)
		}
	}
	for j, i := range a.toLeft {
		if i < 0 {
			a.out.right = append(a.out.right, j)
		}
	}
}

func (a *aligner) pair(i, j int, weak bool) {
	a.toRight[i], a.toLeft[j], a.weak[i] = j, i, weak
	a.leftFree--
	a.free--
}

// byContent pairs equal content as a multiset: every element is claimed once, those at the same place of
// two lists of one length first. Elements that hash alike without their ids may be anybody's twins.
func (a *aligner) byContent() {
	// An element's hash is what it says, ids left out.
	a.gather(func(i int, left bool) (canon.Hash, bool) {
		if left {
			return a.lh[i], true
		}
		return a.rh[i], true
	})
	x := &a.index
	if len(a.ls) == len(a.rs) {
		for i := range a.ls {
			if a.toRight[i] < 0 && a.toLeft[i] < 0 && x.of[i] >= 0 && a.lh[i] == a.rh[i] {
				a.pair(i, i, x.entries[x.of[i]].ambiguous())
			}
		}
	}
	for i := range a.ls {
		if a.toRight[i] >= 0 || x.of[i] < 0 {
			continue
		}
		e := &x.entries[x.of[i]]
		for e.right > 0 && a.toLeft[e.right-1] >= 0 {
			e.right = x.nextRight[e.right-1]
		}
		if e.right > 0 {
			a.pair(i, int(e.right-1), e.ambiguous())
		}
	}
}

// byKey pairs elements that share a key. Of several with one key the likest are paired.
func (a *aligner) byKey(w *walk, k *key) {
	a.grouped(func(i int, left bool) (canon.Hash, bool) {
		if left {
			return w.keyed(k, a.ls[i], true)
		}
		return w.keyed(k, a.rs[i], false)
	})
}

// grouped pairs elements that share a digest.
func (a *aligner) grouped(name digest) {
	a.gather(name)
	x := &a.index
	for i := range a.ls {
		if x.of[i] < 0 {
			continue
		}
		e := &x.entries[x.of[i]]
		if e.left == 0 {
			continue // with the first of its group
		}
		if e.lefts == 1 && e.rights == 1 {
			a.pair(i, int(e.right-1), false)
			continue
		}
		a.lefts, a.rights = x.list(a.lefts[:0], e.left, x.nextLeft), x.list(a.rights[:0], e.right, x.nextRight)
		e.left = 0
		a.group()
	}
}

// group pairs the elements of one key. Small groups go by likeness, larger ones by their order: the
// cost stays linear.
func (a *aligner) group() {
	if len(a.lefts) > 8 || len(a.rights) > 8 {
		for n := range min(len(a.lefts), len(a.rights)) {
			a.pair(a.lefts[n], a.rights[n], true)
		}
		return
	}
	a.greedy(0)
}

// likely is how alike two elements are.
type likely struct {
	score       float64
	left, right int
}

// greedy pairs the likest two of the group again and again, as long as they are at least that alike.
func (a *aligner) greedy(atLeast float64) {
	a.likely = a.likely[:0]
	for _, i := range a.lefts {
		for _, j := range a.rights {
			if score := likeness(a.ls[i], a.rs[j]); score >= atLeast {
				a.likely = append(a.likely, likely{score, i, j})
			}
		}
	}
	a.steps += uint64(len(a.lefts) * len(a.rights))
	slices.SortFunc(a.likely, func(x, y likely) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.left, y.left), cmp.Compare(x.right, y.right))
	})
	for _, one := range a.likely {
		if a.toRight[one.left] < 0 && a.toLeft[one.right] < 0 {
			a.pair(one.left, one.right, true)
		}
	}
}

// unkeyedWindow bounds the elements that are compared each with each: 64 × 64 likenesses are some
// milliseconds.
const unkeyedWindow = 64

// byLikeness pairs what is left: elements with half of their members equal belong together, and when
// as many are left on both sides, by position.
func (a *aligner) byLikeness() (degraded bool) {
	a.lefts, a.rights = a.lefts[:0], a.rights[:0]
	for i, j := range a.toRight {
		if j < 0 {
			a.lefts = append(a.lefts, i)
		}
	}
	for j, i := range a.toLeft {
		if i < 0 {
			a.rights = append(a.rights, j)
		}
	}
	objects := a.ls[a.lefts[0]].Kind() == canon.Object
	if objects && len(a.lefts) <= unkeyedWindow && len(a.rights) <= unkeyedWindow {
		a.greedy(enough(a.ls[a.lefts[0]]))
		a.samePlace()
		return false
	}
	if len(a.lefts) != len(a.rights) {
		return false
	}
	// Scalars at the same place with other values are changes, not a loss and a gain; of objects nobody knows.
	for n := range a.lefts {
		a.pair(a.lefts[n], a.rights[n], objects)
	}
	return objects
}

// enough is how alike two elements must be to be one that changed. Two strangers among messages share
// their flags and empty lists, so that large elements must agree in more.
func enough(n canon.Node) float64 {
	if telling(n) >= 8 {
		return 0.75
	}
	return 0.5
}

// samePlace pairs what is left at the same place of two lists of one length, where the elements have
// nothing else by which they could be told apart.
func (a *aligner) samePlace() {
	if len(a.ls) != len(a.rs) {
		return
	}
	for _, i := range a.lefts {
		if a.toRight[i] < 0 && a.toLeft[i] < 0 && telling(a.ls[i]) < 2 && telling(a.rs[i]) < 2 {
			a.pair(i, i, true)
		}
	}
}

// telling counts the members by which an element can be recognised.
func telling(n canon.Node) int {
	count := 0
	for child := range n.Children() {
		if !child.Masked() && !child.Annotation() {
			count++
		}
	}
	return count
}

// likeness is the share of members with equal hashes.
func likeness(l, r canon.Node) float64 {
	if l.Hash() == r.Hash() {
		return 1
	}
	if l.Kind() != canon.Object || r.Kind() != canon.Object {
		return 0
	}
	same, total := 0, max(l.Len(), r.Len())
	cursor := r.First()
	for lm := range l.Children() {
		rm := cursor
		if !rm.Exists() || rm.Key() != lm.Key() {
			rm, _ = r.Get(lm.Key())
		}
		if rm.Exists() {
			if rm.Hash() == lm.Hash() && !rm.Masked() && !rm.Annotation() {
				same++
			}
			if rm.Masked() || rm.Annotation() {
				total--
			}
			cursor = rm.Next(r)
		}
	}
	if total <= 0 {
		return 0
	}
	return float64(same) / float64(total)
}
