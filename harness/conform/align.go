package conform

import (
	"strings"

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

// aligner is the state of one alignment.
type aligner struct {
	ls, rs         []canon.Node
	toRight        []int // by left index, -1 for none
	weak           []bool
	taken          []bool
	leftFree, free int
}

// align pairs elements: equal content first, then by key, then by likeness. It takes expected linear
// time for keyed lists; what has no key at all is bounded by unkeyedWindow.
func (w *walk) align(ls, rs []canon.Node) alignment {
	a := &aligner{ls: ls, rs: rs, toRight: make([]int, len(ls)), weak: make([]bool, len(ls)), taken: make([]bool, len(rs)), leftFree: len(ls), free: len(rs)}
	for i := range a.toRight {
		a.toRight[i] = -1
	}
	a.trim()
	if a.leftFree > 0 && a.free > 0 {
		a.byContent()
	}
	for _, key := range w.keys(ls, rs) {
		if a.leftFree == 0 || a.free == 0 {
			break
		}
		a.byKey(key)
	}
	out := alignment{}
	if a.leftFree > 0 && a.free > 0 {
		out.degraded = a.byLikeness()
	}
	for i, j := range a.toRight {
		if j >= 0 {
			out.pairs = append(out.pairs, pairing{i, j, a.weak[i]})
		} else {
			out.left = append(out.left, i)
		}
	}
	for j, taken := range a.taken {
		if !taken {
			out.right = append(out.right, j)
		}
	}
	return out
}

func (a *aligner) pair(i, j int, weak bool) {
	a.toRight[i], a.taken[j], a.weak[i] = j, true, weak
	a.leftFree--
	a.free--
}

// trim pairs the equal beginning and end. Objects that hash alike without their ids may be anybody's
// twins, so only lists of the same length are trimmed, and only where the content is unique.
func (a *aligner) trim() {
	if len(a.ls) != len(a.rs) {
		return
	}
	seen := make(map[canon.Hash]int, len(a.ls))
	for _, n := range a.ls {
		seen[n.Hash()]++
	}
	for i := range a.ls {
		if a.ls[i].Hash() == a.rs[i].Hash() {
			a.pair(i, i, seen[a.ls[i].Hash()] > 1)
		}
	}
}

// byContent pairs equal content as a multiset: every element is claimed once.
func (a *aligner) byContent() {
	where := map[canon.Hash][]int{}
	for j, n := range a.rs {
		if !a.taken[j] {
			where[n.Hash()] = append(where[n.Hash()], j)
		}
	}
	for i, n := range a.ls {
		if a.toRight[i] >= 0 {
			continue
		}
		if list := where[n.Hash()]; len(list) > 0 {
			a.pair(i, list[0], len(list) > 1)
			where[n.Hash()] = list[1:]
		}
	}
}

// keyFunc names an element; ok is false for one that has no such key.
type keyFunc func(n canon.Node, left bool) (key string, ok bool)

// byKey pairs elements that share a key. Of several with one key the likest are paired.
func (a *aligner) byKey(key keyFunc) {
	where := map[string][]int{}
	for j, n := range a.rs {
		if !a.taken[j] {
			if k, ok := key(n, false); ok {
				where[k] = append(where[k], j)
			}
		}
	}
	groups := map[string][]int{}
	var order []string
	for i, n := range a.ls {
		if a.toRight[i] < 0 {
			if k, ok := key(n, true); ok && len(where[k]) > 0 {
				if len(groups[k]) == 0 {
					order = append(order, k)
				}
				groups[k] = append(groups[k], i)
			}
		}
	}
	for _, k := range order {
		a.group(groups[k], where[k])
	}
}

// group pairs the elements of one key. Small groups go by likeness, larger ones by their order: the
// cost stays linear.
func (a *aligner) group(lefts, rights []int) {
	if len(lefts) == 1 && len(rights) == 1 {
		a.pair(lefts[0], rights[0], false)
		return
	}
	if len(lefts) > 8 || len(rights) > 8 {
		for n := range min(len(lefts), len(rights)) {
			a.pair(lefts[n], rights[n], true)
		}
		return
	}
	a.greedy(lefts, rights, 0)
}

// greedy pairs the likest two again and again, as long as they are at least that alike.
func (a *aligner) greedy(lefts, rights []int, atLeast float64) {
	for {
		best, bi, bj := -1.0, -1, -1
		for _, i := range lefts {
			if a.toRight[i] >= 0 {
				continue
			}
			for _, j := range rights {
				if a.taken[j] {
					continue
				}
				if s := likeness(a.ls[i], a.rs[j]); s > best {
					best, bi, bj = s, i, j
				}
			}
		}
		if bi < 0 || best < atLeast {
			return
		}
		a.pair(bi, bj, true)
	}
}

// unkeyedWindow bounds the elements that are compared each with each: 64 × 64 likenesses are a
// fraction of a millisecond.
const unkeyedWindow = 64

// byLikeness pairs what is left: elements with half of their members equal belong together, and when
// as many are left on both sides, by position.
func (a *aligner) byLikeness() (degraded bool) {
	var lefts, rights []int
	for i, j := range a.toRight {
		if j < 0 {
			lefts = append(lefts, i)
		}
	}
	for j, taken := range a.taken {
		if !taken {
			rights = append(rights, j)
		}
	}
	objects := len(lefts) > 0 && a.ls[lefts[0]].Kind() == canon.Object
	if objects && len(lefts) <= unkeyedWindow && len(rights) <= unkeyedWindow {
		a.greedy(lefts, rights, enough(a.ls[lefts[0]]))
		a.samePlace(lefts)
		return false
	}
	if !objects && len(lefts) == len(rights) {
		// Scalars at the same place with other values are changes, not a loss and a gain.
		for n := range lefts {
			if a.toRight[lefts[n]] < 0 && !a.taken[rights[n]] {
				a.pair(lefts[n], rights[n], false)
			}
		}
		return false
	}
	if !objects || len(lefts) != len(rights) {
		return false
	}
	for n := range lefts {
		a.pair(lefts[n], rights[n], true)
	}
	return true
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
func (a *aligner) samePlace(lefts []int) {
	if len(a.ls) != len(a.rs) {
		return
	}
	for _, i := range lefts {
		if a.toRight[i] < 0 && !a.taken[i] && telling(a.ls[i]) < 2 && telling(a.rs[i]) < 2 {
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

// keys are the ways in which elements of a list can be told apart, best first.
func (w *walk) keys(ls, rs []canon.Node) []keyFunc {
	if len(ls) == 0 || ls[0].Kind() != canon.Object {
		return nil
	}
	typ := ""
	if p := ls[0].Property(); p != nil {
		typ = p.Object
	} else if len(w.at) == 1 && w.at[0].name == "value" {
		typ = w.entity.typ
	}
	names, ok := keysOf[typ]
	if !ok {
		names = keysOf[""]
	}
	var list []keyFunc
	for _, paths := range names {
		list = append(list, w.keyOf(strings.Split(paths, " ")))
	}
	return list
}

// keysOf are candidate keys by type: paths whose values together name an element. The last ones are
// weaker and only see what the first ones left.
var keysOf = map[string][]string{
	"message":             {"internetMessageId", "subject sentDateTime from.emailAddress.address", "subject receivedDateTime", "subject", "receivedDateTime"},
	"event":               {"iCalUId start", "subject start end", "subject start", "subject", "start"},
	"contact":             {"fileAs emailAddresses[0].address", "displayName", "fileAs", "emailAddresses[0].address", "surname givenName"},
	"mailFolder":          {"displayName"},
	"contactFolder":       {"displayName"},
	"calendar":            {"name"},
	"calendarGroup":       {"name"},
	"attachment":          {"name size contentType", "name contentType", "name"},
	"recipient":           {"emailAddress.address", "emailAddress.name"},
	"attendee":            {"emailAddress.address", "emailAddress.name"},
	"emailAddress":        {"address", "name"},
	"location":            {"displayName"},
	"extendedProperty":    {"propertyId", "id"},
	"outlookCategory":     {"displayName"},
	"messageRule":         {"displayName"},
	"scheduleItem":        {"start end"},
	"":                    {"id", "key", "name", "displayName", "subject"},
	"scheduleInformation": {"scheduleId"},
}

// keyOf makes a key of several paths. A path that is missing makes the element keyless.
func (w *walk) keyOf(paths []string) keyFunc {
	return func(n canon.Node, left bool) (string, bool) {
		var b strings.Builder
		for _, path := range paths {
			child, ok := n.Find("$." + path)
			if !ok || child.Kind() == canon.Null {
				return "", false
			}
			b.WriteString(w.keyText(child, left))
			b.WriteByte(0)
		}
		return b.String(), b.Len() > len(paths)
	}
}

// keyText is one part of a key: moments as instants, addresses as the right side calls them.
func (w *walk) keyText(n canon.Node, left bool) string {
	if n.Kind() == canon.Object {
		if t, _, ok := composeZoned(n); ok {
			return t.UTC().String()
		}
		return ""
	}
	s := n.Text()
	if p := n.Property(); p != nil && p.Form == canon.FormInstant {
		if t, _, ok := parseInstant(s); ok {
			return t.UTC().Truncate(1e9).String()
		}
	}
	s = foldText(s)
	if left {
		s = w.c.names.translate(s)
	} else {
		s = w.c.names.settle(s)
	}
	if n.Property() != nil && n.Property().Form == canon.FormAddress {
		return strings.ToLower(s)
	}
	return s
}
