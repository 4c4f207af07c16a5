package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/clock"
)

// said runs one command line with an environment and returns what it says on stderr.
func said(t *testing.T, env []string, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: clock.System(), Version: "test",
		Environ: func() []string { return env },
		Env: func(name string) string {
			for _, entry := range env {
				if value, ok := strings.CutPrefix(entry, name+"="); ok {
					return value
				}
			}
			return ""
		},
	}
	code := app.Main(t.Context(), args)
	return code, errs.String()
}

func TestTheEnvironmentIsBelievedAndBlamed(t *testing.T) {
	const lists = "cutover: hint: `cutover run --help` lists the flags\n"
	for _, row := range []struct {
		name string
		env  []string
		args []string
		code int
		want string
	}{
		{"it says nothing of one that is right", []string{"CUTOVER_RATE=5/s"}, []string{"plan"}, 0, ""},
		{"it says nothing of another command's", []string{"CUTOVER_USERS=5"}, []string{"version"}, 0, ""},
		{"it warns of a misspelt one", []string{"CUTOVER_RTE=5/s"}, []string{"plan"}, 0,
			"cutover: CUTOVER_RTE is ignored: it stands for no flag (did you mean CUTOVER_RATE?)\n"},
		{"it warns of one that is like nothing", []string{"CUTOVER_COFFEE_BREAKS=2"}, []string{"version"}, 0,
			"cutover: CUTOVER_COFFEE_BREAKS is ignored: it stands for no flag\n"},
		{"it leaves a secret alone that a flag refers to", []string{"CUTOVER_CAMPAIGN_KEY=0123456789abcdef"},
			[]string{"verify", "nonesuch", "--campaign", "env:CUTOVER_CAMPAIGN_KEY"}, 2,
			"cutover: nonesuch is not a run folder\ncutover: hint: `cutover run` prints the folder that it writes\n"},
		{"it is quiet when asked to be", []string{"CUTOVER_RTE=5/s"}, []string{"run", "-q", "--format", "nonesuch"}, 2, "" +
			"cutover: --format: unknown format \"nonesuch\" (there are text, json, html, junit, readiness, readiness-md, markdown, csv, sarif, openmetrics, hgrm, hlog, card, nagios, github, azure)\n" +
			"cutover: hint: `cutover list formats` lists them\n"},
		{"it warns in JSON when that is asked for", []string{"CUTOVER_RTE=5/s"}, []string{"run", "--log-format", "json", "--gate", "x"}, 2, "CUTOVER_RTE is ignored: it stands for no flag (did you mean CUTOVER_RATE?)"},
		{"it names the variables that are no numbers", []string{"CUTOVER_USERS=x", "CUTOVER_SEED=-1"}, []string{"plan"}, 2,
			"cutover: CUTOVER_SEED: expected a whole number from 0 on, got \"-1\"\ncutover: CUTOVER_USERS: expected a whole number, got \"x\"\n"},
		{"it names the variable whose unit is missing", []string{"CUTOVER_RATE=5"}, []string{"plan"}, 2,
			"cutover: CUTOVER_RATE: a rate needs its unit, such as \"50/s\", \"120/m\" or \"60/h\": write \"5/s\", not 5\n" + lists},
		{"it names the variable that the plan refuses", []string{"CUTOVER_LEFT=onprm"}, []string{"plan", "--right", "cloud"}, 2,
			"CUTOVER_LEFT: profile lab has no path \"onprm\" (did you mean \"onprem\"?) (it has onprem, cloud, graph-2019-user, graph-2019-app, graph-today-user)\ncutover: 1 problem; nothing was sent\n"},
		{"it blames the flag where the flag was given", []string{"CUTOVER_RATE=5"}, []string{"plan", "--rate", "6"}, 2,
			"cutover: --rate: a rate needs its unit, such as \"50/s\", \"120/m\" or \"60/h\": write \"6/s\", not 6\n" + lists},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, got := said(t, row.env, row.args...)
			if strings.Contains(row.name, "in JSON") {
				var first struct{ Msg string }
				if err := json.NewDecoder(strings.NewReader(got)).Decode(&first); err != nil {
					t.Error(err)
				}
				got = first.Msg
			}
			if code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMistypedWordIsGuessed(t *testing.T) {
	for _, row := range []struct {
		name, args, want string
	}{
		{"it guesses the command", "rnu", "cutover: unknown command \"rnu\" (did you mean \"run\"?)\n"},
		{"it guesses the flag", "plan --rat 5/s", "cutover: unknown flag: --rat (did you mean --rate?)\n"},
		{"it guesses the rule", "explain case.proprty", "cutover: nothing is known under \"case.proprty\" (did you mean \"case.property\"?)\n"},
		{"it guesses the path", "token --path clud", "cutover: profile lab has no path \"clud\" (did you mean \"cloud\"?)\n"},
		{"it asks for a unit", "run --deadline 5", "cutover: --deadline: expected a duration with its unit, such as 90s, 24h or 2d, got \"5\"\n"},
		{"it asks for a number", "run --seed x", "cutover: --seed: expected a whole number from 0 on, got \"x\"\n"},
		{"it takes days", "clean --lease 2d", "cutover: clean needs either --run or --sweep\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, got := said(t, nil, strings.Fields(row.args)...)
			if first, _, _ := strings.Cut(got, "cutover: hint"); code != exitUsage || first != row.want {
				t.Errorf("exit code %d, said\n%s\nwant\n%s", code, first, row.want)
			}
		})
	}
}
