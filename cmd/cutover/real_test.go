package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab"
	"cutover/harness/result"
)

// real is a deployment that outlives the program, as real ones do: a lab with a
// profile of its own, whose content is private and whose secrets are references.
type real struct {
	t       *testing.T
	lab     *lab.Lab
	dir     string
	profile string // file
	env     map[string]string
	secrets []string // passwords and the application's secret
}

// startReal starts a lab and writes a profile that leads to it. extra is added to the profile.
func startReal(t *testing.T, o lab.Options, extra string) *real {
	t.Helper()
	r := &real{t: t, dir: t.TempDir(), env: map[string]string{}}
	o.Dir = r.dir
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r.lab = l
	info := l.Info()
	app := info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == "app-only" })]
	user := info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == "delegated" })]
	var b strings.Builder
	fmt.Fprintf(&b, "profile: near\npaths:\n")
	fmt.Fprintf(&b, "  onprem: {rest: {url: %q}, auth: {entra: {client: %s, authority: %q, user: mailbox}}}\n", info.Rest, user.ID, info.Authority)
	fmt.Fprintf(&b, "  cloud: {graph: {url: %q}, auth: {entra: {client: %s, authority: %q, tenant: %s, secret: {env: APP}}}}\n", info.Graph, app.ID, info.Authority, info.Tenant)
	fmt.Fprintf(&b, "tls: {ca: %s}\nmailboxes:\n", info.CA)
	r.secret("APP", app.Secret)
	for i, p := range info.Pairs {
		fmt.Fprintf(&b, "  - {name: box-%d, onprem_upn: %s, onprem_smtp: %s, onprem_secret: {env: P%d}, cloud_upn: %s, cloud_smtp: %s}\n", i+1, p.OnPremUPN, p.OnPremUPN, i+1, p.CloudUPN, p.CloudUPN)
		r.secret(fmt.Sprintf("P%d", i+1), p.OnPremPassword)
	}
	r.profile = r.write("near.yaml", b.String()+extra)
	return r
}

func (r *real) secret(name, value string) {
	r.env[name] = value
	r.secrets = append(r.secrets, value)
}

// write puts a file into the deployment's folder and returns its name.
func (r *real) write(name, text string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return file
}

// cutover runs one command line in-process.
func (r *real) cutover(args ...string) (code int, out, errs string) {
	r.t.Helper()
	return cutover(r.t.Context(), r.env, clock.System(), args...)
}

func cutover(ctx context.Context, env map[string]string, c clock.Clock, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Env: func(name string) string { return env[name] }, Clock: c, Version: "test"}
	code = a.Main(ctx, args)
	return code, stdout.String(), stderr.String()
}

// result reads a run's result.
func (r *real) result(dir string) *result.Result {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := result.Decode(data)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// act is one line in the lab's ledger.
type act struct {
	Mailbox    string
	Act        int // 1 created, 2 changed, 3 deleted, 4 mailed
	Key        uint64
	Recipients []string
}

// ledger is what the lab's stores went through, as its control port tells.
func (r *real) ledger() []act {
	r.t.Helper()
	resp, err := r.client().Get(r.lab.Info().Control + "/ledger")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out []act
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// client reaches the lab past the program.
func (r *real) client() *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(r.lab.CAPEM())
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

// token signs the application in, past the program.
func (r *real) token() string {
	r.t.Helper()
	info := r.lab.Info()
	app := info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == "app-only" })]
	root, _ := url.Parse(info.Graph)
	resp, err := r.client().PostForm(info.Authority+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app.ID}, "client_secret": {app.Secret}, "scope": {root.Scheme + "://" + root.Host + "/.default"},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		r.t.Fatal(err, answer.Error)
	}
	return answer.Token
}

// graph asks Graph past the program and returns the answer.
func (r *real) graph(method, below, body string) map[string]any {
	r.t.Helper()
	req, err := http.NewRequest(method, r.lab.Info().Graph+below, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode/100 != 2 {
		r.t.Fatal(method, below, resp.Status, out, err)
	}
	return out
}
