package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab"
	"cutover/harness/lab/quirks"
	"cutover/harness/result"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// serveLab PROFILE [ARG…] serves a lab in a process of its own until the story ends, and writes a profile that
// leads to it: its paths reach the same mailboxes, before their move and after it. $CONTROL is the lab's
// control address, $BOX1, $BOX2 … the mailboxes' addresses.
func serveLab(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: servelab PROFILE [ARG…]")
	}
	path, err := exec.LookPath("cutover")
	ts.Check(err)
	cmd := exec.Command(path, append([]string{"lab", "--json"}, args[1:]...)...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), os.Stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+ts.Getenv("TMPDIR")) // where the story's commands look for it
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	first, err := bufio.NewReader(out).ReadBytes('\n')
	ts.Check(err)
	var info lab.Info
	ts.Check(json.Unmarshal(first, &info))
	profile, env := movedProfile(info)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(profile), 0o600))
	for name, value := range env {
		ts.Setenv(name, value)
	}
}

// movedProfile leads to a lab whose on-premises mailboxes move: both paths name the same ones.
func movedProfile(info lab.Info) (profile string, env map[string]string) {
	client := func(kind string) lab.Client {
		return info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == kind })]
	}
	app := client("app-only")
	env = map[string]string{"CONTROL": info.Control, "APP": app.Secret}
	var b strings.Builder
	fmt.Fprintf(&b, "profile: contoso\nstores: moved\npaths:\n")
	fmt.Fprintf(&b, "  onprem: {rest: {url: %q}, auth: {entra: {client: %s, authority: %q, user: mailbox}}}\n", info.Rest, client("delegated").ID, info.Authority)
	fmt.Fprintf(&b, "  cloud: {graph: {url: %q}, auth: {entra: {client: %s, authority: %q, tenant: %s, secret: {env: APP}}}}\n", info.Graph, app.ID, info.Authority, info.Tenant)
	fmt.Fprintf(&b, "tls: {ca: %s}\nmailboxes:\n", info.CA)
	for i, p := range info.Pairs {
		fmt.Fprintf(&b, "  - {name: box-%d, onprem_upn: %s, onprem_smtp: %s, onprem_secret: {env: P%d}, cloud_upn: %s, cloud_smtp: %s}\n",
			i+1, p.OnPremUPN, p.OnPremUPN, i+1, p.OnPremUPN, p.OnPremUPN)
		env[fmt.Sprintf("P%d", i+1)], env[fmt.Sprintf("BOX%d", i+1)] = p.OnPremPassword, p.OnPremUPN
	}
	return b.String(), env
}

// found is what a run found, without values: a record has none.
func found(r *result.Result) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %s/%s %s by %s as %s: %d", f.ID, f.Scenario, f.Step, f.Pointer, f.Attribution, f.Severity, f.Count))
	}
	slices.Sort(out)
	return out
}

// TestARecordTellsWhatAskingBothSidesAtOnceTells holds the live comparison against record and comparison, over
// the lab with every difference that it can plant.
func TestARecordTellsWhatAskingBothSidesAtOnceTells(t *testing.T) {
	dir := t.TempDir()
	ids, err := quirks.Expand([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return strings.HasPrefix(id, "throttle.") || id == "size.slow" }) // those depend on the moment
	run := func(name string, args ...string) *result.Result {
		t.Helper()
		all := append([]string{"run", "ledger", "--quiet", "--no-progress", "--format", "json", "--out", filepath.Join(dir, name), "--iterations", "100", "--rate", "100/s",
			"--set", "lab.quirks=" + strings.Join(ids, ","), "--set", "lab.mailboxes=25", "--set", "lab.latency.onprem=none", "--set", "lab.latency.cloud=none"}, args...)
		_, _, errs := cutover(t.Context(), nil, clock.System(), all...)
		data, err := os.ReadFile(filepath.Join(dir, name, "result.json"))
		if err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		r, err := result.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	file := filepath.Join(dir, "before.cut")
	live, before, after := run("live"), run("before", "--only", "left", "--record", file), run("after", "--only", "right", "--against", file)
	if diff := cmp.Diff(found(live), found(after)); diff != "" || len(found(after)) < 50 {
		t.Errorf("%d findings (-both at once +before and after)\n%s", len(found(after)), diff)
	}
	if before.Comparison.Pairs != 0 || after.Comparison.Compared != live.Comparison.Compared || after.Identities != live.Identities {
		t.Errorf("compared %d and %d, identities %+v and %+v", live.Comparison.Compared, after.Comparison.Compared, live.Identities, after.Identities)
	}
}

// TestARecordHoldsNoContent looks in a record for everything that the recorded mailboxes hold.
func TestARecordHoldsNoContent(t *testing.T) {
	r := startReal(t, lab.Options{Seed: 5, Mailboxes: 3, LatencyOnPrem: "none", LatencyCloud: "none", MoveIDs: "kept"}, "")
	r.env["CAMPAIGN"] = "a secret of the whole campaign"
	file := filepath.Join(r.dir, "before.cut")
	code, _, errs := r.cutover("run", "smoke", "--profile", r.profile, "--campaign", "env:CAMPAIGN", "--allow-write", "--quiet", "--no-progress",
		"--only", "left", "--record", file, "--iterations", "40", "--rate", "40/s", "--format", "json,text", "--out", filepath.Join(r.dir, "run"))
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("exit code %d: %v\n%s", code, err, errs)
	}
	canaries := contents(r)
	if len(canaries) < 300 {
		t.Fatalf("only %d canaries", len(canaries))
	}
	for canary := range canaries {
		if bytes.Contains(kept, []byte(canary)) {
			t.Errorf("the record holds %q", canary)
		}
	}
	for _, structure := range []string{`"Subject":"text(`, `"IsRead":true`, `"Importance":"Normal"`} {
		if !bytes.Contains(kept, []byte(structure)) {
			t.Errorf("the record lacks %s", structure)
		}
	}
}

// contents are the texts of a lab's mailboxes that are long enough to be found by no accident: subjects, names,
// addresses, ids, pieces of bodies, moments.
func contents(r *real) map[string]bool {
	r.t.Helper()
	texts := map[string]bool{}
	var gather func(key string, v any)
	gather = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, child := range v {
				gather(name, child)
			}
		case []any:
			for _, child := range v {
				gather(key, child)
			}
		case string:
			switch key {
			case "@odata.context", "@odata.nextLink", "contentType", "timeZone", "dateTime", "webLink", "displayName", "@odata.type":
				return
			}
			if len(v) >= 12 {
				texts[v[:min(len(v), 40)]] = true
			}
		}
	}
	for _, p := range r.lab.Info().Pairs {
		texts[p.OnPremUPN] = true
		if err := r.lab.Move(p.OnPremUPN, "cloud"); err != nil { // ids are kept, so that Graph tells them
			r.t.Fatal(err)
		}
		for _, list := range []string{"/mailFolders/inbox/messages", "/events", "/contacts"} {
			gather("", r.graph("GET", "/users/"+p.OnPremUPN+list+"?$top=100", ""))
		}
	}
	return texts
}
