package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cutover/harness/lab/graph"
	"cutover/harness/lab/store"
)

// refusals are requests with the answer that each gets.
var refusals = []struct {
	it     string
	token  string // "" keeps the bench's; ME stands for the caller's UPN
	method string
	path   string // GUEST stands for another cloud user's UPN
	body   string
	status int
	code   string
}{
	{"wants a scope for the operation", "user:ME Mail.Read", "POST", "/me/messages", "{}", 403, "ErrorAccessDenied"},
	{"wants the right scope", "user:ME Calendars.Read", "GET", "/me/messages", "", 403, "ErrorAccessDenied"},
	{"takes a stronger scope for a weaker one", "user:ME Mail.ReadWrite", "GET", "/me/messages", "", 200, ""},
	{"gives basic readers no attachments", "user:ME Mail.ReadBasic", "GET", "/me/messages/x/attachments", "", 403, "ErrorAccessDenied"},
	{"wants a role of an app", "app:a Calendars.Read", "GET", "/users/GUEST/messages", "", 403, "ErrorAccessDenied"},
	{"lets an app in with its role", "app:a Mail.Read", "GET", "/users/GUEST/messages", "", 200, ""},
	{"keeps a user out of another mailbox", "user:ME Mail.Read", "GET", "/users/GUEST/messages", "", 403, "ErrorAccessDenied"},
	{"lets a user into a shared mailbox", "user:ME Mail.Read.Shared", "GET", "/users/GUEST/messages", "", 200, ""},
	{"lets nobody list the directory without a role", "user:ME Mail.Read", "GET", "/users", "", 403, "ErrorAccessDenied"},
	{"lets nobody read a user without a role", "app:a Mail.Read", "GET", "/users/GUEST", "", 403, "Authorization_RequestDenied"},
	{"knows no such user", "app:a Mail.Read", "GET", "/users/ghost@x.test/messages", "", 404, "ErrorInvalidUser"},
	{"knows no such segment", "", "GET", "/me/nonsense", "", 400, "BadRequest"},
	{"knows no such version", "", "GET", host + "/v2.0/me", "", 400, "BadRequest"},
	{"answers no half path", "", "GET", "/me/outlook", "", 400, "BadRequest"},
	{"knows no such method", "", "PUT", "/me/messages", "", 405, "Request_BadRequest"},
	{"checks the path before the scope", "user:ME None", "GET", "/me/nonsense", "", 400, "BadRequest"},
	{"checks the scope before the query", "user:ME None", "GET", "/me/messages?$top=x", "", 403, "ErrorAccessDenied"},
	{"checks the query before the user", "app:a Mail.Read", "GET", "/users/ghost@x.test/messages?$top=x", "", 400, "BadRequest"},
	{"wants JSON", "", "POST", "/me/messages", "nonsense", 400, "BadRequest"},
	{"wants one JSON value", "", "POST", "/me/messages", "{} {}", 400, "BadRequest"},
	{"wants an object", "", "POST", "/me/messages", "[]", 400, "BadRequest"},
	{"wants the right kinds", "", "POST", "/me/messages", `{"subject":{}}`, 400, "RequestBodyRead"},
	{"wants a list of recipients", "", "POST", "/me/messages", `{"toRecipients":{}}`, 400, "RequestBodyRead"},
	{"wants a known importance", "", "POST", "/me/messages", `{"importance":"huge"}`, 400, "RequestBodyRead"},
	{"wants annotations with their sign", "", "POST", "/me/messages", `{"odata.type":"x"}`, 400, "RequestBodyRead"},
	{"knows no foreign type", "", "POST", "/me/messages", `{"@odata.type":"x.y"}`, 400, "RequestBodyRead"},
	{"takes its own type", "", "POST", "/me/messages", `{"@odata.type":"#microsoft.graph.message","subject":"s"}`, 201, ""},
	{"takes custom headers only", "", "POST", "/me/messages", `{"internetMessageHeaders":[{"name":"Date","value":"x"}]}`, 400, "InvalidInternetMessageHeader"},
	{"takes at most 4 MB", "", "POST", "/me/messages", `{"subject":"` + strings.Repeat("x", 5<<20) + `"}`, 413, "BadRequest"},
	{"bounds how deep JSON goes", "", "POST", "/me/messages", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), 400, "BadRequest"},
	{"wants a window of at most five years", "", "GET", "/me/calendarView?startDateTime=2020-01-01&endDateTime=2026-01-01", "", 400, "ErrorInvalidParameter"},
	{"wants the window the right way round", "", "GET", "/me/calendarView?startDateTime=2026-01-02&endDateTime=2026-01-01", "", 400, "ErrorInvalidParameter"},
	{"wants an end after the start", "", "POST", "/me/events", `{"start":{"dateTime":"2026-06-02T10:00","timeZone":"UTC"},"end":{"dateTime":"2026-06-01T10:00","timeZone":"UTC"}}`, 400, "ErrorPropertyValidationFailure"},
	{"wants a start", "", "POST", "/me/events", `{"subject":"x"}`, 400, "ErrorPropertyValidationFailure"},
	{"wants all-day events at midnight", "", "POST", "/me/events", `{"isAllDay":true,"start":{"dateTime":"2026-06-02T10:00","timeZone":"UTC"},"end":{"dateTime":"2026-06-03T10:00","timeZone":"UTC"}}`, 400, "ErrorPropertyValidationFailure"},
	{"wants a series to begin at its start", "", "POST", "/me/events", `{"start":{"dateTime":"2026-06-02T10:00","timeZone":"UTC"},"end":{"dateTime":"2026-06-02T11:00","timeZone":"UTC"},"recurrence":{"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd","startDate":"2026-06-03"}}}`, 400, "ErrorPropertyValidationFailure"},
	{"wants the days of a weekly series", "", "POST", "/me/events", `{"start":{"dateTime":"2026-06-02T10:00","timeZone":"UTC"},"end":{"dateTime":"2026-06-02T11:00","timeZone":"UTC"},"recurrence":{"pattern":{"type":"weekly","interval":1},"range":{"type":"noEnd","startDate":"2026-06-02"}}}`, 400, "ErrorPropertyValidationFailure"},
	{"wants a known zone in a body", "", "POST", "/me/events", `{"start":{"dateTime":"2026-06-02T10:00","timeZone":"Mars"}}`, 400, "TimeZoneNotSupportedException"},
	{"does not expand what cannot be expanded", "", "GET", "/me/events?$expand=calendar", "", 400, "ExpandNotSupported"},
	{"does not expand the unknown", "", "GET", "/me/events?$expand=nonsense", "", 400, "BadRequest"},
	{"does not sort by a collection", "", "GET", "/me/messages?$orderby=toRecipients", "", 400, "BadRequest"},
	{"does not filter recipients", "", "GET", "/me/messages?$filter=toRecipients/any(a:a/emailAddress/address eq 'x')", "", 400, "BadRequest"},
	{"does not compare a time with text", "", "GET", "/me/messages?$filter=receivedDateTime ge '2026-01-01'", "", 400, "BadRequest"},
	{"wants a destination", "", "POST", "/me/messages/ID/move", `{}`, 400, "ErrorInvalidRequest"},
	{"wants a destination that can be", "", "POST", "/me/messages/ID/move", `{"destinationId":"garbage"}`, 400, "ErrorInvalidIdMalformed"},
	{"changes no transaction id", "", "PATCH", "/me/events/EVENT", `{"transactionId":"x"}`, 400, "ErrorInvalidRequest"},
	{"wants requests in a batch", "", "POST", "/$batch", `{}`, 400, "BadRequest"},
	{"wants no batch in a batch", "", "POST", "/$batch", `{"requests":[{"id":"1","method":"POST","url":"/$batch"}]}`, 400, "BadRequest"},
	{"wants no circle in a batch", "", "POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["2"]},{"id":"2","method":"GET","url":"/me","dependsOn":["1"]}]}`, 400, "BadRequest"},
	{"wants known ids in dependsOn", "", "POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["9"]}]}`, 400, "BadRequest"},
}

func TestRequestsThatAreRefused(t *testing.T) {
	for _, tc := range refusals {
		t.Run("it "+tc.it, func(t *testing.T) {
			b := newBench(t)
			path := strings.ReplaceAll(tc.path, "GUEST", b.store.Pairs()[1].Cloud.User().UPN)
			if strings.Contains(path, "ID") {
				path = strings.ReplaceAll(path, "ID", b.draft(nil))
			}
			if strings.Contains(path, "EVENT") {
				path = strings.ReplaceAll(path, "EVENT", b.event(nil).text("id"))
			}
			if tc.token != "" {
				b.token = strings.ReplaceAll(tc.token, "ME", b.me.User().UPN)
			}
			var body any
			if tc.body != "" {
				body = tc.body
			}
			if r := b.do(tc.method, path, body); r.status != tc.status || r.code() != tc.code {
				t.Errorf("%d %s, want %d %s\n%.300s", r.status, r.code(), tc.status, tc.code, r.raw)
			}
		})
	}
}

func TestAnswersOfAnEra(t *testing.T) {
	for _, tc := range []struct {
		it   string
		era  int
		path string
		want []string
		none []string
	}{
		{"puts the request id first before 2020", 2018, "/me/messages/garbage", []string{`"innerError":{"request-id":"`}, []string{"client-request-id"}},
		{"puts the date first in 2021", 2021, "/me/messages/garbage", []string{`"innerError":{"date":"2026-03-02T09:00:00","request-id":"`, `"client-request-id":"`}, nil},
		{"drops innerError of some codes later", 2024, "/me/messages?$select=nonsense", []string{`"code":"RequestBroker--ParseUri"`}, []string{"innerError"}},
	} {
		t.Run("it "+tc.it, func(t *testing.T) {
			b := newBench(t, func(c *graph.Config) { c.Era = tc.era })
			r := b.get(tc.path)
			if !contains(r.raw, tc.want...) {
				t.Errorf("%s\nwant %v", r.raw, tc.want)
			}
			for _, n := range tc.none {
				if strings.Contains(r.raw, n) {
					t.Errorf("%s\nwithout %q", r.raw, n)
				}
			}
		})
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/me/messages?$top=1", "/me/messages/garbage", "/nonsense"} {
		r := b.get(path)
		for _, name := range []string{"Request-Id", "Client-Request-Id", "X-Ms-Ags-Diagnostic", "Cache-Control", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Content-Type"} {
			if r.header.Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
	}
	if r := b.get("/me/messages?$top=1"); r.header.Get("Odata-Version") != "4.0" {
		t.Errorf("OData-Version %q", r.header.Get("Odata-Version"))
	}
	if r := b.get("/me/messages?$top=1", "Accept", "application/json;odata.metadata=none"); strings.Contains(r.raw, "@odata") && !strings.Contains(r.raw, "nextLink") {
		t.Errorf("metadata: %.200s", r.raw)
	}
	if r := b.do("HEAD", "/me/messages?$top=1", nil).ok(b, 200); r.raw != "" {
		t.Errorf("HEAD has a body")
	}
}

func TestItAnswersAPreflightWithoutAToken(t *testing.T) {
	b := newBench(t)
	b.token = ""
	r := b.do("OPTIONS", "/me/messages", nil, "Origin", "https://app.test", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Headers") != "authorization" {
		t.Errorf("%d %v", r.status, r.header)
	}
}

// onPrem records what is asked for mailboxes on-premises.
type onPrem struct{ got graph.Addressed }

func (o *onPrem) ServeOnPrem(w http.ResponseWriter, r *http.Request, a graph.Addressed) {
	o.got = a
	a.Service.Error(w, r, 404, "Elsewhere", "at home")
}

func TestMailboxesOnPremisesGoToTheHybridHook(t *testing.T) {
	hook := &onPrem{}
	b := newBench(t, func(c *graph.Config) { c.Hybrid = hook })
	b.token = "app:a Mail.Read User.Read.All"
	upn := b.store.Pairs()[0].OnPrem.User().UPN
	b.get("/users/"+upn+"/mailFolders('inbox')/messages?$top=1").refused(b, 404, "Elsewhere")
	if hook.got.Rest != "/mailFolders('inbox')/messages" || !hook.got.Known || hook.got.Version != "v1.0" || hook.got.Mailbox.User().UPN != upn || hook.got.Me {
		t.Errorf("%+v", hook.got)
	}
	b.get(host+"/beta/users/"+upn+"/drive").refused(b, 404, "Elsewhere")
	if hook.got.Known || hook.got.Version != "beta" || hook.got.Rest != "/drive" {
		t.Errorf("%+v", hook.got)
	}
	b.get("/users/"+upn).ok(b, 200)
	if err := b.store.Move(upn, store.Cloud, store.MoveOptions{}); err != nil {
		t.Fatal(err)
	}
	b.get("/users/"+upn+"/messages").ok(b, 200)
	b.get("/users/"+upn+"/drive").refused(b, 400, "BadRequest")
}

func TestASeriesKeepsItsHourThroughTheChangeOfTheClocks(t *testing.T) {
	b := newBench(t)
	r := b.post("/me/events", map[string]any{"subject": "dst", "start": at("2026-03-23T09:30:00", "Europe/Berlin"), "end": at("2026-03-23T10:00:00", "Europe/Berlin"),
		"recurrence": map[string]any{"pattern": map[string]any{"type": "weekly", "interval": 1, "daysOfWeek": []string{"monday"}}, "range": map[string]any{"type": "noEnd", "startDate": "2026-03-23"}}}).ok(b, 201)
	want := map[string][]string{
		"":                                 {"2026-03-23T08:30:00.0000000", "2026-03-30T07:30:00.0000000"},
		`outlook.timezone="Europe/Berlin"`: {"2026-03-23T09:30:00.0000000", "2026-03-30T09:30:00.0000000"},
	}
	for prefer, times := range want {
		list := b.get("/me/events/"+r.text("id")+"/instances?startDateTime=2026-03-23T00:00:00Z&endDateTime=2026-04-01T00:00:00Z", "Prefer", prefer).ok(b, 200).values()
		for i, w := range times {
			if got := list[i]["start"].(map[string]any)["dateTime"]; got != w {
				t.Errorf("%s: occurrence %d at %v, want %s", prefer, i, got, w)
			}
		}
		if list[0]["iCalUId"] == list[1]["iCalUId"] {
			t.Errorf("two occurrences share an iCalUId")
		}
	}
}

func FuzzNoRequestTakesTheServiceDown(f *testing.F) {
	for _, seed := range []string{"/me/messages?$filter=subject eq 'x'", "/me/messages('a''b')", "/me/$batch", "/users/x@y/calendarView(1)", "/me/messages?$expand=attachments($select=a;$expand=b(c))", "//%zz", "/me/events?$orderby=start/dateTime desc,"} {
		f.Add(seed, `{"subject":1}`)
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, path, body string) {
		for _, method := range []string{"GET", "POST", "PATCH"} {
			r, err := http.NewRequest(method, host+"/v1.0/"+strings.TrimPrefix(path, "/"), strings.NewReader(body))
			if err != nil {
				return
			}
			r.Header.Set("Authorization", "Bearer "+b.token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			b.service.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s %q: %d %s", method, path, w.Code, w.Body)
			}
		}
	})
}

func TestTheSchemaNeedsNoTokenAndNothingElseGoesWithoutOne(t *testing.T) {
	b := newBench(t)
	for path, want := range map[string]int{"/v1.0/$metadata": 200, "/beta/$metadata": 200, "/v2.0/$metadata": 400, "/v1.0/me/$metadata": 401, "/v1.0/users": 401} {
		if r := b.serve(b.service, httptest.NewRequest("GET", host+path, nil)); r.status != want {
			t.Errorf("%s: %d, want %d", path, r.status, want)
		}
	}
}
