package graph_test

import (
	"strings"

	"cutover/harness/lab/store"
)

func storyDeltas(b *bench) {
	all, _, link := b.round("/me/mailFolders/delta", "Prefer", "odata.maxpagesize=5")
	if len(all) < 16 || all[0]["@odata.type"] != nil {
		b.t.Errorf("%d folders", len(all))
	}
	id := b.post("/me/mailFolders", map[string]any{"displayName": "new"}).text("id")
	if all, _, link = b.round(link); len(all) != 1 || all[0]["displayName"] != "new" {
		b.t.Errorf("%v", all)
	}
	b.do("DELETE", "/me/mailFolders/"+id, nil).ok(b, 204)
	if all, _, _ = b.round(link); len(all) != 1 || all[0]["id"] != id || all[0]["@removed"] == nil {
		b.t.Errorf("%v", all)
	}
	_, _, link = b.round("/me/contacts/delta", "Prefer", "odata.maxpagesize=50")
	contact := b.post("/me/contacts", map[string]any{"givenName": "D"}).text("id")
	if all, _, link = b.round(link); len(all) != 1 || all[0]["id"] != contact {
		b.t.Errorf("%v", all)
	}
	b.do("DELETE", "/me/contacts/"+contact, nil).ok(b, 204)
	if all, _, _ = b.round(link); len(all) != 1 || all[0]["@removed"] == nil {
		b.t.Errorf("%v", all)
	}
	if all, _, _ = b.round("/me/contactFolders/delta"); len(all) != 2 {
		b.t.Errorf("%d contact folders", len(all))
	}
	_, _, link = b.round("/me/calendarView/delta?startDateTime=2026-06-01T00:00:00Z&endDateTime=2026-06-29T00:00:00Z", "Prefer", "odata.maxpagesize=100")
	b.event(map[string]any{"recurrence": weekly(2)})
	if all, _, _ = b.round(link); len(all) != 3 || all[0]["type"] != "seriesMaster" {
		b.t.Errorf("%d entries: %v", len(all), all)
	}
	b.get("/me/calendarView/delta").refused(b, 400, "ErrorInvalidParameter")
	b.get("/me/messages/delta").refused(b, 400, "ErrorInvalidRequest")
	b.get("/me/mailFolders/inbox/messages/delta?$deltatoken=AAAA").refused(b, 400, "ErrorInvalidSyncStateData")
	b.get("/me/mailFolders/inbox/messages/delta?$search=\"x\"").refused(b, 400, "ErrorInvalidUrlQuery")
	b.get("/me/mailFolders/inbox/messages/delta?$filter=isRead eq true").refused(b, 400, "ErrorInvalidUrlQuery")
	b.get("/me/mailFolders/inbox/messages/delta?$orderby=subject").refused(b, 400, "ErrorInvalidUrlQuery")
	recent, _, _ := b.round("/me/mailFolders/inbox/messages/delta?$filter=receivedDateTime ge 2026-02-20T00:00:00Z&$select=subject")
	if whole, _, _ := b.round("/me/mailFolders/inbox/messages/delta?$select=subject"); len(recent) == 0 || len(recent) >= len(whole) {
		b.t.Errorf("%d recent of %d", len(recent), len(whole))
	}
	other := b.get(strings.Replace(link, "calendarView", "events", 1))
	if other.status < 400 {
		b.t.Errorf("a token on another collection got %d", other.status)
	}
}

func storySearch(b *bench) {
	b.draft(map[string]any{"subject": "quarterly zebra", "importance": "High", "toRecipients": []any{recipient("zoe@x.test")}, "ccRecipients": []any{recipient("cc@x.test")}, "bccRecipients": []any{recipient("bcc@x.test")},
		"body": map[string]any{"contentType": "html", "content": "<p>about <b>giraffes</b></p>"}, "attachments": []any{map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "lion.txt", "contentBytes": "AA=="}}})
	for query, want := range map[string]int{
		`"zebra"`: 1, `"subject:zebra"`: 1, `"zebra giraffes"`: 1, `"zebra elephant"`: 0, `"elephant OR zebra"`: 1, `"zebra NOT giraffes"`: 0, `"zebra -giraffes"`: 0, `"to:zoe@x.test"`: 1, `"cc:cc@x.test"`: 1, `"bcc:bcc"`: 1,
		`"recipients:zoe@x.test"`: 1, `"participants:zoe@x.test"`: 1, `"body:giraffes"`: 1, `"attachment:lion"`: 1, `"importance:high AND zebra"`: 1, `"hasAttachments:true zebra"`: 1, `"received>=2026-03-02 zebra"`: 1,
		`"sent<2020-01-01"`: 0, `"size>1 zebra"`: 1, `"kind:email zebra"`: 1, `"from:nobody@nowhere"`: 0, "zebra": 1, `"flavour:zebra"`: 0,
	} {
		if r := b.get("/me/messages?$search="+query).ok(b, 200); len(r.values()) != want {
			b.t.Errorf("%s: %d messages, want %d", query, len(r.values()), want)
		}
	}
	b.get("/me/messages?$search=\"x\"&$filter=isRead eq true").refused(b, 400, "SearchWithFilter")
	b.get("/me/messages?$search=a:b").refused(b, 400, "BadRequest")
	r := b.get("/me/messages?$search=\"a\"&$top=20").ok(b, 200)
	second := b.get(r.text("@odata.nextLink")).ok(b, 200)
	if second.values()[0]["id"] == r.values()[0]["id"] {
		b.t.Errorf("the second page begins as the first")
	}
}

func storyMeetings(b *bench) {
	guest := b.store.Pairs()[1].Cloud
	attendee := []any{map[string]any{"type": "required", "emailAddress": map[string]any{"address": guest.User().SMTP}}}
	id := b.event(map[string]any{"subject": "party", "attendees": attendee, "location": map[string]any{"displayName": "Room 1"}, "isOnlineMeeting": true}).text("id")
	subject := func(kind string) (n int) {
		page, _ := guest.Messages(store.InboxFolder, store.MessageQuery{Keep: func(m *store.Message) bool { return m.Meeting != nil && m.Meeting.Kind == kind }})
		return len(page.Items)
	}
	if subject("meetingRequest") != 1 {
		b.t.Errorf("no invitation")
	}
	b.do("PATCH", "/me/events/"+id, map[string]any{"subject": "bigger party"}).ok(b, 200)
	if subject("meetingRequest") != 2 {
		b.t.Errorf("no update was sent")
	}
	b.post("/me/events/"+id+"/forward", map[string]any{"ToRecipients": []any{recipient("x@y.test")}, "Comment": "c"}).ok(b, 202)
	b.post("/me/events/"+id+"/forward", map[string]any{}).refused(b, 400, "ErrorInvalidRecipients")
	b.post("/me/events/"+id+"/accept", nil).refused(b, 400, "ErrorInvalidRequest")
	b.post("/me/events/"+id+"/dismissReminder", nil).ok(b, 200)
	b.post("/me/events/"+id+"/cancel", map[string]any{"comment": "sorry"}).ok(b, 202)
	if subject("meetingCancelled") != 1 {
		b.t.Errorf("no cancellation")
	}
	token := b.token
	b.token = "user:" + guest.User().UPN + " " + allScopes
	request := b.get("/me/mailFolders/inbox/messages?$top=3&$expand=microsoft.graph.eventMessage/event").ok(b, 200).values()
	if request[0]["@odata.type"] != "#microsoft.graph.eventMessage" || request[1]["@odata.type"] != "#microsoft.graph.eventMessageRequest" || request[1]["event"].(map[string]any)["isCancelled"] != true {
		b.t.Errorf("%v", request)
	}
	b.token = token
	mine := b.invited(nil)
	b.post("/me/events/"+mine+"/tentativelyAccept", map[string]any{"proposedNewTime": map[string]any{"start": at("2026-06-02T10:00:00", "UTC"), "end": at("2026-06-02T11:00:00", "UTC")}}).ok(b, 202)
	b.post("/me/events/"+mine+"/decline", nil).ok(b, 202)
	b.get("/me/events/"+mine).refused(b, 404, "ErrorItemNotFound")
	series := b.event(map[string]any{"recurrence": weekly(4), "attendees": attendee}).text("id")
	b.do("DELETE", "/me/events/"+b.occurrences(series)[2]["id"].(string), nil).ok(b, 204)
	if n := len(b.occurrences(series)); n != 3 {
		b.t.Errorf("%d occurrences left, want 3", n)
	}
	if r := b.get("/me/events/" + series + "?$select=cancelledOccurrences"); len(r.body["cancelledOccurrences"].([]any)) != 1 {
		b.t.Errorf("%s", r.raw)
	}
	b.do("DELETE", "/me/events/"+series, nil).ok(b, 204)
}

func storyReplies(b *bench) {
	m := b.get("/me/mailFolders/inbox/messages?$top=1&$filter=hasAttachments eq true").values()[0]
	path := "/me/messages/" + m["id"].(string)
	b.post(path+"/reply", map[string]any{"comment": "thanks"}).ok(b, 202)
	b.post(path+"/replyAll", map[string]any{"message": map[string]any{"importance": "high"}}).ok(b, 202)
	if r := b.post(path+"/createReplyAll", map[string]any{"comment": "lost"}).ok(b, 201); strings.Contains(r.raw, ">lost") {
		b.t.Errorf("the comment of a draft is in its body")
	}
	r := b.post(path+"/createForward", map[string]any{"toRecipients": []any{recipient("f@x.test")}}).ok(b, 201)
	if !strings.HasPrefix(r.text("subject"), "FW: ") || r.body["hasAttachments"] != true {
		b.t.Errorf("%s", r.raw)
	}
	b.post("/me/messages/"+r.text("id")+"/send", nil).ok(b, 202)
	b.post(path+"/reply", map[string]any{"colour": 1}).refused(b, 400, "RequestBodyRead")
	b.post(path+"/send", nil).refused(b, 400, "ErrorInvalidRequest")
	b.post(path+"/forward", map[string]any{"comment": "c", "toRecipients": []any{recipient("nobody")}}).refused(b, 400, "ErrorInvalidRecipients")
}

func storyFunctions(b *bench) {
	if r := b.post("/me/findMeetingTimes", map[string]any{"returnSuggestionReasons": "true"}).ok(b, 200); len(r.body["meetingTimeSuggestions"].([]any)) == 0 {
		b.t.Errorf("%s", r.raw)
	}
	if r := b.post("/me/getMailTips", map[string]any{"EmailAddresses": []string{b.me.User().SMTP, "ghost@x.test"}, "MailTipsOptions": "automaticReplies"}).ok(b, 200); r.values()[1]["error"] == nil {
		b.t.Errorf("%s", r.raw)
	}
	b.get("/me/outlook/supportedLanguages").ok(b, 200)
	if !names(b.get("/me/outlook/supportedTimeZones").ok(b, 200), "alias")["W. Europe Standard Time"] {
		b.t.Errorf("no Windows zones")
	}
	if !names(b.get("/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')").ok(b, 200), "alias")["Europe/Berlin"] {
		b.t.Errorf("no IANA zones")
	}
	ids := map[string]any{"inputIds": []string{"garbage"}, "sourceIdType": "ewsId", "targetIdType": "restId"}
	if r := b.post("/me/translateExchangeIds", ids).ok(b, 200); r.values()[0]["errorDetails"] == nil {
		b.t.Errorf("%s", r.raw)
	}
	for _, body := range []map[string]any{{}, {"schedules": []string{}, "startTime": at("2026-03-02T08:00:00", "UTC"), "endTime": at("2026-03-02T09:00:00", "UTC")}} {
		b.post("/me/calendar/getSchedule", body).refused(b, 400, "ErrorInvalidParameter")
	}
	r := b.get("/$metadata").ok(b, 200)
	if r.header.Get("Content-Type") != "application/xml" {
		b.t.Errorf("%q", r.header.Get("Content-Type"))
	}
}

func storyUsers(b *bench) {
	b.token = "app:a User.Read.All"
	r := b.get("/users?$top=5&$select=id,userPrincipalName,onPremisesSyncEnabled&$count=true").ok(b, 200)
	n := len(r.values())
	for r.text("@odata.nextLink") != "" {
		r = b.get(r.text("@odata.nextLink")).ok(b, 200)
		n += len(r.values())
	}
	if n != 13 { // six pairs and the unlicensed one; the soft-deleted is gone
		b.t.Errorf("%d users, want 13", n)
	}
	one := b.get("/users/"+b.store.Pairs()[0].OnPrem.User().OID+"?$select=onPremisesSyncEnabled,assignedPlans,assignedLicenses,mailboxSettings,proxyAddresses").ok(b, 200)
	if one.body["onPremisesSyncEnabled"] != true || one.body["mailboxSettings"] != nil {
		b.t.Errorf("%s", one.raw)
	}
	b.get("/users/ghost@contoso.test").refused(b, 404, "Request_ResourceNotFound")
	b.get("/users?$filter=startswith(displayName,'H')&$orderby=displayName").ok(b, 200)
}
