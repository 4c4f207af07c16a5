package reports_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

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

func TestAxeFindsNothingWrong(t *testing.T) {
	script := axeScript(t)
	ctx := browser(t)
	pages := map[string]*result.Result{"html": failing(), "readiness": fixture()}
	for format, r := range pages {
		file := filepath.Join(t.TempDir(), format+".html")
		if err := os.WriteFile(file, render(t, format, r, reports.Options{}), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390} {
				tab, _ := open(t, ctx, file, width, scheme)
				evaluate[bool](t, tab, `document.querySelectorAll("details").forEach(d => { d.open = true }); true`)
				evaluate[bool](t, tab, script+"; true")
				violations, err := chromedp.Run(tab, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range violations {
					t.Errorf("%s, %s, %d pixels: %s", format, scheme, width, v)
				}
			}
		}
	}
}
