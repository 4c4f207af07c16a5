package guard_test

import (
	"testing"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

func soap(body string) string {
	return `<s:Envelope xmlns:s="s" xmlns:m="m" xmlns:t="t"><s:Body>` + body + `</s:Body></s:Envelope>`
}

// deceit is a request of a suite that says less than it does.
type deceit struct {
	name, method, url, body, rule string
	effect                        wire.Effect
}

var reads = wire.Effect{} // what `reads: true` makes of a request

var deceits = []deceit{
	{"takes a mail that is called a read for a mail", "POST", "/v1.0/me/sendMail", `{"message":{"toRecipients":[{"emailAddress":{"address":"ann@contoso.test"}}]}}`, "operation", reads},
	{"takes a creation that is called a read for a write", "POST", "/v1.0/me/messages", `{"subject":"x"}`, "operation", reads},
	{"takes an unknown action in a mailbox for a write", "POST", "/v1.0/users/ann@contoso.test/frobnicate", `{}`, "operation", reads},
	{"takes a method that it does not know for a write", "MERGE", "/v1.0/me", `{}`, "operation", reads},
	{"believes in reading what asks", "POST", "/v1.0/me/calendar/getSchedule", `{"schedules":["ann@contoso.test"]}`, "", reads},
	{"believes a suite about what is no mailbox", "POST", "/find", `{"q":"x"}`, "", reads},
	{"reads SOAP that finds", "POST", "/EWS/Exchange.asmx", soap(`<m:FindItem/>`), "", reads},
	{"takes SOAP that deletes for a write", "POST", "/EWS/Exchange.asmx", soap(`<!-- <m:GetItem> --><m:DeleteItem/>`), "operation", reads},
	{"takes SOAP behind another door for a write", "POST", "/gate", soap(`<m:DeleteItem/>`), "operation", reads},
	{"takes SOAP that cannot be read for a write", "POST", "/EWS/Exchange.asmx", `<s:Envelope><s:Body><m:GetItem/>`, "operation", reads},

	{"refuses a mailbox that goes by its id", "GET", "/v1.0/users/6f1d3c1e-0000-4000-8000-000000000001/messages", ``, "mailbox", reads},
	{"refuses one in parentheses", "GET", "/v1.0/Users('6f1d3c1e')/messages", ``, "mailbox", reads},
	{"refuses one in a batch", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/users/6f1d3c1e/messages"}]}`, "mailbox", reads},
	{"refuses the mailbox of a group", "GET", "/v1.0/groups/6f1d3c1e/threads", ``, "mailbox", reads},
	{"leaves the users of another service alone", "GET", "/api/v1/users/42", ``, "", reads},
	{"refuses to ask when a stranger is free", "POST", "/v1.0/me/calendar/getSchedule", `{"schedules":["ceo@contoso.test"]}`, "mailbox", reads},
	{"refuses to ask EWS about a stranger", "POST", "/EWS/Exchange.asmx", soap(`<m:FindItem><t:Mailbox><t:EmailAddress>ceo@contoso.test</t:EmailAddress></t:Mailbox></m:FindItem>`), "mailbox", reads},
	{"refuses to impersonate a stranger", "POST", "/EWS/Exchange.asmx",
		`<s:Envelope xmlns:s="s" xmlns:t="t"><s:Header><t:ExchangeImpersonation><t:ConnectingSID><t:PrincipalName>ceo@contoso.test</t:PrincipalName></t:ConnectingSID></t:ExchangeImpersonation></s:Header><s:Body><m:GetItem xmlns:m="m"/></s:Body></s:Envelope>`, "mailbox", reads},

	{"refuses a way up", "GET", "/v1.0/me/messages/mine/../../../users/x/messages", ``, "host", reads},
	{"refuses a way up in escapes", "GET", "/v1.0/me/messages/%2e%2E/contacts", ``, "host", reads},
	{"refuses a way up in escaped escapes", "GET", "/v1.0/me/messages/%252e%252e/contacts", ``, "host", reads},
	{"refuses a way up behind a backslash", "GET", "/v1.0/me/messages/x%5c..%5ccontacts", ``, "host", reads},
	{"refuses a way up with a parameter", "GET", "/v1.0/me/messages/..;a=b/contacts", ``, "host", reads},
	{"leaves dots in names alone", "GET", "/v1.0/me/messages/..a.b..", ``, "", reads},
}

var changes = []deceit{
	{"refuses a deletion across an escaped slash", "POST", "/v1.0/me/messages%2Ftheirs/attachments", `{"name":"x"}`, "not ours", wire.Effect{Writes: true}},
	{"refuses a batch that ends in a slash", "POST", "/v1.0/$batch/", `{"requests":[{"id":"1","method":"DELETE","url":"/me/messages/theirs"}]}`, "not ours", wire.Effect{Writes: true}},
	{"refuses a part that climbs", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"DELETE","url":"/me/messages/mine/../theirs"}]}`, "recipient", wire.Effect{Writes: true}},
	{"refuses a part with a host of its own", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"DELETE","url":"https://evil.test/me/messages/theirs"}]}`, "recipient", wire.Effect{Writes: true}},
	{"refuses a part that cancels a meeting, whoever another part names", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"DELETE","url":"/me/events/mine?x=1"}]}`, "recipient", wire.Effect{Writes: true, Mails: true, Recipients: []string{"ann@contoso.test"}}},
	{"refuses a part that changes one occurrence", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"patch","url":"me/Events('mine')/instances/mine","body":{}}]}`, "recipient", wire.Effect{Writes: true, Mails: true, Recipients: []string{"ann@contoso.test"}}},
	{"refuses a batch in parts of MIME", "POST", "/v1.0/$batch", "--b\r\nContent-Type: application/http\r\n\r\nDELETE /me/messages/theirs HTTP/1.1\r\n\r\n--b--", "recipient", wire.Effect{Writes: true}},
	{"refuses to empty a folder by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:EmptyFolder DeleteType="HardDelete"><m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:EmptyFolder>`), "not ours", wire.Effect{Writes: true}},
	{"refuses to delete somebody's folder by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:DeleteFolder><m:FolderIds><t:FolderId Id="theirs"/></m:FolderIds></m:DeleteFolder>`), "not ours", wire.Effect{Writes: true}},
	{"moves its own folder into somebody's by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:MoveFolder><m:ToFolderId><t:DistinguishedFolderId Id="inbox"/></m:ToFolderId><m:FolderIds><t:FolderId Id="mine"/></m:FolderIds></m:MoveFolder>`), "", wire.Effect{Writes: true}},
	{"puts an item into somebody's folder by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:CreateItem MessageDisposition="SaveOnly"><m:SavedItemFolderId><t:DistinguishedFolderId Id="drafts"/></m:SavedItemFolderId></m:CreateItem>`), "", wire.Effect{Writes: true, Creates: "item"}},
	{"refuses to delete somebody's attachment by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:DeleteAttachment><t:AttachmentId Id="theirs"/></m:DeleteAttachment>`), "not ours", wire.Effect{Writes: true}},
	{"refuses a SOAP operation that nobody has heard of", "POST", "/EWS/Exchange.asmx", soap(`<m:MarkAllItemsAsRead/>`), "not ours", wire.Effect{Writes: true}},
	{"refuses the second of two SOAP operations", "POST", "/EWS/Exchange.asmx", soap(`<m:GetItem/><m:ApplyConversationAction/>`), "not ours", wire.Effect{Writes: true}},
	{"refuses to send what lies in the drafts by SOAP", "POST", "/EWS/Exchange.asmx", soap(`<m:UpdateItem MessageDisposition="SendOnly"><t:ItemId Id="mine"/></m:UpdateItem>`), "recipient", wire.Effect{Writes: true}},
	{"reads an address around a comment", "POST", "/EWS/Exchange.asmx", soap(`<m:CreateItem><t:Value>x@<!-- -->y.test</t:Value></m:CreateItem>`), "recipient", wire.Effect{Writes: true, Creates: "item"}},
	{"reads an address around a section", "POST", "/EWS/Exchange.asmx", soap(`<m:CreateItem><t:Value>x<![CDATA[@y]]>.test</t:Value></m:CreateItem>`), "recipient", wire.Effect{Writes: true, Creates: "item"}},
	{"refuses MIME in letters that cannot be read", "POST", "/v1.0/me/sendMail", base64Of("To: =?utf-7?Q?x+AEA-y.test?=\r\n\r\nbody"), "recipient", mails},
	{"lets nobody hide behind the end of a friend's name", "POST", "/v1.0/me/sendMail", base64Of("To: evil'ann@contoso.test\r\n\r\nbody"), "recipient", mails},
	{"nor in quotes", "POST", "/v1.0/me/sendMail", base64Of("To: \"ceo\"@contoso.test\r\n\r\nbody"), "recipient", mails},
	{"nor in quotes in a mail that only a lenient server reads", "POST", "/v1.0/me/sendMail", base64Of("To: \"ceo\"@contoso.test\r\nnonsense\r\n\r\nbody"), "recipient", mails},
	{"nor behind a slash", "POST", "/v1.0/me/sendMail", base64Of("To: evil/ann@contoso.test\r\n\r\nbody"), "recipient", mails},
	{"nor where addresses are only mentioned", "POST", "/v1.0/me/messages", `{"x":"evil'ann@contoso.test"}`, "recipient", wire.Effect{Writes: true, Creates: "message"}},
	{"lets quotes stand around a friend's address", "POST", "/v1.0/me/messages", `{"x":"users('ann@contoso.test')"}`, "", wire.Effect{Writes: true, Creates: "message"}},
	{"reads a name among recipients", "POST", "/v1.0/me/sendMail", `{"message":{"toRecipients":[{"emailAddress":{"name":"x@y.test"}}]}}`, "recipient", mails},
	{"refuses a webhook to the server itself", "POST", "/v1.0/subscriptions", `{"notificationUrl":"https://localhost/hook"}`, "webhook", wire.Effect{Writes: true}},
	{"refuses to change a meeting whose guests were not read", "PATCH", "/v1.0/me/events/mine", `{"subject":"x"}`, "recipient", wire.Effect{Writes: true, Target: "mine"}},
	{"refuses to delete a meeting whose guests were not read", "DELETE", "/v1.0/me/calendar/events/mine", ``, "recipient", wire.Effect{Deletes: true, Target: "mine"}},
	{"refuses to change an occurrence whose guests were not read", "PATCH", "/v1.0/me/events/mine/instances/x", `{"subject":"x"}`, "recipient", wire.Effect{Writes: true}},
	{"deletes a meeting that nobody was invited to", "DELETE", "/v1.0/me/events/mine", ``, "", wire.Effect{Deletes: true, Target: "mine", Known: true}},
	{"refuses to delete a meeting with a guest from elsewhere", "DELETE", "/v1.0/me/events/mine", ``, "recipient", wire.Effect{Deletes: true, Target: "mine", Known: true, Recipients: []string{"x@y.test"}}},
	{"deletes a meeting whose guests are all on the list", "DELETE", "/v1.0/me/events/mine", ``, "", wire.Effect{Deletes: true, Target: "mine", Known: true, Recipients: []string{"ann@contoso.test"}}},
}

func TestWhatARequestShowsCountsNotWhatIsSaidAboutIt(t *testing.T) {
	own := listen(t, true)
	deceive(t, own, deceits, real(t, own, agreed(t, "operations: [read]")))
	batch := func(method, url string) string {
		return `{"requests":[{"id":"1","method":"` + method + `","url":"` + url + `","body":{"subject":"x"}}]}`
	}
	said := wire.Effect{Writes: true}
	deceive(t, own, []deceit{
		{"wants the deletion in a batch consented to", "POST", "/v1.0/$batch", batch("DELETE", "/me/messages/mine"), "operation", said},
		{"wants the creation in a batch consented to", "POST", "/v1.0/$batch", batch("POST", "/me/messages"), "operation", said},
		{"wants the mail in a batch consented to", "POST", "/v1.0/$batch", batch("POST", "/me/sendMail"), "operation", said},
		{"lets the change in a batch through", "POST", "/v1.0/$batch", batch("PATCH", "/me/messages/mine"), "", said},
	}, real(t, own, agreed(t, "operations: [read, change]")))
	deceive(t, own, changes, real(t, own, agreed(t, "operations: [read, create, change, delete, mail, webhooks]")))
}

func deceive(t *testing.T, own *sink, rows []deceit, rules guard.Rules) {
	p := through(t, own, rules)
	for _, row := range rows {
		t.Run("it "+row.name, func(t *testing.T) {
			before := len(own.reached())
			req := &wire.Request{Method: row.method, URL: "https://mail.contoso.test" + row.url, Effect: row.effect, Body: []byte(row.body), Mailbox: "ann"}
			if got := rule(t, p, req); got != row.rule {
				t.Errorf("rule = %q, want %q", got, row.rule)
			}
			if sent := len(own.reached()) - before; (sent == 1) != (row.rule == "") {
				t.Errorf("requests that reached the server: %d", sent)
			}
		})
	}
}

// TestTheDirectoryOfACloudIsNotWrittenTo needs no server: every request is refused.
func TestTheDirectoryOfACloudIsNotWrittenTo(t *testing.T) {
	c := agreed(t, "hosts: [graph.microsoft.com]", "operations: [read, create, change, delete, distribution-lists]")
	d := door(t, guard.Rules{Consent: c, AllowWrite: true, Hosts: map[string][]string{"cloud": {"graph.microsoft.com:443"}}, Resolve: map[string]string{"graph.microsoft.com:443": "224.0.0.1:443"}})
	p := path(t, d, "cloud")
	for _, row := range []struct{ it, method, path, body, rule string }{
		{"makes no user", "POST", "/v1.0/users", `{}`, "not ours"},
		{"changes no user", "PATCH", "/v1.0/users/ann@contoso.test", `{}`, "not ours"},
		{"removes no application", "DELETE", "/v1.0/applications/1", ``, "not ours"},
		{"does neither in a batch", "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"PATCH","url":"/organization/1","body":{}}]}`, "not ours"},
		{"may make a message", "POST", "/v1.0/users/ann@contoso.test/messages", `{}`, "address"}, // which leads to no server
	} {
		req := &wire.Request{Method: row.method, URL: "https://graph.microsoft.com" + row.path, Effect: wire.Effect{Writes: true}, Body: []byte(row.body)}
		if got := rule(t, p, req); got != row.rule {
			t.Errorf("it %s: rule = %q, want %q", row.it, got, row.rule)
		}
	}
}
