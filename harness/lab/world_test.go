package lab_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cutover/harness/lab"
)

func TestMain(m *testing.M) {
	if code, ok := childMain(); ok {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// world is a running lab and a client that trusts it.
type world struct {
	t      *testing.T
	lab    *lab.Lab
	info   lab.Info
	client *http.Client
}

func start(t *testing.T, o lab.Options) *world {
	t.Helper()
	if o.Mailboxes == 0 {
		o.Mailboxes = 3
	}
	if o.LatencyCloud == "" {
		o.LatencyOnPrem, o.LatencyCloud = "none", "none"
	}
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(l.CAPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, lab: l, info: l.Info(), client: client}
}

// dialTLS opens a connection to Graph, for HTTP/1.1.
func (w *world) dialTLS() (net.Conn, error) {
	roots := w.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	return tls.Dial("tcp", strings.TrimPrefix(origin(w.info.Graph), "https://"), &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}})
}

// origin is scheme and host of an address.
func origin(address string) string {
	u, _ := url.Parse(address)
	return u.Scheme + "://" + u.Host
}

func (w *world) tokens(form url.Values) map[string]any {
	w.t.Helper()
	resp, err := w.client.PostForm(w.info.Authority+"/oauth2/v2.0/token", form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

func (w *world) token(form url.Values) string {
	w.t.Helper()
	doc := w.tokens(form)
	raw, _ := doc["access_token"].(string)
	if raw == "" {
		w.t.Fatalf("no token: %v", doc["error_description"])
	}
	return raw
}

const graphScope = "https://graph.microsoft.com/.default"

// app is an app-only token of the n-th client.
func (w *world) app(client int) string {
	c := w.info.Clients[client]
	return w.token(url.Values{"client_id": {c.ID}, "client_secret": {c.Secret}, "grant_type": {"client_credentials"}, "scope": {graphScope}})
}

// user is a delegated token of a person.
func (w *world) user(upn, password, scope string) string {
	return w.token(url.Values{"client_id": {w.info.Clients[1].ID}, "grant_type": {"password"}, "username": {upn}, "password": {password}, "scope": {scope}})
}

// onPremUser is the first pair's on-prem user for Graph.
func (w *world) onPremUser() string {
	return w.user(w.info.Pairs[0].OnPremUPN, w.info.Pairs[0].OnPremPassword, graphScope)
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	doc     map[string]any
	code    string
	message string
}

// ask sends a request with a token; headers are name, value pairs.
func (w *world) ask(token, method, address, body string, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(raw)}
	_ = json.Unmarshal(raw, &a.doc)
	if e, ok := a.doc["error"].(map[string]any); ok {
		a.code, _ = e["code"].(string)
		a.message, _ = e["message"].(string)
	}
	return a
}

func (w *world) get(token, address string, headers ...string) answer {
	w.t.Helper()
	return w.ask(token, http.MethodGet, address, "", headers...)
}

// rest is an address below the REST service, signed in to by Basic.
func (w *world) rest(pair int, method, path, body string, headers ...string) answer {
	w.t.Helper()
	p := w.info.Pairs[pair]
	return w.ask("", method, w.info.Rest+path, body, append(headers, "Authorization", "Basic "+basic(p.OnPremUPN, p.OnPremPassword))...)
}

// cloud is an address of a pair's cloud mailbox, asked with an app-only token.
func (w *world) cloud(token string, pair int, method, path, body string, headers ...string) answer {
	w.t.Helper()
	return w.ask(token, method, w.info.Graph+"/users/"+w.info.Pairs[pair].CloudUPN+path, body, headers...)
}

func values(doc map[string]any) []map[string]any {
	var out []map[string]any
	list, _ := doc["value"].([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}
