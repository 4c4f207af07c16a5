package onprem

import (
	"net/http"
	"strings"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// words are the segments that name resources and actions, in lower case; all
// others are keys and keep their case.
var words = func() map[string]bool {
	out := map[string]bool{"folders": true}
	for _, r := range routes {
		for part := range strings.SplitSeq(r.pattern, "/") {
			out[part] = part != "*"
		}
	}
	return out
}()

// index is the table by method and pattern.
var index = func() map[string]*route {
	out := map[string]*route{}
	for i := range routes {
		out[routes[i].method+"/"+routes[i].pattern] = &routes[i]
	}
	return out
}()

// routes is the table of resources below a mailbox. The names are those of v2.0;
// v1.0 says folders for mailfolders.
var routes = []route{
	{get, "", "Mail", user, false},

	{get, "messages", "Mail", listMessages, false},
	{post, "messages", "Mail", createMessage, false},
	{get, "messages/*", "Mail", getMessage, false},
	{patch, "messages/*", "Mail", patchMessage, false},
	{remove, "messages/*", "Mail", deleteMessage, false},
	{post, "messages/*/move", "Mail", moveMessage, false},
	{post, "messages/*/copy", "Mail", copyMessage, false},
	{post, "messages/*/send", "Mail", sendDraft, true},
	{post, "messages/*/reply", "Mail", respond, true},
	{post, "messages/*/replyall", "Mail", respond, true},
	{post, "messages/*/forward", "Mail", respond, true},
	{post, "messages/*/createreply", "Mail", respond, false},
	{post, "messages/*/createreplyall", "Mail", respond, false},
	{post, "messages/*/createforward", "Mail", respond, false},
	{get, "messages/*/attachments", "Mail", listAttachments, false},
	{post, "messages/*/attachments", "Mail", createAttachment, false},
	{get, "messages/*/attachments/*", "Mail", getAttachment, false},
	{remove, "messages/*/attachments/*", "Mail", getAttachment, false},
	{post, "sendmail", "Mail", sendMail, true},

	{get, "rootfolder", "Mail", getRootFolder, false},
	{get, "mailfolders", "Mail", listFolders, false},
	{post, "mailfolders", "Mail", createFolder, false},
	{get, "mailfolders/*", "Mail", getFolder, false},
	{patch, "mailfolders/*", "Mail", patchFolder, false},
	{remove, "mailfolders/*", "Mail", deleteFolder, false},
	{get, "mailfolders/*/childfolders", "Mail", listFolders, false},
	{post, "mailfolders/*/childfolders", "Mail", createFolder, false},
	{post, "mailfolders/*/move", "Mail", moveFolder, false},
	{post, "mailfolders/*/copy", "Mail", copyFolder, false},
	{get, "mailfolders/*/messages", "Mail", listMessages, false},
	{post, "mailfolders/*/messages", "Mail", createMessage, false},
	{get, "mailfolders/*/messages/*", "Mail", getMessage, false},
	{patch, "mailfolders/*/messages/*", "Mail", patchMessage, false},
	{remove, "mailfolders/*/messages/*", "Mail", deleteMessage, false},

	{get, "events", "Calendars", listEvents, false},
	{post, "events", "Calendars", createEvent, false},
	{get, "events/*", "Calendars", getEvent, false},
	{patch, "events/*", "Calendars", patchEvent, false},
	{remove, "events/*", "Calendars", deleteEvent, false},
	{get, "events/*/instances", "Calendars", instances, false},
	{post, "events/*/accept", "Calendars", respondEvent, false},
	{post, "events/*/decline", "Calendars", respondEvent, false},
	{post, "events/*/tentativelyaccept", "Calendars", respondEvent, false},
	{get, "events/*/attachments", "Calendars", listAttachments, false},
	{post, "events/*/attachments", "Calendars", createAttachment, false},
	{get, "events/*/attachments/*", "Calendars", getAttachment, false},
	{remove, "events/*/attachments/*", "Calendars", getAttachment, false},
	{get, "calendarview", "Calendars", calendarView, false},
	{get, "calendar", "Calendars", getCalendar, false},
	{get, "calendar/events", "Calendars", listEvents, false},
	{post, "calendar/events", "Calendars", createEvent, false},
	{get, "calendar/events/*", "Calendars", getEvent, false},
	{patch, "calendar/events/*", "Calendars", patchEvent, false},
	{remove, "calendar/events/*", "Calendars", deleteEvent, false},
	{get, "calendar/calendarview", "Calendars", calendarView, false},
	{get, "calendars", "Calendars", listCalendars, false},
	{post, "calendars", "Calendars", createCalendar, false},
	{get, "calendars/*", "Calendars", getCalendar, false},
	{patch, "calendars/*", "Calendars", patchCalendar, false},
	{remove, "calendars/*", "Calendars", deleteCalendar, false},
	{get, "calendars/*/events", "Calendars", listEvents, false},
	{post, "calendars/*/events", "Calendars", createEvent, false},
	{get, "calendars/*/events/*", "Calendars", getEvent, false},
	{get, "calendars/*/calendarview", "Calendars", calendarView, false},
	{get, "calendargroups", "Calendars", listGroups, false},
	{get, "calendargroups/*/calendars", "Calendars", listCalendars, false},

	{get, "contacts", "Contacts", listContacts, false},
	{post, "contacts", "Contacts", createContact, false},
	{get, "contacts/*", "Contacts", getContact, false},
	{patch, "contacts/*", "Contacts", patchContact, false},
	{remove, "contacts/*", "Contacts", deleteContact, false},
	{get, "contactfolders", "Contacts", listContactFolders, false},
	{post, "contactfolders", "Contacts", createContactFolder, false},
	{get, "contactfolders/*", "Contacts", getContactFolder, false},
	{patch, "contactfolders/*", "Contacts", patchContactFolder, false},
	{remove, "contactfolders/*", "Contacts", deleteContactFolder, false},
	{get, "contactfolders/*/childfolders", "Contacts", listContactFolders, false},
	{post, "contactfolders/*/childfolders", "Contacts", createContactFolder, false},
	{get, "contactfolders/*/contacts", "Contacts", listContacts, false},
	{post, "contactfolders/*/contacts", "Contacts", createContact, false},
	{get, "contactfolders/*/contacts/*", "Contacts", getContact, false},
	{patch, "contactfolders/*/contacts/*", "Contacts", patchContact, false},
	{remove, "contactfolders/*/contacts/*", "Contacts", deleteContact, false},
}
