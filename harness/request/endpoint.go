package request

import (
	"net/url"
	"slices"
	"strings"
)

// Collections whose next segment is a key. The values are the entity that the collection holds.
var collections = map[string]string{
	"users": "user", "groups": "group", "messages": "message", "mailFolders": "mailFolder", "childFolders": "mailFolder",
	"attachments": "attachment", "events": "event", "instances": "event", "calendarView": "event", "exceptionOccurrences": "event",
	"calendars": "calendar", "calendarGroups": "calendarGroup", "calendarPermissions": "calendarPermission",
	"contacts": "contact", "contactFolders": "contactFolder", "messageRules": "messageRule", "overrides": "inferenceClassificationOverride",
	"extensions": "extension", "masterCategories": "outlookCategory", "subscriptions": "subscription",
}

// Segments that may follow a collection without being a key.
var functions = []string{
	"$count", "$value", "$ref", "$batch", "delta", "me", "calendar", "calendarView", "sendMail", "send", "reply", "replyAll", "forward",
	"createReply", "createReplyAll", "createForward", "move", "copy", "permanentDelete", "createUploadSession", "accept", "decline",
	"tentativelyAccept", "cancel", "dismissReminder", "snoozeReminder", "getSchedule", "findMeetingTimes", "translateExchangeIds",
	"getMailTips", "mailboxSettings", "automaticRepliesSetting", "workingHours", "timeZone", "language", "inferenceClassification",
	"outlook", "supportedTimeZones", "supportedLanguages", "photo", "manager", "event", "item", "rootFolder", "allowedCalendarSharingRoles",
	"reminderView", "singleValueExtendedProperties", "multiValueExtendedProperties", "members", "people", "tasks", "beta", "v1.0",
}

// WellKnownFolders are the 17 folder names that Graph v1.0 takes in place of an id, and the default
// calendar's and contact folder's (graph: list of mail folder names).
var WellKnownFolders = []string{
	"archive", "clutter", "conflicts", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail", "localfailures",
	"msgfolderroot", "outbox", "recoverableitemsdeletions", "scheduled", "searchfolders", "sentitems", "serverfailures", "syncissues",
}

var segmentNames = func() map[string]string {
	names := map[string]string{}
	for name := range collections {
		names[strings.ToLower(name)] = name
	}
	for _, name := range functions {
		names[strings.ToLower(name)] = name
	}
	return names
}()

// Segment is one step of a URL in Graph's words.
type Segment struct {
	Name   string // canonical name, or "{id}" for a key
	Key    string // the key as written when Name is "{id}", or the well-known folder name
	Entity string // what a collection holds, or what the key names
	Known  bool   // a name of the mail, calendar, contacts vocabulary
	Raw    string
}

// Segments reads a URL path in Graph's words: "/me/messages/{{id}}/move". Names are recognised
// whatever their case; keys may be written as a segment or in parentheses.
func Segments(path string) []Segment {
	var out []Segment
	holder := "" // the entity of the collection whose key may come next
	for raw := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if raw == "" {
			continue
		}
		name, key, paren := cutParenthesis(raw)
		canonical, known := segmentNames[strings.ToLower(unqualified(unescaped(name)))]
		if holder != "" && !(known && isFunction(canonical)) {
			out = append(out, keySegment(raw, holder))
			holder = ""
			continue
		}
		if !known {
			canonical = name
			if !plainName(name) {
				canonical = "{id}"
			}
		}
		entity := collections[canonical]
		out = append(out, Segment{Name: canonical, Entity: entity, Known: known, Raw: name})
		holder = entity
		if paren && entity != "" {
			s := keySegment(key, entity)
			s.Raw = raw[len(name):]
			out = append(out, s)
			holder = ""
		}
	}
	return out
}

func keySegment(key, entity string) Segment {
	if lower := strings.ToLower(key); entity == "mailFolder" && slices.Contains(WellKnownFolders, lower) {
		return Segment{Name: lower, Key: key, Entity: entity, Known: true, Raw: key}
	}
	return Segment{Name: "{id}", Key: key, Entity: entity, Known: true, Raw: key}
}

func isFunction(name string) bool { return slices.Contains(functions, name) }

// cutParenthesis splits messages('AAMk…') into its name and key.
func cutParenthesis(raw string) (name, key string, ok bool) {
	open := strings.IndexByte(raw, '(')
	if open <= 0 || !strings.HasSuffix(raw, ")") || strings.HasPrefix(raw, "{{") {
		return raw, "", false
	}
	return raw[:open], strings.Trim(raw[open+1:len(raw)-1], "'"), true
}

// unqualified drops the namespace of a bound function: microsoft.graph.delta.
func unqualified(name string) string {
	lower := strings.ToLower(name)
	for _, prefix := range []string{"microsoft.graph.", "microsoft.outlookservices."} {
		if strings.HasPrefix(lower, prefix) {
			return name[len(prefix):]
		}
	}
	return name
}

// unescaped is a name without percent-encoding, as a server reads it.
func unescaped(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

// plainName tells a resource's name from a key that nothing announced.
func plainName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '$' || r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9') {
			return false
		}
	}
	return !strings.ContainsAny(s, "{}")
}

// Endpoint names a request without the ids in it, so that counters and findings stay few:
// "GET /me/mailFolders/inbox/messages". The mailbox that /users/… names is written /me.
func Endpoint(method string, segments []Segment) string {
	var b strings.Builder
	b.WriteString(strings.ToUpper(method))
	b.WriteByte(' ')
	if len(segments) == 0 {
		b.WriteByte('/')
	}
	if len(segments) == 1 && strings.HasPrefix(segments[0].Raw, "{{") {
		b.WriteString("{link}")
		return b.String()
	}
	if len(segments) >= 2 && segments[0].Name == "users" && segments[1].Name == "{id}" {
		b.WriteString("/me")
		segments = segments[2:]
	}
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(s.Name)
	}
	return b.String()
}

// Returns says what an answer to the request holds: the entity and whether it is a collection of it.
func Returns(method string, segments []Segment) (entity string, collection bool) {
	if len(segments) == 0 {
		return "", false
	}
	last := segments[len(segments)-1]
	switch {
	case last.Name == "{id}" || last.Key != "":
		return last.Entity, false
	case collections[last.Name] != "":
		return childEntity(segments), strings.EqualFold(method, "GET")
	case last.Name == "delta" && len(segments) > 1:
		return childEntity(segments[:len(segments)-1]), true
	case last.Name == "calendar":
		return "calendar", false
	}
	switch last.Name {
	case "createReply", "createReplyAll", "createForward":
		return "message", false
	case "move", "copy":
		if len(segments) > 1 {
			return segments[len(segments)-2].Entity, false
		}
	case "event":
		return "event", false
	}
	return "", false
}

// childEntity is the entity of a collection; the child folders of a contact folder are contact folders.
func childEntity(segments []Segment) string {
	last := segments[len(segments)-1]
	if last.Name == "childFolders" {
		for _, s := range segments {
			if s.Name == "contactFolders" {
				return "contactFolder"
			}
		}
	}
	return last.Entity
}
