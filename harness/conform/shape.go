package conform

import "cutover/harness/canon"

// shape compares types, presence and formats, for mailboxes that are not twins: no value is held against another.
func (w *walk) shape(l, r canon.Node) {
	lk, rk := l.Kind(), r.Kind()
	switch {
	case lk == canon.Null || rk == canon.Null:
		return // two strangers' items may well have a value here and none there
	case lk != rk:
		w.types(l, r)
	case lk == canon.Object:
		w.shapeOfObject(l, r)
	case lk == canon.Array:
		w.shapeOfItems(l, r)
	case lk == canon.String:
		w.format(l, r)
	}
}

// shapeOfObject compares what both have and, where both are of one kind, what one of the two lacks.
func (w *walk) shapeOfObject(l, r canon.Node) {
	alike := textAt(l, "@odata.type") == textAt(r, "@odata.type")
	for lm := range l.Children() {
		rm, both := r.Get(lm.Key())
		if lm.Annotation() || !both && !alike {
			continue
		}
		w.enter(step{lm.Key(), -1})
		if both {
			w.shape(lm, rm)
		} else {
			w.shapePresence(lm, canon.Node{})
		}
		w.leave()
	}
	for rm := range r.Children() {
		if _, both := l.Get(rm.Key()); both || !alike || rm.Annotation() {
			continue
		}
		w.enter(step{rm.Key(), -1})
		w.shapePresence(canon.Node{}, rm)
		w.leave()
	}
}

// shapeOfItems holds the items against each other in the order that they stand in, as far as both lists go:
// which of them belong together is not known.
func (w *walk) shapeOfItems(l, r canon.Node) {
	var right []canon.Node
	for rm := range r.Children() {
		if len(right) == l.Len() {
			break
		}
		right = append(right, rm)
	}
	i := 0
	for lm := range l.Children() {
		if i == len(right) {
			break
		}
		w.enter(step{"", i})
		w.shape(lm, right[i])
		w.leave()
		i++
	}
}

// onlyOfSome are the members that a kind of entity has only at times: a draft comes from nobody.
var onlyOfSome = map[string]bool{"sender": true, "from": true, "meetingMessageType": true, "transactionId": true, "originalStart": true}

// shapePresence judges a property that one side does not send where it has to be answered: because $select named it,
// or because the entity has it whenever nothing is selected. What a property holds is chance between strangers, so
// that null, empty and a value are the same here.
func (w *walk) shapePresence(l, r canon.Node) {
	name := w.at[len(w.at)-1].name
	present, absentLeft, dialect := l, false, w.c.right
	if r.Exists() {
		present, absentLeft, dialect = r, true, w.c.left
	}
	asked := w.asked(name, l)
	if onlyOfSome[name] || !asked && !w.expected(name) {
		return
	}
	if p := w.property(name, present); p != nil && p.Newer && dialect.Model2016 {
		return // where a dialect leaves it out of $select it says so itself
	}
	id, left, right := "field.missing", "present", "absent"
	if absentLeft {
		id, left, right = "field.extra", "absent", "present"
	}
	if w.leavesOutNulls(absentLeft) {
		id = "null.absent"
	}
	w.observe(id, aspectPresence, left, right, blame(absentLeft, !absentLeft))
}
