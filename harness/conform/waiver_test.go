package conform_test

import (
	"strings"
	"testing"
	"time"

	"cutover/harness/conform"
	"cutover/harness/result"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWaiversAcceptWhatTheyNameForAWhile(t *testing.T) {
	finding := result.Finding{ID: "value.string", Fingerprint: "0123456789abcdef", Scenario: "inbox", Step: "list", Pointer: "/value/*/subject", Share: 0.1}
	for _, c := range []struct {
		name, yaml, today string
		waived, expired   bool
		unused            bool
		cause             string
	}{
		{"it accepts by rule", "finding: value.string", "2026-12-01", true, false, false, ""},
		{"it accepts by fingerprint", "finding: 0123456789abcdef", "2026-12-01", true, false, false, ""},
		{"it counts on its last day", "finding: value.string", "2026-12-31", true, false, false, ""},
		{"it counts no longer on the day after", "finding: value.string", "2027-01-01", false, true, false, ""},
		{"it leaves other rules alone", "finding: value.number", "2026-12-01", false, false, true, ""},
		{"it leaves other fingerprints alone", "finding: ffffffffffffffff", "2026-12-01", false, false, true, ""},
		{"it is bound to a scenario", "{finding: value.string, where: inbox}", "2026-12-01", true, false, false, ""},
		{"it is bound to a step", "{finding: value.string, where: inbox/list}", "2026-12-01", true, false, false, ""},
		{"it is bound to a place", "{finding: value.string, where: 'inbox/list /value/*/subject'}", "2026-12-01", true, false, false, ""},
		{"it is not bound to part of a name", "{finding: value.string, where: in}", "2026-12-01", false, false, true, ""},
		{"it takes stars", "{finding: value.string, where: '*/list *subject'}", "2026-12-01", true, false, false, ""},
		{"it does not accept what grew", "{finding: value.string, max_share: 5%}", "2026-12-01", false, false, false, "grew past the 5% that ops accepted"},
		{"it accepts what did not grow", "{finding: value.string, max_share: 10%}", "2026-12-01", true, false, false, ""},
	} {
		entry := c.yaml
		if strings.HasPrefix(entry, "{") {
			entry = strings.TrimSuffix(entry, "}") + ", reason: known, owner: ops, expires: 2026-12-31}"
		} else {
			entry = "{" + entry + ", reason: known, owner: ops, expires: 2026-12-31}"
		}
		w, err := conform.ParseWaivers("w.yaml", []byte("waivers:\n  - "+entry+"\n"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, told := w.Apply([]result.Finding{finding}, day(c.today).Add(12*time.Hour))
		if got[0].Waived != c.waived || told[0].Expired != c.expired || told[0].Unused != c.unused || got[0].Cause != c.cause {
			t.Errorf("%s: waived %v, expired %v, unused %v, cause %q", c.name, got[0].Waived, told[0].Expired, told[0].Unused, got[0].Cause)
		}
		if c.waived && (got[0].Waiver == nil || got[0].Waiver.Owner != "ops" || !got[0].Waiver.Expires.Equal(day("2026-12-31"))) {
			t.Errorf("%s: waiver %+v", c.name, got[0].Waiver)
		}
	}
	if finding.Waived {
		t.Error("the findings handed in were changed")
	}
}

func TestWaiversAreReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"waivers:\n  - {finding: value.sting, reason: a, owner: b, expires: 2026-12-31}\n": `w.yaml:2:5: finding: "value.sting" is no rule and no fingerprint (did you mean "value.string"?)`,
		"waivers:\n  - {finding: value.string, reason: a, owner: b, expires: soon}\n":      `w.yaml:2:5: expires: "soon" is no date; write 2027-01-31`,
		"waivers:\n  - {finding: value.string, reason: a, expires: 2026-12-31}\n":          "owner",
		"waivers:\n  - {finding: value.string, reason: a, owner: b}\n":                     "expires",
	} {
		_, err := conform.ParseWaivers("w.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestADraftedWaiverAcceptsItsFinding(t *testing.T) {
	f := compareOne(conform.Options{}, "GET /me/messages/{id}", `{"subject":"a"}`, `{"subject":"b"}`).Findings[0]
	text := conform.Draft(f, `the "old" one`, "ops", day("2026-12-31"))
	w, err := conform.ParseWaivers("w.yaml", []byte("waivers:\n"+text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	got, _ := w.Apply([]result.Finding{f}, day("2026-12-01"))
	if !got[0].Waived || got[0].Waiver.Reason != `the "old" one` {
		t.Errorf("not waived by\n%s", text)
	}
}
