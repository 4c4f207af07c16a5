package conform

import (
	"slices"

	"cutover/harness/canon"
)

// Members that a recurrence uses, by the type of its pattern or range. What is not listed holds a
// sentinel (month 0, endDate 0001-01-01) and means nothing.
var recurrenceMembers = map[string][]string{
	"daily":           {"type", "interval"},
	"weekly":          {"type", "interval", "daysOfWeek", "firstDayOfWeek"},
	"absoluteMonthly": {"type", "interval", "dayOfMonth"},
	"relativeMonthly": {"type", "interval", "daysOfWeek", "index"},
	"absoluteYearly":  {"type", "interval", "dayOfMonth", "month"},
	"relativeYearly":  {"type", "interval", "daysOfWeek", "index", "month"},
	"endDate":         {"type", "startDate", "endDate", "recurrenceTimeZone"},
	"noEnd":           {"type", "startDate", "recurrenceTimeZone"},
	"numbered":        {"type", "startDate", "numberOfOccurrences", "recurrenceTimeZone"},
}

// recurrence compares the pattern or the range of a series by the members that its type uses, and
// reports whether the two objects are such. Differences among sentinels are representation.
func (w *walk) recurrence(l, r canon.Node) bool {
	p := l.Property()
	if p == nil || p.Object != "recurrencePattern" && p.Object != "recurrenceRange" {
		return false
	}
	lt, lok := l.Get("type")
	rt, rok := r.Get("type")
	if !lok || !rok || lt.Text() != rt.Text() {
		return false
	}
	used, known := recurrenceMembers[lt.Text()]
	if !known {
		return false
	}
	sentinels := false
	names := memberNames(l, r)
	for _, name := range names {
		lm, lok := l.Get(name)
		rm, rok := r.Get(name)
		if lm.Annotation() || rm.Annotation() {
			continue
		}
		if !slices.Contains(used, name) {
			sentinels = sentinels || lok != rok || lm.Hash() != rm.Hash()
			continue
		}
		w.enter(step{name, -1})
		w.member(lm, rm, l, r)
		w.leave()
	}
	if sentinels {
		w.note("recur.sentinels", aspectPresence, unusedMembers(l, used), unusedMembers(r, used))
	}
	return true
}

func memberNames(l, r canon.Node) []string {
	var names []string
	for _, n := range []canon.Node{l, r} {
		for child := range n.Children() {
			if !slices.Contains(names, child.Key()) {
				names = append(names, child.Key())
			}
		}
	}
	return names
}

// unusedMembers lists the members that hold sentinels.
func unusedMembers(n canon.Node, used []string) string {
	list := ""
	for child := range n.Children() {
		if !slices.Contains(used, child.Key()) && !child.Annotation() {
			if list != "" {
				list += " "
			}
			list += child.Key() + "=" + child.Text()
		}
	}
	if list == "" {
		return "absent"
	}
	return clip(list)
}
