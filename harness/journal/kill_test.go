package journal_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cutover/harness/journal"

	"go.uber.org/goleak"
)

// writerEnv makes the test binary a process that fills the journal it names
// and prints each number once it is promised.
const writerEnv = "CUTOVER_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if file := os.Getenv(writerEnv); file != "" {
		fill(file)
		return
	}
	goleak.VerifyTestMain(m)
}

// fill writes until it is killed.
func fill(file string) {
	j, err := journal.Open(file)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var out sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				seq, err := j.Intend(journal.Entry{Path: "cloud", Mailbox: "ann", Sort: "message", Tag: "run-1"})
				if err != nil {
					return
				}
				out.Lock()
				fmt.Println(seq)
				out.Unlock()
				j.Done(seq, fmt.Sprint("id-", seq))
			}
		})
	}
	all.Wait()
}

// killed lets a writer go on for n promised entries, kills it in the middle of
// its work, and returns the highest and the number of the promised entries.
func killed(t *testing.T, file string, n int) (promised map[uint64]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+file)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	promised = map[uint64]bool{}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		seq, err := strconv.ParseUint(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			t.Fatalf("the writer says %q", lines.Text())
		}
		promised[seq] = true
		if len(promised) == n {
			cmd.Process.Kill() // what it still prints was promised too
		}
	}
	cmd.Wait() // reports the kill
	return promised
}

func killMatrix(t *testing.T, kills int) {
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	random := rand.New(rand.NewPCG(1, 1))
	promised := map[uint64]bool{}
	for range kills {
		for seq := range killed(t, file, 1+random.IntN(300)) {
			promised[seq] = true
		}
	}
	entries, err := journal.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		delete(promised, e.Seq)
		if e.ID != "" && e.ID != fmt.Sprint("id-", e.Seq) {
			t.Errorf("entry %d has the id %q of another", e.Seq, e.ID)
		}
	}
	if len(promised) > 0 {
		t.Errorf("%d promised entries are lost after %d kills", len(promised), kills)
	}
}

func TestNothingPromisedIsLostWhenTheProcessIsKilled(t *testing.T) { killMatrix(t, 5) }

func TestSoakNothingPromisedIsLostInAHundredKills(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: make soak")
	}
	killMatrix(t, 100)
}
