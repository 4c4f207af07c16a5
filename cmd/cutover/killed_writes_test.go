package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cutover/harness/journal"
	"cutover/harness/lab"
	"cutover/harness/runfolder"
)

// heavy makes items of every sort, changes some, removes some, and mails.
const heavy = `
suite: heavy
scenarios:
  - name: mail
    weight: 3
    steps:
      - {name: draft, post: /me/messages, body: {subject: "{{random.subject}}"}, capture: {item: $.id}}
      - {name: change, patch: "/me/messages/{{item}}", body: {importance: high}}
  - name: calendar
    weight: 2
    steps:
      - {name: event, post: /me/events, body: {subject: "{{random.subject}}", start: {dateTime: "{{monday.local+30d9h}}", timeZone: UTC}, end: {dateTime: "{{monday.local+30d10h}}", timeZone: UTC}}, capture: {event: $.id}}
      - {name: move, patch: "/me/events/{{event}}", body: {subject: "{{random.subject#2}}"}}
  - name: people
    weight: 2
    steps:
      - {name: contact, post: /me/contacts, body: {givenName: "{{random.given}}"}, capture: {entry: $.id}}
      - {name: delete, delete: "/me/contacts/{{entry}}"}
  - name: folders
    steps:
      - {name: folder, post: /me/mailFolders, body: {displayName: "{{run.tag}} {{random.hex.8}}"}, capture: {folder: $.id}}
      - {name: fill, post: "/me/mailFolders/{{folder}}/messages", body: {subject: "{{random.subject}}"}}
  - name: sent
    steps:
      - {name: send, post: /me/sendMail, body: {message: {subject: "{{run.tag}} {{random.subject}}", toRecipients: [{emailAddress: {address: "{{mailbox.smtp}}"}}]}, saveToSentItems: true}}
load: [{constant: {rate: 30/s, for: 30s}}]
`

// stored is one thing in a mailbox of the lab.
type stored struct {
	mailbox string
	key     uint64
}

// balance is what a lab's ledger comes to.
type balance struct {
	made, left, touched, mailed int
}

// balanced reads the ledger: what was made and not deleted is left; what was changed or
// deleted and had not been made was touched.
func (r *real) balanced(allowed func(address string) bool) (b balance, examples []string) {
	r.t.Helper()
	made, gone := map[stored]bool{}, map[stored]bool{}
	for _, one := range r.ledger() {
		thing := stored{one.Mailbox, one.Key}
		switch one.Act {
		case 1:
			made[thing] = true
		case 2, 3:
			gone[thing] = gone[thing] || one.Act == 3
			if !made[thing] {
				b.touched++
				examples = append(examples, fmt.Sprintf("act %d on %v, which was there before", one.Act, thing))
			}
		case 4:
			b.mailed++
			for _, to := range one.Recipients {
				if allowed != nil && !allowed(to) {
					examples = append(examples, "mailed to "+to)
				}
			}
		}
	}
	b.made = len(made)
	for thing := range made {
		if !gone[thing] {
			b.left++
			examples = append(examples, fmt.Sprintf("%v is left", thing))
		}
	}
	return b, examples
}

// killedWrites kills so many writing runs, each at an instant of its own, and cleans up
// after each. The lab goes on all the while, as a deployment does, and its ledger says
// what became of every item.
func killedWrites(t *testing.T, times int) {
	defer leaves(t)()
	r := startReal(t, lab.Options{Mailboxes: 8, LatencyOnPrem: "none", LatencyCloud: "none"}, "limits: {per_mailbox: {rate: 100/s, concurrency: 4}}\n")
	defer r.lab.Close()
	suite := r.write("heavy.yaml", heavy)
	consent, _ := r.strict()
	random := rand.New(rand.NewPCG(6, 100))
	var killed, early, open, uncertain int
	for n := range times {
		folder := filepath.Join(r.dir, fmt.Sprintf("run-%03d", n))
		if !r.killedAfter(time.Duration(200+random.IntN(2800))*time.Millisecond, "run", suite, "--profile", r.profile, "--consent", consent, "--allow-write", "--out", folder, "--quiet") {
			t.Errorf("run %d had ended by itself", n)
		}
		entries, err := journal.Read(filepath.Join(folder, runfolder.JournalFile))
		if os.IsNotExist(err) || len(entries) == 0 {
			early++ // nothing had been made
			continue
		}
		killed++
		for _, e := range entries {
			if e.Open() {
				open++
			}
			if e.State == journal.Intended {
				uncertain++
			}
		}
		if code, out, errs := r.cutover("clean", "--run", folder, "--profile", r.profile); code != exitPass {
			t.Errorf("run %d: clean: exit %d\n%s%s", n, code, out, errs)
		}
		if got, examples := r.balanced(nil); got.left > 0 || got.touched > 0 {
			t.Fatalf("run %d: %+v\n%s", n, got, strings.Join(examples[:min(len(examples), 10)], "\n"))
		}
	}
	if code, out, errs := r.cutover("clean", "--sweep", "--lease", "0s", "--profile", r.profile); code != exitPass {
		t.Errorf("tagged items are left: exit %d\n%s%s", code, out, errs)
	}
	got, _ := r.balanced(nil)
	t.Logf("%d runs killed while writing, %d before; %d items were open, %d of them begun without an answer; the lab made %d items and mailed %d times, %d items are left, %d others were touched",
		killed, early, open, uncertain, got.made, got.mailed, got.left, got.touched)
	if killed < (times+1)/2 || got.made == 0 || got.mailed == 0 {
		t.Errorf("only %d of %d runs were killed while they wrote", killed, times)
	}
}

// killedAfter starts the program in a process of its own and kills it after a while. It
// says whether the program was still running.
func (r *real) killedAfter(after time.Duration, args ...string) bool {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "cutover", args...)
	cmd.Dir, cmd.Env = r.dir, os.Environ()
	for name, value := range r.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // gone already: nothing to kill
	err := cmd.Wait()
	timer.Stop()
	if cmd.ProcessState.Exited() {
		r.t.Logf("%v: %s", err, errs.String())
	}
	return !cmd.ProcessState.Exited()
}

func TestAKilledWritingRunIsCleanedUpWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	killedWrites(t, 3)
}

func TestSoakAHundredKilledWritingRunsLeaveNothing(t *testing.T) {
	soaking(t)
	killedWrites(t, 100)
}
