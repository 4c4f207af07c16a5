package graph

import (
	"net/http"
	"strings"
	"time"

	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// settingNames are the members of mailboxSettings in the order of the samples.
var settingNames = []string{"automaticRepliesSetting", "archiveFolder", "timeZone", "language", "workingHours", "dateFormat", "timeFormat", "delegateMeetingMessageDeliveryOptions", "userPurpose"}

var languages = map[string]string{"en-us": "English (United States)", "de-de": "German (Germany)", "fr-fr": "French (France)", "ru-ru": "Russian (Russia)", "en-gb": "English (United Kingdom)"}

// appendSettings writes all members and the closing brace.
func (e *encoder) appendSettings(b []byte, s *store.Settings) []byte {
	for _, name := range settingNames {
		b = append(b, `"`+name+`":`...)
		b = e.appendSetting(b, s, name)
		b = append(b, ',')
	}
	b[len(b)-1] = '}'
	return b
}

func (e *encoder) appendSetting(b []byte, s *store.Settings, name string) []byte {
	switch name {
	case "automaticRepliesSetting":
		a := s.AutoReply
		b = append(b, `{"status":"`+a.Status+`","externalAudience":"`+a.Audience+`","scheduledStartDateTime":`...)
		b = e.appendMoment(b, a.Start, false)
		b = append(b, `,"scheduledEndDateTime":`...)
		b = e.appendMoment(b, a.End, false)
		b = append(b, `,"internalReplyMessage":`...)
		b = appendString(b, a.Internal)
		b = append(b, `,"externalReplyMessage":`...)
		return append(appendString(b, a.External), '}')
	case "archiveFolder":
		return e.appendFolderID(b, store.ArchiveFolder)
	case "timeZone":
		return appendString(b, s.TimeZone)
	case "language":
		b = append(b, `{"locale":`...)
		b = appendString(b, s.Locale)
		b = append(b, `,"displayName":`...)
		return append(appendString(b, languages[strings.ToLower(s.Locale)]), '}')
	case "workingHours":
		return appendWorkingHours(b, s)
	case "dateFormat":
		return appendString(b, s.DateFormat)
	case "timeFormat":
		return appendString(b, s.TimeFormat)
	case "userPurpose":
		return append(b, `"user"`...)
	}
	return appendString(b, s.Delegates)
}

func appendWorkingHours(b []byte, s *store.Settings) []byte {
	b = append(b, `{"daysOfWeek":`...)
	b = appendWeekdays(b, s.WorkDays)
	b = append(b, `,"startTime":`...)
	b = appendTimeOfDay(b, s.WorkStart)
	b = append(b, `,"endTime":`...)
	b = appendTimeOfDay(b, s.WorkEnd)
	b = append(b, `,"timeZone":{"name":`...)
	return append(appendString(b, s.WorkZone), '}', '}')
}

func getSettings(c *call) *fault {
	b := take()
	body := c.context(b.bytes, c.userContext(), "/mailboxSettings")
	return c.send(http.StatusOK, b, c.encoder().appendSettings(body, c.mb.Settings()))
}

// getSetting answers one member: a complex one with its own members, a primitive
// one as value.
func getSetting(c *call) *fault {
	name := ""
	for _, n := range settingNames {
		if strings.EqualFold(n, c.arg[argName]) {
			name = n
		}
	}
	if name == "" {
		return badRequest("Resource not found for the segment '" + c.arg[argName] + "'.")
	}
	value := c.encoder().appendSetting(nil, c.mb.Settings(), name)
	b := take()
	body := c.context(b.bytes, c.userContext(), "/mailboxSettings/", name)
	if value[0] == '{' {
		return c.send(http.StatusOK, b, append(body, value[1:]...))
	}
	body = append(body, `"value":`...)
	return c.send(http.StatusOK, b, append(append(body, value...), '}'))
}

// updateSettings answers with the updated members only.
func updateSettings(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	s, err := c.mb.UpdateSettings(func(s *store.Settings, _ string, _ store.Key) error {
		for _, m := range body.members {
			if f := applySetting(s, m); f != nil {
				return asError(f)
			}
		}
		return nil
	})
	if err != nil {
		return storeFault(err)
	}
	b := take()
	out := c.context(b.bytes, c.userContext(), "/mailboxSettings")
	for _, name := range settingNames {
		if body.param(name) != nil {
			out = append(out, `"`+name+`":`...)
			out = append(c.encoder().appendSetting(out, s, name), ',')
		}
	}
	if out[len(out)-1] == ',' {
		out = out[:len(out)-1]
	}
	return c.send(http.StatusOK, b, append(out, '}'))
}

func applySetting(s *store.Settings, m jsonMember) (f *fault) {
	n := m.value
	switch m.name {
	case "automaticRepliesSetting":
		return applyAutoReply(&s.AutoReply, n)
	case "timeZone":
		if s.TimeZone, f = n.string(); f == nil && !validZone(s.TimeZone) {
			f = badCode("InvalidTimeZone", "Time Zone settings provided are invalid.")
		}
	case "language":
		if l := n.param("locale"); l != nil {
			s.Locale, f = l.string()
		}
	case "dateFormat":
		s.DateFormat, f = n.string()
	case "timeFormat":
		s.TimeFormat, f = n.string()
	case "delegateMeetingMessageDeliveryOptions":
		s.Delegates, f = n.word("microsoft.graph.delegateMeetingMessageDeliveryOptions", "sendToDelegateAndInformationToPrincipal", "sendToDelegateAndPrincipal", "sendToDelegateOnly")
	case "workingHours":
		return applyWorkingHours(s, n)
	case "archiveFolder", "userPurpose":
	default:
		if !strings.Contains(m.name, "@odata.") {
			f = unknownMember(m.name, "microsoft.graph.mailboxSettings")
		}
	}
	return f
}

func validZone(name string) bool {
	_, ok := zone.Load(name)
	return ok && name != ""
}

func applyAutoReply(a *store.AutoReply, n *jsonNode) (f *fault) {
	for _, m := range n.members {
		switch m.name {
		case "status":
			a.Status, f = m.value.word("microsoft.graph.automaticRepliesStatus", "disabled", "alwaysEnabled", "scheduled")
		case "externalAudience":
			a.Audience, f = m.value.word("microsoft.graph.externalAudienceScope", "none", "contactsOnly", "all")
		case "scheduledStartDateTime":
			a.Start, f = readMoment(m.value)
		case "scheduledEndDateTime":
			a.End, f = readMoment(m.value)
		case "internalReplyMessage":
			a.Internal, f = m.value.string()
		case "externalReplyMessage":
			a.External, f = m.value.string()
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.automaticRepliesSetting")
			}
		}
		if f != nil {
			return f
		}
	}
	return nil
}

func applyWorkingHours(s *store.Settings, n *jsonNode) (f *fault) {
	for _, m := range n.members {
		switch m.name {
		case "startTime":
			s.WorkStart, f = readTimeOfDay(m.value)
		case "endTime":
			s.WorkEnd, f = readTimeOfDay(m.value)
		case "daysOfWeek":
			s.WorkDays = nil
			for _, d := range m.value.items {
				day, bad := readWeekday(d)
				if bad != nil {
					return badCode("InvalidArguments", "Requested value '"+d.literal()+"' was not found.")
				}
				s.WorkDays = append(s.WorkDays, day)
			}
		case "timeZone":
			if name := m.value.param("name"); name != nil {
				if s.WorkZone = name.text; !validZone(s.WorkZone) {
					f = badCode("InvalidTimeZone", "Time Zone settings provided are invalid.")
				}
			}
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.workingHours")
			}
		}
		if f != nil {
			return f
		}
	}
	if s.WorkStart >= s.WorkEnd {
		return badCode("ErrorInvalidTimeSettings", "Start Time should occur before End Time.")
	}
	return nil
}

func readTimeOfDay(n *jsonNode) (time.Duration, *fault) {
	for _, layout := range []string{"15:04:05.9999999", "15:04"} {
		if t, err := time.Parse(layout, n.text); err == nil && n.kind == stringNode {
			h, m, s := t.Clock()
			return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second, nil
		}
	}
	return 0, badLiteral(n, "Edm.TimeOfDay")
}
