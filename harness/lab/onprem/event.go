package onprem

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/recur"
	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// eventTable is Event of v2.0 as documented in August 2016, with the names and
// forms of v1.0 beside. Locations, online meetings, transactionId and the like
// are Graph's only.
var eventTable = []property[store.Event]{
	{name: "Id", edm: "Edm.String", write: func(c *render, e *store.Event) { c.id(e.Ref()) }},
	{name: "CreatedDateTime", old: "DateTimeCreated", edm: "Edm.DateTimeOffset",
		write: func(c *render, e *store.Event) { c.time(e.Created) }, value: func(e *store.Event) any { return e.Created }},
	{name: "LastModifiedDateTime", old: "DateTimeLastModified", edm: "Edm.DateTimeOffset",
		write: func(c *render, e *store.Event) { c.time(e.Modified) }, value: func(e *store.Event) any { return e.Modified }},
	{name: "ChangeKey", edm: "Edm.String", write: func(c *render, e *store.Event) { c.changeKey(e.Change) }},
	{name: "Categories", edm: "Collection(Edm.String)", write: func(c *render, e *store.Event) { c.texts(e.Categories) },
		set: into(someTexts, func(e *store.Event) *[]string { return &e.Categories })},
	{name: "OriginalStartTimeZone", old: "-", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(zoneName(e.Start.Zone)) }},
	{name: "OriginalEndTimeZone", old: "-", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(zoneName(e.End.Zone)) }},
	{name: "iCalUId", edm: "Edm.String", write: func(c *render, e *store.Event) {
		if e.Type != store.Single && e.Type != store.Master && c.service.cfg.Quirk("event.uid", c.mb) {
			if master, err := c.mb.Event(store.Ref{Key: e.Key}); err == nil {
				e = master
			}
		}
		c.str(e.UID)
	}},
	{name: "ReminderMinutesBeforeStart", old: "Reminder", edm: "Edm.Int32", write: func(c *render, e *store.Event) { c.num(e.Reminder) },
		set: into(aNumber, func(e *store.Event) *int { return &e.Reminder })},
	{name: "IsReminderOn", old: "-", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(e.ReminderOn) },
		set: into(aBool, func(e *store.Event) *bool { return &e.ReminderOn })},
	{name: "HasAttachments", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(len(e.Attachments()) > 0) },
		value: func(e *store.Event) any { return len(e.Attachments()) > 0 }},
	{name: "Subject", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(e.Subject) },
		set: into(aText, func(e *store.Event) *string { return &e.Subject }), value: func(e *store.Event) any { return e.Subject }},
	{name: "BodyPreview", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(store.Preview(e.Body)) }},
	eventEnum("Importance", []string{"low", "normal", "high"}, func(e *store.Event) *string { return &e.Importance }),
	eventEnum("Sensitivity", []string{"normal", "personal", "private", "confidential"}, func(e *store.Event) *string { return &e.Sensitivity }),
	{name: "IsAllDay", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(e.AllDay) },
		set: into(aBool, func(e *store.Event) *bool { return &e.AllDay }), value: func(e *store.Event) any { return e.AllDay }},
	{name: "IsCancelled", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(e.Cancelled) }, value: func(e *store.Event) any { return e.Cancelled }},
	{name: "IsOrganizer", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(e.IsOrganizer) }, value: func(e *store.Event) any { return e.IsOrganizer }},
	{name: "ResponseRequested", edm: "Edm.Boolean", write: func(c *render, e *store.Event) { c.bool(e.ResponseWanted) },
		set: into(aBool, func(e *store.Event) *bool { return &e.ResponseWanted })},
	{name: "SeriesMasterId", edm: "Edm.String", write: func(c *render, e *store.Event) {
		if e.Type == store.Single || e.Type == store.Master {
			c.raw("null")
			return
		}
		c.id(store.Ref{Key: e.Key})
	}},
	eventEnum("ShowAs", []string{"free", "tentative", "busy", "oof", "workingElsewhere", "unknown"}, func(e *store.Event) *string { return &e.ShowAs }),
	{name: "Type", edm: "Microsoft.OutlookServices.EventType", write: func(c *render, e *store.Event) { c.enum(string(e.Type)) },
		value: func(e *store.Event) any { return string(e.Type) }},
	{name: "WebLink", edm: "Edm.String", write: func(c *render, e *store.Event) {
		c.str(c.service.cfg.Base + "/owa/?itemid=" + c.mb.ID(e.Ref(), false) + "&exvsurl=1&path=/calendar/item")
	}},
	{name: "ResponseStatus", edm: "Microsoft.OutlookServices.ResponseStatus", write: func(c *render, e *store.Event) { c.response(e.Response, e.Responded) }},
	{name: "Body", edm: "Microsoft.OutlookServices.ItemBody", write: func(c *render, e *store.Event) { c.body(e.Body) },
		set: into(aBody, func(e *store.Event) *store.Body { return &e.Body })},
	{name: "Start", edm: "Microsoft.OutlookServices.DateTimeTimeZone", write: func(c *render, e *store.Event) { c.when(e.Start, e.AllDay) }, set: aWhen(func(e *store.Event) *store.Moment { return &e.Start })},
	{name: "-", old: "StartTimeZone", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(zoneName(e.Start.Zone)) }, set: ignored[store.Event]},
	{name: "End", edm: "Microsoft.OutlookServices.DateTimeTimeZone", write: func(c *render, e *store.Event) { c.when(e.End, e.AllDay) }, set: aWhen(func(e *store.Event) *store.Moment { return &e.End })},
	{name: "-", old: "EndTimeZone", edm: "Edm.String", write: func(c *render, e *store.Event) { c.str(zoneName(e.End.Zone)) }, set: ignored[store.Event]},
	{name: "Start/DateTime", edm: path, value: func(e *store.Event) any { return wall(e.Start) }},
	{name: "End/DateTime", edm: path, value: func(e *store.Event) any { return wall(e.End) }},
	{name: "Location", edm: "Microsoft.OutlookServices.Location", write: func(c *render, e *store.Event) { c.location(e.Places) }, set: aPlace},
	{name: "Recurrence", edm: "Microsoft.OutlookServices.PatternedRecurrence", write: func(c *render, e *store.Event) { c.rule(e.Rule) }, set: aRule},
	{name: "Attendees", edm: "Collection(Microsoft.OutlookServices.Attendee)", write: func(c *render, e *store.Event) { c.attendees(e.Attendees) },
		set: func(raw []byte) (func(*store.Event), error) {
			list, err := list(raw, anAttendee)
			return func(e *store.Event) { e.Attendees = list }, err
		}},
	{name: "Organizer", edm: "Microsoft.OutlookServices.Recipient", write: func(c *render, e *store.Event) { c.address(e.Organizer) }, set: ignored[store.Event]},
}

func eventEnum(name string, known []string, place func(*store.Event) *string) property[store.Event] {
	return property[store.Event]{name: name, edm: "Microsoft.OutlookServices." + name, write: func(c *render, e *store.Event) { c.enum(*place(e)) },
		set: into(anEnum(name, known...), place), value: func(e *store.Event) any { return *place(e) }}
}

func zoneName(name string) string {
	if name == "" {
		return "UTC"
	}
	return name
}

func wall(m store.Moment) string { return m.At.UTC().Format("2006-01-02T15:04:05.0000000") }

// when writes a start or end: an object in v2.0, an instant in v1.0.
func (c *render) when(m store.Moment, allDay bool) {
	if c.v1 {
		c.time(m.At)
		return
	}
	c.moment(m, allDay)
}

// settle holds the rules between the members of an event that was written: an
// all-day event is made of dates, and a series begins on its first date.
func settle(e *store.Event, before *recur.Rule) error {
	invalid := refusal(http.StatusBadRequest, "ErrorPropertyValidationFailure", "At least one property failed validation.")
	if e.Start.At.IsZero() || e.End.At.IsZero() {
		return invalid
	}
	loc := time.UTC
	if !e.AllDay {
		loc, _ = zone.Load(e.Start.Zone)
	} else if !dated(&e.Start) || !dated(&e.End) {
		return invalid
	}
	if e.End.At.Before(e.Start.At) {
		return invalid
	}
	if r := e.Rule; r != nil && r != before {
		if r.Zone == "" {
			r.Zone = e.Start.Zone
		}
		if recur.DateOf(e.Start.At.In(loc)) != r.Start {
			return invalid
		}
	}
	return nil
}

// dated turns midnight of some zone into the date that it is there. false: it
// is no midnight.
func dated(m *store.Moment) bool {
	if m.At.Equal(m.At.UTC().Truncate(24 * time.Hour)) {
		return true
	}
	loc, ok := zone.Load(m.Zone)
	if !ok {
		return false
	}
	day := recur.DateOf(m.At.In(loc))
	if !day.At(0, loc).Equal(m.At) {
		return false
	}
	m.At = day.Midnight()
	return true
}

// aWhen reads a start or end in either form.
func aWhen(place func(*store.Event) *store.Moment) func([]byte) (func(*store.Event), error) {
	return func(raw []byte) (func(*store.Event), error) {
		var m store.Moment
		var err error
		if len(raw) > 0 && raw[0] == '"' {
			m.At, err = aTime(raw)
		} else {
			m, err = aMoment(raw)
		}
		return func(e *store.Event) { *place(e) = m }, err
	}
}

func (c *render) response(response string, at time.Time) {
	c.open()
	c.name("Response")
	c.enum(response)
	c.name("Time")
	c.time(at)
	c.close('}')
}

// location writes the first place: the server has no more than one.
func (c *render) location(places []store.Place) {
	var p store.Place
	if len(places) > 0 {
		p = places[0]
	}
	if c.service.cfg.Newer && !c.v1 {
		c.place(p)
		return
	}
	c.open()
	c.name("DisplayName")
	c.str(p.Name)
	c.postalOf(p)
	c.close('}')
}

func aPlace(raw []byte) (func(*store.Event), error) {
	var p store.Place
	var postal store.Postal
	err := fields(raw, "Location", map[string]func([]byte) error{
		"DisplayName": to(aText, &p.Name), "Address": to(aPostal, &postal), "Coordinates": nil,
	})
	p.Street, p.City, p.State, p.Country, p.PostalCode = postal.Street, postal.City, postal.State, postal.Country, postal.PostalCode
	return func(e *store.Event) {
		e.Places = nil
		if p.Name != "" {
			p.Kind, p.UniqueID, p.UniqueIDKind = "default", p.Name, "private"
			e.Places = []store.Place{p}
		}
	}, err
}

func (c *render) attendees(list []store.Attendee) {
	c.b = append(c.b, '[')
	for _, a := range list {
		c.open()
		c.name("Status")
		c.response(a.Response, a.Responded)
		c.name("Type")
		c.enum(a.Kind)
		c.name("EmailAddress")
		c.plainAddress(a.Address)
		c.close('}')
	}
	c.close(']')
}

func anAttendee(raw []byte) (store.Attendee, error) {
	a := store.Attendee{Kind: "required", Response: "none"}
	err := fields(raw, "Attendee", map[string]func([]byte) error{
		"EmailAddress": to(anAddress, &a.Address), "Type": to(anEnum("AttendeeType", "required", "optional", "resource"), &a.Kind), "Status": nil,
	})
	return a, err
}

var (
	weekDays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	indexes  = [...]string{"first", "second", "third", "fourth", "last"}
)

// rule writes a recurrence with the members that its kind has no use for at
// their defaults, as captures have them.
func (c *render) rule(r *recur.Rule) {
	if r == nil {
		c.raw("null")
		return
	}
	c.open()
	c.name("Pattern")
	c.open()
	c.name("Type")
	c.enum(string(r.Kind))
	c.name("Interval")
	c.num(r.Interval)
	c.name("Month")
	c.num(r.Month)
	c.name("DayOfMonth")
	c.num(r.DayOfMonth)
	if len(r.Days) > 0 {
		c.name("DaysOfWeek")
		c.b = append(c.b, '[')
		for _, d := range r.Days {
			c.enum(weekDays[d])
		}
		c.close(']')
	}
	c.name("FirstDayOfWeek")
	c.enum(weekDays[r.FirstDay])
	c.name("Index")
	c.enum(indexes[min(r.Index, 4)])
	c.close('}')
	c.name("Range")
	c.open()
	c.name("Type")
	c.enum(string(r.End))
	c.name("StartDate")
	c.date(r.Start)
	c.name("EndDate")
	if r.End == recur.EndDate {
		c.date(r.Until)
	} else {
		c.str("0001-01-01")
	}
	if !c.v1 {
		c.name("RecurrenceTimeZone")
		c.str(zoneName(r.Zone))
	}
	c.name("NumberOfOccurrences")
	c.num(r.Count)
	c.close('}')
	c.close('}')
}

func (c *render) date(d recur.Date) {
	if c.v1 {
		c.time(d.Midnight())
		return
	}
	c.str(d.String())
}

func aRule(raw []byte) (func(*store.Event), error) {
	if string(raw) == "null" {
		return func(e *store.Event) { e.Rule = nil }, nil
	}
	r := recur.Rule{Interval: 1, End: recur.NoEnd}
	var kind, end, first, index, start, until string
	var days []string
	day := func(raw []byte) (string, error) { return anEnum("DayOfWeek", weekDays[:]...)(raw) }
	pattern := func(raw []byte) error {
		return fields(raw, "RecurrencePattern", map[string]func([]byte) error{
			"Type":     to(anEnum("RecurrencePatternType", "daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"), &kind),
			"Interval": to(aNumber, &r.Interval), "Month": to(aNumber, &r.Month), "DayOfMonth": to(aNumber, &r.DayOfMonth),
			"DaysOfWeek":     func(raw []byte) (err error) { days, err = list(raw, day); return err },
			"FirstDayOfWeek": to(day, &first), "Index": to(anEnum("WeekIndex", indexes[:]...), &index),
		})
	}
	span := func(raw []byte) error {
		return fields(raw, "RecurrenceRange", map[string]func([]byte) error{
			"Type":      to(anEnum("RecurrenceRangeType", "endDate", "noEnd", "numbered"), &end),
			"StartDate": to(aText, &start), "EndDate": to(aText, &until), "NumberOfOccurrences": to(aNumber, &r.Count), "RecurrenceTimeZone": to(aText, &r.Zone),
		})
	}
	err := fields(raw, "PatternedRecurrence", map[string]func([]byte) error{"Pattern": pattern, "Range": span, "RecurrenceTimeZone": to(aText, &r.Zone)})
	if err != nil {
		return nil, err
	}
	r.Kind, r.End = recur.Kind(kind), recur.End(end)
	for _, d := range days {
		r.Days = append(r.Days, time.Weekday(at(weekDays[:], d)))
	}
	r.FirstDay, r.Index = time.Weekday(max(0, at(weekDays[:], first))), max(0, at(indexes[:], index))
	if r.Start, err = aDate(start); err != nil {
		return nil, err
	}
	if r.End == recur.EndDate {
		if r.Until, err = aDate(until); err != nil {
			return nil, err
		}
	}
	if _, ok := zone.Load(r.Zone); !ok {
		return nil, errZone
	}
	if err := r.Check(); err != nil {
		return nil, refusal(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	return func(e *store.Event) { e.Rule = &r }, nil
}

// aDate reads a date, also where v1.0 has an instant.
func aDate(s string) (recur.Date, error) {
	s, _, _ = strings.Cut(s, "T")
	d, err := recur.ParseDate(s)
	if err != nil {
		raw, _ := json.Marshal(s)
		return 0, cannotConvert(raw, "Edm.Date")
	}
	return d, nil
}

func at(list []string, word string) int {
	for i, w := range list {
		if w == word {
			return i
		}
	}
	return -1
}

// calendarTable is Calendar of v2.0: three members, of which Graph has many more.
var calendarTable = []property[store.Calendar]{
	{name: "Id", edm: "Edm.String", write: func(c *render, k *store.Calendar) { c.folderID(k.Key) }},
	{name: "Name", edm: "Edm.String", write: func(c *render, k *store.Calendar) { c.str(k.Name) },
		set: into(aText, func(k *store.Calendar) *string { return &k.Name }), value: func(k *store.Calendar) any { return k.Name }},
	{name: "Color", edm: "Microsoft.OutlookServices.CalendarColor", write: func(c *render, k *store.Calendar) { c.enum(k.Color) },
		set: func(raw []byte) (func(*store.Calendar), error) {
			s, err := aText(raw)
			return func(k *store.Calendar) {
				if s != "" {
					k.Color = strings.ToLower(s[:1]) + s[1:]
				}
			}, err
		}},
	{name: "ChangeKey", edm: "Edm.String", write: func(c *render, k *store.Calendar) { c.changeKey(k.Change) }},
}

var groupTable = []property[store.CalendarGroup]{
	{name: "Id", edm: "Edm.String", write: func(c *render, g *store.CalendarGroup) { c.folderID(g.Key) }},
	{name: "Name", edm: "Edm.String", write: func(c *render, g *store.CalendarGroup) { c.str(g.Name) },
		set: into(aText, func(g *store.CalendarGroup) *string { return &g.Name }), value: func(g *store.CalendarGroup) any { return g.Name }},
	{name: "ChangeKey", edm: "Edm.String", write: func(c *render, g *store.CalendarGroup) { c.changeKey(g.Change) }},
	{name: "ClassId", edm: "Edm.Guid", write: func(c *render, g *store.CalendarGroup) { c.str(g.ClassID) }},
}
