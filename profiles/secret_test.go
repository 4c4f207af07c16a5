package profiles_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"cutover/profiles"
	"cutover/suites/strictyaml"
)

const canary = "c4n4ry-hunter2"

func TestASecretNeverPrintsItself(t *testing.T) {
	s := profiles.SecretValue(canary)
	a := profiles.Address{SMTP: "a", Secret: s}
	box := profiles.Mailbox{Name: "ann", Address: map[string]profiles.Address{"cloud": a}}
	block := strictyaml.NewBlock("entra", strictyaml.Pos{}, map[string]any{"secret": s})
	profile := profiles.Profile{Name: "p", Mailboxes: profiles.Mailboxes{List: []profiles.Mailbox{box}}}
	profile.Paths = append(profile.Paths, strictyaml.Entry[profiles.Path]{Key: "cloud", Value: profiles.Path{Auth: block}})
	var out bytes.Buffer
	hidden := struct {
		s profiles.Secret
		b strictyaml.Block
	}{s, block}
	for _, v := range []any{s, &s, a, &a, box, &box, hidden, &hidden, []profiles.Secret{s}, map[string]profiles.Secret{"k": s}, block, profile, &profile} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if text, err := json.Marshal(v); err == nil {
			out.Write(text)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		fmt.Fprintln(&out, fmt.Errorf("wrapped %v: %w", v, os.ErrInvalid))
	}
	for _, v := range []any{s, &s, a, box} {
		text, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	printed := out.String()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary))} {
		if at := strings.Index(printed, form); at >= 0 {
			t.Errorf("the secret is printed as %q: …%s…", form, printed[max(0, at-80):at])
		}
	}
	if !strings.Contains(printed, "***") {
		t.Error("nothing shows that there is a secret")
	}
	if got := (profiles.Secret{}).String(); got != "" {
		t.Errorf("no secret prints %q", got)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("pw.txt", canary+"\r\n")
	write("empty.txt", "\n")
	write("huge.txt", strings.Repeat("x", 2<<20))
	env := func(name string) string { return map[string]string{"PW": canary}[name] }
	program, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to run")
	}
	for _, row := range []struct{ name, reference, want, mistake string }{
		{"it reads the environment", "{env: PW}", canary, ""},
		{"it says which variable is missing", "{env: NONE}", "", "environment variable NONE is not set or empty"},
		{"it reads a file next to the profile and drops its line end", "{file: pw.txt}", canary, ""},
		{"it says which file is missing", "{file: none.txt}", "", "secret file: open "},
		{"it refuses an empty file", "{file: empty.txt}", "", "is empty"},
		{"it refuses a huge file", "{file: huge.txt}", "", "is larger than 1048576 bytes"},
		{"it runs a program without a shell", "{exec: ['" + program + "', env, GOARCH]}", "", ""},
		{"it says which program failed", "{exec: ['" + program + "', no-such-command]}", "", "secret program " + program},
		{"it says which program is missing", "{exec: [no-such-program]}", "", "secret program no-such-program"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := profiles.Parse(filepath.Join(dir, "p.yaml"), []byte("profile: a\npaths:\n  a: {plain: {url: http://127.0.0.1}, auth: {token: {secret: "+row.reference+"}}}\n"))
			if err != nil {
				t.Fatal(err)
			}
			path, _ := p.Paths.Get("a")
			var token profiles.Token
			if problems := path.Auth.Decode(&token); len(problems) > 0 {
				t.Fatal(problems)
			}
			value, err := token.Secret.Resolve(env)
			switch {
			case row.mistake == "" && err != nil:
				t.Fatal(err)
			case row.mistake != "" && (err == nil || !strings.Contains(err.Error(), row.mistake)):
				t.Fatalf("got %v, want an error with %q", err, row.mistake)
			case row.mistake == "" && row.want != "" && string(value) != row.want:
				t.Errorf("got %q, want %q", value, row.want)
			case row.mistake == "" && len(value) == 0:
				t.Error("the value is empty")
			}
		})
	}
	if _, err := (profiles.Secret{}).Resolve(env); err == nil {
		t.Error("no secret resolves to something")
	}
	if v, err := profiles.SecretValue("x").Resolve(env); string(v) != "x" || err != nil {
		t.Errorf("a value in memory resolves to %q, %v", v, err)
	}
}

func TestSecretsAreEqualByReference(t *testing.T) {
	a, b := profiles.SecretValue("x"), profiles.SecretValue("y")
	if !a.Equal(profiles.SecretValue("x")) || a.Equal(b) || a.Equal(profiles.Secret{}) {
		t.Error("Equal is wrong about values in memory")
	}
	if a.Source() != "value" || !(profiles.Secret{}).IsZero() || a.IsZero() {
		t.Error("Source or IsZero is wrong")
	}
}
