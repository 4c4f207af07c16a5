package onprem_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-ntlmssp"
	"github.com/google/go-cmp/cmp"

	"cutover/harness/lab/onprem"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

func (s *site) token(change func(*token.Grant)) string {
	s.t.Helper()
	u := s.mb.User()
	g := token.Grant{Audience: base, App: "app", Object: u.OID, UPN: u.UPN, Scopes: []string{"Mail.ReadWrite"}}
	if change != nil {
		change(&g)
	}
	raw, err := s.tokens.Issue(g)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

const challenge = `Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@TENANT", token_types="app_asserted_user_v1 service_asserted_app_v1"`

func TestTheChallengeNamesTheTrustedIssuer(t *testing.T) {
	s := open(t, nil)
	s.header.Set("Authorization", "Bearer ")
	w := s.ask(http.MethodGet, "/api/v2.0/me", "")
	// An empty token is how a client asks for the challenge.
	want := []string{strings.Replace(challenge, "TENANT", s.store.Tenant(), 1) + `, authorization_uri="https://login.windows.net/common/oauth2/authorize"`, `Basic realm="mail.contoso.test"`}
	if diff := cmp.Diff(want, w.Header()["Www-Authenticate"]); w.Code != 401 || diff != "" || w.Body.Len() != 0 {
		t.Errorf("%d, %d bytes\n%s", w.Code, w.Body.Len(), diff)
	}
	if w.Header().Get("X-OWA-Version") != "15.1.1713.5" || w.Header().Get("X-FEServer") != "EX01" || w.Header().Get("request-id") == "" {
		t.Errorf("%v", w.Header())
	}
}

func TestAWrongTokenIsRefusedWithItsDiagnostics(t *testing.T) {
	s := open(t, nil)
	good := s.token(nil)
	for _, row := range []struct {
		name, raw, want string
	}{
		{"it is malformed", "nonsense", `2000001;reason="The token is malformed.";error_category="invalid_token"`},
		{"it was tampered with", good[:len(good)-8] + "AAAAAAAA", `2000000;reason="The signature of the token is not valid.";error_category="invalid_signature"`},
		{"it claims alg none", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(good, ".")[1] + ".", `2000000;reason="The signature of the token is not valid.";error_category="invalid_signature"`},
		{"it has expired", s.token(func(g *token.Grant) { g.Start = store.Epoch.Add(-2 * time.Hour) }), `2000002;reason="The token has expired.";error_category="token_expired"`},
		{"it is of another tenant", s.token(func(g *token.Grant) { g.Tenant = "x" }), `2000004;reason="The tenant of the token is not known.";error_category="invalid_tenant"`},
		{"it is for Graph", s.token(func(g *token.Grant) { g.Audience = token.GraphAudience }), `2000003;reason="The audience claim value is invalid 'aud'.";error_category="invalid_resource"`},
		{"its user is unknown", s.token(func(g *token.Grant) { g.UPN = "ghost@contoso.test" }), `2000005;reason="The user of the token was not found.";error_category="invalid_user"`},
		{"it has no scope", s.token(func(g *token.Grant) { g.Scopes = nil }), `2000008;reason="The token has no scope that the protocol knows.";error_category="invalid_grant"`},
		{"it is Graph's own without a user", s.token(func(g *token.Grant) { g.UPN, g.Relayed = "", true }), `2000001;reason="This token profile 'V1S2SAppOnly' is not applicable for the current protocol.";error_category="invalid_token"`},
		{"it is an application's", s.token(func(g *token.Grant) { g.UPN = "" }), `2000008;reason="The token should have valid permissions or linked account associated with partner application 'app'.";error_category="invalid_grant"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.header.Set("Authorization", "Bearer "+row.raw)
			w := s.ask(http.MethodGet, "/api/v2.0/me/messages", "")
			if w.Code != 401 || w.Header().Get("x-ms-diagnostics") != row.want {
				t.Errorf("got %d %s, want %s", w.Code, w.Header().Get("x-ms-diagnostics"), row.want)
			}
			if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, strings.Replace(challenge, "TENANT", s.store.Tenant(), 1)+`, error="invalid_`) {
				t.Errorf("challenge %s", got)
			}
		})
	}
}

func TestATokenOpensItsOwnMailboxAsFarAsItsScopesGo(t *testing.T) {
	s := open(t, nil)
	s.header.Set("Authorization", "Bearer "+s.token(func(g *token.Grant) { g.Scopes = []string{"Mail.Read"} }))
	s.get("/api/v2.0/me/messages?$top=1")
	s.get("/api/v2.0/users/" + s.mb.User().SMTP + "/messages?$top=1")
	s.get("/api/v2.0/Users('" + s.mb.User().OID + "@" + s.store.Tenant() + "')/messages?$top=1")
	s.refused(http.MethodPost, "/api/v2.0/me/messages", `{}`, 403, "ErrorAccessDenied")
	s.refused(http.MethodPost, "/api/v2.0/me/sendmail", `{}`, 403, "ErrorAccessDenied")
	s.refused(http.MethodGet, "/api/v2.0/me/contacts", "", 403, "ErrorAccessDenied")
	s.refused(http.MethodGet, "/api/v2.0/users/"+s.store.Pairs()[1].OnPrem.User().SMTP+"/messages", "", 403, "ErrorAccessDenied")
	s.refused(http.MethodGet, "/api/v2.0/users/ghost@contoso.test/messages", "", 404, "ErrorInvalidUser")
	if err := s.store.Move(s.mb.User().SMTP, store.Cloud, store.MoveOptions{}); err != nil {
		t.Fatal(err)
	}
	s.refused(http.MethodGet, "/api/v2.0/me/messages", "", 404, "ErrorNonExistentMailbox")
}

func TestBasicTakesThreeFormsOfALogin(t *testing.T) {
	s := open(t, nil)
	u := s.mb.User()
	for login, want := range map[string]int{
		u.UPN: 200, `CONTOSO\` + u.Login: 200, u.Login: 200, `contoso.test\` + u.Login: 200,
		`OTHER\` + u.Login: 401, "ghost": 401,
	} {
		r := httptest.NewRequest(http.MethodGet, base+"/api/v2.0/me", nil)
		r.SetBasicAuth(login, u.Password)
		w := httptest.NewRecorder()
		s.front.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", login, w.Code, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, base+"/api/v2.0/users/"+u.SMTP+"/messages?$top=1", nil)
	r.SetBasicAuth(`CONTOSO\svc`, "service secret")
	w := httptest.NewRecorder()
	s.front.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("the service account: %d %s", w.Code, w.Body)
	}
	off := open(t, func(c *onprem.Config) { c.NoBasic, c.NoOAuth = true, true })
	if w := off.ask(http.MethodGet, "/api/v2.0/me", ""); w.Code != 401 || len(w.Header()["Www-Authenticate"]) != 0 {
		t.Errorf("with everything off: %d %v", w.Code, w.Header())
	}
}

// windows is the site behind a real server, which NTLM needs.
func (s *site) windows() (*httptest.Server, *http.Client) {
	server := httptest.NewUnstartedServer(s.front)
	server.Config.ConnContext = onprem.ConnContext
	server.Start()
	s.t.Cleanup(server.Close)
	return server, &http.Client{Transport: ntlmssp.Negotiator{RoundTripper: &http.Transport{MaxConnsPerHost: 2, MaxIdleConnsPerHost: 2}}}
}

func TestNTLMSignsInOverOneConnection(t *testing.T) {
	s := open(t, func(c *onprem.Config) { c.NoBasic = true })
	u := s.mb.User()
	for _, row := range []struct {
		user, password string
		want           int
	}{
		{`CONTOSO\` + u.Login, u.Password, 200},
		{u.UPN, u.Password, 200},
		{`CONTOSO\` + u.Login, "guess", 401},
		{`OTHER\` + u.Login, u.Password, 401},
	} {
		server, client := s.windows()
		for range 2 {
			r, _ := http.NewRequest(http.MethodGet, server.URL+"/api/v2.0/me/messages?$top=1", nil)
			r.SetBasicAuth(row.user, row.password)
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != row.want {
				t.Errorf("%s: got %d, want %d", row.user, resp.StatusCode, row.want)
			}
		}
	}
}

func TestExtendedProtectionAsksForTheChannel(t *testing.T) {
	hash := bytes.Repeat([]byte{7}, 32)
	for protection, want := range map[string]int{"off": 200, "allow": 200, "require": 401} {
		s := open(t, func(c *onprem.Config) { c.ExtendedProtection, c.ServerCertificateHash = protection, hash })
		server, client := s.windows()
		r, _ := http.NewRequest(http.MethodGet, server.URL+"/api/v2.0/me", nil)
		r.SetBasicAuth(`CONTOSO\`+s.mb.User().Login, s.mb.User().Password)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", protection, resp.StatusCode, want)
		}
	}
	// The structure of RFC 5929 for a hash of 32 times 7, computed by hand.
	if got := hex.EncodeToString(onprem.ChannelBinding(hash)); len(got) != 32 || got == hex.EncodeToString(onprem.ChannelBinding(nil)) {
		t.Errorf("binding %s", got)
	}
}

func TestTheFrontEndFiltersAndReportsItsHealth(t *testing.T) {
	s := open(t, func(c *onprem.Config) {
		c.Nodes = []onprem.Node{{Name: "EX01", Build: "15.1.1713.5", API: true}, {Name: "EX13", Build: "15.0.1497.48"}, {Name: "EX02", Build: "15.1.1713.5", API: true, Down: []string{"api"}}}
	})
	var got []string
	for range 6 {
		w := s.ask(http.MethodGet, "/api/healthcheck.htm", "")
		got = append(got, w.Header().Get("X-FEServer")+" "+http.StatusText(w.Code))
	}
	want := []string{"EX01 OK", "EX13 Not Found", "EX02 Service Unavailable", "EX01 OK", "EX13 Not Found", "EX02 Service Unavailable"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	one := open(t, nil)
	if w := one.ask(http.MethodGet, "/owa/healthcheck.htm", ""); w.Body.String() != "200 OK<br/>EX01.CONTOSO.TEST" {
		t.Errorf("health page %s", w.Body)
	}
	for name, row := range map[string]struct {
		path string
		want int
	}{
		"a path of 2,100 bytes":  {"/api/v2.0/me/messages/" + strings.Repeat("x", 2100), 404},
		"a query of 4,200 bytes": {"/api/v2.0/me/messages?$filter=" + strings.Repeat("x", 4200), 404},
		"an unknown directory":   {"/nothing", 404},
		"OWA":                    {"/owa/", 302},
		"a protocol of its own":  {"/EWS/Exchange.asmx", 501},
	} {
		if w := one.ask(http.MethodGet, row.path, ""); w.Code != row.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, row.want)
		}
	}
	small := open(t, func(c *onprem.Config) { c.MaxBody = 100 })
	if w := small.ask(http.MethodPost, "/api/v2.0/me/messages", `{"Subject":"`+strings.Repeat("x", 200)+`"}`); w.Code != 413 {
		t.Errorf("a body over the limit: %d", w.Code)
	}
	one.header.Set("client-request-id", "c-1")
	one.header.Set("return-client-request-id", "true")
	w := one.ask(http.MethodGet, "/api/v2.0/me", "")
	if h := w.Header(); h.Get("client-request-id") != "c-1" || h.Get("X-CalculatedBETarget") != "ex01.contoso.test" || h.Get("X-BEServer") != "EX01" {
		t.Errorf("%v", h)
	}
	one.refused(http.MethodPut, "/api/v2.0/me/messages", "{}", 405, "ErrorInvalidRequest")
}
