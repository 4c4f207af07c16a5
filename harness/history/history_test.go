package history_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/history"
	"cutover/harness/result"
	"cutover/harness/runfolder"
)

var start = time.Date(2026, 3, 1, 3, 15, 0, 0, time.UTC)

func ms(v float64) *float64 { return &v }

// nightRun is a run of night n: two paths, one step, times around 20 and 40 ms.
func nightRun(n int, left, right float64) *result.Result {
	at := start.AddDate(0, 0, n)
	r := &result.Result{
		Schema: result.Schema, RunID: at.Format("20060102T150405Z") + "-nightly", Suite: "nightly", SuiteHash: "5017e", Profile: "contoso", ProfileHash: "b0b", PlanHash: "41a",
		Target: result.Real, Seed: 1, Started: at, Ended: at.Add(10 * time.Minute), Verdict: result.Pass, Mailboxes: 5,
		Versions: result.Versions{Cutover: "1.0", Go: "go1.26"},
		Paths:    []result.PathInfo{{Name: "onprem", Side: result.Left, Dialect: "rest", Server: "15.1.2507"}, {Name: "cloud", Side: result.Right, Dialect: "graph"}},
		Phases:   []result.Phase{{Name: "steady", Model: "20/s for 10m", Measured: true, Planned: 12000}},
	}
	for i, v := range []float64{left, right} {
		r.Steps = append(r.Steps, result.StepStats{Scenario: "inbox", Step: "list", Path: r.Paths[i].Name, Side: r.Paths[i].Side, Count: 6000,
			Outcomes: map[string]uint64{result.OutcomeOK: 5990, result.OutcomeTimeout: 4, result.OutcomeThrottled: 6}, Response: result.Summary{P50: ms(v), P95: ms(2 * v), P99: ms(3 * v)}})
	}
	return r
}

func open(t *testing.T, file string) *history.History {
	t.Helper()
	h, err := history.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// folder writes a run folder that holds r.
func folder(t *testing.T, root string, r *result.Result) string {
	t.Helper()
	dir := filepath.Join(root, r.RunID)
	f, err := runfolder.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.WriteRun(r.Asked()), f.WriteResult(r), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func record(t *testing.T, h *history.History, r *result.Result, dir string) {
	t.Helper()
	if err := h.Record(r, dir); err != nil {
		t.Fatal(err)
	}
}

func ids(runs []history.Run) string {
	var days []string
	for _, r := range runs {
		days = append(days, r.RunID[6:8])
	}
	return strings.Join(days, " ")
}

func TestARecordedRunIsReadBackWhole(t *testing.T) {
	root := t.TempDir()
	h := open(t, filepath.Join(root, "deep", "history.db"))
	r := nightRun(0, 20, 40)
	r.Seed = 1<<64 - 1
	r.Reasons = []string{"gate failed"}
	r.Findings = []result.Finding{{ID: "case.property", Fingerprint: "f1", Severity: result.Minor, Class: result.Breaking, Scenario: "inbox", Step: "list", Pointer: "/value", Count: 3, Share: 0.5, Waived: true}}
	dir := folder(t, root, r)
	record(t, h, r, dir)
	record(t, h, r, dir) // again: nothing doubles
	runs, err := h.List(history.Filter{})
	if err != nil || len(runs) != 1 {
		t.Fatalf("%v, %d runs", err, len(runs))
	}
	got, _ := json.Marshal(runs[0])
	want, _ := json.Marshal(history.Run{RunID: r.RunID, Dir: dir, Started: r.Started, Ended: r.Ended, Suite: r.Suite, SuiteHash: r.SuiteHash, Profile: r.Profile, ProfileHash: r.ProfileHash,
		PlanHash: r.PlanHash, Series: history.SeriesOf(r), Target: r.Target, Seed: r.Seed, Mailboxes: 5, Verdict: r.Verdict, Counts: true, Reasons: r.Reasons, Versions: r.Versions, Paths: r.Paths})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	metrics, err := h.Metrics(runs[0])
	if err != nil || len(metrics) != 2 || metrics[1].Path != "onprem" || metrics[1].Failed != 4 || metrics[1].Throttled != 6 || *metrics[1].P95 != 40 {
		t.Errorf("%v, metrics %+v", err, metrics)
	}
	findings, err := h.Findings(runs[0])
	if err != nil || !slices.Equal(findings, []history.Seen{{Fingerprint: "f1", ID: "case.property", Severity: result.Minor, Class: result.Breaking, Scenario: "inbox", Step: "list", Pointer: "/value", Count: 3, Share: 0.5, Waived: true}}) {
		t.Errorf("%v, findings %+v", err, findings)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

func TestListFilters(t *testing.T) {
	h := open(t, filepath.Join(t.TempDir(), "h.db"))
	for n := range 6 {
		r := nightRun(n, 20, 40)
		if n == 2 {
			r.Verdict = result.Fail
		}
		if n == 4 {
			r.Suite, r.SuiteHash = "smoke", "5" // another series
		}
		record(t, h, r, fmt.Sprintf("runs/%d", n))
	}
	for _, c := range []struct {
		name string
		f    history.Filter
		want string
	}{
		{"nothing it shows all, the oldest first", history.Filter{}, "01 02 03 04 05 06"},
		{"a suite it shows that", history.Filter{Suite: "smoke"}, "05"},
		{"a verdict it shows that", history.Filter{Verdict: result.Fail}, "03"},
		{"a profile that is not there it shows none", history.Filter{Profile: "lab"}, ""},
		{"so many it shows the newest", history.Filter{Last: 2}, "05 06"},
		{"a time it shows what began from it on, before the other", history.Filter{Since: start.AddDate(0, 0, 1), Before: start.AddDate(0, 0, 3)}, "02 03"},
		{"a series it shows what asked the same", history.Filter{Series: history.SeriesOf(nightRun(0, 1, 1)), Last: 3}, "03 04 06"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs, err := h.List(c.f)
			if err != nil || ids(runs) != c.want {
				t.Errorf("%v, got %q, want %q", err, ids(runs), c.want)
			}
		})
	}
}

func TestAMarkLiesInTheFolderAndSurvivesARebuild(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "h.db")
	h, err := history.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for n := range 3 {
		r := nightRun(n, 20, 40)
		dirs = append(dirs, folder(t, root, r))
		record(t, h, r, dirs[n])
	}
	second, err := h.Find(dirs[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Mark(second, history.Good, "as it should be"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find("nothing"); !errors.Is(err, history.ErrNoRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dirs[2], runfolder.ResultFile), []byte("{"), 0o644), h.Close()); err != nil {
		t.Fatal(err)
	}
	done, err := history.Rebuild(file, []string{root})
	if err != nil || done.Runs != 2 || len(done.Skipped) != 1 || done.OldFile != file+".1" {
		t.Fatalf("%v, %+v", err, done)
	}
	h = open(t, file)
	marked, err := h.List(history.Filter{Mark: history.Good})
	if err != nil || len(marked) != 1 || marked[0].RunID != second.RunID || marked[0].Note != "as it should be" {
		t.Errorf("%v, marked %+v", err, marked)
	}
	// The folder is written anew: the mark was another run's.
	record(t, h, nightRun(7, 20, 40), dirs[1])
	if again, _ := h.List(history.Filter{Mark: history.Good}); len(again) != 1 {
		t.Errorf("%d marked runs", len(again))
	}
}

func TestAForeignOrDamagedFileIsRefusedAndRebuilt(t *testing.T) {
	for _, c := range []struct {
		name    string
		content string
	}{
		{"a text it refuses", strings.Repeat("not a database, but long enough to be read as one\n", 20)},
		{"a torn database it refuses", "SQLite format 3\x00" + strings.Repeat("\xff", 4096)},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, "h.db")
			if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := history.Open(file); !errors.Is(err, history.ErrDamaged) {
				t.Fatalf("error %v", err)
			}
			folder(t, root, nightRun(0, 20, 40))
			if done, err := history.Rebuild(file, []string{root}); err != nil || done.Runs != 1 {
				t.Fatalf("%v, %+v", err, done)
			}
			if err := open(t, file).Check(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := history.Open(t.TempDir()); err == nil {
		t.Error("a folder is opened as a history")
	}
}

func TestAnotherVersionsHistoryIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.db")
	h, err := history.Open(file)
	if err != nil || h.File() != file {
		t.Fatalf("%v, file %s", err, h.File())
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Open(file); !errors.Is(err, history.ErrVersion) {
		t.Errorf("error %v", err)
	}
}

func TestStrayRowsAreDamage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.db")
	h := open(t, file)
	record(t, h, nightRun(0, 20, 40), "runs/0")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DELETE FROM runs"); err != nil { // this connection does not cascade
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Check(); !errors.Is(err, history.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

func TestFoldersAreFoundBelowARoot(t *testing.T) {
	root := t.TempDir()
	first := folder(t, filepath.Join(root, "a", "b"), nightRun(0, 20, 40))
	second := folder(t, root, nightRun(1, 20, 40))
	folder(t, filepath.Join(root, "1", "2", "3", "4", "5"), nightRun(2, 20, 40)) // too deep
	dirs, err := history.Folders(root)
	if err != nil || !slices.Equal(dirs, []string{second, first}) {
		t.Errorf("%v, %v", err, dirs)
	}
	if dirs, err := history.Folders(first); err != nil || !slices.Equal(dirs, []string{first}) {
		t.Errorf("a run folder itself: %v, %v", err, dirs)
	}
	if _, err := history.Folders(filepath.Join(root, "nothing")); err == nil {
		t.Error("a folder that is not there has runs")
	}
}

func TestExportIsOneLineARun(t *testing.T) {
	h := open(t, filepath.Join(t.TempDir(), "h.db"))
	for n := range 3 {
		record(t, h, nightRun(n, 20, 40), fmt.Sprint(n))
	}
	var out bytes.Buffer
	if err := h.Export(&out, history.Filter{Last: 2}); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(&out)
	n := 0
	for ; lines.Scan(); n++ {
		var line history.Exported
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || len(line.Metrics) != 2 || line.Suite != "nightly" {
			t.Errorf("%v: %s", err, lines.Text())
		}
	}
	if n != 2 {
		t.Errorf("%d lines", n)
	}
}
