package guard_test

import (
	"testing"

	"cutover/harness/wire"
)

// The requests below say nothing of what they touch: URL and body do.
func TestNothingIsTouchedThatTheRunDidNotMake(t *testing.T) {
	own := listen(t, true)
	p := through(t, own, real(t, own, agreed(t, "operations: [read, create, change, delete, mail, inbox-rules]")))
	batch := func(method, url string) string {
		return `{"requests":[{"id":"1","url":"` + url + `","method":"` + method + `","body":{"subject":"x"}}]}`
	}
	for _, test := range []struct{ name, method, url, body, rule string }{
		{"refuses an attachment to somebody's message", "POST", "/me/messages/theirs/attachments", `{"name":"x"}`, "not ours"},
		{"lets an attachment to a message of its own through", "POST", "/me/messages/mine/attachments", `{"name":"x"}`, ""},
		{"refuses an action that nobody has heard of", "POST", "/me/events/theirs/frobnicate", `{}`, "not ours"},
		{"refuses a POST to the item itself", "POST", "/me/messages/theirs/", `{}`, "not ours"},
		{"reads keys in parentheses", "POST", "/me/Messages('theirs')/attachments", `{}`, "not ours"},
		{"reads escapes", "POST", "/me/%6dessages/theirs/attachments", `{}`, "not ours"},
		{"lets a draft be made that answers somebody", "POST", "/me/messages/theirs/createReply", `{}`, ""},
		{"lets a folder be filled", "POST", "/me/mailFolders/theirs/messages", `{"subject":"x"}`, ""},
		{"refuses to remove a folder", "DELETE", "/me/mailFolders/theirs", ``, "not ours"},
		{"removes its own item from somebody's folder", "DELETE", "/me/mailFolders/theirs/messages/mine", ``, ""},
		{"refuses what is unknown below somebody's folder", "DELETE", "/me/mailFolders/theirs/things/mine", ``, "not ours"},
		{"refuses a change to a whole collection", "DELETE", "/me/messages", ``, "not ours"},
		{"refuses a change to the mailbox itself", "PUT", "/me/photo/$value", `x`, "not ours"},
		{"leaves a rule to its operation", "PATCH", "/me/mailFolders/inbox/messageRules/1", `{"isEnabled":false}`, ""},
		{"refuses a deletion in a batch", "POST", "/$batch", batch("DELETE", "/me/messages/theirs"), "not ours"},
		{"refuses a change in a batch without a slash", "POST", "/$batch", batch("patch", "me/contacts/theirs"), "not ours"},
		{"lets its own item be deleted in a batch", "POST", "/$batch", batch("DELETE", "/me/messages/mine"), ""},
		{"refuses the second of two addresses of a part", "POST", "/$batch", `{"requests":[{"id":"1","url":"/me/messages/theirs","url":"/me/messages/mine","method":"DELETE"}]}`, "not ours"},
		{"reads a batch in another spelling", "POST", "/%24batch", batch("DELETE", "/me/messages/theirs"), "not ours"},
		{"refuses ids in a SOAP body", "POST", "/EWS/Exchange.asmx", `<m:DeleteItem xmlns:m="m" xmlns:t="t" DeleteType="HardDelete" SendMeetingCancellations="SendToNone"><t:ItemId Id="theirs"/></m:DeleteItem>`, "not ours"},
		{"lets its own id in a SOAP body through", "POST", "/EWS/Exchange.asmx", `<m:DeleteItem xmlns:m="m" xmlns:t="t" DeleteType="HardDelete" SendMeetingCancellations="SendToNone"><t:ItemId Id="mine"/></m:DeleteItem>`, ""},
		{"knows SOAP by its body too", "POST", "/somewhere", `<m:DeleteItem xmlns:m="m" xmlns:t="t" SendMeetingCancellations="SendToNone"><t:ItemId Id="theirs"/></m:DeleteItem>`, "not ours"},
	} {
		t.Run("it "+test.name, func(t *testing.T) {
			before := len(own.reached())
			req := &wire.Request{Method: test.method, URL: root + test.url, Effect: wire.Effect{Writes: true}, Body: []byte(test.body), Mailbox: "ann"}
			if got := rule(t, p, req); got != test.rule {
				t.Errorf("rule = %q, want %q", got, test.rule)
			}
			if sent := len(own.reached()) - before; (sent == 1) != (test.rule == "") {
				t.Errorf("requests that reached the server: %d", sent)
			}
		})
	}
}
