package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cutover/harness/audit"
	"cutover/harness/clock"
	"cutover/harness/journal"
	"cutover/harness/lab"
	"cutover/harness/wire"
)

// writing creates and keeps asking, so that a meltdown hits it in the middle.
const writing = `
suite: writing
scenarios:
  - name: write
    steps:
      - name: create
        post: /me/messages
        body: {subject: "{{random.subject}}"}
        capture: {item: $.id}
      - name: read
        get: /me/messages/{{item}}
load: [{name: steady, constant: {rate: 20/s, for: 60s}}]
`

// meltdown runs the writing suite into a fault that begins two seconds after the lab did.
// It wants the run to stop within two seconds of the brake's condition, which holds so long
// after the meltdown began, with its records whole.
func meltdown(t *testing.T, fault string, condition time.Duration, why string) {
	defer leaves(t)()
	began := clock.System().Now()
	r := startReal(t, lab.Options{Mailboxes: 8, Fault: fault, LatencyOnPrem: "none", LatencyCloud: "none"}, "")
	dir := filepath.Join(r.dir, "run")
	code, out, errs := r.cutover("run", r.write("writing.yaml", writing), "--profile", r.profile, "--allow-write", "--out", dir, "--no-progress")
	got := r.result(dir)
	if code != exitAborted || got.Stop == nil || !strings.Contains(got.Stop.Why, why) {
		t.Fatalf("exit %d, stop %+v\n%s%s", code, got.Stop, out, errs)
	}
	if err := got.Buckets.Check(); err != nil {
		t.Error(err)
	}
	entries, err := journal.Read(filepath.Join(dir, "journal.jsonl"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("journal: %d entries, %v", len(entries), err)
	}
	last := time.Time{}
	for _, e := range entries {
		if !e.Found && e.At.After(last) {
			last = e.At
		}
	}
	const head = 2 * time.Second // the meltdown begins so long after the lab did
	begins := began.Add(head)
	if answer := lastAnswer(t, filepath.Join(dir, "audit.jsonl"), began.Add(head+condition)); answer.After(begins) {
		begins = answer // on its way when the meltdown began
	}
	if after := last.Sub(begins); after > condition+2*time.Second {
		t.Errorf("the last item was begun %v after the meltdown, the brake's condition held after %v", after, condition)
	}
	if _, err := audit.Verify(filepath.Join(dir, "audit.jsonl"), nil, got.Audit.Head); err != nil {
		t.Errorf("audit: %v", err)
	}
	if got.Cleanup.Left+got.Cleanup.Unknown > 0 {
		if code, out, errs := r.cutover("clean", "--run", dir, "--profile", r.profile); code != exitPass || !strings.Contains(out, "left 0") {
			t.Errorf("clean: exit %d\n%s%s", code, out, errs)
		}
	}
	if code, out, errs := r.cutover("clean", "--sweep", "--lease", "0s", "--profile", r.profile); code != exitPass {
		t.Errorf("something is left: exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs := r.cutover("verify", dir); code != exitPass {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
	r.lab.Close()
}

// lastAnswer is when the last write was answered well before a moment, as the audit
// trail has it.
func lastAnswer(t *testing.T, file string, before time.Time) (at time.Time) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var l struct{ Event *audit.Event }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if e := l.Event; e != nil && e.Status/100 == 2 && e.Kind == wire.Step.String() && e.At.After(at) && e.At.Before(before) {
			at = e.At
		}
	}
	return at
}

func TestAMeltdownStopsTheRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	meltdown(t, "503@2s+3s", time.Second, "server errors")
}

func TestSoakALatencyOfTwentySecondsStopsTheRun(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes half a minute: CUTOVER_SOAK=1")
	}
	meltdown(t, "stall:20s@2s+4s", 10*time.Second, "no answer came for 10s on path cloud")
}
