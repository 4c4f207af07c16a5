package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab/quirks"
	"cutover/harness/result"
)

// unshown are the quirks that no pair of answers can show, each with its reason.
var unshown = map[string]string{
	"auth.partner_perm": "Exchange's reason stays on-premises: Graph passes on no diagnostics, so the refusal looks like auth.app_only",
	"meeting.notify":    "it shows in the mailboxes of those who were invited, not in an answer to the one who changes the meeting",
	"freebusy.error":    "the on-prem side has no getSchedule: only two answers of the cloud, before and after, can show it (harness/conform/testdata/cases)",
	"autod.stale":       "it is about Autodiscover after a move, not about an answer of a mailbox",
}

// otherwise are the quirks that show on another path than the profile's right one.
var otherwise = map[string]string{"write.casing": "graph-2019-user", "locate.error": "graph-today-user"}

// apart are the quirks that only another preset can show: no on-premises model but the ideal one has originalStart.
var apart = map[string]string{"time.original_start": "ideal"}

// asked are the quirks that another suite than the ledger asks for: what it asks is different without them too.
var asked = map[string]string{"sync.moveback": immutable, "list.truncate": immutable}

// immutable is a suite that finds what the on-prem side never knows: immutable ids and extended properties. It also lists
// what it just wrote, which is no question for two paths to one store.
const immutable = "testdata/immutable.yaml"

// ever are the findings of a suite that are there whatever is planted.
var ever = map[string][]string{immutable: {"id.prefer_ignored", "id.length", "xprop.addressing"}}

// spoken are the quirks whose finding is there without them too, with what only the quirk makes a side say.
var spoken = map[string]string{"meta.headers": "Rate-Limit-Limit", "locate.error": "ResourceNotFound"}

// consequences are findings that a quirk brings along by its nature.
var consequences = map[string][]string{
	"throttle.shape":   {"availability"},
	"msg.create_draft": {"field.null"}, // only drafts say whether they want a receipt
}

// ledgerRun runs the ledger suite on a lab without latency and returns what it found.
func ledgerRun(t *testing.T, suite string, args ...string) []result.Finding {
	t.Helper()
	return ledgerResult(t, suite, args...).Findings
}

// ledgerResult runs a suite on a lab without latency.
func ledgerResult(t *testing.T, suite string, args ...string) *result.Result {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	var errs bytes.Buffer
	a := &App{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &errs, Env: func(string) string { return "" }, Clock: clock.System(), Version: "test", Patience: patience}
	a.Main(context.Background(), append([]string{
		"run", suite, "--quiet", "--no-progress", "--format", "json", "--out", out,
		"--set", "lab.latency.onprem=none", "--set", "lab.latency.cloud=none",
	}, args...))
	data, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, errs.String())
	}
	r, err := result.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parts cuts a suite into its reading scenarios and into one suite for each scenario that
// writes: a writer has mailboxes of its own, and every mailbox must be asked everything here.
func parts(t *testing.T, file string) (readers string, readings int, writers []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const scenario = "\n  - name: "
	text, load, _ := strings.Cut(string(data), "\nload:")
	pieces := strings.Split(text, scenario)
	save := func(name, body string) string {
		file := filepath.Join(t.TempDir(), name+".yaml")
		if err := os.WriteFile(file, []byte(pieces[0]+body+"\nload:"+load), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	reading := ""
	for _, piece := range pieces[1:] {
		if !strings.Contains(piece, "post: ") {
			reading += scenario + piece
			readings++
			continue
		}
		name, _, _ := strings.Cut(piece, "\n")
		writers = append(writers, save(name, scenario+piece))
	}
	return save("readers", reading), readings, writers
}

// shows reports whether some finding has the quirk's name, a place and two values, one of which says what is
// given.
func shows(findings []result.Finding, id, says string) bool {
	return slices.ContainsFunc(findings, func(f result.Finding) bool {
		return f.ID == id && f.Step != "" && f.Left != "" && f.Right != "" && f.Left != f.Right && strings.Contains(f.Left+f.Right, says)
	})
}

// beyond lists the findings that would need another quirk than those planted: an adapter's folding and
// what one side does not offer are always there.
func beyond(findings []result.Finding, planted ...string) []string {
	allowed := slices.Clone(planted)
	for _, id := range planted {
		allowed = append(allowed, consequences[id]...)
	}
	var out []string
	for _, f := range findings {
		if f.Class != result.Adapter && f.Class != result.Capability && !slices.Contains(allowed, f.ID) {
			out = append(out, f.ID+" "+f.Scenario+"/"+f.Step+" "+f.Pointer+": "+f.Left+" → "+f.Right)
		}
	}
	return out
}

func TestTheIdealLabShowsNoDifferenceButItsDialects(t *testing.T) {
	if rest := beyond(ledgerRun(t, "ledger", "--set", "lab.preset=ideal", "--rate", "40/s", "--iterations", "30")); len(rest) > 0 {
		t.Errorf("found beyond adapter and capability:\n%s", strings.Join(rest, "\n"))
	}
}

func TestWhatTheLabAlwaysDoesIsFoundUnderItsName(t *testing.T) {
	findings := ledgerRun(t, immutable, "--set", "lab.mailboxes=6", "--rate", "40/s", "--iterations", "6")
	findings = append(findings, ledgerRun(t, "ledger", "--set", "lab.mailboxes=15", "--rate", "40/s", "--iterations", "15")...)
	for id, want := range map[string]string{
		"xprop.addressing": "property/create (answer): 400 RequestBodyRead → 201",
		"recur.exceptions": "exceptions/list /value/*: absent → cancelledOccurrences",
	} {
		if seen := evidence(findings, id); !slices.Contains(seen, want) {
			t.Errorf("%s is always there and not found as it should be\nwant %s\ngot  %s", id, want, strings.Join(seen, "\n     "))
		}
	}
	if shows(findings, "sync.moveback", "") {
		t.Error("sync.moveback is found and not planted")
	}
}

func TestAPlantedDifferenceIsFoundUnderItsName(t *testing.T) {
	toggles := quirks.Toggles()
	if testing.Short() {
		toggles = []string{"null.absent", "sync.reset", "event.uid", "locate.error"}
	}
	toggles = slices.DeleteFunc(toggles, func(id string) bool { return unshown[id] != "" })
	var found, alone atomic.Int32
	var learn sync.Map
	want := plantedEvidence(t)
	t.Run("quirk", func(t *testing.T) {
		for _, id := range toggles {
			t.Run(id, func(t *testing.T) {
				t.Parallel() // a run waits most of its time, and nothing here judges latency
				args := []string{"--set", "lab.quirks=" + id, "--set", "lab.mailboxes=15", "--rate", "60/s", "--iterations", "30"}
				if path := otherwise[id]; path != "" {
					args = append(args, "--right", path)
				}
				if preset := apart[id]; preset != "" {
					args = append(args, "--set", "lab.preset="+preset)
				}
				suite := or(asked[id], "ledger")
				findings := ledgerRun(t, suite, args...)
				switch seen := evidence(findings, id); {
				case !shows(findings, id, spoken[id]):
					t.Errorf("it is planted and not found")
				case *update:
					learn.Store(id, seen)
				case !slices.ContainsFunc(seen, func(s string) bool { return globbed(want[id], s) }):
					t.Errorf("it is found, but not as it should be\nwant %s\ngot  %s", want[id], strings.Join(seen, "\n     "))
				default:
					found.Add(1)
				}
				if rest := beyond(findings, append(slices.Clone(ever[suite]), id)...); len(rest) == 0 {
					alone.Add(1)
				} else {
					t.Errorf("found beyond it:\n%s", strings.Join(rest, "\n"))
				}
			})
		}
	})
	if *update {
		writeEvidence(t, &learn)
	}
	t.Logf("recall %d of %d, nothing beyond it in %d of %d", found.Load(), len(toggles), alone.Load(), len(toggles))
}

func TestAllPlantedDifferencesAreFoundAndNothingElse(t *testing.T) {
	if testing.Short() {
		t.Skip("nine runs of seconds")
	}
	planted, err := quirks.Expand([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	readers, readings, writers := parts(t, "../../suites/builtin/ledger.yaml")
	_, _, others := parts(t, immutable)
	each := fmt.Sprint(len(planted)) // every quirk has a mailbox of its own
	runs := [][]string{{readers, fmt.Sprint(readings * len(planted))}, {readers, each, "--right", "graph-today-user"}, {writers[0], each, "--right", "graph-2019-user"}}
	for _, suite := range slices.Concat(writers, others) {
		runs = append(runs, []string{suite, each})
	}
	all := make([][]result.Finding, len(runs))
	t.Run("run", func(t *testing.T) {
		for i, run := range runs {
			t.Run(filepath.Base(run[0]), func(t *testing.T) {
				t.Parallel()
				args := append([]string{"--set", "lab.quirks=all", "--set", "lab.mailboxes=" + each, "--rate", "100/s", "--iterations", run[1]}, run[2:]...)
				all[i] = ledgerRun(t, run[0], args...)
				allowed := slices.Clone(planted)
				if slices.Contains(others, run[0]) {
					allowed = append(allowed, ever[immutable]...)
				}
				if rest := beyond(all[i], allowed...); len(rest) > 0 {
					t.Errorf("found beyond what is planted:\n%s", strings.Join(rest, "\n"))
				}
			})
		}
	})
	together := slices.Concat(all...)
	for _, id := range planted {
		if unshown[id] == "" && apart[id] == "" && !shows(together, id, "") {
			t.Errorf("%s is planted and not found", id)
		}
	}
}
