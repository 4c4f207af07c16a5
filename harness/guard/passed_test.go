package guard_test

import (
	"testing"

	"cutover/harness/guard"
	"cutover/harness/wire"
)

// A read that was let through once is remembered; what makes it another request is
// judged all the same.
func TestARememberedReadOpensNothingElse(t *testing.T) {
	s := listen(t, false)
	url := "http://" + s.host() + "/me/messages"
	d := door(t, guard.Rules{Simulated: true, Hosts: map[string][]string{"cloud": {s.host()}}, Recipients: []string{"ann@contoso.test"}})
	p := path(t, d, "cloud")
	for range 3 {
		if got := rule(t, p, &wire.Request{Method: "GET", URL: url}); got != "" {
			t.Fatalf("the read was refused by %s", got)
		}
	}
	for _, row := range []struct {
		name string
		req  wire.Request
		want string
	}{
		{"the same read again, it passes", wire.Request{Method: "GET", URL: url}, ""},
		{"a header that deceives, it is refused", wire.Request{Method: "GET", URL: url, Header: wire.Header{{Name: "X-HTTP-Method-Override", Value: "DELETE"}}}, "header"},
		{"a line break in a header, it is refused", wire.Request{Method: "GET", URL: url, Header: wire.Header{{Name: "Prefer", Value: "a\r\nb"}}}, "header"},
		{"a body with a stranger's address, it is refused", wire.Request{Method: "GET", URL: url, Effect: wire.Effect{Writes: true, Mails: true},
			Body: []byte(`{"toRecipients":[{"emailAddress":{"address":"eve@elsewhere.test"}}]}`)}, "recipient"},
		{"another host, it is refused", wire.Request{Method: "GET", URL: "http://127.0.0.2:1/me/messages"}, "host"},
		{"the same read once more, it passes", wire.Request{Method: "GET", URL: url}, ""},
	} {
		if got := rule(t, p, &row.req); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	d.Close()
	if got := rule(t, p, &wire.Request{Method: "GET", URL: url}); got != "closed" {
		t.Errorf("after closing: got %q, want closed", got)
	}
}
