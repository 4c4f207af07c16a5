package conform

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"cutover/harness/canon"
)

// arrays aligns two lists and compares what belongs together. Sets are compared as sets; lists of
// objects by key; the rest in order.
func (w *walk) arrays(l, r canon.Node) {
	if w.aligned(l, r) {
		return
	}
	own := w.bench.aligner()
	defer func() { w.bench.depth-- }()
	ls, rs := w.pageCap(own.collect(l, r))
	a := w.align(own, ls, rs)
	w.shortPage(a, len(ls), len(rs))
	for n, p := range a.pairs {
		if n%fetched == 0 {
			own.fetch(n)
		}
		w.enter(step{"", p.left})
		outer := w.weak
		w.weak = outer || p.weak
		w.node(ls[p.left], rs[p.right])
		w.weak = outer
		w.leave()
	}
	w.unpaired(ls, rs, a)
	w.order(own)
}

// shortPage takes the elements behind the last pair of a page for those of the next one, when the
// other side ended its page earlier and says that there is more. Pages may be short at any time.
func (w *walk) shortPage(a *alignment, left, right int) {
	if len(w.at) != 1 || w.at[0].name != "value" || left == right || len(a.pairs) == 0 {
		return
	}
	last := pairing{-1, -1, false}
	for _, p := range a.pairs {
		last.left, last.right = max(last.left, p.left), max(last.right, p.right)
	}
	switch {
	case left > right && w.moreRight && len(a.right) == 0 && tail(a.left, last.left):
		a.left = nil
	case right > left && w.moreLeft && len(a.left) == 0 && tail(a.right, last.right):
		a.right = nil
	default:
		return
	}
	w.capped = true
	w.note("page.skip", aspectPresence, fmt.Sprintf("page of %d", left), fmt.Sprintf("page of %d", right))
}

// tail reports whether all indices stand behind the last one that was paired.
func tail(indices []int, last int) bool {
	return len(indices) > 0 && indices[0] > last
}

// alignedWindow bounds the lists whose elements are checked for twins each with each.
const alignedWindow = 64

// aligned compares two lists whose elements are equal one by one, but for what is left out of their
// hashes, and reports whether they are such.
func (w *walk) aligned(l, r canon.Node) bool {
	if l.Len() != r.Len() || l.Len() > alignedWindow {
		return false
	}
	for lc, rc := l.First(), r.First(); lc.Exists(); lc, rc = lc.Next(l), rc.Next(r) {
		if lc.Hash() != rc.Hash() || lc.Kind() != rc.Kind() {
			return false
		}
	}
	if w.crossed(l, r) {
		return false
	}
	i := 0
	for lc, rc := l.First(), r.First(); lc.Exists(); lc, rc = lc.Next(l), rc.Next(r) {
		if lc.Slots() || rc.Slots() {
			w.enter(step{"", i})
			outer := w.weak
			w.weak = outer || hasTwin(l, lc)
			w.node(lc, rc)
			w.weak = outer
			w.leave()
		}
		i++
	}
	return true
}

// hasTwin reports whether another element of the list hashes alike.
func hasTwin(list, n canon.Node) bool {
	count := 0
	for c := list.First(); c.Exists(); c = c.Next(list) {
		if c.Hash() == n.Hash() {
			count++
		}
	}
	return count > 1
}

// unpaired reports elements without a counterpart, each kind once a list.
func (w *walk) unpaired(ls, rs []canon.Node, a *alignment) {
	w.enter(step{"", 0})
	defer w.leave()
	if a.degraded {
		w.note("alignment.degraded", aspectOrder, fmt.Sprintf("%d elements", len(ls)), fmt.Sprintf("%d elements", len(rs)))
	}
	missing, extra := "item.missing", "item.extra"
	if w.pair.Search && (len(a.left) == 0) != (len(a.right) == 0) {
		missing, extra = "index.lag", "index.lag" // one side finds a part of what the other does
	}
	if w.movedBack(ls, rs, a) {
		missing, extra = "sync.moveback", "sync.moveback"
	}
	w.alone(ls, a.left)
	w.alone(rs, a.right)
	if len(a.left) > 0 {
		w.note(w.absence(missing, ls, a.left), aspectPresence, w.labels(ls, a.left), absentOf(len(rs)))
	}
	if len(a.right) > 0 {
		w.note(w.absence(extra, rs, a.right), aspectPresence, absentOf(len(ls)), w.labels(rs, a.right))
	}
}

// alone remembers the ids of elements without a counterpart: a step that captured one of them asks for
// something that the other side does not have.
func (w *walk) alone(list []canon.Node, indices []int) {
	for _, i := range indices {
		if id, ok := list[i].Get("id"); ok && id.Masked() {
			w.c.ids.lone.add(w.token(id.TextHash()))
		}
	}
}

func absentOf(n int) string { return fmt.Sprintf("not among %d", n) }

// hiddenFolders are folders that one kind of server lists and the other hides, by their English names.
var hiddenFolders = []string{
	"Clutter", "Scheduled", "Sync Issues", "Conflicts", "Local Failures", "Server Failures", "Conversation Action Settings",
	"Quick Step Settings", "Yammer Root", "ExternalContacts", "PersonMetadata", "MeContact", "Files", "RSS Feeds", "Outbox",
}

// absence names the rule for elements without a counterpart: folders that are known to be hidden
// somewhere are the ledger's row, all else is a loss or a gain.
func (w *walk) absence(id string, list []canon.Node, indices []int) string {
	if w.entity.typ != "mailFolder" && w.entity.typ != "contactFolder" {
		return id
	}
	for _, i := range indices {
		name, _ := list[i].Get("displayName")
		hidden, _ := list[i].Get("isHidden")
		if !hidden.Bool() && !slices.Contains(hiddenFolders, name.Text()) {
			return id
		}
	}
	return "folder.visibility"
}

// labels names up to three elements by what identifies them to a reader.
func (w *walk) labels(list []canon.Node, indices []int) string {
	var names []string
	for _, i := range indices {
		if len(names) == 3 {
			names = append(names, fmt.Sprintf("and %d more", len(indices)-3))
			break
		}
		names = append(names, w.label(list[i]))
	}
	return strings.Join(names, ", ")
}

func (w *walk) label(n canon.Node) string {
	for _, name := range []string{"subject", "displayName", "name", "emailAddress", "fileAs"} {
		if child, ok := n.Get(name); ok && child.Kind() == canon.String {
			return w.c.mask.value(child)
		}
		if child, ok := n.Find("$." + name + ".address"); ok {
			return w.c.mask.value(child)
		}
	}
	return w.c.mask.value(n)
}

// order reports elements that moved: one finding a list, with how many.
func (w *walk) order(a *aligner) {
	moved := len(a.out.pairs) - a.increasing()
	if moved == 0 {
		return
	}
	ls, rs := a.ls, a.rs
	text := fmt.Sprintf("%d of %d moved", moved, len(a.out.pairs))
	if w.set(ls, rs) {
		w.note("representation.order", aspectOrder, "one order", text)
		return
	}
	if tiesOnly(ls, a.toRight, w.c.opts.Veiled) && tiesOnly(rs, a.toLeft, w.c.opts.Veiled) {
		return
	}
	if property, which := unsorted(ls, rs, &a.out); which != "" && !w.c.opts.Veiled {
		l, r := "sorted by "+property, "sorted by "+property
		if which == attributedLeft {
			l = "not " + l
		} else {
			r = "not " + r
		}
		w.observe("order.unsorted", aspectOrder, l, r, which)
		return
	}
	w.note("order.moved", aspectOrder, "one order", text)
}

// set reports whether the list's order means nothing.
func (w *walk) set(ls, rs []canon.Node) bool {
	for _, list := range [][]canon.Node{ls, rs} {
		if len(list) > 0 {
			if p := list[0].Property(); p != nil && p.Bag {
				return true
			}
		}
	}
	return false
}

// increasing is the length of the longest increasing subsequence of the pairs' right indices: O(n log n),
// and linear where most elements stand in order.
func (a *aligner) increasing() int {
	tops := a.lefts[:0]
	for _, p := range a.out.pairs {
		if n := len(tops); n == 0 || tops[n-1] < p.right {
			tops = append(tops, p.right)
			continue
		}
		i, _ := slices.BinarySearch(tops, p.right)
		tops[i] = p.right
	}
	a.lefts = tops
	return len(tops)
}

// sortKeys are moments by which lists of the vocabulary are sorted unless a request says otherwise.
// Names are not among them: two servers may collate them differently and both be right.
var sortKeys = []string{"receivedDateTime", "start"}

// unsorted finds a list that is sorted by a property on one side and not on the other.
func unsorted(ls, rs []canon.Node, a *alignment) (property, side string) {
	if len(a.left)+len(a.right) > 0 {
		return "", ""
	}
	for _, property := range sortKeys {
		l, lok := sortedBy(ls, property)
		r, rok := sortedBy(rs, property)
		if lok && rok && l != r {
			if !l {
				return property, attributedLeft
			}
			return property, attributedRight
		}
	}
	return "", ""
}

// sortedBy reports whether a list is sorted by a property, in either direction. ok is false where
// the property is missing, or the same everywhere.
func sortedBy(list []canon.Node, property string) (sorted, ok bool) {
	up, down, differs := true, true, false
	var last []byte
	for i, n := range list {
		key, found := sortText(n, property)
		if !found {
			return false, false
		}
		if i > 0 {
			c := bytes.Compare(last, key)
			up, down, differs = up && c <= 0, down && c >= 0, differs || c != 0
		}
		last = key
	}
	return up || down, differs && len(list) > 2
}

// sortText is the moment by which an element is sorted, as it is written.
func sortText(n canon.Node, property string) ([]byte, bool) {
	child, ok := n.Get(property)
	if !ok {
		return nil, false
	}
	if child.Kind() == canon.Object {
		child, ok = child.Get("dateTime")
	}
	if !ok || child.Kind() != canon.String {
		return nil, false
	}
	return child.Raw(), true
}

// tiesOnly reports whether every element that moved changed places with elements of the same sort
// key: a server may break ties as it likes. to holds, for each element, its counterpart in the other list.
// Veiled moments are equal or not, and in no order.
func tiesOnly(list []canon.Node, to []int, veiled bool) bool {
	for _, property := range sortKeys {
		if sorted, ok := sortedBy(list, property); !sorted && !veiled || !ok {
			continue
		}
		var last []byte
		highest, group := -1, -1
		for i, other := range to {
			if other < 0 {
				continue
			}
			key, _ := sortText(list[i], property)
			if !bytes.Equal(key, last) {
				last, group = key, highest
			}
			if other < group {
				return false
			}
			highest = max(highest, other)
		}
		return true
	}
	return false
}
