package consent_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cutover/harness/consent"
	"cutover/profiles"

	"github.com/google/go-cmp/cmp"
)

const whole = `consent: v1
kind: run
profile: contoso
tenant: contoso.onmicrosoft.com
hosts: [mail.contoso.com, "graph.microsoft.com:443"]
networks: [203.0.113.0/24, 2001:db8::1]
mailboxes: [ann@contoso.com, "@test.contoso.com"]
operations: [read, create, mail]
recipients: ["@test.contoso.com"]
rate: 50/s
per_mailbox: {concurrency: 2, rate: 4/s}
items: 500
mails: 20
window: {days: [fri, sat], from: "20:00", to: "06:00", zone: Europe/Berlin}
expires: 2026-12-31
approver: Jane Doe, Head of Messaging
`

func parse(t *testing.T, text string) *consent.Consent {
	t.Helper()
	c, err := consent.Parse("consent.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAConsentAllowsWhatItNames(t *testing.T) {
	c := parse(t, whole)
	addr := func(s string) bool { return c.Reaches(netip.MustParseAddr(s)) }
	got := map[string]bool{
		"host without port":              c.Host("Mail.contoso.com:443"),
		"host with its port":             c.Host("graph.microsoft.com:443"),
		"another port":                   c.Host("mail.contoso.com:8443"),
		"another host":                   c.Host("mail.contoso.com.evil.test:443"),
		"listed mailbox":                 c.Mailbox("ANN@contoso.com"),
		"listed domain":                  c.Mailbox("x@test.contoso.com"),
		"another mailbox":                c.Mailbox("bob@contoso.com"),
		"subdomain of a listed domain":   c.Mailbox("x@a.test.contoso.com"),
		"Kelvin sign for k":              consent.Match([]string{"ken@contoso.com"}, "\u212aen@contoso.com"),
		"listed operation":               c.Allows(consent.Mail),
		"another operation":              c.Allows(consent.Delete),
		"address in a network":           addr("203.0.113.200"),
		"single address":                 addr("2001:db8::1"),
		"another address":                addr("198.51.100.1"),
		"the same in IPv6 clothes":       addr("::ffff:203.0.113.9"),
		"link-local, the metadata's own": addr("169.254.169.254"),
	}
	want := map[string]bool{"host without port": true, "host with its port": true, "listed mailbox": true, "listed domain": true, "listed operation": true,
		"address in a network": true, "single address": true, "the same in IPv6 clothes": true}
	for k := range got {
		if got[k] != want[k] {
			t.Errorf("%s: allowed = %v, want %v", k, got[k], want[k])
		}
	}
	if c.Hash() == "" || c.Hash() == parse(t, whole+"# another byte\n").Hash() || c.MaxItems() != 500 {
		t.Errorf("hash %q, items %d", c.Hash(), c.MaxItems())
	}
}

func TestConsentHoldsInItsWindowAndUntilItExpires(t *testing.T) {
	tests := []struct {
		name, window, at, rule string
	}{
		{"begins with the window", `{days: [fri], from: "20:00", to: "06:00", zone: Europe/Berlin}`, "2026-11-27T20:00:00+01:00", ""},
		{"has not begun a minute before", `{days: [fri], from: "20:00", to: "06:00", zone: Europe/Berlin}`, "2026-11-27T19:59:59+01:00", "window"},
		{"goes on after midnight", `{days: [fri], from: "20:00", to: "06:00", zone: Europe/Berlin}`, "2026-11-28T05:59:59+01:00", ""},
		{"ends with the window", `{days: [fri], from: "20:00", to: "06:00", zone: Europe/Berlin}`, "2026-11-28T06:00:00+01:00", "window"},
		{"does not begin on the morning of its day", `{days: [fri], from: "20:00", to: "06:00", zone: Europe/Berlin}`, "2026-11-27T05:00:00+01:00", "window"},
		{"reads the zone's own clock", `{days: [fri], from: "20:00", to: "21:00", zone: America/New_York}`, "2026-11-28T01:30:00Z", ""},
		{"follows daylight saving time", `{from: "08:00", to: "09:00", zone: Europe/Berlin}`, "2026-07-01T06:30:00Z", ""},
		{"holds the whole day where from is to", `{days: [sun], from: "00:00", to: "00:00", zone: UTC}`, "2026-11-29T23:59:00Z", ""},
		{"holds on every day where none is named", `{from: "08:00", to: "09:00", zone: UTC}`, "2026-11-29T08:00:00Z", ""},
		{"ends with its last day in the window's zone", `{from: "00:00", to: "00:00", zone: America/New_York}`, "2027-01-01T04:59:59Z", ""},
		{"has expired a second later", `{from: "00:00", to: "00:00", zone: America/New_York}`, "2027-01-01T05:00:00Z", "expiry"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(whole, `{days: [fri, sat], from: "20:00", to: "06:00", zone: Europe/Berlin}`, test.window, 1)
			got := ""
			if r := new(consent.Refusal); errors.As(parse(t, text).Holds(at), &r) {
				got = r.Rule
			}
			if got != test.rule {
				t.Errorf("at %s rule = %q, want %q", test.at, got, test.rule)
			}
		})
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"wants the version", "consent: v1", "consent: v2", `consent.yaml:1:1: consent must be "v1": this program knows no other version`},
		{"wants a kind", "kind: run", "kind: walk", `consent.yaml:1:1: kind must be "run" or "probe"`},
		{"wants an approver", "approver: Jane Doe, Head of Messaging", `approver: " "`, "consent.yaml:1:1: approver is missing: consent that leaves it open is not consent"},
		{"wants mailboxes", `mailboxes: [ann@contoso.com, "@test.contoso.com"]`, "mailboxes: []", "consent.yaml:1:1: mailboxes is missing: consent that leaves it open is not consent"},
		{"knows no wildcards", "ann@contoso.com", `"*@contoso.com"`, `consent.yaml:1:1: "*@contoso.com" is neither an address nor an @domain`},
		{"lets a probe only read", "kind: run", "kind: probe", `consent.yaml:1:1: a probe only reads: kind "run" covers other operations`},
		{"knows its keys", "stress: no", "", ""},
	}
	for _, test := range tests {
		if test.to == "" {
			continue
		}
		t.Run("it "+test.name, func(t *testing.T) {
			_, err := consent.Parse("consent.yaml", []byte(strings.Replace(whole, test.from, test.to, 1)))
			if err == nil || err.Error() != test.want {
				t.Errorf("error = %v\nwant    %s", err, test.want)
			}
		})
	}
	for name, line := range map[string]string{"an unknown key": "rat: 5/s", "an operation": "operations: [reed]", "a day": "window: {days: [someday]}", "a zone": "window: {zone: Local}",
		"a time": "window: {from: 8pm}", "a network": "networks: [contoso]", "a date": "expires: soon", "a bare rate": "rate: 50"} {
		_, err := consent.Parse("consent.yaml", []byte(whole+line+"\n"))
		if err == nil || !strings.Contains(err.Error(), "consent.yaml:17:") {
			t.Errorf("%s: error = %v, want one at line 17", name, err)
		}
	}
}

func proposal() consent.Proposal {
	return consent.Proposal{Kind: consent.Run, Hosts: []string{"mail.contoso.com:443", "graph.microsoft.com:443", "login.microsoftonline.com:443"}, Find: []string{"mail.contoso.com:443", "contoso.com:443"}, Writes: true, Rate: "50/s",
		Expires: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), UserAgent: "cutover/1.0", Requests: "c0ffee-", Sources: []string{"192.0.2.7"}, Clients: []string{"app-1"},
		Profile: &profiles.Profile{Name: "contoso", Mailboxes: profiles.Mailboxes{List: []profiles.Mailbox{{Name: "ann", Address: map[string]profiles.Address{
			"onprem": {SMTP: "ann@contoso.com", Login: `C\ann`}, "cloud": {UPN: "Ann@cloud.contoso.com"}}}}}}}
}

func TestADraftIsRefusedUntilSomebodyApprovesIt(t *testing.T) {
	text := proposal().Draft()
	_, err := consent.Parse("consent.yaml", []byte(text))
	want := "consent.yaml:4:1: approver is missing: consent that leaves it open is not consent\nconsent.yaml:4:1: tenant is missing: consent that leaves it open is not consent"
	if err == nil || err.Error() != want {
		t.Fatalf("the draft as it is: %v\nwant %s\n%s", err, want, text)
	}
	approved := strings.Replace(strings.Replace(text, `approver: ""`, "approver: Jane Doe", 1), `tenant: ""`, "tenant: contoso.com", 1)
	c := parse(t, approved)
	if diff := cmp.Diff([]string{"ann@cloud.contoso.com", "ann@contoso.com"}, c.Mailboxes); diff != "" {
		t.Errorf("mailboxes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"graph.microsoft.com", "login.microsoftonline.com", "mail.contoso.com", "contoso.com"}, c.Hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]consent.Operation{consent.Read, consent.Create, consent.Change, consent.Delete}, c.Operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestTheNoticeTellsTheOperationsCentre(t *testing.T) {
	got := proposal().Notice()
	for _, want := range []string{"contoso", "application ids:   app-1", "User-Agent:        cutover/1.0", "client-request-id: begins with c0ffee-", "source addresses:  192.0.2.7",
		"highest rate:      50/s", "expected volume:   to be filled in", "window:            mon,tue,wed,thu,fri 20:00-06:00 UTC", "2 test mailboxes"} {
		if !strings.Contains(got, want) {
			t.Errorf("the notice lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "ann@") {
		t.Errorf("the notice names a mailbox:\n%s", got)
	}
}
