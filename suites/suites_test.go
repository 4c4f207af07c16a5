package suites_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"cutover/suites"
	"cutover/suites/strictyaml"
)

var update = flag.Bool("update", false, "write the messages of bad suites instead of comparing them")

func TestBadSuitesAreExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d bad suites, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := suites.Load(file)
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%s: %v, want problems", file, err)
			}
			got := strings.ReplaceAll(problems.Error(), "testdata/bad/", "") + "\n"
			wantFile := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// schema compiles the suite schema with a validator that is not ours.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(suites.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("suite.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("suite.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// plain reads YAML the way an editor's validator does.
func plain(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestGoodSuitesLoadAndFitTheSchema(t *testing.T) {
	compiled := schema(t)
	files, _ := filepath.Glob("builtin/*.yaml")
	for _, file := range append(files, "testdata/good/everything.yaml", "testdata/good/office-day.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if _, err := suites.Load(file); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(plain(t, data)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaRefusesWhatTheLanguageRefuses(t *testing.T) {
	compiled := schema(t)
	for _, name := range []string{"unknown-key", "wrong-types", "missing-parts", "bare-numbers", "unknown-words", "expectations", "load"} {
		data, err := os.ReadFile("testdata/bad/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if compiled.Validate(plain(t, data)) == nil {
			t.Errorf("%s fits the schema", name)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, p := range asMap(v["properties"]) {
				if asMap(p)["description"] == nil {
					t.Errorf("%s.%s has no description", at, name)
				}
			}
			for key, inner := range v {
				walk(at+"."+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(at, inner)
			}
		}
	}
	var doc any
	if err := json.Unmarshal(suites.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	walk("", doc)
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func TestSchemaIsStable(t *testing.T) {
	for range 5 {
		if !bytes.Equal(suites.Schema(), suites.Schema()) {
			t.Fatal("two schemas differ")
		}
	}
}

func TestParseFillsInDefaults(t *testing.T) {
	s, err := suites.Parse("s.yaml", []byte("suite: a\nscenarios:\n  - name: s\n    think: 2s\n    steps:\n      - {name: a, get: '/me/messages?$top=5&$filter=a%20b'}\n      - {name: b, get: /me, until: {check: items > 0, within: 5s}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	step := s.Scenarios[0].Steps[0]
	top, _ := step.Query.Get("$top")
	filter, _ := step.Query.Get("$filter")
	got := []any{s.Pair, s.MaxLag, s.Pushback, s.Compare.Pages, s.Compare.Content, s.Compare.Share(), s.Load[0].Name, s.Load[0].Measured(),
		s.Scenarios[0].Weight, step.Method, step.URL, top.Text(), filter.Text(), step.Repeat, step.Think,
		s.Scenarios[0].Steps[1].Think, s.Scenarios[0].Steps[1].Until.Every, step.Expect.Status.String()}
	want := []any{"together", 30 * time.Second, "honour", "first", "full", 1.0, "constant", true,
		1, "GET", "/me/messages", "5", "a b", 1, time.Duration(0), 2 * time.Second, time.Second, "2xx"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheQueryBehindAURLIsUnescaped(t *testing.T) {
	for _, row := range []struct{ name, option, want string }{
		{"it is a blank for a plus", "a+b%20c", "a b c"},
		{"it keeps the plus of a template", "{{monday+28d}}", "{{monday+28d}}"},
		{"it unescapes around templates", "from+{{today+1d}}+to+{{today.date}}%21", "from {{today+1d}} to {{today.date}}!"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := suites.Parse("s.yaml", []byte("suite: a\nscenarios:\n  - name: s\n    steps:\n      - {name: a, get: '/me/messages?$search="+row.option+"'}\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Scenarios[0].Steps[0].Query.Get("$search"); got.Text() != row.want {
				t.Errorf("%s became %q, want %q", row.option, got.Text(), row.want)
			}
		})
	}
}

func TestAProfileIsNoSuite(t *testing.T) {
	_, err := suites.Parse("p.yaml", []byte("# where\nprofile: p\npaths: {}\n"))
	want := "p.yaml:2:1: this is a profile, which says where to ask: give it as --profile, and beside it a suite, which says what"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestShorthandIsAConstantRate(t *testing.T) {
	s, err := suites.Load("testdata/good/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Rate strictyaml.Rate `yaml:"rate"`
		For  time.Duration   `yaml:"for"`
	}
	phase := s.Load[2]
	if problems := phase.Model.Decode(&p); len(problems) > 0 {
		t.Fatal(problems)
	}
	if p.For != 10*time.Minute || p.Rate.PerSecond*60 < 499.999 || p.Rate.PerSecond*60 > 500.001 {
		t.Errorf("got %v for %v, want 500/m for 10m", p.Rate, p.For)
	}
	if phase.Name != "constant" || s.Load[3].Name != "constant-2" {
		t.Errorf("phases are called %q and %q", phase.Name, s.Load[3].Name)
	}
}

func TestAskedResolvesAPath(t *testing.T) {
	s, err := suites.Parse("testdata/good/x.yaml", []byte(`suite: a
scenarios:
  - name: s
    steps:
      - name: view
        post: /me/search
        query: {a: "1", b: "2"}
        body: {x: 1}
        headers: {X-A: "1"}
        expect: {status: 200}
        capture: {id: $.id}
        on:
          legacy: {get: /old, capture: {id: $.Id}, because: it is old}
          right: {query: {b: "3"}, body_file: note.json, timeout: 1s, reads: true, prefer: [x], expect: {status: 404}}
      - {name: use, get: "/me/{{id}}"}
vars: {importance: low}
`))
	if err != nil {
		t.Fatal(err)
	}
	step := &s.Scenarios[0].Steps[0]
	describe := func(path, side string) []any {
		a := step.Asked(path, side)
		body := string(a.Operation.Body.JSON())
		return []any{a.OwnWords, a.Because, a.Operation.Method, a.Operation.URL, a.Operation.Query.Keys(), body, a.Operation.BodyFile,
			len(a.Operation.BodyBytes) > 0, a.Operation.Timeout, a.Operation.Reads, a.Operation.Prefer, len(a.Operation.Headers), a.Expect.Status.String(), a.Capture[0].Value}
	}
	for _, row := range []struct {
		name, path, side string
		want             []any
	}{
		{"it is the step's own without an override", "onprem", "left",
			[]any{false, "", "POST", "/me/search", []string{"a", "b"}, `{"x":1}`, "", false, time.Duration(0), false, []string(nil), 1, "200", "$.id"}},
		{"it is the path's own words with a verb", "legacy", "right",
			[]any{true, "it is old", "GET", "/old", []string{}, "", "", false, time.Duration(0), false, []string(nil), 0, "200", "$.Id"}},
		{"it replaces what the side gives", "cloud", "right",
			[]any{false, "", "POST", "/me/search", []string{"a", "b"}, "", "note.json", true, time.Second, true, []string{"x"}, 1, "404", "$.id"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, describe(row.path, row.side)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	s, err := suites.Load("testdata/good/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e := s.Scenarios[0].Steps[0].Expect
	op, n, ok := e.ItemBound()
	if op != "<=" || n != 25 || !ok {
		t.Errorf("ItemBound() = %q, %d, %t", op, n, ok)
	}
	for status, want := range map[int]bool{200: true, 204: true, 404: false, 302: false} {
		if e.Status.Contains(status) != want {
			t.Errorf("%s contains %d: %t", e.Status, status, !want)
		}
	}
	if (suites.StatusSet{}).Contains(199) || !(suites.StatusSet{}).Contains(299) {
		t.Error("no status means any 2xx")
	}
	if got := e.Status.String(); got != "200 or 2xx" {
		t.Errorf("String() = %q", got)
	}
	if op, n, ok := (suites.Expect{Items: "7"}).ItemBound(); op != "=" || n != 7 || !ok {
		t.Errorf("a number alone is %q %d %t", op, n, ok)
	}
}

func TestLoad(t *testing.T) {
	for _, row := range []struct{ name, suite, want string }{
		{"it guesses the built-in that was meant", "smok", `no suite "smok" (did you mean "smoke"?)`},
		{"it says where the built-in ones are listed", "nothing-like-it.yaml", `no suite "nothing-like-it.yaml": there is no such file, and no built-in is called so (cutover list suites names all 22)`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := suites.Load(row.suite)
			if !errors.Is(err, fs.ErrNotExist) || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	if _, err := suites.Load(t.TempDir()); err == nil {
		t.Error("a folder is read as a suite")
	}
}

func TestBuiltinsSayWhatTheyAreFor(t *testing.T) {
	for _, b := range suites.Builtin() {
		s, err := suites.Load(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		if b.About == "" || s.Name != b.Name {
			t.Errorf("%+v is called %q inside", b, s.Name)
		}
		for _, sc := range s.Scenarios {
			if sc.About == "" {
				t.Errorf("%s/%s says nothing about itself", b.Name, sc.Name)
			}
		}
	}
}

func TestHashSeesWhatIsAsked(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash := func() string {
		t.Helper()
		s, err := suites.Load(filepath.Join(dir, "s.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return s.Hash()
	}
	write("s.yaml", "suite: a\nscenarios:\n  - name: s\n    steps: [{name: a, post: /x, body_file: b.json}]\n")
	write("b.json", "{}")
	first := hash()
	if hash() != first {
		t.Error("the same suite hashes differently")
	}
	write("b.json", "{ }")
	if hash() == first {
		t.Error("another body hashes alike")
	}
}

func TestBodyFilesDoNotEscape(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.txt")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	file := filepath.Join(dir, "s.yaml")
	_, err := suites.Parse(file, []byte("suite: a\nscenarios:\n  - name: s\n    steps: [{name: a, post: /x, body_file: link.txt}]\n"))
	if err == nil || !strings.Contains(err.Error(), `body_file "link.txt" cannot be read`) {
		t.Errorf("a link out of the folder: %v", err)
	}
}
