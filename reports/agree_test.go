package reports_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"cutover/harness/result"
	"cutover/reports"
)

// junit is the file as a pipeline reads it.
type junit struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Nested   []struct{} `xml:"testsuite"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Class   string    `xml:"classname,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// verdicts are results of every verdict there is.
func verdicts() map[string]*result.Result {
	bent := fixture()
	bent.Generator.Bent = []string{"lag p99 was 210 ms, 50 ms allowed"}
	killed := fixture()
	killed.Stop = &result.Stop{Kind: result.StopKilled, Why: "its record ends 12 s after the start"}
	interrupted := failing()
	interrupted.Stop = &result.Stop{Kind: result.StopInterrupted, Why: "Ctrl-C after 12 s"}
	internal := fixture()
	internal.Buckets.Planned++
	gate := fixture()
	gate.Gates[0].Verdict, gate.Gates[0].Observed, gate.Gates[0].Margin = result.Fail, "912ms", "112ms"
	empty := fixture()
	empty.Gates[3].MayBeEmpty = false
	nothing := &result.Result{Schema: result.Schema, Suite: "s", Profile: "p"}
	all := map[string]*result.Result{"pass": fixture(), "fail": failing(), "bent": bent, "killed": killed, "interrupted": interrupted,
		"internal": internal, "gate": gate, "no-data": empty, "nothing": nothing}
	for _, r := range all {
		result.Decide(r)
	}
	return all
}

func TestEveryFormatAgreesOnTheVerdict(t *testing.T) {
	for name, r := range verdicts() {
		t.Run(name, func(t *testing.T) {
			var j junit
			if err := xml.Unmarshal(render(t, "junit", r, inFolder), &j); err != nil {
				t.Fatal(err)
			}
			if green := j.Failures+j.Errors == 0; green != (r.Verdict == result.Pass) {
				t.Errorf("junit has %d failures and %d errors, the verdict is %s", j.Failures, j.Errors, r.Verdict)
			}
			if red := j.Failures > 0; r.Verdict == result.Fail && !red {
				t.Error("junit shows no failure of a run that failed")
			}
			word := strings.ToUpper(string(r.Verdict))
			for format, want := range map[string]string{
				"text":        word,
				"html":        `data-verdict="` + string(r.Verdict) + `" data-exit="` + fmt.Sprint(r.ExitCode) + `"`,
				"readiness":   `data-verdict="` + string(r.Verdict) + `"`,
				"markdown":    word,
				"openmetrics": `cutover_run_verdict{verdict="` + string(r.Verdict) + `"} 1`,
				"sarif":       `"verdict": "` + string(r.Verdict) + `"`,
				"json":        `"verdict": "` + string(r.Verdict) + `"`,
			} {
				if !strings.Contains(string(render(t, format, r, inFolder)), want) {
					t.Errorf("%s does not say %s", format, want)
				}
			}
			for _, format := range []string{"github", "azure"} {
				if quiet := len(render(t, format, r, inFolder)) == 0; quiet != (r.Verdict == result.Pass) {
					t.Errorf("%s: silent is %v, the verdict is %s", format, quiet, r.Verdict)
				}
			}
			for _, format := range []string{"readiness", "readiness-md"} {
				page := string(render(t, format, r, inFolder))
				goes := strings.Contains(page, ">GO") || strings.Contains(page, "# GO")
				if r.Verdict == result.Inconclusive && goes || r.Verdict == result.Fail && strings.Contains(page, "# GO") {
					t.Errorf("%s says GO although the verdict is %s", format, r.Verdict)
				}
			}
		})
	}
}

func TestJUnitIsFlatAndItsNamesAreStable(t *testing.T) {
	read := func(r *result.Result) (names []string) {
		var j junit
		if err := xml.Unmarshal(render(t, "junit", r, inFolder), &j); err != nil {
			t.Fatal(err)
		}
		tests, failures, errs := 0, 0, 0
		seen := map[string]bool{}
		for _, s := range j.Suites {
			if len(s.Nested) > 0 || s.Tests != len(s.Cases) {
				t.Errorf("suite %s is nested, or counts %d of %d", s.Name, s.Tests, len(s.Cases))
			}
			tests, failures, errs = tests+s.Tests, failures+s.Failures, errs+s.Errors
			for _, c := range s.Cases {
				name := c.Class + " " + c.Name
				if seen[name] {
					t.Errorf("two cases are called %s", name)
				}
				seen[name] = true
				names = append(names, name)
			}
		}
		if tests != j.Tests || failures != j.Failures || errs != j.Errors {
			t.Errorf("the sums are %d %d %d, the file says %d %d %d", tests, failures, errs, j.Tests, j.Failures, j.Errors)
		}
		return names
	}
	later := failing()
	later.RunID, later.Seed = "another", 7
	later.Started, later.Ended = later.Started.AddDate(0, 0, 1), later.Ended.AddDate(0, 0, 1)
	later.Findings[1].Left, later.Findings[1].Count = "100 items", 3
	if diff := cmp.Diff(read(failing()), read(later)); diff != "" {
		t.Errorf("names change from run to run:\n%s", diff)
	}
}

func TestTheTextFitsAnyTerminal(t *testing.T) {
	width := runewidth.Condition{StrictEmojiNeutral: true}
	for _, columns := range []int{40, 60, 72, 80, 100, 120, 200} {
		for name, r := range map[string]*result.Result{"pass": fixture(), "fail": failing(), "crowded": crowded(500), "poisoned": poisoned()} {
			o := inFolder
			o.Width = columns
			scanner := bufio.NewScanner(bytes.NewReader(render(t, "text", r, o)))
			for scanner.Scan() {
				line := scanner.Text()
				if columns >= 72 && name != "poisoned" && width.StringWidth(line) > min(columns, 140) && !strings.Contains(line, "cutover ") {
					t.Errorf("%s at %d columns has a line of %d: %s", name, columns, width.StringWidth(line), line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s at %d columns ends in spaces: %q", name, columns, line)
				}
			}
		}
	}
}

func TestColourIsOnlyAddedWhenAskedFor(t *testing.T) {
	plain := string(render(t, "text", failing(), inFolder))
	if strings.Contains(plain, "\x1b") {
		t.Error("escape sequences without being asked for colour")
	}
	o := inFolder
	o.Color = true
	coloured := string(render(t, "text", failing(), o))
	if !strings.Contains(coloured, "\x1b[1;31mFAIL\x1b[0m") {
		t.Error("the verdict has no colour")
	}
	var b strings.Builder
	for rest := coloured; ; {
		before, after, found := strings.Cut(rest, "\x1b[")
		b.WriteString(before)
		if !found {
			break
		}
		_, rest, _ = strings.Cut(after, "m")
	}
	if diff := cmp.Diff(plain, b.String()); diff != "" {
		t.Errorf("colour changes more than colour (-plain +coloured):\n%s", diff)
	}
}

func TestNextOffersOnlyCommandsThatExist(t *testing.T) {
	o := inFolder
	for want, commands := range map[string][]string{"cutover doctor --profile FILE": {"run", "doctor", "explain"}, "cutover check FILE": nil} {
		o.Commands = commands
		if text := string(render(t, "text", fixture(), o)); !strings.Contains(text, want) {
			t.Errorf("with %v the text does not offer %q", commands, want)
		}
	}
	o.Commands = []string{}
	if text := string(render(t, "text", fixture(), o)); strings.Contains(text, "  cutover ") {
		t.Error("commands are offered though there are none")
	}
}

func TestSpreadsheetsGetNumbersAndNoFormulas(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(render(t, "csv", poisoned(), inFolder))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	evil := fixture()
	evil.Steps[0].Scenario = "=HYPERLINK(1)"
	more, err := csv.NewReader(bytes.NewReader(render(t, "csv", evil, inFolder))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 11 {
		t.Errorf("%d rows, want a head and ten", len(rows))
	}
	for _, row := range append(rows, more...) {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+@", rune(cell[0])) {
				t.Errorf("a spreadsheet would compute %q", cell)
			}
		}
	}
}

func TestSARIFPointsAtTheSuiteAndSuppressesWhatIsWaived(t *testing.T) {
	var doc struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID       string `json:"ruleId"`
				RuleIndex    int    `json:"ruleIndex"`
				Level        string
				Suppressions []struct{ Justification string }
				Locations    []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	o := inFolder
	o.SuiteFile = `my suites\mail.yaml`
	if err := json.Unmarshal(render(t, "sarif", fixture(), o), &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	var got []string
	for _, r := range run.Results {
		at := r.Locations[0].PhysicalLocation
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("rule index %d is not %s", r.RuleIndex, r.RuleID)
		}
		line := fmt.Sprintf("%s %s %s:%d", r.Level, r.RuleID, at.ArtifactLocation.URI, at.Region.StartLine)
		for _, s := range r.Suppressions {
			line += " suppressed: " + s.Justification
		}
		got = append(got, line)
	}
	want := []string{
		"error page.cap my%20suites/mail.yaml:9 suppressed: the client pages anyway (mail team, until 2027-01-31)",
		"warning case.property my%20suites/mail.yaml:9",
		"warning body.html my%20suites/mail.yaml:13",
		"note settings.missing my%20suites/mail.yaml:19",
		"note throttle.headers my%20suites/mail.yaml:0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadinessInAnOperatorsWords(t *testing.T) {
	alike := fixture()
	low, high := -2.0, 3.0
	alike.Shift[2].P50.Low, alike.Shift[2].P50.High = &low, &high
	alone := fixture()
	alone.Steps = []result.StepStats{alone.Steps[0]}
	only := fixture()
	only.Findings[1].Waived = false
	only.Findings[1].Severity = result.Critical
	for _, c := range []struct {
		name string
		r    *result.Result
		want string
	}{
		{"it is a go with waivers where a waiver covers a break", fixture(), "| open-inbox | GO with waivers |"},
		{"it is a plain go where nothing breaks", fixture(), "| week | GO | as a whole: 8.39 ms faster on cloud (0.888 to 15.4)"},
		{"it says simulated", fixture(), "# GO with waivers (simulated)"},
		{"it does not call noise slower", alike, "as a whole: as fast on cloud as on onprem (147 ms against 60.9 ms; the difference is within its error)"},
		{"it speaks of one path alone", alone, "list: 41.5 ms on onprem, half of the time"},
		{"it judges a workload by its own differences", decided(only), "| week | GO |"},
		{"it gives no decision when the run could not tell", verdicts()["bent"], "# NO DECISION (simulated)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(render(t, "readiness-md", c.r, inFolder)); !strings.Contains(got, c.want) {
				t.Errorf("%q is not in\n%s", c.want, got)
			}
		})
	}
}

func decided(r *result.Result) *result.Result {
	result.Decide(r)
	return r
}

func TestMetricsPassPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	for name, r := range map[string]*result.Result{"pass": fixture(), "poisoned": poisoned(), "nothing": verdicts()["nothing"]} {
		cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		cmd.Stdin = bytes.NewReader(render(t, "openmetrics", r, inFolder))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestEveryFormatStandsInTheDocs(t *testing.T) {
	docs, err := os.ReadFile("../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range reports.Formats() {
		for _, name := range []string{f.Name, f.File} {
			if name != "" && name != "report.txt" && !strings.Contains(string(docs), "`"+name+"`") {
				t.Errorf("%s is not in docs/reports.md", name)
			}
		}
	}
}

func TestOnePathAloneIsReportedAsSuch(t *testing.T) {
	r := fixture()
	r.Paths, r.Shift, r.Findings, r.Comparison, r.Identities = r.Paths[:1], nil, nil, result.Comparison{}, result.Identities{}
	var left []result.StepStats
	for _, s := range r.Steps {
		if s.Side == result.Left {
			left = append(left, s)
		}
	}
	r.Steps = left
	result.Decide(r)
	if page := string(render(t, "readiness-md", r, inFolder)); !strings.HasPrefix(page, "# NO DECISION") {
		t.Errorf("without a comparison the page says %.40s", page)
	}
	for _, format := range []string{"text", "html"} {
		page := string(render(t, format, r, inFolder))
		if !strings.Contains(page, "one path was asked alone: there was nothing to compare") || strings.Contains(page, "0 of 0") {
			t.Errorf("%s speaks of a comparison that nobody made", format)
		}
	}
}

func TestLookupNamesTheFormatsThereAre(t *testing.T) {
	_, err := reports.Lookup("pdf")
	if !errors.Is(err, reports.ErrUnknown) || !strings.HasPrefix(err.Error(), `unknown format "pdf" (there are text, json, html, junit`) {
		t.Errorf("got %v", err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestAFullDiskIsReported(t *testing.T) {
	for _, f := range reports.Formats() {
		r := failing()
		if err := f.Write(full{}, r, inFolder); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v", f.Name, err)
		}
	}
}

func TestACardIsSmallAndNamesNobody(t *testing.T) {
	for name, r := range map[string]*result.Result{"pass": fixture(), "fail": failing(), "crowded": crowded(500), "poisoned": poisoned()} {
		card := string(render(t, "card", r, inFolder))
		if len(card) > 28_000 {
			t.Errorf("%s: the card has %d bytes, 28,000 are taken", name, len(card))
		}
		for _, private := range []string{"pair-007", "ann@onprem.lab.test", "Hallo", `"TextBlock"`} {
			if strings.Contains(card, private) {
				t.Errorf("%s: %q is in the card", name, private)
			}
		}
	}
}

func TestAMonitoringPluginGetsOneLine(t *testing.T) {
	for name, want := range map[string]string{
		"pass": "CUTOVER OK - mail-read on lab: simulated: 3,529 of 3,550 legs completed | 'open-inbox/list onprem p95'=74.711ms",
		"fail": "CUTOVER CRITICAL - mail-read on lab: 1 breaking difference",
		"bent": "CUTOVER UNKNOWN - mail-read on lab: simulated: the ruler bent",
	} {
		if got := string(render(t, "nagios", verdicts()[name], inFolder)); !strings.HasPrefix(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := string(render(t, "nagios", poisoned(), inFolder)); strings.Count(got, "\n") != 1 || strings.Count(got, "|") != 1 {
		t.Errorf("hostile text breaks the line: %s", got)
	}
}
