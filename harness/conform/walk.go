package conform

import (
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// Who is at fault, judged by the contract of each side.
const (
	attributedLeft    = "left"
	attributedRight   = "right"
	attributedBoth    = "both"
	attributedNeither = "neither"
)

// aspect is what a suite's rule may overlook.
type aspect uint8

const (
	aspectValue aspect = iota
	aspectPresence
	aspectOrder
	aspectType
	aspectAll
)

// walk compares one pair. It belongs to one goroutine.
type walk struct {
	c      *Comparer
	pair   *Pair
	entity entity
	rules  ruleSet

	at        trail
	bench     *bench
	mailbox   uint64 // digest of the pair of mailboxes
	seen      []observation
	last      int // index of the observation that was made last
	identical bool
	skip      string // why the pair is not comparable after all
	weak      bool   // edges found here may be arbitrary: several items hash alike
	sameDates bool   // inside two recurrences that mean the same dates
	wholeDays bool   // inside an event that lasts whole days
	capped    bool   // the two pages have different sizes for a known reason
	moreLeft  bool   // the left page says that there is a next one
	moreRight bool   // so does the right one
}

// note records a difference at the walk's place, unless a rule of the suite overlooks it; then it is kept
// with the author's word and breaks nothing.
func (w *walk) note(id string, what aspect, l, r string) {
	w.observe(id, what, l, r, attributedNeither)
}

func (w *walk) observe(id string, what aspect, l, r, attribution string) {
	if w.sameDates && (strings.HasPrefix(id, "value.") || strings.HasPrefix(id, "field.")) {
		id = "recur.spelling" // the dates agree, however they are written
	}
	rule := named(id)
	o := observation{rule: rule, aspect: what, pointer: w.pattern(), left: l, right: r, severity: rule.severity, attribution: attribution}
	if because, ok := w.rules.overlooks(w.at, what); ok {
		o.because, o.severity = because, result.Info
	}
	if len(w.seen) == maxSeen {
		w.last = -1
		return
	}
	w.last = len(w.seen)
	w.seen = append(w.seen, o)
}

// maxSeen bounds the differences of one pair: what differs in 500 places is not described any better
// by the next one.
const maxSeen = 500

// again reports whether the same difference was seen at another element of the same list, and joins
// the blame. A list of thousands then costs one observation.
func (w *walk) again(id string, what aspect, attribution string) bool {
	pointer := w.pattern()
	for i := range w.seen {
		o := &w.seen[i]
		if o.rule.id != id || o.pointer != pointer {
			continue
		}
		because, _ := w.rules.overlooks(w.at, what)
		if o.because != because {
			continue
		}
		o.attribution = joinAttribution(o.attribution, attribution)
		w.last = i
		return true
	}
	return false
}

// noted is the observation that was made last.
func (w *walk) noted() *observation {
	if w.last < 0 {
		return &observation{rule: named("availability")} // one too many: it goes nowhere
	}
	return &w.seen[w.last]
}

// severe raises the last observation, unless a rule overlooks it.
func (w *walk) severe(s result.Severity) {
	if o := w.noted(); o.because == "" && s.Rank() > o.severity.Rank() {
		o.severity = s
	}
}

func (w *walk) nodes(id string, what aspect, l, r canon.Node, attribution string) {
	if w.again(id, what, attribution) {
		return
	}
	if len(w.seen) == maxSeen {
		w.last = -1
		return
	}
	w.observe(id, what, w.c.mask.value(l), w.c.mask.value(r), attribution)
}

// pattern is the pointer of the walk's place.
func (w *walk) pattern() string {
	hash := uint64(0xcbf29ce484222325)
	for _, s := range w.at {
		if s.index >= 0 {
			hash = (hash ^ '*') * 0x100000001b3
		}
		for i := range len(s.name) {
			hash = (hash ^ uint64(s.name[i])) * 0x100000001b3
		}
		hash = (hash ^ '/') * 0x100000001b3
	}
	pattern, ok := w.bench.patterns[hash]
	if !ok {
		pattern = w.at.pattern()
		w.bench.patterns[hash] = pattern
	}
	return pattern
}

func (w *walk) enter(s step) { w.at = append(w.at, s) }
func (w *walk) leave()       { w.at = w.at[:len(w.at)-1] }

// node compares two values that both exist.
func (w *walk) node(l, r canon.Node) {
	if l.Hash() == r.Hash() && l.Kind() == r.Kind() && !l.Slots() && !r.Slots() {
		return
	}
	if w.c.opts.Content == "shape" {
		w.shape(l, r)
		return
	}
	lk, rk := l.Kind(), r.Kind()
	switch {
	case lk == rk && lk == canon.Object:
		w.objects(l, r)
	case lk == rk && lk == canon.Array:
		w.arrays(l, r)
	case lk == rk:
		w.scalars(l, r)
	case lk == canon.Null || rk == canon.Null:
		w.nulls(l, r)
	default:
		w.types(l, r)
	}
}

// types compares values of different JSON kinds.
func (w *walk) types(l, r canon.Node) {
	if w.oldDateAgainstZoned(l, r) {
		return
	}
	if number, text, ok := numberAgainstText(l, r); ok && canon.CanonicalNumber(number.Text()) == canon.CanonicalNumber(text.Text()) {
		w.nodes("type", aspectType, l, r, blame(wrongKind(l), wrongKind(r)))
		w.noted().severity = minorUnless(*w.noted())
		return
	}
	w.nodes("type", aspectType, l, r, blame(wrongKind(l), wrongKind(r)))
}

// minorUnless lowers a number that is written as text: OData allows it (IEEE754Compatible).
func minorUnless(o observation) result.Severity {
	if o.because != "" {
		return o.severity
	}
	return result.Minor
}

func numberAgainstText(l, r canon.Node) (number, text canon.Node, ok bool) {
	switch {
	case l.Kind() == canon.Number && r.Kind() == canon.String:
		return l, r, true
	case l.Kind() == canon.String && r.Kind() == canon.Number:
		return r, l, true
	}
	return l, r, false
}

// wrongKind reports whether a value's JSON kind contradicts the schema.
func wrongKind(n canon.Node) bool {
	p := n.Property()
	if p == nil || p.Form == canon.FormUnknown {
		return false
	}
	if p.Collection && n.Kind() != canon.Array {
		return n.Kind() != canon.Null // of an element the property is the collection's too: judged by form below
	}
	switch n.Kind() {
	case canon.Null:
		return p.NonNull
	case canon.Bool:
		return p.Form != canon.FormBool
	case canon.Number:
		return p.Form != canon.FormInt && p.Form != canon.FormNumber
	case canon.String:
		return p.Form == canon.FormBool || p.Form == canon.FormInt || p.Form == canon.FormNumber || p.Form == canon.FormObject
	case canon.Object:
		return p.Form != canon.FormObject
	case canon.Array:
		return !p.Collection
	}
	return false
}

// blame says whose fault it is when left, right, both or neither break the contract.
func blame(left, right bool) string {
	switch {
	case left && right:
		return attributedBoth
	case left:
		return attributedLeft
	case right:
		return attributedRight
	}
	return attributedNeither
}

// nulls compares null with something that is not.
func (w *walk) nulls(l, r canon.Node) {
	other, nullSide := r, l
	if r.Kind() == canon.Null {
		other, nullSide = l, r
	}
	p := nullSide.Property()
	if !other.Empty() {
		w.nodes("field.null", aspectPresence, l, r, blame(broken(l), broken(r)))
		return
	}
	if other.Kind() == canon.Array || p != nil && p.Collection {
		w.nodes("null.collection", aspectPresence, l, r, blame(l.Kind() == canon.Null, r.Kind() == canon.Null))
		return
	}
	w.nodes("field.null-empty", aspectPresence, l, r, blame(broken(l), broken(r)))
}

// broken reports whether a null breaks the schema's word.
func broken(n canon.Node) bool {
	p := n.Property()
	return n.Kind() == canon.Null && p != nil && p.NonNull
}

// objects pairs members by canonical name. Members mostly stand in the same order, so the next one is
// tried first; large objects get an index.
func (w *walk) objects(l, r canon.Node) {
	if w.recurrence(l, r) {
		return
	}
	if w.zoned(l, r) {
		return
	}
	outer := w.wholeDays
	w.wholeDays = outer || wholeDays(l) && wholeDays(r)
	defer func() { w.wholeDays = outer }()
	index, back := memberIndex(r), nameIndex(nil)
	var room [64]bool
	used := room[:]
	if r.Len() > len(room) {
		used = make([]bool, r.Len())
	}
	cursor, position := r.First(), 0
	for lm := range l.Children() {
		var rm canon.Node
		at := -1
		if cursor.Exists() && cursor.Key() == lm.Key() {
			rm, at = cursor, position
		} else if rm, at = index.find(r, lm.Key()); at >= 0 {
			cursor, position = rm, at
		}
		if at >= 0 {
			used[at] = true
			cursor, position = cursor.Next(r), position+1
		}
		w.enter(step{lm.Key(), -1})
		w.member(lm, rm, l, r)
		w.leave()
	}
	i := 0
	for rm := range r.Children() {
		if used[i] {
			i++
			continue
		}
		if back == nil {
			back = memberIndex(l)
		}
		if _, at := back.find(l, rm.Key()); at < 0 { // a name that stands twice is told elsewhere
			w.enter(step{rm.Key(), -1})
			w.member(canon.Node{}, rm, l, r)
			w.leave()
		}
		i++
	}
	w.etag(l, attributedLeft)
	w.etag(r, attributedRight)
	w.versions(l, r)
}

func wholeDays(n canon.Node) bool {
	flag, ok := n.Get("isAllDay")
	return ok && flag.Bool()
}

// nameIndex finds members by name; nil for objects that are small enough to search.
type nameIndex map[string]indexed

type indexed struct {
	node     canon.Node
	position int
}

func memberIndex(n canon.Node) nameIndex {
	// 48: beyond the largest entity of the vocabulary a map is cheaper than searching.
	if n.Len() <= 48 {
		return nil
	}
	index := make(nameIndex, n.Len())
	i := 0
	for child := range n.Children() {
		index[child.Key()] = indexed{child, i}
		i++
	}
	return index
}

func (x nameIndex) find(n canon.Node, name string) (canon.Node, int) {
	i := 0
	if x != nil {
		found, ok := x[name]
		if !ok {
			return canon.Node{}, -1
		}
		return found.node, found.position
	}
	for child := range n.Children() {
		if child.Key() == name {
			return child, i
		}
		i++
	}
	return canon.Node{}, -1
}

// member compares one property; one of the two may not exist.
func (w *walk) member(l, r, lparent, rparent canon.Node) {
	name := w.at[len(w.at)-1].name
	if strings.IndexByte(name, '@') >= 0 || strings.HasPrefix(name, "odata.") {
		w.annotation(name, l, r)
		return
	}
	if l.Exists() && r.Exists() {
		if name == "recurrence" && w.series(l, r, lparent, rparent) {
			return
		}
		w.node(l, r)
		return
	}
	w.presence(name, l, r, lparent, rparent)
}
