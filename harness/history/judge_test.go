package history_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/compare"
	"cutover/harness/history"
	"cutover/harness/result"
)

// told is one judged gate in short.
func told(gates []result.Outcome) string {
	var out []string
	for _, g := range gates {
		out = append(out, fmt.Sprintf("%s: %s", g.Verdict, strings.TrimPrefix(g.Gate, "nightly: ")))
	}
	return strings.Join(out, "\n")
}

func TestTheNightlyRule(t *testing.T) {
	const (
		calmTimes    = "pass: as fast as in the median of 14 good nights"
		calmFindings = "pass: no finding that 14 good nights did not show"
		newFinding   = "fail: no finding that 14 good nights did not show"
		slow50       = "fail: p50 of inbox/list on cloud as in the median of 14 good nights"
		slow95       = "fail: p95 of inbox/list on cloud as in the median of 14 good nights"
		tooFew       = "no-data: as fast as in good nights, and no new finding"
	)
	found := func(r *result.Result, class result.Class, severity result.Severity) {
		r.Findings = append(r.Findings, result.Finding{ID: "x", Fingerprint: "x", Class: class, Severity: severity, Share: 1, Count: 1})
	}
	for _, c := range []struct {
		name   string
		nights int // before the last three
		change func(n int, r *result.Result)
		want   [3]string
	}{
		{"equal nights it leaves alone", 20, nil, [3]string{calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings}},
		{"twenty percent more it flags on the second night", 20, func(_ int, r *result.Result) { slow(r, 1.2) }, [3]string{calmTimes + "\n" + calmFindings, slow50 + "\n" + slow95 + "\n" + calmFindings, slow50 + "\n" + slow95 + "\n" + calmFindings}},
		{"eight percent more it leaves alone", 20, func(_ int, r *result.Result) { slow(r, 1.08) }, [3]string{calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings}},
		{"sixty percent more it flags at once", 20, func(n int, r *result.Result) {
			if n == 0 {
				slow(r, 1.6)
			}
		}, [3]string{slow50 + "\n" + slow95 + "\n" + calmFindings, calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings}},
		{"the first and third of three it flags on the third", 20, func(n int, r *result.Result) {
			if n != 1 {
				slow(r, 1.2)
			}
		}, [3]string{calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings, slow50 + "\n" + slow95 + "\n" + calmFindings}},
		{"a minor finding it flags on the second night", 20, func(_ int, r *result.Result) { found(r, result.Breaking, result.Minor) }, [3]string{calmTimes + "\n" + calmFindings, calmTimes + "\n" + newFinding, calmTimes + "\n" + newFinding}},
		{"a breaking one at major it flags at once", 20, func(n int, r *result.Result) {
			if n == 0 {
				found(r, result.Breaking, result.Major)
			}
		}, [3]string{calmTimes + "\n" + newFinding, calmTimes + "\n" + calmFindings, calmTimes + "\n" + calmFindings}},
		{"a slow night whose ruler bent it does not judge", 20, func(n int, r *result.Result) {
			slow(r, 1.2)
			if n < 2 {
				r.Generator.Bent = []string{"lag"}
			}
		}, [3]string{"no-data: as fast as in the median of 14 good nights\n" + calmFindings, "no-data: as fast as in the median of 14 good nights\n" + calmFindings, calmTimes + "\n" + calmFindings}},
		{"too few nights it cannot judge", 3, func(_ int, r *result.Result) { slow(r, 3) }, [3]string{tooFew, tooFew, tooFew}},
		{"another suite it cannot judge", 20, func(_ int, r *result.Result) { r.SuiteHash = "other" }, [3]string{tooFew, tooFew, tooFew}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, filepath.Join(t.TempDir(), "h.db"))
			for n := range c.nights {
				record(t, h, nightRun(n, 20, 40), fmt.Sprint(n))
			}
			for n := range 3 {
				r := nightRun(c.nights+n, 20, 40)
				if c.change != nil {
					c.change(n, r)
				}
				gates, err := h.Judge(r, history.Good)
				if err != nil || told(gates) != c.want[n] {
					t.Fatalf("night %d: %v\ngot:\n%s\nwant:\n%s", n+1, err, told(gates), c.want[n])
				}
				record(t, h, r, fmt.Sprint(c.nights+n))
			}
		})
	}
}

// slow makes the cloud path slower.
func slow(r *result.Result, factor float64) {
	s := &r.Steps[1]
	s.Response = result.Summary{P50: ms(*s.Response.P50 * factor), P95: ms(*s.Response.P95 * factor), P99: ms(*s.Response.P99 * factor)}
}

func TestMarksMoveTheReference(t *testing.T) {
	h := open(t, filepath.Join(t.TempDir(), "h.db"))
	for n := range 30 {
		factor := 1.0
		if n >= 20 {
			factor = 1.5
		}
		r := nightRun(n, 20, 40)
		slow(r, factor)
		if n >= 20 {
			r.Verdict = result.Fail // as the nightly gates say
		}
		record(t, h, r, fmt.Sprint(n))
	}
	tonight := nightRun(30, 20, 40)
	slow(tonight, 1.5)
	judged := func(baseline string) string {
		gates, err := h.Judge(tonight, baseline)
		if err != nil {
			t.Fatal(err)
		}
		return told(gates)
	}
	mark := func(n int, word string) {
		run, err := h.Find(nightRun(n, 1, 1).RunID)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Mark(run, word, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := judged(history.Good); !strings.HasPrefix(got, "fail: p50 of inbox/list on cloud as in the median of 14 good nights") {
		t.Errorf("flagged nights became the reference:\n%s", got)
	}
	for n := 21; n < 26; n++ {
		mark(n, history.Good)
	}
	mark(20, history.NewLevel)
	if got := judged(history.Good); got != "pass: as fast as in the median of 6 good nights\npass: no finding that 6 good nights did not show" {
		t.Errorf("from a new level on:\n%s", got)
	}
	mark(22, history.Bad)
	if got := judged(history.Good); !strings.HasPrefix(got, "pass: as fast as in the median of 5 good nights") {
		t.Errorf("a bad night counts:\n%s", got)
	}
	if got := judged("march"); !strings.HasPrefix(got, "no-data") {
		t.Errorf("a baseline that nobody marked:\n%s", got)
	}
	mark(3, "march")
	mark(20, "") // no new level any more
	if got := judged("march"); !strings.HasPrefix(got, "fail: p50 of inbox/list on cloud as in the median of 1 good nights") {
		t.Errorf("a marked baseline:\n%s", got)
	}
}

func TestTheBandIsWhatGoodNightsDifferBy(t *testing.T) {
	h := open(t, filepath.Join(t.TempDir(), "h.db"))
	for n := range 9 {
		r := nightRun(n, 20+float64(n%3), 40) // 20, 21, 22: median 21, MAD 1
		record(t, h, r, fmt.Sprint(n))
	}
	band, err := h.Band(nightRun(9, 20, 40))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := band("inbox", "list", "onprem", 0.5); !ok || got != 4.0/21 {
		t.Errorf("band %v, %v", got, ok)
	}
	if _, ok := band("inbox", "list", "nowhere", 0.5); ok {
		t.Error("a band of a path that is not there")
	}
	other := nightRun(9, 20, 40)
	other.SuiteHash = "other"
	if band, err := h.Band(other); err != nil {
		t.Error(err)
	} else if _, ok := band("inbox", "list", "onprem", 0.5); ok {
		t.Error("a band of another series")
	}
}

func TestTrendsFindTheNightAndWhatChangedWithIt(t *testing.T) {
	h := open(t, filepath.Join(t.TempDir(), "h.db"))
	for n := range 24 {
		r := nightRun(n, 20, 40*(1+0.01*float64(n*7%5))) // a little noise, the same each time
		if n >= 17 {
			slow(r, 1.2)
			r.Paths[0].Server = "15.2.1544"
			r.Versions.Cutover = "1.1"
			r.Findings = []result.Finding{{ID: "case.property", Fingerprint: "f", Class: result.Breaking, Severity: result.Major, Scenario: "inbox", Step: "list", Pointer: "/value"}}
		}
		if n == 9 {
			r.Generator.Bent = []string{"lag"}
			slow(r, 5)
		}
		record(t, h, r, fmt.Sprint(n))
	}
	trends, err := h.Trends(history.Wanted{Quantile: "p50"})
	if err != nil || len(trends) != 2 {
		t.Fatalf("%v, %d trends", err, len(trends))
	}
	cloud, onprem := trends[0], trends[1]
	if len(onprem.Changes) != 0 || history.Sparkline(onprem.Points) != "▄▄▄▄▄▄▄▄▄·▄▄▄▄▄▄▄▄▄▄▄▄▄▄" {
		t.Errorf("on-prem changed: %+v, %s", onprem.Changes, history.Sparkline(onprem.Points))
	}
	want := nightRun(17, 1, 1).RunID
	change, still := cloud.Still()
	if !still || len(cloud.Changes) != 1 || change.RunID != want || change.Share < 0.15 || change.Share > 0.25 {
		t.Errorf("changes %+v, want one at %s", cloud.Changes, want)
	}
	wantWith := []compare.Difference{{What: "server of onprem", Base: "15.1.2507", Run: "15.2.1544"}, {What: "cutover", Base: "1.0", Run: "1.1"}}
	bad, err := h.FirstBad(history.Wanted{})
	if err != nil || len(bad) != 1 || bad[0].RunID != want || len(bad[0].What) != 2 || fmt.Sprint(bad[0].With) != fmt.Sprint(wantWith) {
		t.Errorf("%v, first bad %+v", err, bad)
	}
	var page strings.Builder
	if err := history.WriteHTML(&page, trends); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"p50 of inbox/list on cloud", "with it: server of onprem, 15.1.2507 → 15.2.1544", "default-src 'none'", "<polyline points=\"20.8,"} {
		if !strings.Contains(page.String(), piece) {
			t.Errorf("the page lacks %q", piece)
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "http://") || strings.Contains(page.String(), "https://") {
		t.Error("the page is not offline")
	}
}

func TestFirstSeen(t *testing.T) {
	for _, c := range []struct {
		name  string
		shown string
		at    int
		ok    bool
	}{
		{"never it is not there", "....", -1, false},
		{"to the end it came first", "..xx", 2, true},
		{"one night without it does not count", ".x.x.", 1, true},
		{"two nights without it end it", "x..xx", 3, true},
		{"gone it is not there", "xxx..", -1, false},
		{"always it was always there", "xxx", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var shown []bool
			for _, r := range c.shown {
				shown = append(shown, r == 'x')
			}
			if at, ok := history.FirstSeen(shown); at != c.at || ok != c.ok {
				t.Errorf("got %d, %v, want %d, %v", at, ok, c.at, c.ok)
			}
		})
	}
}
