package history_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cutover/harness/history"
	"cutover/harness/result"
)

// writerEnv makes this test binary a process that records runs until it is killed or has
// recorded so many: "FILE|first|count".
const writerEnv = "CUTOVER_TEST_HISTORY_WRITER"

func TestMain(m *testing.M) {
	if task := os.Getenv(writerEnv); task != "" {
		os.Exit(writer(task))
	}
	os.Exit(m.Run())
}

func writer(task string) int {
	parts := strings.Split(task, "|")
	first, _ := strconv.Atoi(parts[1])
	count, _ := strconv.Atoi(parts[2])
	h, err := history.Open(parts[0])
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	for n := first; n < first+count; n++ {
		if err := h.Record(wide(n), fmt.Sprint("runs/", n)); err != nil {
			fmt.Println("error", err)
			return 1
		}
		fmt.Println("recorded", n)
	}
	if err := h.Close(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// wide is a run with so many rows that recording it is not one write.
func wide(n int) *result.Result {
	r := nightRun(n, 20, 40)
	for i := range 20 {
		row := r.Steps[0]
		row.Step = fmt.Sprint("step-", i)
		r.Steps = append(r.Steps, row)
		r.Findings = append(r.Findings, result.Finding{ID: "x", Fingerprint: fmt.Sprint("f", i), Severity: result.Minor})
	}
	return r
}

// whole checks that every recorded run has all its rows, and returns how many there are.
func whole(t *testing.T, file string) int {
	t.Helper()
	h, err := history.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	runs, err := h.List(history.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		metrics, err := h.Metrics(r)
		findings, err2 := h.Findings(r)
		if err != nil || err2 != nil || len(metrics) != 22 || len(findings) != 20 {
			t.Errorf("%s: %v %v, %d rows and %d findings, want 22 and 20", r.RunID, err, err2, len(metrics), len(findings))
		}
	}
	return len(runs)
}

func startWriter(t *testing.T, file string, first, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d|%d", writerEnv, file, first, count))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func TestTwoWritersTakeTurns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.db")
	const each = 30
	a, saysA := startWriter(t, file, 0, each)
	b, saysB := startWriter(t, file, 1000, each)
	for _, says := range []*bufio.Scanner{saysA, saysB} {
		for says.Scan() {
			if strings.HasPrefix(says.Text(), "error") {
				t.Error(says.Text())
			}
		}
	}
	for _, cmd := range []*exec.Cmd{a, b} {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n := whole(t, file); n != 2*each {
		t.Errorf("%d runs, want %d", n, 2*each)
	}
}

func TestAKilledWriterLeavesWholeRuns(t *testing.T) { killWriters(t, 5) }

func TestSoakKilledWritersLeaveWholeRuns(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: CUTOVER_SOAK=1 runs it")
	}
	killWriters(t, 50)
}

// killWriters kills one of two writers in mid-write, again and again: what was reported as
// recorded is there, whole, and the other writer goes on.
func killWriters(t *testing.T, times int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "h.db")
	recorded := 0
	for round := range times {
		victim, says := startWriter(t, file, round*10000, 100000)
		other, othersSay := startWriter(t, file, round*10000+5000, 8)
		for range 2 + round%7 {
			if !says.Scan() || strings.HasPrefix(says.Text(), "error") {
				t.Fatalf("the writer said %q", says.Text())
			}
			recorded++
		}
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for says.Scan() {
			recorded++
		}
		_ = victim.Wait() // killed
		for othersSay.Scan() {
			if strings.HasPrefix(othersSay.Text(), "error") {
				t.Fatal(othersSay.Text())
			}
			recorded++
		}
		if err := other.Wait(); err != nil {
			t.Fatal(err)
		}
		n := whole(t, file)
		if n < recorded || n > recorded+round+1 {
			t.Fatalf("round %d: %d runs in the file, %d were reported", round, n, recorded)
		}
		if round+1 == times {
			t.Logf("%d kills, %d runs, none torn", times, n)
		}
	}
}
