package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cutover/harness/lab/recur"
	"cutover/harness/lab/zone"
)

// viewLimit bounds what one view may expand to.
const viewLimit = 20_000

// View lists what happens in [from, to): single events, occurrences and
// exceptions that start before to and end after from, by start. calendar 0 is
// the default one.
func (m *Mailbox) View(calendar Key, from, to time.Time) ([]*Event, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	if calendar == 0 {
		calendar = DefaultCalendar
	}
	if _, err := byKey(sec.calendars, calendar, calendarKey); err != nil {
		return nil, err
	}
	var list []*Event
	for _, e := range sec.events {
		switch {
		case e.Calendar != calendar:
		case e.Rule != nil:
			list = e.expand(list, from, to)
		case e.in(from, to):
			list = append(list, e)
		}
	}
	slices.SortFunc(list, byStart)
	return list, nil
}

// Instances lists the occurrences and exceptions of a series in [from, to).
func (m *Mailbox) Instances(r Ref, from, to time.Time) ([]*Event, error) {
	sec := m.openCalendar()
	defer m.mu.RUnlock()
	e, err := sec.find(r)
	if err != nil {
		return nil, err
	}
	if e.Rule == nil {
		return nil, nil
	}
	list := e.expand(nil, from, to)
	slices.SortFunc(list, byStart)
	return list, nil
}

// in says whether the event touches [from, to). One of no length counts by its start.
func (e *Event) in(from, to time.Time) bool {
	return e.Start.At.Before(to) && (e.End.At.After(from) || e.Start.At.Equal(e.End.At) && !e.Start.At.Before(from))
}

// expand appends what of a series lies in [from, to).
func (e *Event) expand(list []*Event, from, to time.Time) []*Event {
	last := recur.DateOf(to.UTC()) + 1
	first := recur.DateOf(from.UTC()) - 1 - recur.Date(e.End.At.Sub(e.Start.At)/(24*time.Hour))
	for _, x := range e.exceptions {
		if x.in(from, to) {
			list = append(list, x)
		}
	}
	e.Rule.Dates(func(d recur.Date) bool {
		if d >= first && d <= last && !slices.Contains(e.CancelledDays, d) && e.exception(d) == nil {
			if o := e.occurrence(d); o.in(from, to) {
				list = append(list, o)
			}
		}
		return d <= last && len(list) < viewLimit
	})
	return list
}

func (e *Event) exception(d recur.Date) *Event {
	for _, x := range e.exceptions {
		if x.Day == d {
			return x
		}
	}
	return nil
}

// on is the series' date d: its exception or plain occurrence.
func (e *Event) on(d recur.Date) *Event {
	if x := e.exception(d); x != nil {
		return x
	}
	return e.occurrence(d)
}

// occurrence derives the event of one date. The wall clock of the series' zone
// keeps its time of day through changes of the clocks.
func (e *Event) occurrence(d recur.Date) *Event {
	o := *e
	loc := e.location()
	start := e.Start.At.In(loc)
	h, min, s := start.Clock()
	at := d.At(time.Duration(h)*time.Hour+time.Duration(min)*time.Minute+time.Duration(s)*time.Second, loc)
	o.Type, o.Day, o.Rule, o.exceptions, o.CancelledDays = Occurrence, d, nil, nil, nil
	o.Start.At = at.UTC()
	o.End.At = at.Add(e.End.At.Sub(e.Start.At)).UTC()
	o.OriginalStart = o.Start.At
	o.UID = occurrenceUID(e.UID, d)
	return &o
}

func (e *Event) location() *time.Location {
	if e.AllDay {
		return time.UTC
	}
	if loc, ok := zone.Load(e.Start.Zone); ok {
		return loc
	}
	return time.UTC
}

// uidHead begins every Exchange-made iCalUId: the class id of global object ids.
const uidHead = "040000008200E00074C5B7101A82E008"

// newUID makes an iCalUId of seed: no date in it, so that of a master or single.
func newUID(seed uint64) string {
	return fmt.Sprintf("%s00000000%016X000000000000000010000000%016X%016X", uidHead, mix(seed, 1), mix(seed, 2), mix(seed, 3))
}

// occurrenceUID writes the date into a series' iCalUId: it differs per occurrence.
func occurrenceUID(uid string, d recur.Date) string {
	rest, ok := strings.CutPrefix(uid, uidHead+"00000000")
	if !ok {
		return uid + "-" + d.String()
	}
	y, mo, day := d.Midnight().Date()
	return fmt.Sprintf("%s%04X%02X%02X%s", uidHead, y, int(mo), day, rest)
}
