package graph_test

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"

	"cutover/harness/lab/store"
)

var firstOnly = store.MessageQuery{Top: 1}

func contains(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

func recipient(address string) map[string]any {
	return map[string]any{"emailAddress": map[string]any{"address": address}}
}

// draft creates a draft and returns its id.
func (b *bench) draft(members map[string]any) string {
	b.t.Helper()
	if members == nil {
		members = map[string]any{"subject": "draft"}
	}
	return b.post("/me/messages", members).ok(b, 201).text("id")
}

// firstMessage is the newest message of the inbox.
func (b *bench) firstMessage() map[string]any {
	b.t.Helper()
	return b.get("/me/mailFolders/inbox/messages?$top=1").ok(b, 200).values()[0]
}

func (b *bench) unread() float64 {
	b.t.Helper()
	n, _ := b.get("/me/mailFolders/inbox").body["unreadItemCount"].(float64)
	return n
}

func (b *bench) inFolder(folder, subject string) int {
	b.t.Helper()
	return len(b.get("/me/mailFolders/"+folder+"/messages?$top=1000&$select=subject&$filter=subject eq '"+subject+"'").ok(b, 200).values())
}

func (b *bench) mail(subject, to string, extra map[string]any) map[string]any {
	m := map[string]any{"message": map[string]any{"subject": subject, "body": map[string]any{"contentType": "Text", "content": "hello"}, "toRecipients": []any{recipient(to)}}}
	for k, v := range extra {
		m[k] = v
	}
	return m
}

var mailWriteAssertions = []assertion{
	{13, "D", "makes a draft of an empty message", func(b *bench) {
		r := b.post("/me/messages", map[string]any{}).ok(b, 201)
		drafts := b.get("/me/mailFolders/drafts").text("id")
		if r.body["isDraft"] != true || r.body["isRead"] != true || r.text("parentFolderId") != drafts || r.body["from"] != nil {
			b.t.Errorf("%s", r.raw)
		}
		if !strings.HasSuffix(r.header.Get("Location"), "/messages('"+r.text("id")+"')") {
			b.t.Errorf("Location %q", r.header.Get("Location"))
		}
	}},
	{14, "I", "names the first unknown member", func(b *bench) {
		r := b.post("/me/messages", `{"subject":"x","isJunk":true,"also":1}`)
		r.refused(b, 400, "RequestBodyRead")
		if !strings.HasPrefix(r.message(), "The property 'isJunk' does not exist on type 'microsoft.graph.message'.") {
			b.t.Errorf("message %q", r.message())
		}
	}},
	{15, "D/X", "marks as read, with a new change key and one unread less", func(b *bench) {
		m := b.get("/me/mailFolders/inbox/messages?$filter=isRead eq false&$top=1").values()[0]
		before := b.unread()
		r := b.do("PATCH", "/me/messages/"+m["id"].(string), map[string]any{"isRead": true}).ok(b, 200)
		if r.text("changeKey") == m["changeKey"] || b.unread() != before-1 {
			b.t.Errorf("change key %v, unread %v → %v", r.text("changeKey"), before, b.unread())
		}
	}},
	{16, "D/X", "keeps the subject of received mail", func(b *bench) {
		b.do("PATCH", "/me/messages/"+b.firstMessage()["id"].(string), map[string]any{"subject": "new"}).refused(b, 400, "ErrorInvalidPropertySet")
	}},
	{17, "I", "does not send without recipients", func(b *bench) {
		b.post("/me/sendMail", map[string]any{"message": map[string]any{"subject": "x"}}).refused(b, 400, "ErrorInvalidRecipients")
	}},
	{18, "D", "sends mail, keeps a copy and delivers", func(b *bench) {
		to := b.store.Pairs()[1].Cloud
		if r := b.post("/me/sendMail", b.mail("sent one", to.User().SMTP, nil)); r.status != 202 || r.raw != "" {
			b.t.Errorf("%d %q", r.status, r.raw)
		}
		if n := b.inFolder("sentitems", "sent one"); n != 1 {
			b.t.Errorf("%d copies in Sent Items, want 1", n)
		}
		page, _ := to.Messages(store.InboxFolder, store.MessageQuery{Keep: func(m *store.Message) bool { return m.Subject == "sent one" }})
		if len(page.Items) != 1 || page.Items[0].Read || page.Items[0].From.Address != b.me.User().SMTP {
			b.t.Errorf("delivered: %+v", page.Items)
		}
	}},
	{19, "D", "keeps no copy when told so", func(b *bench) {
		b.post("/me/sendMail", b.mail("sent two", "someone@fabrikam.test", map[string]any{"saveToSentItems": false})).ok(b, 202)
		if n := b.inFolder("sentitems", "sent two"); n != 0 {
			b.t.Errorf("%d copies in Sent Items, want none", n)
		}
	}},
	{20, "D", "sends a draft", func(b *bench) {
		id := b.draft(map[string]any{"subject": "sent three", "toRecipients": []any{recipient("someone@fabrikam.test")}})
		b.post("/me/messages/"+id+"/send", nil).ok(b, 202)
		if b.inFolder("sentitems", "sent three") != 1 || b.inFolder("drafts", "sent three") != 0 {
			b.t.Errorf("it did not move to Sent Items")
		}
	}},
	{21, "D", "takes a comment or a body for a reply, not both", func(b *bench) {
		body := map[string]any{"comment": "c", "message": map[string]any{"body": map[string]any{"contentType": "text", "content": "b"}}}
		if r := b.post("/me/messages/"+b.firstMessage()["id"].(string)+"/reply", body); r.status != 400 {
			b.t.Errorf("status %d, want 400", r.status)
		}
	}},
	{22, "D", "wants the recipients of a forward exactly once", func(b *bench) {
		path := "/me/messages/" + b.firstMessage()["id"].(string) + "/forward"
		to := []any{recipient("a@fabrikam.test")}
		for _, body := range []map[string]any{{"comment": "c"}, {"toRecipients": to, "message": map[string]any{"toRecipients": to}}} {
			if r := b.post(path, body); r.status != 400 {
				b.t.Errorf("%v: status %d, want 400", body, r.status)
			}
		}
		b.post(path, map[string]any{"comment": "c", "toRecipients": to}).ok(b, 202)
	}},
	{23, "D", "drafts a reply to the sender or replyTo", func(b *bench) {
		m := b.firstMessage()
		r := b.post("/me/messages/"+m["id"].(string)+"/createReply", nil).ok(b, 201)
		want := m["from"]
		if list := m["replyTo"].([]any); len(list) > 0 {
			want = list[0]
		}
		got := r.body["toRecipients"].([]any)
		if !strings.HasPrefix(r.text("subject"), "RE: ") || len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) || r.text("conversationId") != m["conversationId"] {
			b.t.Errorf("subject %q, to %v, want %v", r.text("subject"), got, want)
		}
	}},
	{24, "D", "moves a message: new id, old one gone", func(b *bench) {
		id := b.draft(nil)
		r := b.post("/me/messages/"+id+"/move", map[string]any{"destinationId": "deleteditems"}).ok(b, 201)
		if r.text("id") == id || r.text("id") == "" {
			b.t.Errorf("the id did not change")
		}
		b.get("/me/messages/"+id).refused(b, 404, "ErrorItemNotFound")
		b.get("/me/messages/"+r.text("id")).ok(b, 200)
	}},
	{25, "D", "keeps the immutable id through a move, and says that it was honoured", func(b *bench) {
		immutable := []string{"Prefer", `IdType="ImmutableId"`}
		r := b.post("/me/messages", map[string]any{"subject": "x"}, immutable...).ok(b, 201)
		id := r.text("id")
		moved := b.post("/me/messages/"+id+"/move", map[string]any{"destinationId": "archive"}, immutable...).ok(b, 201)
		if moved.text("id") != id || len(id) != 72 || !strings.HasPrefix(id, "AAkA") {
			b.t.Errorf("id %q became %q", id, moved.text("id"))
		}
		if got := moved.header.Get("Preference-Applied"); got != `IdType="ImmutableId"` {
			b.t.Errorf("Preference-Applied %q", got)
		}
	}},
	{26, "D", "copies a message", func(b *bench) {
		id := b.draft(nil)
		copied := b.post("/me/messages/"+id+"/copy", map[string]any{"destinationId": "inbox"}).ok(b, 201).text("id")
		b.get("/me/messages/"+id).ok(b, 200)
		b.get("/me/messages/"+copied).ok(b, 200)
	}},
	{32, "C", "refuses a second folder of a name", func(b *bench) {
		b.post("/me/mailFolders", map[string]any{"displayName": "twice"}).ok(b, 201)
		b.post("/me/mailFolders", map[string]any{"displayName": "twice"}).refused(b, 409, "ErrorFolderExists")
	}},
	{34, "D", "deletes a folder of the user, not a well-known one", func(b *bench) {
		id := b.post("/me/mailFolders", map[string]any{"displayName": "gone"}).ok(b, 201).text("id")
		b.do("DELETE", "/me/mailFolders/"+id, nil).ok(b, 204)
		b.get("/me/mailFolders/"+id).refused(b, 404, "ErrorItemNotFound")
		b.do("DELETE", "/me/mailFolders/inbox", nil).refused(b, 403, "ErrorDeleteDistinguishedFolder")
	}},
	{35, "D", "takes an attachment of 2.9 MB and refuses 5 MB", func(b *bench) {
		id := b.draft(nil)
		file := func(n int) map[string]any {
			return map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "f.bin", "contentBytes": base64.StdEncoding.EncodeToString(make([]byte, n))}
		}
		b.post("/me/messages/"+id+"/attachments", file(2_900_000)).ok(b, 201)
		if r := b.post("/me/messages/"+id+"/attachments", file(5_000_000)); r.status != 413 {
			b.t.Errorf("status %d, want 413", r.status)
		}
	}},
	{36, "I", "opens no upload session for a small file", func(b *bench) {
		b.post("/me/messages/"+b.draft(nil)+"/attachments/createUploadSession", upload(1<<20)).refused(b, 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
	}},
	{37, "D", "takes a large file in ranges", func(b *bench) {
		id := b.draft(nil)
		size := 5 << 20
		s := b.post("/me/messages/"+id+"/attachments/createUploadSession", upload(size)).ok(b, 201)
		put := func(from, to int) reply {
			r := httptest.NewRequest("PUT", s.text("uploadUrl"), strings.NewReader(strings.Repeat("x", to-from+1)))
			r.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
			return b.serve(b.service.Uploads(), r)
		}
		half := 3 << 20
		if r := put(0, half-1).ok(b, 200); fmt.Sprint(r.body["NextExpectedRanges"]) != fmt.Sprintf("[%d]", half) {
			b.t.Errorf("%s", r.raw)
		}
		if r := put(0, half-1); r.status != 416 {
			b.t.Errorf("a repeated range got %d, want 416", r.status)
		}
		if r := put(half, size-1).ok(b, 201); r.header.Get("Location") == "" || r.raw != "" {
			b.t.Errorf("Location %q, body %q", r.header.Get("Location"), r.raw)
		}
		if m := b.get("/me/messages/" + id); m.body["hasAttachments"] != true {
			b.t.Errorf("hasAttachments %v", m.body["hasAttachments"])
		}
		r := httptest.NewRequest("GET", s.text("uploadUrl"), nil)
		r.Header.Set("Authorization", "Bearer x")
		b.serve(b.service.Uploads(), r).refused(b, 401, "InvalidAuthenticationToken")
	}},
	{39, "D", "names bad base64 of MIME", func(b *bench) {
		b.do("POST", "/me/messages", "%%%", "Content-Type", "text/plain").refused(b, 400, "ErrorMimeContentInvalidBase64String")
	}},
	{40, "D", "wants a start with a due date", func(b *bench) {
		flag := map[string]any{"flag": map[string]any{"flagStatus": "flagged", "dueDateTime": map[string]any{"dateTime": "2026-03-10T10:00:00", "timeZone": "UTC"}}}
		if r := b.do("PATCH", "/me/messages/"+b.firstMessage()["id"].(string), flag); r.status != 400 {
			b.t.Errorf("status %d, want 400", r.status)
		}
	}},
}

func upload(size int) map[string]any {
	return map[string]any{"AttachmentItem": map[string]any{"attachmentType": "file", "name": "big.bin", "size": size}}
}
