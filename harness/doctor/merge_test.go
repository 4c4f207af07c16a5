package doctor_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"cutover/harness/doctor"
	"cutover/harness/result"
)

// seen examines a world from a vantage and reads the report back as JSON has it.
func seen(t *testing.T, vantage string, spoil func(*world)) *doctor.Report {
	t.Helper()
	w := newWorld(t)
	spoil(w)
	w.options.Vantage = vantage
	data, err := json.Marshal(w.examine(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := doctor.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnInsideAndAnOutsideReportAreJoined(t *testing.T) {
	blocked := answer("/api/v2.0/me", status(404, ""))
	slow := func(w *world) { w.signIn = nil; w.claims["cloud"]["roles"] = []string{"Mail.Read", "Contacts.Read"} }
	for _, row := range []struct {
		name            string
		inside, outside func(*world)
		path, id        string
		verdict         result.Verdict
		vantage         string
		evidence, cause string
	}{
		{"both pass: it stands once", nothing, nothing, "onprem", "vdir.api", result.Pass, "internal, internet", "401 EX01", ""},
		{"only the Internet is kept out: what stands between is the cause", nothing, blocked, "onprem", "vdir.api", result.Fail, "internet", "inside (pass): 401 EX01; outside (fail): 404", "inside it passes"},
		{"only the inside is wrong, and the Internet counts: it passes", func(w *world) { delete(w.names, "autodiscover.contoso.test") }, nothing, "onprem", "dns.autodiscover", result.Pass, "internet", "inside (fail)", ""},
		{"only the inside is wrong, and both count: it fails", claim("cloud", "aud", "https://elsewhere.test"), nothing, "cloud", "token.audience", result.Fail, "internal", "outside (pass)", "names another service"},
		{"what hangs on a check that fails inside: the other side counts", blocked, nothing, "onprem", "array.mixed404", result.Pass, "internet", "alike", ""},
		{"one warns and one passes: it warns", slow, nothing, "cloud", "token.perms", result.Warn, "internal", "outside (pass)", "permissions"},
		{"one side did not probe it: the other counts", func(w *world) { w.options.CloudEnd = "" }, nothing, "onprem", "autod.agree", result.Pass, "internet", "both say", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			inside, outside := seen(t, "internal", row.inside), seen(t, "internet", row.outside)
			for _, order := range [][2]*doctor.Report{{inside, outside}, {outside, inside}} {
				m, err := doctor.Merge(order[0], order[1])
				if err != nil {
					t.Fatal(err)
				}
				c := find(m, row.path, row.id)
				if c.Verdict != row.verdict || c.Vantage != row.vantage || !strings.Contains(c.Evidence, row.evidence) || !strings.Contains(c.Cause, row.cause) || row.cause == "" && c.Cause != "" {
					t.Errorf("got %s from %q: %q, cause %q", c.Verdict, c.Vantage, c.Evidence, c.Cause)
				}
				if m.Vantage != "internal, internet" || len(m.Checks) != len(inside.Checks) || len(m.Ready) != 1 || m.Failed() != (row.verdict == result.Fail) {
					t.Errorf("the merged report: %q, %d checks of %d, ready %v, failed %v", m.Vantage, len(m.Checks), len(inside.Checks), m.Ready, m.Failed())
				}
			}
		})
	}
}

func TestAMergedReportSumsUpAgain(t *testing.T) {
	m, err := doctor.Merge(seen(t, "internal", nothing), seen(t, "internet", answer("/api/v2.0/me", status(404, ""))))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Ready[0]; got.Path != "cloud + onprem-ews" || !slices.Equal(got.Blocking, []string{"onprem: vdir.api"}) {
		t.Errorf("ready %+v\n%s", got, dump(m))
	}
}

func TestReportsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	inside, outside := seen(t, "internal", nothing), seen(t, "internet", nothing)
	other := *outside
	other.Profile = "another"
	nowhere := seen(t, "", nothing)
	for _, row := range []struct {
		name string
		a, b *doctor.Report
		says string
	}{
		{"two of the same side: it says so", inside, inside, `not from "internal" and "internal"`},
		{"one of no side: it says so", nowhere, outside, "--vantage"},
		{"two profiles: it names both", inside, &other, "fixed and another"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := doctor.Merge(row.a, row.b); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want %s", err, row.says)
			}
		})
	}
	for _, text := range []string{"", "{}", `{"profile":"x"}`, "<html>", `{"schema":"cutover.result/v1"}`} {
		if _, err := doctor.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as a report", text)
		}
	}
}

func TestTheReportAsJUnitAndAsAPage(t *testing.T) {
	w := newWorld(t)
	answer("/EWS/Exchange.asmx", status(401, "", "Server", `<script>alert(1)</script>`))(w)
	x := w.examine(t.Context())
	var page, cases strings.Builder
	for _, err := range []error{x.WriteHTML(&page), x.WriteJUnit(&cases)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name    string `xml:"name,attr"`
			Skipped int    `xml:"skipped,attr"`
			Cases   []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(cases.String()), &doc); err != nil {
		t.Fatal(err)
	}
	failing, skipped := map[string]string{}, 0
	for _, s := range doc.Suites {
		skipped += s.Skipped
		for _, c := range s.Cases {
			if c.Failure != nil {
				failing[c.Name] = c.Failure.Text
			}
		}
	}
	fails, skips := 0, 0
	for _, c := range x.Checks {
		switch c.Verdict {
		case result.Fail:
			fails++
		case result.Skip:
			skips++
		}
	}
	if doc.Tests != len(x.Checks) || doc.Failures != fails || skipped != skips || !strings.Contains(failing["front.iis on onprem"], "remedy: let it pass") {
		t.Errorf("%d tests of %d checks, %d failures, want %d, %d skipped, want %d: %v", doc.Tests, len(x.Checks), doc.Failures, fails, skipped, skips, failing)
	}
	text := page.String()
	for _, part := range []string{"Not ready", "front.iis", "&lt;script&gt;alert(1)", "Get-AuthServer", "default-src &#39;none&#39;", "ann", "onprem-rest"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range []string{"<script", "http://", "https://cdn", " src=", "@import"} {
		if strings.Contains(text, part) {
			t.Errorf("the page holds %q, and it must work offline and run nothing", part)
		}
	}
}
