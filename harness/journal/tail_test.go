package journal_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/journal"
)

// busy fills a journal beyond the size from which on it makes room ahead.
func busy(t *testing.T, j *journal.Journal) {
	t.Helper()
	for range 300 {
		intend(t, j, journal.Entry{Path: "cloud", Mailbox: "ann", Sort: "message", Tag: "run-1", URL: "https://graph.test/" + strings.Repeat("x", 200)})
	}
}

func TestRoomMadeAheadIsSeenByNobody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	busy(t, j)
	during, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(during, make([]byte, 1000)) {
		t.Errorf("a busy journal of %d bytes makes no room ahead", len(during))
	}
	if got, err := journal.Read(file); err != nil || len(got) != 300 {
		t.Errorf("while it is written: %d entries, %v", len(got), err)
	}
	killed := filepath.Join(t.TempDir(), "journal.jsonl")
	if err := os.WriteFile(killed, during, 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, killed) // as after a kill
	if seq := intend(t, again, journal.Entry{Path: "cloud"}); seq != 301 {
		t.Errorf("numbers go on with %d, want 301", seq)
	}
	again.Close()
	j.Close()
	for name, want := range map[string]int{file: 300, killed: 301} {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(whole, []byte("\n")); n != want || bytes.IndexByte(whole, 0) >= 0 {
			t.Errorf("a closed journal has %d lines and %d zeros, want %d and none", n, bytes.Count(whole, []byte{0}), want)
		}
	}
}

// TestAHoleThatACrashLeftHidesNothing writes what a machine that stopped can leave: of
// lines that were never acknowledged some blocks, others still zeros.
func TestAHoleThatACrashLeftHidesNothing(t *testing.T) {
	line := func(n int) string { return fmt.Sprintf(`{"seq":%d,"path":"cloud","state":"intended"}`+"\n", n) }
	whole := line(1) + line(2) + line(3) + line(4)
	for from := len(line(1)); from < len(whole); from += 7 {
		for _, length := range []int{1, 10, len(line(1)), len(whole)} {
			data := []byte(whole + strings.Repeat("\x00", 100))
			clear(data[from:min(from+length, len(whole))])
			file := filepath.Join(t.TempDir(), "journal.jsonl")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := journal.Read(file)
			if err != nil || len(got) == 0 || got[0].Seq != 1 {
				t.Fatalf("zeros from %d, %d bytes: %v, %v", from, length, got, err)
			}
			if from+length <= len(whole)-len(line(4)) && got[len(got)-1].Seq != 4 {
				t.Fatalf("zeros from %d, %d bytes hide the whole line behind them: %v", from, length, got)
			}
			j, err := journal.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			last := got[len(got)-1].Seq
			seq, err := j.Intend(journal.Entry{Path: "cloud"})
			if closed := j.Close(); err != nil || closed != nil || seq != last+1 {
				t.Fatalf("going on after %d with %d: %v, %v", last, seq, err, closed)
			}
			if after, err := journal.Read(file); err != nil || len(after) != len(got)+1 {
				t.Fatalf("zeros from %d, %d bytes, gone on: %v, %v", from, length, after, err)
			}
		}
	}
}
