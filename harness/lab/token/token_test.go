package token_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
	"cutover/harness/lab/token"
)

const tenant = "7a1f2c3d-0000-4000-8000-000000000001"

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func authority(t testing.TB) (*token.Authority, *clock.Fake) {
	t.Helper()
	c := clock.NewFake(start)
	a, err := token.New(tenant, c)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

func issue(t testing.TB, a *token.Authority, g token.Grant) string {
	t.Helper()
	raw, err := a.Issue(g)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAnIssuedTokenReadsBackAsGranted(t *testing.T) {
	a, _ := authority(t)
	user := token.Grant{Audience: token.GraphAudience, App: "app-1", AppName: "Reader", AppAuth: 1, Object: "oid-1",
		UPN: "ann@contoso.test", Name: "Ann", Scopes: []string{"Mail.Read", "Mail.Send"}}
	app := token.Grant{Audience: "https://127.0.0.1:1", App: "app-2", Object: "sp", Roles: []string{"Mail.ReadWrite"}, Lifetime: 90 * time.Second}
	second := user
	second.Second = true
	relayed := app
	relayed.Relayed = true

	type row struct {
		Kind                     token.Kind
		App, UPN, Version, Issue string
		AppOnly                  bool
		Grants                   []string
		Lives                    time.Duration
	}
	for _, c := range []struct {
		name  string
		grant token.Grant
		want  row
	}{
		{"it is delegated when it names a user", user,
			row{token.V1AppActAs, "app-1", "ann@contoso.test", "1.0", a.IssuerV1(), false, []string{"Mail.Read", "Mail.Send"}, time.Hour}},
		{"it is app-only when it names none", app,
			row{token.V1AppOnly, "app-2", "", "1.0", a.IssuerV1(), true, []string{"Mail.ReadWrite"}, 90 * time.Second}},
		{"it has the second format's issuer and claims", second,
			row{token.V1AppActAs, "app-1", "ann@contoso.test", "2.0", a.IssuerV2(), false, []string{"Mail.Read", "Mail.Send"}, time.Hour}},
		{"it is a service-to-service token when Graph made it", relayed,
			row{token.V1S2SAppOnly, "app-2", "", "1.0", a.IssuerV1(), true, []string{"Mail.ReadWrite"}, 90 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, fault := a.Verify(issue(t, a, c.grant))
			if fault != nil {
				t.Fatal(fault)
			}
			read := row{got.Kind(), got.App, got.UPN, got.Version, got.Issuer, got.AppOnly, got.Grants(), got.Until.Sub(got.Issued)}
			if diff := cmp.Diff(c.want, read); diff != "" {
				t.Errorf("want - got +\n%s", diff)
			}
		})
	}
}

func TestAWrongTokenIsRefusedForItsReason(t *testing.T) {
	a, c := authority(t)
	other, _ := authority(t)
	good := token.Grant{Audience: token.GraphAudience, App: "app", Object: "o"}
	raw := issue(t, a, good)
	parts := strings.Split(raw, ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	header := func(alg string) string {
		h, _ := json.Marshal(map[string]string{"alg": alg, "typ": "JWT", "kid": kid(t, parts[0])})
		return base64.RawURLEncoding.EncodeToString(h)
	}
	swapped := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), `"app"`, `"ape"`, 1)))
	mac := hmac.New(sha256.New, a.JWKS())
	mac.Write([]byte(header("HS256") + "." + parts[1]))
	with := func(change func(*token.Grant)) string {
		g := good
		change(&g)
		return issue(t, a, g)
	}
	signed := func(m map[string]any) string { s, _ := a.Sign(m); return s }

	for _, row := range []struct {
		name, raw string
		want      token.Defect
	}{
		{"it is absent", "", token.Empty},
		{"it is no JSON web token", "opaque", token.Malformed},
		{"it has garbage for a header", "e30x." + parts[1] + ".x", token.Malformed},
		{"it has garbage for claims", parts[0] + ".%%%." + parts[2], token.Malformed},
		{"it has garbage for a signature", parts[0] + "." + parts[1] + ".***", token.Malformed},
		{"it claims alg none", header("none") + "." + parts[1] + ".", token.Algorithm},
		{"it is signed with the public key as a shared secret", header("HS256") + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), token.Algorithm},
		{"it was signed by another authority", issue(t, other, good), token.Key},
		{"it had its claims changed", parts[0] + "." + swapped + "." + parts[2], token.Signature},
		{"it is of another tenant", with(func(g *token.Grant) { g.Tenant = "0000" }), token.Tenant},
		{"it lacks an audience", with(func(g *token.Grant) { g.Audience = "" }), token.Claims},
		{"it never ends", signed(map[string]any{"iss": a.IssuerV1(), "tid": tenant, "aud": "x", "appid": "y"}), token.Claims},
		{"it is not valid yet", with(func(g *token.Grant) { g.Start = start.Add(time.Second) }), token.Early},
		{"it has expired", with(func(g *token.Grant) { g.Start = start.Add(-time.Hour) }), token.Expired},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second time from memory
				got, fault := a.Verify(row.raw)
				if fault == nil || fault.Defect != row.want {
					t.Fatalf("got %+v, fault %v, want %v", got, fault, row.want)
				}
				if row.raw != "" && strings.Contains(fault.Error(), row.raw) {
					t.Error("the fault quotes the token")
				}
			}
		})
	}

	if _, fault := a.Verify(raw); fault != nil {
		t.Fatal(fault)
	}
	c.Advance(time.Hour)
	if _, fault := a.Verify(raw); fault == nil || fault.Defect != token.Expired {
		t.Errorf("a remembered token outlived its hour: %v", fault)
	}
}

func kid(t *testing.T, part string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Kid string }
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

func TestATokenIsForItsAudienceWhateverTheSlash(t *testing.T) {
	tok := &token.Token{Audience: "https://mail.contoso.test/"}
	if !tok.For("https://other.test", "https://MAIL.contoso.test") {
		t.Error("the audience was not recognised")
	}
	if tok.For("http://mail.contoso.test", "https://mail.contoso.test:444") {
		t.Error("another scheme or port was accepted")
	}
}

func TestBearerReadsOnlyItsScheme(t *testing.T) {
	type out struct {
		Raw string
		OK  bool
	}
	for header, want := range map[string]out{
		"Bearer abc": {"abc", true}, "bearer  abc ": {"abc", true}, "Bearer ": {"", true}, "Bearer": {"", true},
		"Bearerabc": {"", false}, "Basic abc": {"", false}, "": {"", false},
	} {
		raw, ok := token.Bearer(header)
		if got := (out{raw, ok}); got != want {
			t.Errorf("Bearer(%q) = %v, want %v", header, got, want)
		}
	}
}

func TestAnAssertionProvesTheApplicationThatSignedIt(t *testing.T) {
	key, _ := rsa.GenerateKey(rand.Reader, 2048)
	stranger, _ := rsa.GenerateKey(rand.Reader, 2048)
	make := func(method jwt.SigningMethod, k any, iss, sub string) string {
		s, err := jwt.NewWithClaims(method, jwt.RegisteredClaims{Issuer: iss, Subject: sub, Audience: []string{"https://sts/token"},
			NotBefore: jwt.NewNumericDate(start), ExpiresAt: jwt.NewNumericDate(start.Add(10 * time.Minute))}).SignedString(k)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	registered := func(app string) *rsa.PublicKey {
		if app == "app" {
			return &key.PublicKey
		}
		return nil
	}
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodPS256, jwt.SigningMethodRS256} {
		got, err := token.CheckAssertion(make(method, key, "app", "app"), registered)
		want := token.Assertion{App: "app", Audience: "https://sts/token", NotBefore: start, Expires: start.Add(10 * time.Minute)}
		if err != nil || !got.NotBefore.Equal(want.NotBefore) || !got.Expires.Equal(want.Expires) || got.App != want.App || got.Audience != want.Audience {
			t.Errorf("%s: got %+v, %v, want %+v", method.Alg(), got, err, want)
		}
	}
	for name, raw := range map[string]string{
		"another key":       make(jwt.SigningMethodPS256, stranger, "app", "app"),
		"an unknown app":    make(jwt.SigningMethodPS256, key, "nobody", "nobody"),
		"a foreign subject": make(jwt.SigningMethodPS256, key, "app", "root"),
		"a shared secret":   make(jwt.SigningMethodHS256, []byte("secret"), "app", "app"),
		"no JSON web token": "x",
	} {
		if _, err := token.CheckAssertion(raw, registered); !errors.Is(err, token.ErrAssertion) {
			t.Errorf("%s: got %v, want ErrAssertion", name, err)
		}
	}
}

func TestTheKeySetVerifiesTheTokens(t *testing.T) {
	a, _ := authority(t)
	var set struct {
		Keys []struct{ Kid, N, E, Alg string }
	}
	if err := json.Unmarshal(a.JWKS(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%v, %+v", err, set)
	}
	n, _ := base64.RawURLEncoding.DecodeString(set.Keys[0].N)
	key := &rsa.PublicKey{E: 65537}
	key.N = new(big.Int).SetBytes(n)
	_, err := jwt.Parse(issue(t, a, token.Grant{Audience: "x", App: "y"}), func(t *jwt.Token) (any, error) { return key, nil },
		jwt.WithTimeFunc(func() time.Time { return start }))
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkVerifyKnown(b *testing.B) {
	a, _ := authority(b)
	raw := issue(b, a, token.Grant{Audience: token.GraphAudience, App: "app", Object: "o", UPN: "ann@contoso.test", Scopes: []string{"Mail.Read"}})
	for b.Loop() {
		if _, fault := a.Verify(raw); fault != nil {
			b.Fatal(fault)
		}
	}
}
