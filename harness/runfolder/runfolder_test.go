package runfolder_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/hist"
	"cutover/harness/journal"
	"cutover/harness/result"
	"cutover/harness/runfolder"
)

var began = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func asked(planned uint64) result.Run {
	return result.Run{
		Schema: result.RunSchema, RunID: "r1", Suite: "smoke", Profile: "lab", Target: result.Simulated, Started: began, Planned: planned,
		Paths: []result.PathInfo{{Name: "onprem", Side: result.Left}, {Name: "cloud", Side: result.Right}}, Gates: []string{"p95 of right < 1s"},
		Phases: []result.Phase{{Name: "steady", AskedPS: 2}},
	}
}

// second is one line of a run at 4 legs a second, of which one fails.
func second(t int) result.Second {
	point := func(path string, errors uint64, at time.Duration) result.SeriesPoint {
		h := new(hist.Histogram)
		h.Record(at)
		h.Record(2 * at)
		return result.SeriesPoint{Scenario: "open", Step: "list", Path: path, Count: 2, Errors: errors, Histogram: hist.Pack(h)}
	}
	return result.Second{T: t, Phase: "steady", Measured: t > 0, Due: 4, Ahead: 4, Buckets: result.Buckets{Completed: 3, Failed: 1},
		Series: []result.SeriesPoint{point("onprem", 0, 10*time.Millisecond), point("cloud", 1, 40*time.Millisecond)}, CPU: 0.1 * float64(t), RSSBytes: 100, LagP99: 1}
}

// must ends the test when err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, dir string) *runfolder.Folder {
	t.Helper()
	f, err := runfolder.Create(dir)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() }) // already closed where the test did so
	return f
}

func TestAFinishedRunIsReadBackWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "1")
	f := create(t, dir)
	must(t, f.WriteRun(asked(8)))
	for _, s := range []int{1, 0} {
		must(t, f.AppendSecond(second(s)))
	}
	want := asked(8).Result()
	want.Buckets = result.Buckets{Planned: 8, Completed: 6, Failed: 2}
	want.Findings = []result.Finding{{ID: "case.property", Class: result.Adapter}}
	result.Decide(want)
	must(t, f.WriteResult(want))
	must(t, f.Close())

	got, err := runfolder.Load(dir)
	must(t, err)
	if len(got.Series) != 2 || got.Series[0].T != 0 || got.Series[1].T != 1 {
		t.Fatalf("the series is not in the order of time: %+v", got.Series)
	}
	got.Series = nil
	a, err := result.Encode(want)
	must(t, err)
	b, err := result.Encode(got)
	must(t, err)
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	lines, err := os.ReadFile(f.Path(runfolder.FindingsFile))
	must(t, err)
	if n := strings.Count(string(lines), "\n"); n != 1 {
		t.Errorf("findings.jsonl has %d lines, want 1", n)
	}
}

func TestLinesOfTheSameSecondAddUp(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(8)))
	must(t, f.AppendSecond(second(1)))
	must(t, f.AppendSecond(second(1)))
	other := second(1)
	other.Series = []result.SeriesPoint{{Scenario: "open", Step: "read", Path: "cloud", Count: 7}}
	must(t, f.AppendSecond(other))
	r, err := runfolder.Seal(dir)
	must(t, err)
	if len(r.Series) != 1 {
		t.Fatalf("%d seconds, want 1", len(r.Series))
	}
	s := r.Series[0]
	if s.Due != 12 || s.Buckets.Completed != 9 || len(s.Series) != 3 || s.Series[0].Count != 4 || s.Series[0].Histogram.Unpack().Count() != 4 {
		t.Errorf("the lines did not add up: %+v", s)
	}
}

func TestAFolderWithSomethingElseIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "thesis.doc"), []byte("three years of work"), 0o644))
	if _, err := runfolder.Create(dir); !errors.Is(err, runfolder.ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
	if _, err := runfolder.Load(dir); !errors.Is(err, runfolder.ErrNoRun) {
		t.Errorf("got %v, want ErrNoRun", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder was touched: %v", left)
	}
}

func TestASecondRunIntoTheSameFolderKeepsTheFirstOnesJournal(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(8)))
	must(t, f.AppendSecond(second(0)))
	must(t, f.WriteResult(asked(8).Result()))
	must(t, f.Close())
	must(t, os.WriteFile(f.Path(runfolder.JournalFile), []byte("{}\n"), 0o600))
	must(t, os.WriteFile(f.Path("notes.txt"), []byte("mine"), 0o644))

	g := create(t, dir)
	var names []string
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"audit.jsonl", "journal.jsonl", "journal.jsonl.1", "notes.txt", "series.jsonl"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if info, err := os.Stat(g.Path(runfolder.SeriesFile)); err != nil || info.Size() != 0 {
		t.Errorf("the old series is still there: %v %v", info, err)
	}
}

func TestJournalAndAuditAreForTheirOwnerAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no mode bits; the folder's access list decides there")
	}
	f := create(t, t.TempDir())
	for _, name := range runfolder.Private() {
		info, err := os.Stat(f.Path(name))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode().Perm())
		}
	}
}

func TestAnUnfinishedRunIsNotLoaded(t *testing.T) {
	dir := t.TempDir()
	must(t, create(t, dir).WriteRun(asked(8)))
	if _, err := runfolder.Load(dir); !errors.Is(err, runfolder.ErrUnfinished) {
		t.Errorf("got %v, want ErrUnfinished", err)
	}
}

func TestAKilledRunIsSealed(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(40)))
	for i := range 3 {
		s := second(i)
		if i == 2 {
			s.Buckets = result.Buckets{Completed: 2} // two were still under way
		}
		must(t, f.AppendSecond(s))
	}
	must(t, f.WriteFindings([]result.Finding{{ID: "case.property", Class: result.Adapter}}))
	j, err := journal.Open(f.Path(runfolder.JournalFile))
	must(t, err)
	for range 3 {
		_, err := j.Intend(journal.Entry{Path: "cloud", Sort: "message"})
		must(t, err)
	}
	must(t, j.Done(1, "id-1"))
	must(t, j.Done(2, "id-2"))
	must(t, j.Removed(2))
	must(t, j.Close())

	r, err := runfolder.Seal(dir)
	must(t, err)
	type view struct {
		Verdict result.Verdict
		Exit    int
		Reasons []string
		Buckets result.Buckets
		Cleanup result.Cleanup
		Ended   time.Time
		Counts  []uint64
		Bad     uint64
		Stop    result.StopKind
		Rules   int
		GotPS   float64
	}
	got := view{r.Verdict, r.ExitCode, r.Reasons, r.Buckets, r.Cleanup, r.Ended, []uint64{r.Steps[0].Count, r.Steps[1].Count}, r.Steps[1].Failed(), r.Stop.Kind, len(r.Findings), r.Phases[0].GotPS}
	want := view{result.Inconclusive, 6,
		[]string{"the run was killed: its record ends 3 s after the start", "gate has no data: p95 of right < 1s"},
		// 12 were due, 10 ended; 4 more were due in the second after the record
		result.Buckets{Planned: 40, Completed: 8, Failed: 2, NotStarted: 24, Unknown: 6},
		result.Cleanup{Created: 2, Removed: 1, Left: 1, Unknown: 1}, began.Add(3 * time.Second), []uint64{4, 4}, 2, result.StopKilled, 1, 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	again, err := runfolder.Seal(dir)
	must(t, err)
	if again.Buckets != r.Buckets || !again.SealedByHand {
		t.Error("sealing a second time does not return the first seal")
	}
}

func TestARunKilledAtAnyByteSealsAndItsBucketsAddUp(t *testing.T) {
	whole := t.TempDir()
	f := create(t, whole)
	must(t, f.WriteRun(asked(40)))
	for i := range 4 {
		must(t, f.AppendSecond(second(i)))
	}
	series, err := os.ReadFile(f.Path(runfolder.SeriesFile))
	must(t, err)
	run, err := os.ReadFile(f.Path(runfolder.RunFile))
	must(t, err)
	dir := t.TempDir()
	for end := 0; end <= len(series); end += 7 {
		must(t, os.RemoveAll(filepath.Join(dir, runfolder.ResultFile)))
		must(t, os.WriteFile(filepath.Join(dir, runfolder.RunFile), run, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, runfolder.SeriesFile), series[:end], 0o644))
		r, err := runfolder.Seal(dir)
		if err != nil {
			t.Fatalf("cut at byte %d: %v", end, err)
		}
		if err := r.Buckets.Check(); err != nil || r.Verdict != result.Inconclusive {
			t.Errorf("cut at byte %d: %v, verdict %s", end, err, r.Verdict)
		}
	}
}

func TestTheBucketsOfASealedRun(t *testing.T) {
	for _, c := range []struct {
		name    string
		planned uint64
		change  func(*result.Second)
		want    result.Buckets
	}{
		{"of a closed model are what was seen", 0, func(s *result.Second) { s.Due, s.Ahead = 0, 0 }, result.Buckets{Planned: 4, Completed: 3, Failed: 1}},
		{"without a word on what was due count everything else as unknown", 20, func(s *result.Second) { s.Due, s.Ahead = 0, 0 },
			result.Buckets{Planned: 20, Completed: 3, Failed: 1, Unknown: 16}},
		{"of users who do a number of iterations are unknown as far as they had begun, or may have since", 20,
			func(s *result.Second) { s.Due, s.Begun, s.Ahead = 0, 6, 5 }, result.Buckets{Planned: 20, Completed: 3, Failed: 1, NotStarted: 9, Unknown: 7}},
		{"of users whom only time bounds are what had begun, beside what was planned", 20,
			func(s *result.Second) { s.Due, s.Begun, s.Unplanned, s.Ahead = 0, 6, 6, 0 }, result.Buckets{Planned: 26, Completed: 3, Failed: 1, NotStarted: 20, Unknown: 2}},
		{"at the end of the plan leave nothing over", 4, func(s *result.Second) { s.Ahead = 0 }, result.Buckets{Planned: 4, Completed: 3, Failed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := create(t, dir)
			must(t, f.WriteRun(asked(c.planned)))
			s := second(1)
			c.change(&s)
			must(t, f.AppendSecond(s))
			r, err := runfolder.Seal(dir)
			must(t, err)
			if diff := cmp.Diff(c.want, r.Buckets); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestARunKilledBeforeItsFirstSecondHadEnded(t *testing.T) {
	for _, c := range []struct {
		name   string
		opened bool
		want   result.Buckets
	}{
		{"it had asked nothing when its record is empty", false, result.Buckets{Planned: 40, NotStarted: 40}},
		{"its first second alone is unknown when its record was opened", true, result.Buckets{Planned: 40, NotStarted: 36, Unknown: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := create(t, dir)
			must(t, f.WriteRun(asked(40)))
			if c.opened {
				must(t, f.AppendSecond(result.Second{Phase: "steady", Measured: true, Ahead: 4}))
			}
			r, err := runfolder.Seal(dir)
			must(t, err)
			if diff := cmp.Diff(c.want, r.Buckets); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestGatesOfAKilledRunAreJudgedOnWhatItLeft(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(40)))
	must(t, f.AppendSecond(result.Second{Phase: "steady", Measured: true, Ahead: 4}))
	s := second(1)
	s.Comparison = &result.Comparison{Pairs: 4, Compared: 3, Equal: 2, Different: 1}
	must(t, f.AppendSecond(s))
	r, err := runfolder.SealJudged(dir, func(r *result.Result) {
		if r.Comparison.Compared != 3 || len(r.Steps) != 2 || r.Steps[0].Count != 2 {
			t.Errorf("the judge sees %+v and %d rows", r.Comparison, len(r.Steps))
		}
		r.Gates[0].Verdict, r.Gates[0].Observed = result.Fail, "1.2s"
	})
	must(t, err)
	want := []string{"the run was killed: its record ends 2 s after the start", "gate failed: p95 of right < 1s (observed 1.2s)"}
	if diff := cmp.Diff(want, r.Reasons); diff != "" || r.Verdict != result.Inconclusive {
		t.Errorf("%s, reasons (-want +got)\n%s", r.Verdict, diff)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{runfolder.SeriesFile, "{\"t\": 0}\n{\"t\": oops}\n", "series.jsonl:2: "},
		{runfolder.RunFile, "{", "run.json: "},
		{runfolder.FindingsFile, "{\"id\": \"a\"}\n\n[]\n", "findings.jsonl:3: "},
		{runfolder.JournalFile, "nonsense\n", "journal.jsonl:1: "},
		{runfolder.ResultFile, "{}", "result: schema"},
	} {
		dir := t.TempDir()
		f := create(t, dir)
		must(t, f.WriteRun(asked(8)))
		must(t, os.WriteFile(f.Path(c.file), []byte(c.content), 0o600))
		_, err := runfolder.Seal(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something with %q", c.file, err, c.want)
		}
	}
}

func TestAReaderNeverSeesHalfAFile(t *testing.T) {
	dir := t.TempDir()
	f := create(t, dir)
	must(t, f.WriteRun(asked(8)))
	must(t, f.WriteRun(asked(9)))
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if e.Name()[0] == '.' {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(f.Path(runfolder.RunFile))
		must(t, err)
		if info.Mode().Perm() != 0o644 {
			t.Errorf("run.json has mode %v", info.Mode().Perm())
		}
	}
	must(t, os.RemoveAll(dir))
	if err := f.WriteRun(asked(8)); err == nil {
		t.Error("a vanished folder is not reported")
	}
}
