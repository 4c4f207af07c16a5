package compare_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/compare"
	"cutover/harness/hist"
	"cutover/harness/result"
)

// calm is a world without a run-to-run effect.
func calm(seed uint64) *world {
	w := newWorld(seed)
	w.seconds, w.perSec, w.effect, w.mood = 60, 20, 0, 0.01
	return w
}

func one(w *world, slow string, factor float64) []*result.Result { return w.side(1, slow, factor) }

func compared(t *testing.T, base, run []*result.Result, o compare.Options) *compare.Report {
	t.Helper()
	report, err := compare.Runs(base, run, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func finding(print string, severity result.Severity, class result.Class, count uint64, share float64) result.Finding {
	return result.Finding{ID: "case." + print, Fingerprint: print, Severity: severity, Class: class, Scenario: "week", Step: "list", Pointer: "/value", Count: count, Share: share}
}

func TestRunsThatAskedDifferentlyAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*result.Result)
		want  string
	}{
		{"another suite it refuses", func(r *result.Result) { r.SuiteHash = "0ther" }, "suite (s 5017e, s 0ther)"},
		{"another profile it refuses", func(r *result.Result) { r.ProfileHash = "0ther" }, "profile (lab b0b, lab 0ther)"},
		{"another plan it refuses", func(r *result.Result) { r.PlanHash = "0ther" }, "plan (41a, 0ther)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base, run := one(calm(1), "", 1), one(calm(1), "", 1)
			c.spoil(run[0])
			_, err := compare.Runs(base, run, compare.Options{})
			if !errors.Is(err, compare.ErrDifferent) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			report := compared(t, base, run, compare.Options{Force: true})
			if report.Verdict != result.Pass || len(report.Differ) != 1 {
				t.Errorf("forced: %s, differ %v", report.Verdict, report.Differ)
			}
		})
	}
	if _, err := compare.Runs(nil, one(calm(1), "", 1), compare.Options{}); !errors.Is(err, compare.ErrNoRuns) {
		t.Errorf("no base: %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	known := func(share float64) func(string, string, string, float64) (float64, bool) {
		return func(string, string, string, float64) (float64, bool) { return share, true }
	}
	bent := func(runs []*result.Result) []*result.Result {
		runs[0].Generator.Bent = []string{"lag"}
		return runs
	}
	for _, c := range []struct {
		name      string
		base, run []*result.Result
		o         compare.Options
		verdict   result.Verdict
		exit      int
		reason    string // of the first
	}{
		{"a run against itself, it passes", one(calm(3), "", 1), one(calm(3), "", 1), compare.Options{}, result.Pass, 0, ""},
		{"a run that is half as slow again, it fails", one(calm(3), "", 1), one(calm(3), "week", 1.5), compare.Options{}, result.Fail, 1, "slower: p50 of week/list on cloud, +"},
		{"the same where runs are known to differ by 80 %, it passes", one(calm(3), "", 1), one(calm(3), "week", 1.5), compare.Options{Band: known(0.8)}, result.Pass, 0, ""},
		{"a run 12 % slower, which runs may be anyway, it cannot tell", one(calm(3), "", 1), one(calm(3), "week", 1.12), compare.Options{}, result.Inconclusive, 6, "cannot tell: p50 of week/list on cloud: +1"},
		{"the same where runs are known to differ by 1 %, it fails", one(calm(3), "", 1), one(calm(3), "week", 1.12), compare.Options{Band: known(0.01)}, result.Fail, 1, "slower: p50 of week/list on cloud"},
		{"a slower step that is not asked about, it passes", one(calm(3), "", 1), one(calm(3), "week", 1.5), compare.Options{Steps: []string{"book/list"}}, result.Pass, 0, ""},
		{"a run whose ruler bent, it cannot tell", one(calm(3), "", 1), bent(one(calm(3), "week", 2)), compare.Options{}, result.Inconclusive, 6, "no run with times that count on the run side"},
		{"six against six apart, it fails", calm(3).side(6, "", 1), calm(4).side(6, "week", 1.3), compare.Options{Paths: []string{"cloud"}}, result.Fail, 1, "slower: p50 of week/list on cloud"},
		{"three against three apart, it says that they are too few", calm(3).side(3, "", 1), calm(4).side(3, "week", 1.3), compare.Options{Paths: []string{"cloud"}}, result.Inconclusive, 6, "cannot tell: p50 of open-inbox/list on cloud: 3 and 3 runs are too few for an interval"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := compared(t, c.base, c.run, c.o)
			first := strings.Join(report.Reasons[:min(1, len(report.Reasons))], "")
			if report.Verdict != c.verdict || report.ExitCode != c.exit || !strings.HasPrefix(first, c.reason) || (c.reason == "") != (first == "") {
				t.Errorf("%s (%d), reasons %q; want %s (%d), %q", report.Verdict, report.ExitCode, report.Reasons, c.verdict, c.exit, c.reason)
			}
		})
	}
}

func TestFindingsThatChanged(t *testing.T) {
	base, run := calm(5).side(2, "", 1), calm(5).side(2, "", 1)
	put := func(runs []*result.Result, at int, f result.Finding) {
		runs[at].Findings = append(runs[at].Findings, f)
	}
	for i := range 2 {
		put(base, i, finding("gone", result.Major, result.Breaking, 50, 0.5))
		put(base, i, finding("grows", result.Minor, result.Breaking, 10, 0.1))
		put(run, i, finding("grows", result.Minor, result.Breaking, 60, 0.6))
		put(base, i, finding("stays", result.Major, result.Breaking, 10, 0.1))
		put(run, i, finding("stays", result.Major, result.Breaking, 11, 0.11))
	}
	put(base, 0, finding("flickers", result.Minor, result.Breaking, 1, 0.01))
	put(run, 1, finding("new", result.Major, result.Breaking, 3, 0.03))
	put(run, 1, finding("harmless", result.Minor, result.Adapter, 3, 0.03))
	report := compared(t, base, run, compare.Options{})
	type row struct {
		what, id string
		blocks   bool
		base     float64
		run      float64
	}
	var got []row
	for _, c := range report.Findings {
		got = append(got, row{c.What, c.ID, c.Blocks, c.BaseShare, c.RunShare})
	}
	want := []row{{compare.New, "case.new", true, 0, 0.03}, {compare.New, "case.harmless", false, 0, 0.03}, {compare.Grown, "case.grows", false, 0.1, 0.6}, {compare.Gone, "case.gone", false, 0.5, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if report.Verdict != result.Fail || report.Reasons[0] != "new finding: case.new in week/list /value" {
		t.Errorf("%s, %q", report.Verdict, report.Reasons)
	}
}

func TestMoreFailuresFail(t *testing.T) {
	base, run := one(calm(6), "", 1), one(calm(6), "", 1)
	base[0].Steps[0].Outcomes = map[string]uint64{result.OutcomeOK: 1200}
	run[0].Steps[0].Outcomes = map[string]uint64{result.OutcomeOK: 1100, result.OutcomeTimeout: 100}
	report := compared(t, base, run, compare.Options{})
	want := []compare.Failures{{Scenario: "open-inbox", Step: "list", Path: "onprem", Run: 100.0 / 1200, More: true}}
	if !slices.Equal(report.Failures, want) || report.Verdict != result.Fail {
		t.Errorf("%s, %+v", report.Verdict, report.Failures)
	}
}

// Half of the answers get faster and half slower: the median stays, the shape does not.
func TestAShapeThatTheMedianMissesIsSeen(t *testing.T) {
	base, run := one(calm(7), "", 1), one(calm(7), "", 1)
	two := new(hist.Histogram)
	for i := range 600 {
		two.Record(10*time.Millisecond + time.Duration(i)*4*time.Microsecond)
		two.Record(30*time.Millisecond + time.Duration(i)*4*time.Microsecond)
	}
	run[0].Steps[0].Histogram = two
	report := compared(t, base, run, compare.Options{})
	if len(report.Shapes) != 1 || report.Shapes[0].Path != "onprem" || report.Shapes[0].Distance < 0.2 {
		t.Errorf("shapes %+v", report.Shapes)
	}
	if same := compared(t, base, one(calm(8), "", 1.0), compare.Options{}); len(same.Shapes) != 0 {
		t.Errorf("shapes of like runs: %+v", same.Shapes)
	}
	if slower := compared(t, base, one(calm(7), "open-inbox", 2), compare.Options{}); len(slower.Shapes) != 0 {
		t.Errorf("a mere shift is called a shape: %+v", slower.Shapes)
	}
}

func TestTheReportIsTheSameBytesAndSaysWhatItRestsOn(t *testing.T) {
	write := func() (string, string) {
		report := compared(t, one(calm(9), "", 1), one(calm(9), "week", 1.5), compare.Options{Seed: 5})
		var text, data bytes.Buffer
		if err := errors.Join(report.WriteText(&text), report.WriteJSON(&data)); err != nil {
			t.Fatal(err)
		}
		return text.String(), data.String()
	}
	text, data := write()
	again, dataAgain := write()
	if text != again || data != dataAgain {
		t.Error("the same comparison gives other bytes")
	}
	for _, want := range []string{
		"s on lab, SIMULATED: 1 run against 1 run, within these runs\n",
		"slower: from 5 % on, at a level of 5 % over all 16 tests (Holm); same: at most 10 % slower\n",
		"runs are assumed to differ by 10 % anyway (give --history, or several runs a side)\n",
		"none is new, grown or gone\n",
		"\nVerdict: FAIL (simulated)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	var back compare.Report
	if err := json.Unmarshal([]byte(data), &back); err != nil || back.Verdict != result.Fail || len(back.Tests) != 16 {
		t.Errorf("%v, %s, %d tests", err, back.Verdict, len(back.Tests))
	}
}

func TestTestsAreBoundedAndChosenByTheBaseAlone(t *testing.T) {
	base, run := one(calm(10), "", 1), one(calm(10), "", 1)
	for i := range 120 {
		row := base[0].Steps[0]
		row.Scenario, row.Count = "extra-"+string(rune('a'+i%26))+string(rune('a'+i/26)), uint64(200+i)
		base[0].Steps = append(base[0].Steps, row)
	}
	report := compared(t, base, run, compare.Options{})
	if len(report.Tests) != compare.MaxTests || !strings.Contains(strings.Join(report.Notes, "\n"), "78 rows are not tested") {
		t.Errorf("%d tests, notes %q", len(report.Tests), report.Notes)
	}
}
