package graph

import (
	"strings"
	"time"

	"cutover/harness/lab/recur"
	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

var eventReadOnly = names("id", "changeKey", "createdDateTime", "lastModifiedDateTime", "bodyPreview", "hasAttachments", "iCalUId", "isCancelled", "isDraft",
	"isOrganizer", "onlineMeeting", "onlineMeetingUrl", "organizer", "originalEndTimeZone", "originalStart", "originalStartTimeZone", "responseStatus",
	"seriesMasterId", "type", "webLink", "extensions", "attachments", "calendar", "instances", "cancelledOccurrences")

func eventString(name string, at func(event) *string) setter[event] {
	return func(x event, n *jsonNode) (f *fault) { *at(x), f = n.string(); return }
}

func eventEnum(typ string, at func(event) *string, allowed ...string) setter[event] {
	return func(x event, n *jsonNode) (f *fault) { *at(x), f = n.word("microsoft.graph."+typ, allowed...); return }
}

func eventBool(at func(event) *bool) setter[event] {
	return func(x event, n *jsonNode) (f *fault) { *at(x), f = n.bool(); return }
}

var eventSetters = map[string]setter[event]{
	"subject":               eventString("subject", func(x event) *string { return &x.Subject }),
	"transactionId":         eventString("transactionId", func(x event) *string { return &x.Transaction }),
	"importance":            eventEnum("importance", func(x event) *string { return &x.Importance }, "low", "normal", "high"),
	"sensitivity":           eventEnum("sensitivity", func(x event) *string { return &x.Sensitivity }, "normal", "personal", "private", "confidential"),
	"showAs":                eventEnum("freeBusyStatus", func(x event) *string { return &x.ShowAs }, "free", "tentative", "busy", "oof", "workingElsewhere", "unknown"),
	"onlineMeetingProvider": eventEnum("onlineMeetingProviderType", func(x event) *string { return &x.OnlineProvider }, "unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"),
	"isAllDay":              eventBool(func(x event) *bool { return &x.AllDay }),
	"isReminderOn":          eventBool(func(x event) *bool { return &x.ReminderOn }),
	"responseRequested":     eventBool(func(x event) *bool { return &x.ResponseWanted }),
	"hideAttendees":         eventBool(func(x event) *bool { return &x.HideAttendees }),
	"isOnlineMeeting":       eventBool(func(x event) *bool { return &x.Online }),
	"allowNewTimeProposals": func(x event, n *jsonNode) *fault {
		v, f := n.bool()
		x.NoProposals = !v
		return f
	},
	"categories":                 func(x event, n *jsonNode) (f *fault) { x.Categories, f = n.strings(); return },
	"reminderMinutesBeforeStart": func(x event, n *jsonNode) (f *fault) { x.Reminder, f = n.int(); return },
	"body":                       func(x event, n *jsonNode) (f *fault) { x.Body, f = readItemBody(n); return },
	"start":                      func(x event, n *jsonNode) (f *fault) { x.Start, f = readMoment(n); return },
	"end":                        func(x event, n *jsonNode) (f *fault) { x.End, f = readMoment(n); return },
	"attendees":                  setAttendees,
	"recurrence":                 func(x event, n *jsonNode) (f *fault) { x.Rule, f = readRecurrence(n); return },
	"location": func(x event, n *jsonNode) *fault {
		p, f := readPlace(n)
		x.Places = nil
		if f == nil && p.Name != "" {
			x.Places = []store.Place{p}
		}
		return f
	},
	"locations": func(x event, n *jsonNode) *fault {
		if n.kind != arrayNode {
			return badLiteral(n, "Collection(microsoft.graph.location)")
		}
		x.Places = nil
		for _, i := range n.items {
			p, f := readPlace(i)
			if f != nil {
				return f
			}
			x.Places = append(x.Places, p)
		}
		return nil
	},
	"singleValueExtendedProperties": func(x event, n *jsonNode) (f *fault) { x.Extended, f = readExtended(x.Extended, n, false); return },
	"multiValueExtendedProperties":  func(x event, n *jsonNode) (f *fault) { x.Extended, f = readExtended(x.Extended, n, true); return },
}

// maxAttendees is Exchange Online's limit of attendees of one event.
const maxAttendees = 500

func applyEvent(x event, body *jsonNode, w writing) *fault {
	if w == updating && body.param("transactionId") != nil {
		return badCode("ErrorInvalidRequest", "Your request can't be completed. ClientId/TransactionId is immutable and cannot be changed after an event is created.")
	}
	rule := x.Rule
	if f := apply(x, body, "microsoft.graph.event", eventSetters, eventReadOnly); f != nil {
		return f
	}
	if len(x.Attendees) > maxAttendees {
		return badCode("ErrorInvalidRecipients", "At least one recipient isn't valid., The event has more than 500 attendees.")
	}
	return checkEvent(x, rule)
}

// checkEvent holds the rules between members.
func checkEvent(x event, before *recur.Rule) *fault {
	if x.Start.At.IsZero() || x.End.At.IsZero() {
		return badCode("ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	if x.AllDay {
		if f := alignAllDay(x); f != nil {
			return f
		}
	}
	if x.End.At.Before(x.Start.At) {
		return badCode("ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	if r := x.Rule; r != nil && r != before {
		loc, ok := zone.Load(x.Start.Zone)
		if !ok || x.AllDay {
			loc = time.UTC
		}
		if r.Zone == "" {
			r.Zone = x.Start.Zone
		}
		if recur.DateOf(x.Start.At.In(loc)) != r.Start {
			return badCode("ErrorPropertyValidationFailure", "At least one property failed validation.")
		}
		if r.Check() != nil {
			return badCode("ErrorPropertyValidationFailure", "At least one property failed validation.")
		}
	}
	if x.Online && x.JoinURL == "" {
		x.JoinURL = "https://teams.contoso.test/l/meetup-join/" + x.UID
		if x.OnlineProvider == "unknown" {
			x.OnlineProvider = "teamsForBusiness"
		}
	}
	return nil
}

// alignAllDay keeps the dates of an all-day event and forgets its zone: both
// ends must be midnight in one and the same zone.
func alignAllDay(x event) *fault {
	for _, m := range []*store.Moment{&x.Start, &x.End} {
		if m.At.UTC().Truncate(24 * time.Hour).Equal(m.At) {
			continue
		}
		loc, ok := zone.Load(m.Zone)
		if !ok {
			loc = time.UTC
		}
		day := recur.DateOf(m.At.In(loc))
		if !day.At(0, loc).Equal(m.At) {
			return badCode("ErrorPropertyValidationFailure", "The Event.Start property for an all-day event needs to be set to midnight.")
		}
		m.At = day.Midnight()
	}
	if x.Start.Zone != x.End.Zone {
		return badCode("ErrorPropertyValidationFailure", "The start and end time zones of an all-day event must be the same.")
	}
	return nil
}

func setAttendees(x event, n *jsonNode) *fault {
	if n.kind != arrayNode {
		return badLiteral(n, "Collection(microsoft.graph.attendee)")
	}
	old := x.Attendees
	x.Attendees = nil
	for _, i := range n.items {
		a := store.Attendee{Kind: "required", Response: "none"}
		for _, m := range i.members {
			var f *fault
			switch m.name {
			case "emailAddress":
				a.Address, f = readEmailAddress(m.value)
			case "type":
				a.Kind, f = m.value.word("microsoft.graph.attendeeType", "required", "optional", "resource")
			case "status", "proposedNewTime":
			default:
				if !strings.Contains(m.name, "@odata.") {
					f = unknownMember(m.name, "microsoft.graph.attendee")
				}
			}
			if f != nil {
				return f
			}
		}
		for _, o := range old {
			if strings.EqualFold(o.Address.Address, a.Address.Address) {
				a.Response, a.Responded, a.Proposed = o.Response, o.Responded, o.Proposed
			}
		}
		x.Attendees = append(x.Attendees, a)
	}
	return nil
}

func readPlace(n *jsonNode) (store.Place, *fault) {
	p := store.Place{Kind: "default"}
	if n.kind == nullNode {
		return p, nil
	}
	if n.kind != objectNode {
		return p, badLiteral(n, "microsoft.graph.location")
	}
	for _, m := range n.members {
		var f *fault
		switch m.name {
		case "displayName":
			p.Name, f = m.value.string()
		case "locationEmailAddress":
			p.Email, f = m.value.string()
		case "locationUri":
			p.URI, f = m.value.string()
		case "uniqueId":
			p.UniqueID, f = m.value.string()
		case "uniqueIdType", "locationType", "coordinates":
		case "address":
			var a store.Postal
			if a, f = readPostal(m.value); f == nil {
				p.Street, p.City, p.State, p.Country, p.PostalCode = a.Street, a.City, a.State, a.Country, a.PostalCode
			}
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.location")
			}
		}
		if f != nil {
			return p, f
		}
	}
	if p.UniqueID == "" {
		p.UniqueID = p.Name
	}
	p.UniqueIDKind = "private"
	return p, nil
}

func readRecurrence(n *jsonNode) (*recur.Rule, *fault) {
	if n.kind == nullNode {
		return nil, nil
	}
	if n.kind != objectNode {
		return nil, badLiteral(n, "microsoft.graph.patternedRecurrence")
	}
	r := &recur.Rule{}
	pattern, span := n.param("pattern"), n.param("range")
	if pattern == nil || span == nil {
		return nil, badCode("ErrorPropertyValidationFailure", "At least one property failed validation.")
	}
	if f := readPattern(r, pattern); f != nil {
		return nil, f
	}
	return r, readRange(r, span)
}

func readPattern(r *recur.Rule, n *jsonNode) *fault {
	for _, m := range n.members {
		var f *fault
		var s string
		switch m.name {
		case "type":
			s, f = m.value.word("microsoft.graph.recurrencePatternType", "daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
			r.Kind = recur.Kind(s)
		case "interval":
			r.Interval, f = m.value.int()
		case "month":
			r.Month, f = m.value.int()
		case "dayOfMonth":
			r.DayOfMonth, f = m.value.int()
		case "firstDayOfWeek":
			r.FirstDay, f = readWeekday(m.value)
		case "index":
			s, f = m.value.word("microsoft.graph.weekIndex", weekIndexes[:]...)
			for i, w := range weekIndexes {
				if w == s {
					r.Index = i
				}
			}
		case "daysOfWeek":
			for _, d := range m.value.items {
				var day time.Weekday
				if day, f = readWeekday(d); f != nil {
					return f
				}
				r.Days = append(r.Days, day)
			}
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.recurrencePattern")
			}
		}
		if f != nil {
			return f
		}
	}
	if r.Kind != recur.AbsoluteYearly && r.Kind != recur.RelativeYearly {
		r.Month = 0
	}
	return nil
}

func readWeekday(n *jsonNode) (time.Weekday, *fault) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if n.kind == stringNode && strings.EqualFold(n.text, d.String()) {
			return d, nil
		}
	}
	return 0, badLiteral(n, "microsoft.graph.dayOfWeek")
}

func readRange(r *recur.Rule, n *jsonNode) *fault {
	for _, m := range n.members {
		var f *fault
		var s string
		switch m.name {
		case "type":
			s, f = m.value.word("microsoft.graph.recurrenceRangeType", "endDate", "noEnd", "numbered")
			r.End = recur.End(s)
		case "startDate":
			r.Start, f = readDate(m.value)
		case "endDate":
			r.Until, f = readDate(m.value)
		case "numberOfOccurrences":
			r.Count, f = m.value.int()
		case "recurrenceTimeZone":
			if r.Zone, f = m.value.string(); f == nil && r.Zone != "" {
				if _, ok := zone.Load(r.Zone); !ok {
					f = badZone(r.Zone)
				}
			}
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.recurrenceRange")
			}
		}
		if f != nil {
			return f
		}
	}
	if r.End != recur.Numbered {
		r.Count = 0
	}
	return nil
}

func readDate(n *jsonNode) (recur.Date, *fault) {
	if n.kind == nullNode {
		return 0, nil
	}
	d, err := recur.ParseDate(n.text)
	if err != nil || n.kind != stringNode {
		return 0, badLiteral(n, "Edm.Date")
	}
	return d, nil
}
