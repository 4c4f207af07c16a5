package reports_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"cutover/harness/result"
	"cutover/reports"
)

// trace is one line of a chart as its crosshair reads it, taken from the page.
type trace struct {
	Name string    `json:"n"`
	V    []float64 `json:"v"`
}

// tracesOf finds a chart by its title and returns what it holds.
const tracesOf = `(title => JSON.parse(document.getElementById("data").textContent)[[...document.querySelectorAll("figure.chart")]
	.find(f => f.querySelector(".title").textContent === title).dataset.chart].s)(%q)`

func page(t *testing.T, r *result.Result) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, render(t, "html", r, reports.Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func sum(vs []float64) (total float64) {
	for _, v := range vs {
		total += v
	}
	return total
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s is %v on the page, %v in the result", what, got, want)
	}
}

func TestTheChartsHoldTheResultsNumbers(t *testing.T) {
	r := fixture()
	tab, w := open(t, browser(t), page(t, r), 1280, "light")
	traces := func(title string) []trace { return evaluate[[]trace](t, tab, fmt.Sprintf(tracesOf, title)) }

	for i, side := range r.Paths { // the first chart of each kind is that of open-inbox / list
		row := r.Steps[i]
		near(t, "the sum of the histogram of "+side.Name, sum(traces("Latency histogram")[i].V), 100, 0.1)
		curve := traces("Percentiles")[i].V
		near(t, "the end of the percentile curve of "+side.Name, curve[len(curve)-1], float64(row.Histogram.Quantile(1-1/float64(row.Count)))/1e6, 0.002)
	}
	paired := traces("Paired differences")
	later := r.Paired[0].Difference.RightLater * 100
	near(t, "the share of pairs in which onprem was later", sum(paired[0].V), 100-later, 0.1)
	near(t, "the share of pairs in which cloud was later", sum(paired[1].V), later, 0.1)
	var knee []float64
	for _, p := range r.Pushback[0].Points {
		knee = append(knee, p.Share()*100)
	}
	for i, v := range traces("Throttle knee")[0].V {
		near(t, fmt.Sprintf("point %d of the knee", i), v, knee[i], 0.001)
	}
	var want [4]float64
	var lag []float64
	for _, s := range r.Series {
		lag = append(lag, s.LagP99)
		for _, p := range s.Series {
			if p.Step == result.WholeLeg {
				continue
			}
			at := 0
			if p.Path == r.Paths[1].Name {
				at = 2
			}
			want[at] += float64(p.Errors)
			want[at+1] += float64(p.Throttled)
		}
	}
	for i, tr := range traces("Failed and throttled") {
		near(t, "the sum of "+tr.Name, sum(tr.V), want[i], 0.001)
	}
	for i, v := range traces("Generator lag")[0].V {
		near(t, fmt.Sprintf("the lag of second %d", i), v, lag[i], 0.001)
	}
	w.report(t)
}

func TestTheTreeIsWalkedWithTheKeyboard(t *testing.T) {
	r := failing()
	tab, w := open(t, browser(t), page(t, r), 1280, "light")
	evaluate[bool](t, tab, `(() => { window.tree = document.querySelector(".tree");
		window.press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: key, bubbles: true, cancelable: true}));
		window.where = () => [...document.activeElement.children].map(e => e.textContent.trim()).join(" "); return true })()`)
	for _, c := range []struct{ name, expression, want string }{
		{"it holds every difference once", `String(tree.querySelectorAll(".leaf").length)`, fmt.Sprint(len(r.Findings))},
		{"it says what is missing, and where", `[...tree.querySelectorAll(".tag.missing")].map(e => e.textContent).join()`, "missing on onprem,missing on onprem"},
		{"a step that fails the run is unfolded", `[...tree.querySelectorAll("details[open] > summary .seg")].map(e => e.textContent.trim()).join("|")`,
			"open-inbox / list GET /me/mailFolders/{id}/messages"},
		{"down moves to the next row that shows", `tree.querySelector("summary").focus(); press("ArrowDown"); where()`, "value major 2 differences"},
		{"left goes up to the step", `press("ArrowLeft"); press("ArrowLeft"); where()`, "open-inbox / list GET /me/mailFolders/{id}/messages major 2 differences"},
		{"left folds it", `press("ArrowLeft"); String(document.activeElement.parentElement.open)`, "false"},
		{"right unfolds it", `press("ArrowRight"); String(document.activeElement.parentElement.open)`, "true"},
		{"end is the last row", `press("End"); where()`, "week / view GET /me/calendarView info 2 differences"},
	} {
		if got := evaluate[string](t, tab, c.expression); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	evaluate[bool](t, tab, `document.querySelectorAll(".finding").forEach(d => { d.open = false }); tree.querySelector(".leaf a").click(); true`)
	opened, err := chromedp.Run(tab, chromedp.Evaluate[string](`new Promise(done => setTimeout(() => done([...document.querySelectorAll(".finding[open] .what code")].map(e => e.textContent).join()), 50))`, chromedp.EvalAwaitPromise))
	if err != nil || opened != "page.cap" {
		t.Errorf("a link of the tree unfolded %q: %v", opened, err)
	}
	w.report(t)
}

func TestThePageOnPaperShowsEverything(t *testing.T) {
	tab, w := open(t, browser(t), page(t, failing()), 794, "dark")
	err := chromedp.Do(tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := evaluate[[]string](t, tab, `(() => { dispatchEvent(new Event("beforeprint"));
		return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector("nav")).display,
			String([...document.querySelectorAll("details")].filter(d => !d.open).length)] })()`)
	if fmt.Sprint(got) != "[rgb(255, 255, 255) none 0]" {
		t.Errorf("background, navigation and folded parts on paper: %q", got)
	}
	w.report(t)
}
