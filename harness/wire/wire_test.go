package wire_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHeadersAreFoundWithoutRegardToCase(t *testing.T) {
	h := wire.Header{{Name: "Vary", Value: "a"}, {Name: "X-Empty", Value: ""}, {Name: "vary", Value: "b"}}
	if got := h.Value("VARY"); got != "a" {
		t.Errorf("Value = %q, want the first, a", got)
	}
	if got := h.Values("vary"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Values = %q, want a and b", got)
	}
	if h.Value("none") != "" || h.Values("none") != nil || h.Has("none") || !h.Has("x-empty") {
		t.Error("an absent field is found, or an empty one is not")
	}
}

func TestKindsAndFailuresHaveNames(t *testing.T) {
	var names []string
	for _, k := range wire.Kinds {
		names = append(names, k.String())
	}
	want := []string{"steps", "retries", "pages", "polls", "probes", "fixtures", "tokens"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	seen := map[string]bool{}
	for k := wire.DNS; k <= wire.Canceled; k++ {
		seen[k.String()] = true
	}
	if len(seen) != int(wire.Canceled) || seen["unknown"] || seen[""] {
		t.Errorf("failure kinds are called %v", seen)
	}
	if wire.Kind(99).String() != "unknown" || wire.FailureKind(99).String() != "unknown" {
		t.Error("a number without a name has one")
	}
}

func TestAFailureSaysItsKindAndCause(t *testing.T) {
	f := &wire.Failure{Kind: wire.Reset, Err: io.ErrUnexpectedEOF}
	if got, want := f.Error(), "reset: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(f, io.ErrUnexpectedEOF) || (&wire.Failure{Kind: wire.NoToken}).Error() != "token" {
		t.Error("the cause is lost, or its absence is not borne")
	}
}

func filled() *wire.Call {
	return &wire.Call{
		Response: wire.Response{Status: 200, Proto: "HTTP/1.1", Header: wire.Header{{Name: "A", Value: "b"}}, Body: []byte("body"), Truncated: true},
		Timing:   wire.Timing{Sent: time.Unix(1, 0), Reused: true},
		Failure:  &wire.Failure{Kind: wire.Reset},
	}
}

func TestResetForgetsEverythingButTheBuffers(t *testing.T) {
	c := filled()
	c.Reset()
	want := &wire.Call{Response: wire.Response{Header: wire.Header{}, Body: []byte{}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cap(c.Response.Body) == 0 || cap(c.Response.Header) == 0 {
		t.Error("the buffers are gone")
	}
}

func TestResetLetsAHugeBufferGo(t *testing.T) {
	c := &wire.Call{Response: wire.Response{Body: make([]byte, 0, 2<<20)}}
	if c.Reset(); cap(c.Response.Body) != 0 {
		t.Errorf("a buffer of %d bytes is kept", cap(c.Response.Body))
	}
}

func TestACloneIsUntouchedByTheNextCall(t *testing.T) {
	c := filled()
	clone := c.Clone()
	copy(c.Response.Body, "XXXX")
	c.Response.Header[0].Value = "changed"
	c.Reset()
	if diff := cmp.Diff(filled().Response, clone.Response); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const jwt = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl_-x"

func TestRedact(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"ordinary text, it leaves alone", "GET /me/messages 200 in 12 ms: the password policy", "GET /me/messages 200 in 12 ms: the password policy"},
		{"a bearer token, it hides", "sent Bearer abcdef123456 to host", "sent Bearer *** to host"},
		{"an authorization line, it hides whole", "Authorization: NTLM TlRMTVNTUAAB\r\nHost: x", "Authorization: ***\r\nHost: x"},
		{"an authorization in JSON, it hides", `{"Authorization":"Basic dXNlcjpw","a":1}`, `{"Authorization":"***","a":1}`},
		{"a printed header map, it hides", "map[Authorization:[Bearer xyz] Accept:[a]]", "map[Authorization:[***] Accept:[a]]"},
		{"cookies, it hides", "Set-Cookie: a=b; Secure\nCookie: a=b", "Set-Cookie: ***\nCookie: ***"},
		{"a token by its shape, it hides", "got " + jwt + ".", "got ***"},
		{"a form, it hides the secrets of", "grant_type=password&username=ann&password=p%40ss&client_secret=x~y&scope=a", "grant_type=password&username=ann&password=***&client_secret=***&scope=a"},
		{"JSON, it hides the secrets of", `{"access_token": "abc\"d", "expires_in": 3599, "refresh_token":"r"}`, `{"access_token": "***", "expires_in": 3599, "refresh_token":"***"}`},
		{"an assertion, it hides", "client_assertion=abc&client_assertion_type=urn:x", "client_assertion=***&client_assertion_type=urn:x"},
		{"a password in XML, it hides", `<o:Password Type="#Text">hunter2</o:Password>`, `<o:Password Type="#Text">***</o:Password>`},
		{"a password in a URL, it hides", "dial https://ann:hunter2@mail.test/x", "dial https://ann:***@mail.test/x"},
		{"a private key, it hides", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := wire.Redact(row.in)
			if got != row.want {
				t.Errorf("\n  in %s\n got %s\nwant %s", row.in, got, row.want)
			}
			if again := wire.Redact(got); again != got {
				t.Errorf("a second time it gives %s", again)
			}
		})
	}
}

func TestNoTokenSurvivesRedaction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9_-]{20,60}`).Draw(t, "secret")
		before := rapid.StringMatching(`[ -~]{0,30}`).Draw(t, "before")
		shape := rapid.SampledFrom([]string{"Authorization: Bearer %", "bearer %", `"password": "%"`, "client_secret=%", "Cookie: x=%", "eyJhbGci." + "%.%"}).Draw(t, "shape")
		in := before + "\n" + strings.ReplaceAll(shape, "%", secret) + "\nafter"
		if got := wire.Redact(in); strings.Contains(got, secret) {
			t.Fatalf("%q became %q", in, got)
		}
	})
}
