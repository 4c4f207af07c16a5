package conform

import (
	"slices"

	"cutover/harness/canon"
)

// digest names an element of the left or of the right list; ok is false for one that has no such name.
type digest func(i int, left bool) (name canon.Hash, ok bool)

// index finds, for a digest, the elements of the right list that have it, and lists the left ones that
// share it. It is an open-addressing table whose memory is kept: a map of slices would leave one piece of
// garbage an element.
type index struct {
	slots     []int32 // 1 + the entry, 0 for none; a power of two of them
	entries   []entry // by the digests of the right list
	of        []int32 // by left element: its entry, -1 for none
	nextLeft  []int32 // by element: 1 + the next one of its entry, 0 for none
	nextRight []int32
}

// entry is one digest with the elements that have it, in the order of their lists.
type entry struct {
	name          canon.Hash
	left, right   int32 // 1 + the first element, 0 for none
	lefts, rights int32 // how many
}

// ambiguous reports whether the elements of the entry could be paired in several ways.
func (e *entry) ambiguous() bool { return e.lefts > 1 || e.rights > 1 }

// gather indexes the elements that have no counterpart yet.
func (a *aligner) gather(name digest) {
	x := &a.index
	x.reset(len(a.ls), len(a.rs), a.free)
	for j := len(a.rs) - 1; j >= 0; j-- { // backwards, so that the first element ends up first
		if a.toLeft[j] >= 0 {
			continue
		}
		if h, ok := name(j, false); ok {
			e := &x.entries[x.entry(h, true)]
			x.nextRight[j], e.right = e.right, int32(j)+1
			e.rights++
		}
	}
	a.steps += uint64(len(a.rs) + len(a.ls))
	if len(x.entries) == 0 {
		return
	}
	for i := len(a.ls) - 1; i >= 0; i-- {
		if a.toRight[i] >= 0 {
			continue
		}
		h, ok := name(i, true)
		if !ok {
			continue
		}
		if x.of[i] = x.entry(h, false); x.of[i] >= 0 {
			e := &x.entries[x.of[i]]
			x.nextLeft[i], e.left = e.left, int32(i)+1
			e.lefts++
		}
	}
}

// list appends the elements of a chain.
func (x *index) list(to []int, first int32, next []int32) []int {
	for at := first; at > 0; at = next[at-1] {
		to = append(to, int(at-1))
	}
	return to
}

// reset empties the index for lists of these lengths, of whose right elements so many are indexed at most.
func (x *index) reset(left, right, indexed int) {
	slots := 16
	for slots < 2*indexed {
		slots *= 2
	}
	x.slots = slices.Grow(x.slots[:0], slots)[:slots]
	clear(x.slots)
	x.entries = x.entries[:0]
	x.of = slices.Grow(x.of[:0], left)[:left]
	for i := range x.of {
		x.of[i] = -1
	}
	x.nextLeft = slices.Grow(x.nextLeft[:0], left)[:left] // written before it is read
	x.nextRight = slices.Grow(x.nextRight[:0], right)[:right]
}

// entry finds a digest's entry, or makes it; -1 when there is none.
func (x *index) entry(name canon.Hash, add bool) int32 {
	mask := uint64(len(x.slots) - 1)
	for at := name.Lo & mask; ; at = (at + 1) & mask {
		switch i := x.slots[at]; {
		case i > 0 && x.entries[i-1].name == name:
			return i - 1
		case i > 0:
		case !add:
			return -1
		default:
			x.entries = append(x.entries, entry{name: name})
			x.slots[at] = int32(len(x.entries))
			return int32(len(x.entries)) - 1
		}
	}
}
