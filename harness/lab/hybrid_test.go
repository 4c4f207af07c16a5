package lab_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cutover/harness/lab"
)

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

const (
	preview      = " REST APIs for this mailbox are currently in preview. You can find more information about the preview REST APIs at https://dev.outlook.com/."
	notYet       = "REST API is not yet supported for this mailbox."
	hosted       = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
	unknownFirst = "The property 'subject' does not exist on type 'Microsoft.OutlookServices.Message'. Make sure to only use property names that are defined by the type or mark the type as open type."
	unknownType  = "A type named 'microsoft.graph.message' could not be resolved by the model. When a model is available, each type name must resolve to a valid type."
)

func TestGraphInFrontOfAnOnPremMailboxAnswersAsItsYearsDid(t *testing.T) {
	type row struct {
		name, proxy, caller, method, path, body string
		status                                  int
		code, message                           string
	}
	rows := []row{
		{"H5: before the preview it says that REST is not supported yet", "off2016", "user", "GET", "/me/messages", "", 404, "MailboxNotEnabledForRESTAPI", notYet},
		{"H5: whatever the token", "off2016", "app", "GET", "/users/UPN/messages", "", 404, "MailboxNotEnabledForRESTAPI", notYet},
		{"H6: today it names the three causes", "retired", "user", "GET", "/me/messages", "", 404, "MailboxNotEnabledForRESTAPI", hosted},
		{"H6: for an app-only token too", "retired", "app", "GET", "/users/UPN/mailFolders/inbox?$select=id", "", 404, "MailboxNotEnabledForRESTAPI", hosted},
		{"in the preview a user reads", "preview", "user", "GET", "/me/messages?$top=1", "", 200, "", ""},
		{"H4: in the preview an app-only token is refused without a word", "preview", "app", "GET", "/users/UPN/messages", "", 401, "UnknownError", ""},
		{"H1: what the server does not support has the preview sentence", "preview", "user", "GET", "/me/messages?$expand=singleValueExtendedProperties($filter=id%20eq%20'x')", "", 400, "ErrorInvalidRequest", "The OData request is not supported." + preview},
		{"delta is an unknown segment on-prem", "preview", "user", "GET", "/me/mailFolders/inbox/messages/delta", "", 400, "RequestBroker-ParseUri", "Resource not found for the segment 'delta'." + preview},
		{"getSchedule is an unknown action, under its full name", "preview", "user", "POST", "/me/calendar/getSchedule", `{"schedules":["a@b.test"],"startTime":{"dateTime":"2026-03-02T00:00:00","timeZone":"UTC"},"endTime":{"dateTime":"2026-03-03T00:00:00","timeZone":"UTC"}}`, 400, "RequestBroker-ParseUri", "Resource not found for the segment 'Microsoft.OutlookServices.getSchedule'." + preview},
		{"mailbox settings are not there", "preview", "user", "GET", "/me/mailboxSettings", "", 404, "MailboxNotEnabledForRESTAPI", notYet},
		{"a write is translated", "preview", "user", "POST", "/me/messages", `{"subject":"x"}`, 201, "", ""},
		{"H2: with writes broken its first property is refused", "writesBroken", "user", "POST", "/me/messages", `{"subject":"x","importance":"low"}`, 400, "RequestBodyRead", unknownFirst + preview},
		{"H3: with writes broken its type is refused", "writesBroken", "user", "POST", "/me/messages", `{"@odata.type":"microsoft.graph.message","subject":"x"}`, 400, "RequestBodyRead", unknownType + preview},
		{"with writes broken a user still reads", "writesBroken", "user", "GET", "/me/messages?$top=1", "", 200, "", ""},
		{"an unknown item keeps the server's own words", "preview", "user", "GET", "/me/messages/AAMkAGUx", "", 400, "ErrorInvalidIdMalformed", "Id is malformed." + preview},
		{"somebody else's mailbox stays closed", "preview", "user", "GET", "/users/OTHER/messages", "", 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."},
	}
	worlds := map[string]*world{}
	callers := map[string]map[string]string{}
	for _, mode := range lab.ProxyModes() {
		w := start(t, lab.Options{Proxy: mode})
		worlds[mode] = w
		callers[mode] = map[string]string{"user": w.onPremUser(), "app": w.app(0)}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			w := worlds[r.proxy]
			path := strings.NewReplacer("UPN", w.info.Pairs[0].OnPremUPN, "OTHER", w.info.Pairs[1].OnPremUPN).Replace(r.path)
			got := w.ask(callers[r.proxy][r.caller], r.method, w.info.Graph+path, r.body)
			if got.status != r.status || got.code != r.code || got.message != r.message {
				t.Errorf("got %d %s %q\nwant %d %s %q", got.status, got.code, got.message, r.status, r.code, r.message)
			}
		})
	}
}

func TestGraphOf2019KnowsNoOtherApisForAnOnPremUser(t *testing.T) {
	w := start(t, lab.Options{})
	user, past := w.onPremUser(), w.info.GraphEras["2019"]
	want := "The OData request is not supported." + preview
	for _, address := range []string{past + "/groups", strings.Replace(past, "/v1.0", "/beta", 1) + "/me/messages"} {
		if got := w.get(user, address); got.status != 400 || got.code != "ErrorInvalidRequest" || got.message != want {
			t.Errorf("%s: %d %s", address, got.status, got.body)
		}
	}
	got := w.ask(user, http.MethodPost, past+"/subscriptions", `{"changeType":"created"}`)
	if got.code != "ExtensionError" || got.message != "Operation: Create; Exception: [Status Code: NotFound; Reason: REST API is not yet supported for this mailbox.]" {
		t.Errorf("subscription: %d %s", got.status, got.body)
	}
	cloud := w.user(w.info.Pairs[0].CloudUPN, w.info.Pairs[0].CloudPassword, graphScope)
	if got := w.get(cloud, past+"/me/messages?$top=1"); got.status != 200 {
		t.Errorf("a cloud user: %d %s", got.status, got.body)
	}
}

func TestWithoutOAuthOnPremGraphCannotAuthenticate(t *testing.T) {
	w := start(t, lab.Options{Proxy: "preview", Misconfigure: []string{"oauth-off"}})
	w.refused(w.onPremUser(), "GET", w.info.Graph+"/me/messages", "", 401, "AuthenticationError", "Error authenticating with resource")
}

func TestTheFrontEndLogSaysWhyAnAppOnlyTokenWasRefused(t *testing.T) {
	w := start(t, lab.Options{})
	address := w.info.GraphEras["2019"] + "/users/" + w.info.Pairs[0].OnPremUPN + "/messages"
	got := w.get(w.app(0), address, "client-request-id", "probe-1")
	if got.status != 401 || got.code != "UnknownError" || got.header.Get("x-ms-diagnostics") != "" {
		t.Errorf("%d %s, diagnostics %q: the client sees nothing of them", got.status, got.body, got.header.Get("x-ms-diagnostics"))
	}
	const want = `2000001;reason="This token profile 'V1S2SAppOnly' is not applicable for the current protocol.";error_category="invalid_token"`
	entries := w.get("", w.info.Control+"/frontend-log?client-request-id=probe-1").doc["entries"].([]any)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	e := entries[0].(map[string]any)
	challenge := `Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@` + w.info.Tenant +
		`", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"`
	if e["x_ms_diagnostics"] != want || e["www_authenticate"] != challenge || e["token_kind"] != "V1S2SAppOnly" || e["status"] != 401.0 {
		t.Errorf("%v", e)
	}
	if got := w.lab.FrontEndSays("probe-1"); got != want {
		t.Errorf("FrontEndSays: %s", got)
	}
	if got := w.lab.FrontEndSays("another"); got != "" {
		t.Errorf("another call: %s", got)
	}
	w.get(w.onPremUser(), strings.Replace(address, "/users/"+w.info.Pairs[0].OnPremUPN, "/me", 1), "client-request-id", "probe-2")
	e = w.get("", w.info.Control+"/frontend-log?client-request-id=probe-2").doc["entries"].([]any)[0].(map[string]any)
	if e["status"] != 200.0 || e["token_kind"] != "V1S2SActAs" {
		t.Errorf("the same mailbox with a user's token: %v", e)
	}
}

func TestTheProxySaysOnPremAnswersInGraphsWords(t *testing.T) {
	w := start(t, lab.Options{Proxy: "preview"})
	user := w.onPremUser()
	ask := func(method, path, body string, status int) map[string]any {
		t.Helper()
		got := w.ask(user, method, w.info.Graph+path, body)
		if got.status != status {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
		return got.doc
	}
	list := ask("GET", "/me/messages?$top=7&$select=subject,importance,from", "", 200)
	m := values(list)[0]
	if m["subject"] == nil || m["Subject"] != nil || m["@odata.id"] != nil || m["importance"] != strings.ToLower(m["importance"].(string)) {
		t.Errorf("%v", m)
	}
	if c := list["@odata.context"].(string); !strings.HasPrefix(c, w.info.Graph+"/$metadata#users('") || !strings.HasSuffix(c, "/messages(subject,importance,from)") {
		t.Errorf("context %s", c)
	}
	next, err := url.Parse(list["@odata.nextLink"].(string))
	if err != nil || origin(next.String()) != origin(w.info.Graph) || next.Path != "/v1.0/me/messages" {
		t.Fatalf("next link %v", next)
	}
	if got := w.get(user, next.String()); got.status != 200 || len(values(got.doc)) != 7 {
		t.Errorf("next page: %d %s", got.status, got.body)
	}
	draft := ask("POST", "/me/messages", `{"subject":"Plan","importance":"high","body":{"contentType":"html","content":"<p>x</p>"},"toRecipients":[{"emailAddress":{"address":"a@b.test"}}]}`, 201)
	if draft["importance"] != "high" || draft["body"].(map[string]any)["contentType"] != "html" || draft["isDraft"] != true {
		t.Errorf("%v", draft)
	}
	id := draft["id"].(string)
	if got := ask("POST", "/me/messages/"+id+"/move", `{"destinationId":"archive"}`, 201); got["subject"] != "Plan" {
		t.Errorf("moved %v", got)
	}
	contact := ask("POST", "/me/contacts", `{"givenName":"Eva","mobilePhone":"1"}`, 201)
	if contact["mobilePhone"] != "1" || contact["MobilePhone1"] != nil || contact["mobilePhone1"] != nil {
		t.Errorf("%v", contact)
	}
	event := ask("POST", "/me/events", `{"subject":"e","start":{"dateTime":"2026-03-10T09:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-10T10:00:00","timeZone":"UTC"},
		"recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["tuesday"]},"range":{"type":"noEnd","startDate":"2026-03-10"}}}`, 201)
	if event["type"] != "seriesMaster" || event["iCalUId"] == nil || event["recurrence"].(map[string]any)["pattern"].(map[string]any)["daysOfWeek"].([]any)[0] != "tuesday" {
		t.Errorf("%v", event)
	}
	ask("DELETE", "/me/events/"+event["id"].(string), "", 204)
	if got := w.ask(user, http.MethodPost, w.info.Graph+"/me/messages", `{"subject":`); got.status != 400 {
		t.Errorf("broken JSON: %d %s", got.status, got.body)
	}
}

func TestAMailboxMovesWhileItIsServed(t *testing.T) {
	for _, keep := range []string{"kept", "new"} {
		w := start(t, lab.Options{MoveIDs: keep})
		upn := w.info.Pairs[0].OnPremUPN
		before := values(w.rest(0, http.MethodGet, "/me/messages?$top=1", "").doc)[0]["Id"].(string)
		app := w.app(0)
		autod := func() string {
			return w.get("", w.info.Autodiscover+"/autodiscover/autodiscover.json?Email="+upn+"&Protocol=EWS").header.Get("Location")
		}
		if !strings.HasPrefix(autod(), w.info.AutodiscoverOnPrem) {
			t.Errorf("before: %s", autod())
		}
		got := w.ask("", http.MethodPost, w.info.Control+"/move", `{"mailbox":"`+upn+`","to":"cloud"}`)
		if got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if autod() != "" {
			t.Errorf("after: %s", autod())
		}
		after := w.get(app, w.info.Graph+"/users/"+upn+"/messages?$top=1&$select=id")
		if after.status != 200 {
			t.Fatalf("%d %s", after.status, after.body)
		}
		if same := values(after.doc)[0]["id"] == before; same != (keep == "kept") {
			t.Errorf("ids %s, yet same = %v", keep, same)
		}
		if got := w.rest(0, http.MethodGet, "/me/messages", ""); got.status != 404 || got.code != "ErrorNonExistentMailbox" {
			t.Errorf("on-prem afterwards: %d %s", got.status, got.body)
		}
	}
	w := start(t, lab.Options{})
	for _, body := range []string{`{"mailbox":"ghost@contoso.test","to":"cloud"}`, `{"mailbox":"` + w.info.Pairs[0].OnPremUPN + `","to":"moon"}`, `{`} {
		if got := w.ask("", http.MethodPost, w.info.Control+"/move", body); got.status != 400 {
			t.Errorf("%s: %d", body, got.status)
		}
	}
}
