package profiles_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/profiles"
)

func endpoints(pairs int) profiles.Endpoints {
	e := profiles.Endpoints{
		URLs: map[string]string{
			"graph": "https://127.0.0.1:1/v1.0", "graph-2019": "https://127.0.0.1:2/v1.0", "rest": "https://127.0.0.1:3/api/v2.0",
		},
		Authority: "https://127.0.0.1:4/tenant", Tenant: "tenant", CAPEM: []byte("pem"),
		Clients: []profiles.LabClient{{ID: "app", Secret: canary, Kind: "app-only"}, {ID: "public", Kind: "delegated"}},
	}
	for i := range pairs {
		e.Pairs = append(e.Pairs, profiles.LabPair{Name: fmt.Sprintf("box-%d", i), OnPremUPN: fmt.Sprintf("%d@on.test", i),
			OnPremPassword: "left", CloudUPN: fmt.Sprintf("%d@cloud.test", i), CloudPassword: "right"})
	}
	return e
}

func TestBindLeadsTheLabProfileToTheLab(t *testing.T) {
	p, err := profiles.Load("lab")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Simulated || !p.UsesLab() {
		t.Fatal("the lab profile does not say that it is simulated")
	}
	bound, err := p.Bind(endpoints(60))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range bound.Paths {
		var auth profiles.Entra
		var dialect profiles.Graph
		if problems := e.Value.Auth.Decode(&auth); len(problems) > 0 {
			t.Fatal(problems)
		}
		if problems := e.Value.Dialect.Decode(&dialect); len(problems) > 0 {
			t.Fatal(problems)
		}
		secret, _ := auth.Secret.Resolve(nil)
		address := bound.Mailboxes.List[7].Address[e.Key]
		password, _ := address.Secret.Resolve(nil)
		got = append(got, strings.Join([]string{e.Key, e.Value.Lab, e.Value.Dialect.Kind, dialect.URL, dialect.As, auth.Client, auth.User,
			string(secret), auth.Authority, address.User(), string(password), fmt.Sprint(e.Value.Delegated())}, " "))
	}
	want := []string{
		"onprem rest rest https://127.0.0.1:3/api/v2.0  public mailbox  https://127.0.0.1:4/tenant 7@on.test left true",
		"cloud graph graph https://127.0.0.1:1/v1.0 app app  " + canary + " https://127.0.0.1:4/tenant 7@cloud.test right false",
		"graph-2019-user graph-2019 graph https://127.0.0.1:2/v1.0 user public mailbox  https://127.0.0.1:4/tenant 7@on.test left true",
		"graph-2019-app graph-2019 graph https://127.0.0.1:2/v1.0 app app  " + canary + " https://127.0.0.1:4/tenant 7@on.test left false",
		"graph-today-user graph graph https://127.0.0.1:1/v1.0 user public mailbox  https://127.0.0.1:4/tenant 7@on.test left true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(bound.Mailboxes.List) != 50 || string(bound.CAPEM) != "pem" || !bound.Simulated {
		t.Errorf("%d mailboxes, CA %q, simulated %t", len(bound.Mailboxes.List), bound.CAPEM, bound.Simulated)
	}
	if before, _ := p.Paths.Get("onprem"); before.Dialect.Kind != "lab" || len(p.Mailboxes.List) != 0 {
		t.Error("binding changed the profile itself")
	}
	if printed := fmt.Sprintf("%+v %#v", bound, bound); strings.Contains(printed, canary) {
		t.Error("a bound profile prints a secret")
	}
}

func TestBindKeepsWhatTheProfileSays(t *testing.T) {
	p, err := profiles.Parse("p.yaml", []byte(`profile: a
paths:
  one: {lab: graph, auth: {entra: {client: public, user: ann, password: {env: A}, resource: r, scopes: [s]}}}
  two: {lab: rest, auth: {entra: {device: true}}}
  three: {lab: graph, auth: {entra: {certificate: {file: c.pem}}}}
  four: {lab: graph, auth: {entra: {secret: {env: B}}}}
  five: {lab: rest, auth: {basic: {user: mailbox}}}
  six: {lab: graph, auth: {entra: {browser: true}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	bound, err := p.Bind(endpoints(0))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range bound.Paths {
		var a profiles.Entra
		if e.Value.Auth.Kind == "entra" {
			if problems := e.Value.Auth.Decode(&a); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
		got = append(got, fmt.Sprint(e.Key, " ", e.Value.Auth.Kind, " ", a.Client, " ", a.User, a.Device, a.Browser, " ", a.Resource, a.Scopes,
			" ", a.Secret.Source(), a.Certificate.Source(), a.Password.Source()))
	}
	want := []string{
		"one entra public annfalse false r[s] env",
		"two entra public true false [] ",
		"three entra app false false [] file",
		"four entra app false false [] env",
		"five basic  false false [] ",
		"six entra public false true [] ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBindExplainsWhatTheLabLacks(t *testing.T) {
	for _, row := range []struct{ name, paths, want string }{
		{"it names the service that was meant", "{a: {lab: grpah}}", `p.yaml:2:18: the lab has no service "grpah" (did you mean "graph"?): it offers graph, graph-2019, rest`},
		{"it names the client that is missing", "{a: {lab: graph, auth: {entra: {client: other}}}}", `p.yaml:2:32: the lab has no app-only client for path "a"`},
		{"it counts the mailboxes", "{a: {lab: graph}}\nmailboxes: {lab: 5}", `p.yaml:3:12: the lab has 2 pairs of mailboxes, not 5: start it with --set lab.mailboxes=5`},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := profiles.Parse("p.yaml", []byte("profile: a\npaths: "+row.paths+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Bind(endpoints(2)); err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func TestBindLeavesOtherProfilesAlone(t *testing.T) {
	p, err := profiles.Parse("p.yaml", []byte("profile: a\npaths: {a: {plain: {url: http://127.0.0.1}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	bound, err := p.Bind(profiles.Endpoints{})
	if err != nil || bound != p {
		t.Errorf("Bind returned %p, %v for %p", bound, err, p)
	}
}
