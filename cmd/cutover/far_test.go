package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
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
)

// far is a deployment on addresses that no test may reach: whoever tries is written
// down and refused, a DNS query included.
type far struct {
	t   *testing.T
	dir string
	env map[string]string

	mu    sync.Mutex // guards tried
	tried []string   // "network address" of connections, in order
}

var errNoRoute = errors.New("no route off this machine")

const farProfile = `
profile: far
paths:
  onprem: {rest: {url: 'https://mail.far.example/api/v2.0'}, auth: {basic: {user: mailbox}}}
  cloud: {graph: {url: 'https://graph.far.example/v1.0', as: user}, auth: {entra: {authority: 'https://login.far.example/tenant', client: app, secret: {env: SECRET}}}}
mailboxes: [{name: ann, onprem_login: ann, onprem_smtp: ann@far.example, onprem_secret: {env: PW}, cloud_upn: ann@far.example}]
`

const farConsent = `consent: v1
kind: run
profile: far
tenant: far.example
hosts: [mail.far.example, graph.far.example, login.far.example]
mailboxes: ["@far.example"]
operations: [read]
rate: 50/s
expires: 2099-12-31
approver: Jane Doe, Head of Messaging
`

// faraway writes the deployment's files and takes the machine's resolver away.
func faraway(t *testing.T) *far {
	t.Helper()
	f := &far{t: t, dir: t.TempDir(), env: map[string]string{"PW": "canary-far-password", "SECRET": "canary-far-secret"}}
	resolver := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = resolver })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		return nil, f.tries("dns "+network, address)
	}}
	f.write("far.yaml", farProfile)
	f.write("run.yaml", farConsent)
	f.write("probe.yaml", strings.Replace(farConsent, "kind: run", "kind: probe", 1))
	f.write("over.yaml", strings.Replace(farConsent, "2099", "2019", 1))
	return f
}

func (f *far) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *far) tries(network, address string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried = append(f.tried, network+" "+address)
	return errNoRoute
}

// cutover runs a command line in which @ stands for the folder, and tells what it tried to reach.
func (f *far) cutover(args ...string) (code int, said string, tried []string) {
	f.t.Helper()
	for i, a := range args {
		args[i] = strings.Replace(a, "@", f.dir+string(filepath.Separator), 1)
	}
	f.tried = nil
	var out bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Env: func(name string) string { return f.env[name] }, Clock: clock.System(), Version: "test", Connecting: f.tries}
	code = a.Main(f.t.Context(), args)
	f.mu.Lock()
	defer f.mu.Unlock()
	return code, out.String(), f.tried
}

// mapped leads the deployment's names to addresses for documentation, so that no query is asked.
var mapped = []string{"--resolve", "mail.far.example:443:192.0.2.1", "--resolve", "graph.far.example:443:192.0.2.2", "--resolve", "login.far.example:443:192.0.2.3"}

func TestEveryCommandNeedsConsentForWhatIsNotOnThisMachine(t *testing.T) {
	f := faraway(t)
	commands := map[string][]string{
		"doctor":       {"doctor", "--profile", "@far.yaml"},
		"where":        {"where", "--profile", "@far.yaml"},
		"token":        {"token", "--profile", "@far.yaml", "--path", "cloud"},
		"call":         {"call", "GET", "/me/messages", "--profile", "@far.yaml"},
		"run":          {"run", "mail-read", "--profile", "@far.yaml", "--rate", "5/s", "--duration", "1s", "--out", "@run"},
		"clean":        {"clean", "--sweep", "--profile", "@far.yaml"},
		"call, writes": {"call", "POST", "/me/messages", "--body", "{}", "--allow-write", "--profile", "@far.yaml"},
	}
	reads := []string{"doctor", "where", "token", "call"}
	for name, command := range commands {
		for _, file := range []string{"", "@over.yaml", "@probe.yaml", "@run.yaml"} {
			t.Run(name+" with consent "+file, func(t *testing.T) {
				args := slices.Concat(command, mapped)
				if file == "" {
					args = slices.Clone(command) // names are not even looked up
				} else {
					args = append(args, "--consent", file)
				}
				code, said, tried := f.cutover(args...)
				allowed := file == "@run.yaml" && name != "call, writes" || file == "@probe.yaml" && slices.Contains(reads, name)
				if name == "clean" {
					allowed = file == "@run.yaml" || file == "@probe.yaml" // it lists; removing is another matter
				}
				if name == "call, writes" && file == "@run.yaml" {
					tried = slices.DeleteFunc(tried, func(to string) bool { return strings.HasSuffix(to, "192.0.2.3:443") }) // signing in is allowed
				}
				if !allowed && (code != exitRefused || len(tried) > 0) {
					t.Errorf("exit %d, tried %q; want %d and not one packet\n%s", code, tried, exitRefused, said)
				}
				if allowed && (code == exitRefused || len(tried) == 0) {
					t.Errorf("exit %d, tried %q; want it to try\n%s", code, tried, said)
				}
				for _, address := range tried {
					if !strings.HasPrefix(address, "tcp4 192.0.2.") {
						t.Errorf("it tried %s", address)
					}
				}
				if strings.Contains(said, "canary") {
					t.Errorf("a secret is told:\n%s", said)
				}
			})
		}
	}
}

func TestARedirectIsATargetToo(t *testing.T) {
	f := faraway(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s reached another host", r.URL)
	}))
	defer elsewhere.Close()
	next := ""
	near := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, next+r.URL.Path, http.StatusFound)
	}))
	defer near.Close()
	f.write("near.yaml", fmt.Sprintf("profile: near\npaths:\n  onprem: {rest: {url: '%s/api/v2.0'}, auth: {basic: {user: mailbox}}}\nmailboxes: [{name: ann, onprem_login: ann, onprem_smtp: ann@far.example, onprem_secret: {env: PW}}]\n", near.URL))
	for _, next = range []string{elsewhere.URL, "https://192.0.2.9", "https://mail.far.example", "http://169.254.169.254"} {
		for name, command := range map[string][]string{
			"doctor": {"doctor", "--profile", "@near.yaml"},
			"where":  {"where", "--profile", "@near.yaml"},
			"call":   {"call", "GET", "/me/messages", "--profile", "@near.yaml"},
			"run":    {"run", "mail-read", "--profile", "@near.yaml", "--rate", "5/s", "--duration", "300ms", "--out", "@run", "--no-progress"},
		} {
			_, said, tried := f.cutover(command...)
			for _, address := range tried {
				if !strings.HasSuffix(address, strings.TrimPrefix(near.URL, "http:/"+"/")) {
					t.Errorf("%s, redirected to %s, tried %s\n%s", name, next, address, said)
				}
			}
		}
	}
}

func TestStressIsForConsentedPremisesAlone(t *testing.T) {
	f := faraway(t)
	const suite = "suite: hard\npushback: %s\nscenarios: [{name: read, steps: [{name: list, get: /me/messages}]}]\nload: [{name: steady, %s}]\n"
	f.write("ignore.yaml", fmt.Sprintf(suite, "ignore", "constant: {rate: 5/s, for: 1s}"))
	f.write("spike.yaml", fmt.Sprintf(suite, "honour", "spike: {base: 1/s, peak: 4/s, after: 1s, hold: 1s, for: 3s}"))
	f.write("search.yaml", fmt.Sprintf(suite, "honour", "search: {start: 1/s, max: 4/s, each: 1s}")+"gates: [p95 of each path < 90ms]\n")
	f.write("stress.yaml", farConsent+"stress: true\n")
	f.write("cloud.yaml", strings.ReplaceAll(farProfile, "graph.far.example", "graph.microsoft.com"))
	f.write("clouded.yaml", strings.ReplaceAll(farConsent, "graph.far.example", "graph.microsoft.com")+"stress: true\n")
	tests := []struct {
		name, profile, consent string
		allowed                bool
	}{
		{"is refused without a word about it", "@far.yaml", "@run.yaml", false},
		{"is allowed where the consent says so", "@far.yaml", "@stress.yaml", true},
		{"is refused against a Microsoft cloud, whatever the consent says", "@cloud.yaml", "@clouded.yaml", false},
	}
	for _, test := range tests {
		for _, suite := range []string{"@ignore.yaml", "@spike.yaml", "@search.yaml"} {
			t.Run("it "+test.name+" "+suite, func(t *testing.T) {
				args := append([]string{"run", suite, "--profile", test.profile, "--consent", test.consent, "--out", "@run", "--no-progress"}, mapped...)
				code, said, tried := f.cutover(append(args, "--resolve", "graph.microsoft.com:443:192.0.2.2")...)
				if refused := code == exitRefused && len(tried) == 0 && strings.Contains(said, "rule stress"); refused == test.allowed {
					t.Errorf("exit %d, tried %q\n%s", code, tried, said)
				}
				if test.allowed && len(tried) == 0 {
					t.Errorf("nothing was tried\n%s", said)
				}
			})
		}
	}
}

func TestAProfileThatNamesAKeyWantsASignedConsent(t *testing.T) {
	f := faraway(t)
	private, public := approverKeys(t)
	f.write("approver.pem", private)
	f.write("approver.pub", public)
	f.write("far.yaml", farProfile+"approver: approver.pub\n")
	args := append([]string{"token", "--profile", "@far.yaml", "--path", "cloud", "--consent", "@run.yaml"}, mapped...)
	try := func(refused bool) {
		t.Helper()
		code, said, tried := f.cutover(slices.Clone(args)...)
		if refused != (code == exitRefused && len(tried) == 0 && strings.Contains(said, "rule signature")) {
			t.Errorf("exit %d, tried %q\n%s", code, tried, said)
		}
	}
	try(true)
	if code, said, _ := f.cutover("consent", "--sign", "@approver.pem", "@run.yaml"); code != exitPass || strings.Contains(said, "PRIVATE") {
		t.Errorf("consent --sign: exit %d\n%s", code, said)
	}
	try(false)
	f.write("run.yaml", strings.Replace(farConsent, "50/s", "5000/s", 1))
	try(true)
	if _, err := os.Stat(filepath.Join(f.dir, "run.yaml"+consent.SignatureSuffix)); err != nil {
		t.Error(err)
	}
}
