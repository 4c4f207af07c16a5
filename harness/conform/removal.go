package conform

import (
	"strings"

	"cutover/harness/canon"
)

// removedItem is the digest that all removals of a round of changes share: they carry nothing but ids, and ids
// are never compared by value.
var removedItem = canon.HashText("an item that was removed")

// removal reports whether an element of a round of changes says that an item is gone: Graph by @removed, the
// Outlook REST API by an entry of an id and a reason (Outlook REST v2.0 reference, synchronisation).
func removal(n canon.Node) bool {
	if n.Kind() != canon.Object {
		return false
	}
	if _, ok := n.Get("@removed"); ok {
		return true
	}
	reason, ok := n.Get("reason")
	if !ok || reason.Kind() != canon.String {
		return false
	}
	for child := range n.Children() {
		if key := child.Key(); key != "id" && key != "reason" && !child.Annotation() {
			return false
		}
	}
	return true
}

// byRemoval pairs removals with removals.
func (a *aligner) byRemoval(w *walk) {
	if len(w.at) != 1 || w.at[0].name != "value" || !tellsRemovals(a.ls[0]) || !tellsRemovals(a.rs[0]) {
		return
	}
	a.grouped(func(i int, left bool) (canon.Hash, bool) {
		if left {
			return removedItem, removal(a.ls[i])
		}
		return removedItem, removal(a.rs[i])
	})
}

// tellsRemovals reports whether an answer has a member by which removals are told.
func tellsRemovals(n canon.Node) bool {
	return n.Doc().Knows("@removed") || n.Doc().Knows("reason")
}

// reasoned notes a reason that the two dialects write in two places, and reports whether it is one.
func (w *walk) reasoned(name string, l, r, lparent, rparent canon.Node) bool {
	if name != "reason" || !removal(lparent) || !removal(rparent) {
		return false
	}
	says := func(n canon.Node) string {
		if n.Exists() {
			return "reason: " + n.Text()
		}
		return "@removed"
	}
	w.note("sync.protocol", aspectPresence, says(l), says(r))
	return true
}

// movedBack reports whether what one side alone lists in a round of changes is what the other lost: it knows
// that items are gone as well, and keeps their ids, under which they would have come back.
func (w *walk) movedBack(ls, rs []canon.Node, a *alignment) bool {
	alone, list, lost := a.left, ls, w.pair.Right
	if len(a.left) == 0 {
		alone, list, lost = a.right, rs, w.pair.Left
	}
	if len(alone) == 0 || len(a.left) > 0 && len(a.right) > 0 || !keepsIDs(lost) {
		return false
	}
	for _, i := range alone {
		if removal(list[i]) {
			return false
		}
	}
	removals := 0
	for _, p := range a.pairs {
		if removal(ls[p.left]) && removal(rs[p.right]) {
			removals++
		}
	}
	return removals >= len(alone)
}

// keepsIDs reports whether a side says that it answered with immutable ids.
func keepsIDs(a Answer) bool {
	return strings.Contains(strings.ToLower(a.Header.Value("Preference-Applied")), "immutableid")
}
