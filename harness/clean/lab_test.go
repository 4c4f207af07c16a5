package clean_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cutover/harness/auth"
	"cutover/harness/clean"
	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/lab"
	"cutover/harness/paths"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// twins is a lab with one on-prem and one cloud path, signed in as users.
type twins struct {
	t       *testing.T
	deps    clean.Deps
	sources map[string]auth.Source
	file    string
}

func startTwins(t *testing.T) *twins {
	t.Helper()
	l, err := lab.Start(t.Context(), lab.Options{Seed: 3, Mailboxes: 3, LatencyOnPrem: "none", LatencyCloud: "none"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	info := l.Info()
	x := &twins{t: t, sources: map[string]auth.Source{}, file: filepath.Join(t.TempDir(), "journal.jsonl")}
	log, err := journal.Open(x.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	profile := &profiles.Profile{}
	for _, p := range info.Pairs {
		profile.Mailboxes.List = append(profile.Mailboxes.List, profiles.Mailbox{Name: p.Name, Address: map[string]profiles.Address{
			"onprem": {UPN: p.OnPremUPN, SMTP: p.OnPremUPN, Secret: profiles.SecretValue(p.OnPremPassword)},
			"cloud":  {UPN: p.CloudUPN, SMTP: p.CloudUPN, Secret: profiles.SecretValue(p.CloudPassword)}}})
	}
	public := info.Clients[slices.IndexFunc(info.Clients, func(c lab.Client) bool { return c.Kind == "delegated" })]
	entra := strictyaml.NewBlock("entra", strictyaml.Pos{}, map[string]any{"client": public.ID, "authority": info.Authority, "user": "mailbox"})
	rules := guard.Rules{Simulated: true, Hosts: map[string][]string{}, SignIn: map[string][]string{}, Mine: log.Mine}
	signIn, _ := guard.HostPort(info.Authority)
	for name, dialect := range map[string][2]string{"onprem": {"rest", info.Rest}, "cloud": {"graph", info.Graph}} {
		block := strictyaml.NewBlock(dialect[0], strictyaml.Pos{}, map[string]any{"url": dialect[1], "as": "user"})
		profile.Paths = append(profile.Paths, strictyaml.Entry[profiles.Path]{Key: name, Value: profiles.Path{Name: name, URL: dialect[1], Dialect: block, Auth: entra}})
		host, _ := guard.HostPort(dialect[1])
		rules.Hosts[name], rules.SignIn[name] = []string{host}, []string{signIn}
	}
	d, err := guard.Open(rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	x.deps = clean.Deps{Profile: profile, Journal: log, Clock: patient{clock.System()}, Doers: map[string]wire.Doer{}, Auth: map[string]clean.Authoriser{}, Adapters: map[string]paths.Adapter{}}
	options := guard.Options{CA: x509.NewCertPool()}
	options.CA.AppendCertsFromPEM(l.CAPEM())
	for _, entry := range profile.Paths {
		x.open(d, entry.Value, options)
	}
	return x
}

func (x *twins) open(d *guard.Door, p profiles.Path, o guard.Options) {
	x.t.Helper()
	h, err := d.HTTP(p.Name, wire.Token, o)
	if err != nil {
		x.t.Fatal(err)
	}
	source, err := auth.New(p, p.Auth, h, auth.Options{})
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(source.Close)
	doer, err := d.Path(p.Name, o)
	if err != nil {
		x.t.Fatal(err)
	}
	adapter, err := paths.New(p)
	if err != nil {
		x.t.Fatal(err)
	}
	x.sources[p.Name], x.deps.Auth[p.Name], x.deps.Doers[p.Name], x.deps.Adapters[p.Name] = source, source, doer, adapter
}

// post sends a body below /me and returns the answer's id.
func (x *twins) post(path string, m profiles.Mailbox, below, body string) string {
	x.t.Helper()
	header, err := x.sources[path].Authorization(x.t.Context(), m)
	if err != nil {
		x.t.Fatal(err)
	}
	var call wire.Call
	x.deps.Doers[path].Do(x.t.Context(), &wire.Request{Kind: wire.Fixture, Method: "POST", URL: x.deps.Adapters[path].Describe().Root + "/me/" + below, Body: []byte(body),
		Header: wire.Header{{Name: "Content-Type", Value: "application/json"}}, Authorization: header, Mailbox: m.Name}, &call)
	if call.Failure != nil || call.Response.Status/100 != 2 {
		x.t.Fatalf("POST %s on %s: %d %s %v", below, path, call.Response.Status, call.Response.Body, call.Failure)
	}
	var item struct{ ID, Id string }
	json.Unmarshal(call.Response.Body, &item)
	return item.ID + item.Id
}

// count lists how many items of a collection there are.
func (x *twins) count(path string, m profiles.Mailbox, below string) int {
	x.t.Helper()
	header, err := x.sources[path].Authorization(x.t.Context(), m)
	if err != nil {
		x.t.Fatal(err)
	}
	n := 0
	next := x.deps.Adapters[path].Describe().Root + "/me/" + below + "?$top=50"
	for next != "" {
		var call wire.Call
		x.deps.Doers[path].Do(x.t.Context(), &wire.Request{Kind: wire.Probe, Method: "GET", URL: next, Authorization: header, Mailbox: m.Name}, &call)
		var page struct {
			Value []json.RawMessage `json:"value"`
			Next  string            `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(call.Response.Body, &page); err != nil || call.Response.Status != 200 {
			x.t.Fatalf("GET %s: %d %s", next, call.Response.Status, call.Response.Body)
		}
		n += len(page.Value)
		next = page.Next
	}
	return n
}

func TestTheLabIsAsBeforeAfterCleaning(t *testing.T) {
	x := startTwins(t)
	log := x.deps.Journal.(*journal.Journal)
	census := func() string {
		var all []string
		for _, path := range []string{"onprem", "cloud"} {
			for _, m := range x.deps.Profile.Mailboxes.List {
				all = append(all, fmt.Sprint(path, m.Name, x.count(path, m, "messages"), x.count(path, m, "events"), x.count(path, m, "contacts")))
			}
		}
		return strings.Join(all, "\n")
	}
	before := census()
	ann := x.deps.Profile.Mailboxes.List[0]
	for _, path := range []string{"onprem", "cloud"} {
		case1 := func(name string) string { // the dialect's spelling of a property
			if path == "onprem" {
				return strings.ToUpper(name[:1]) + name[1:]
			}
			return name
		}
		object := func(pairs ...string) string {
			var all []string
			for i := 0; i < len(pairs); i += 2 {
				all = append(all, fmt.Sprintf("%q:%s", case1(pairs[i]), pairs[i+1]))
			}
			return "{" + strings.Join(all, ",") + "}"
		}
		tagged := fmt.Sprintf("[%q]", tag)
		when := object("dateTime", `"2026-11-23T09:00:00"`, "timeZone", `"UTC"`)
		to := "[" + object("emailAddress", object("address", fmt.Sprintf("%q", ann.Address[path].SMTP))) + "]"
		bodies := []struct{ sort, below, body string }{
			{"message", "messages", object("subject", `"a draft"`, "categories", tagged)},
			{"event", "events", object("subject", `"a meeting"`, "start", when, "end", when, "categories", tagged)},
			{"contact", "contacts", object("givenName", `"A"`, "displayName", `"A"`, "categories", tagged)},
		}
		for _, b := range bodies {
			for _, lost := range []bool{false, true} {
				seq, err := log.Intend(journal.Entry{Path: path, Mailbox: ann.Name, Sort: b.sort, Tag: tag, Tagged: true, URL: "https://x/me/" + b.below})
				if err != nil {
					t.Fatal(err)
				}
				if id := x.post(path, ann, b.below, b.body); !lost {
					log.Done(seq, id)
				}
			}
		}
		seq, _ := log.Intend(journal.Entry{Path: path, Mailbox: ann.Name, Sort: "message", Tag: tag, Tagged: true, To: []string{ann.Address[path].SMTP}, URL: "https://x/me/sendMail"})
		x.post(path, ann, "sendMail", object("message", object("subject", fmt.Sprintf("%q", tag+" hello"), "toRecipients", to)))
		log.Done(seq, "")
	}
	if census() == before {
		t.Fatal("nothing was created: the test shows nothing")
	}
	if err := log.Sync(); err != nil {
		t.Fatal(err)
	}
	entries, err := journal.Read(x.file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := clean.Run(t.Context(), entries, x.deps)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(result.Cleanup{Created: 8, Removed: 8, Proof: clean.Proof}, got); diff != "" {
		t.Errorf("cleanup (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, census()); diff != "" {
		t.Errorf("items by mailbox: messages, events, contacts (-before +after):\n%s", diff)
	}
}
