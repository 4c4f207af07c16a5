package quirks

import (
	"net/http"
	"strings"
)

// contents are the rows about bodies, times, recurrence and meetings.
var contents = []Quirk{
	{ID: "body.event_text", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "captured", Source: "graph-docs 8215",
		About: "On-prem a text body of an event stays text; the cloud answers with an HTML wrapper.", Trigger: "events",
		act: &act{side: "onprem", method: http.MethodGet, paths: eventPaths, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if b := inner(m, "Body"); b != nil {
					text, _ := b["Content"].(string)
					b["ContentType"], b["Content"] = "Text", stripped(text)
				}
			})
		}}},
	{ID: "body.sanitise", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "captured", Source: "docs-contrib 4734, exchangelib 500",
		About: "On-prem HTML keeps styles and scripts that the cloud takes out.", Trigger: "bodies of messages",
		act: &act{side: "onprem", method: http.MethodGet, paths: concat(messageItem, messageLists), rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if b := inner(m, "Body"); b != nil {
					text, _ := b["Content"].(string)
					b["Content"] = strings.Replace(text, "<body", `<style>p.MsoNormal{margin:0cm}</style><script>void 0</script><body style="border:1px"`, 1)
				}
			})
		}}},
	{ID: "body.prefer", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "inferred", Source: "message-get documentation",
		About: "The preference for text bodies is ignored on-prem.", Trigger: "Prefer: outlook.body-content-type"},
	{ID: "time.zone_default", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "client code", Source: "davmail 476",
		About: "Without a preference on-prem times come in the mailbox's zone, the cloud's in UTC.", Trigger: "events"},
	{ID: "time.custom_zone", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "captured", Source: "OGCS 2148, davmail 469, exchangelib 1197",
		About: "A zone that is in no list is called tzone://Microsoft/Custom.", Trigger: "events",
		act: &act{side: "cloud", paths: eventPaths, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				for _, name := range []string{"originalStartTimeZone", "originalEndTimeZone"} {
					if m[name] != nil {
						m[name] = "tzone://Microsoft/Custom"
					}
				}
			})
		}}},
	{ID: "time.original_start", State: Toggle, Side: "cloud", Class: "adapter", Certainty: "client code", Source: "davmail 481",
		About: "originalStart comes with an offset instead of Z.", Trigger: "occurrences",
		act: &act{side: "cloud", paths: eventPaths, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if s, ok := m["originalStart"].(string); ok {
					m["originalStart"] = strings.Replace(s, "Z", "+00:00", 1)
				}
			})
		}}},
	{ID: "recur.tz_empty", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "captured", Source: "graph-docs 7163, docs-contrib 6161",
		About: "The zone of a recurrence is empty.", Trigger: "series",
		act: &act{side: "cloud", paths: eventPaths, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if span := inner(m, "recurrence", "range"); span != nil {
					span["recurrenceTimeZone"] = ""
				}
			})
		}}},
	{ID: "recur.sentinels", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "captured", Source: "docs-contrib 6161, graph-docs 2202",
		About: "Members that a recurrence has no use for are absent on-prem and sentinels in the cloud.", Trigger: "series",
		act: &act{side: "onprem", paths: eventPaths, rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				if span := inner(m, "Recurrence", "Range"); span != nil {
					if span["EndDate"] == "0001-01-01" {
						delete(span, "EndDate")
					}
					if span["Type"] != "Numbered" {
						delete(span, "NumberOfOccurrences")
					}
				}
			})
		}}},
	{ID: "recur.inexpressible", State: Toggle, Side: "cloud", Class: "breaking", Certainty: "client code", Source: "davmail 4f55bed6, outlook-schedule-recurring-events",
		About: "A pattern that on-prem takes is refused by the cloud.", Trigger: "POST of a relative yearly series",
		act: &act{side: "cloud", method: http.MethodPost, paths: eventPaths, body: true,
			when:   func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), "relativeYearly") },
			refuse: problem(http.StatusBadRequest, "ErrorPropertyValidationFailure", "At least one property failed validation.")}},
	{ID: "recur.exceptions", State: Inherent, Side: "both", Class: "adapter", Certainty: "client code", Source: "davmail", About: "What was taken out of a series stands on the master in Graph, as cancelledOccurrences; the REST API has no such property.", Trigger: "$select of a series' cancelledOccurrences"},
	{ID: "event.uid", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "documented", Source: "event resource, davmail 462",
		About: "On-prem all dates of a series share one iCalUId; in the cloud each has its own.", Trigger: "occurrences"},
	{ID: "meeting.notify", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "captured", Source: "Riva support", Alone: true,
		About: "On-prem a change to a meeting mails nobody, as EWS could; in the cloud it always mails its attendees.", Trigger: "PATCH of a meeting"},
	{ID: "meeting.unsent", State: Waits, Side: "onprem", Class: "breaking", Certainty: "captured", Source: "Riva support", About: "EWS knows meetings that were saved and never sent.", Trigger: "meetings"},
	{ID: "msg.create_draft", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "client code", Source: "corso, davmail",
		About: "On-prem a message that is no draft can be created, as with EWS; in the cloud every created message is one.", Trigger: "POST of a message with isDraft false"},
	{ID: "xprop.addressing", State: Inherent, Side: "both", Class: "breaking", Certainty: "captured", Source: "docs-contrib 4432, CSS-Exchange, MHA 43", About: "Extended properties are written and expanded by their id in Graph; the on-prem REST API does not know them.", Trigger: "singleValueExtendedProperties"},
	{ID: "cat.master", State: Inherent, Side: "onprem", Class: "capability", Certainty: "captured", Source: "docs-contrib 8047", About: "There is no list of master categories on-prem.", Trigger: "outlook/masterCategories"},
}

// stripped is HTML without its tags.
func stripped(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
		case !in:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}
