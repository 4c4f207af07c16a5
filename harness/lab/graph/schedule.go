package graph

import (
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/store"
)

// Documented bounds of getSchedule.
const (
	maxSchedules      = 20
	maxScheduleWindow = 42 * 24 * time.Hour
	minInterval       = 5
	maxInterval       = 1440
)

// getSchedule answers free/busy of mailboxes of the deployment, in the order
// asked. An address that nobody has is an entry with an error.
func getSchedule(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	if f := body.only("microsoft.graph.getSchedule", "schedules", "startTime", "endTime", "availabilityViewInterval"); f != nil {
		return f
	}
	list, start, end := body.param("schedules"), body.param("startTime"), body.param("endTime")
	if list == nil || start == nil || end == nil {
		return badCode("ErrorInvalidParameter", "The schedules, startTime and endTime parameters are required.")
	}
	names, f := list.strings()
	if f != nil {
		return f
	}
	from, f := readMoment(start)
	if f != nil {
		return f
	}
	to, f := readMoment(end)
	if f != nil {
		return f
	}
	interval := 30
	if n := body.param("availabilityViewInterval"); n != nil {
		if interval, f = n.int(); f != nil {
			return f
		}
	}
	switch {
	case len(names) == 0 || len(names) > maxSchedules:
		return badCode("ErrorInvalidParameter", "Between 1 and 20 schedules can be asked for.")
	case interval < minInterval || interval > maxInterval:
		return badCode("ErrorInvalidMergedFreeBusyInterval", "The availability view interval must lie between 5 and 1440 minutes.")
	case !to.At.After(from.At), to.At.Sub(from.At) > maxScheduleWindow:
		return badCode("ErrorInvalidTimeInterval", "The time interval must end after it starts and be shorter than 42 days.")
	}
	e := c.encoder()
	b := take()
	out := append(c.context(b.bytes, "Collection(microsoft.graph.scheduleInformation)"), `"value":[`...)
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = c.appendSchedule(out, e, name, from.At, to.At, time.Duration(interval)*time.Minute)
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

// busier orders free/busy states: of overlapping events the later one shows.
var busier = map[string]int{"free": 0, "unknown": 0, "workingElsewhere": 1, "tentative": 2, "busy": 3, "oof": 4}

var viewDigit = map[string]byte{"free": '0', "unknown": '0', "tentative": '1', "busy": '2', "oof": '3', "workingElsewhere": '4'}

func (c *call) appendSchedule(b []byte, e *encoder, name string, from, to time.Time, interval time.Duration) []byte {
	b = append(b, `{"scheduleId":`...)
	b = appendString(b, name)
	mb, ok := c.s.store.Lookup(name)
	if !ok || mb.Location() != store.Cloud {
		code := "ErrorMailRecipientNotFound"
		if c.s.cfg.Quirk("freebusy.error", c.mb) {
			code = "5009"
		}
		b = append(b, `,"availabilityView":"","scheduleItems":[],"error":{"message":"The mail recipient is not found.","responseCode":`...)
		return append(appendString(b, code), "}}"...)
	}
	list, err := mb.View(0, from, to)
	if err != nil {
		return append(b, `,"availabilityView":"","scheduleItems":[]}`...)
	}
	slots := make([]string, (to.Sub(from)+interval-1)/interval)
	for _, x := range list {
		for i := range slots {
			start := from.Add(time.Duration(i) * interval)
			if x.Start.At.Before(start.Add(interval)) && x.End.At.After(start) && busier[x.ShowAs] >= busier[slots[i]] {
				slots[i] = x.ShowAs
			}
		}
	}
	b = append(b, `,"availabilityView":"`...)
	for _, s := range slots {
		d := viewDigit[s]
		if d == 0 {
			d = '0'
		}
		b = append(b, d)
	}
	b = append(b, `","scheduleItems":[`...)
	details := mb == c.mb || mb.Settings().CalendarShare == "all"
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendScheduleItem(b, e, x, details)
	}
	b = append(b, `],"workingHours":`...)
	return append(appendWorkingHours(b, mb.Settings()), '}')
}

func appendScheduleItem(b []byte, e *encoder, x event, details bool) []byte {
	b = append(b, '{')
	if details && (x.Sensitivity == "normal" || x.Sensitivity == "personal") {
		b = append(b, `"isPrivate":false,"status":`...)
		b = appendString(b, x.ShowAs)
		b = append(b, `,"subject":`...)
		b = appendString(b, x.Subject)
		b = append(b, `,"location":`...)
		b = appendString(b, placeName(x))
	} else {
		b = append(b, `"status":`...)
		b = appendString(b, x.ShowAs)
	}
	b = append(b, `,"start":`...)
	b = e.appendMoment(b, x.Start, x.AllDay)
	b = append(b, `,"end":`...)
	return append(e.appendMoment(b, x.End, x.AllDay), '}')
}

// findMeetingTimes suggests free half hours of working days. The original's
// algorithm is not documented; only its shapes are imitated.
func findMeetingTimes(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	s := c.mb.Settings()
	from := c.s.cfg.Now().UTC().Truncate(24 * time.Hour).Add(s.WorkStart)
	b := take()
	out := append(c.context(b.bytes, "microsoft.graph.meetingTimeSuggestionsResult"), `"emptySuggestionsReason":"","meetingTimeSuggestions":[`...)
	reasons := false
	if n := body.param("returnSuggestionReasons"); n != nil {
		reasons = n.yes || strings.EqualFold(n.text, "true")
	}
	e, found := c.encoder(), 0
	for i := 0; i < 200 && found < 5; i++ {
		at := from.Add(time.Duration(i) * 30 * time.Minute)
		if busy, err := c.mb.View(0, at, at.Add(30*time.Minute)); err != nil || len(busy) > 0 || at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			continue
		}
		if found++; found > 1 {
			out = append(out, ',')
		}
		out = append(out, `{"confidence":100,"order":`...)
		out = appendInt(out, found)
		out = append(out, `,"organizerAvailability":"free",`...)
		if reasons {
			out = append(out, `"suggestionReason":"Suggested because it is one of the nearest times when all attendees are available.",`...)
		}
		out = append(out, `"attendeeAvailability":[],"locations":[],"meetingTimeSlot":{"start":`...)
		out = e.appendMoment(out, store.Moment{At: at}, false)
		out = append(out, `,"end":`...)
		out = append(e.appendMoment(out, store.Moment{At: at.Add(30 * time.Minute)}, false), "}}"...)
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

// reminderView lists the reminders that are due in a window.
func reminderView(c *call) *fault {
	from, to, f := insideWindow(c.arg[argInside])
	if f != nil {
		return f
	}
	list, err := c.mb.View(0, from.Add(-14*24*time.Hour), to.Add(14*24*time.Hour))
	if err != nil {
		return storeFault(err)
	}
	e := c.encoder()
	b := take()
	out := append(c.context(b.bytes, "Collection(microsoft.graph.reminder)"), `"value":[`...)
	for _, x := range list {
		fire := x.Start.At.Add(-time.Duration(x.Reminder) * time.Minute)
		if !x.ReminderOn || fire.Before(from) || !fire.Before(to) {
			continue
		}
		out = append(out, `{"eventId":`...)
		out = e.appendID(out, x.Ref())
		out = append(out, `,"changeKey":`...)
		out = e.appendChangeKey(out, x.Change)
		out = append(out, `,"eventSubject":`...)
		out = appendString(out, x.Subject)
		out = append(out, `,"eventStartTime":`...)
		out = e.appendMoment(out, x.Start, x.AllDay)
		out = append(out, `,"eventEndTime":`...)
		out = e.appendMoment(out, x.End, x.AllDay)
		out = append(out, `,"eventLocation":`...)
		out = appendPlace(out, store.Place{Name: placeName(x), Kind: "default"})
		out = append(out, `,"eventWebLink":`...)
		out = appendEventLink(out, e, x)
		out = append(out, `,"reminderFireTime":`...)
		out = append(e.appendMoment(out, store.Moment{At: fire}, false), '}', ',')
	}
	if out[len(out)-1] == ',' {
		out = out[:len(out)-1]
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

// insideWindow reads startDateTime and endDateTime of a function's brackets,
// quoted or not.
func insideWindow(inside string) (from, to time.Time, f *fault) {
	for part := range strings.SplitSeq(inside, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		t, ok := parseWall(strings.Trim(value, "'"), time.UTC)
		switch {
		case !ok:
			return from, to, badCode("ErrorInvalidParameter", "The time '"+value+"' is not valid.")
		case strings.EqualFold(name, "startDateTime"):
			from = t
		case strings.EqualFold(name, "endDateTime"):
			to = t
		}
	}
	if from.IsZero() || to.IsZero() {
		return from, to, badCode("ErrorInvalidParameter", "The StartDateTime and EndDateTime parameters are required.")
	}
	return from, to, nil
}
