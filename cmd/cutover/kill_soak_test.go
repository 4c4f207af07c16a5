package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"cutover/harness/history"
	"cutover/harness/lab"
	"cutover/harness/result"
	"cutover/harness/runfolder"
)

// kills is how many runs are killed, each at an instant of its own.
const kills = 50

// killRate is the load of the smoke suite in legs per second, over both paths.
const killRate = 40

// TestSoakARunKilledAtAnyInstantIsSealed kills whole runs, at random instants
// from their first moment to their last write. The seed is fixed; the instants
// are not, because machines differ.
func TestSoakARunKilledAtAnyInstantIsSealed(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes minutes: CUTOVER_SOAK=1 runs it")
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(8, 50))
	var sealed, early, finished int
	var unknown uint64
	for n := range kills {
		folder := filepath.Join(dir, fmt.Sprintf("run-%02d", n))
		killed := killedRun(t, dir, folder, time.Duration(300+random.IntN(8_500))*time.Millisecond, nil, "smoke", "--duration", "6s", "--history", "history.db")
		switch {
		case !runfolder.IsRun(folder):
			early++ // nothing had been promised yet
			continue
		case !killed:
			finished++
		}
		_, err := os.Stat(filepath.Join(folder, runfolder.ResultFile))
		open := err != nil
		r := sealedRun(t, dir, folder)
		if err := r.Buckets.Check(); err != nil {
			t.Errorf("run %d: %v", n, err)
		}
		if !open {
			continue
		}
		sealed++
		if r.Verdict != result.Inconclusive || r.ExitCode != result.ExitInconclusive {
			t.Errorf("run %d was killed, and says %s with exit code %d", n, r.Verdict, r.ExitCode)
		}
		unknown = max(unknown, r.Buckets.Unknown)
		if under := underWayAtEnd(r); r.Buckets.Unknown > killRate+under {
			t.Errorf("run %d: %d legs are unknown, more than one second's %d and the %d under way", n, r.Buckets.Unknown, killRate, under)
		}
		if len(r.Series) > 5 && len(r.Findings) == 0 {
			t.Errorf("run %d: %d seconds reached the disk, and no finding did", n, len(r.Series))
		}
	}
	t.Logf("%d killed and sealed, %d before they had a folder, %d had ended; at most %d legs unknown", sealed, early, finished, unknown)
	if sealed < kills/2 {
		t.Errorf("only %d of %d runs were killed on their way", sealed, kills)
	}
	historyHolds(t, filepath.Join(dir, "history.db"))
}

// underWayAtEnd is how many legs had been due and had not ended when the record was last
// written.
func underWayAtEnd(r *result.Result) (n uint64) {
	for _, s := range r.Series {
		n += s.Due + s.Begun
	}
	return n - min(n, r.Buckets.Sum()-r.Buckets.NotStarted-r.Buckets.Unknown)
}

// TestSoakWhatAKillLosesIsLessThanASecond kills runs whose target outlives them and
// holds the sealed record against what the target was asked: a request that the record
// does not know was completed since it was last written, or was in flight.
func TestSoakWhatAKillLosesIsLessThanASecond(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes minutes: CUTOVER_SOAK=1 runs it")
	}
	r := startReal(t, lab.Options{}, "")
	suite := r.write("killed.yaml", `
suite: killed
scenarios:
  - {name: read, steps: [{name: list, get: /me/messages, query: {$top: 1}}]}
load:
  - {name: steady, constant: {rate: 40/s, for: 6s}}
`)
	var env []string
	for name, value := range r.env {
		env = append(env, name+"="+value)
	}
	// One path and one request a leg, so that requests are legs; whatever a run asks
	// before its load is the same each time.
	run := func(folder string, after time.Duration, more ...string) (asked uint64) {
		before := r.lab.Stats().Services["graph"]
		killedRun(t, r.dir, folder, after, env, append([]string{suite, "--profile", r.profile, "--only", "right"}, more...)...)
		return r.lab.Stats().Services["graph"] - before
	}
	ready := run(filepath.Join(r.dir, "whole"), time.Minute, "--duration", "1s") - killRate
	random := rand.New(rand.NewPCG(8, 25))
	var most, unknown, sealed uint64
	for n := range kills {
		folder := filepath.Join(r.dir, fmt.Sprintf("run-%02d", n))
		asked := run(folder, time.Duration(1500+random.IntN(4_500))*time.Millisecond)
		if !runfolder.IsRun(folder) {
			continue
		}
		got := sealedRun(t, r.dir, folder)
		if !got.SealedByHand || asked < ready {
			continue
		}
		sealed++
		b := got.Buckets
		lost := asked - ready - min(asked-ready, b.Completed+b.Failed+b.Throttled)
		most, unknown = max(most, lost), max(unknown, b.Unknown)
		if lost > killRate {
			t.Errorf("run %d: the target was asked %d times and the record knows %d legs", n, asked-ready, b.Completed+b.Failed+b.Throttled)
		}
		if b.Unknown > killRate+max(lost, underWayAtEnd(got)) {
			t.Errorf("run %d: %d legs are unknown, more than one second's %d and the %d that were lost", n, b.Unknown, killRate, lost)
		}
		if known := asked - ready; known > b.Planned-b.NotStarted {
			t.Errorf("run %d: the target was asked %d times, and the record says that %d of %d legs had not started", n, known, b.NotStarted, b.Planned)
		}
	}
	t.Logf("%d killed and sealed: at most %d legs asked for and not recorded, in flight included; at most %d unknown", sealed, most, unknown)
	if sealed < kills/2 {
		t.Errorf("only %d of %d runs were killed on their way", sealed, kills)
	}
}

// killedRun starts a run, kills it after a while, and says whether it was still
// running.
func killedRun(t *testing.T, dir, folder string, after time.Duration, env []string, args ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "cutover", append([]string{"run", "--out", folder, "--quiet"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // gone already: nothing to kill
	err := cmd.Wait()
	timer.Stop()
	if cmd.ProcessState.Exited() && err != nil && cmd.ProcessState.ExitCode() > exitInconclusive {
		t.Errorf("a run that was not killed: %v\n%s", err, stderr.String())
	}
	return !cmd.ProcessState.Exited()
}

// sealedRun seals a folder as a user does, and reads what was made.
func sealedRun(t *testing.T, dir, folder string) *result.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "cutover", "report", "--partial", folder, "--format", "junit", "--out", filepath.Join(folder, "sealed.xml"))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s does not seal: %v\n%s", folder, err, out)
	}
	r, err := runfolder.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// historyHolds checks that every recorded run has all its rows.
func historyHolds(t *testing.T, file string) {
	t.Helper()
	h, err := history.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Check(); err != nil {
		t.Errorf("the history is damaged: %v", err)
	}
	runs, err := h.List(history.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if metrics, err := h.Metrics(run); err != nil || len(metrics) == 0 {
			t.Errorf("%s has %d rows: %v", run.RunID, len(metrics), err)
		}
	}
	t.Logf("the history holds %d runs", len(runs))
}
