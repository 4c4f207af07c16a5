package rest

import (
	"strings"

	"cutover/harness/request"
)

// Segments that the Outlook REST API of Exchange Server does not have, each with the reason that a
// report gives. Sources: the reference of August 2016 and hybrid-rest-support of the Graph documentation, which offered
// on-premises mailboxes the v1.0 mail, calendar and contacts sets only.
var missing = map[string]string{
	"delta":                         "change tracking is the Prefer header odata.track-changes there, not a delta function",
	"$batch":                        "there is no JSON batching",
	"getSchedule":                   "getSchedule came later",
	"findMeetingTimes":              "findMeetingTimes came later",
	"translateExchangeIds":          "translateExchangeIds came later",
	"getMailTips":                   "getMailTips came later",
	"outlook":                       "master categories and time zone lists came later",
	"masterCategories":              "master categories came later",
	"createUploadSession":           "upload sessions came later; attachments are sent whole",
	"mailboxSettings":               "mailbox settings are not served for on-premises mailboxes",
	"inferenceClassification":       "the focused inbox is not served for on-premises mailboxes",
	"messageRules":                  "inbox rules came later",
	"calendarPermissions":           "calendar permissions came later",
	"subscriptions":                 "Graph's subscriptions do not exist there",
	"groups":                        "groups are objects of the directory",
	"people":                        "people is not served for on-premises mailboxes",
	"reminderView":                  "reminderView was beta only",
	"permanentDelete":               "permanentDelete came later",
	"cancel":                        "cancelling a meeting as an action came later; delete it instead",
	"extensions":                    "data extensions are not served for on-premises mailboxes",
	"singleValueExtendedProperties": "extended properties have no address of their own",
	"multiValueExtendedProperties":  "extended properties have no address of their own",
	"allowedCalendarSharingRoles":   "sharing roles came later",
	"photo":                         "contact photos are not served for on-premises mailboxes",
	"$value":                        "raw content ($value) is not served",
}

var wireFolders = map[string]string{
	"inbox": "Inbox", "drafts": "Drafts", "sentitems": "SentItems", "deleteditems": "DeletedItems", "junkemail": "JunkEmail",
	"archive": "Archive", "outbox": "Outbox", "msgfolderroot": "MsgFolderRoot",
}

// address says a URL in PascalCase. /me becomes /users/{mailbox} for an app's token.
func (d *Dialect) address(written string, segments []request.Segment) (string, error) {
	if len(segments) == 0 {
		return written, nil
	}
	switch first := segments[0]; {
	case strings.HasPrefix(written, "{{"):
		return written, nil
	case first.Name == "beta":
		return "", unsupported("beta is not offered on-premises")
	case first.Name == "me", first.Name == "users" && len(segments) > 1:
	case missing[first.Name] != "":
		return "", unsupported("%s", missing[first.Name])
	default:
		return "", unsupported("/%s is not part of mail, calendar and contacts", first.Raw)
	}
	if segments[0].Name == "users" && len(segments) == 2 || segments[0].Name == "me" && len(segments) == 1 {
		return "", unsupported("the user is an object of the directory")
	}
	var b strings.Builder
	for i, s := range segments {
		if reason := missing[s.Name]; reason != "" {
			return "", unsupported("%s", reason)
		}
		b.WriteByte('/')
		switch {
		case i == 0 && s.Name == "me" && d.about.As == "app":
			b.WriteString("users/{{mailbox.user}}")
		case i == 0:
			b.WriteString(s.Name)
		case s.Name == "{id}":
			b.WriteString(s.Key)
		case s.Key != "":
			b.WriteString(wireFolder(s))
		default:
			b.WriteString(d.segment(s))
		}
	}
	return b.String(), nil
}

func wireFolder(s request.Segment) string {
	if name, ok := wireFolders[s.Name]; ok {
		return name
	}
	return s.Key
}

func (d *Dialect) segment(s request.Segment) string {
	if d.about.Version == "v1.0" && s.Name == "mailFolders" {
		return "Folders"
	}
	if strings.HasPrefix(s.Name, "$") {
		return s.Name
	}
	return upperFirst(s.Name)
}
