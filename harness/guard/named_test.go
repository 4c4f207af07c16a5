package guard_test

import (
	"fmt"
	"testing"

	"cutover/harness/consent"
	"cutover/harness/wire"
)

// lasting are writes that outlast the run or reach others, by the operation that a consent
// must name for each.
var lasting = []struct {
	op                consent.Operation
	method, url, body string
}{
	{consent.Rules, "POST", "/v1.0/me/mailFolders/inbox/messageRules", `{"actions":{"forwardTo":[{"emailAddress":{"address":"ann@contoso.test"}}]}}`},
	{consent.Rules, "POST", "/EWS/Exchange.asmx", soap(`<m:UpdateInboxRules/>`)},
	{consent.AutoReply, "PATCH", "/v1.0/me/mailboxSettings", `{"automaticRepliesSetting":{"status":"alwaysEnabled"}}`},
	{consent.AutoReply, "POST", "/EWS/Exchange.asmx", soap(`<m:SetUserOofSettingsRequest/>`)},
	{consent.Delegates, "POST", "/EWS/Exchange.asmx", soap(`<m:AddDelegate><t:PrimarySmtpAddress>ann@contoso.test</t:PrimarySmtpAddress></m:AddDelegate>`)},
	{consent.Delegates, "POST", "/EWS/Exchange.asmx", soap(`<m:UpdateDelegate/>`)},
	{consent.Sharing, "POST", "/v1.0/me/calendar/calendarPermissions", `{"emailAddress":{"address":"ann@contoso.test"},"role":"read"}`},
	{consent.Sharing, "PATCH", "/v1.0/me/calendars/mine/calendarPermissions/1", `{"role":"write"}`},
	{consent.Webhooks, "POST", "/v1.0/subscriptions", `{"notificationUrl":"https://graph.contoso.test/hook","resource":"me/messages"}`},
	{consent.Webhooks, "POST", "/EWS/Exchange.asmx", soap(`<m:Subscribe><m:PushSubscriptionRequest><t:URL>https://graph.contoso.test/</t:URL></m:PushSubscriptionRequest></m:Subscribe>`)},
	{consent.Lists, "POST", "/v1.0/groups/6f1d3c1e/members/$ref", `{"@odata.id":"https://graph.contoso.test/v1.0/directoryObjects/1"}`},
	{consent.Lists, "POST", "/v1.0/groups", `{"displayName":"x"}`},
}

func TestWhatOutlastsTheRunNeedsAnOperationOfItsOwn(t *testing.T) {
	own := listen(t, true)
	const usual = "operations: [read, create, change, delete, mail"
	for _, row := range lasting {
		body := []byte(row.body)
		batch := fmt.Appendf(nil, `{"requests":[{"id":"1","method":%q,"url":%q,"body":%s}]}`, row.method, row.url[len("/v1.0"):], row.body)
		requests := map[string]*wire.Request{"by itself": {Method: row.method, URL: "https://mail.contoso.test" + row.url, Body: body}}
		if row.body[0] == '{' {
			requests["in a batch"] = &wire.Request{Method: "POST", URL: root + "/$batch", Body: batch}
		}
		for how, req := range requests {
			for consented, want := range map[string]string{usual + "]": "operation", usual + ", " + string(row.op) + "]": ""} {
				for _, said := range []wire.Effect{{Writes: true}, {}} { // and what the suite says
					if how == "in a batch" && !said.Writes {
						continue // refused as a batch that writes and says it reads
					}
					before := len(own.reached())
					req.Mailbox, req.Effect = "ann", said
					got := rule(t, through(t, own, real(t, own, agreed(t, consented))), req)
					if sent := len(own.reached()) - before; got != want || (sent == 1) != (want == "") {
						t.Errorf("%s %s %s, with %s, said to write: %t: rule %q, %d sent, want %q", row.method, row.url, how, consented, said.Writes, got, sent, want)
					}
				}
			}
		}
	}
}
