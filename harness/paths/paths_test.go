package paths_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cutover/harness/canon"
	"cutover/harness/paths"
	"cutover/harness/request"
	"cutover/harness/vars"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

func adapter(t *testing.T, kind, url, as string) paths.Adapter {
	t.Helper()
	params := map[string]any{"url": url}
	if as != "" {
		params["as"] = as
	}
	a, err := paths.New(profiles.Path{Name: "p", Dialect: strictyaml.NewBlock(kind, strictyaml.Pos{}, params)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// asked is one operation: "GET /me/messages?$top=5", with a body.
func asked(method, url, body string) suites.Operation {
	op := suites.Operation{Method: method, URL: url}
	if address, query, ok := strings.Cut(url, "?"); ok {
		op.URL = address
		for part := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(part, "=")
			op.Query = append(op.Query, strictyaml.Entry[suites.QueryValue]{Key: name, Value: suites.QueryValue{Items: []string{value}}})
		}
	}
	if body != "" {
		op.Body = strictyaml.ValueOf([]byte(body))
	}
	return op
}

var scope = vars.Values{"mailbox.user": "ann@a.test", "id": "AAMk=", "from": "2026-03-04T00:00:00Z"}

func send(t *testing.T, a paths.Adapter, op suites.Operation) (wire.Request, *request.Template) {
	t.Helper()
	template, err := a.Prepare(op)
	if err != nil {
		t.Fatalf("%s %s: %v", op.Method, op.URL, err)
	}
	var r wire.Request
	if err := template.Build(scope, &r); err != nil {
		t.Fatalf("%s %s: %v", op.Method, op.URL, err)
	}
	return r, template
}

func TestGraphFillsInTheMailbox(t *testing.T) {
	for _, c := range []struct{ name, as, method, url, body, want, wantBody string }{
		{"it asks for a user with an app's token", "app", "GET", "/me/messages", "", "https://graph.test/v1.0/users/ann%40a.test/messages", ""},
		{"it asks for me with a user's token", "user", "GET", "/me/messages", "", "https://graph.test/v1.0/me/messages", ""},
		{"it asks as an app by default", "", "GET", "/me", "", "https://graph.test/v1.0/users/ann%40a.test", ""},
		{"it leaves other addresses alone", "app", "GET", "/users/x/messages", "", "https://graph.test/v1.0/users/x/messages", ""},
		{"it does not take /meetings for /me", "app", "GET", "/meetings", "", "https://graph.test/v1.0/meetings", ""},
		{"it reaches beta where the suite says so", "app", "GET", "/beta/me/messages", "", "https://graph.test/beta/users/ann%40a.test/messages", ""},
		{"it fills in the mailbox inside a batch", "app", "POST", "/$batch", `{"requests":[{"id":"1","method":"GET","url":"/me/messages"}]}`, "https://graph.test/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/users/ann@a.test/messages"}]}`},
	} {
		got, _ := send(t, adapter(t, "graph", "https://graph.test/v1.0/", c.as), asked(c.method, c.url, c.body))
		if got.URL != c.want || string(got.Body) != c.wantBody {
			t.Errorf("%s: %s %s, want %s %s", c.name, got.URL, got.Body, c.want, c.wantBody)
		}
	}
}

func TestRestSaysGraphsWordsInItsOwn(t *testing.T) {
	v2 := adapter(t, "rest", "https://mail.test/api/v2.0", "user")
	v1 := adapter(t, "rest", "https://mail.test/api/v1.0", "user")
	app := adapter(t, "rest", "https://mail.test/api/v2.0", "app")
	const root = "https://mail.test/api/v2.0"
	for _, c := range []struct {
		name              string
		a                 paths.Adapter
		method, url, body string
		want, wantBody    string
		notes             []request.Note
	}{
		{"it raises segments and folders", v2, "GET", "/me/mailFolders/inbox/messages", "", root + "/me/MailFolders/Inbox/Messages", "", nil},
		{"it keeps keys", v2, "GET", "/me/messages/{{id}}/attachments", "", root + "/me/Messages/AAMk%3D/Attachments", "", nil},
		{"it asks for a user with an app's token", app, "GET", "/me/messages", "", root + "/users/ann%40a.test/Messages", "", nil},
		{"it calls folders Folders in v1.0", v1, "GET", "/me/mailFolders", "", "https://mail.test/api/v1.0/me/Folders", "", nil},
		{"it raises selections", v2, "GET", "/me/messages?$select=id,subject,from", "", root + "/me/Messages?$select=Id,Subject,From", "", nil},
		{"it asks for what exists and notes the rest", v2, "GET", "/me/messages?$select=subject,flag,internetMessageId", "", root + "/me/Messages?$select=Subject", "", []request.Note{{ID: "props.absent", Detail: "flag, internetMessageId"}}},
		{"it tells the lists of a series' exceptions from what is newer", v2, "GET", "/me/events?$select=subject,hideAttendees,cancelledOccurrences", "", root + "/me/Events?$select=Subject", "", []request.Note{{ID: "props.absent", Detail: "hideAttendees"}, {ID: "recur.exceptions", Detail: "cancelledOccurrences"}}},
		{"it asks for the id when nothing else exists", v2, "GET", "/me/messages?$select=flag", "", root + "/me/Messages?$select=Id", "", []request.Note{{ID: "props.absent", Detail: "flag"}}},
		{"it uses the old names of dates in v1.0", v1, "GET", "/me/messages?$select=receivedDateTime&$orderby=receivedDateTime desc", "", "https://mail.test/api/v1.0/me/Messages?$select=DateTimeReceived&$orderby=DateTimeReceived%20desc", "", nil},
		{"it raises orders", v2, "GET", "/me/messages?$orderby=from/emailAddress/address desc,subject", "", root + "/me/Messages?$orderby=From/EmailAddress/Address%20desc,Subject", "", nil},
		{"it raises filters but not their literals", v2, "GET", "/me/messages?$filter=subject eq 'from subject' and importance eq 'high' and isRead eq false and receivedDateTime ge {{from}}", "",
			root + "/me/Messages?$filter=Subject%20eq%20'from%20subject'%20and%20Importance%20eq%20'High'%20and%20IsRead%20eq%20false%20and%20ReceivedDateTime%20ge%202026-03-04T00%3A00%3A00Z", "", nil},
		{"it keeps quotes inside literals", v2, "GET", "/me/messages?$filter=startswith(subject,'O''Brien from')", "", root + "/me/Messages?$filter=startswith(Subject,'O''Brien%20from')", "", nil},
		{"it keeps lambda variables", v2, "GET", "/me/contacts?$filter=emailAddresses/any(a:a/address eq 'x@y')", "", root + "/me/Contacts?$filter=EmailAddresses/any(a:a/Address%20eq%20'x@y')", "", nil},
		{"it filters extended properties by PropertyId", v2, "GET", "/me/messages?$filter=singleValueExtendedProperties/any(ep:ep/id eq 'String 0x1' and ep/value eq 'v')", "",
			root + "/me/Messages?$filter=SingleValueExtendedProperties/any(ep:ep/PropertyId%20eq%20'String%200x1'%20and%20ep/Value%20eq%20'v')", "", nil},
		{"it raises expansions", v2, "GET", "/me/messages?$expand=attachments($select=name,size)", "", root + "/me/Messages?$expand=Attachments($select%3DName,Size)", "", nil},
		{"it expands extended properties by PropertyId", v2, "GET", "/me/messages?$expand=singleValueExtendedProperties($filter=id eq 'String 0x1')", "", root + "/me/Messages?$expand=SingleValueExtendedProperties($filter%3DPropertyId%20eq%20'String%200x1')", "", nil},
		{"it keeps the window of a calendar view", v2, "GET", "/me/calendarView?startDateTime={{from}}&endDateTime=2026-03-05T00:00:00Z", "", root + "/me/CalendarView?startDateTime=2026-03-04T00%3A00%3A00Z&endDateTime=2026-03-05T00:00:00Z", "", nil},
		{"it raises bodies and enums", v2, "POST", "/me/messages", `{"subject":"x","importance":"low","body":{"contentType":"html","content":"<p>"},"toRecipients":[{"emailAddress":{"address":"{{mailbox.user}}"}}]}`, root + "/me/Messages",
			`{"Subject":"x","Importance":"Low","Body":{"ContentType":"HTML","Content":"<p>"},"ToRecipients":[{"EmailAddress":{"Address":"ann@a.test"}}]}`, nil},
		{"it raises the parameters of actions", v2, "POST", "/me/sendMail", `{"message":{"subject":"x"},"saveToSentItems":false}`, root + "/me/SendMail", `{"Message":{"Subject":"x"},"SaveToSentItems":false}`, nil},
		{"it raises a move", v2, "POST", "/me/messages/{{id}}/move", `{"destinationId":"deleteditems"}`, root + "/me/Messages/AAMk%3D/Move", `{"DestinationId":"deleteditems"}`, nil},
		{"it leaves out of bodies what the model lacks", v2, "PATCH", "/me/messages/{{id}}", `{"isRead":true,"flag":{"flagStatus":"flagged"}}`, root + "/me/Messages/AAMk%3D", `{"IsRead":true}`, []request.Note{{ID: "props.absent", Detail: "not sent: flag"}}},
		{"it renames the mobile phone", v2, "POST", "/me/contacts", `{"givenName":"A","mobilePhone":"1","emailAddresses":[{"address":"x@y"}]}`, root + "/me/Contacts", `{"GivenName":"A","MobilePhone1":"1","EmailAddresses":[{"Address":"x@y"}]}`, nil},
		{"it names types in its namespace", v2, "POST", "/me/messages/{{id}}/attachments", `{"@odata.type":"#microsoft.graph.fileAttachment","name":"a","contentBytes":"QQ=="}`, root + "/me/Messages/AAMk%3D/Attachments", `{"@odata.type":"#Microsoft.OutlookServices.FileAttachment","Name":"a","ContentBytes":"QQ=="}`, nil},
		{"it writes extended properties by PropertyId", v2, "POST", "/me/messages", `{"singleValueExtendedProperties":[{"id":"String 0x1","value":"v"}]}`, root + "/me/Messages", `{"SingleValueExtendedProperties":[{"PropertyId":"String 0x1","Value":"v"}]}`, nil},
		{"it raises recurrences", v2, "POST", "/me/events", `{"start":{"dateTime":"2026-03-04T10:00:00","timeZone":"UTC"},"recurrence":{"pattern":{"type":"weekly","daysOfWeek":["monday"]},"range":{"type":"noEnd"}}}`, root + "/me/Events",
			`{"Start":{"DateTime":"2026-03-04T10:00:00","TimeZone":"UTC"},"Recurrence":{"Pattern":{"Type":"Weekly","DaysOfWeek":["Monday"]},"Range":{"Type":"NoEnd"}}}`, nil},
		{"it sends an empty action", v2, "POST", "/me/messages/{{id}}/send", "", root + "/me/Messages/AAMk%3D/Send", "", nil},
	} {
		got, template := send(t, c.a, asked(c.method, c.url, c.body))
		if got.URL != c.want || string(got.Body) != c.wantBody {
			t.Errorf("%s:\ngot  %s %s\nwant %s %s", c.name, got.URL, got.Body, c.want, c.wantBody)
		}
		if diff := cmp.Diff(c.notes, template.Notes); diff != "" {
			t.Errorf("%s: notes (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestBothSidesNameAnEndpointAlike(t *testing.T) {
	g, r := adapter(t, "graph", "https://graph.test/v1.0", "app"), adapter(t, "rest", "https://mail.test/api/v2.0", "user")
	for url, want := range map[string]string{"/me/mailFolders/inbox/messages/{{id}}": "GET /me/mailFolders/inbox/messages/{id}", "/me/calendarView": "GET /me/calendarView"} {
		_, gt := send(t, g, asked("GET", url, ""))
		_, rt := send(t, r, asked("GET", url, ""))
		if gt.Endpoint != want || rt.Endpoint != want {
			t.Errorf("%s is %q on Graph and %q on REST, want %q", url, gt.Endpoint, rt.Endpoint, want)
		}
	}
	_, rt := send(t, r, asked("GET", "/me/messages?$select=subject,flag", ""))
	if diff := cmp.Diff([]string{"subject", "flag"}, rt.Select); diff != "" {
		t.Errorf("select is not in Graph's words: %s", diff)
	}
}

func TestRestRefusesWithAReasonWhatItNeverHad(t *testing.T) {
	v2, v1 := adapter(t, "rest", "https://mail.test/api/v2.0", ""), adapter(t, "rest", "https://mail.test/api/v1.0", "")
	for _, c := range []struct {
		a                 paths.Adapter
		method, url, body string
		reason            string
	}{
		{v2, "GET", "/me/mailFolders/inbox/messages/delta", "", "odata.track-changes"},
		{v2, "POST", "/$batch", `{"requests":[]}`, "no JSON batching"},
		{v2, "POST", "/me/calendar/getSchedule", `{}`, "getSchedule came later"},
		{v2, "GET", "/me/mailboxSettings", "", "mailbox settings"},
		{v2, "GET", "/me/outlook/masterCategories", "", "came later"},
		{v2, "GET", "/me", "", "object of the directory"},
		{v2, "GET", "/groups", "", "objects of the directory"},
		{v2, "GET", "/organization", "", "not part of mail, calendar and contacts"},
		{v2, "GET", "/beta/me/messages", "", "beta is not offered"},
		{v2, "GET", "/me/messages?$filter=flag/flagStatus eq 'flagged'", "", "cannot filter by flag"},
		{v2, "GET", "/me/messages?$orderby=internetMessageId", "", "cannot order by internetMessageId"},
		{v2, "GET", "/me/events?$expand=exceptionOccurrences", "", "cannot expand exceptionOccurrences"},
		{v2, "PATCH", "/me/messages/{{id}}", `{"flag":{"flagStatus":"flagged"}}`, "have no such property"},
		{v2, "GET", "/me/messages/{{id}}/$value", "", "raw content"},
		{v1, "POST", "/me/events", `{"start":{"dateTime":"x","timeZone":"y"}}`, "v1.0 writes start"},
	} {
		_, err := c.a.Prepare(asked(c.method, c.url, c.body))
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %s: error %v, want unsupported with %q", c.method, c.url, err, c.reason)
		}
	}
}

func TestPlainTranslatesNothing(t *testing.T) {
	got, template := send(t, adapter(t, "plain", "https://any.test/base", ""), asked("POST", "/me/things?a=b c", `{"me":1}`))
	if got.URL != "https://any.test/base/me/things?a=b%20c" || string(got.Body) != `{"me":1}` || !template.Static {
		t.Errorf("sent %s %s", got.URL, got.Body)
	}
}

func TestNewSaysWhatIsWrongWithAPath(t *testing.T) {
	for _, c := range []struct {
		kind   string
		params map[string]any
		want   string
	}{
		{"smoke-signals", nil, `path p: unknown dialect "smoke-signals" (known: graph, plain, rest)`},
		{"rest", map[string]any{"url": "https://mail.test/api"}, "ends with its version"},
		{"graph", map[string]any{"url": "https://g.test", "as": "nobody"}, "as"},
		{"plain", map[string]any{"uri": "https://g.test"}, "uri"},
	} {
		_, err := paths.New(profiles.Path{Name: "p", Dialect: strictyaml.NewBlock(c.kind, strictyaml.Pos{File: "x.yaml", Line: 1, Col: 1}, c.params)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want %q", c.kind, c.params, err, c.want)
		}
	}
}

func TestAnswersAreReadAlikeOnEveryPath(t *testing.T) {
	for _, kind := range []string{"graph", "rest"} {
		a := adapter(t, kind, "https://h.test/api/v2.0", "user")
		doc, _ := canon.Parse([]byte(`{"@odata.nextLink":"https://h.test/next?$skip=10","value":[]}`), a.Dialect(), nil)
		if url, ok := a.Next(doc); url != "https://h.test/next?$skip=10" || !ok {
			t.Errorf("%s: next is %q, %v", kind, url, ok)
		}
		doc, _ = canon.Parse([]byte(`{"error":{"code":"ErrorItemNotFound","message":"x"}}`), a.Dialect(), nil)
		if code := a.ErrorCode(doc); code != "ErrorItemNotFound" {
			t.Errorf("%s: code is %q", kind, code)
		}
		if _, ok := a.Next(doc); ok {
			t.Errorf("%s: an error has a next page", kind)
		}
		doc, _ = canon.Parse([]byte(`<html>`), a.Dialect(), nil)
		if code := a.ErrorCode(doc); code != "" {
			t.Errorf("%s: a page of HTML has the code %q", kind, code)
		}
	}
	a := adapter(t, "graph", "https://h.test/v1.0", "")
	if throttled, after := a.Pushback(&wire.Response{Status: 429, Header: wire.Header{{Name: "Retry-After", Value: "3"}}}); !throttled || after != 3*time.Second {
		t.Errorf("pushback is %v, %v", throttled, after)
	}
	want := request.Description{Dialect: "rest", Version: "v2.0", Root: "https://h.test/api/v2.0", Hosts: []string{"h.test:443"}, As: "user", PageCap: 50}
	if diff := cmp.Diff(want, adapter(t, "rest", "https://h.test/api/v2.0/", "").Describe()); diff != "" {
		t.Errorf("description (-want +got)\n%s", diff)
	}
}

func TestVerbatimKeepsAPathsOwnWords(t *testing.T) {
	template, err := paths.Verbatim(adapter(t, "rest", "https://h.test/api/v2.0", ""), asked("GET", "/EWS/x", ""))
	if err != nil {
		t.Fatal(err)
	}
	var r wire.Request
	if err := template.Build(scope, &r); err != nil || r.URL != "https://h.test/EWS/x" {
		t.Errorf("sent to %s, %v", r.URL, err)
	}
}

func TestDialectsAreListedByName(t *testing.T) {
	var names []string
	for _, d := range paths.Dialects() {
		names = append(names, d.Name)
	}
	if diff := cmp.Diff([]string{"graph", "plain", "rest"}, names); diff != "" {
		t.Error(diff)
	}
}
