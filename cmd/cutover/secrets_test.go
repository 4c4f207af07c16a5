package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab"
)

// planting is a deployment whose every secret is known, so that everything the
// commands wrote can be searched for them.
type planting struct {
	t       *testing.T
	dir     string
	env     map[string]string
	secrets map[string]string // what it is, by its value
	spoken  bytes.Buffer      // stdout and stderr of all commands
	last    string            // end of what the last one said
}

// plantedProfile is a profile of the deployment without its addresses and its sign-in on premises.
const plantedProfile = `profile: planted
paths:
  onprem: {rest: {url: '%[1]s'}, auth: %[4]s}
  cloud: {graph: {url: '%[2]s'}, auth: {entra: {authority: '%[3]s', tenant: x, client: %[5]s, secret: {env: APP_SECRET}}}}
left: onprem
right: cloud
tls: {ca: ca.pem}
mailboxes: {file: boxes.csv}
`

func plant(t *testing.T) *planting {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{Seed: 5, Mailboxes: 4, LatencyOnPrem: "none", LatencyCloud: "none"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	info := l.Info()
	p := &planting{t: t, dir: t.TempDir(), env: map[string]string{}, secrets: map[string]string{}}
	p.secret("APP_SECRET", "client secret", info.Clients[0].Secret)
	p.secret("WRONG", "wrong client secret", "canary-wrong-client-secret-0815")
	p.secret("COOKIE", "cookie", "canary-cookie-MRHSession-4711")
	table := "name,onprem_upn,onprem_secret,cloud_upn\n"
	for i, pair := range info.Pairs[:1] {
		name := fmt.Sprintf("PW%d", i)
		p.secret(name, "password", pair.OnPremPassword)
		table += fmt.Sprintf("%s,%s,env:%s,%s\n", pair.Name, pair.OnPremUPN, name, pair.CloudUPN)
	}
	p.file("boxes.csv", table)
	p.file("ca.pem", string(l.CAPEM()))
	kinds := map[string]string{
		"basic.yaml": "{basic: {user: mailbox}}",
		"ntlm.yaml":  "{ntlm: {user: mailbox}}",
		"user.yaml":  fmt.Sprintf("{entra: {authority: '%s', tenant: x, client: %s, user: mailbox}}", info.Authority, info.Clients[1].ID),
		"wrong.yaml": fmt.Sprintf("{entra: {authority: '%s', tenant: x, client: %s, secret: {env: WRONG}}}", info.Authority, info.Clients[0].ID),
	}
	for name, auth := range kinds {
		p.file(name, fmt.Sprintf(plantedProfile, info.Rest, info.Graph, info.Authority, auth, info.Clients[0].ID))
	}
	return p
}

func (p *planting) secret(name, what, value string) {
	p.env[name] = value
	p.secrets[value] = what
	p.secrets[base64.StdEncoding.EncodeToString([]byte(value))] = what + " in base64"
	p.secrets[url.QueryEscape(value)] = what + " in a URL"
}

func (p *planting) file(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs one command line; @ stands for the planting's folder.
func (p *planting) run(stdin string, args ...string) int {
	for i, a := range args {
		args[i] = strings.Replace(a, "@", p.dir+string(filepath.Separator), 1)
	}
	a := &App{Stdin: strings.NewReader(stdin), Stdout: &p.spoken, Stderr: &p.spoken, Env: func(name string) string { return p.env[name] }, Clock: clock.System(), Version: "test"}
	fmt.Fprintf(&p.spoken, "\n$ cutover %s\n", strings.Join(args, " "))
	code := a.Main(context.Background(), args)
	said := p.spoken.String()
	p.last = said[max(0, len(said)-1500):]
	return code
}

// tokenShapes are what an access token and a refresh token look like. A header
// alone is no token: it is the same for thousands.
var tokenShapes = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|0\.A[A-Za-z0-9_-]{40,}`)

// search looks for every secret in a text.
func (p *planting) search(where string, text []byte) {
	for value, what := range p.secrets {
		if bytes.Contains(text, []byte(value)) {
			p.t.Errorf("%s holds a %s", where, what)
		}
	}
	if token := tokenShapes.Find(text); token != nil {
		p.t.Errorf("%s holds a token: %.20s…", where, token)
	}
}

// searchFiles looks for every secret in all that was written.
func (p *planting) searchFiles() (files int) {
	err := filepath.WalkDir(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		files++
		p.search(filepath.Base(name), data)
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
	return files
}

func TestNoSecretIsInAnythingThatSigningInAndTheDoctorWrote(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	p := plant(t)
	expect := func(want int, args ...string) {
		t.Helper()
		if got := p.run("", args...); got != want {
			t.Errorf("%v: exit code %d, want %d\n%s", args[:3], got, want, p.last)
		}
	}
	expect(0, "doctor", "--profile", "@user.yaml", "--negative", "--vantage", "internal", "--html", "@d.html", "--junit", "@d.xml", "--suite", "mail-read", "--json")
	expect(0, "where", "--profile", "@basic.yaml", "--json", "--write")
	for _, profile := range []string{"@basic.yaml", "@ntlm.yaml", "@user.yaml"} {
		p.run("", "run", "mail-read", "--profile", profile, "--rate", "20/s", "--duration", "500ms", "--no-progress", "--out", profile+".run", "--format", "text,json,html,junit,markdown,sarif,csv")
		expect(0, "call", "GET", "/me/messages?$top=1", "--profile", profile, "--raw")
	}
	expect(3, "run", "mail-read", "--profile", "@wrong.yaml", "--rate", "20/s", "--duration", "1s", "--no-progress", "--out", "@wrong.run")
	expect(3, "token", "--profile", "@wrong.yaml", "--path", "onprem")
	expect(0, "token", "--profile", "@user.yaml", "--path", "onprem")
	expect(0, "token", "--profile", "@user.yaml", "--path", "cloud")
	p.pastes()
	a := &App{Stdin: panicking{p.env["APP_SECRET"]}, Stdout: &p.spoken, Stderr: &p.spoken, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test"}
	a.secrets.Add(p.env["APP_SECRET"])
	if code := a.Main(context.Background(), []string{"token", "--stdin"}); code != exitInternal {
		t.Errorf("a panic: exit code %d, want %d", code, exitInternal)
	}
	p.search("what was printed", p.spoken.Bytes())
	if files := p.searchFiles(); files < 35 || p.spoken.Len() < 10_000 {
		t.Errorf("there is too little to search: %d files, %d bytes of words", files, p.spoken.Len())
	}
}

// pastes gives `cutover token` what people paste.
func (p *planting) pastes() {
	jwt := "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." + base64.RawURLEncoding.EncodeToString([]byte(
		`{"aud":"https://mail.contoso.test","iss":"https://sts.windows.net/x/","exp":4102444800,"scp":"Mail.Read","appid":"a","upn":"ann@contoso.test"}`)) + ".canary-signature-of-a-token"
	p.secrets["canary-signature-of-a-token"] = "signature"
	for _, paste := range []string{jwt, "0.A" + strings.Repeat("canaryrefresh", 8),
		"Authorization: Bearer " + jwt + "\nCookie: MRHSession=" + p.env["COOKIE"] + "\nSet-Cookie: x=" + p.env["COOKIE"] + "\nX-FEServer: EX01\n"} {
		if code := p.run(paste, "token", "--stdin"); code != 0 {
			p.t.Errorf("token --stdin: exit code %d\n%s", code, p.last)
		}
	}
}

// panicking is an input that breaks the program with a secret in its words.
type panicking struct{ secret string }

// Read panics.
func (p panicking) Read([]byte) (int, error) { panic("reading with " + p.secret) }
