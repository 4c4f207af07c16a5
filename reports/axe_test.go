package reports_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cutover/harness/history"
	"cutover/harness/result"
	"cutover/reports"
)

// axeScript reads axe-core's script.
func axeScript(t *testing.T) string {
	t.Helper()
	file := module(t, "axe-core/axe.min.js")
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// axeRun returns a line for each violation.
const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.impact + " " + v.id + ": " + v.help + " in " + v.nodes.slice(0, 4).map(n => n.target.join(" ") + " " + (n.any[0] ? n.any[0].message : "")).join("; ")))`

// screenOf is what a page is looked at on.
type screenOf struct {
	width  int64
	scheme string
}

func TestAxeFindsNothingWrong(t *testing.T) {
	script := axeScript(t)
	all := []screenOf{{1280, "light"}, {1280, "dark"}, {390, "light"}, {390, "dark"}}
	for _, c := range []struct {
		name    string
		page    []byte
		screens []screenOf
	}{
		{"report", render(t, "html", failing(), reports.Options{}), all},
		{"readiness", render(t, "readiness", fixture(), reports.Options{}), all[1:3]},
		{"doctor", examined(t), all[1:3]},
		{"nights", nights(t), all[1:3]},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := browser(t)
			file := filepath.Join(t.TempDir(), c.name+".html")
			if err := os.WriteFile(file, c.page, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, s := range c.screens {
				tab, w := open(t, ctx, file, s.width, s.scheme)
				screen(t, tab, fmt.Sprintf("%s-%d-%s", c.name, s.width, s.scheme))
				if over := evaluate[int64](t, tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
					t.Errorf("%s: the page is %d pixels wider than the %d of the screen", s.scheme, over, s.width)
				}
				w.report(t)
				evaluate[bool](t, tab, `document.documentElement.classList.remove("opening"); document.querySelectorAll("details").forEach(d => { d.open = true }); true`)
				evaluate[bool](t, tab, script+"; true")
				violations, err := chromedp.Run(tab, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range violations {
					t.Errorf("%s, %d pixels: %s", s.scheme, s.width, v)
				}
			}
		})
	}
}

// examined is the doctor's page with every verdict, long words included.
func examined(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := reports.WriteExaminationHTML(&out, examination()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func examinedJUnit(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := reports.WriteExaminationJUnit(&out, examination()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func examination() reports.Examination {
	check := func(id string, v result.Verdict, evidence, cause string) reports.ExaminedCheck {
		return reports.ExaminedCheck{Check: result.Check{ID: id, Title: "what is so when it passes", Path: "onprem", Verdict: v, Evidence: evidence,
			Remedy: "Set-WebServicesVirtualDirectory -ExternalUrl https://mail.contoso.test/EWS/Exchange.asmx", Source: "documented"}, Vantage: "internal, internet", Cause: cause}
	}
	return reports.Examination{Profile: "contoso", Simulated: true, Vantage: "internal, internet", Sum: "1 ok, 1 warn, 1 fail, 1 not probed: NOT READY",
		Groups: []reports.ExaminedGroup{{Blocks: "reaching the servers", Checks: []reports.ExaminedCheck{
			check("net.reach", result.Pass, "connected to mail.contoso.test:443", ""), check("tls.new", result.Warn, "TLS 1.3 was agreed, before EX01 15.1.2507.6 (Exchange 2016)", "not supported there"),
			check("vdir.api", result.Fail, "404 to each of 6 requests: "+strings.Repeat("x", 90), "a firewall does not publish /api"), check("rest.mailbox", result.Skip, "not probed because vdir.api failed", "")}}},
		Mailboxes: []reports.ExaminedMailbox{{Name: "ann", Path: "cloud", Blocking: []string{"onprem: vdir.api"}}, {Name: "bob", Path: "none", Blocking: []string{"onprem: vdir.api", "cloud: graph.location"}}},
		Hidden:    []reports.ExaminedHidden{{What: "the wizard was run", Shows: "Get-HybridConfiguration", Expect: "the domains of this deployment"}}}
}

// nights is the page of a trend with a change in it.
func nights(t *testing.T) []byte {
	t.Helper()
	trend := history.Trend{Scenario: "open-inbox", Step: "list", Path: "cloud", Quantile: "p95"}
	for n, ms := range []float64{52, 51, 53, 71, 72} {
		trend.Points = append(trend.Points, history.Point{Run: history.Run{RunID: fmt.Sprintf("2026112%dT031500Z-nightly", n), Verdict: result.Pass}, Value: &ms})
	}
	trend.Points = append(trend.Points, history.Point{Run: history.Run{RunID: "20261126T031500Z-nightly", Verdict: result.Inconclusive}})
	trend.Changes = []history.Change{{RunID: trend.Points[3].Run.RunID, Before: 52, After: 71, Share: 0.36}}
	var out bytes.Buffer
	if err := history.WriteHTML(&out, []history.Trend{trend}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
