package conform

import (
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// presence judges a property that one side does not send.
func (w *walk) presence(name string, l, r, lparent, rparent canon.Node) {
	present, absentLeft := l, false
	dialect := w.c.right
	if r.Exists() {
		present, absentLeft, dialect = r, true, w.c.left
	}
	if p := w.property(name, present); p != nil && p.Newer && dialect.Model2016 {
		w.at = w.at[:len(w.at)-1]
		w.newer(name, absentLeft)
		w.enter(step{name, -1})
		return
	}
	if quietAbsence(name, present) || w.reasoned(name, l, r, lparent, rparent) {
		return
	}
	attribution := attributedNeither
	asked := w.asked(name, lparent)
	if asked || w.expected(name) {
		attribution = blame(absentLeft, !absentLeft)
	}
	switch {
	case present.Kind() == canon.Null && w.leavesOutNulls(absentLeft):
		w.nodes("null.absent", aspectPresence, l, r, attribution)
	case present.Kind() == canon.Null:
		w.nodes("field.null-absent", aspectPresence, l, r, attribution)
	case present.Empty():
		w.nodes("field.empty-absent", aspectPresence, l, r, attribution)
	case absentLeft:
		w.nodes("field.extra", aspectPresence, l, r, attribution)
	default:
		w.nodes("field.missing", aspectPresence, l, r, attribution)
	}
	if asked {
		w.severe(result.Major)
	}
}

// leavesOutNulls reports whether the side without the property is an on-premises one in front of the
// cloud: the ledger knows that pair.
func (w *walk) leavesOutNulls(absentLeft bool) bool {
	without, with := w.c.right, w.c.left
	if absentLeft {
		without, with = w.c.left, w.c.right
	}
	return without.Model2016 && !with.Model2016
}

// property is the schema's word on a member of the entity that stands at the root or in value[].
func (w *walk) property(name string, n canon.Node) *canon.Property {
	p := n.Property()
	if w.ofEntity() && w.entity.typ != "" {
		if q, ok := canon.Lookup(w.entity.typ, name); ok {
			return &q
		}
	}
	return p
}

// ofEntity reports whether the walk stands on a member of the answer's own entity.
func (w *walk) ofEntity() bool {
	switch {
	case len(w.at) == 1:
		return !w.entity.collection
	case len(w.at) == 3:
		return w.at[0].name == "value" && w.at[1].index >= 0
	}
	return false
}

// asked reports whether $select named the property: OData then wants it answered, null if need be.
func (w *walk) asked(name string, _ canon.Node) bool {
	if !w.ofEntity() {
		return false
	}
	for _, s := range w.pair.Select {
		if s == name {
			return true
		}
	}
	return false
}

// expected reports whether the default representation of the entity holds the property.
func (w *walk) expected(name string) bool {
	if !w.ofEntity() || len(w.pair.Select) > 0 {
		return false
	}
	p, ok := canon.Lookup(w.entity.typ, name)
	return ok && !p.Selected && !p.Newer
}

// quietAbsence finds members that a side may leave out without saying anything: newer answers of
// Graph add an empty address and empty coordinates to every location.
func quietAbsence(name string, present canon.Node) bool {
	p := present.Property()
	return p != nil && p.Type == "location" && present.Empty() && (name == "address" || name == "coordinates")
}

// newer tallies properties that the on-premises model does not have: one finding a place.
func (w *walk) newer(name string, absentLeft bool) {
	pointer, row := w.at.pattern(), "props.absent"
	if name == "cancelledOccurrences" || name == "exceptionOccurrences" {
		row = "recur.exceptions"
	}
	for i := range w.seen {
		o := &w.seen[i]
		if o.rule.id == row && o.pointer == pointer && o.because == "" {
			if absentLeft {
				o.right = addName(o.right, name)
			} else {
				o.left = addName(o.left, name)
			}
			return
		}
	}
	l, r := "absent", "absent"
	if absentLeft {
		r = name
	} else {
		l = name
	}
	w.note(row, aspectPresence, l, r)
}

// addName keeps a short sorted list of names.
func addName(list, name string) string {
	names := strings.Split(list, ", ")
	for i, n := range names {
		if n == name {
			return list
		}
		if n > name {
			names = append(names[:i], append([]string{name}, names[i:]...)...)
			return strings.Join(names, ", ")
		}
	}
	return strings.Join(append(names, name), ", ")
}
