package conform

import (
	"strings"
	"time"

	"cutover/harness/canon"
)

// parseInstant reads a moment: RFC 3339 with any number of fraction digits, or the same without an
// offset, which is then UTC and marked so.
func parseInstant(s string) (t time.Time, offset, ok bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true, true
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, false, true
		}
	}
	return time.Time{}, false, false
}

// likeInstant reports whether a text is a moment with an offset.
func likeInstant(s string) bool {
	_, offset, ok := parseInstant(s)
	return ok && offset && strings.IndexByte(s, 'T') > 0
}

// sentinel reports whether a moment stands for "never": year 1, or the start of FILETIME.
func sentinel(t time.Time) bool { return t.Year() <= 1601 }

// instants compares two moments of the item's own history at the coarser of their precisions.
func (w *walk) instants(l, r canon.Node) {
	lt, _, lok := parseInstant(l.Text())
	rt, _, rok := parseInstant(r.Text())
	switch {
	case !lok || !rok:
		w.nodes("value.time", aspectValue, l, r, blame(!lok, !rok))
	case sameInstant(lt, rt, l.Text(), r.Text()) || sentinel(lt) && sentinel(rt):
		w.representTime(l, r)
	case w.ownMoment(lt) && w.ownMoment(rt):
		w.spelling(l, r) // made by the run, by each store at its own time: whether they agree is chance
	default:
		w.nodes("value.time", aspectValue, l, r, attributedNeither)
	}
}

// representTime reports the spelling of equal moments.
func (w *walk) representTime(l, r canon.Node) {
	id := "time.form"
	if w.at[len(w.at)-1].name == "originalStart" {
		id = "time.original_start"
	}
	lf, rf := timeForm(l.Text()), timeForm(r.Text())
	if lf == rf {
		lf, rf = l.Text(), r.Text() // two spellings of never, or of one moment in two zones
	}
	w.note(id, aspectValue, lf, rf)
}

// ownMoment reports whether the run itself made the moment.
func (w *walk) ownMoment(t time.Time) bool {
	since := w.c.opts.Since
	return !since.IsZero() && !t.Before(since.Truncate(time.Second))
}

// sameInstant compares at the coarser precision of the two spellings.
func sameInstant(l, r time.Time, ls, rs string) bool {
	if l.Equal(r) {
		return true
	}
	digits := min(fraction(ls), fraction(rs))
	unit := time.Second
	for range min(digits, 9) {
		unit /= 10
	}
	return l.Truncate(unit).Equal(r.Truncate(unit))
}

// fraction counts the digits behind the seconds.
func fraction(s string) int {
	_, after, ok := strings.Cut(s, ".")
	if !ok {
		return 0
	}
	n := 0
	for n < len(after) && after[n] >= '0' && after[n] <= '9' {
		n++
	}
	return n
}

// timeForm describes the spelling of a moment without telling it: "7 digits, Z".
func timeForm(s string) string {
	form := string(rune('0'+min(fraction(s), 9))) + " fraction digits, "
	switch {
	case strings.HasSuffix(s, "Z"):
		return form + "Z"
	case likeInstant(s):
		return form + "with an offset"
	}
	return form + "no zone"
}

// stamps compares when two stores wrote something: the values have nothing to do with each other,
// their spelling has.
func (w *walk) stamps(l, r canon.Node) {
	if !sameShape(l.Raw(), r.Raw()) {
		w.spelling(l, r)
	}
}

// sameShape reports whether two spellings differ in their digits alone.
func sameShape(l, r []byte) bool {
	if len(l) != len(r) {
		return false
	}
	for i := range l {
		if l[i] != r[i] && (l[i] < '0' || l[i] > '9' || r[i] < '0' || r[i] > '9') {
			return false
		}
	}
	return true
}

// spelling compares the forms of two moments.
func (w *walk) spelling(l, r canon.Node) {
	_, _, lok := parseInstant(l.Text())
	_, _, rok := parseInstant(r.Text())
	switch {
	case !lok || !rok:
		if lok != rok {
			w.nodes("value.time", aspectValue, l, r, blame(!lok, !rok))
		}
	case timeForm(l.Text()) != timeForm(r.Text()):
		w.note("time.form", aspectValue, timeForm(l.Text()), timeForm(r.Text()))
	}
}

// localTimes compares dates and times that carry no zone of their own.
func (w *walk) localTimes(l, r canon.Node) {
	lt, _, lok := parseInstant(l.Text())
	rt, _, rok := parseInstant(r.Text())
	if !lok || !rok {
		lt, lok = parseClock(l.Text())
		rt, rok = parseClock(r.Text())
	}
	switch {
	case lok && rok && (lt.Equal(rt) || sentinel(lt) && sentinel(rt)):
		w.note("time.form", aspectValue, timeForm(l.Text()), timeForm(r.Text()))
	default:
		w.nodes("value.time", aspectValue, l, r, blame(!lok, !rok))
	}
}

func parseClock(s string) (time.Time, bool) {
	t, err := time.Parse("15:04:05.999999999", s)
	return t.AddDate(2000, 0, 0), err == nil
}

// zoned compares {dateTime, timeZone} pairs as instants, and reports whether the two objects are
// such pairs. A dateTime alone is never a moment: its zone decides.
func (w *walk) zoned(l, r canon.Node) bool {
	if !isZoned(l) || !isZoned(r) {
		return false
	}
	lt, lz, lok := composeZoned(l)
	rt, rz, rok := composeZoned(r)
	if !lok || !rok {
		return false // members are compared one by one, and the odd one is named
	}
	lzone, _ := l.Get("timeZone")
	rzone, _ := r.Get("timeZone")
	lday, rday := localDate(l), localDate(r)
	switch {
	case lt.Equal(rt), twice(lt, rt), twice(rt, lt):
		w.zoneOf(lzone, rzone, lz, rz)
	case w.allDay() && lday == rday && midnight(l) && midnight(r):
		w.zoneOf(lzone, rzone, lz, rz)
	case w.ownMoment(lt) && w.ownMoment(rt) && w.entity.typ != "event":
	default:
		w.observe("value.time", aspectValue, w.zonedText(l), w.zonedText(r), attributedNeither)
	}
	ld, _ := l.Get("dateTime")
	rd, _ := r.Get("dateTime")
	if lt.Equal(rt) && fraction(ld.Text()) != fraction(rd.Text()) {
		w.enter(step{"dateTime", -1})
		w.note("time.form", aspectValue, timeForm(ld.Text()), timeForm(rd.Text()))
		w.leave()
	}
	return true
}

// twice reports whether two instants have one clock in the zone of the first: the hour that the end of
// summer time repeats, of which a dateTime cannot say whether it is the first or the second.
func twice(a, b time.Time) bool {
	return a.Format(time.DateTime) == b.In(a.Location()).Format(time.DateTime)
}

func isZoned(n canon.Node) bool {
	p := n.Property()
	return p != nil && p.Object == "zoned"
}

// composeZoned makes the instant of a pair. The zone UTC is meant when none is given.
func composeZoned(n canon.Node) (t time.Time, zone zoneName, ok bool) {
	moment, found := n.Get("dateTime")
	if !found || moment.Kind() != canon.String {
		return t, zone, false
	}
	name := "UTC"
	if z, found := n.Get("timeZone"); found && z.Kind() == canon.String && z.Text() != "" {
		name = z.Text()
	}
	zone = resolveZone(name)
	if zone.location == nil {
		return t, zone, false
	}
	naive, offset, ok := parseInstant(moment.Text())
	if !ok {
		return t, zone, false
	}
	if offset {
		return naive, zone, true
	}
	y, mo, d := naive.Date()
	h, mi, s := naive.Clock()
	return time.Date(y, mo, d, h, mi, s, naive.Nanosecond(), zone.location), zone, true
}

func localDate(n canon.Node) string {
	moment, _ := n.Get("dateTime")
	day, _, _ := strings.Cut(moment.Text(), "T")
	return day
}

func midnight(n canon.Node) bool {
	moment, _ := n.Get("dateTime")
	_, clock, _ := strings.Cut(moment.Text(), "T")
	return strings.Trim(clock, "0:.") == ""
}

func (w *walk) zonedText(n canon.Node) string {
	moment, _ := n.Get("dateTime")
	zone, _ := n.Get("timeZone")
	return w.c.mask.value(moment) + " " + zone.Text()
}

// zoneOf reports how the zones of two equal moments are named.
func (w *walk) zoneOf(l, r canon.Node, lz, rz zoneName) {
	if l.Text() == r.Text() {
		return
	}
	w.enter(step{"timeZone", -1})
	defer w.leave()
	switch {
	case lz.canonical == rz.canonical:
		w.note("time.zone_name", aspectValue, l.Text(), r.Text())
	case lz.canonical == "UTC" || rz.canonical == "UTC":
		w.note("time.zone_default", aspectValue, l.Text(), r.Text())
	default:
		w.note("time.zone", aspectValue, l.Text(), r.Text())
	}
}

// zones compares two names of zones.
func (w *walk) zones(l, r canon.Node) {
	lz, rz := resolveZone(l.Text()), resolveZone(r.Text())
	name := w.at[len(w.at)-1].name
	switch {
	case l.Text() == "" || r.Text() == "":
		id := "time.zone"
		if name == "recurrenceTimeZone" {
			id = "recur.tz_empty"
		}
		w.note(id, aspectValue, w.c.mask.zone(l), w.c.mask.zone(r))
	case lz.canonical != "" && lz.canonical == rz.canonical:
		w.note("time.zone_name", aspectValue, l.Text(), r.Text())
	case lz.canonical == "" || rz.canonical == "":
		w.observe("time.custom_zone", aspectValue, l.Text(), r.Text(), blame(lz.canonical == "", rz.canonical == ""))
	default:
		w.note("time.zone", aspectValue, l.Text(), r.Text())
	}
}

// zone shows the name of a zone, which is nobody's secret.
func (m masker) zone(n canon.Node) string {
	if n.Text() == "" {
		return `""`
	}
	return n.Text()
}

// allDay reports whether the event that the walk stands in lasts whole days: its dates count, not
// its instants.
func (w *walk) allDay() bool { return w.wholeDays }

// oldDateAgainstZoned compares v1.0's moment with an offset with v2.0's pair of dateTime and zone.
func (w *walk) oldDateAgainstZoned(l, r canon.Node) bool {
	moment, pair := l, r
	if l.Kind() == canon.Object {
		moment, pair = r, l
	}
	if moment.Kind() != canon.String || pair.Kind() != canon.Object || !isZoned(pair) {
		return false
	}
	mt, _, mok := parseInstant(moment.Text())
	pt, _, pok := composeZoned(pair)
	if !mok || !pok || !mt.Equal(pt) {
		return false
	}
	w.note("time.form", aspectValue, jsonKind(l), jsonKind(r))
	return true
}

func jsonKind(n canon.Node) string {
	if n.Kind() == canon.Object {
		return "dateTime and timeZone"
	}
	return "a moment with an offset"
}

// durations compares ISO 8601 durations: PT24H is P1D.
func (w *walk) durations(l, r canon.Node) {
	ld, lok := parseDuration(l.Text())
	rd, rok := parseDuration(r.Text())
	if lok && rok && ld == rd {
		w.note("time.form", aspectValue, l.Text(), r.Text())
		return
	}
	w.nodes("value.duration", aspectValue, l, r, blame(!lok, !rok))
}

// parseDuration reads weeks, days, hours, minutes and seconds. Years and months have no fixed length.
func parseDuration(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return 0, false
	}
	date, clock, _ := strings.Cut(rest, "T")
	var total time.Duration
	for date != "" {
		n, unit, after, ok := durationPart(date)
		if !ok || unit != 'D' && unit != 'W' {
			return 0, false
		}
		if unit == 'W' {
			n *= 7
		}
		total += time.Duration(n) * 24 * time.Hour
		date = after
	}
	if clock == "" {
		return total, rest != ""
	}
	d, err := time.ParseDuration(strings.ToLower(clock))
	return total + d, err == nil
}

func durationPart(s string) (n int64, unit byte, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int64(s[i]-'0')
		i++
	}
	if i == 0 || i == len(s) || i > 9 {
		return 0, 0, "", false
	}
	return n, s[i], s[i+1:], true
}
