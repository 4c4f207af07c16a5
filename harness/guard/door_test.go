package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/guard"
	"cutover/harness/result"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

// sink is a server that remembers what reached it.
type sink struct {
	*httptest.Server
	slow chan struct{} // told of each request that is not answered

	mu  sync.Mutex
	got []string // "METHOD /path" plus the credentials that came along
}

func listen(t *testing.T, tls bool) *sink {
	t.Helper()
	s := &sink{slow: make(chan struct{}, 10)}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		line := r.Method + " " + r.URL.Path
		for _, name := range []string{"Authorization", "Cookie"} {
			if v := r.Header.Get(name); v != "" {
				line += " " + name
			}
		}
		s.mu.Lock()
		s.got = append(s.got, line)
		s.mu.Unlock()
		switch r.URL.Path {
		case "/away":
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(http.StatusFound)
		case "/slow":
			s.slow <- struct{}{}
			<-r.Context().Done()
		default:
			w.Header().Set("request-id", "req-1")
			fmt.Fprintf(w, "%d bytes", len(body))
		}
	})
	if tls {
		s.Server = httptest.NewTLSServer(h)
	} else {
		s.Server = httptest.NewServer(h)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *sink) reached() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.got...)
}

func (s *sink) host() string { return s.Listener.Addr().String() }

func door(t *testing.T, r guard.Rules) *guard.Door {
	t.Helper()
	d, err := guard.Open(r)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

func path(t *testing.T, d *guard.Door, name string) *guard.Doer {
	t.Helper()
	p, err := d.Path(name, guard.Options{})
	if err != nil {
		t.Fatalf("Path: %v", err)
	}
	return p
}

// rule sends req and returns the rule that refused it, "" when it was sent.
func rule(t *testing.T, p wire.Doer, req *wire.Request) string {
	t.Helper()
	var call wire.Call
	p.Do(t.Context(), req, &call)
	if call.Failure == nil {
		return ""
	}
	var r *guard.Refusal
	if !errors.As(call.Failure, &r) || call.Failure.Kind != wire.Refused {
		t.Fatalf("%s %s failed otherwise: %v", req.Method, req.URL, call.Failure)
	}
	if r.What == "" || r.Remedy == "" {
		t.Errorf("the refusal by %s says too little: %+v", r.Rule, r)
	}
	return r.Rule
}

func parsed(t *testing.T, text string) *guard.Consent {
	t.Helper()
	c, err := guard.ParseConsent("consent.yaml", []byte(text))
	if err != nil {
		t.Fatalf("consent: %v", err)
	}
	return c
}

// agreed is a consent for mail.contoso.test and graph.contoso.test that always
// holds; more adds or replaces lines.
func agreed(t *testing.T, more ...string) *guard.Consent {
	t.Helper()
	lines := []string{"consent: v1", "kind: run", "tenant: contoso.test", "hosts: [mail.contoso.test, graph.contoso.test]", "mailboxes: [ann@contoso.test, '@lab.test']",
		"operations: [read, create, change, delete, mail]", "recipients: [ann@contoso.test, '@lab.test']", "rate: 50/s", "expires: 2999-12-31", "approver: Jane Doe", "mails: 1000"}
	for _, m := range more {
		key, _, _ := strings.Cut(m, ":")
		replaced := false
		for i, l := range lines {
			if strings.HasPrefix(l, key+":") {
				lines[i], replaced = m, true
			}
		}
		if !replaced {
			lines = append(lines, m)
		}
	}
	return parsed(t, strings.Join(lines, "\n")+"\n")
}

func TestNothingLeavesThisMachineWithoutConsent(t *testing.T) {
	tests := []struct {
		name    string
		target  string
		rules   guard.Rules
		refused string
	}{
		{"lets a loopback address through", "https://127.0.0.1:8443/v1.0", guard.Rules{}, ""},
		{"lets the whole loopback network through", "http://127.9.9.9/", guard.Rules{}, ""},
		{"lets IPv6 loopback through", "https://[::1]/", guard.Rules{}, ""},
		{"lets localhost through", "https://LOCALHOST/", guard.Rules{}, ""},
		{"lets a name through that is mapped to loopback", "https://mail.contoso.test/api", guard.Rules{Resolve: map[string]string{"mail.contoso.test:443": "127.0.0.1:8443"}}, ""},
		{"refuses a public address", "https://203.0.113.7/", guard.Rules{}, "target"},
		{"refuses a private address", "https://10.0.0.1/", guard.Rules{}, "target"},
		{"refuses a name, without asking DNS", "https://mail.contoso.test/", guard.Rules{}, "target"},
		{"refuses a name that only begins like localhost", "https://localhost.evil.test/", guard.Rules{}, "target"},
		{"refuses a name that is mapped elsewhere", "https://localhost/", guard.Rules{Resolve: map[string]string{"localhost:443": "203.0.113.7"}}, "target"},
		{"refuses loopback in an unusual spelling, which resolvers differ on", "https://2130706433/", guard.Rules{}, "target"},
		{"refuses user information, which hides the host", "https://127.0.0.1@evil.test/", guard.Rules{}, "target"},
		{"refuses what is not HTTP", "ftp://127.0.0.1/", guard.Rules{}, "target"},
		{"lets a consented name through", "https://mail.contoso.test/", guard.Rules{Consent: agreed(t)}, ""},
		{"refuses a name that the consent does not list", "https://other.contoso.test/", guard.Rules{Consent: agreed(t)}, "target"},
		{"refuses another port of a consented name", "https://mail.contoso.test:8443/", guard.Rules{Consent: agreed(t)}, "target"},
		{"refuses a consented name from the lab", "https://mail.contoso.test/", guard.Rules{Consent: agreed(t), Simulated: true}, "target"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			got := ""
			err := test.rules.CheckTargets([]string{test.target})
			if r := new(guard.Refusal); errors.As(err, &r) {
				got = r.Rule
			}
			if got != test.refused {
				t.Errorf("CheckTargets(%s) = %v, want rule %q", test.target, err, test.refused)
			}
			if hostport, err := guard.HostPort(test.target); err == nil {
				test.rules.Hosts = map[string][]string{"cloud": {hostport}}
				d, err := guard.Open(test.rules)
				if (err != nil) != (test.refused != "") {
					t.Errorf("Open = %v", err)
				}
				if err == nil {
					d.Close()
				}
			}
		})
	}
	if err := guard.CheckTargets([]string{"https://127.0.0.1/", "https://graph.microsoft.com/v1.0"}); err == nil {
		t.Error("CheckTargets let a cloud through without consent")
	}
}

func TestAPathLeadsOnlyToItsOwnHosts(t *testing.T) {
	own, other := listen(t, false), listen(t, false)
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}, "onprem": {other.host()}}})
	p := path(t, d, "cloud")
	tests := []struct{ name, url, rule string }{
		{"follows the path's own host", own.URL + "/me", ""},
		{"does not follow to another path's host", other.URL + "/me", "host"},
		{"does not follow to another port", "http://127.0.0.1:1/me", "host"},
		{"does not follow to a link-local address", "http://169.254.169.254/latest/meta-data", "host"},
		{"does not take user information for the host", "http://" + own.host() + "@192.0.2.1/", "host"},
		{"does not take a backslash for a slash", "http://192.0.2.1\\@" + own.host() + "/", "host"},
		{"does not send line breaks", own.URL + "/me\r\nHost: evil", "host"},
		{"does not send blanks", own.URL + "/a b", "host"},
		{"does not speak another scheme", "gopher://" + own.host() + "/", "host"},
		{"does not send a relative address", "/me", "host"},
		{"does not send nowhere", "http:///me", "host"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			if got := rule(t, p, &wire.Request{Method: "GET", URL: test.url}); got != test.rule {
				t.Errorf("rule = %q, want %q", got, test.rule)
			}
		})
	}
	if diff := cmp.Diff([]string{"GET /me"}, own.reached()); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if got := other.reached(); len(got) != 0 {
		t.Errorf("the other path's host was reached: %v", got)
	}
}

func TestRedirectsAreAnswersAndNotFollowed(t *testing.T) {
	own := listen(t, false)
	p := path(t, door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}}), "cloud")
	var call wire.Call
	p.Do(t.Context(), &wire.Request{Method: "GET", URL: own.URL + "/away"}, &call)
	if call.Failure != nil || call.Response.Status != http.StatusFound {
		t.Errorf("answer = %d, %v; want 302", call.Response.Status, call.Failure)
	}
}

func TestTheAddressIsJudgedAgainWhenTheConnectionIsMade(t *testing.T) {
	for _, test := range []struct {
		name    string
		consent *guard.Consent
		address string
	}{
		{"refuses an address outside the consented networks", agreed(t, "networks: [203.0.113.0/24]"), "192.0.2.1"},
		{"refuses the metadata service of a cloud host", agreed(t), "169.254.169.254"},
		{"refuses it in IPv6 clothes", agreed(t), "[::ffff:169.254.169.254]"},
		{"refuses multicast", agreed(t), "224.0.0.1"},
	} {
		t.Run("it "+test.name, func(t *testing.T) {
			d := door(t, guard.Rules{Consent: test.consent, Hosts: map[string][]string{"cloud": {"mail.contoso.test:443"}},
				Resolve: map[string]string{"mail.contoso.test:443": test.address + ":443"}})
			if got := rule(t, path(t, d, "cloud"), &wire.Request{Method: "GET", URL: "https://mail.contoso.test/api"}); got != "address" {
				t.Errorf("rule = %q, want address", got)
			}
			if got := d.Traffic()["cloud"].Sum(); got != 0 {
				t.Errorf("traffic = %d, want none", got)
			}
		})
	}
}

func TestACredentialIsNotSentWhereItDoesNotBelong(t *testing.T) {
	own, uploads := listen(t, false), listen(t, false)
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}, Uploads: map[string][]string{"cloud": {uploads.host()}}})
	p := path(t, d, "cloud")
	secret := &wire.Request{Method: "PUT", Authorization: "Bearer canary", Header: wire.Header{{Name: "cookie", Value: "canary"}, {Name: "Content-Range", Value: "bytes 0-1/2"}}}
	for _, to := range []*sink{own, uploads} {
		req := *secret
		req.URL = to.URL + "/upload"
		if got := rule(t, p, &req); got != "" {
			t.Fatalf("refused by %s", got)
		}
	}
	if diff := cmp.Diff([]string{"PUT /upload Authorization Cookie"}, own.reached()); diff != "" {
		t.Errorf("own host (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"PUT /upload"}, uploads.reached()); diff != "" {
		t.Errorf("upload host (-want +got):\n%s", diff)
	}
	clear := door(t, guard.Rules{Consent: agreed(t, "hosts: ['mail.contoso.test:80']"), Hosts: map[string][]string{"cloud": {"mail.contoso.test:80"}}})
	if got := rule(t, path(t, clear, "cloud"), &wire.Request{Method: "GET", URL: "http://mail.contoso.test/", Authorization: "Basic x"}); got != "host" {
		t.Errorf("a credential in clear: rule = %q, want host", got)
	}
}

func TestTheContentOfAnUploadMayBeAnything(t *testing.T) {
	own := listen(t, true)
	rules := real(t, own, agreed(t, "hosts: [graph.contoso.test, outlook.contoso.test, mail.contoso.test]"))
	rules.Uploads = map[string][]string{"cloud": {"outlook.contoso.test:443"}}
	rules.Resolve["outlook.contoso.test:443"] = own.host()
	p := through(t, own, rules)
	content := []byte("\x89PNG\xff\xfe To: x@y.test")
	got := []string{rule(t, p, &wire.Request{Method: "PUT", URL: "https://outlook.contoso.test/session", Body: content, Mailbox: "ann"}),
		rule(t, p, &wire.Request{Method: "POST", URL: "https://outlook.contoso.test/session", Body: content, Mailbox: "ann", Effect: wire.Effect{Writes: true}}),
		rule(t, p, &wire.Request{Method: "PUT", URL: root + "/me/messages/mine/$value", Body: content, Mailbox: "ann"})}
	if diff := cmp.Diff([]string{"", "recipient", "recipient"}, got); diff != "" {
		t.Errorf("to the upload host, otherwise than as content, and to the path's own host (-want +got):\n%s", diff)
	}
}

func TestAnUploadHostNeedsConsentToo(t *testing.T) {
	rules := func(c *guard.Consent) guard.Rules {
		return guard.Rules{Consent: c, Hosts: map[string][]string{"cloud": {"graph.contoso.test:443"}}, Uploads: map[string][]string{"cloud": {"outlook.contoso.test:443"}},
			Resolve: map[string]string{"outlook.contoso.test:443": "224.0.0.1:443"}} // reached, it is refused as multicast
	}
	req := &wire.Request{Method: "GET", URL: "https://outlook.contoso.test/session"}
	got := []string{rule(t, path(t, door(t, rules(agreed(t))), "cloud"), req),
		rule(t, path(t, door(t, rules(agreed(t, "hosts: [graph.contoso.test, outlook.contoso.test]"))), "cloud"), req)}
	if diff := cmp.Diff([]string{"host", "address"}, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"outlook.office.com:443", "outlook.office365.com:443"}, guard.UploadHosts("graph.microsoft.com:443")); diff != "" {
		t.Errorf("upload hosts (-want +got):\n%s", diff)
	}
}

func TestAStepCannotSetHeadersThatDeceive(t *testing.T) {
	own := listen(t, false)
	p := path(t, door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}}), "cloud")
	for _, f := range []wire.Field{{Name: "Host", Value: "evil.test"}, {Name: "authorization", Value: "Bearer x"}, {Name: "X-HTTP-Method-Override", Value: "DELETE"},
		{Name: "Transfer-Encoding", Value: "chunked"}, {Name: "X-Any", Value: "a\r\nX-Evil: 1"}, {Name: "X-Any: b\nX-Evil", Value: "1"}} {
		if got := rule(t, p, &wire.Request{Method: "GET", URL: own.URL + "/me", Header: wire.Header{f}}); got != "header" {
			t.Errorf("header %q: rule = %q, want header", f.Name, got)
		}
	}
	if got := own.reached(); len(got) != 0 {
		t.Errorf("reached: %v", got)
	}
}

func TestTrafficIsCountedWhenItWasPutOnTheWire(t *testing.T) {
	own := listen(t, false)
	gone := listen(t, false)
	gone.Server.Close()
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host(), gone.host()}}})
	p := path(t, d, "cloud")
	for _, k := range wire.Kinds {
		for range int(k) + 1 {
			rule(t, p, &wire.Request{Kind: k, Method: "GET", URL: own.URL + "/me"})
		}
	}
	rule(t, p, &wire.Request{Method: "GET", URL: "http://192.0.2.1/"}) // refused: not counted
	var call wire.Call
	p.Do(t.Context(), &wire.Request{Method: "GET", URL: gone.URL}, &call) // nobody listens: not counted
	if call.Failure == nil || call.Failure.Kind != wire.Connect {
		t.Fatalf("failure = %v", call.Failure)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	p.Do(ctx, &wire.Request{Method: "GET", URL: own.URL + "/slow"}, &call) // sent and given up: counted
	want := map[string]result.Traffic{"cloud": {Steps: 2, Retries: 2, Pages: 3, Polls: 4, Probes: 5, Fixtures: 6, Tokens: 7}}
	if diff := cmp.Diff(want, d.Traffic()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
	if got, want := uint64(len(own.reached())), want["cloud"].Sum(); got != want {
		t.Errorf("the server counted %d, the door %d", got, want)
	}
}

func TestAClosedDoorSendsNothingAndEndsWhatIsUnderWay(t *testing.T) {
	own := listen(t, false)
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {own.host()}}})
	p := path(t, d, "cloud")
	ended := make(chan string)
	go func() { ended <- rule(t, p, &wire.Request{Method: "GET", URL: own.URL + "/slow"}) }()
	<-own.slow
	d.Close()
	d.Close()
	if got := <-ended; got != "closed" {
		t.Errorf("request under way: rule = %q, want closed", got)
	}
	if got := rule(t, p, &wire.Request{Method: "GET", URL: own.URL + "/me"}); got != "closed" {
		t.Errorf("later request: rule = %q, want closed", got)
	}
}

func TestSigningInReachesTheTokenServiceOnly(t *testing.T) {
	service, other := listen(t, true), listen(t, true)
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {other.host()}}, SignIn: map[string][]string{"cloud": {service.host()}}})
	h, err := d.HTTP("cloud", wire.Token, guard.Options{CA: pool(service)})
	if err != nil {
		t.Fatal(err)
	}
	send := func(url string) string {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader("secret"))
		resp, err := h.Do(req)
		if r := new(guard.Refusal); errors.As(err, &r) {
			return r.Rule
		} else if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp.Status
	}
	got := []string{send(service.URL + "/token"), send(other.URL + "/token"), send("https://login.microsoftonline.com/common/discovery/instance"),
		send(service.URL + "/away"), send(strings.Replace(service.URL, "https", "http", 1) + "/token")}
	d.Close()
	got = append(got, send(service.URL+"/token"))
	if diff := cmp.Diff([]string{"200 OK", "host", "host", "302 Found", "host", "closed"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]result.Traffic{"cloud": {Tokens: 2}}, d.Traffic()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
	h.CloseIdleConnections()
}
