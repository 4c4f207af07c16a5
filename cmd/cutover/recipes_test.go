package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"cutover/harness/runfolder"
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

// pipelineStep has the keys of a step in both services.
type pipelineStep struct {
	Uses, Name, Shell, Run, If     string
	Bash, Task, Publish, Condition string
	DisplayName                    string `yaml:"displayName"`
	Artifact                       string
	Env, With, Inputs              map[string]string
}

// strictly decodes YAML into a structure that knows each of its keys.
func strictly(t *testing.T, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

func TestTheGitHubRecipeHasTheKeysOfAWorkflow(t *testing.T) {
	var w struct {
		Name string
		On   struct {
			Schedule []struct{ Cron string }
			Dispatch *struct{} `yaml:"workflow_dispatch"`
		}
		Concurrency string
		Jobs        map[string]struct {
			RunsOn []string `yaml:"runs-on"`
			Steps  []pipelineStep
		}
	}
	strictly(t, fence(t, "GitHub Actions", 0), &w)
	job := w.Jobs["cutover"]
	if len(w.Jobs) != 1 || len(job.RunsOn) == 0 || len(job.Steps) != 3 || w.Concurrency == "" {
		t.Fatalf("%+v", w)
	}
	if len(w.On.Schedule) != 1 || len(strings.Fields(w.On.Schedule[0].Cron)) != 5 {
		t.Errorf("the schedule is %+v, want five fields", w.On.Schedule)
	}
	ask, keep := job.Steps[1], job.Steps[2]
	if ask.Shell != "bash" || ask.Env["EX_PW"] != "${{ secrets.EX_PW }}" || !strings.Contains(ask.Run, "cutover run nightly") {
		t.Errorf("the step that asks: %+v", ask)
	}
	for _, private := range runfolder.Private() {
		if !strings.Contains(keep.With["path"], "!out/"+private+"*") {
			t.Errorf("%s is uploaded: %q", private, keep.With["path"])
		}
	}
	if keep.If != "always()" || !strings.HasPrefix(keep.Uses, "actions/upload-artifact@") {
		t.Errorf("the step that keeps the reports: %+v", keep)
	}
}

func TestTheAzureRecipeHasTheKeysOfAPipeline(t *testing.T) {
	var p struct {
		Schedules []struct {
			Cron        string
			DisplayName string `yaml:"displayName"`
			Branches    struct{ Include []string }
			Always      bool
		}
		Trigger string
		Pool    struct{ Name string }
		Steps   []pipelineStep
	}
	strictly(t, fence(t, "Azure DevOps", 0), &p)
	if len(p.Schedules) != 1 || len(strings.Fields(p.Schedules[0].Cron)) != 5 || !p.Schedules[0].Always || p.Trigger != "none" || p.Pool.Name == "" || len(p.Steps) != 3 {
		t.Fatalf("%+v", p)
	}
	ask, junit, keep := p.Steps[0], p.Steps[1], p.Steps[2]
	if ask.Env["EX_PW"] != "$(EX_PW)" || !strings.Contains(ask.Bash, "rm -f") {
		t.Errorf("the step that asks: %+v", ask)
	}
	want := map[string]string{"testResultsFormat": "JUnit", "testResultsFiles": "$(Build.ArtifactStagingDirectory)/out/junit.xml"}
	if diff := cmp.Diff(want, junit.Inputs); diff != "" || junit.Task != "PublishTestResults@2" || junit.Condition != "always()" {
		t.Errorf("%+v, inputs (-want +got)\n%s", junit, diff)
	}
	if keep.Publish == "" || keep.Artifact == "" || keep.Condition != "always()" {
		t.Errorf("the step that keeps the reports: %+v", keep)
	}
}

// TestTheJenkinsfileIsWhole holds no Groovy compiler against the recipe: its brackets
// and quotes close, and its blocks are those of a declarative pipeline.
func TestTheJenkinsfileIsWhole(t *testing.T) {
	text := fence(t, "Jenkins", 0)
	var open []rune
	quote := rune(0)
	closes := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.ContainsRune("([{", c):
			open = append(open, c)
		case closes[c] != 0:
			if len(open) == 0 || open[len(open)-1] != closes[c] {
				t.Fatalf("%q at %d closes nothing", c, i)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || quote != 0 {
		t.Errorf("left open: %q, quote %q", open, quote)
	}
	blocks := regexp.MustCompile(`(?m)^(?:  )?([a-z]+) \{`).FindAllStringSubmatch(text, -1)
	var got []string
	for _, b := range blocks {
		got = append(got, b[1])
	}
	if diff := cmp.Diff([]string{"pipeline", "agent", "triggers", "options", "environment", "stages", "post"}, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

// TestTheScheduledTaskIsATask reads the task as the Task Scheduler's schema has it.
func TestTheScheduledTaskIsATask(t *testing.T) {
	var task struct {
		XMLName  xml.Name `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
		Version  string   `xml:"version,attr"`
		Calendar struct {
			Start string `xml:"StartBoundary"`
			Every int    `xml:"ScheduleByDay>DaysInterval"`
		} `xml:"Triggers>CalendarTrigger"`
		Principal struct {
			User  string `xml:"UserId"`
			Logon string `xml:"LogonType"`
		} `xml:"Principals>Principal"`
		Settings struct {
			Instances string `xml:"MultipleInstancesPolicy"`
			Limit     string `xml:"ExecutionTimeLimit"`
			Late      bool   `xml:"StartWhenAvailable"`
		}
		Exec struct{ Command, Arguments, WorkingDirectory string } `xml:"Actions>Exec"`
	}
	if err := xml.Unmarshal([]byte(fence(t, "Windows Task Scheduler", 0)), &task); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse("2006-01-02T15:04:05", task.Calendar.Start); err != nil || task.Calendar.Every != 1 {
		t.Errorf("the trigger is %+v: %v", task.Calendar, err)
	}
	if task.Version != "1.2" || task.Principal.Logon != "Password" || task.Settings.Instances != "IgnoreNew" || task.Settings.Limit != "PT45M" || !task.Settings.Late {
		t.Errorf("the task is %+v", task)
	}
	if task.Exec.Command != `C:\cutover\cutover.exe` || task.Exec.WorkingDirectory != `C:\cutover` {
		t.Errorf("it runs %+v", task.Exec)
	}
	a := &App{}
	for _, args := range []string{task.Exec.Arguments} {
		cmd, rest, err := a.root().Find(strings.Fields(args))
		if err != nil || cmd.Name() != "run" {
			t.Fatalf("%s: %v", args, err)
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}
