package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/profiles"
	"cutover/suites"
)

var update = flag.Bool("update", false, "write the golden files")

// lab compiles a built-in suite for the built-in lab, which has not started.
func lab(t *testing.T, suite string, o plan.Options) *plan.Plan {
	t.Helper()
	s, err := suites.Load(suite)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profiles.Load("lab")
	if err != nil {
		t.Fatal(err)
	}
	out, err := plan.Compile(s, p, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const printed = `
suite: printed
scenarios:
  - name: open-inbox
    weight: 3
    steps:
      - name: list
        get: /me/messages
        capture: {first: "$.value[0].id"}
      - {name: read, get: "/me/messages/{{first}}"}
  - name: draft
    weight: 1
    steps: [{name: create, post: /me/messages, body: {subject: "{{run.tag}}"}}]
load:
  - {name: warm-up, ramp: {from: 1/s, to: 10/s, over: 3s}, measure: false}
  - {name: steady, constant: {rate: 10/s, for: 20m}}
  - {name: users, closed: {users: 3, for: 10s}}
gates: [p95 of right < 800ms]
compare: {sample: 50%}
`

func TestAPlanIsPrinted(t *testing.T) {
	suite, err := suites.Parse("s.yaml", []byte(printed))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := profiles.Load("lab")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Compile(suite, profile, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text, data bytes.Buffer
	if err := p.Print(&text); err != nil {
		t.Fatal(err)
	}
	if err := p.JSON(&data); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", text.Bytes())
	golden(t, "plan.json", data.Bytes())
}

func TestAPlanFitsIntoEightyColumns(t *testing.T) {
	for _, info := range suites.Builtin() {
		var text bytes.Buffer
		if err := lab(t, info.Name, plan.Options{}).Print(&text); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > 80 {
				t.Errorf("%s: %d columns: %s", info.Name, n, line)
			}
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", file, diff)
	}
}

// What a lab offers once it has started changes addresses and nothing else.
func TestThePlanOfALabIsTheSameBeforeAndAfterItStarts(t *testing.T) {
	for _, info := range suites.Builtin() {
		before := lab(t, info.Name, plan.Options{})
		if !before.Unbound {
			t.Fatalf("%s: a plan without a lab claims to lead somewhere", info.Name)
		}
		profile, err := profiles.Load("lab")
		if err != nil {
			t.Fatal(err)
		}
		e := profiles.Endpoints{URLs: map[string]string{}, Authority: "https://127.0.0.1:4711/t", Tenant: "t",
			Clients: []profiles.LabClient{{ID: "1", Secret: "s", Kind: "app-only"}, {ID: "2", Kind: "delegated"}}}
		for _, service := range []string{"graph", "graph-2019"} {
			e.URLs[service] = "https://127.0.0.1:4711/v1.0"
		}
		e.URLs["rest"] = "https://127.0.0.1:4712/api/v2.0"
		for range profile.Mailboxes.Lab {
			n := string(rune('a' + len(e.Pairs)%26))
			e.Pairs = append(e.Pairs, profiles.LabPair{Name: n, OnPremUPN: n + "@onprem", CloudUPN: n + "@cloud"})
		}
		bound, err := profile.Bind(e)
		if err != nil {
			t.Fatal(err)
		}
		suite, err := suites.Load(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		after, err := plan.Compile(suite, bound, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if after.Unbound || after.Hash() != before.Hash() {
			t.Errorf("%s: hash %s before, %s after", info.Name, before.Hash(), after.Hash())
		}
		for n := range uint64(200) {
			x, okX := before.Arrival(len(before.Phases)-1, n)
			y, okY := after.Arrival(len(after.Phases)-1, n)
			if x != y || okX != okY {
				t.Fatalf("%s: arrival %d is %+v before and %+v after", info.Name, n, x, y)
			}
		}
	}
}

func TestTheForecastHoldsThePlanAgainstPublishedLimits(t *testing.T) {
	exceeded := func(o plan.Options) map[string]bool {
		out := map[string]bool{}
		for _, w := range lab(t, "mail-read", o).Forecast() {
			if w.Source == "" || w.Expected == "" {
				t.Errorf("a warning without source or figure: %+v", w)
			}
			out[w.Path+" "+w.Limit] = w.Exceeded
		}
		return out
	}
	quiet := map[string]bool{
		"onprem the policy of the account and of the mailbox":          false,
		"cloud 10,000 requests in 10 minutes for an app and a mailbox": false,
		"cloud 4 requests in flight for an app and a mailbox":          false,
		"cloud 2,000 requests/s for the app over all tenants":          false,
	}
	if diff := cmp.Diff(quiet, exceeded(plan.Options{})); diff != "" {
		t.Errorf("the suite's own load (-want +got)\n%s", diff)
	}
	loud := map[string]bool{}
	for k := range quiet {
		loud[k] = k[0] == 'c'
	}
	if diff := cmp.Diff(loud, exceeded(plan.Options{Rate: rate(2500), Duration: 600e9})); diff != "" {
		t.Errorf("2,500/s for 10 minutes (-want +got)\n%s", diff)
	}
}

func TestTheOutlineIsJSON(t *testing.T) {
	var data bytes.Buffer
	if err := lab(t, "smoke", plan.Options{}).JSON(&data); err != nil {
		t.Fatal(err)
	}
	var o plan.Outline
	if err := json.Unmarshal(data.Bytes(), &o); err != nil {
		t.Fatal(err)
	}
	if len(o.First) != 20 || o.Hash == "" || !o.Simulated || len(o.Paths) != 2 || o.Paths[0].Requests == 0 {
		t.Errorf("outline %+v", o)
	}
}
