package auth_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cutover/harness/auth"
	"cutover/harness/lab"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// try signs the first pair in as the block says and asks for its inbox. It
// returns the answer's status, or the error of the sign-in.
func (d *deployment) try(t *testing.T, path string, b strictyaml.Block, more ...auth.Options) (string, error) {
	t.Helper()
	root := map[string]string{"cloud": d.info.Graph, "onprem": d.info.Rest}[path]
	h, err := d.door.HTTP(path, wire.Token, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	m := d.box("")
	o := auth.Options{}
	if len(more) > 0 {
		o = more[0]
	}
	o.Mailboxes = []profiles.Mailbox{m}
	s, err := auth.New(profiles.Path{Name: path, URL: root}, b, h, o)
	if err != nil {
		return "", err
	}
	defer s.Close()
	doer, err := d.door.Path(path, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	header, err := s.Authorization(t.Context(), m)
	if err != nil {
		return "", err
	}
	url := root + "/users/" + m.Address[path].UPN + "/messages?$top=1"
	var call wire.Call
	doer.Do(t.Context(), &wire.Request{Kind: wire.Probe, Method: "GET", URL: url, Authorization: header, Mailbox: m.Name}, &call)
	if call.Failure != nil {
		return "", call.Failure
	}
	return fmt.Sprint(call.Response.Status), nil
}

// person sits before a browser and signs in with the first pair's account on a path.
type person struct {
	t              *testing.T
	client         *http.Client
	user, password string
	shown          string // address of the page
	failed         chan error
}

func (d *deployment) person(t *testing.T, path string) *person {
	a := d.box("").Address[path]
	secret, err := a.Secret.Resolve(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = d.opts.CA
	t.Cleanup(transport.CloseIdleConnections)
	return &person{t: t, client: &http.Client{Transport: transport}, user: a.UPN, password: string(secret), failed: make(chan error, 1)}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// open is what opening a browser does: it returns at once, and the person goes
// on, fills in the page and follows the redirect back to the application.
func (p *person) open(address string) error {
	p.shown = address
	go func() { p.failed <- p.fill(address, url.Values{}) }()
	return nil
}

func (p *person) fill(address string, form url.Values) error {
	page, err := p.client.Get(address)
	if err != nil {
		return err
	}
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		return err
	}
	for _, m := range hiddenField.FindAllStringSubmatch(string(text), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	form.Set("username", p.user)
	form.Set("password", p.password)
	answer, err := p.client.PostForm(address, form)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the page answered %s, %v", answer.Status, err)
	}
	return p.pass(string(text))
}

var formAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)

// pass posts a form that the page's script would post to the application.
func (p *person) pass(page string) error {
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		return nil
	}
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	answer, err := p.client.PostForm(html.UnescapeString(action[1]), form)
	if err != nil {
		return err
	}
	answer.Body.Close()
	return nil
}

var deviceMessage = regexp.MustCompile(`open the page (\S+) and enter the code (\S+) to`)

// enter does what a device code's message says.
func (p *person) enter(message string) {
	m := deviceMessage.FindStringSubmatch(message)
	if m == nil {
		p.failed <- fmt.Errorf("the message is %q", message)
		return
	}
	go func() { p.failed <- p.fill(m[1], url.Values{"user_code": {m[2]}}) }()
}

func TestAPersonSignsIn(t *testing.T) {
	d := deploy(t, lab.Options{Seed: 1})
	public := d.client(t, "delegated")
	for _, path := range []string{"cloud", "onprem"} {
		t.Run("in a browser, by authorization code and PKCE: it reads "+path, func(t *testing.T) {
			p := d.person(t, path)
			got, err := d.try(t, path, d.entra(public, map[string]any{"browser": true}), auth.Options{Browse: p.open})
			if got != "200" || err != nil || <-p.failed != nil {
				t.Errorf("got %q, %v", got, err)
			}
			if q, err := url.Parse(p.shown); err != nil || q.Query().Get("code_challenge_method") != "S256" || q.Query().Get("code_challenge") == "" || q.Query().Get("state") == "" {
				t.Errorf("the page was opened without PKCE: %s", p.shown)
			}
		})
		t.Run("with a code on another device: it reads "+path, func(t *testing.T) {
			p := d.person(t, path)
			got, err := d.try(t, path, d.entra(public, map[string]any{"device": true}), auth.Options{Prompt: p.enter})
			if got != "200" || err != nil || <-p.failed != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestATokenThatSomebodyElseFetched(t *testing.T) {
	d := deploy(t, lab.Options{Seed: 1})
	app := d.client(t, "app-only")
	header := d.header(t, "cloud", d.entra(app, map[string]any{"secret": profiles.SecretValue(app.Secret)}))
	token := strings.TrimPrefix(header, "Bearer ")
	helper := filepath.Join(t.TempDir(), "token.txt")
	if err := os.WriteFile(helper, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		secret string // as a profile says it
	}{
		{"a variable holds it: it is sent", "{env: T}"},
		{"a file holds it: it is sent", "{file: " + filepath.ToSlash(helper) + "}"},
		{"a program prints it: it is sent", "{exec: [" + program(t, helper) + "]}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := "profile: given\npaths:\n  cloud: {graph: {url: 'https://graph.test/v1.0', as: app}, auth: {token: {secret: " + row.secret + "}}}\n"
			p, err := profiles.Parse("given.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			path, _ := p.Paths.Get("cloud")
			env := func(name string) string { return map[string]string{"T": token}[name] }
			if got, err := d.try(t, "cloud", path.Auth, auth.Options{Env: env}); got != "200" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// program is an argument list that prints a file: this very test binary is not
// needed for that where cat is.
func program(t *testing.T, file string) string {
	t.Helper()
	for _, cat := range []string{"/bin/cat", "/usr/bin/cat"} {
		if _, err := os.Stat(cat); err == nil {
			return cat + ", " + file
		}
	}
	t.Skip("there is no cat on this machine")
	return ""
}

// header is what a sign-in hands out.
func (d *deployment) header(t *testing.T, path string, b strictyaml.Block) string {
	t.Helper()
	h, err := d.door.HTTP(path, wire.Token, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	root := map[string]string{"cloud": d.info.Graph, "onprem": d.info.Rest}[path]
	s, err := auth.New(profiles.Path{Name: path, URL: root}, b, h, auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	header, err := s.Authorization(t.Context(), d.box(""))
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func TestEachPathAsksForItsOwnAudience(t *testing.T) {
	entra := func(more map[string]any) strictyaml.Block {
		all := map[string]any{"client": "app-1", "tenant": "t.test", "secret": profiles.SecretValue("s")}
		for k, v := range more {
			all[k] = v
		}
		return block("entra", all)
	}
	for _, row := range []struct {
		name, url       string
		block           strictyaml.Block
		authority, want string
	}{
		{"the public cloud: it asks for Graph", "https://graph.microsoft.com/v1.0", entra(nil), "https://login.microsoftonline.com/t.test", "https://graph.microsoft.com/.default"},
		{"on premises: it asks for the namespace", "https://mail.contoso.test/api/v2.0", entra(nil), "https://login.microsoftonline.com/t.test", "https://mail.contoso.test/.default"},
		{"a resource: it asks for that", "https://mail.contoso.test/api/v2.0", entra(map[string]any{"resource": "https://outlook.office365.com/"}), "https://login.microsoftonline.com/t.test", "https://outlook.office365.com/.default"},
		{"scopes: it asks for these", "https://graph.microsoft.com/v1.0", entra(map[string]any{"scopes": []string{"https://graph.microsoft.com/Mail.Read", "openid"}}), "https://login.microsoftonline.com/t.test", "https://graph.microsoft.com/Mail.Read"},
		{"the cloud of the US government: it signs in there", "https://graph.microsoft.us/v1.0", entra(nil), "https://login.microsoftonline.us/t.test", "https://graph.microsoft.us/.default"},
		{"the cloud of the US forces: it signs in there", "https://dod-graph.microsoft.us/v1.0", entra(nil), "https://login.microsoftonline.us/t.test", "https://dod-graph.microsoft.us/.default"},
		{"the cloud in China: it signs in there", "https://microsoftgraph.chinacloudapi.cn/v1.0", entra(nil), "https://login.chinacloudapi.cn/t.test", "https://microsoftgraph.chinacloudapi.cn/.default"},
		{"another authority: it signs in there", "https://graph.microsoft.com/v1.0", entra(map[string]any{"authority": "https://login.contoso.test/adfs"}), "https://login.contoso.test/adfs", "https://graph.microsoft.com/.default"},
	} {
		t.Run(row.name, func(t *testing.T) {
			service := &sts{life: 3600e9, anywhere: true}
			p := profiles.Path{Name: "cloud", URL: row.url, Auth: row.block}
			s, err := auth.New(p, row.block, service, auth.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Authorization(t.Context(), box("ann")); err != nil {
				t.Fatal(err)
			}
			scope, _, _ := strings.Cut(service.forms[0].Get("scope"), " ")
			if diff := cmp.Diff([]string{row.authority, row.want}, []string{auth.Services(p)[0], scope}); diff != "" {
				t.Errorf("authority and scope (-want +got):\n%s", diff)
			}
			host, _ := url.Parse(row.authority)
			for _, r := range service.requests {
				if !strings.Contains(r, host.Host) {
					t.Errorf("asked %s, want %s alone", r, host.Host)
				}
			}
		})
	}
}
