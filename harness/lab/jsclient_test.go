package lab_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cutover/harness/lab"
)

// Microsoft's JavaScript libraries for Graph and for signing in are what most
// Graph clients are built on. They run unmodified, from npm, against the lab.
func TestMicrosoftsOwnClientsRunUnmodified(t *testing.T) {
	dir := jsClient(t)
	w := start(t, lab.Options{})
	info, err := json.Marshal(w.info)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cmd := exec.CommandContext(t.Context(), "node", "client.mjs", write("lab.json", info))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+write("ca.pem", w.lab.CAPEM()))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := map[string]any{
		"signedIn": w.info.Pairs[0].CloudUPN, "paged": 200.0, "attachments": []any{"small.txt", "large.bin"}, "arrived": 1.0, "batch": []any{200.0, 200.0},
		"delta": 1.0, "instances": 4.0, "malformed": "400 ErrorInvalidIdMalformed", "meOfAnApp": "400 BadRequest", "appList": 1.0, "onPremises": "404 MailboxNotEnabledForRESTAPI",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the client saw\n%v\nwant\n%v", got, want)
	}
}

// jsClient installs the client, at pinned versions, into a directory of the
// test. That asks a package registry, so it happens only where
// CUTOVER_REQUIRE_TOOLS says that foreign tools are wanted.
func jsClient(t *testing.T) string {
	t.Helper()
	if os.Getenv("CUTOVER_REQUIRE_TOOLS") != "1" {
		t.Skip("CUTOVER_REQUIRE_TOOLS is not 1")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "jsclient"))); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}
