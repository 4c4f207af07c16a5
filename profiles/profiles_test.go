package profiles_test

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
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

var update = flag.Bool("update", false, "write the messages of bad profiles instead of comparing them")

func TestBadProfilesAreExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d bad profiles, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := profiles.Load(file)
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%s: %v, want problems", file, err)
			}
			got := strings.ReplaceAll(problems.Error(), "testdata/bad/", "") + "\n"
			if strings.Contains(got, "hunter2") {
				t.Errorf("a message repeats a secret:\n%s", got)
			}
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

// schema compiles the profile schema with a validator that is not ours.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(profiles.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("profile.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("profile.json")
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

func TestGoodProfilesLoadAndFitTheSchema(t *testing.T) {
	compiled := schema(t)
	builtin, _ := filepath.Glob("builtin/*.yaml")
	examples, _ := filepath.Glob("examples/*.yaml")
	if len(builtin) == 0 || len(examples) < 3 {
		t.Fatalf("%d built-in profiles and %d examples", len(builtin), len(examples))
	}
	for _, file := range append(append(builtin, examples...), "testdata/good/everything.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if _, err := profiles.Load(file); err != nil {
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
	for _, name := range []string{"unknown-key", "wrong-types", "missing-parts", "bare-numbers", "unknown-words", "no-dialect", "literal-secrets", "mailbox-source"} {
		data, err := os.ReadFile("testdata/bad/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if compiled.Validate(plain(t, data)) == nil {
			t.Errorf("%s fits the schema", name)
		}
	}
}

func TestEverything(t *testing.T) {
	p, err := profiles.Load("testdata/good/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	onprem, _ := p.Paths.Get("onprem")
	proxy, _ := p.Paths.Get("proxy")
	got := []any{p.Left, p.Right, p.Stores, p.Simulated, p.UsesLab(), onprem.Name, onprem.URL, onprem.Delegated(), proxy.Delegated(),
		onprem.Timeout, p.Limits.Rate.PerSecond, p.Limits.PerMailbox.Concurrency, p.TLS.Min, p.File(p.TLS.CA), onprem.Auth.Kind, len(p.Mailboxes.List)}
	want := []any{"onprem", "cloud", "moved", false, false, "onprem", "https://mail.contoso.test/api/v2.0", true, false,
		10 * time.Second, 100.0, 4, "1.2", filepath.Join("testdata", "good", "ca.pem"), "ntlm", 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ann := profiles.Mailbox{Name: "ann", Tags: []string{"desktop", "heavy"}, Address: map[string]profiles.Address{
		"onprem": {SMTP: "ann@a.test", Login: `A\ann`},
		"proxy":  {SMTP: "ann@a.test", Login: `A\ann`},
		"cloud":  {UPN: "ann@b.test"},
	}}
	if diff := cmp.Diff(ann, p.Mailboxes.List[0], cmpopts.IgnoreTypes(profiles.Secret{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	secret := p.Mailboxes.List[0].Address["proxy"].Secret
	value, err := secret.Resolve(func(name string) string { return "value of " + name })
	if string(value) != "value of PW_ANN" || err != nil {
		t.Errorf("the secret of ann on proxy: %q, %v", value, err)
	}
}

func TestTables(t *testing.T) {
	for _, row := range []struct{ name, csv string }{
		{"it reads commas", "name,onprem_smtp,cloud_upn,tags\n# a comment\nann, ann@a.test ,ann@b.test,x y\n"},
		{"it reads semicolons, a byte order mark and Windows line ends", "\ufeffname;onprem_smtp;cloud_upn;tags\r\nann;ann@a.test;ann@b.test;x,y\r\n"},
		{"it reads quoted cells", "\"name\",\"onprem_smtp\",\"cloud_upn\",tags\n\"ann\",\"ann@a.test\",\"ann@b.test\",\"x;y\"\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "m.csv"), []byte(row.csv), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := profiles.Parse(filepath.Join(dir, "p.yaml"), []byte("profile: a\npaths:\n  onprem: {rest: {url: https://r.test/api}}\n  cloud: {graph: {url: https://g.test/v1.0}}\nmailboxes: {file: m.csv}\n"))
			if err != nil {
				t.Fatal(err)
			}
			want := []profiles.Mailbox{{Name: "ann", Tags: []string{"x", "y"}, Address: map[string]profiles.Address{
				"onprem": {SMTP: "ann@a.test"}, "cloud": {UPN: "ann@b.test"}}}}
			if diff := cmp.Diff(want, p.Mailboxes.List, cmpopts.IgnoreTypes(profiles.Secret{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProfileMayHaveOnePathAndNoMailboxes(t *testing.T) {
	p, err := profiles.Parse("p.yaml", []byte("profile: a\npaths: {service: {plain: {url: 'http://127.0.0.1:8080/'}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	service, _ := p.Paths.Get("service")
	got := []any{p.Left, p.Right, p.Stores, service.URL, p.Mailboxes.List, service.Delegated()}
	want := []any{"service", "", "twin", "http://127.0.0.1:8080", []profiles.Mailbox{{Name: "anonymous", Address: map[string]profiles.Address{}}}, false}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(profiles.Secret{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAddressNames(t *testing.T) {
	for _, row := range []struct {
		address       profiles.Address
		user, account string
	}{
		{profiles.Address{SMTP: "s", UPN: "u", Login: "l"}, "u", "l"},
		{profiles.Address{SMTP: "s", UPN: "u"}, "u", "u"},
		{profiles.Address{SMTP: "s"}, "s", "s"},
		{profiles.Address{Login: "l"}, "l", "l"},
		{profiles.Address{}, "", ""},
	} {
		if row.address.User() != row.user || row.address.Account() != row.account {
			t.Errorf("%+v: User() = %q, Account() = %q", row.address, row.address.User(), row.address.Account())
		}
	}
}

func TestLoadSaysWhatThereIs(t *testing.T) {
	for name, want := range map[string]string{
		"lba":          `no profile "lba" (did you mean "lab"?)`,
		"contoso.yaml": `no profile "contoso.yaml": there is no such file, and the built-in ones are lab`,
	} {
		_, err := profiles.Load(name)
		if !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
			t.Errorf("Load(%q): %v, want %s", name, err, want)
		}
	}
	if _, err := profiles.Load(t.TempDir()); err == nil {
		t.Error("a folder is read as a profile")
	}
}

func TestBuiltinsAndExamplesSayWhatTheyAreFor(t *testing.T) {
	if got := profiles.Builtin(); len(got) != 1 || got[0].Name != "lab" || got[0].About == "" {
		t.Errorf("Builtin() = %+v", got)
	}
	for _, e := range profiles.Examples() {
		if e.About == "" || !bytes.HasPrefix(e.Text, []byte("#")) {
			t.Errorf("%s says nothing about itself", e.Name)
		}
		if e.Name == "hybrid" && len(e.Files["mailboxes.csv"]) == 0 {
			t.Error("the hybrid example comes without its mailboxes")
		}
	}
}
