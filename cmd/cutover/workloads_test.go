package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/result"
)

// workloads are the built-in suites that say how sorts of people and programs use mailboxes.
var workloads = []string{
	"outlook-light", "outlook-heavy", "owa-search", "calendar-power", "contacts-sync", "mobile-sync", "teams-calendar",
	"room-panel", "crm-sync", "journal-archive", "invoice-sender", "migration-day", "monday-0900", "soak-nightly",
}

// Every workload asks what the lab can answer on both sides: no leg fails, nothing breaking differs,
// and what was made is removed again.
func TestEveryWorkloadRunsOnTheLab(t *testing.T) {
	if testing.Short() {
		t.Skip("runs each workload for two seconds")
	}
	for _, name := range workloads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "run")
			var errs bytes.Buffer
			a := &App{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &errs, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test", Patience: patience}
			a.Main(context.Background(), []string{"run", name, "--quiet", "--no-progress", "--format", "json", "--out", out, "--rate", "15/s", "--duration", "2s"})
			data, err := os.ReadFile(filepath.Join(out, "result.json"))
			if err != nil {
				t.Fatalf("%v\n%s", err, errs.String())
			}
			r, err := result.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if r.Buckets.Completed == 0 || r.Buckets.Completed != r.Buckets.Planned || len(r.Faults) > 0 {
				t.Errorf("legs %+v, faults %+v; want all completed", r.Buckets, r.Faults)
			}
			for _, f := range r.Findings {
				if f.Class == result.Breaking {
					t.Errorf("%s %s/%s %s: %s → %s", f.ID, f.Scenario, f.Step, f.Pointer, f.Left, f.Right)
				}
			}
			if c := r.Cleanup; c.Left > 0 || c.Unknown > 0 || c.Created != c.Removed {
				t.Errorf("clean-up %+v, want everything removed", c)
			}
		})
	}
}

func TestEveryWorkloadIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/workloads.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range workloads {
		if !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("docs/workloads.md has no row for %s", name)
		}
	}
}
