package main

import (
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/lab"
	"cutover/harness/result"
)

// gentle asks nothing that the control mailbox is asked.
const gentle = `
suite: gentle
scenarios:
  - name: read
    steps: [{name: get, get: /me/messages, query: {$top: 5, $select: [id, subject]}}]
load: [{name: steady, constant: {rate: 10/s, for: 30s}}]
`

func TestAControlMailboxIsLeftAloneAndWatched(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 3, LatencyOnPrem: "fixed:4ms", LatencyCloud: "fixed:8ms"}, "control: box-2\n")
	dir := filepath.Join(r.dir, "run")
	code, out, errs := r.cutover("run", r.write("gentle.yaml", gentle), "--profile", r.profile, "--duration", "2s", "--out", dir, "--no-progress")
	if code != exitPass {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	got := r.result(dir)
	if got.Mailboxes != 2 {
		t.Errorf("the load has %d mailboxes, want the 2 that are not watched", got.Mailboxes)
	}
	for _, c := range got.Observed.Control {
		if c.Probes < 4 || c.BaselineMS < 3 || got.Traffic[c.Path].Probes < 20+uint64(c.Probes) {
			t.Errorf("control %+v, traffic %+v", c, got.Traffic[c.Path])
		}
	}
	if len(got.Observed.Control) != 2 || got.Observed.Rate == 0 || got.Observed.MailboxConcurrency == 0 {
		t.Errorf("observed %+v", got.Observed)
	}
	if !strings.Contains(out, "control mailbox") || !strings.Contains(out, "audit head "+got.Audit.Head) {
		t.Errorf("the report says neither how the control mailbox fared nor where the audit ended:\n%s", out)
	}
	if code, out, errs := r.cutover("verify", dir, "--head", got.Audit.Head); code != exitPass {
		t.Errorf("verify: exit %d %s%s", code, out, errs)
	}
}

func TestALoadThatDisturbsOthersIsStopped(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 3, LatencyOnPrem: "fixed:4ms", LatencyCloud: "fixed:8ms", Fault: "stall:90ms@3s+60s@mailfolders/inbox"}, "control: box-2\n")
	dir := filepath.Join(r.dir, "run")
	code, out, errs := r.cutover("run", r.write("gentle.yaml", gentle), "--profile", r.profile, "--out", dir, "--no-progress")
	got := r.result(dir)
	if code != exitAborted || got.Stop == nil || got.Stop.Kind != result.StopBrake || !strings.Contains(got.Stop.Why, "a mailbox outside the load") {
		t.Fatalf("exit %d, stop %+v\n%s%s", code, got.Stop, out, errs)
	}
	if err := got.Buckets.Check(); err != nil {
		t.Error(err)
	}
}

func TestAControlMailboxThatDoesNotAnswerEndsTheRunBeforeItBegins(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 3, Fault: "503@5-500@mailfolders/inbox"}, "control: box-2\n")
	code, out, errs := r.cutover("run", r.write("gentle.yaml", gentle), "--profile", r.profile, "--out", filepath.Join(r.dir, "run"), "--no-progress")
	if code != exitNotReady || !strings.Contains(errs, "the control mailbox on path cloud") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
}
