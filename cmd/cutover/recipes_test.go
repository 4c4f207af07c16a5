package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fence returns the first fenced block of docs/nightly.md behind a heading.
func fence(t *testing.T, heading string, n int) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/nightly.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "\n### "+heading+"\n")
	blocks := strings.Split(rest, "\n```")
	if !found || len(blocks) < 2*n+2 {
		t.Fatalf("docs/nightly.md has no block %d behind %q", n, heading)
	}
	_, body, _ := strings.Cut(blocks[2*n+1], "\n")
	return body + "\n"
}

// stage is a folder with what the recipes expect, and a cutover that notes its
// arguments and the secret and exits with a code.
func stage(t *testing.T, code int) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	fake := fmt.Sprintf("#!/bin/sh\necho \"$EX_PW $*\" >>%s/called\nexit %d\n", dir, code)
	for name, content := range map[string]string{"bin/cutover": fake, "secrets.env": "EX_PW=geheim\n", "out/journal.jsonl": "", "out/audit.jsonl": "", "out/junit.xml": ""} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir)
}

// called is what the fake was called with.
func called(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "called"))
	if err != nil {
		t.Errorf("cutover was not called: %v", err)
	}
	return strings.TrimSpace(string(data))
}

func shell(t *testing.T, program, dir, script string, env []string) (code int, out string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("SKIPPED: no %s, the recipe was not tried", program)
	}
	cmd := exec.CommandContext(t.Context(), path, "-c", script)
	cmd.Dir, cmd.Env = dir, env
	data, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(data)
}

func TestTheCronLineRuns(t *testing.T) {
	line := strings.TrimSpace(fence(t, "cron", 0))
	command := regexp.MustCompile(`^(\S+\s+){5}`).ReplaceAllString(line, "")
	dir, env := stage(t, 0)
	code, out := shell(t, "sh", dir, strings.ReplaceAll(command, "/srv/cutover", dir), env)
	if code != 0 || out != "" {
		t.Errorf("exit code %d: %s", code, out)
	}
	if got := called(t, dir); !strings.HasPrefix(got, "geheim run nightly --profile contoso.yaml") {
		t.Errorf("cutover was called with %q", got)
	}
}

// script cuts the shell part out of a pipeline: the lines below KEY: | .
func script(t *testing.T, pipeline, key string) string {
	t.Helper()
	_, rest, found := strings.Cut(pipeline, key+": |\n")
	if !found {
		t.Fatalf("no %s in\n%s", key, pipeline)
	}
	indent := len(rest) - len(strings.TrimLeft(rest, " "))
	var out []string
	for line := range strings.Lines(rest) {
		if len(line) < indent || strings.TrimSpace(line[:indent]) != "" {
			break
		}
		out = append(out, line[indent:])
	}
	return strings.Join(out, "")
}

func TestThePipelinesTurnRedForTheRightReason(t *testing.T) {
	for _, c := range []struct {
		heading, key string
		codes        map[int]int // cutover's → the step's
		says         string      // where the run is inconclusive
	}{
		{"GitHub Actions", "run", map[int]int{0: 0, 1: 1, 3: 3, 6: 0}, "::warning::inconclusive"},
		{"Azure DevOps", "bash", map[int]int{0: 0, 1: 1, 3: 3, 6: 0}, "SucceededWithIssues"},
	} {
		for code, want := range c.codes {
			dir, env := stage(t, code)
			text := strings.ReplaceAll(script(t, fence(t, c.heading, 0), c.key), "$(Build.ArtifactStagingDirectory)", dir)
			got, out := shell(t, "bash", dir, "set -e\n"+text, env)
			if got != want || strings.Contains(out, c.says) != (code == 6) {
				t.Errorf("%s: cutover's %d becomes %d, want %d: %s", c.heading, code, got, want, out)
			}
			called(t, dir)
		}
	}
}

func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: no systemd-analyze, the units were not verified")
	}
	dir := t.TempDir()
	for i, name := range []string{"cutover-nightly.service", "cutover-nightly.timer"} {
		unit := strings.NewReplacer("/usr/local/bin/cutover", "/bin/true", "User=cutover\n", "").Replace(fence(t, "systemd timer", i))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", filepath.Join(dir, "cutover-nightly.timer"), filepath.Join(dir, "cutover-nightly.service"))
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v\n%s", err, out)
	}
}
