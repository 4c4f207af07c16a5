package reports_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
	"cutover/reports"
)

// numbersInPage reads every figure of the table of operations back.
const numbersInPage = `[...document.querySelectorAll(".ops tbody")].flatMap(b => [...b.querySelectorAll("tr[data-path]")].map(tr =>
	[b.dataset.scenario, b.dataset.step, tr.dataset.path, ...[...tr.querySelectorAll("td[data-v]")].map(td => td.dataset.v)].join(" ")))`

func numbersInResult(r *result.Result) []string {
	text := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	var out []string
	for _, s := range r.Steps {
		if s.Scenario == "week" && s.Step == result.WholeLeg {
			continue // a scenario of one step: the page shows it once
		}
		q := s.Response
		out = append(out, fmt.Sprintf("%s %s %s %d %s %s %s %s %s", s.Scenario, s.Step, s.Path, s.Count, text(q.P50), text(q.P95), text(q.P99), text(q.P999), text(q.Max)))
	}
	return out
}

func TestThePageInChromium(t *testing.T) {
	ctx := browser(t)
	for _, c := range []struct {
		name string
		r    *result.Result
	}{{"pass", fixture()}, {"fail", failing()}, {"empty", &result.Result{Schema: result.Schema, Suite: "s", Profile: "p", Verdict: result.Inconclusive}}} {
		file := filepath.Join(t.TempDir(), "report.html")
		if err := os.WriteFile(file, render(t, "html", c.r, reports.Options{}), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s, %d pixels wide, %s: it is silent, fits and holds the result's numbers", c.name, width, scheme), func(t *testing.T) {
					tab, w := open(t, ctx, file, width, scheme)
					screen(t, tab, fmt.Sprintf("%s-%d-%s", c.name, width, scheme))
					if diff := cmp.Diff(numbersInResult(c.r), evaluate[[]string](t, tab, numbersInPage)); diff != "" && len(c.r.Steps) > 0 {
						t.Errorf("the page's figures are not the result's (-result +page):\n%s", diff)
					}
					if got := evaluate[string](t, tab, `document.getElementById("verdict").dataset.verdict`); got != string(c.r.Verdict) {
						t.Errorf("verdict on the page is %q, of the result %q", got, c.r.Verdict)
					}
					if over := evaluate[int64](t, tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
						t.Errorf("the page is %d pixels wider than the screen", over)
					}
					w.report(t)
				})
			}
		}
	}
}

func TestThePageAnswersToKeysAndClicks(t *testing.T) {
	r := failing()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, render(t, "html", r, reports.Options{}), 0o644); err != nil {
		t.Fatal(err)
	}
	tab, w := open(t, browser(t), file, 1280, "light")
	js := func(t *testing.T, expression, want string) {
		t.Helper()
		if got := evaluate[string](t, tab, expression); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", expression, got, want)
		}
	}
	evaluate[bool](t, tab, `(() => { window.chart = title => [...document.querySelectorAll("figure.chart")].find(f => f.querySelector(".title").textContent === title);
		window.press = (title, key) => chart(title).querySelector(".plot").dispatchEvent(new KeyboardEvent("keydown", {key: key, bubbles: true}));
		window.reading = title => [...chart(title).querySelector(".read").children].map(e => e.textContent).join("; "); return true })()`)

	t.Run("the crosshair of the rate reads what the series holds", func(t *testing.T) {
		first := r.Series[0]
		var legs [2]uint64
		for _, p := range first.Series {
			if p.Step == result.WholeLeg {
				if p.Path == "cloud" {
					legs[1] += p.Count
				} else {
					legs[0] += p.Count
				}
			}
		}
		js(t, `press("Rate", "Home"); reading("Rate")`, fmt.Sprintf("0:00; asked %d /s; onprem %d /s; cloud %d /s", first.Due/2, legs[0], legs[1]))
		js(t, `press("Rate", "ArrowRight"); reading("Rate").split(";")[0]`, "0:01")
	})
	t.Run("charts over time share their crosshair", func(t *testing.T) {
		js(t, `press("Rate", "End"); reading("Generator lag").split(";")[0]`, "0:39")
	})
	t.Run("plus zooms all of them in and Escape shows everything again", func(t *testing.T) {
		js(t, `press("Rate", "+"); chart("Generator lag").querySelector("svg.in").getAttribute("viewBox") !== chart("Latency histogram").querySelector("svg.in").getAttribute("viewBox") ? "zoomed" : "same"`, "zoomed")
		js(t, `press("Rate", "Escape"); chart("Generator lag").querySelector("svg.in").getAttribute("viewBox").split(" ")[2]`, "1000")
	})
	t.Run("a legend entry hides its line and says so", func(t *testing.T) {
		js(t, `(() => { const b = chart("Percentiles").querySelector(".legend button.right"); b.click(); return b.getAttribute("aria-pressed") + " " +
			getComputedStyle(chart("Percentiles").querySelector("path.right")).display })()`, "false none")
	})
	t.Run("the search leaves the findings that match", func(t *testing.T) {
		js(t, `(() => { const f = document.getElementById("find"); f.value = "html body.html"; f.dispatchEvent(new Event("input"));
			return document.getElementById("found").textContent + ": " + [...document.querySelectorAll(".finding:not(.off) .what code")].map(e => e.textContent).join() })()`, "1 of 5: body.html")
	})
	t.Run("what fails the run is unfolded", func(t *testing.T) {
		js(t, `[...document.querySelectorAll(".finding[open] .what code")].map(e => e.textContent).join()`, "page.cap")
	})
	t.Run("the tab key reaches sections, charts and findings", func(t *testing.T) {
		js(t, `["nav a", ".plot", ".finding summary", ".legend button", "#find"].filter(s => document.querySelector(s).tabIndex < 0).join()`, "")
	})
	w.report(t)
}

func TestTheTableStandsWithoutScripts(t *testing.T) {
	page := string(render(t, "html", fixture(), reports.Options{}))
	body, _, _ := strings.Cut(page, `<script type="application/json"`)
	for _, want := range []string{`<td class="n" data-q="p50" data-v="41.55">41.5</td>`, `<code>page.cap</code>`, `no unwaived breaking difference at major or worse`, `class="area left"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in the page before its scripts", want)
		}
	}
}

func TestThePageAsksForNothing(t *testing.T) {
	page := string(render(t, "html", fixture(), reports.Options{}))
	if found := regexp.MustCompile(`(?i)(src|href|action|poster|data)\s*=\s*["']?\s*(https?:)?//[^"'>]*`).FindAllString(page, -1); len(found) > 0 {
		t.Errorf("references to somewhere else: %q", found)
	}
	if found := regexp.MustCompile(`(?i)\s(on[a-z]+|style)\s*=`).FindAllString(page[:strings.LastIndex(page, "<script>")], -1); len(found) > 0 {
		t.Errorf("the policy forbids inline handlers and styles: %q", found)
	}
	if !strings.Contains(page, `default-src &#39;none&#39;`) || strings.Contains(page, "unsafe-inline") {
		t.Error("the policy is not strict")
	}
}

func TestTenThousandFindingsStayBelowOneMegabyte(t *testing.T) {
	page := render(t, "html", crowded(10_000), reports.Options{})
	if len(page) > 1_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	shown := bytes.Count(page, []byte(` class="finding`))
	hidden := regexp.MustCompile(`([0-9,]+) differences are summed up here`).FindSubmatch(page)
	if shown < 200 || hidden == nil {
		t.Fatalf("%d findings in full, summary %q", shown, hidden)
	}
	rest, err := strconv.Atoi(strings.ReplaceAll(string(hidden[1]), ",", ""))
	if err != nil || shown+rest != 10_005 {
		t.Errorf("%d shown and %d summed up are not 10,005", shown, rest)
	}
}
