package lab

import (
	"net/http"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/token"
)

// Tokens that only the authority itself could make wrong.
func TestGraphRefusesATokenForWhatIsWrongInIt(t *testing.T) {
	c := clock.NewFake(time.Unix(1_800_000_000, 0))
	tokens, err := token.New("tenant", c)
	if err != nil {
		t.Fatal(err)
	}
	check := authorise(tokens)
	for _, row := range []struct {
		name  string
		grant token.Grant
		want  string
	}{
		{"it is right", token.Grant{}, ""},
		{"it is of another tenant", token.Grant{Tenant: "other"}, "Access token validation failure. Invalid issuer."},
		{"it has expired", token.Grant{Start: c.Now().Add(-2 * time.Hour)}, "Lifetime validation failed, the token is expired."},
		{"it is not valid yet", token.Grant{Start: c.Now().Add(2 * time.Hour)}, "Access token has expired or is not yet valid."},
		{"it is for Exchange", token.Grant{Audience: "https://outlook.office365.com"}, "Access token validation failure. Invalid audience."},
	} {
		g := row.grant
		if g.Audience == "" {
			g.Audience = token.GraphAudience
		}
		if g.App == "" {
			g.App = "app"
		}
		g.Roles = []string{"Mail.Read"}
		raw, err := tokens.Issue(g)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is remembered
			_, refused := check(&http.Request{Header: http.Header{"Authorization": {"Bearer " + raw}}})
			switch {
			case row.want == "" && refused != nil:
				t.Errorf("%s: %s", row.name, refused.Message)
			case row.want != "" && (refused == nil || refused.Status != 401 || refused.Code != "InvalidAuthenticationToken" || refused.Message != row.want):
				t.Errorf("%s: %+v, want %s", row.name, refused, row.want)
			}
		}
	}
	raw, err := tokens.Issue(token.Grant{Audience: token.GraphAudience, App: "app"})
	if err != nil {
		t.Fatal(err)
	}
	header := &http.Request{Header: http.Header{"Authorization": {"Bearer " + raw}}}
	if _, refused := check(header); refused != nil {
		t.Errorf("at once: %s", refused.Message)
	}
	c.Advance(24 * time.Hour)
	if _, refused := check(header); refused == nil {
		t.Error("a remembered token is accepted after its end")
	}
}
