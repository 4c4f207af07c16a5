package store

import (
	"time"

	"cutover/harness/lab/prose"
	"cutover/harness/lab/recur"
	"cutover/harness/lab/zone"
)

var homeZones = [...]string{"W. Europe Standard Time", "Pacific Standard Time", "UTC", "GMT Standard Time", "Eastern Standard Time"}

// HomeZone is the time zone of the mailbox's owner.
func (m *Mailbox) HomeZone() string { return homeZones[mix(m.content, 81)%uint64(len(homeZones))] }

// generateCalendar makes the calendars and events: by the published mix 70 %
// single and 25 % series (60 weekly, 15 daily, 15 monthly, 10 yearly), 6 % all-day,
// 10 % in another zone, 12 % of the series with exceptions, 2–12 attendees.
func (m *Mailbox) generateCalendar() *calendarSection {
	sec := &calendarSection{
		groups: []*CalendarGroup{
			{Key: DefaultGroup, Change: 1, Name: "My Calendars", ClassID: "0006f0b7-0000-0000-c000-000000000046", Default: true},
			{Key: newKey(GroupSort, 2), Change: 1, Name: "Other Calendars", ClassID: "0006f0b8-0000-0000-c000-000000000046"},
		},
		calendars: []*Calendar{
			{Key: DefaultCalendar, Group: DefaultGroup, Change: 1, Name: "Calendar", Color: "auto", Default: true},
			{Key: newKey(CalendarSort, 2), Group: DefaultGroup, Change: 1, Name: "Team", Color: "lightGreen"},
			{Key: newKey(CalendarSort, 3), Group: newKey(GroupSort, 2), Change: 1, Name: "Feiertage", Color: "lightRed"},
		},
	}
	for i := range m.store.cfg.Events {
		sec.events = append(sec.events, m.generateEvent(i))
	}
	return sec
}

func (m *Mailbox) generateEvent(i int) *Event {
	src := prose.New(mix(m.content, eventStream+uint64(i)))
	language := src.Language()
	e := &Event{
		Key: newKey(EventSort, uint64(i+1)), Change: uint64(i + 1), Calendar: DefaultCalendar, Type: Single,
		Subject: src.Subject(language), Importance: "normal", Sensitivity: "normal", ShowAs: "busy",
		Organizer: m.Address(), IsOrganizer: true, UID: newUID(mix(m.content, eventStream+0x8000_0000+uint64(i))),
		Reminder: 15, ReminderOn: true, ResponseWanted: true, Response: "organizer", OnlineProvider: "unknown", owner: m,
	}
	if src.Percent(8) {
		e.Calendar = newKey(CalendarSort, 2)
	}
	e.Created = Epoch.Add(-time.Duration(60+src.IntN(60*24*60)) * time.Minute).Add(time.Duration(src.IntN(10_000_000)) * 100)
	e.Modified = e.Created.Add(time.Duration(src.IntN(50_000_000)) * 100)
	m.place(e, &src)
	disturbed := src.Percent(25) && m.repeat(e, &src)
	m.attend(e, &src)
	switch n := src.IntN(100); {
	case n < 8:
		e.ShowAs = "tentative"
	case n < 12:
		e.ShowAs = "oof"
	case n < 20:
		e.ShowAs = "free"
	case n < 23:
		e.Sensitivity = "private"
	}
	text := src.AppendParagraph(nil, language, 60+src.IntN(200))
	e.Body = Body{Kind: "html", Content: "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>\r\n<p>" + string(text) + "</p>\r\n</body></html>\r\n"}
	if src.Percent(55) {
		room := rooms[src.IntN(len(rooms))]
		e.Places = []Place{{Name: room, Kind: "default", UniqueID: room, UniqueIDKind: "private"}}
	}
	if disturbed { // at last: an exception takes over all that its master has
		m.disturb(e)
	}
	return e
}

var rooms = []string{"Room 1", "Room 2", "Besprechungsraum Süd", "Board room", "Переговорная", "https://meet.contoso.test/4711"}

// place decides when an event is.
func (m *Mailbox) place(e *Event, src *prose.Source) {
	name := m.HomeZone()
	if src.Percent(10) {
		name = homeZones[src.IntN(len(homeZones))]
	}
	day := recur.DateOf(Epoch) + recur.Date(src.IntN(56)-21)
	if src.Percent(40) {
		day = recur.DateOf(Epoch) + recur.Date(src.IntN(5))
	}
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		day += 2
	}
	if src.Percent(6) {
		e.AllDay = true
		e.Start = Moment{At: day.Midnight(), Zone: name}
		e.End = Moment{At: (day + 1 + recur.Date(src.IntN(2))).Midnight(), Zone: name}
		return
	}
	loc, ok := zone.Load(name)
	if !ok {
		loc = time.UTC
	}
	at := day.At(time.Duration(8*60+src.IntN(18)*30)*time.Minute, loc)
	e.Start = Moment{At: at.UTC(), Zone: name}
	e.End = Moment{At: at.Add(time.Duration(1+src.IntN(4)) * 30 * time.Minute).UTC(), Zone: name}
}

// repeat makes a series of an event. It begins weeks before the epoch and runs
// through the changes of the clocks in March. It says whether some dates of it
// are to be disturbed.
func (m *Mailbox) repeat(e *Event, src *prose.Source) (disturbed bool) {
	length := e.End.At.Sub(e.Start.At)
	loc := e.location()
	start := e.Start.At.In(loc)
	day := recur.DateOf(start) - recur.Date(7*src.IntN(8))
	h, min, _ := start.Clock()
	r := &recur.Rule{Start: day, Interval: 1, Zone: e.Start.Zone, End: recur.NoEnd}
	switch n := src.IntN(100); {
	case n < 60:
		r.Kind, r.Interval, r.Days = recur.Weekly, 1+src.IntN(2), []time.Weekday{day.Weekday()}
	case n < 75:
		r.Kind, r.End, r.Count = recur.Daily, recur.Numbered, 10+src.IntN(30)
	case n < 90:
		r.Kind, r.Days = recur.RelativeMonthly, []time.Weekday{day.Weekday()}
		r.Index = min4((int(day.Midnight().Day()) - 1) / 7)
	default:
		r.Kind, r.DayOfMonth, r.Month = recur.AbsoluteYearly, day.Midnight().Day(), int(day.Midnight().Month())
	}
	if r.End == recur.NoEnd && src.Percent(50) {
		r.End, r.Until = recur.EndDate, day+recur.Date(90+src.IntN(90))
	}
	e.Rule, e.Type = r, Master
	e.Start.At = day.At(time.Duration(h)*time.Hour+time.Duration(min)*time.Minute, loc).UTC()
	e.End.At = e.Start.At.Add(length)
	return src.Percent(12) || e.Key.serial()%9 == 1
}

func min4(n int) int { return min(n, 4) }

// disturb moves the third date of a series by an hour and cancels the fifth.
func (m *Mailbox) disturb(e *Event) {
	n := 0
	e.Rule.Dates(func(d recur.Date) bool {
		n++
		if n == 3 && !e.AllDay {
			x := e.occurrence(d)
			x.Type = Exception
			x.Start.At, x.End.At = x.Start.At.Add(time.Hour), x.End.At.Add(time.Hour)
			x.Subject += " (moved)"
			e.exceptions = []*Event{x}
		}
		if n == 5 {
			e.CancelledDays = []recur.Date{d}
		}
		return n < 5
	})
}

// attend invites people to half of the events; to a third of those by somebody else.
func (m *Mailbox) attend(e *Event, src *prose.Source) {
	if src.Percent(50) {
		return
	}
	if src.Percent(33) {
		e.IsOrganizer, e.Organizer = false, m.correspondent(src.IntN(20))
		e.Response = [...]string{"accepted", "notResponded", "tentativelyAccepted"}[src.IntN(3)]
		if e.Response != "notResponded" {
			e.Responded = e.Created.Add(time.Hour).Truncate(time.Second)
		}
		e.Attendees = append(e.Attendees, Attendee{Address: m.Address(), Kind: "required", Response: "none"})
	}
	for range 1 + src.IntN(11) {
		a := m.correspondent(20 + src.IntN(40))
		if has(e.Attendees, a) {
			continue
		}
		kind, response := "required", "none"
		if src.Percent(20) {
			kind = "optional"
		}
		if src.Percent(60) {
			response = [...]string{"accepted", "accepted", "declined", "tentativelyAccepted"}[src.IntN(4)]
		}
		at := Attendee{Address: a, Kind: kind, Response: response}
		if response != "none" {
			at.Responded = e.Created.Add(2 * time.Hour).Truncate(time.Second)
		}
		e.Attendees = append(e.Attendees, at)
	}
}

func has(list []Attendee, a Address) bool {
	for _, x := range list {
		if x.Address.Address == a.Address {
			return true
		}
	}
	return false
}
