package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/audit"
)

var (
	key = []byte("campaign secret")
	at  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
)

// trail writes a start and six writes and returns the file, its lines and its head.
func trail(t *testing.T, key []byte) (file string, lines []string, head string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "audit.jsonl")
	tr, err := audit.Create(file, key, audit.Start{At: at, RunID: "run-1", Who: "jane", Host: "jump-1", Consent: "c0ffee", Suite: "5u17e"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		e := audit.Event{At: at, Path: "cloud", Kind: "steps", Method: "POST", Template: "POST /me/messages <&>", Writes: true, Status: 201, RequestID: fmt.Sprint("r", i)}
		if err := tr.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	head = tr.Head()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n"), head
}

func TestVerifyFindsTheFirstLineThatDoesNotFit(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(lines []string) []string
		key    []byte
		line   int // 0: the trail is whole
	}{
		{"accepts an untouched trail", func(l []string) []string { return l }, key, 0},
		{"finds a changed status", func(l []string) []string { l[3] = strings.Replace(l[3], "201", "403", 1); return l }, key, 4},
		{"finds a changed beginning", func(l []string) []string { l[0] = strings.Replace(l[0], "jane", "john", 1); return l }, key, 1},
		{"finds a removed line", func(l []string) []string { return append(l[:2], l[3:]...) }, key, 3},
		{"finds a line that was doubled", func(l []string) []string { return append(l[:3], append([]string{l[2]}, l[3:]...)...) }, key, 4},
		{"finds two lines that changed places", func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, key, 3},
		{"finds a blank slipped in", func(l []string) []string { l[4] = strings.Replace(l[4], ":", ": ", 1); return l }, key, 5},
		{"finds a key slipped in", func(l []string) []string { l[4] = strings.Replace(l[4], `"path"`, `"x":1,"path"`, 1); return l }, key, 5},
		{"finds the end cut off", func(l []string) []string { return l[:5] }, key, 6},
		{"finds everything cut off", func([]string) []string { return nil }, key, 1},
		{"finds a beginning cut off", func(l []string) []string { return l[1:] }, key, 1},
		{"finds lines without end", func(l []string) []string { return []string{strings.Repeat("x", 2<<20)} }, key, 1},
		{"finds no seal of another secret", func(l []string) []string { return l }, []byte("another"), 1},
		{"wants the secret", func(l []string) []string { return l }, nil, 1},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			file, lines, head := trail(t, key)
			text := strings.Join(test.tamper(lines), "")
			if text != "" && !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			sum, err := audit.Verify(file, test.key, head)
			got := 0
			if bad := new(audit.TamperedError); errors.As(err, &bad) {
				got = bad.Line
				if want := fmt.Sprintf("%s:%d: ", file, got); !strings.HasPrefix(err.Error(), want) {
					t.Errorf("error = %q, want it to begin %q", err, want)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got != test.line {
				t.Errorf("line = %d (%v), want %d", got, err, test.line)
			}
			if test.line == 0 && (sum.Lines != 7 || sum.Head != head || sum.Start.Who != "jane" || !sum.Keyed) {
				t.Errorf("summary = %+v", sum)
			}
		})
	}
}

func TestEveryByteOfTheFileCounts(t *testing.T) {
	file, lines, head := trail(t, key)
	whole := []byte(strings.Join(lines, "") + "\n")
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Verify(file, key, head); err == nil {
			t.Fatalf("byte %d (%q) can be changed unnoticed", i, whole[i])
		}
	}
}

func TestAKilledRunsTrailEndsInATornLine(t *testing.T) {
	file, lines, _ := trail(t, nil)
	if err := os.WriteFile(file, []byte(strings.Join(lines[:3], "")+lines[3][:20]), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := audit.Verify(file, nil, "")
	if err != nil || !sum.Torn || sum.Lines != 3 || sum.Keyed {
		t.Errorf("summary = %+v, %v; want 3 lines and a torn one", sum, err)
	}
}

func TestAThousandthOfTheReadsAndEveryRefusalIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	tr, err := audit.Create(file, nil, audit.Start{RunID: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 500 {
				tr.Record(audit.Event{Method: "GET", Status: 200})
			}
			tr.Record(audit.Event{Method: "GET", Rule: "host"})
		})
	}
	all.Wait()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	sum, err := audit.Verify(file, nil, tr.Head())
	if err != nil || sum.Lines != 1+5+10 {
		t.Errorf("lines = %d, %v; want the start, 5 of 5,000 reads and 10 refusals", sum.Lines, err)
	}
}

func TestATrailIsNeverOverwrittenAndItsTroubleStays(t *testing.T) {
	file, _, _ := trail(t, nil)
	if _, err := audit.Create(file, nil, audit.Start{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("Create over a trail = %v, want it to exist", err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode = %v, %v; want nobody else to read it", info.Mode(), err)
	}
	tr, err := audit.Create(filepath.Join(t.TempDir(), "audit.jsonl"), nil, audit.Start{})
	if err != nil {
		t.Fatal(err)
	}
	tr.Close()
	first := tr.Record(audit.Event{Writes: true})
	if first == nil || tr.Record(audit.Event{Method: "GET"}) == nil {
		t.Errorf("a trail that cannot be written accepts requests: %v", first)
	}
	if _, err := audit.Verify(filepath.Join(t.TempDir(), "none"), nil, ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Verify of nothing = %v", err)
	}
}

func BenchmarkRecord(b *testing.B) {
	tr, err := audit.Create(filepath.Join(b.TempDir(), "audit.jsonl"), key, audit.Start{})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	for _, writes := range []bool{true, false} {
		b.Run(fmt.Sprint("writes=", writes), func(b *testing.B) {
			e := audit.Event{At: at, Path: "cloud", Kind: "steps", Mailbox: "mailbox-0001", Method: "POST", Template: "POST /me/messages", Writes: writes, Status: 201, RequestID: "1f0c9a52-7a44-4f0e-9d0f-2b5c1d3e4f60"}
			for b.Loop() {
				tr.Record(e)
			}
		})
	}
}
