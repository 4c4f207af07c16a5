package graph_test

import (
	"regexp"
	"strings"

	"cutover/harness/lab/store"
)

const view = "/me/calendarView?startDateTime=2026-06-01T00:00:00Z&endDateTime=2026-06-29T00:00:00Z&$top=200"

func at(dateTime, zone string) map[string]any {
	return map[string]any{"dateTime": dateTime, "timeZone": zone}
}

func meeting(members map[string]any) map[string]any {
	m := map[string]any{"subject": "lab meeting", "start": at("2026-06-01T10:00:00", "W. Europe Standard Time"), "end": at("2026-06-01T11:00:00", "W. Europe Standard Time")}
	for k, v := range members {
		m[k] = v
	}
	return m
}

func weekly(count int) map[string]any {
	return map[string]any{"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"monday"}},
		"range": map[string]any{"type": "numbered", "startDate": "2026-06-01", "numberOfOccurrences": count}}
}

// event creates an event and returns the answer.
func (b *bench) event(members map[string]any) reply {
	b.t.Helper()
	return b.post("/me/events", meeting(members)).ok(b, 201)
}

// invited is an event in the caller's calendar that somebody else organises.
func (b *bench) invited(members map[string]any) string {
	b.t.Helper()
	organizer := b.store.Pairs()[2].Cloud
	token := b.token
	b.token = "user:" + organizer.User().UPN + " " + allScopes
	all := map[string]any{"subject": "yours", "attendees": []any{map[string]any{"type": "required", "emailAddress": map[string]any{"address": b.me.User().SMTP}}}}
	for k, v := range members {
		all[k] = v
	}
	b.event(all)
	b.token = token
	for _, v := range b.get(view).values() {
		if v["subject"] == "yours" {
			return v["id"].(string)
		}
	}
	b.t.Fatal("the invitation did not arrive")
	return ""
}

func (b *bench) occurrences(master string) []map[string]any {
	b.t.Helper()
	var list []map[string]any
	for _, v := range b.get(view).ok(b, 200).values() {
		if v["seriesMasterId"] == master {
			list = append(list, v)
		}
	}
	return list
}

var sevenDigits = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}$`)

var calendarAssertions = []assertion{
	{41, "I", "wants a window for a view", func(b *bench) {
		r := b.get("/me/calendarView")
		r.refused(b, 400, "ErrorInvalidParameter")
		if want := "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."; r.message() != want {
			b.t.Errorf("message %q", r.message())
		}
	}},
	{42, "D", "expands a series in a view and lists its master once", func(b *bench) {
		id := b.event(map[string]any{"recurrence": weekly(4)}).text("id")
		if list := b.occurrences(id); len(list) != 4 || list[0]["type"] != "occurrence" {
			b.t.Errorf("%d occurrences, want 4: %v", len(list), list)
		}
		n := 0
		for _, v := range b.get("/me/events?$top=500").values() {
			if v["id"] == id && v["type"] == "seriesMaster" {
				n++
			}
		}
		if n != 1 {
			b.t.Errorf("the master stands %d times in the list", n)
		}
	}},
	{43, "D", "gives occurrences as instances", func(b *bench) {
		id := b.event(map[string]any{"recurrence": weekly(3)}).text("id")
		r := b.get("/me/events/"+id+"/instances?startDateTime=2026-06-01T00:00:00Z&endDateTime=2026-07-01T00:00:00Z").ok(b, 200)
		if len(r.values()) != 3 {
			b.t.Errorf("%d instances, want 3", len(r.values()))
		}
	}},
	{44, "D", "answers in the preferred zone and says so", func(b *bench) {
		id := b.event(nil).text("id")
		r := b.get("/me/events/"+id, "Prefer", `outlook.timezone="Pacific Standard Time"`).ok(b, 200)
		start := r.body["start"].(map[string]any)
		if start["timeZone"] != "Pacific Standard Time" || start["dateTime"] != "2026-06-01T01:00:00.0000000" {
			b.t.Errorf("start %v", start)
		}
		if got := r.header.Get("Preference-Applied"); got != `outlook.timezone="Pacific Standard Time"` {
			b.t.Errorf("Preference-Applied %q", got)
		}
	}},
	{45, "I", "knows no zone on Mars", func(b *bench) {
		r := b.get("/me/events", "Prefer", `outlook.timezone="Mars"`)
		r.refused(b, 400, "TimeZoneNotSupportedException")
		if want := "A valid TimeZone value must be specified. The following TimeZone value is not supported: 'Mars'."; r.message() != want {
			b.t.Errorf("message %q", r.message())
		}
	}},
	{46, "D", "gives a new event its defaults, in the zone of the request", func(b *bench) {
		r := b.event(nil)
		for k, want := range map[string]any{"showAs": "busy", "reminderMinutesBeforeStart": 15.0, "responseRequested": true, "type": "singleInstance", "isOrganizer": true, "originalStartTimeZone": "W. Europe Standard Time"} {
			if r.body[k] != want {
				b.t.Errorf("%s is %v, want %v", k, r.body[k], want)
			}
		}
		if start := r.body["start"].(map[string]any); start["dateTime"] != "2026-06-01T10:00:00.0000000" || start["timeZone"] != "W. Europe Standard Time" {
			b.t.Errorf("start %v", start)
		}
	}},
	{47, "D", "makes one event of a repeated transaction", func(b *bench) {
		members := map[string]any{"transactionId": "t-1"}
		if x, y := b.event(members).text("id"), b.event(members).text("id"); x != y {
			b.t.Errorf("two events")
		}
	}},
	{48, "D", "lists an attendee as not yet answered", func(b *bench) {
		r := b.event(map[string]any{"attendees": []any{map[string]any{"emailAddress": map[string]any{"address": "x@fabrikam.test"}}}})
		a := r.body["attendees"].([]any)[0].(map[string]any)
		status := a["status"].(map[string]any)
		if status["response"] != "none" || status["time"] != "0001-01-01T00:00:00Z" || r.body["isOrganizer"] != true {
			b.t.Errorf("%v", a)
		}
	}},
	{49, "X", "makes an exception of a changed occurrence", func(b *bench) {
		id := b.event(map[string]any{"recurrence": weekly(4)}).text("id")
		o := b.occurrences(id)[1]["id"].(string)
		r := b.do("PATCH", "/me/events/"+o, map[string]any{"subject": "changed"}).ok(b, 200)
		if r.text("type") != "exception" || r.text("id") != o {
			b.t.Errorf("type %q", r.text("type"))
		}
		if list := b.occurrences(id); len(list) != 4 || list[1]["subject"] != "changed" || list[2]["subject"] != "lab meeting" {
			b.t.Errorf("%v", list)
		}
	}},
	{50, "D", "keeps an occurrence from passing its neighbour", func(b *bench) {
		id := b.event(map[string]any{"recurrence": weekly(4)}).text("id")
		o := b.occurrences(id)[1]["id"].(string)
		b.do("PATCH", "/me/events/"+o, map[string]any{"start": at("2026-06-15T10:00:00", "UTC"), "end": at("2026-06-15T11:00:00", "UTC")}).refused(b, 400, "ErrorOccurrenceCrossingBoundary")
	}},
	{51, "D", "accepts a meeting and tells the organizer", func(b *bench) {
		id := b.invited(nil)
		b.post("/me/events/"+id+"/accept", map[string]any{"comment": "fine"}).ok(b, 202)
		if r := b.get("/me/events/" + id); r.body["responseStatus"].(map[string]any)["response"] != "accepted" {
			b.t.Errorf("%v", r.body["responseStatus"])
		}
		page, _ := b.store.Pairs()[2].Cloud.Messages(store.InboxFolder, store.MessageQuery{Keep: func(m *store.Message) bool { return m.Meeting != nil && m.Meeting.Kind == "meetingAccepted" }})
		if len(page.Items) != 1 {
			b.t.Errorf("the organizer got %d answers", len(page.Items))
		}
	}},
	{52, "D", "proposes a new time only with a response", func(b *bench) {
		id := b.invited(nil)
		slot := map[string]any{"start": at("2026-06-02T10:00:00", "UTC"), "end": at("2026-06-02T11:00:00", "UTC")}
		if r := b.post("/me/events/"+id+"/decline", map[string]any{"sendResponse": false, "proposedNewTime": slot}); r.status != 400 {
			b.t.Errorf("status %d, want 400", r.status)
		}
	}},
	{53, "D", "lets only the organizer cancel", func(b *bench) {
		r := b.post("/me/events/"+b.invited(nil)+"/cancel", map[string]any{"Comment": "no"})
		if r.status != 400 || r.message() != "Your request can't be completed. You need to be an organizer to cancel a meeting." {
			b.t.Errorf("%d %q", r.status, r.message())
		}
	}},
	{54, "D", "snoozes a reminder without a word", func(b *bench) {
		id := b.event(nil).text("id")
		if r := b.post("/me/events/"+id+"/snoozeReminder", map[string]any{"newReminderTime": at("2026-06-01T07:50:00", "UTC")}); r.status != 200 || r.raw != "" {
			b.t.Errorf("%d %q", r.status, r.raw)
		}
	}},
	{55, "D", "gives one digit per interval of a schedule", func(b *bench) {
		r := b.post("/me/calendar/getSchedule", schedule(b.me.User().SMTP)).ok(b, 200)
		if got := r.values()[0]["availabilityView"].(string); len(got) != 9 {
			b.t.Errorf("availabilityView %q, want 9 digits", got)
		}
	}},
	{56, "X", "answers an unknown address inside of the schedule", func(b *bench) {
		r := b.post("/me/calendar/getSchedule", schedule("ghost@contoso.test")).ok(b, 200)
		if r.values()[0]["error"] == nil {
			b.t.Errorf("%s", r.raw)
		}
	}},
	{57, "D", "finds no meeting times for an app", func(b *bench) {
		b.token = "app:a1 Calendars.Read Calendars.ReadWrite"
		if r := b.post("/users/"+b.me.User().UPN+"/findMeetingTimes", map[string]any{}); r.status < 400 {
			b.t.Errorf("status %d", r.status)
		}
	}},
	{58, "D", "deletes any calendar but the default one", func(b *bench) {
		id := b.get("/me/calendar").text("id")
		if r := b.do("DELETE", "/me/calendars/"+id, nil); r.status < 400 {
			b.t.Errorf("status %d", r.status)
		}
		other := b.post("/me/calendars", map[string]any{"name": "extra"}).ok(b, 201).text("id")
		b.do("DELETE", "/me/calendars/"+other, nil).ok(b, 204)
	}},
	{59, "C", "refuses a second calendar of a name", func(b *bench) {
		b.post("/me/calendars", map[string]any{"name": "Team"}).refused(b, 409, "ErrorFolderExists")
	}},
	{60, "D", "fills unused members of a recurrence", func(b *bench) {
		r := b.event(map[string]any{"recurrence": map[string]any{"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"Monday"}},
			"range": map[string]any{"type": "endDate", "startDate": "2026-06-01", "endDate": "2026-07-01"}}})
		want := `"recurrence":{"pattern":{"type":"weekly","interval":1,"month":0,"dayOfMonth":0,"daysOfWeek":["monday"],"firstDayOfWeek":"sunday","index":"first"},"range":{"type":"endDate","startDate":"2026-06-01","endDate":"2026-07-01","recurrenceTimeZone":"W. Europe Standard Time","numberOfOccurrences":0}}`
		if !strings.Contains(r.raw, want) {
			b.t.Errorf("%s\nwant %s", r.raw, want)
		}
	}},
	{61, "D", "writes event times with seven digits and no offset", func(b *bench) {
		for _, v := range b.get("/me/events?$top=50").values() {
			if got := v["start"].(map[string]any)["dateTime"].(string); !sevenDigits.MatchString(got) {
				b.t.Errorf("dateTime %q", got)
			}
		}
	}},
	{62, "D", "stamps events with a fraction and messages without", func(b *bench) {
		e := b.get("/me/events?$top=1").values()[0]["createdDateTime"].(string)
		m := b.firstMessage()["createdDateTime"].(string)
		if !sevenDigits.MatchString(strings.TrimSuffix(e, "Z")) || len(m) != len("2026-03-02T09:00:00Z") {
			b.t.Errorf("event %q, message %q", e, m)
		}
	}},
	{63, "D", "does not select the stamps in a view", func(b *bench) {
		if r := b.get(view + "&$select=createdDateTime"); r.status != 400 {
			b.t.Errorf("status %d, want 400", r.status)
		}
	}},
	{64, "D", "lists reminders", func(b *bench) {
		b.event(nil)
		r := b.get("/me/reminderView(startDateTime='2026-06-01T00:00:00',endDateTime='2026-06-02T00:00:00')").ok(b, 200)
		if !names(r, "eventSubject")["lab meeting"] {
			b.t.Errorf("%s", r.raw)
		}
	}},
}

func schedule(address string) map[string]any {
	return map[string]any{"schedules": []string{address}, "startTime": at("2026-03-02T08:00:00", "UTC"), "endTime": at("2026-03-02T17:00:00", "UTC"), "availabilityViewInterval": 60}
}
