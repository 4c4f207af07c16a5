package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/audit"
	"cutover/harness/journal"
	"cutover/harness/lab"
)

// leave makes items in a mailbox past the program: as a run of the tag would, by
// category or by name.
func (r *real) leave(upn, tag string) {
	r.t.Helper()
	at := `{"dateTime":"2026-03-02T09:00:00","timeZone":"UTC"}`
	for below, body := range map[string]string{
		"messages":    fmt.Sprintf(`{"subject":"one","categories":["red",%q]}`, tag),
		"events":      fmt.Sprintf(`{"subject":"two","start":%s,"end":%s,"categories":[%q]}`, at, at, tag),
		"contacts":    fmt.Sprintf(`{"givenName":"three","categories":[%q]}`, tag),
		"mailFolders": fmt.Sprintf(`{"displayName":"%s four"}`, tag),
	} {
		r.graph("POST", "/users/"+upn+"/"+below, body)
	}
	r.graph("POST", "/users/"+upn+"/mailFolders/inbox/messages", fmt.Sprintf(`{"subject":"%s five"}`, tag))
}

// lookAlikes are items that only resemble what a run makes.
func (r *real) lookAlikes(upn, tag string) {
	r.t.Helper()
	for _, subject := range []string{"RE: " + tag + " hello", strings.ToUpper(tag) + " hello", "cutover-plan", "cutover-2026-03-01 mail", "FW:" + tag, "cutover-20261399T999999Z-x y"} {
		r.graph("POST", "/users/"+upn+"/messages", fmt.Sprintf(`{"subject":%q,"categories":["cutover","x%s"]}`, subject, tag))
	}
	r.graph("POST", "/users/"+upn+"/mailFolders", fmt.Sprintf(`{"displayName":"my %s"}`, tag))
}

func TestASweepFindsWhatNoJournalKnows(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 2, LatencyOnPrem: "none", LatencyCloud: "none"}, "")
	box := r.lab.Info().Pairs[0].CloudUPN
	const old, other = "cutover-20260301T020000Z-mail-write", "cutover-20260302T020000Z-nightly-2"
	fresh := "cutover-" + time.Now().UTC().Format("20060102T150405Z") + "-mail-write"
	r.leave(box, old)
	r.leave(r.lab.Info().Pairs[1].CloudUPN, other)
	r.leave(box, fresh)
	r.lookAlikes(box, old)
	before := len(r.ledger())

	code, out, errs := r.cutover("clean", "--sweep", "--profile", r.profile)
	want := "items  mailbox  path   run                                  \n" +
		"5      box-1    cloud  " + old + "  past its lease\n" +
		"5      box-1    cloud  " + fresh + "  within its lease of 24h0m0s, left alone\n" +
		"5      box-2    cloud  " + other + "   past its lease\n" +
		"10 items are past their lease: --remove removes them\n"
	if diff := cmp.Diff(want, out); diff != "" || code != exitFail {
		t.Fatalf("listing: exit %d, %s\noutput (-want +got):\n%s", code, errs, diff)
	}
	if n := len(r.ledger()) - before; n != 0 {
		t.Fatalf("listing changed %d things", n)
	}

	dir := filepath.Join(r.dir, "swept")
	code, out, errs = r.cutover("clean", "--sweep", "--remove", "--profile", r.profile, "--out", dir)
	if code != exitPass || !strings.Contains(out, "created 10, removed 10, left 0, unknown 0") {
		t.Fatalf("removing: exit %d\n%s%s", code, out, errs)
	}
	for _, rec := range r.ledger()[before:] {
		if rec.Act == 4 {
			t.Errorf("the sweep mailed something: %+v", rec)
		}
	}
	code, out, errs = r.cutover("clean", "--sweep", "--profile", r.profile)
	if code != exitPass || strings.Contains(out, "past its lease") || !strings.Contains(out, "5      box-1") {
		t.Errorf("after it: exit %d\n%s%s", code, out, errs)
	}
	// Every look-alike is where it was, in all folders.
	list := r.graph("GET", "/users/"+box+"/messages?$filter=categories/any(c:c%20eq%20'cutover')&$top=50", "")
	if n := len(list["value"].([]any)); n != 6 {
		t.Errorf("%d of 6 look-alikes are left", n)
	}

	if entries, err := journal.Read(filepath.Join(dir, "journal.jsonl")); err != nil || len(entries) < 10 {
		t.Errorf("journal: %d entries, %v", len(entries), err)
	}
	if code, out, errs := r.cutover("verify", dir); code != exitPass {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
	if sum, err := audit.Verify(filepath.Join(dir, "audit.jsonl"), nil, ""); err != nil || sum.Lines < 11 {
		t.Errorf("audit: %+v, %v", sum, err)
	}
}

// A run on a real deployment that was killed left an item: its journal knows the id. Only
// that may be deleted, although the journal names others' too, without having made them.
func TestCleaningARealDeploymentGoesByTheJournal(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 2, LatencyOnPrem: "none", LatencyCloud: "none"}, "")
	dir := filepath.Join(r.dir, "run")
	if code, out, errs := r.cutover("run", r.write("gentle.yaml", gentle), "--profile", r.profile, "--duration", "1s", "--out", dir, "--no-progress"); code != exitPass {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	box := r.lab.Info().Pairs[0].CloudUPN
	mine := r.graph("POST", "/users/"+box+"/messages", `{"subject":"left by a kill"}`)["id"].(string)
	theirs := r.graph("POST", "/users/"+box+"/messages", `{"subject":"somebody's"}`)["id"].(string)
	log, err := journal.Open(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seq, err := log.Intend(journal.Entry{Path: "cloud", Mailbox: "box-1", Sort: "message", Tag: "cutover-20260301T020000Z-gentle", URL: r.lab.Info().Graph + "/users/x/messages"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Done(seq, mine), log.Close()); err != nil {
		t.Fatal(err)
	}
	code, out, errs := r.cutover("clean", "--run", dir, "--profile", r.profile)
	if code != exitPass || !strings.Contains(out, "created 1, removed 1, left 0") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if got := r.graph("GET", "/users/"+box+"/messages/"+theirs, "")["subject"]; got != "somebody's" {
		t.Errorf("the other item: %v", got)
	}
	if code, out, errs := r.cutover("verify", dir); code != exitPass || strings.Count(out, "head ") != 2 {
		t.Errorf("verify: exit %d, want the run's chain and the clean-up's\n%s%s", code, out, errs)
	}
	if code, out, _ := r.cutover("clean", "--run", dir, "--profile", r.profile); code != exitPass || !strings.Contains(out, "nothing to remove") {
		t.Errorf("again: exit %d\n%s", code, out)
	}
}
