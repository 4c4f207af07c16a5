package sts_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/store"
	"cutover/harness/lab/sts"
	"cutover/harness/lab/token"
)

const (
	serviceApp = "11111111-0000-4000-8000-000000000001"
	desktopApp = "11111111-0000-4000-8000-000000000002"
	secret     = "a secret of the lab"
	namespace  = "https://127.0.0.1:4443"
)

// fixture is a token service on TLS with users of a generated directory.
type fixture struct {
	t      *testing.T
	clock  *clock.Fake
	tokens *token.Authority
	store  *store.Store
	server *httptest.Server
	root   string // authority with the tenant
	config sts.Config
	key    *rsa.PrivateKey
}

func start(t *testing.T, change func(*sts.Config)) *fixture {
	t.Helper()
	now := time.Now()
	f := &fixture{t: t, clock: clock.NewFake(now), store: store.New(store.Config{Pairs: 2})}
	var err error
	if f.tokens, err = token.New(f.store.Tenant(), f.clock); err != nil {
		t.Fatal(err)
	}
	if f.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	var service http.Handler
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { service.ServeHTTP(w, r) }))
	f.server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf(t, now)}}
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	scopes := map[string][]string{token.GraphAudience: {"Mail.Read", "Mail.Send"}, namespace: {"Mail.ReadWrite"}}
	f.config = sts.Config{
		Authority: f.tokens, Store: f.store, Clock: f.clock, Base: f.server.URL, Lifetime: time.Hour,
		Apps: []sts.App{
			{ID: serviceApp, Name: "service", Object: "sp-1", Secret: secret, Keys: []*rsa.PublicKey{&f.key.PublicKey},
				Roles: map[string][]string{token.GraphAudience: {"Mail.ReadWrite"}}, Scopes: scopes, Redirects: []string{"http://localhost"}},
			{ID: desktopApp, Name: "desktop", Object: "sp-2", Public: true, Scopes: scopes, Redirects: []string{"http://localhost"}},
		},
		Resources: []sts.Resource{{Audience: token.GraphAudience, Names: []string{token.GraphApp}}, {Audience: namespace}},
	}
	if change != nil {
		change(&f.config)
	}
	made, err := sts.New(f.config)
	if err != nil {
		t.Fatal(err)
	}
	service = made
	f.root = f.server.URL + "/" + f.store.Tenant()
	return f
}

// leaf is a certificate for 127.0.0.1, which httptest's own is too, but of a key
// that is made here.
func leaf(t *testing.T, now time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sts"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (f *fixture) user() *store.User { return f.store.Pairs()[0].OnPrem.User() }

// post sends a form and reads the answer.
func (f *fixture) post(endpoint string, form url.Values) (int, map[string]any) {
	f.t.Helper()
	resp, err := f.server.Client().PostForm(f.root+endpoint, form)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, decode(f.t, resp)
}

func decode(t *testing.T, resp *http.Response) map[string]any {
	t.Helper()
	defer resp.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatalf("%s: %v", resp.Request.URL, err)
	}
	return doc
}

func (f *fixture) claims(doc map[string]any) *token.Token {
	f.t.Helper()
	raw, _ := doc["access_token"].(string)
	t, fault := f.tokens.Verify(raw)
	if fault != nil {
		f.t.Fatalf("%v in %v", fault, doc)
	}
	return t
}

func TestARefusedSignInNamesItsReason(t *testing.T) {
	f := start(t, func(c *sts.Config) {
		c.Conditions = map[string]int{strings.ToLower(c.Store.Pairs()[1].OnPrem.User().UPN): 50076}
		c.Apps = append(c.Apps, sts.App{ID: "expired", Secret: secret, Condition: 7000222}, sts.App{ID: "loops", Public: true, Condition: 50196}, sts.App{ID: "bare", Public: true})
	})
	service := url.Values{"client_id": {serviceApp}, "client_secret": {secret}, "grant_type": {"client_credentials"}, "scope": {"https://graph.microsoft.com/.default"}}
	ropc := url.Values{"client_id": {desktopApp}, "grant_type": {"password"}, "username": {f.user().UPN}, "password": {f.user().Password}, "scope": {"Mail.Read"}}
	with := func(base url.Values, pairs ...string) url.Values {
		out := url.Values{}
		for k, v := range base {
			out[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
			if pairs[i+1] == "" {
				out.Del(pairs[i])
			}
		}
		return out
	}
	second := f.store.Pairs()[1].OnPrem.User()
	for _, row := range []struct {
		name   string
		form   url.Values
		status int
		code   string
		number float64
	}{
		{"it lacks a grant type", with(service, "grant_type", ""), 400, "invalid_request", 900144},
		{"it lacks a client", with(service, "client_id", ""), 400, "invalid_request", 900144},
		{"it is for an unknown application", with(service, "client_id", "nobody"), 400, "unauthorized_client", 700016},
		{"it has a wrong secret", with(service, "client_secret", "guess"), 401, "invalid_client", 7000215},
		{"it lacks a secret", with(service, "client_secret", ""), 401, "invalid_client", 7000218},
		{"its secret has expired", with(service, "client_id", "expired"), 401, "invalid_client", 7000222},
		{"it loops", with(ropc, "client_id", "loops"), 429, "temporarily_unavailable", 50196},
		{"it asks for single permissions as an application", with(service, "scope", "https://graph.microsoft.com/Mail.Read"), 400, "invalid_scope", 1002012},
		{"it asks for nothing", with(service, "scope", ""), 400, "invalid_request", 900144},
		{"it asks for a resource that is not registered", with(service, "scope", "https://mail.other.test/.default"), 400, "invalid_resource", 500011},
		{"it asks for two resources", with(service, "scope", "https://graph.microsoft.com/.default "+namespace+"/.default"), 400, "invalid_request", 28000},
		{"its scope ends in nothing", with(service, "scope", "https://graph.microsoft.com/"), 400, "invalid_scope", 70011},
		{"its grant is not known", with(service, "grant_type", "magic"), 400, "unsupported_grant_type", 70003},
		{"its assertion is garbage", with(service, "client_assertion", "a.b.c", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), 401, "invalid_client", 700027},
		{"its assertion has no type", with(service, "client_assertion", "a.b.c"), 400, "invalid_request", 900144},
		{"the user is not known", with(ropc, "username", "ghost@contoso.test"), 400, "invalid_grant", 50034},
		{"the password is wrong", with(ropc, "password", "guess"), 400, "invalid_grant", 50126},
		{"the password is missing", with(ropc, "password", ""), 400, "invalid_request", 900144},
		{"a second factor is required", with(ropc, "username", second.UPN, "password", second.Password), 400, "interaction_required", 50076},
		{"nobody consented", with(ropc, "scope", "Files.Read"), 400, "invalid_grant", 65001},
		{"nobody consented to anything", with(ropc, "client_id", "bare", "scope", "https://graph.microsoft.com/.default"), 400, "invalid_grant", 65001},
		{"a confidential client hides its secret", with(ropc, "client_id", serviceApp), 401, "invalid_client", 7000218},
		{"the code is garbage", with(service, "grant_type", "authorization_code", "code", "0.Axyz"), 400, "invalid_request", 9002313},
		{"the refresh token is garbage", with(service, "grant_type", "refresh_token", "refresh_token", "x"), 400, "invalid_grant", 70000},
		{"the refresh token is missing", with(service, "grant_type", "refresh_token"), 400, "invalid_request", 900144},
		{"the device code is unknown", with(service, "grant_type", "device_code", "device_code", "x"), 400, "bad_verification_code", 70019},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, doc := f.post("/oauth2/v2.0/token", row.form)
			codes, _ := doc["error_codes"].([]any)
			if status != row.status || doc["error"] != row.code || len(codes) != 1 || codes[0] != row.number {
				t.Fatalf("got %d %v, want %d %s %v", status, doc, row.status, row.code, row.number)
			}
			for _, name := range []string{"error_description", "timestamp", "trace_id", "correlation_id", "error_uri"} {
				if s, _ := doc[name].(string); s == "" {
					t.Errorf("%s is missing in %v", name, doc)
				}
			}
		})
	}
}

func TestTenWrongPasswordsLockAnAccountForAMinute(t *testing.T) {
	f := start(t, nil)
	form := url.Values{"client_id": {desktopApp}, "grant_type": {"password"}, "username": {f.user().UPN}, "password": {"guess"}, "scope": {"Mail.Read"}}
	var numbers []float64
	try := func(password string) {
		form.Set("password", password)
		_, doc := f.post("/oauth2/v2.0/token", form)
		if codes, ok := doc["error_codes"].([]any); ok {
			numbers = append(numbers, codes[0].(float64))
		} else {
			numbers = append(numbers, 0)
		}
	}
	for range 10 {
		try("guess")
	}
	try(f.user().Password)
	f.clock.Advance(time.Minute)
	try(f.user().Password)
	want := []float64{50126, 50126, 50126, 50126, 50126, 50126, 50126, 50126, 50126, 50126, 50053, 0}
	for i := range want {
		if numbers[i] != want[i] {
			t.Fatalf("got %v, want %v", numbers, want)
		}
	}
}

func TestTheDiscoveryDocumentsAgreeWithTheService(t *testing.T) {
	f := start(t, nil)
	get := func(url string) (int, map[string]any) {
		resp, err := f.server.Client().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, decode(t, resp)
	}
	_, meta := get(f.root + "/v2.0/.well-known/openid-configuration")
	for name, want := range map[string]string{"token_endpoint": f.root + "/oauth2/v2.0/token", "issuer": f.root + "/v2.0", "jwks_uri": f.root + "/discovery/v2.0/keys"} {
		if meta[name] != want {
			t.Errorf("%s = %v, want %s", name, meta[name], want)
		}
	}
	if _, keys := get(meta["jwks_uri"].(string)); len(keys["keys"].([]any)) != 1 {
		t.Errorf("key set %v", keys)
	}
	if status, doc := get(f.server.URL + "/other.test/v2.0/.well-known/openid-configuration"); status != 400 || doc["error"] != "invalid_request" {
		t.Errorf("another tenant: %d %v", status, doc)
	}
	for upn, want := range map[string]string{f.user().UPN: "Managed", "x@other.test": "Unknown"} {
		if _, doc := get(f.server.URL + "/common/UserRealm/" + upn + "?api-version=1.0"); doc["account_type"] != want {
			t.Errorf("realm of %s = %v, want %s", upn, doc["account_type"], want)
		}
	}
	endpoint := url.QueryEscape(f.root + "/oauth2/v2.0/authorize")
	if _, doc := get(f.server.URL + "/common/discovery/instance?api-version=1.1&authorization_endpoint=" + endpoint); doc["tenant_discovery_endpoint"] == nil {
		t.Errorf("instance discovery: %v", doc)
	}
	if status, doc := get(f.server.URL + "/common/discovery/instance?authorization_endpoint=https%3A%2F%2Fevil.test%2F"); status != 400 || doc["error"] != "invalid_instance" {
		t.Errorf("foreign instance: %d %v", status, doc)
	}
	if status, _ := get(f.root + "/oauth2/v2.0/token"); status != 400 {
		t.Errorf("GET of the token endpoint: %d", status)
	}
	resp, err := f.server.Client().Get(f.root + "/nothing")
	if err != nil || resp.StatusCode != 404 {
		t.Errorf("unknown endpoint: %v %v", resp, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

var background = context.Background()
