package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutover/harness/runfolder"
)

// A line of the audit trail that was changed, removed, moved or added is named, and
// looking for it leaves nothing behind.
func TestATamperedAuditLineIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	defer leaves(t)()
	dir := filepath.Join(t.TempDir(), "run")
	r := &real{t: t}
	if code, out, errs := r.cutover("run", "mail-write", "--rate", "5/s", "--duration", "1s", "--out", dir, "--quiet"); code != exitPass && code != exitFail && code != exitInconclusive {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	file := filepath.Join(dir, runfolder.AuditFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	if len(lines) < 6 {
		t.Fatalf("%d lines", len(lines))
	}
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	rest := join(lines[4:]...)
	for _, row := range []struct {
		name string
		text []byte
		want string // "" : it fits
	}{
		{"it accepts what the run wrote", whole, ""},
		{"it names a changed line", join(lines[0], lines[1], bytes.Replace(lines[2], []byte(`"path":"`), []byte(`"path":"x`), 1), lines[3], rest), "audit.jsonl:3:"},
		{"it names the line behind a removed one", join(lines[0], lines[1], lines[3], rest), "audit.jsonl:3:"},
		{"it names the first of two that changed places", join(lines[0], lines[1], lines[3], lines[2], rest), "audit.jsonl:3:"},
		{"it names an added line", join(lines[0], lines[1], lines[1], lines[2], lines[3], rest), "audit.jsonl:3:"},
		{"it names a beginning that is missing", join(lines[1], lines[2], lines[3], rest), "audit.jsonl:1:"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := os.WriteFile(file, row.text, 0o600); err != nil {
				t.Fatal(err)
			}
			code, _, errs := r.cutover("verify", dir)
			if wantCode := map[bool]int{true: exitPass, false: exitFail}[row.want == ""]; code != wantCode || !strings.Contains(errs, row.want) {
				t.Errorf("exit %d, want %d; said %q, want %q", code, wantCode, errs, row.want)
			}
		})
	}
}
