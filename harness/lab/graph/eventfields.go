package graph

import (
	"strings"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/recur"
	"cutover/harness/lab/store"
)

type event = *store.Event

// events is the type event, members in the order of the documented samples.
var events = newSchema(eventSchema("event", false))

// views is the same type as calendarView shows it: there the two stamps of the
// item cannot be selected.
var views = newSchema(eventSchema("event", true))

func eventSchema(name string, view bool) schema[event] {
	s := schema[event]{
		name: name, annotate: func(b []byte, e *encoder, x event) []byte { return e.appendEtag(b, x.Change) },
		links:  []string{"attachments", "extensions", "singlevalueextendedproperties", "multivalueextendedproperties", "instances", "calendar", "exceptionoccurrences"},
		expand: []string{"attachments", "extensions", "singlevalueextendedproperties", "multivalueextendedproperties"},
		paths: map[string]odata.Field[event]{
			"start/datetime":       {Kind: odata.String, Value: func(x event) odata.Value { return wallText(x.Start.At) }},
			"end/datetime":         {Kind: odata.String, Value: func(x event) odata.Value { return wallText(x.End.At) }},
			"location/displayname": {Kind: odata.String, Value: func(x event) odata.Value { return odata.Text(placeName(x)) }},
			"organizer/emailaddress/address": {Kind: odata.String, Value: func(x event) odata.Value {
				return odata.Text(x.Organizer.Address)
			}},
			"organizer/emailaddress/name":   {Kind: odata.String, Value: func(x event) odata.Value { return odata.Text(x.Organizer.Name) }},
			"categories":                    {Elements: func(x event) []map[string]odata.Value { return texts(x.Categories) }},
			"singlevalueextendedproperties": {Elements: func(x event) []map[string]odata.Value { return properties(x.Extended) }},
			"multivalueextendedproperties":  {Elements: func(x event) []map[string]odata.Value { return properties(x.Extended) }},
		},
		fields: append(eventHead(), eventTail()...),
	}
	for _, f := range s.fields {
		if view && (f.name == "createdDateTime" || f.name == "lastModifiedDateTime") {
			f.refuse = true
		}
	}
	if view {
		s.name = "calendarView"
	}
	return s
}

// wallText is how filters compare event times: as text, in UTC.
func wallText(t time.Time) odata.Value {
	return odata.Text(t.UTC().Format("2006-01-02T15:04:05.0000000"))
}

func placeName(x event) string {
	if len(x.Places) == 0 {
		return ""
	}
	return x.Places[0].Name
}

func eventText(name string, of func(event) string) *field[event] {
	return &field[event]{name: name, kind: odata.String, value: func(x event) odata.Value { return odata.Text(of(x)) },
		emit: func(b []byte, _ *encoder, x event) []byte { return appendString(b, of(x)) }}
}

func eventWord(name string, of func(event) string) *field[event] {
	f := eventText(name, of)
	f.kind, f.value = odata.Enum, func(x event) odata.Value { return odata.Word(of(x)) }
	return f
}

func eventFlag(name string, of func(event) bool) *field[event] {
	return &field[event]{name: name, kind: odata.Bool, value: func(x event) odata.Value { return odata.Flag(of(x)) },
		emit: func(b []byte, _ *encoder, x event) []byte { return appendBool(b, of(x)) }}
}

func eventTime(name string, of func(event) time.Time) *field[event] {
	return &field[event]{name: name, kind: odata.Time, value: func(x event) odata.Value { return odata.Moment(of(x)) },
		emit: func(b []byte, _ *encoder, x event) []byte { return appendTicks(b, of(x)) }}
}

func eventHead() []*field[event] {
	attached := func(x event) bool {
		for _, a := range x.Attachments() {
			if !a.Inline {
				return true
			}
		}
		return false
	}
	return []*field[event]{
		{name: "id", emit: func(b []byte, e *encoder, x event) []byte { return e.appendID(b, x.Ref()) }},
		eventTime("createdDateTime", func(x event) time.Time { return x.Created }),
		eventTime("lastModifiedDateTime", func(x event) time.Time { return x.Modified }),
		{name: "changeKey", emit: func(b []byte, e *encoder, x event) []byte { return e.appendChangeKey(b, x.Change) }},
		{name: "categories", emit: func(b []byte, _ *encoder, x event) []byte { return appendStrings(b, x.Categories) }},
		{name: "transactionId", has: func(x event) bool { return x.Transaction != "" }, emit: func(b []byte, _ *encoder, x event) []byte { return appendString(b, x.Transaction) }},
		eventText("originalStartTimeZone", func(x event) string { return zoneName(x.Start) }),
		eventText("originalEndTimeZone", func(x event) string { return zoneName(x.End) }),
		eventText("iCalUId", func(x event) string { return x.UID }),
		{name: "reminderMinutesBeforeStart", kind: odata.Number, value: func(x event) odata.Value { return odata.Int(x.Reminder) },
			emit: func(b []byte, _ *encoder, x event) []byte { return appendInt(b, x.Reminder) }},
		eventFlag("isReminderOn", func(x event) bool { return x.ReminderOn }),
		eventFlag("hasAttachments", attached),
		eventFlag("hideAttendees", func(x event) bool { return x.HideAttendees }),
		eventText("subject", func(x event) string { return x.Subject }),
		eventText("bodyPreview", func(x event) string { return store.Preview(x.Body) }),
		eventWord("importance", func(x event) string { return x.Importance }),
		eventWord("sensitivity", func(x event) string { return x.Sensitivity }),
		eventFlag("isAllDay", func(x event) bool { return x.AllDay }),
		eventFlag("isCancelled", func(x event) bool { return x.Cancelled }),
		eventFlag("isDraft", func(x event) bool { return x.Draft }),
		eventFlag("isOrganizer", func(x event) bool { return x.IsOrganizer }),
		eventFlag("responseRequested", func(x event) bool { return x.ResponseWanted }),
		{name: "seriesMasterId", emit: appendMasterID},
		eventWord("showAs", func(x event) string { return x.ShowAs }),
		eventWord("type", func(x event) string { return string(x.Type) }),
		{name: "webLink", emit: appendEventLink},
		{name: "onlineMeetingUrl", emit: func(b []byte, _ *encoder, _ event) []byte { return append(b, "null"...) }},
		eventFlag("isOnlineMeeting", func(x event) bool { return x.Online }),
		eventWord("onlineMeetingProvider", func(x event) string { return x.OnlineProvider }),
		eventFlag("allowNewTimeProposals", func(x event) bool { return !x.NoProposals }),
		{name: "originalStart", has: func(x event) bool { return x.Day != 0 }, emit: func(b []byte, _ *encoder, x event) []byte { return appendSecond(b, x.OriginalStart) }},
	}
}

func eventTail() []*field[event] {
	return []*field[event]{
		{name: "recurrence", emit: func(b []byte, _ *encoder, x event) []byte { return appendRecurrence(b, x.Rule) }},
		{name: "responseStatus", emit: func(b []byte, _ *encoder, x event) []byte { return appendResponse(b, x.Response, x.Responded) }},
		{name: "body", emit: func(b []byte, e *encoder, x event) []byte { return e.appendBody(b, x.Body) }},
		{name: "start", emit: func(b []byte, e *encoder, x event) []byte { return e.appendMoment(b, x.Start, x.AllDay) }},
		{name: "end", emit: func(b []byte, e *encoder, x event) []byte { return e.appendMoment(b, x.End, x.AllDay) }},
		{name: "location", emit: func(b []byte, _ *encoder, x event) []byte {
			if len(x.Places) == 0 {
				return append(b, `{"displayName":"","locationType":"default","uniqueIdType":"unknown","address":{},"coordinates":{}}`...)
			}
			return appendPlace(b, x.Places[0])
		}},
		{name: "locations", emit: appendPlaces},
		{name: "attendees", emit: appendAttendees},
		{name: "organizer", emit: func(b []byte, _ *encoder, x event) []byte { return appendRecipient(b, x.Organizer) }},
		{name: "onlineMeeting", emit: appendOnlineMeeting},
		{name: "cancelledOccurrences", hidden: true, has: func(x event) bool { return x.Type == store.Master }, emit: appendCancelled},
	}
}

func zoneName(m store.Moment) string {
	if m.Zone == "" {
		return "UTC"
	}
	return m.Zone
}

func appendMasterID(b []byte, e *encoder, x event) []byte {
	if x.Day == 0 {
		return append(b, "null"...)
	}
	return e.appendID(b, store.Ref{Key: x.Key})
}

func appendEventLink(b []byte, e *encoder, x event) []byte {
	b = append(b, `"https://`+e.owa+`/owa/?itemid=`...)
	b = append(b, strings.ReplaceAll(e.mb.ID(x.Ref(), false), "=", "%3D")...)
	return append(b, `&exvsurl=1&path=/calendar/item"`...)
}

func appendResponse(b []byte, response string, at time.Time) []byte {
	b = append(b, `{"response":`...)
	b = appendString(b, response)
	b = append(b, `,"time":`...)
	b = appendSecond(b, at)
	return append(b, '}')
}

func appendPlaces(b []byte, _ *encoder, x event) []byte {
	b = append(b, '[')
	for i, p := range x.Places {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPlace(b, p)
	}
	return append(b, ']')
}

func appendPlace(b []byte, p store.Place) []byte {
	b = append(b, `{"displayName":`...)
	b = appendString(b, p.Name)
	for _, m := range [...][2]string{{"locationUri", p.URI}, {"locationEmailAddress", p.Email}, {"locationType", p.Kind}, {"uniqueId", p.UniqueID}, {"uniqueIdType", p.UniqueIDKind}} {
		if m[1] != "" {
			b = append(b, `,"`+m[0]+`":`...)
			b = appendString(b, m[1])
		}
	}
	if a := (store.Postal{Street: p.Street, City: p.City, State: p.State, Country: p.Country, PostalCode: p.PostalCode}); a != (store.Postal{}) {
		b = append(b, `,"address":`...)
		b = appendPostal(b, a)
	}
	return append(b, '}')
}

func appendAttendees(b []byte, e *encoder, x event) []byte {
	b = append(b, '[')
	for i, a := range x.Attendees {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":`...)
		b = appendString(b, a.Kind)
		b = append(b, `,"status":`...)
		b = appendResponse(b, a.Response, a.Responded)
		if a.Proposed != nil {
			b = append(b, `,"proposedNewTime":{"start":`...)
			b = e.appendMoment(b, a.Proposed[0], false)
			b = append(b, `,"end":`...)
			b = e.appendMoment(b, a.Proposed[1], false)
			b = append(b, '}')
		}
		b = append(b, `,"emailAddress":`...)
		b = appendEmailAddress(b, a.Address)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendOnlineMeeting(b []byte, _ *encoder, x event) []byte {
	if !x.Online {
		return append(b, "null"...)
	}
	b = append(b, `{"joinUrl":`...)
	b = appendString(b, x.JoinURL)
	return append(b, '}')
}

func appendCancelled(b []byte, e *encoder, x event) []byte {
	b = append(b, '[')
	for i, d := range x.CancelledDays {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, "OID."+e.mb.ID(store.Ref{Key: x.Key}, e.immutable)+"."+d.String())
	}
	return append(b, ']')
}

var weekIndexes = [...]string{"first", "second", "third", "fourth", "last"}

// appendRecurrence writes all members of pattern and range, unused ones with
// their fillers.
func appendRecurrence(b []byte, r *recur.Rule) []byte {
	if r == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"pattern":{"type":"`+string(r.Kind)+`","interval":`...)
	b = appendInt(b, r.Interval)
	b = append(b, `,"month":`...)
	b = appendInt(b, r.Month)
	b = append(b, `,"dayOfMonth":`...)
	b = appendInt(b, r.DayOfMonth)
	if len(r.Days) > 0 {
		b = append(b, `,"daysOfWeek":`...)
		b = appendWeekdays(b, r.Days)
	}
	b = append(b, `,"firstDayOfWeek":"`+weekday(r.FirstDay)+`","index":"`+weekIndexes[min(max(r.Index, 0), 4)]+`"},"range":{"type":"`+string(r.End)+`","startDate":"`+r.Start.String()+`","endDate":"`...)
	if r.End == recur.EndDate {
		b = append(b, r.Until.String()...)
	} else {
		b = append(b, "0001-01-01"...)
	}
	b = append(b, `","recurrenceTimeZone":`...)
	b = appendString(b, r.Zone)
	b = append(b, `,"numberOfOccurrences":`...)
	b = appendInt(b, r.Count)
	return append(b, "}}"...)
}

func weekday(d time.Weekday) string { return strings.ToLower(d.String()) }

func appendWeekdays(b []byte, days []time.Weekday) []byte {
	b = append(b, '[')
	for i, d := range days {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, weekday(d)...)
		b = append(b, '"')
	}
	return append(b, ']')
}

// appendMeetingEvent writes the expanded event of a meeting message.
func (e *encoder) appendMeetingEvent(b []byte, m message) []byte {
	if m.Meeting == nil {
		return b
	}
	b = append(b, `"event":`...)
	x, err := e.mb.Event(store.Ref{Key: m.Meeting.Event})
	if err != nil {
		return append(b, "null,"...)
	}
	inner := *e
	inner.expand = nil
	b = events.item(b, &inner, events.defaults(), x)
	return append(b, ',')
}
