package auth_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"cutover/harness/auth"
	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/hist"
	"cutover/harness/lab"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// deployment is a lab with a door to it.
type deployment struct {
	lab  *lab.Lab
	info lab.Info
	door *guard.Door
	opts guard.Options
}

func deploy(t *testing.T, o lab.Options) *deployment {
	t.Helper()
	o.Mailboxes = 4
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &deployment{lab: l, info: l.Info()}
	d.opts.CA = x509.NewCertPool()
	d.opts.CA.AppendCertsFromPEM(l.CAPEM())
	host := func(url string) []string {
		h, err := guard.HostPort(url)
		if err != nil {
			t.Fatal(err)
		}
		return []string{h}
	}
	hosts := map[string][]string{"cloud": host(d.info.Graph), "onprem": host(d.info.Rest)}
	d.door, err = guard.Open(guard.Rules{Simulated: true, Hosts: hosts, SignIn: map[string][]string{"cloud": host(d.info.Authority), "onprem": host(d.info.Authority)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.door.Close)
	return d
}

// client is the lab's application of a kind.
func (d *deployment) client(t *testing.T, kind string) lab.Client {
	t.Helper()
	i := slices.IndexFunc(d.info.Clients, func(c lab.Client) bool { return c.Kind == kind })
	if i < 0 {
		t.Fatalf("the lab has no client of kind %s: %+v", kind, d.info.Clients)
	}
	return d.info.Clients[i]
}

// box is the first pair, with a password of the caller's.
func (d *deployment) box(password string) profiles.Mailbox {
	p := d.info.Pairs[0]
	onprem, cloud := p.OnPremPassword, p.CloudPassword
	if password != "" {
		onprem, cloud = password, password
	}
	return profiles.Mailbox{Name: p.Name, Address: map[string]profiles.Address{
		"onprem": {UPN: p.OnPremUPN, SMTP: p.OnPremUPN, Secret: profiles.SecretValue(onprem)},
		"cloud":  {UPN: p.CloudUPN, SMTP: p.CloudUPN, Secret: profiles.SecretValue(cloud)}}}
}

// ask signs in on a path as its block says and asks for the inbox n times. It
// returns the statuses, or the reason of the first sign-in that failed.
func (d *deployment) ask(t *testing.T, path string, b strictyaml.Block, m profiles.Mailbox, n int) []string {
	t.Helper()
	root := map[string]string{"cloud": d.info.Graph, "onprem": d.info.Rest}[path]
	h, err := d.door.HTTP(path, wire.Token, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	s, err := auth.New(profiles.Path{Name: path, URL: root}, b, h, auth.Options{Mailboxes: []profiles.Mailbox{m}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	opts := d.opts
	if b.Kind == "ntlm" {
		opts.Login = s.Login
	}
	next, err := d.door.Path(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	doer := auth.Watch(s, next)
	url := root + "/me/messages?$top=1"
	if !(profiles.Path{Auth: b}).Delegated() {
		url = root + "/users/" + m.Address[path].UPN + "/messages?$top=1"
	}
	var got []string
	for range n {
		header, err := s.Authorization(t.Context(), m)
		var call wire.Call
		if err == nil {
			doer.Do(t.Context(), &wire.Request{Kind: wire.Probe, Method: "GET", URL: url, Authorization: header, Mailbox: m.Name}, &call)
			if call.Failure == nil {
				got = append(got, fmt.Sprint(call.Response.Status))
				continue
			}
			err = call.Failure
		}
		var e *auth.Error
		if !errors.As(err, &e) {
			t.Fatalf("unexpected failure: %v", err)
		}
		got = append(got, string(e.Reason)+" "+e.Code)
	}
	return got
}

func (d *deployment) entra(c lab.Client, more map[string]any) strictyaml.Block {
	params := map[string]any{"client": c.ID, "authority": d.info.Authority}
	for k, v := range more {
		params[k] = v
	}
	return block("entra", params)
}

func TestEverySignInWorksAgainstTheLab(t *testing.T) {
	d := deploy(t, lab.Options{Seed: 1})
	app, public := d.client(t, "app-only"), d.client(t, "delegated")
	mine := map[string]any{"user": "mailbox"}
	tests := []struct {
		name, path string
		block      strictyaml.Block
		password   string // "" the right one
		want       []string
	}{
		{"signs an application in with its secret", "cloud", d.entra(app, map[string]any{"secret": profiles.SecretValue(app.Secret)}), "", []string{"200", "200"}},
		{"signs an application in with its certificate", "cloud", d.entra(app, map[string]any{"certificate": profiles.SecretValue(string(d.lab.ClientPEM()))}), "", []string{"200", "200"}},
		{"offers a wrong client secret once", "cloud", d.entra(app, map[string]any{"secret": profiles.SecretValue("wrong")}), "", []string{"refused AADSTS7000215", "refused AADSTS7000215"}},
		{"signs a mailbox's user in at Graph", "cloud", d.entra(public, mine), "", []string{"200", "200"}},
		{"signs a mailbox's user in on premises by token", "onprem", d.entra(public, mine), "", []string{"200", "200"}},
		{"offers a wrong password once", "cloud", d.entra(public, mine), "wrong", []string{"refused AADSTS50126", "refused AADSTS50126"}},
		{"signs in by Basic", "onprem", block("basic", mine), "", []string{"200", "200"}},
		{"offers a wrong Basic password once", "onprem", block("basic", mine), "wrong", []string{"401", "refused "}},
		{"signs in by NTLM", "onprem", block("ntlm", mine), "", []string{"200", "200"}},
		{"offers a wrong NTLM password once", "onprem", block("ntlm", mine), "wrong", []string{"401", "refused "}},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, d.ask(t, test.path, test.block, d.box(test.password), 2)); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
	var served, sent uint64
	for _, n := range d.lab.Stats().Services {
		served += n
	}
	for _, traffic := range d.door.Traffic() {
		sent += traffic.Sum()
	}
	if served != sent {
		t.Errorf("the lab served %d requests, the door counted %d: %v, %+v", served, sent, d.lab.Stats().Services, d.door.Traffic())
	}
}

func TestMisconfigurationsAreNamed(t *testing.T) {
	mine := map[string]any{"user": "mailbox"}
	tests := []struct {
		name, change, path string
		kind               string
		want               string
	}{
		{"names missing consent", "consent-missing", "cloud", "entra", "setup AADSTS65001"},
		{"signs in by NTLM where Extended Protection is allowed", "ep-allowed", "onprem", "ntlm", "200"},
		{"signs in by NTLM where Extended Protection is required", "ep-required", "onprem", "ntlm", "200"},
		{"is refused by NTLM where the servers know another certificate", "ep-bridged", "onprem", "ntlm", "401"},
		{"is refused by NTLM where NTLM is off", "ntlm-off", "onprem", "ntlm", "401"},
		{"is refused by Basic where Basic is off", "basic-off", "onprem", "basic", "401"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			d := deploy(t, lab.Options{Seed: 1, Misconfigure: []string{test.change}})
			b := block(test.kind, mine)
			if test.kind == "entra" {
				b = d.entra(d.client(t, "delegated"), mine)
			}
			if diff := cmp.Diff([]string{test.want}, d.ask(t, test.path, b, d.box(""), 1)); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSoakTokensOfNinetySecondsAreRenewedUnnoticed(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: make soak")
	}
	d := deploy(t, lab.Options{Seed: 1, TokenLifetime: "90s", LatencyCloud: "none"})
	h, err := d.door.HTTP("cloud", wire.Token, d.opts)
	if err != nil {
		t.Fatal(err)
	}
	m := d.box("")
	path := profiles.Path{Name: "cloud", URL: d.info.Graph}
	s, err := auth.New(path, d.entra(d.client(t, "delegated"), map[string]any{"user": "mailbox"}), h, auth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	doer, err := d.door.Path("cloud", d.opts)
	if err != nil {
		t.Fatal(err)
	}
	system := clock.System()
	end := system.Now().Add(6 * time.Minute)
	var longest time.Duration
	var near, far hist.Histogram // what requests took within two seconds of a renewal, and otherwise
	renewed, renewal := uint64(0), system.Now()
	for n := 0; system.Now().Before(end); n++ {
		began := system.Now()
		header, err := s.Authorization(t.Context(), m)
		if waited := system.Now().Sub(began); n > 0 {
			longest = max(longest, waited)
		}
		var call wire.Call
		doer.Do(t.Context(), &wire.Request{Method: "GET", URL: d.info.Graph + "/me/messages?$top=1", Authorization: header, Mailbox: m.Name}, &call)
		if err != nil || call.Response.Status != 200 {
			t.Fatalf("request %d: %v, %v, status %d", n, err, call.Failure, call.Response.Status)
		}
		if now := s.Stats().Renewed; now > renewed {
			renewed, renewal = now, began
		}
		if took := system.Now().Sub(began); began.Sub(renewal) < 2*time.Second {
			near.Record(took)
		} else {
			far.Record(took)
		}
		system.SleepUntil(t.Context(), began.Add(50*time.Millisecond))
	}
	st := s.Stats()
	t.Logf("%d requests, renewed %d times; near a renewal %d requests p50 %s p90 %s, otherwise p50 %s p90 %s; longest wait for a token %s; a renewal took p50 %s, at most %s",
		near.Count()+far.Count(), st.Renewed, near.Count(), near.Quantile(0.5), near.Quantile(0.9), far.Quantile(0.5), far.Quantile(0.9), longest, st.Latency.Quantile(0.5), st.Latency.Max())
	if st.Renewed < 5 || st.Late != 0 || longest > 100*time.Millisecond {
		t.Errorf("renewed %d, late %d, longest wait for a token %s", st.Renewed, st.Late, longest)
	}
	if step := near.Quantile(0.5) - far.Quantile(0.5); step > max(5*time.Millisecond, far.Quantile(0.5)) {
		t.Errorf("requests take %s longer near a renewal", step)
	}
}
