package graph_test

import (
	"testing"

	"cutover/harness/lab/store"
)

// A list that is asked again is answered from memory while nothing was written.
func TestAListThatIsAskedAgainShowsEveryWriteInBetween(t *testing.T) {
	b := newBench(t)
	const inbox, drafts = "/me/mailFolders/inbox/messages?$top=5&$count=true", "/me/mailFolders/drafts/messages?$top=5&$count=true&$select=subject"
	id := b.get(inbox).values()[0]["id"].(string)
	var folder, draft string
	for _, row := range []struct {
		it    string
		write func()
	}{
		{"shows a draft", func() { draft = b.draft(map[string]any{"subject": "one"}) }},
		{"shows a changed subject", func() {
			b.do("PATCH", "/me/messages/"+draft, map[string]any{"subject": "two"}).ok(b, 200)
		}},
		{"shows what was read", func() {
			b.do("PATCH", "/me/messages/"+id, map[string]any{"isRead": false, "categories": []string{"x"}}).ok(b, 200)
		}},
		{"shows a new attachment", func() {
			b.post("/me/messages/"+draft+"/attachments", map[string]any{"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": "YQ=="}).ok(b, 201)
		}},
		{"shows what arrived", func() {
			b.post("/me/sendMail", map[string]any{"message": map[string]any{"subject": "x", "toRecipients": []any{map[string]any{"emailAddress": map[string]any{"address": b.me.User().SMTP}}}}}).ok(b, 202)
		}},
		{"shows a copy", func() { b.post("/me/messages/"+id+"/copy", map[string]any{"destinationId": "inbox"}).ok(b, 201) }},
		{"misses what was moved away", func() {
			folder = b.post("/me/mailFolders", map[string]any{"displayName": "f"}).ok(b, 201).text("id")
			b.post("/me/messages/"+id+"/move", map[string]any{"destinationId": folder}).ok(b, 201)
		}},
		{"misses what was deleted", func() { b.do("DELETE", "/me/messages/"+draft, nil).ok(b, 204) }},
		{"has the ids of after a move of the mailbox", func() { moveMailbox(b) }},
	} {
		for _, path := range []string{inbox, drafts, "/me/messages?$top=50&$select=id,isRead"} {
			b.get(path).ok(b, 200)
		}
		row.write()
		for _, path := range []string{inbox, drafts, "/me/messages?$top=50&$select=id,isRead"} {
			anew := b.get(path, "Prefer", "outlook.allow-unsafe-html").ok(b, 200).raw // a preference asks the store anew
			first, second := b.get(path).raw, b.get(path).raw
			if first != anew || second != anew {
				t.Errorf("%s: %s is not what is there:\n%.300s\n%.300s", row.it, path, first, anew)
			}
		}
	}
}

func moveMailbox(b *bench) {
	b.t.Helper()
	if err := b.store.Move(b.me.User().UPN, b.me.Location(), store.MoveOptions{NewIDs: true}); err != nil {
		b.t.Fatal(err)
	}
}
