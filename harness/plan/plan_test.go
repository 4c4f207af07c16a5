package plan_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

const pair = `
profile: pair
paths:
  near: {plain: {url: "http://127.0.0.1:9/near"}}
  far: {plain: {url: "http://127.0.0.1:9/far"}}
mailboxes:
  - {name: ann, near_smtp: ann@near.test, far_smtp: ann@far.test, tags: [small]}
  - {name: bob, near_smtp: bob@near.test, far_smtp: bob@far.test}
  - {name: cid, near_smtp: cid@near.test, far_smtp: cid@far.test}
  - {name: dan, near_smtp: dan@near.test, far_smtp: dan@far.test}
`

const single = `
profile: single
paths:
  only: {plain: {url: "http://127.0.0.1:9/"}}
`

const reads = `
suite: reads
vars: {page: 25}
scenarios:
  - name: list
    weight: 3
    steps:
      - name: page
        get: /items
        query: {top: "{{page}}"}
        capture: {first: "$.value[0].id"}
      - name: one
        get: /items/{{first}}
  - name: look
    weight: 1
    steps: [{name: get, get: /look}]
load:
  - {name: steady, constant: {rate: 10/s, for: 10s}}
`

func parse(t testing.TB, suite, profile string) (*suites.Suite, *profiles.Profile) {
	t.Helper()
	s, err := suites.Parse("s.yaml", []byte(suite))
	if err != nil {
		t.Fatalf("suite: %v", err)
	}
	p, err := profiles.Parse("p.yaml", []byte(profile))
	if err != nil {
		t.Fatalf("profile: %v", err)
	}
	return s, p
}

func compile(t testing.TB, suite, profile string, o plan.Options) *plan.Plan {
	t.Helper()
	s, p := parse(t, suite, profile)
	out, err := plan.Compile(s, p, o)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	return out
}

func replaced(in, from, to string) string { return strings.Replace(in, from, to, 1) }

// patched is reads with one text replaced by another.
func patched(from, to string) string { return strings.Replace(reads, from, to, 1) }

func TestEveryMistakeIsNamedWithItsPlace(t *testing.T) {
	for _, row := range []struct {
		it      string
		suite   string
		profile string
		options plan.Options
		want    string
	}{
		{"finds a path that the profile lacks in on", patched("get: /look}", "get: /look, on: {nera: {get: /x}}}"), pair, plan.Options{},
			`s.yaml:16:42: on: profile pair has no path "nera" (did you mean "near"?) (it has near, far; left and right work everywhere)`},
		{"finds a path that the profile lacks in a gate", reads + "gates: [p95 of nera < 1s]\n", pair, plan.Options{},
			`s.yaml:19:9: gate "p95 of nera < 1s": profile pair has no path "nera" (did you mean "near"?) (it has near, far; left, right, each and any work everywhere)`},
		{"finds a step that the suite lacks in a gate", reads + "gates: [p95 of right for list/pgae < 1s]\n", pair, plan.Options{},
			`s.yaml:19:9: gate "p95 of right for list/pgae < 1s": suite reads has no step "list/pgae" (did you mean "list/page"?)`},
		{"finds a gate that cannot be", reads + "gates: [p95 of right < 3]\n", pair, plan.Options{},
			`s.yaml:19:9: gate "p95 of right < 3": p95 is measured as a duration such as 800ms, not as "3"`},
		{"finds a gate on the command line", reads, pair, plan.Options{Gates: []string{"p95 of nera < 1s"}},
			`--gate: gate "p95 of nera < 1s": profile pair has no path "nera" (did you mean "near"?) (it has near, far; left, right, each and any work everywhere)`},
		{"finds a wrong expression", patched("get: /look}", `get: /look, expect: {checks: [statsu == 200]}}`), pair, plan.Options{},
			`s.yaml:16:55: check "statsu == 200": nothing is called "statsu" here (did you mean "status"?)`},
		{"finds a wrong condition", patched("get: /look}", `get: /look, when: pgae == "1"}`), pair, plan.Options{},
			`s.yaml:16:43: when "pgae == \"1\"": nothing is called "pgae" here (did you mean "page"?)`},
		{"finds a load model that does not exist", patched("constant: {rate: 10/s, for: 10s}", "ramp: {form: 1/s, to: 10/s, over: 10s}"), pair, plan.Options{},
			`s.yaml:18:27: unknown key "form" (did you mean "from"?)`},
		{"finds a variable that the suite lacks", reads, pair, plan.Options{Vars: map[string]string{"pgae": "1"}},
			`--set: var.pgae: suite reads has no variable "pgae" (did you mean "page"?)`},
		{"finds a path that the profile lacks in a flag", reads, pair, plan.Options{Left: "nera"},
			`--left: profile pair has no path "nera" (did you mean "near"?) (it has near, far)`},
		{"finds the same path on both sides", reads, pair, plan.Options{Left: "far"},
			`--right: path "far" is on both sides: a comparison needs two paths, --only left asks one`},
		{"finds a side that is none", reads, pair, plan.Options{Only: "middle"},
			`--only: "middle" is not a side: write left or right`},
		{"finds a side that the profile lacks", reads, single, plan.Options{Only: "right"},
			`--only: profile single has no right path`},
		{"finds two loads", reads, pair, plan.Options{Users: 3, Rate: strictyaml.Rate{PerSecond: 3}},
			`--users: --rate is an open load and --users a closed one: give one of them`},
		{"finds a tag that no mailbox carries", patched("name: look\n", "name: look\n    mailboxes: smal\n"), pair, plan.Options{},
			`s.yaml:14:5: scenario "look" wants mailboxes tagged "smal", but no mailbox of profile pair carries that tag (did you mean "small"?)`},
		{"finds mailboxes without an address", patched("get: /look}", `get: "/{{mailbox.smtp}}"}`),
			strings.Replace(pair, "near_smtp: bob@near.test, ", "", 1), plan.Options{},
			`p.yaml:7:3: mailboxes without an address on path "near": bob (columns near_upn, near_smtp or near_login)`},
		{"finds a rate above the cap of a path", reads, pair + "limits: {rate: 10/s}\n", plan.Options{},
			`s.yaml:18:5: phase steady asks for more than limits.rate allows on path far: 10 iterations/s × 1.75 requests = 17.5 requests/s, the limit is 10/s: lower the rate to 5.71/s
s.yaml:18:5: phase steady asks for more than limits.rate allows on path near: 10 iterations/s × 1.75 requests = 17.5 requests/s, the limit is 10/s: lower the rate to 5.71/s`},
		{"finds a rate above the cap of a mailbox", reads, pair + "limits: {per_mailbox: {rate: 2/s}}\n", plan.Options{},
			`s.yaml:18:5: phase steady asks for more than limits.per_mailbox.rate allows on path far: the mailboxes of scenario list get 17.5 requests/s over 4 mailboxes = 4.38/s each, the limit is 2/s: lower the rate to 4.57/s or add mailboxes
s.yaml:18:5: phase steady asks for more than limits.per_mailbox.rate allows on path near: the mailboxes of scenario list get 17.5 requests/s over 4 mailboxes = 4.38/s each, the limit is 2/s: lower the rate to 4.57/s or add mailboxes`},
		{"finds a flag's rate above the cap", reads, pair + "limits: {rate: 20/s}\n", plan.Options{Rate: strictyaml.Rate{PerSecond: 50, Text: "50/s"}},
			`--rate: phase load asks for more than limits.rate allows on path far: 50 iterations/s × 1.75 requests = 87.5 requests/s, the limit is 20/s: lower the rate to 11.4/s
--rate: phase load asks for more than limits.rate allows on path near: 50 iterations/s × 1.75 requests = 87.5 requests/s, the limit is 20/s: lower the rate to 11.4/s`},
		{"finds too few mailboxes for writers", patched("{name: get, get: /look}", "{name: put, post: /look, body: {a: 1}}"),
			pair[:strings.Index(pair, "  - {name: bob")], plan.Options{AllowWrite: true},
			`s.yaml:14:5: scenario "look" is left without a mailbox: 1 writing scenarios need one of their own each, so the profile needs at least 2 mailboxes (it has 1)`},
		{"finds a search that nothing judges", patched("constant: {rate: 10/s, for: 10s}", "search: {start: 1/s, max: 9/s}"), pair, plan.Options{},
			`s.yaml:18:20: the search on path far needs a gate that judges this path by itself: say p95 of each path < 800ms
s.yaml:18:20: the search on path near needs a gate that judges this path by itself: say p95 of each path < 800ms`},
		{"finds a search beyond the limits", patched("constant: {rate: 10/s, for: 10s}", "search: {start: 1/s, max: 50/s}") + "gates: [p95 of each path < 1s]\n", pair + "limits: {rate: 20/s}\n", plan.Options{},
			`s.yaml:18:5: phase steady asks for more than limits.rate allows on path far: 50 iterations/s × 1.75 requests = 87.5 requests/s, the limit is 20/s: lower the rate to 11.4/s
s.yaml:18:5: phase steady asks for more than limits.rate allows on path near: 50 iterations/s × 1.75 requests = 87.5 requests/s, the limit is 20/s: lower the rate to 11.4/s`},
		{"finds several at once", patched("get: /look}", "get: /look, when: look}") + "gates: [p95 of nera < 1s, p95 of right < 3]\n", pair, plan.Options{Vars: map[string]string{"x": "1"}},
			`--set: var.x: suite reads has no variable "x"
s.yaml:16:43: when "look": nothing is called "look" here
s.yaml:19:9: gate "p95 of nera < 1s": profile pair has no path "nera" (did you mean "near"?) (it has near, far; left, right, each and any work everywhere)
s.yaml:19:27: gate "p95 of right < 3": p95 is measured as a duration such as 800ms, not as "3"`},
	} {
		t.Run(row.it, func(t *testing.T) {
			s, p := parse(t, row.suite, row.profile)
			_, err := plan.Compile(s, p, row.options)
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("Compile = %v, want problems", err)
			}
			if got := err.Error(); got != row.want {
				t.Errorf("problems:\n%s\nwant:\n%s", got, row.want)
			}
		})
	}
}

func TestWritesAreRefusedUnlessTheyAreAllowed(t *testing.T) {
	suite := patched("{name: get, get: /look}", "{name: put, post: /me/messages, body: {a: 1}}, {name: gone, delete: /me/messages/1}, {name: find, post: /find, body: {a: 1}, reads: true}")
	s, p := parse(t, suite, pair)
	_, err := plan.Compile(s, p, plan.Options{})
	var refused *plan.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("Compile = %v, want a refusal", err)
	}
	want := `s.yaml:16:25: step look/put writes on path near (creates a message); writing needs --allow-write, and a consent outside this machine
s.yaml:16:73: step look/gone writes on path near (deletes); writing needs --allow-write, and a consent outside this machine`
	if got := err.Error(); got != want {
		t.Errorf("refusal:\n%s\nwant:\n%s", got, want)
	}
	if _, err := plan.Compile(s, p, plan.Options{AllowWrite: true}); err != nil {
		t.Errorf("with AllowWrite: %v", err)
	}
}

func TestOutsideThisMachineThereAreCapsOfOurOwn(t *testing.T) {
	remote := strings.ReplaceAll(pair, "http://127.0.0.1:9", "https://mail.contoso.example")
	p := compile(t, reads, remote, plan.Options{})
	want := plan.Caps{Rate: []float64{100, 100}, MailboxRate: []float64{8, 8}, MailboxConcurrency: []int{4, 4}, Defaults: true}
	if diff := cmp.Diff(want, p.Caps); diff != "" {
		t.Errorf("caps (-want +got)\n%s", diff)
	}
	p = compile(t, reads, remote+"limits: {rate: 20/s, per_mailbox: {rate: 5/s, concurrency: 2}}\n", plan.Options{})
	want = plan.Caps{Rate: []float64{20, 20}, MailboxRate: []float64{5, 5}, MailboxConcurrency: []int{2, 2}}
	if diff := cmp.Diff(want, p.Caps); diff != "" {
		t.Errorf("caps of the profile (-want +got)\n%s", diff)
	}
}

func TestTheHashNamesWhatIsSent(t *testing.T) {
	base := compile(t, reads, pair, plan.Options{}).Hash()
	if again := compile(t, reads, pair, plan.Options{}).Hash(); again != base {
		t.Errorf("the same plan has the hashes %s and %s", base, again)
	}
	seed := uint64(2)
	for it, other := range map[string]*plan.Plan{
		"another suite":   compile(t, patched("/look", "/book"), pair, plan.Options{}),
		"another profile": compile(t, reads, strings.Replace(pair, "dan@far", "don@far", 1), plan.Options{}),
		"another seed":    compile(t, reads, pair, plan.Options{Seed: &seed}),
		"another rate":    compile(t, reads, pair, plan.Options{Rate: strictyaml.Rate{PerSecond: 3}}),
		"a variable":      compile(t, reads, pair, plan.Options{Vars: map[string]string{"page": "7"}}),
		"one side":        compile(t, reads, pair, plan.Options{Only: "left"}),
		"other sides":     compile(t, reads, pair, plan.Options{Left: "far", Right: "near"}),
		"a gate":          compile(t, reads, pair, plan.Options{Gates: []string{"p95 of right < 1s"}}),
	} {
		if other.Hash() == base {
			t.Errorf("%s has the same hash", it)
		}
	}
}

func TestFlagsReplaceTheLoad(t *testing.T) {
	type phase struct {
		Load   string
		Count  uint64
		Length time.Duration
	}
	rate := strictyaml.Rate{PerSecond: 50, Text: "50/s"}
	twoPhases := patched("load:\n", "load:\n  - {name: warm, ramp: {from: 1/s, to: 20/s, over: 2s}, measure: false}\n")
	closed := patched("constant: {rate: 10/s, for: 10s}", "closed: {users: 5, for: 10s}")
	for _, row := range []struct {
		it      string
		suite   string
		options plan.Options
		want    []phase
	}{
		{"keeps the suite's", twoPhases, plan.Options{}, []phase{{"ramp from 1/s to 20/s over 2s (21)", 21, 2 * time.Second}, {"constant 10/s for 10s (100)", 100, 10 * time.Second}}},
		{"takes a rate for 30 s", twoPhases, plan.Options{Rate: rate}, []phase{{"constant 50/s for 30s (1500)", 1500, 30 * time.Second}}},
		{"takes a rate and a duration", twoPhases, plan.Options{Rate: rate, Duration: 4 * time.Second}, []phase{{"constant 50/s for 4s (200)", 200, 4 * time.Second}}},
		{"stretches the suite's rate", twoPhases, plan.Options{Duration: 4 * time.Second}, []phase{{"constant 10/s for 4s (40)", 40, 4 * time.Second}}},
		{"stretches the suite's users", closed, plan.Options{Duration: 4 * time.Second}, []phase{{"closed, 5 users for 4s", 0, 4 * time.Second}}},
		{"takes users", twoPhases, plan.Options{Users: 7}, []phase{{"closed, 7 users for 30s", 0, 30 * time.Second}}},
		{"takes users for a number of iterations", twoPhases, plan.Options{Users: 7, Iterations: 70}, []phase{{"closed, 7 users, 70 iterations", 70, 0}}},
		{"takes a number of iterations at a rate", twoPhases, plan.Options{Rate: rate, Iterations: 75}, []phase{{"constant 50/s for 2s (100), the first 75", 75, 1500 * time.Millisecond}}},
		{"ends the suite's load early", twoPhases, plan.Options{Iterations: 30}, []phase{{"ramp from 1/s to 20/s over 2s (21)", 21, 2 * time.Second}, {"constant 10/s for 10s (100), the first 9", 9, 900 * time.Millisecond}}},
	} {
		t.Run(row.it, func(t *testing.T) {
			p := compile(t, row.suite, pair, row.options)
			var got []phase
			for i := range p.Phases {
				got = append(got, phase{p.Phases[i].Load.Describe(), p.Phases[i].Count(), p.Phases[i].Length()})
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("phases (-want +got)\n%s", diff)
			}
		})
	}
}

func TestOneSideIsAskedAlone(t *testing.T) {
	suite := reads + "gates: [p95 of right < 1s, p95 of left < 1s, differences at major or worse = 0, failed on each path < 1%]\n"
	p := compile(t, suite, pair, plan.Options{Only: "right"})
	var gates []string
	for _, g := range p.Gates {
		gates = append(gates, g.String())
	}
	if diff := cmp.Diff([]string{"p95 of right < 1s", "failed on each path < 1%"}, gates); diff != "" {
		t.Errorf("gates (-want +got)\n%s", diff)
	}
	want := []string{`gate "p95 of left < 1s": left is not asked`, `gate "differences at major or worse = 0": nothing is compared`, "comparison of the two paths: --only right"}
	if diff := cmp.Diff(want, p.NotTested); diff != "" {
		t.Errorf("not tested (-want +got)\n%s", diff)
	}
	if len(p.Sides) != 1 || p.Sides[0].Path != "far" || p.Sides[0].Side != "right" {
		t.Errorf("sides %+v", p.Sides)
	}
}

func TestAStepThatOnePathCannotSayIsNotComparableAndTakesItsDependantsAlong(t *testing.T) {
	suite := `
suite: own
scenarios:
  - name: a
    steps:
      - {name: list, get: /groups, capture: {first: "$.value[0].id"}}
      - {name: read, get: "/me/messages/{{first}}"}
      - {name: mail, get: /me/messages, on: {left: {get: /odd, because: it has its own words}}}
load: [{constant: {rate: 1/s, for: 3s}}]
`
	profile := strings.ReplaceAll(pair, `near: {plain: {url: "http://127.0.0.1:9/near"}}`, `near: {rest: {url: "http://127.0.0.1:9/api/v2.0"}}`)
	profile = strings.ReplaceAll(profile, `far: {plain: {url: "http://127.0.0.1:9/far"}}`, `far: {graph: {url: "http://127.0.0.1:9/v1.0"}}`)
	p := compile(t, suite, profile, plan.Options{})
	if len(p.NotTested) != 3 || !strings.HasPrefix(p.NotTested[0], "a/list on near: not comparable: ") ||
		!strings.HasPrefix(p.NotTested[1], "a/read on near: needs {{first}}, whose step this path does not ask") ||
		p.NotTested[2] != "a/mail on near: asked in the path's own words, so that only its captures can be compared (it has its own words)" {
		t.Errorf("not tested: %q", p.NotTested)
	}
	steps := p.Scenarios[0].Steps
	if steps[0].Asks[0].Template != nil || steps[1].Asks[0].Template != nil || steps[2].Asks[0].Template == nil || steps[1].Asks[1].Template == nil {
		t.Error("what is asked on which side is wrong")
	}
	if diff := cmp.Diff([]string{"first"}, steps[1].Needs); diff != "" {
		t.Errorf("needs (-want +got)\n%s", diff)
	}
	alone, _ := parse(t, suite, profile)
	_, prof := parse(t, suite, profile)
	_, err := plan.Compile(alone, prof, plan.Options{Only: "left"})
	if err == nil || !strings.Contains(err.Error(), `s.yaml:6:9: step "list" cannot be reached: not comparable: `) {
		t.Errorf("asking only the side that cannot: %v", err)
	}
}

func rate(perSecond float64) strictyaml.Rate { return strictyaml.Rate{PerSecond: perSecond} }

func TestCheckNamesEverythingWrongWithFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, prof := write("good.yaml", reads), write("profile.yaml", pair)
	gates := write("gates.yaml", reads+"gates: [p95 of right < 3]\n")
	expr := write("expr.yaml", patched("get: /look}", "get: /look, when: look, expect: {checks: [secnd > 1]}}"))
	load := write("load.yaml", patched("constant: {rate: 10/s, for: 10s}", "constant: {rate: 10/s}"))
	bad := write("bad.yaml", strings.Replace(single, "paths:", "pahts:", 1))
	var got []string
	for _, p := range plan.Check([]string{good, prof, gates, expr, load, bad, filepath.Join(dir, "none.yaml")}) {
		got = append(got, strings.TrimPrefix(p.String(), dir+string(filepath.Separator)))
	}
	want := []string{
		`bad.yaml:2:1: "paths" is missing`,
		`bad.yaml:3:1: unknown key "pahts" (did you mean "paths"?)`,
		`expr.yaml:16:43: when "look": nothing is called "look" here`,
		`expr.yaml:16:67: check "secnd > 1": nothing is called "secnd" here`,
		`gates.yaml:19:9: gate "p95 of right < 3": p95 is measured as a duration such as 800ms, not as "3"`,
		`load.yaml:18:30: "for" is missing`,
		`none.yaml: no such file or directory`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got)\n%s", diff)
	}
}
