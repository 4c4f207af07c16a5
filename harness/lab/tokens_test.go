package lab_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

func TestAWrongTokenFailsAtGraphAsItWouldInProduction(t *testing.T) {
	lasting := start(t, lab.Options{})
	good := lasting.app(0)
	parts := strings.Split(good, ".")
	foreign := start(t, lab.Options{}).app(0)
	p := lasting.info.Pairs[0]
	own := lasting.user(p.OnPremUPN, p.OnPremPassword, origin(lasting.info.Rest)+"/.default")
	limited := lasting.app(2)
	viewer := lasting.token(url.Values{"client_id": {lasting.info.Clients[3].ID}, "grant_type": {"password"}, "username": {p.CloudUPN}, "password": {p.CloudPassword}, "scope": {graphScope}})
	messages := "/users/" + p.CloudUPN + "/messages?$top=1"
	for _, row := range []struct {
		name, token, method, path, body string
		status                          int
		code, message                   string
	}{
		{"it is absent", "", "GET", messages, "", 401, "InvalidAuthenticationToken", "Access token is empty."},
		{"it is no JSON web token", "opaque", "GET", messages, "", 401, "InvalidAuthenticationToken", "CompactToken parsing failed with error code: 80049217"},
		{"it claims alg none", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + ".", "GET", messages, "", 401, "InvalidAuthenticationToken", "Access token validation failure."},
		{"it was tampered with", parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), "GET", messages, "", 401, "InvalidAuthenticationToken", "Access token validation failure. Signature is invalid."},
		{"another lab signed it", foreign, "GET", messages, "", 401, "InvalidAuthenticationToken", "Access token validation failure."},
		{"it is for the on-prem servers", own, "GET", messages, "", 401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."},
		{"its application may only read", limited, "POST", "/users/" + p.CloudUPN + "/messages", `{}`, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."},
		{"its user's application may only read mail", viewer, "GET", "/me/contacts", "", 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."},
		{"it has no user and asks for /me", good, "GET", "/me/messages", "", 400, "BadRequest", "/me request is only valid with delegated authentication flow."},
		{"it is right", good, "GET", messages, "", 200, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := lasting.ask(row.token, row.method, lasting.info.Graph+row.path, row.body)
			if got.status != row.status || got.code != row.code || got.message != row.message {
				t.Errorf("got %d %s %q, want %d %s %q", got.status, got.code, got.message, row.status, row.code, row.message)
			}
			challenge := got.header.Get("WWW-Authenticate")
			if want := `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`; row.status == 401 && challenge != want {
				t.Errorf("challenge %s", challenge)
			}
		})
	}
}

func TestATokenEndsWithItsLifetime(t *testing.T) {
	c := clock.NewFake(time.Now())
	w := start(t, lab.Options{TokenLifetime: "90s", Clock: c})
	app, address := w.app(0), w.info.Graph+"/users/"+w.info.Pairs[0].CloudUPN+"/messages?$top=1"
	if got := w.get(app, address); got.status != 200 {
		t.Errorf("at once: %d %s", got.status, got.body)
	}
	c.Advance(90 * time.Second)
	if got := w.get(app, address); got.status != 401 || got.message != "Lifetime validation failed, the token is expired." {
		t.Errorf("after 90 s: %d %s", got.status, got.body)
	}
}

func TestEveryClientSignsInAsItsKind(t *testing.T) {
	w := start(t, lab.Options{})
	if got := w.get(w.app(0), w.info.Graph+"/users/"+w.info.Pairs[0].CloudUPN+"/contacts?$top=1"); got.status != 200 {
		t.Errorf("app-only: %d %s", got.status, got.body)
	}
	p := w.info.Pairs[0]
	rest := w.user(p.OnPremUPN, p.OnPremPassword, origin(w.info.Rest)+"/.default")
	if got := w.get(rest, w.info.Rest+"/me/messages?$top=1"); got.status != 200 {
		t.Errorf("delegated on-prem: %d %s", got.status, got.body)
	}
	graph := w.user(p.CloudUPN, p.CloudPassword, origin(w.info.Graph)+"/.default")
	if got := w.get(graph, w.info.Graph+"/me/messages?$top=1"); got.status != 200 {
		t.Errorf("delegated by the lab's own name for Graph: %d %s", got.status, got.body)
	}
	exchange := w.app(0)
	if got := w.get(exchange, w.info.Rest+"/me/messages"); got.status != 401 || !strings.HasPrefix(got.header.Get("x-ms-diagnostics"), "2000003;") {
		t.Errorf("Graph's token on-prem: %d %s", got.status, got.header.Get("x-ms-diagnostics"))
	}
	service := w.info.ServiceAccount
	if got := w.get("", w.info.Rest+"/users/"+p.OnPremUPN+"/messages?$top=1", "Authorization", "Basic "+basic(service.Login, service.Password)); got.status != 200 {
		t.Errorf("service account: %d %s", got.status, got.body)
	}
	if !strings.Contains(string(w.lab.ClientPEM()), "PRIVATE KEY") {
		t.Error("the client certificate has no key")
	}
	if got := w.ask("", http.MethodGet, w.info.Control+"/info", ""); got.doc["tenant"] != w.info.Tenant {
		t.Errorf("info: %s", got.body)
	}
}
