package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/journal"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, file string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func intend(t *testing.T, j *journal.Journal, e journal.Entry) uint64 {
	t.Helper()
	seq, err := j.Intend(e)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestReadTellsHowFarEveryItemCame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	e := journal.Entry{At: at, Path: "cloud", Mailbox: "ann", Sort: "message", Tag: "run-1", URL: "https://x/messages"}
	created, void, lost, removed := intend(t, j, e), intend(t, j, e), intend(t, j, e), intend(t, j, e)
	intend(t, j, e)
	if err := errors.Join(j.Done(created, "id-1"), j.Void(void), j.Lost(lost), j.Done(removed, "id-4"), j.Removed(removed), j.Done(removed, "id-4")); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := journal.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []journal.Entry{e, e, e, e, e}
	for i, w := range []struct {
		id    string
		state journal.State
	}{{"id-1", journal.Created}, {"", journal.Void}, {"", journal.Unknown}, {"id-4", journal.Removed}, {"", journal.Intended}} {
		want[i].Seq, want[i].ID, want[i].State = uint64(i+1), w.id, w.state
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	var left []bool
	for _, e := range got {
		left = append(left, e.Open())
	}
	if diff := cmp.Diff([]bool{true, false, true, false, true}, left); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
}

func TestAnIntentionIsOnTheDiskWhenIntendReturns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	for i := range 3 {
		intend(t, j, journal.Entry{Path: "cloud", Sort: "event"})
		got, err := journal.Read(file) // the run still writes
		if err != nil || len(got) != i+1 || got[i].At.IsZero() {
			t.Fatalf("after %d intentions the file says %v, %v", i+1, got, err)
		}
	}
}

func TestATornLastLineIsSkippedAndCutOffBeforeGoingOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	e := journal.Entry{At: at, Path: "cloud", Mailbox: "ann", Sort: "contact", Tag: "run-1"}
	intend(t, j, e)
	intend(t, j, e)
	j.Close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Index(string(whole), "\n") + 1
	for size := second; size < len(whole); size++ { // every instant of a crash
		if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := journal.Read(file); err != nil || len(got) != 1 {
			t.Fatalf("cut at %d: %v, %v", size, got, err)
		}
		j, err := journal.Open(file)
		if err != nil {
			t.Fatalf("cut at %d: %v", size, err)
		}
		if seq := intend(t, j, e); seq != 2 {
			t.Fatalf("cut at %d: numbers go on with %d, want 2", size, seq)
		}
		j.Close()
		if got, err := journal.Read(file); err != nil || len(got) != 2 {
			t.Fatalf("cut at %d and gone on: %v, %v", size, got, err)
		}
	}
}

func TestOtherDamageIsNamed(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"names a line that is no JSON", "{\"seq\":1,\"state\":\"intended\"}\ngarbage\n{\"seq\":2}\n", ":2: not a journal entry"},
		{"names a line without a number", "{\"state\":\"intended\"}\n", ":1: not a journal entry"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "journal.jsonl")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, readErr := journal.Read(file)
			_, openErr := journal.Open(file)
			for _, err := range []error{readErr, openErr} {
				if err == nil || err.Error() != file+test.want {
					t.Errorf("error = %v, want %s", err, file+test.want)
				}
			}
		})
	}
}

func TestOnlyTheOwnerMayReadIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("mode bits mean nothing here")
	}
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, file)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v; want 0600", info.Mode(), err)
	}
}

func TestASecondWriterIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	first := open(t, file)
	if second, err := journal.Open(file); err == nil {
		second.Close()
		t.Fatal("two writers hold the journal")
	}
	first.Close()
	open(t, file)
}

func TestManyWritersLoseNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	var all sync.WaitGroup
	for w := range 16 {
		all.Go(func() {
			for i := range 50 {
				seq, err := j.Intend(journal.Entry{Path: "cloud", Mailbox: fmt.Sprint(w)})
				if err != nil {
					t.Error(err)
					return
				}
				if i%2 == 0 {
					j.Done(seq, fmt.Sprint("id-", seq))
				}
			}
		})
	}
	all.Wait()
	j.Close()
	got, err := journal.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	created := 0
	for i, e := range got {
		if e.Seq != uint64(i+1) {
			t.Fatalf("entry %d has number %d", i, e.Seq)
		}
		if e.State == journal.Created && e.ID == fmt.Sprint("id-", e.Seq) {
			created++
		}
	}
	if len(got) != 800 || created != 400 {
		t.Errorf("entries %d, created %d; want 800, 400", len(got), created)
	}
}

func TestMineKnowsWhatWasCreatedHereAlsoAfterReopening(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	j := open(t, file)
	seq := intend(t, j, journal.Entry{Path: "cloud"})
	before := j.Mine("cloud", "id-1")
	j.Done(seq, "id-1")
	got := []bool{before, j.Mine("cloud", "id-1"), j.Mine("onprem", "id-1"), j.Mine("cloud", "id-2"), j.Mine("cloud", "")}
	j.Close()
	again := open(t, file)
	got = append(got, again.Mine("cloud", "id-1"))
	if diff := cmp.Diff([]bool{false, true, false, false, false, true}, got); diff != "" {
		t.Errorf("mine (-want +got):\n%s", diff)
	}
}

func TestAClosedJournalAcceptsNothing(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal.jsonl"))
	j.Close()
	_, err := j.Intend(journal.Entry{})
	if !errors.Is(err, journal.ErrClosed) || j.Close() != nil {
		t.Errorf("Intend = %v, want ErrClosed", err)
	}
}

func BenchmarkIntend(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			j, err := journal.Open(filepath.Join(b.TempDir(), "journal.jsonl"))
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			e := journal.Entry{Path: "cloud", Mailbox: "mailbox-0001", Sort: "message", Tag: "cutover-20261122T090000Z-ab12", URL: "https://graph.test/v1.0/me/messages"}
			b.SetParallelism(writers/runtime.GOMAXPROCS(0) + 1)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := j.Intend(e); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "intents/s")
		})
	}
}
