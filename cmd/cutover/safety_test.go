package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/consent"
	"cutover/harness/lab"
	"cutover/harness/result"
	"cutover/harness/run"
)

// agreed writes a consent for the deployment's mailboxes, with these further lines.
func (r *real) agreed(lines ...string) string {
	r.t.Helper()
	text := "consent: v1\nkind: run\ntenant: lab\nhosts: [127.0.0.1]\nexpires: 2999-12-31\napprover: Jane Doe\nrate: 100/s\nmailboxes:\n"
	for _, p := range r.lab.Info().Pairs {
		text += "  - " + p.OnPremUPN + "\n  - " + p.CloudUPN + "\n"
	}
	return r.write("consent.yaml", text+strings.Join(lines, "\n")+"\n")
}

const steady = "load: [{name: steady, constant: {rate: 5/s, for: 1s}}]\n"

// A suite mails whoever wrote the newest message: somebody whom no list names.
func TestACapturedOutsiderIsNotMailed(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 1, LatencyOnPrem: "none", LatencyCloud: "none"}, "")
	box := r.lab.Info().Pairs[0].CloudUPN
	r.graph("POST", "/users/"+box+"/messages", `{"subject":"hello","receivedDateTime":"2026-03-01T00:00:00Z","toRecipients":[{"emailAddress":{"address":"outsider@elsewhere.example"}}]}`)
	suite := r.write("captured.yaml", `
suite: captured
scenarios:
  - name: answer
    steps:
      - {name: newest, get: /me/messages, query: {$filter: "subject eq 'hello'", $top: 1}, capture: {who: "$.value[0].toRecipients[0].emailAddress.address"}}
      - name: mail
        post: /me/sendMail
        body: {message: {subject: hi, toRecipients: [{emailAddress: {address: "{{who}}"}}]}}
`+steady)
	operations := "operations: [read, create, change, delete, mail]\nmails: 100\nrecipients: "
	for list, sent := range map[string]bool{`["@friends.example"]`: false, `["@elsewhere.example"]`: true} {
		before := len(r.ledger())
		dir := filepath.Join(r.dir, "run")
		code, out, errs := r.cutover("run", suite, "--only", "right", "--profile", r.profile, "--consent", r.agreed(operations+list), "--allow-write", "--out", dir, "--no-progress")
		mailed := false
		for _, a := range r.ledger()[before:] {
			mailed = mailed || slices.Contains(a.Recipients, "outsider@elsewhere.example")
		}
		audited, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		refused := strings.Contains(string(audited), `"template":"POST /me/sendMail","writes":true,"outcome":"refused","rule":"recipient"`)
		if mailed != sent || refused == sent {
			t.Errorf("with %s on the list: mailed %t, refused %t; exit %d\n%s%s", list, mailed, refused, code, out, errs)
		}
		r.cutover("clean", "--run", dir, "--profile", r.profile)
	}
}

// A service that throttles everything slows the run down first and stops it then.
func TestThrottlingWithoutEndStopsTheRun(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 8, LatencyOnPrem: "none", LatencyCloud: "none", Fault: "429@3s+600s"}, "")
	dir := filepath.Join(r.dir, "run")
	suite := strings.Replace(gentle, "suite: gentle\n", "suite: gentle\npushback: observe\n", 1)
	code, out, errs := r.cutover("run", r.write("gentle.yaml", suite), "--profile", r.profile, "--out", dir, "--no-progress")
	got := r.result(dir)
	if code != exitAborted || got.Stop == nil || got.Stop.Kind != result.StopBrake || !strings.Contains(got.Stop.Why, "throttled 3 times in a row again, after the rate had been halved") || got.Observed.Slowdowns == 0 {
		t.Errorf("exit %d, stop %+v, observed %+v\n%s%s", code, got.Stop, got.Observed, out, errs)
	}
}

func TestADeadlineStopsTheRunWhateverItsPhasesSay(t *testing.T) {
	r := startReal(t, lab.Options{Mailboxes: 3, LatencyOnPrem: "none", LatencyCloud: "none"}, "")
	dir := filepath.Join(r.dir, "run")
	code, out, errs := r.cutover("run", r.write("gentle.yaml", gentle), "--profile", r.profile, "--deadline", "2s", "--out", dir, "--no-progress")
	got := r.result(dir)
	if took := got.Ended.Sub(got.Started).Seconds(); code != exitAborted || got.Stop == nil || !strings.Contains(got.Stop.Why, "the deadline of ") || took > 10 {
		t.Errorf("exit %d, stop %+v after %.1f s of 30\n%s%s", code, got.Stop, took, out, errs)
	}
}

// Whoever reviews a draft puts a name to it and narrows it; then it is accepted.
func TestADraftThatAReviewerFilledInIsAccepted(t *testing.T) {
	f := faraway(t)
	code, draft, _ := f.cutover("consent", "--for", "@far.yaml", "--rate", "50/s")
	if code != exitPass {
		t.Fatal(code, draft)
	}
	f.write("drafted.yaml", draft)
	fill := strings.NewReplacer(`approver: ""`, "approver: Jane Doe, Head of Messaging", `tenant: ""`, "tenant: far.example", "window: {", "# window: {")
	f.write("filled.yaml", fill.Replace(draft))
	everywhere := slices.Concat(mapped, []string{"--resolve", "autodiscover.far.example:443:192.0.2.4", "--resolve", "far.example:443:192.0.2.5"})
	for name, command := range map[string][]string{
		"run":    {"run", "mail-read", "--profile", "@far.yaml", "--rate", "5/s", "--duration", "1s", "--out", "@run"},
		"where":  {"where", "--profile", "@far.yaml"},
		"doctor": {"doctor", "--profile", "@far.yaml"},
	} {
		if code, said, tried := f.cutover(slices.Concat(command, everywhere, []string{"--consent", "@drafted.yaml"})...); code != exitUsage || len(tried) > 0 {
			t.Errorf("%s with the draft as it is: exit %d, tried %q\n%s", name, code, tried, said)
		}
		code, said, tried := f.cutover(slices.Concat(command, everywhere, []string{"--consent", "@filled.yaml"})...)
		if code == exitUsage || code == exitRefused || len(tried) == 0 {
			t.Errorf("%s with the draft filled in: exit %d, tried %q\n%s", name, code, tried, said)
		}
		if name == "doctor" && !slices.ContainsFunc(tried, func(to string) bool { return strings.Contains(to, "192.0.2.5:443") }) {
			t.Errorf("the doctor does not ask the bare mail domain, which the draft names: %q", tried)
		}
	}
}

// That a step only reads is believed of suites that the approver looked at.
func TestASuitesWordIsBelievedWhenTheConsentListsIt(t *testing.T) {
	f := faraway(t)
	f.write("word.yaml", "suite: word\nscenarios: [{name: find, steps: [{name: ask, get: /me/messages, on: {left: {post: /api/find, reads: true, body: {q: x}}}}]}]\n"+steady)
	_, plan, _ := f.cutover("plan", "@word.yaml", "--only", "left", "--profile", "@far.yaml", "--json")
	var outline struct {
		Suite string `json:"suite_hash"`
	}
	if err := json.Unmarshal([]byte(plan), &outline); err != nil {
		t.Fatal(err, plan)
	}
	f.write("listed.yaml", farConsent+"suites: ["+outline.Suite+"]\n")
	f.write("others.yaml", farConsent+"suites: [00000000000000000000000000000000]\n")
	for _, row := range []struct {
		it, suite, consent string
		refused            bool
	}{
		{"is not believed of any suite", "@word.yaml", "@run.yaml", true},
		{"is believed of one that is listed", "@word.yaml", "@listed.yaml", false},
		{"is not believed of one that is not listed", "@word.yaml", "@others.yaml", true},
		{"is not needed where everything is a GET", "mail-read", "@run.yaml", false},
		{"counts for nothing where others are listed", "mail-read", "@others.yaml", true},
	} {
		args := append([]string{"run", row.suite, "--only", "left", "--profile", "@far.yaml", "--consent", row.consent, "--rate", "5/s", "--duration", "1s", "--out", "@run", "--no-progress"}, mapped...)
		code, said, tried := f.cutover(args...)
		if refused := code == exitRefused && len(tried) == 0 && strings.Contains(said, "rule suite"); refused != row.refused || !refused && len(tried) == 0 {
			t.Errorf("it %s: exit %d, tried %q\n%s", row.it, code, tried, said)
		}
	}
}

func TestAnAlertToAHostWithoutConsentEndsTheRunBeforeItBegins(t *testing.T) {
	f := faraway(t)
	f.env["HOOK"] = "https://hooks.far.example/canary-far-path"
	f.write("hooked.yaml", strings.Replace(farConsent, "hosts: [", "hosts: [hooks.far.example, ", 1))
	for file, refused := range map[string]bool{"@run.yaml": true, "@hooked.yaml": false} {
		args := append([]string{"run", "mail-read", "--profile", "@far.yaml", "--consent", file, "--rate", "5/s", "--duration", "1s", "--history", "@h.db", "--alert", "env:HOOK", "--out", "@run", "--no-progress"}, mapped...)
		code, said, tried := f.cutover(append(args, "--resolve", "hooks.far.example:443:192.0.2.6")...)
		if (code == exitRefused && len(tried) == 0) != refused || strings.Contains(said, "canary") {
			t.Errorf("with %s: exit %d, tried %q\n%s", file, code, tried, said)
		}
	}
}

// Recipients, webhooks and what outlasts a run: a consent's every operation has a name.
func TestEveryOperationOfAConsentIsDrafted(t *testing.T) {
	f := faraway(t)
	_, draft, _ := f.cutover("consent", "--for", "@far.yaml", "--writes")
	for _, o := range consent.Operations() {
		if !strings.Contains(draft, string(o)) {
			t.Errorf("the draft does not name %s", o)
		}
	}
}

// A server's log shows which requests were a run's, so that whoever reads it can stop them.
func TestEveryRequestOfARunSaysSo(t *testing.T) {
	var mu sync.Mutex
	unnamed, all := []string{}, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if all++; r.UserAgent() != "cutover/test" || !strings.HasPrefix(r.Header.Get("Client-Request-Id"), run.RequestPrefix) {
			unnamed = append(unnamed, r.Method+" "+r.URL.Path+" by "+r.UserAgent()+", "+r.Header.Get("Client-Request-Id"))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"value":[{"id":"1","subject":"x"}]}`)
	}))
	defer server.Close()
	f := faraway(t)
	f.write("near.yaml", fmt.Sprintf("profile: near\npaths: {only: {graph: {url: '%s/v1.0', as: user}}}\nmailboxes: [{name: ann, only_smtp: ann@near.test}]\n", server.URL))
	f.write("list.yaml", "suite: list\nscenarios: [{name: read, steps: [{name: list, get: /me/messages, query: {$top: 1}}]}]\n"+steady)
	code, _, said := cutover(t.Context(), nil, clock.System(), "run", filepath.Join(f.dir, "list.yaml"), "--profile", filepath.Join(f.dir, "near.yaml"), "--out", filepath.Join(f.dir, "run"), "--no-progress")
	if strings.Count(requestName(nil), "-") != 4 || len(requestName(nil)) != 36 {
		t.Errorf("%s is no UUID", requestName(nil))
	}
	if all < 5 || len(unnamed) > 0 {
		t.Errorf("exit %d; of %d requests these do not say who sent them: %q\n%s", code, all, unnamed, said)
	}
}
