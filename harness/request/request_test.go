package request_test

import (
	"encoding/base64"
	"testing"
	"time"

	"cutover/harness/request"
	"cutover/harness/vars"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

var about = request.Description{Dialect: "graph", Root: "https://graph.test/v1.0", Hosts: []string{"graph.test:443"}}

func build(t *testing.T, q request.Question, scope vars.Values) wire.Request {
	t.Helper()
	template, err := request.Prepare(about, q, q)
	if err != nil {
		t.Fatalf("Prepare(%+v): %v", q, err)
	}
	var r wire.Request
	if err := template.Build(scope, &r); err != nil {
		t.Fatalf("Build(%+v): %v", q, err)
	}
	return r
}

func TestBuildEscapesEachValueForItsPlace(t *testing.T) {
	scope := vars.Values{"id": "AA/B=", "name": `O'Brien & "Sons"`, "from": "2026-03-04T05:06:07+01:00", "link": "https://graph.test/v1.0/me/messages?$skip=10"}
	for _, c := range []struct {
		name string
		q    request.Question
		want string
	}{
		{"it keeps a plain path", request.Question{Method: "get", URL: "/me/messages"}, "https://graph.test/v1.0/me/messages"},
		{"it escapes a key so that it stays one segment", request.Question{Method: "get", URL: "/me/messages/{{id}}"}, "https://graph.test/v1.0/me/messages/AA%2FB%3D"},
		{"it keeps system options readable", request.Question{Method: "get", URL: "/me/messages", Query: []request.Option{{Name: "$top", Value: "5"}, {Name: "$select", Value: "id,subject"}}},
			"https://graph.test/v1.0/me/messages?$top=5&$select=id,subject"},
		{"it doubles quotes inside an OData literal", request.Question{Method: "get", URL: "/me/messages", Query: []request.Option{{Name: "$filter", Value: "subject eq '{{name}}' and receivedDateTime ge {{from}}"}}},
			"https://graph.test/v1.0/me/messages?$filter=subject%20eq%20'O%27%27Brien%20%26%20%22Sons%22'%20and%20receivedDateTime%20ge%202026-03-04T05%3A06%3A07%2B01%3A00"},
		{"it takes a query out of the URL", request.Question{Method: "get", URL: "/me/messages?$top=5&$filter=isRead%20eq%20false", Query: []request.Option{{Name: "$count", Value: "true"}}},
			"https://graph.test/v1.0/me/messages?$top=5&$filter=isRead%20eq%20false&$count=true"},
		{"it sends a captured link as it is", request.Question{Method: "get", URL: "{{link}}"}, "https://graph.test/v1.0/me/messages?$skip=10"},
		{"it escapes what a path may not hold", request.Question{Method: "get", URL: "/me/mailFolders/a b"}, "https://graph.test/v1.0/me/mailFolders/a%20b"},
	} {
		if got := build(t, c.q, scope); got.URL != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got.URL, c.want)
		}
	}
}

func TestBuildSetsWholeRequests(t *testing.T) {
	q := request.Question{
		Method: "post", URL: "/me/sendMail", Prefer: []string{`IdType="ImmutableId"`, "outlook.allow-unsafe-html"},
		Header:  []request.Option{{Name: "X-Run", Value: "{{run}}"}},
		JSON:    []byte(`{"message":{"subject":"{{subject}}","toRecipients":[{"emailAddress":{"address":"{{to}}"}}],"bccRecipients":[{"emailAddress":{"address":"fix@a.test"}}]}}`),
		Timeout: time.Second,
	}
	got := build(t, q, vars.Values{"run": "7", "subject": `say "hi"`, "to": "bob@a.test"})
	want := wire.Request{
		Method: "POST", URL: "https://graph.test/v1.0/me/sendMail", Timeout: time.Second, Template: "POST /me/sendMail",
		Header: wire.Header{{Name: "X-Run", Value: "7"}, {Name: "Prefer", Value: `IdType="ImmutableId", outlook.allow-unsafe-html`}, {Name: "Accept", Value: "application/json"}, {Name: "Content-Type", Value: "application/json"}},
		Body:   []byte(`{"message":{"subject":"say \"hi\"","toRecipients":[{"emailAddress":{"address":"bob@a.test"}}],"bccRecipients":[{"emailAddress":{"address":"fix@a.test"}}]}}`),
		Effect: wire.Effect{Writes: true, Mails: true, Recipients: []string{"fix@a.test", "bob@a.test"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got)\n%s", diff)
	}
}

func TestBuildOfAStaticTemplateAllocatesNothing(t *testing.T) {
	q := request.Question{Method: "POST", URL: "/me/messages", Query: []request.Option{{Name: "$select", Value: "id"}}, JSON: []byte(`{"subject":"a","toRecipients":[{"emailAddress":{"address":"a@b.test"}}]}`)}
	template, err := request.Prepare(about, q, q)
	if err != nil || !template.Static {
		t.Fatalf("template %+v, %v; want a static one", template, err)
	}
	var r wire.Request
	if n := testing.AllocsPerRun(100, func() {
		if err := template.Build(nil, &r); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
}

func TestBuildDoesNotWriteIntoItsTemplate(t *testing.T) {
	fixed := request.Question{Method: "POST", URL: "/a", JSON: []byte(`{"a":"long enough to be overwritten"}`)}
	template, err := request.Prepare(about, fixed, fixed)
	if err != nil {
		t.Fatal(err)
	}
	var r wire.Request
	for range 2 {
		if err := template.Build(nil, &r); err != nil {
			t.Fatal(err)
		}
		if string(r.Body) != `{"a":"long enough to be overwritten"}` || r.Header[0].Name != "Accept" {
			t.Fatalf("body %s, header %v", r.Body, r.Header)
		}
		copy(r.Body, "XXXXXX")
		r.Header[0].Name = "X"
	}
}

func TestBuildNamesWhatIsUnknown(t *testing.T) {
	for _, q := range []request.Question{
		{Method: "GET", URL: "/me/messages/{{id}}"},
		{Method: "GET", URL: "/me", Query: []request.Option{{Name: "$filter", Value: "a eq '{{id}}'"}}},
		{Method: "GET", URL: "/me", Header: []request.Option{{Name: "X", Value: "{{id}}"}}},
		{Method: "POST", URL: "/me", JSON: []byte(`{"a":"{{id}}"}`)},
		{Method: "POST", URL: "/me", Raw: []byte(`{{id}}`)},
	} {
		template, err := request.Prepare(about, q, q)
		if err != nil {
			t.Fatal(err)
		}
		var r wire.Request
		if err := template.Build(vars.Values{}, &r); err == nil {
			t.Errorf("Build(%+v) succeeded without a value for id", q)
		}
		if diff := cmp.Diff([]string{"id"}, template.Names()); diff != "" {
			t.Errorf("names of %+v: %s", q, diff)
		}
	}
}

func TestEffectSaysWhatARequestDoes(t *testing.T) {
	mime := base64.StdEncoding.EncodeToString([]byte("To: Bob <bob@a.test>\r\nCc: ann@a.test\r\nSubject: x\r\n\r\nhello"))
	for _, c := range []struct {
		method, url, body, raw string
		endpoint               string
		want                   wire.Effect
	}{
		{"GET", "/me/messages", "", "", "GET /me/messages", wire.Effect{}},
		{"GET", "/users/{{mailbox.user}}/mailfolders('Inbox')/messages", "", "", "GET /me/mailFolders/inbox/messages", wire.Effect{}},
		{"GET", "/me/messages/AAMk/attachments/AAMx/$value", "", "", "GET /me/messages/{id}/attachments/{id}/$value", wire.Effect{}},
		{"GET", "/me/mailFolders/inbox/messages/delta", "", "", "GET /me/mailFolders/inbox/messages/delta", wire.Effect{}},
		{"GET", "/me/calendarView", "", "", "GET /me/calendarView", wire.Effect{}},
		{"GET", "/groups", "", "", "GET /groups", wire.Effect{}},
		{"GET", "{{link}}", "", "", "GET {link}", wire.Effect{}},
		{"POST", "/me/messages", `{"subject":"a"}`, "", "POST /me/messages", wire.Effect{Writes: true, Creates: "message"}},
		{"POST", "/me/messages/M1/send", "", "", "POST /me/messages/{id}/send", wire.Effect{Writes: true, Mails: true, StoredRecipients: true, Target: "M1"}},
		{"POST", "/me/messages/M1/reply", `{"comment":"x","message":{"toRecipients":[{"emailAddress":{"address":"c@a.test"}}]}}`, "", "POST /me/messages/{id}/reply", wire.Effect{Writes: true, Mails: true, StoredRecipients: true, Target: "M1", Recipients: []string{"c@a.test"}}},
		{"POST", "/me/messages/M1/forward", `{"ToRecipients":[{"EmailAddress":{"Address":"c@a.test"}}]}`, "", "POST /me/messages/{id}/forward", wire.Effect{Writes: true, Mails: true, Target: "M1", Recipients: []string{"c@a.test"}}},
		{"POST", "/me/messages/M1/createReply", "", "", "POST /me/messages/{id}/createReply", wire.Effect{Writes: true, Creates: "message"}},
		{"POST", "/me/messages/M1/move", `{"destinationId":"inbox"}`, "", "POST /me/messages/{id}/move", wire.Effect{Writes: true, Creates: "message", Target: "M1"}},
		{"POST", "/me/mailFolders/F1/childFolders", `{"displayName":"x"}`, "", "POST /me/mailFolders/{id}/childFolders", wire.Effect{Writes: true, Creates: "folder"}},
		{"POST", "/me/events", `{"subject":"x","attendees":[{"emailAddress":{"address":"c@a.test"}}]}`, "", "POST /me/events", wire.Effect{Writes: true, Creates: "event", Mails: true, Recipients: []string{"c@a.test"}}},
		{"POST", "/me/events", `{"subject":"x"}`, "", "POST /me/events", wire.Effect{Writes: true, Creates: "event"}},
		{"PATCH", "/me/events/E1", `{"subject":"x"}`, "", "PATCH /me/events/{id}", wire.Effect{Writes: true, Mails: true, StoredRecipients: true, Target: "E1"}},
		{"DELETE", "/me/events/E1", "", "", "DELETE /me/events/{id}", wire.Effect{Writes: true, Deletes: true, Mails: true, StoredRecipients: true, Target: "E1"}},
		{"DELETE", "/me/messages/M1", "", "", "DELETE /me/messages/{id}", wire.Effect{Writes: true, Deletes: true, Target: "M1"}},
		{"POST", "/me/events/E1/accept", `{"sendResponse":false}`, "", "POST /me/events/{id}/accept", wire.Effect{Writes: true, Target: "E1"}},
		{"POST", "/me/events/E1/cancel", `{"sendResponse":false}`, "", "POST /me/events/{id}/cancel", wire.Effect{Writes: true, Mails: true, StoredRecipients: true, Target: "E1"}},
		{"POST", "/me/events/E1/accept", `{}`, "", "POST /me/events/{id}/accept", wire.Effect{Writes: true, Mails: true, StoredRecipients: true, Target: "E1"}},
		{"PATCH", "/me/mailboxSettings", `{"automaticRepliesSetting":{"status":"alwaysEnabled"}}`, "", "PATCH /me/mailboxSettings", wire.Effect{Writes: true, Mails: true, StoredRecipients: true}},
		{"POST", "/me/calendar/getSchedule", `{"schedules":["a@b.test"]}`, "", "POST /me/calendar/getSchedule", wire.Effect{}},
		{"POST", "/me/sendMail", `{"message":{"ToRecipients":[{"emailAddress":{"address":"a@b.test"}}],"toRecipients":[{"emailAddress":{"address":"c@b.test"}}]}}`, "", "POST /me/sendMail",
			wire.Effect{Writes: true, Mails: true, Recipients: []string{"a@b.test", "c@b.test"}}},
		{"POST", "/me/sendMail", "", mime, "POST /me/sendMail", wire.Effect{Writes: true, Mails: true, Recipients: []string{"bob@a.test", "ann@a.test"}}},
		{"POST", "/me/sendMail", "", "no mime", "POST /me/sendMail", wire.Effect{Writes: true, Mails: true, StoredRecipients: true}},
		{"POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/me/messages"},{"id":"2","method":"POST","url":"/me/sendMail","body":{"message":{"toRecipients":[{"emailAddress":{"address":"c@a.test"}}]}}}]}`, "", "POST /$batch", wire.Effect{Writes: true, Mails: true, Recipients: []string{"c@a.test"}}},
		{"POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/me/messages"}]}`, "", "POST /$batch", wire.Effect{}},
		{"POST", "/me/mailFolders/inbox/messageRules", `{"actions":{"forwardTo":[{"emailAddress":{"address":"c@a.test"}}]}}`, "", "POST /me/mailFolders/inbox/messageRules", wire.Effect{Writes: true, Creates: "messageRule", Mails: true, Recipients: []string{"c@a.test"}}},
		{"PUT", "/something/else", "", "x", "PUT /something/else", wire.Effect{Writes: true}},
		{"POST", "/EWS/Exchange.asmx", "", `<s:Envelope><s:Body><m:FindItem Traversal="Shallow"></m:FindItem></s:Body></s:Envelope>`, "POST /EWS/Exchange.asmx", wire.Effect{}},
		{"POST", "/EWS/Exchange.asmx", "", `<s:Envelope><s:Body><m:CreateItem MessageDisposition="SendAndSaveCopy"><t:EmailAddress>bob@a.test</t:EmailAddress></m:CreateItem></s:Body></s:Envelope>`, "POST /EWS/Exchange.asmx", wire.Effect{Writes: true, Mails: true, Creates: "item", Recipients: []string{"bob@a.test"}}},
		{"POST", "/EWS/Exchange.asmx", "", `<s:Envelope><s:Body><m:CreateItem MessageDisposition="SaveOnly"></m:CreateItem></s:Body></s:Envelope>`, "POST /EWS/Exchange.asmx", wire.Effect{Writes: true, Creates: "item"}},
		{"POST", "/EWS/Exchange.asmx", "", `<s:Envelope><s:Body><m:DeleteItem DeleteType="HardDelete" SendMeetingCancellations="SendToAllAndSaveCopy"/></s:Body></s:Envelope>`, "POST /EWS/Exchange.asmx", wire.Effect{Writes: true, Deletes: true, Mails: true, StoredRecipients: true}},
	} {
		q := request.Question{Method: c.method, URL: c.url}
		if c.body != "" {
			q.JSON = []byte(c.body)
		}
		if c.raw != "" {
			q.Raw = []byte(c.raw)
		}
		got := build(t, q, vars.Values{"mailbox.user": "ann", "link": "https://graph.test/x"})
		if len(got.Effect.Recipients) == 0 {
			got.Effect.Recipients = nil
		}
		if diff := cmp.Diff(c.want, got.Effect); diff != "" || got.Template != c.endpoint {
			t.Errorf("%s %s %s%s: endpoint %q, want %q; effect (-want +got)\n%s", c.method, c.url, c.body, c.raw, got.Template, c.endpoint, diff)
		}
	}
}

func TestASuiteMayOnlyDeclareUnknownRequestsHarmless(t *testing.T) {
	for url, writes := range map[string]bool{"/search": false, "/me/sendMail": true, "/me/messages": true} {
		got := build(t, request.Question{Method: "POST", URL: url, Raw: []byte("x"), Reads: true}, nil)
		if got.Effect.Writes != writes {
			t.Errorf("POST %s declared as reading: writes is %v, want %v", url, got.Effect.Writes, writes)
		}
	}
}

func TestVerbatimIsSentAsWritten(t *testing.T) {
	d := request.Description{Root: "https://mail.test/api/v2.0"}
	for url, want := range map[string]string{
		"/EWS/Exchange.asmx": "https://mail.test/EWS/Exchange.asmx", "me/Messages": "https://mail.test/api/v2.0/me/Messages", "": "https://mail.test/api/v2.0",
	} {
		template, err := request.Verbatim(d, request.Question{Method: "GET", URL: url})
		if err != nil {
			t.Fatal(err)
		}
		var r wire.Request
		if err := template.Build(nil, &r); err != nil || r.URL != want {
			t.Errorf("%q is sent to %s (%v), want %s", url, r.URL, err, want)
		}
	}
}

func TestReturnsNamesTheEntity(t *testing.T) {
	for _, c := range []struct {
		method, url, entity string
		collection          bool
	}{
		{"GET", "/me/messages", "message", true}, {"GET", "/me/messages/X", "message", false}, {"GET", "/me/mailFolders/inbox", "mailFolder", false},
		{"GET", "/me/mailFolders/inbox/childFolders", "mailFolder", true}, {"GET", "/me/contactFolders/X/childFolders", "contactFolder", true},
		{"POST", "/me/messages/X/move", "message", false}, {"POST", "/me/messages/X/createReply", "message", false}, {"GET", "/me/calendarView", "event", true},
		{"GET", "/me/messages/delta", "message", true}, {"GET", "/me/calendar", "calendar", false}, {"POST", "/me/events", "event", false}, {"GET", "/me", "", false}, {"GET", "/", "", false},
		{"GET", "/users/ann@a.test", "user", false}, {"GET", "/me/calendar/events", "event", true},
	} {
		entity, collection := request.Returns(c.method, request.Segments(c.url))
		if entity != c.entity || collection != c.collection {
			t.Errorf("%s %s returns %q, %v; want %q, %v", c.method, c.url, entity, collection, c.entity, c.collection)
		}
	}
}

func TestPushbackReadsEveryFormOfRetryAfter(t *testing.T) {
	date := wire.Field{Name: "Date", Value: "Wed, 04 Mar 2026 05:06:07 GMT"}
	for _, c := range []struct {
		name      string
		status    int
		after     string
		body      string
		throttled bool
		want      time.Duration
	}{
		{"it reads seconds", 429, "12", "", true, 12 * time.Second},
		{"it reads fractions", 429, "2.128", "", true, 2128 * time.Millisecond},
		{"it reads a date against the answer's own", 503, "Wed, 04 Mar 2026 05:06:37 GMT", "", true, 30 * time.Second},
		{"it takes a date in the past for nothing", 503, "Wed, 04 Mar 2026 05:06:00 GMT", "", true, 0},
		{"it says nothing without the header", 429, "", "", true, 0},
		{"it says nothing of what it cannot read", 429, "soon", "", true, 0},
		{"it takes no negative wait", 429, "-5", "", true, 0},
		{"it bounds a wait by a day", 429, "1e9", "", true, 24 * time.Hour},
		{"it knows Exchange's busy server", 500, "", `{"error":{"code":"ErrorServerBusy"}}`, true, 0},
		{"it leaves other failures alone", 500, "5", `{"error":{"code":"ErrorInternalServerError"}}`, false, 0},
		{"it leaves a timeout alone", 504, "5", "", false, 0},
		{"it leaves successes alone", 200, "5", "", false, 0},
	} {
		resp := wire.Response{Status: c.status, Header: wire.Header{date}, Body: []byte(c.body)}
		if c.after != "" {
			resp.Header = append(resp.Header, wire.Field{Name: "retry-after", Value: c.after})
		}
		throttled, after := request.Pushback(&resp)
		if throttled != c.throttled || after != c.want {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, throttled, after, c.throttled, c.want)
		}
	}
}

func TestHostsNamesPorts(t *testing.T) {
	for root, want := range map[string][]string{"https://a.test/x": {"a.test:443"}, "http://a.test": {"a.test:80"}, "https://127.0.0.1:8443/v1.0": {"127.0.0.1:8443"}, ":": nil} {
		if diff := cmp.Diff(want, request.Hosts(root)); diff != "" {
			t.Errorf("Hosts(%s): %s", root, diff)
		}
	}
}
