package request_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/request"
	"cutover/harness/wire"
)

// effectOf is what a SOAP request in a path's own words does.
func effectOf(t *testing.T, body string, reads bool) wire.Effect {
	t.Helper()
	q := request.Question{Method: "POST", URL: "/EWS/Exchange.asmx", Raw: []byte(body), Reads: reads}
	made, err := request.Verbatim(request.Description{Root: "https://mail.test/api/v2.0"}, q)
	if err != nil {
		t.Fatal(err)
	}
	var req wire.Request
	if err := made.Build(nothing{}, &req); err != nil {
		t.Fatal(err)
	}
	if len(req.Effect.Recipients) == 0 {
		req.Effect.Recipients = nil
	}
	return req.Effect
}

type nothing struct{}

func (nothing) Lookup(string) (string, bool) { return "", false }

func TestASOAPRequestIsJudgedByItsOperation(t *testing.T) {
	soap := func(body string) string {
		return `<s:Envelope xmlns:s="s" xmlns:m="m" xmlns:t="t"><s:Header/><s:Body>` + body + `</s:Body></s:Envelope>`
	}
	person := `<t:EmailAddress>x@y.test</t:EmailAddress>`
	for _, row := range []struct {
		it, body string
		reads    bool // the suite says so
		want     wire.Effect
	}{
		{"reads when it finds", soap(`<m:FindItem Traversal="Shallow"/>`), false, wire.Effect{}},
		{"reads when it gets", soap(`<m:GetItem/>`), false, wire.Effect{}},
		{"looks elsewhere when it searches for discovery", soap(`<m:SearchMailboxes/>`), true, wire.Effect{Writes: true}},
		{"writes when it deletes, whatever the suite says", soap(`<m:DeleteItem SendMeetingCancellations="SendToNone"/>`), true, wire.Effect{Writes: true, Deletes: true}},
		{"is not deceived by a comment", soap(`<!-- <m:GetItem> --><m:DeleteItem SendMeetingCancellations="SendToNone"/>`), true, wire.Effect{Writes: true, Deletes: true}},
		{"is not deceived by a second operation", soap(`<m:GetItem/><m:DeleteItem/>`), true, wire.Effect{Writes: true}},
		{"is not deceived by an end that is missing", `<s:Envelope xmlns:s="s"><s:Body><m:GetItem/>`, true, wire.Effect{Writes: true}},
		{"mails to whom it names", soap(`<m:CreateItem MessageDisposition="SendOnly">` + person + `</m:CreateItem>`), false, wire.Effect{Writes: true, Creates: "item", Mails: true, Recipients: []string{"x@y.test"}}},
		{"saves without mailing", soap(`<m:CreateItem MessageDisposition="SaveOnly">` + person + `</m:CreateItem>`), false, wire.Effect{Writes: true, Creates: "item"}},
		{"invites although it only saves", soap(`<m:CreateItem MessageDisposition="SaveOnly" SendMeetingInvitations="SendToAllAndSaveCopy">` + person + `</m:CreateItem>`), false,
			wire.Effect{Writes: true, Creates: "item", Mails: true, Recipients: []string{"x@y.test"}}},
		{"mails a stored item's recipients", soap(`<m:UpdateItem MessageDisposition="SendAndSaveCopy"/>`), false, wire.Effect{Writes: true, Mails: true, StoredRecipients: true}},
		{"believes the suite about what is no SOAP", `<search/>`, true, wire.Effect{}},
		{"takes what is no SOAP for a write otherwise", `<search/>`, false, wire.Effect{Writes: true}},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			if diff := cmp.Diff(row.want, effectOf(t, row.body, row.reads)); diff != "" {
				t.Errorf("effect (-want +got)\n%s", diff)
			}
		})
	}
}
