package graph_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
	"cutover/harness/lab/graph"
	"cutover/harness/lab/store"
)

// bench is a Graph over a small deployment. Callers sign in by a fake header:
// "Bearer user:UPN scope scope …" or "Bearer app:ID role role …".
type bench struct {
	t       testing.TB
	store   *store.Store
	service *graph.Service
	me      *store.Mailbox // the cloud twin of pair 0
	headers map[string]string
	token   string
}

const (
	allScopes = "Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite MailboxSettings.ReadWrite User.Read"
	host      = "https://graph.lab.test"
)

func newBench(t testing.TB, edit ...func(*graph.Config)) *bench {
	t.Helper()
	s := store.New(store.Config{Seed: 7, Pairs: 6, Messages: 120})
	cfg := graph.Config{Store: s, Authorise: fakeAuthorise, Base: host, Seed: 1}
	for _, e := range edit {
		e(&cfg)
	}
	b := &bench{t: t, store: s, service: graph.New(cfg), me: s.Pairs()[0].Cloud, headers: map[string]string{}}
	b.token = "user:" + b.me.User().UPN + " " + allScopes
	return b
}

func fakeAuthorise(r *http.Request) (graph.Caller, *graph.Refusal) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return graph.Caller{}, &graph.Refusal{Status: 401, Code: "InvalidAuthenticationToken", Message: "Access token is empty.",
			Header: http.Header{"Www-Authenticate": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`}}}
	}
	who, rest, _ := strings.Cut(token, " ")
	if id, ok := strings.CutPrefix(who, "app:"); ok {
		return graph.Caller{Kind: graph.App, AppID: id, Roles: strings.Fields(rest)}, nil
	}
	return graph.Caller{AppID: "app-1", UPN: strings.TrimPrefix(who, "user:"), Scopes: strings.Fields(rest)}, nil
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (b *bench) do(method, path string, body any, headers ...string) reply {
	b.t.Helper()
	var text string
	switch v := body.(type) {
	case nil:
	case string:
		text = v
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		text = string(raw)
	}
	if !strings.HasPrefix(path, host) {
		path = host + "/v1.0" + path
	}
	r := httptest.NewRequest(method, strings.ReplaceAll(path, " ", "%20"), strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.serve(b.service, r)
}

func (b *bench) serve(h http.Handler, r *http.Request) reply {
	b.t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
	if out.raw != "" && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &out.body); err != nil {
			b.t.Fatalf("%s %s: answer is no JSON: %v\n%s", r.Method, r.URL, err, w.Body)
		}
	}
	return out
}

func (b *bench) get(path string, headers ...string) reply {
	b.t.Helper()
	return b.do("GET", path, nil, headers...)
}

func (b *bench) post(path string, body any, headers ...string) reply {
	b.t.Helper()
	return b.do("POST", path, body, headers...)
}

// ok stops the test unless the answer has the status.
func (r reply) ok(b *bench, status int) reply {
	b.t.Helper()
	if r.status != status {
		b.t.Fatalf("status %d, want %d\n%s", r.status, status, r.raw)
	}
	return r
}

// refused checks an error answer by status and code.
func (r reply) refused(b *bench, status int, code string) {
	b.t.Helper()
	if r.status != status || r.code() != code {
		b.t.Errorf("got %d %s, want %d %s\n%s", r.status, r.code(), status, code, r.raw)
	}
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

func (r reply) text(name string) string { s, _ := r.body[name].(string); return s }

func (r reply) values() []map[string]any {
	list, _ := r.body["value"].([]any)
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i], _ = v.(map[string]any)
	}
	return out
}

func (b *bench) withThrottle(limits faults.Limits) func(*graph.Config) {
	return func(c *graph.Config) { c.Throttle = faults.NewLimiter(limits, clock.NewFake(time.Unix(0, 0))) }
}

func BenchmarkListOfTwentyFiveMessagesWithFiveProperties(b *testing.B) {
	h := newBench(b)
	path := "/v1.0/me/mailFolders/inbox/messages?$top=25&$select=id,subject,from,receivedDateTime,isRead&$orderby=receivedDateTime%20desc"
	r := httptest.NewRequest("GET", host+path, nil)
	r.Header.Set("Authorization", "Bearer "+h.token)
	b.ReportAllocs()
	for b.Loop() {
		w := &discard{header: http.Header{}}
		h.service.ServeHTTP(w, r)
		if w.status != 200 || w.n < 5000 {
			b.Fatal(w.status, w.n)
		}
	}
}

// discard is a response writer that counts.
type discard struct {
	header http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }
