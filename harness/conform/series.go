package conform

import (
	"slices"
	"strings"
	"time"

	"cutover/harness/canon"
)

// A series is judged by what it means: its dates, expanded to instants across the changes of summer time.
// Two rules that mean the same dates are representation, whatever members they are written with.

// seriesLength and seriesYears bound an expansion: a difference shows long before.
const (
	seriesLength = 400
	seriesYears  = 5
)

// series compares two recurrences by their dates and reports whether it could. first and second are the
// events that they belong to.
func (w *walk) series(l, r, first, second canon.Node) bool {
	if l.Kind() != canon.Object || r.Kind() != canon.Object || l.Hash() == r.Hash() {
		return false
	}
	if w.c.opts.Veiled {
		return w.veiledSeries(l, r)
	}
	left, lok := expand(l, first)
	right, rok := expand(r, second)
	if !lok || !rok {
		return false
	}
	at, same := firstDifference(left, right)
	if same {
		w.respelt(l, r)
		return true
	}
	w.observe("recur.inexpressible", aspectValue, dateOr(left, at), dateOr(right, at), attributedNeither)
	return true
}

// respelt compares how two recurrences of the same dates are written.
func (w *walk) respelt(l, r canon.Node) {
	outer := w.sameDates
	w.sameDates = true
	w.node(l, r)
	w.sameDates = outer
}

// firstDifference is the index of the first date that differs.
func firstDifference(l, r []time.Time) (at int, same bool) {
	for i := range min(len(l), len(r)) {
		if !l[i].Equal(r[i]) {
			return i, false
		}
	}
	return min(len(l), len(r)), len(l) == len(r)
}

func dateOr(dates []time.Time, at int) string {
	if at >= len(dates) {
		return "ends before"
	}
	return dates[at].UTC().Format(time.RFC3339)
}

// rule is a recurrence, decoded.
type seriesRule struct {
	kind, index, rangeKind string
	interval, day, month   int
	days                   []time.Weekday
	weekStart              time.Weekday
	start, end             time.Time // dates, at midnight UTC
	count                  int
	clock                  time.Duration // local time of day
	zone                   *time.Location
}

// expand makes the instants of a series. ok is false for what is not a whole recurrence.
func expand(n, event canon.Node) ([]time.Time, bool) {
	s, ok := decodeSeries(n, event)
	if !ok {
		return nil, false
	}
	var out []time.Time
	limit := s.start.AddDate(seriesYears, 0, 0)
	if s.rangeKind == "endDate" && s.end.Before(limit) {
		limit = s.end
	}
	most := seriesLength
	if s.rangeKind == "numbered" {
		most = min(most, s.count)
	}
	for period := 0; len(out) < most; period++ {
		dates, begins := s.period(period)
		if begins.After(limit) {
			break
		}
		for _, d := range dates {
			if d.Before(s.start) || d.After(limit) || len(out) == most {
				continue
			}
			y, m, day := d.Date()
			midnight := time.Date(y, m, day, 0, 0, 0, 0, s.zone)
			h, mi, sec := int(s.clock/time.Hour), int(s.clock/time.Minute)%60, int(s.clock/time.Second)%60
			out = append(out, time.Date(midnight.Year(), midnight.Month(), midnight.Day(), h, mi, sec, 0, s.zone))
		}
	}
	return out, true
}

// period lists the dates of one period of the pattern and when the period begins.
func (s seriesRule) period(n int) (dates []time.Time, begins time.Time) {
	step := n * s.interval
	switch s.kind {
	case "daily":
		d := s.start.AddDate(0, 0, step)
		return []time.Time{d}, d
	case "weekly":
		back := (int(s.start.Weekday()) - int(s.weekStart) + 7) % 7
		week := s.start.AddDate(0, 0, -back+7*step)
		for i := range 7 {
			if d := week.AddDate(0, 0, i); slices.Contains(s.days, d.Weekday()) {
				dates = append(dates, d)
			}
		}
		return dates, week
	}
	month := time.Date(s.start.Year(), s.start.Month()+time.Month(step), 1, 0, 0, 0, 0, time.UTC)
	if s.kind == "absoluteYearly" || s.kind == "relativeYearly" {
		month = time.Date(s.start.Year()+step, time.Month(s.month), 1, 0, 0, 0, 0, time.UTC)
	}
	last := month.AddDate(0, 1, -1).Day()
	if s.kind == "absoluteMonthly" || s.kind == "absoluteYearly" {
		// Outlook puts day 31 of a shorter month on its last day.
		return []time.Time{month.AddDate(0, 0, min(s.day, last)-1)}, month
	}
	var fits []time.Time
	for i := range last {
		if d := month.AddDate(0, 0, i); slices.Contains(s.days, d.Weekday()) {
			fits = append(fits, d)
		}
	}
	at := slices.Index([]string{"first", "second", "third", "fourth"}, s.index)
	if s.index == "last" || at >= len(fits) {
		at = len(fits) - 1
	}
	if at < 0 {
		return nil, month
	}
	return fits[at : at+1], month
}

// decodeSeries reads pattern and range, and the time of day and zone of the event's start.
func decodeSeries(n, event canon.Node) (s seriesRule, ok bool) {
	pattern, _ := n.Get("pattern")
	span, _ := n.Get("range")
	s.kind, s.index = textAt(pattern, "type"), textAt(pattern, "index")
	s.rangeKind = textAt(span, "type")
	if recurrenceMembers[s.kind] == nil || recurrenceMembers[s.rangeKind] == nil {
		return s, false
	}
	s.interval, s.day, s.month, s.count = intAt(pattern, "interval"), intAt(pattern, "dayOfMonth"), intAt(pattern, "month"), intAt(span, "numberOfOccurrences")
	days, _ := pattern.Get("daysOfWeek")
	for d := range days.Children() {
		day, known := weekday(d.Text())
		if !known {
			return s, false
		}
		s.days = append(s.days, day)
	}
	s.weekStart, _ = weekday(textAt(pattern, "firstDayOfWeek"))
	var lok, eok bool
	s.start, lok = dateAt(span, "startDate")
	s.end, eok = dateAt(span, "endDate")
	if !lok || s.rangeKind == "endDate" && !eok || s.interval < 1 || s.rangeKind == "numbered" && s.count < 1 {
		return s, false
	}
	return s, s.clockOf(span, event) && s.complete()
}

// clockOf takes the local time of day from the event's start, in the zone of the recurrence. A series of
// whole days has dates, which are the same in every zone.
func (s *seriesRule) clockOf(span, event canon.Node) bool {
	if wholeDays(event) {
		s.zone = time.UTC
		return true
	}
	begin, _ := event.Get("start")
	instant, zone, ok := composeZoned(begin)
	if !ok {
		return false
	}
	s.zone = zone.location
	for _, name := range []string{textAt(span, "recurrenceTimeZone"), textAt(event, "originalStartTimeZone")} {
		if z := resolveZone(name); z.location != nil {
			s.zone = z.location
			break
		}
	}
	h, m, sec := instant.In(s.zone).Clock()
	s.clock = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	return true
}

// complete reports whether the pattern has the members that its type needs.
func (s seriesRule) complete() bool {
	switch s.kind {
	case "weekly", "relativeMonthly":
		return len(s.days) > 0
	case "absoluteMonthly":
		return s.day >= 1 && s.day <= 31
	case "absoluteYearly":
		return s.day >= 1 && s.day <= 31 && s.month >= 1 && s.month <= 12
	case "relativeYearly":
		return len(s.days) > 0 && s.month >= 1 && s.month <= 12
	}
	return true
}

// cancelledDays compares the dates that the ids of two cancelled occurrences end with: OID.id.2026-03-04.
func (w *walk) cancelledDays(l, r canon.Node) {
	if w.c.opts.Veiled {
		return
	}
	left, lok := cancelledDay(l.Text())
	right, rok := cancelledDay(r.Text())
	if lok && rok && !left.Equal(right) {
		w.observe("recur.inexpressible", aspectValue, "cancelled on "+left.Format(time.DateOnly), "cancelled on "+right.Format(time.DateOnly), attributedNeither)
	}
}

func cancelledDay(id string) (time.Time, bool) {
	d, err := time.Parse(time.DateOnly, id[strings.LastIndexByte(id, '.')+1:])
	return d, err == nil
}

func textAt(n canon.Node, name string) string {
	child, _ := n.Get(name)
	if child.Kind() != canon.String {
		return ""
	}
	return child.Text()
}

func intAt(n canon.Node, name string) int {
	child, _ := n.Get(name)
	if child.Kind() != canon.Number {
		return 0
	}
	i, _ := child.Any().(int64)
	return int(i)
}

func dateAt(n canon.Node, name string) (time.Time, bool) {
	text := textAt(n, name)
	if len(text) > len(time.DateOnly) {
		text = text[:len(time.DateOnly)] // v1.0 writes dates as moments
	}
	d, err := time.Parse(time.DateOnly, text)
	return d, err == nil && !sentinel(d)
}

func weekday(name string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if full := d.String(); len(full) == len(name) && (full[0]|0x20) == name[0] && full[1:] == name[1:] {
			return d, true
		}
	}
	return time.Sunday, false
}
