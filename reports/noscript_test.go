package reports_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"cutover/reports"
)

func TestThePageWithoutScriptsInChromium(t *testing.T) {
	r := failing()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, render(t, "html", r, reports.Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	tab, w := open(t, browser(t), file, 1280, "light")
	if evaluate[bool](t, tab, `document.querySelector(".filter").hidden`) {
		t.Fatal("the search is hidden with scripts too, and its absence shows nothing")
	}
	off := func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}
	if err := chromedp.Do(tab, chromedp.Func(off), chromedp.Navigate(w.page)); err != nil {
		t.Fatal(err)
	}
	screen(t, tab, "noscript")
	if !evaluate[bool](t, tab, `document.querySelector(".filter").hidden && [...document.querySelectorAll(".hint")].every(e => e.hidden)`) {
		t.Error("what only a script can do is offered without one")
	}
	if diff := cmp.Diff(numbersInResult(r), evaluate[[]string](t, tab, numbersInPage)); diff != "" {
		t.Errorf("the page's figures are not the result's (-result +page):\n%s", diff)
	}
	if n := evaluate[int64](t, tab, `[...document.querySelectorAll("figure.chart svg.in path, figure.chart svg.in polyline, figure.chart svg.in rect")].filter(e => e.getBoundingClientRect().width > 0).length`); n < 20 {
		t.Errorf("%d shapes of charts are drawn", n)
	}
	for _, what := range []string{"details.finding > summary", "details.place > summary"} {
		if got := evaluate[string](t, tab, `(() => { const s = document.querySelector("`+what+`"), d = s.parentElement, was = d.open; s.click(); return was !== d.open ? "moved" : "stuck" })()`); got != "moved" {
			t.Errorf("%s does not unfold without scripts", what)
		}
	}
	w.report(t)
}
