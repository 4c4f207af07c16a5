package graph_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// stories are what a client goes through with one sort of resource.
func TestResources(t *testing.T) {
	for _, tc := range []struct {
		it    string
		check func(b *bench)
	}{
		{"keeps folders: child, rename, move, copy, search folder", storyFolders},
		{"keeps calendars and groups", storyCalendars},
		{"keeps contact folders and photos", storyContactFolders},
		{"keeps attachments of messages and events", storyAttachments},
		{"keeps open extensions on messages, events and contacts", storyExtensions},
		{"keeps extended properties, found by any spelling of their id", storyExtended},
		{"keeps rules, permissions, overrides and categories", storyLists},
		{"keeps mailbox settings, whole and one by one", storySettings},
		{"honours If-Match", storyIfMatch},
		{"takes MIME for drafts and sending", storyMIME},
		{"follows deltas of folders, contacts, contact folders and events", storyDeltas},
		{"searches", storySearch},
		{"cancels, forwards and deletes meetings", storyMeetings},
		{"drafts and sends replies and forwards", storyReplies},
		{"finds meeting times, mail tips, languages and zones", storyFunctions},
		{"lists users page by page", storyUsers},
	} {
		t.Run("it "+tc.it, func(t *testing.T) { tc.check(newBench(t)) })
	}
}

func storyFolders(b *bench) {
	top := b.post("/me/mailFolders", map[string]any{"displayName": "top"}).ok(b, 201).text("id")
	child := b.post("/me/mailFolders/"+top+"/childFolders", map[string]any{"displayName": "child"}).ok(b, 201)
	if child.text("parentFolderId") != top {
		b.t.Errorf("parent %q", child.text("parentFolderId"))
	}
	id := child.text("id")
	b.post("/me/mailFolders/"+id+"/messages", map[string]any{"subject": "inside"}).ok(b, 201)
	if r := b.get("/me/mailFolders/"+top+"/childFolders/"+id+"/messages").ok(b, 200); len(r.values()) != 1 {
		b.t.Errorf("%d messages through the nested path", len(r.values()))
	}
	if r := b.get("/me/mailFolders/"+top+"?$expand=childFolders").ok(b, 200); len(r.body["childFolders"].([]any)) != 1 || r.body["childFolderCount"] != 1.0 {
		b.t.Errorf("%s", r.raw)
	}
	b.do("PATCH", "/me/mailFolders/"+id, map[string]any{"displayName": "renamed"}).ok(b, 200)
	copied := b.post("/me/mailFolders/"+id+"/copy", map[string]any{"destinationId": "inbox"}).ok(b, 200)
	if copied.body["totalItemCount"] != 1.0 || copied.text("displayName") != "renamed" {
		b.t.Errorf("%s", copied.raw)
	}
	b.post("/me/mailFolders/"+id+"/move", map[string]any{"destinationId": "archive"}).ok(b, 200)
	b.post("/me/mailFolders/inbox/move", map[string]any{"destinationId": "archive"}).refused(b, 403, "ErrorDeleteDistinguishedFolder")
	if got := b.get("/me/mailFolders/archive/childFolders/$count").raw; got != "1" {
		b.t.Errorf("count %q", got)
	}
	search := b.post("/me/mailFolders/searchfolders/childFolders", map[string]any{"@odata.type": "microsoft.graph.mailSearchFolder", "displayName": "late", "includeNestedFolders": true, "sourceFolderIds": []string{top}, "filterQuery": "isRead eq false"}).ok(b, 201)
	if search.text("@odata.type") != "#microsoft.graph.mailSearchFolder" || search.text("filterQuery") != "isRead eq false" {
		b.t.Errorf("%s", search.raw)
	}
	b.do("PATCH", "/me/mailFolders/"+search.text("id"), map[string]any{"@odata.type": "microsoft.graph.mailSearchFolder", "filterQuery": "isRead eq true"}).ok(b, 200)
	b.post("/me/mailFolders", map[string]any{}).refused(b, 400, "ErrorInvalidRequest")
	b.do("DELETE", "/me/mailFolders/"+top, nil).ok(b, 204)
	b.get("/me/mailFolders?$filter=displayName eq 'inbox'&$orderby=displayName desc&$count=true").ok(b, 200)
}

func storyCalendars(b *bench) {
	group := b.post("/me/calendarGroups", map[string]any{"name": "Work"}).ok(b, 201).text("id")
	b.post("/me/calendarGroups", map[string]any{"name": "work"}).refused(b, 409, "ErrorFolderExists")
	b.do("PATCH", "/me/calendarGroups/"+group, map[string]any{"name": "Werk"}).ok(b, 200)
	if got := b.get("/me/calendarGroups/"+group).ok(b, 200).text("name"); got != "Werk" {
		b.t.Errorf("name %q", got)
	}
	id := b.post("/me/calendarGroups/"+group+"/calendars", map[string]any{"name": "Plan", "color": "LightBlue"}).ok(b, 201).text("id")
	if r := b.do("PATCH", "/me/calendars/"+id, map[string]any{"color": "lightRed"}).ok(b, 200); r.text("color") != "lightRed" {
		b.t.Errorf("%s", r.raw)
	}
	b.post("/me/calendars/"+id+"/events", meeting(nil)).ok(b, 201)
	for _, path := range []string{"/me/calendars/" + id + "/events", "/me/calendarGroups/" + group + "/calendars/" + id + "/events", "/me/calendars/" + id + "/calendarView?startDateTime=2026-06-01T00:00:00Z&endDateTime=2026-06-02T00:00:00Z"} {
		if r := b.get(path).ok(b, 200); len(r.values()) != 1 {
			b.t.Errorf("%s: %d events, want 1", path, len(r.values()))
		}
	}
	b.do("DELETE", "/me/calendarGroups/"+group, nil).refused(b, 400, "ErrorInvalidRequest")
	b.do("DELETE", "/me/calendars/"+id, nil).ok(b, 204)
	b.do("DELETE", "/me/calendarGroups/"+group, nil).ok(b, 204)
	b.post("/me/calendars", map[string]any{"color": "auto"}).refused(b, 400, "ErrorInvalidRequest")
	b.post("/me/calendars", map[string]any{"name": "x", "color": "mauve"}).refused(b, 400, "RequestBodyRead")
	if r := b.get("/me/calendars?$select=name"); len(r.values()) != 3 || r.values()[0]["name"] != "Calendar" {
		b.t.Errorf("%s", r.raw)
	}
	b.do("DELETE", "/me/calendar", nil)
	b.get("/me/calendarGroups?$top=1").ok(b, 200)
	b.get("/me/events/$count").ok(b, 200)
}

func storyContactFolders(b *bench) {
	id := b.post("/me/contactFolders", map[string]any{"displayName": "A"}).ok(b, 201).text("id")
	b.post("/me/contactFolders", map[string]any{"displayName": "a"}).refused(b, 409, "ErrorFolderExists")
	child := b.post("/me/contactFolders/"+id+"/childFolders", map[string]any{"displayName": "B"}).ok(b, 201).text("id")
	b.do("PATCH", "/me/contactFolders/"+child, map[string]any{"displayName": "C", "parentFolderId": id}).ok(b, 200)
	if r := b.get("/me/contactFolders/"+id+"/childFolders").ok(b, 200); len(r.values()) != 1 || r.values()[0]["displayName"] != "C" {
		b.t.Errorf("%s", r.raw)
	}
	if names(b.get("/me/contactFolders"), "displayName")["Contacts"] {
		b.t.Errorf("the default folder is listed")
	}
	c := b.post("/me/contactFolders/"+child+"/contacts", map[string]any{"givenName": "P", "birthday": "1980-05-04", "emailAddresses": []any{map[string]any{"address": "p@x.test"}},
		"homeAddress": map[string]any{"city": "Köln"}, "children": []string{"Q"}}).ok(b, 201)
	if c.text("birthday") != "1980-05-04T11:59:00Z" {
		b.t.Errorf("birthday %q", c.text("birthday"))
	}
	path := "/me/contacts/" + c.text("id")
	b.get(path+"/photo").refused(b, 404, "ImageNotFound")
	b.get(path+"/photo/$value").refused(b, 404, "ImageNotFound")
	b.do("PUT", path+"/photo/$value", "jpeg bytes", "Content-Type", "image/jpeg").ok(b, 200)
	b.get(path+"/photo").ok(b, 200)
	if got := b.get(path + "/photo/$value").raw; got != "jpeg bytes" {
		b.t.Errorf("photo %q", got)
	}
	b.get("/me/contacts/$count").ok(b, 200)
	b.get("/me/contacts?$orderby=displayName&$top=3").ok(b, 200)
	b.do("DELETE", path, nil).ok(b, 204)
	b.do("DELETE", "/me/contactFolders/"+id, nil).ok(b, 204)
	b.get("/me/contactFolders/"+child).refused(b, 404, "ErrorItemNotFound")
	b.post("/me/contacts", map[string]any{"homeAddress": map[string]any{"town": "x"}}).refused(b, 400, "RequestBodyRead")
	b.post("/me/contacts", map[string]any{"birthday": "soon"}).refused(b, 400, "RequestBodyRead")
}

func storyAttachments(b *bench) {
	file := map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain", "contentBytes": base64.StdEncoding.EncodeToString([]byte("content"))}
	for _, item := range []string{"/me/messages/" + b.draft(nil), "/me/events/" + b.event(nil).text("id")} {
		a := b.post(item+"/attachments", file).ok(b, 201)
		if a.text("contentBytes") != file["contentBytes"] || a.body["isInline"] != false {
			b.t.Errorf("%s", a.raw)
		}
		id := a.text("id")
		if got := b.get(item + "/attachments/" + id + "/$value"); got.raw != "content" || got.header.Get("Content-Type") != "text/plain" {
			b.t.Errorf("%q %q", got.raw, got.header.Get("Content-Type"))
		}
		if got := b.get(item + "/attachments/$count").raw; got != "1" {
			b.t.Errorf("count %q", got)
		}
		if r := b.get(item); r.body["hasAttachments"] != true {
			b.t.Errorf("hasAttachments %v", r.body["hasAttachments"])
		}
		b.do("DELETE", item+"/attachments/"+id, nil).ok(b, 204)
		b.get(item+"/attachments/"+id).refused(b, 404, "ErrorItemNotFound")
		b.post(item+"/attachments", map[string]any{"name": "untyped"}).refused(b, 400, "RequestBodyRead")
		b.post(item+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "x"}).refused(b, 400, "ErrorRequiredPropertyMissing")
	}
	id := b.draft(map[string]any{"subject": "with", "attachments": []any{file, map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "i.png", "isInline": true, "contentId": "c1", "contentBytes": "AA=="}}})
	if r := b.get("/me/messages/"+id+"/attachments?$select=name,contentId").ok(b, 200); len(r.values()) != 2 {
		b.t.Errorf("%s", r.raw)
	}
	for kind, item := range map[string]map[string]any{
		"message/rfc822": {"@odata.type": "#microsoft.graph.message", "subject": "inner"},
		"text/calendar":  meeting(map[string]any{"@odata.type": "#microsoft.graph.event"}),
		"text/vcard":     {"@odata.type": "#microsoft.graph.contact", "givenName": "V"},
	} {
		a := b.post("/me/messages/"+id+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.itemAttachment", "name": "n", "item": item}).ok(b, 201)
		if got := b.get("/me/messages/" + id + "/attachments/" + a.text("id") + "/$value").header.Get("Content-Type"); got != kind {
			b.t.Errorf("content type %q, want %q", got, kind)
		}
		r := b.get("/me/messages/"+id+"/attachments/"+a.text("id")+"?$expand=microsoft.graph.itemattachment/item").ok(b, 200)
		if inner, _ := r.body["item"].(map[string]any); inner["@odata.type"] != item["@odata.type"] {
			b.t.Errorf("item %v", r.body["item"])
		}
	}
	if r := b.get("/me/messages/" + id + "/$value"); !contains(r.raw, "multipart/mixed", "a.txt") {
		b.t.Errorf("%.300s", r.raw)
	}
	generated := b.get("/me/messages?$filter=hasAttachments eq true&$top=1").values()[0]["id"].(string)
	list := b.get("/me/messages/"+generated+"/attachments").ok(b, 200).values()
	raw, err := base64.StdEncoding.DecodeString(list[0]["contentBytes"].(string))
	if err != nil || float64(len(raw)+108) != list[0]["size"] {
		b.t.Errorf("%d bytes, size %v, %v", len(raw), list[0]["size"], err)
	}
}

func storyExtensions(b *bench) {
	for _, item := range []string{"/me/messages/" + b.firstMessage()["id"].(string), "/me/events/" + b.event(nil).text("id"), "/me/contacts/" + b.get("/me/contacts?$top=1").values()[0]["id"].(string)} {
		body := map[string]any{"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "com.x.y", "rank": 3}
		r := b.post(item+"/extensions", body).ok(b, 201)
		if r.text("id") != "microsoft.graph.openTypeExtension.com.x.y" || r.body["rank"] != 3.0 {
			b.t.Errorf("%s", r.raw)
		}
		b.post(item+"/extensions", body).refused(b, 409, "ErrorDuplicateExtension")
		b.post(item+"/extensions", map[string]any{"rank": 3}).refused(b, 400, "ErrorInvalidRequest")
		b.do("PATCH", item+"/extensions/com.x.y", map[string]any{"rank": 4}).ok(b, 200)
		if got := b.get(item+"/extensions/microsoft.graph.openTypeExtension.com.x.y").ok(b, 200).body["rank"]; got != 4.0 {
			b.t.Errorf("rank %v", got)
		}
		if r := b.get(item + "?$expand=extensions"); len(r.body["extensions"].([]any)) != 1 {
			b.t.Errorf("%s", r.raw)
		}
		b.do("DELETE", item+"/extensions/com.x.y", nil).ok(b, 204)
		b.get(item+"/extensions/com.x.y").refused(b, 404, "ErrorItemNotFound")
	}
}

func storyExtended(b *bench) {
	const guid = "{00020329-0000-0000-C000-000000000046}"
	id := b.draft(map[string]any{"subject": "x", "singleValueExtendedProperties": []any{map[string]any{"id": "String " + guid + " Name tag", "value": "v1"}, map[string]any{"id": "Integer 0x0E08", "value": "7"}},
		"multiValueExtendedProperties": []any{map[string]any{"id": "StringArray " + guid + " Name list", "value": []string{"a", "b"}}}})
	path := "/me/messages/" + id
	if r := b.get(path); r.body["singleValueExtendedProperties"] != nil {
		b.t.Errorf("there without $expand")
	}
	r := b.get(path+"?$expand=singleValueExtendedProperties($filter=id eq 'String "+strings.ToLower(guid)+" Name tag' or id eq 'Integer 0x0E080003')").ok(b, 200)
	if want := `"singleValueExtendedProperties":[{"id":"String {00020329-0000-0000-c000-000000000046} Name tag","value":"v1"},{"id":"Integer 0xe08","value":"7"}]`; !strings.Contains(r.raw, want) {
		b.t.Errorf("%s\nwant %s", r.raw, want)
	}
	r = b.get(path+"?$expand=multiValueExtendedProperties($filter=id eq 'StringArray "+guid+" Name list')").ok(b, 200)
	if !strings.Contains(r.raw, `"value":["a","b"]`) {
		b.t.Errorf("%s", r.raw)
	}
	r = b.get("/me/messages?$filter=singleValueExtendedProperties/any(ep: ep/id eq 'String {00020329-0000-0000-c000-000000000046} Name tag' and ep/value eq 'v1')").ok(b, 200)
	if len(r.values()) != 1 || r.values()[0]["id"] != id {
		b.t.Errorf("%d messages found by property", len(r.values()))
	}
	b.do("PATCH", path, map[string]any{"singleValueExtendedProperties": []any{map[string]any{"id": "nonsense", "value": "v"}}}).refused(b, 400, "ErrorInvalidProperty")
	restored := b.draft(map[string]any{"subject": "restored", "singleValueExtendedProperties": []any{map[string]any{"id": "Integer 0x0E07", "value": "4"}, map[string]any{"id": "SystemTime 0x0E06", "value": "2020-01-02T03:04:05Z"}}})
	if r := b.get("/me/messages/" + restored); r.body["isDraft"] != false || r.text("receivedDateTime") != "2020-01-02T03:04:05Z" {
		b.t.Errorf("%s", r.raw)
	}
}

func storyLists(b *bench) {
	rule := map[string]any{"displayName": "r", "sequence": 1, "isEnabled": true, "conditions": map[string]any{"subjectContains": []string{"x"}}, "actions": map[string]any{"markAsRead": true}}
	for _, tc := range []struct {
		list   string
		create map[string]any
		change map[string]any
		member string
	}{
		{"/me/mailFolders/inbox/messageRules", rule, map[string]any{"displayName": "s"}, "displayName"},
		{"/me/calendar/calendarPermissions", map[string]any{"emailAddress": map[string]any{"address": "x@y.test"}, "role": "read"}, map[string]any{"role": "write"}, "role"},
		{"/me/outlook/masterCategories", map[string]any{"displayName": "Neu", "color": "preset3"}, map[string]any{"color": "preset4"}, "color"},
		{"/me/inferenceClassification/overrides", map[string]any{"classifyAs": "focused", "senderEmailAddress": map[string]any{"address": "x@y.test"}}, map[string]any{"classifyAs": "other"}, "classifyAs"},
	} {
		before := len(b.get(tc.list).ok(b, 200).values())
		id := b.post(tc.list, tc.create).ok(b, 201).text("id")
		if r := b.do("PATCH", tc.list+"/"+id, tc.change).ok(b, 200); r.body[tc.member] != tc.change[tc.member] {
			b.t.Errorf("%s: %s", tc.list, r.raw)
		}
		if tc.list != "/me/inferenceClassification/overrides" {
			if r := b.get(tc.list+"/"+id).ok(b, 200); r.body[tc.member] != tc.change[tc.member] {
				b.t.Errorf("%s: %s", tc.list, r.raw)
			}
		}
		if n := len(b.get(tc.list).values()); n != before+1 {
			b.t.Errorf("%s: %d elements, want %d", tc.list, n, before+1)
		}
		b.do("DELETE", tc.list+"/"+id, nil).ok(b, 204)
		if r := b.do("DELETE", tc.list+"/"+id, nil); r.status != 404 {
			b.t.Errorf("%s: second delete got %d", tc.list, r.status)
		}
		if r := b.post(tc.list, map[string]any{}); r.status != 400 {
			b.t.Errorf("%s: an empty one got %d", tc.list, r.status)
		}
	}
	b.post("/me/outlook/masterCategories", map[string]any{"displayName": "Red category"}).refused(b, 409, "CategoryNameDuplicate")
}

func storySettings(b *bench) {
	b.do("PATCH", "/me/mailboxSettings", map[string]any{"automaticRepliesSetting": map[string]any{"status": "Scheduled", "externalAudience": "All", "internalReplyMessage": "away",
		"scheduledStartDateTime": at("2026-03-05T08:00:00", "UTC"), "scheduledEndDateTime": at("2026-03-06T08:00:00", "UTC")}, "timeZone": "Europe/Berlin", "language": map[string]any{"locale": "de-DE"},
		"dateFormat": "dd.MM.yyyy", "timeFormat": "HH:mm", "delegateMeetingMessageDeliveryOptions": "sendToDelegateAndPrincipal",
		"workingHours": map[string]any{"daysOfWeek": []string{"Monday"}, "startTime": "09:00:00", "endTime": "15:00:00.0000000", "timeZone": map[string]any{"name": "UTC"}}}).ok(b, 200)
	if r := b.get("/me/mailboxSettings/workingHours").ok(b, 200); r.text("startTime") != "09:00:00.0000000" {
		b.t.Errorf("%s", r.raw)
	}
	if r := b.get("/me/mailboxSettings/timeZone").ok(b, 200); r.text("value") != "Europe/Berlin" || !strings.HasSuffix(r.text("@odata.context"), "/mailboxSettings/timeZone") {
		b.t.Errorf("%s", r.raw)
	}
	if r := b.get("/me/mailboxSettings").ok(b, 200); r.body["automaticRepliesSetting"].(map[string]any)["status"] != "scheduled" {
		b.t.Errorf("%s", r.raw)
	}
	b.keys(b.do("PATCH", "/me/mailboxSettings", map[string]any{"timeFormat": "h:mm tt"}).ok(b, 200).body, "@odata.context", "timeFormat")
	b.get("/me/mailboxSettings/colour").refused(b, 400, "BadRequest")
	for _, bad := range []struct {
		body map[string]any
		code string
	}{
		{map[string]any{"timeZone": "Mars"}, "InvalidTimeZone"}, {map[string]any{"colour": 1}, "RequestBodyRead"},
		{map[string]any{"workingHours": map[string]any{"startTime": "25:00"}}, "RequestBodyRead"},
		{map[string]any{"workingHours": map[string]any{"daysOfWeek": []string{"Blursday"}}}, "InvalidArguments"},
	} {
		b.do("PATCH", "/me/mailboxSettings", bad.body).refused(b, 400, bad.code)
	}
}

func storyIfMatch(b *bench) {
	for _, path := range []string{"/me/messages/" + b.draft(nil), "/me/events/" + b.event(nil).text("id"), "/me/contacts/" + b.get("/me/contacts?$top=1").values()[0]["id"].(string)} {
		first := b.get(path).ok(b, 200)
		tag := first.header.Get("Etag")
		if tag != first.text("@odata.etag") {
			b.t.Errorf("ETag %q, @odata.etag %q", tag, first.text("@odata.etag"))
		}
		b.do("PATCH", path, map[string]any{"categories": []string{"x"}}, "If-Match", tag).ok(b, 200)
		b.do("PATCH", path, map[string]any{"categories": []string{"y"}}, "If-Match", tag).refused(b, 412, "ErrorIrresolvableConflict")
		b.do("DELETE", path, nil, "If-Match", tag).refused(b, 412, "ErrorIrresolvableConflict")
		b.do("DELETE", path, nil, "If-Match", "*").ok(b, 204)
	}
}

func storyMIME(b *bench) {
	raw := "From: x@y.test\r\nTo: Ann <a@fabrikam.test>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>hi<script>x</script></p>\r\n--B\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--B--\r\n"
	r := b.do("POST", "/me/messages", base64.StdEncoding.EncodeToString([]byte(raw)), "Content-Type", "text/plain").ok(b, 201)
	if r.text("subject") != "grüße" || r.text("internetMessageId") != "<m@x>" || r.body["hasAttachments"] != true || strings.Contains(r.raw, "script") {
		b.t.Errorf("%s", r.raw)
	}
	own := strings.Replace(raw, "From: x@y.test", "From: "+b.me.User().SMTP, 1)
	b.do("POST", "/me/sendMail", base64.StdEncoding.EncodeToString([]byte(own)), "Content-Type", "text/plain").ok(b, 202)
	if b.inFolder("sentitems", "grüße") != 1 {
		b.t.Errorf("no copy in Sent Items")
	}
	b.do("POST", "/me/sendMail", base64.StdEncoding.EncodeToString([]byte(raw)), "Content-Type", "text/plain").refused(b, 403, "ErrorSendAsDenied")
	b.do("POST", "/me/messages", base64.StdEncoding.EncodeToString([]byte("no headers")), "Content-Type", "text/plain").refused(b, 400, "ErrorMimeContentInvalid")
	b.do("POST", "/me/messages/"+b.firstMessage()["id"].(string)+"/createReply", base64.StdEncoding.EncodeToString([]byte(raw)), "Content-Type", "text/plain").ok(b, 201)
}
