package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab"
	"cutover/harness/runfolder"
)

// strict writes a consent to mail the mailboxes of the lab and the others named, and
// nobody else. It returns the file and who may be mailed.
func (r *real) strict(others ...string) (file string, allowed []string) {
	r.t.Helper()
	info := r.lab.Info()
	var boxes, hosts []string
	for _, p := range info.Pairs {
		boxes = append(boxes, p.OnPremUPN, p.CloudUPN)
	}
	allowed = slices.Concat(boxes, others)
	for _, address := range []string{info.Rest, info.Graph, info.Authority} {
		u, err := url.Parse(address)
		if err != nil {
			r.t.Fatal(err)
		}
		hosts = append(hosts, fmt.Sprintf("%q", u.Host))
	}
	return r.write("consent.yaml", fmt.Sprintf(`
consent: v1
kind: run
profile: near
tenant: near.example
hosts: [%s]
networks: [127.0.0.0/8]
mailboxes: [%s]
operations: [read, create, change, delete, mail]
recipients: [%s]
rate: 100000/s
items: 1000000
mails: 1000000
expires: 2999-12-31
approver: nobody
`, strings.Join(hosts, ", "), strings.Join(boxes, ", "), strings.Join(allowed, ", "))), allowed
}

// endToEnd runs so many generated suites with the whole program against a lab that
// plays a deployment, under a strict consent, and cleans up after each. The lab's ledger
// says what they did.
func endToEnd(t *testing.T, count int) {
	defer leaves(t)()
	r := startReal(t, lab.Options{Mailboxes: 4, LatencyOnPrem: "none", LatencyCloud: "none", Throttle: "none"}, "limits: {per_mailbox: {rate: 1000/s, concurrency: 4}}\n")
	defer r.lab.Close()
	writeBodies(t, r.dir)
	consent, allowed := r.strict(insiders...)
	var mu sync.Mutex // guards strange
	strange := map[string]bool{}
	a := &App{Stdin: strings.NewReader(""), Env: func(name string) string { return r.env[name] }, Clock: clock.System(), Version: "test", Patience: patience}
	a.Connecting = func(_, address string) error {
		if strings.HasPrefix(address, "127.0.0.1:") || strings.HasPrefix(address, "[::1]:") {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		strange[address] = true
		return errors.New("no test leaves this machine")
	}
	g := &grammar{r: rand.New(rand.NewPCG(6, 3)), friends: allowed[:len(allowed)-len(insiders)]}
	codes := map[int]int{}
	left := 0
	for n := range count {
		text := g.suite(n)
		if n%4 == 0 {
			text = g.mutated(text)
		}
		folder := filepath.Join(r.dir, fmt.Sprintf("run-%d", n))
		var out, errs bytes.Buffer
		a.Stdout, a.Stderr = &out, &errs
		code := a.Main(t.Context(), []string{"run", r.write("suite.yaml", text), "--profile", r.profile, "--consent", consent, "--allow-write", "--rate", "100/s", "--iterations", "2",
			"--duration", "1s", "--format", "json", "--out", folder, "--quiet"})
		if codes[code]++; code == exitInternal {
			t.Errorf("suite %d:\n%s\n%s", n, errs.String(), text)
		}
		if !runfolder.IsRun(folder) {
			continue
		}
		after, _ := r.balanced(nil)
		left += after.left
		if code := a.Main(t.Context(), []string{"clean", "--run", folder, "--profile", r.profile, "--consent", consent}); code != exitPass {
			t.Errorf("suite %d: clean: exit %d\n%s%s", n, code, out.String(), errs.String())
		}
		if got, examples := r.balanced(nil); got.left > 0 {
			log, _ := os.ReadFile(filepath.Join(folder, runfolder.JournalFile)) // for the reader alone
			t.Fatalf("suite %d: after the clean-up\n%s\n%s%s\n%s", n, strings.Join(examples, "\n"), out.String(), text, log)
		}
	}
	got, examples := r.balanced(func(to string) bool {
		return slices.ContainsFunc(allowed, func(one string) bool { return strings.EqualFold(one, to) })
	})
	t.Logf("exit codes %v; the lab made %d items and mailed %d times; %d were left by the runs themselves, %d by `clean`", codes, got.made, got.mailed, left, got.left)
	for _, example := range examples {
		t.Error(example)
	}
	for address := range strange {
		t.Errorf("a connection to %s was about to be made", address)
	}
	if got.made < count/2 || count > 100 && got.mailed < count/20 {
		t.Errorf("too little happened for this to mean anything: %+v", got)
	}
}

func TestGeneratedSuitesDoTheLabNoHarm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	endToEnd(t, 20)
}

func TestSoakAThousandGeneratedSuitesDoTheLabNoHarm(t *testing.T) {
	soaking(t)
	endToEnd(t, 1000)
}
