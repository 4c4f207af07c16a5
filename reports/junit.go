package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"cutover/harness/result"
)

// The JUnit dialect that Jenkins, Azure DevOps and GitLab all read: one level
// of suites; no ids and no times in names, because they key the history.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Skipped   *junitMessage `xml:"skipped"`
		Error     *junitProblem `xml:"error"`
		Failure   *junitProblem `xml:"failure"`
		Out       string        `xml:"system-out,omitempty"`
	}
	// junitMessage is text and no attribute: Jenkins' schema of old knows none
	// there, and its reader takes the text.
	junitMessage struct {
		Message string `xml:",chardata"`
	}
	junitProblem struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a suite for each scenario (its steps and its differences),
// one for the gates and one for the run itself. Something is red exactly when
// the verdict is not pass: a failure for fail, an error for inconclusive.
func writeJUnit(w io.Writer, r *result.Result, _ Options) error {
	doc := junitSuites{Name: r.Suite}
	for _, scenario := range scenarioNames(r) {
		doc.add(r, scenario, scenarioCases(r, scenario))
	}
	doc.add(r, "gates", gateCases(r))
	doc.add(r, "run", runCases(r))
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// scenarioNames lists scenarios as measured, then those that only a finding
// names.
func scenarioNames(r *result.Result) []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, s := range r.Steps {
		add(s.Scenario)
	}
	var rest []string
	for _, f := range r.Findings {
		if !seen[f.Scenario] {
			rest = append(rest, f.Scenario)
		}
	}
	sort.Strings(rest)
	for _, name := range rest {
		add(name)
	}
	return names
}

func (doc *junitSuites) add(r *result.Result, name string, cases []junitCase) {
	if len(cases) == 0 {
		return
	}
	s := junitSuite{Name: r.Suite + "/" + name, Tests: len(cases), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Cases: cases}
	var total float64
	for i := range cases {
		c := &s.Cases[i]
		c.ClassName = r.Suite + "." + name
		v, _ := strconv.ParseFloat(c.Time, 64)
		total += v
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	s.Time = strconv.FormatFloat(total, 'f', 3, 64)
	s.Properties = []junitProperty{
		{"run", r.RunID}, {"target", r.Target}, {"profile", r.Profile}, {"seed", strconv.FormatUint(r.Seed, 10)},
		{"verdict", string(r.Verdict)}, {"suite_hash", r.SuiteHash}, {"plan_hash", r.PlanHash}, {"cutover", r.Versions.Cutover},
	}
	if r.Consent != nil {
		s.Properties = append(s.Properties, junitProperty{"consent_sha256", r.Consent.SHA256})
	}
	doc.Tests += s.Tests
	doc.Failures += s.Failures
	doc.Errors += s.Errors
	doc.Suites = append(doc.Suites, s)
}

// scenarioCases makes a case of each step and path, and one of each
// difference.
func scenarioCases(r *result.Result, scenario string) []junitCase {
	var cases []junitCase
	for _, s := range r.Steps {
		if s.Scenario != scenario || s.Step == result.WholeLeg {
			continue
		}
		c := junitCase{Name: s.Step + " on " + s.Path, Time: junitTime(s.Response.P50), Out: strings.Join(append([]string{outcomeLine(s)}, faultWords(r, &s, 5)...), "\n")}
		if s.Count == 0 {
			c.Skipped = &junitMessage{"not asked in a measured phase"}
		}
		cases = append(cases, c)
	}
	for _, f := range r.Findings {
		if f.Scenario == scenario {
			cases = append(cases, findingCase(r, f))
		}
	}
	return cases
}

func junitTime(millis *float64) string {
	if millis == nil {
		return "0.000"
	}
	return strconv.FormatFloat(*millis/1000, 'f', 3, 64)
}

func outcomeLine(s result.StepStats) string {
	names := make([]string, 0, len(s.Outcomes))
	for name := range s.Outcomes {
		names = append(names, name)
	}
	sort.Strings(names)
	parts := []string{plural(s.Count, "request", "requests")}
	for _, name := range names {
		parts = append(parts, name+" "+count(s.Outcomes[name]))
	}
	return fmt.Sprintf("%s; p50 %s ms, p95 %s ms, p99 %s ms", strings.Join(parts, ", "), ms(s.Response.P50), ms(s.Response.P95), ms(s.Response.P99))
}

func findingCase(r *result.Result, f result.Finding) junitCase {
	c := junitCase{Name: strings.TrimSuffix(f.Step+" / "+f.ID+" / "+f.Pointer, " / "), Time: "0.000"}
	text := findingText(r, f)
	switch {
	case f.Blocks():
		c.Failure = &junitProblem{Type: f.ID, Message: findingLine(r, f), Text: text}
	case f.Waived:
		c.Skipped = &junitMessage{"waived: " + waivedBecause(f)}
	case f.Class == result.Capability:
		c.Skipped = &junitMessage{"capability: " + findingLine(r, f)}
	default:
		c.Out = text
	}
	return c
}

func waivedBecause(f result.Finding) string {
	if f.Waiver == nil {
		return "no reason recorded"
	}
	return fmt.Sprintf("%s (%s, until %s)", f.Waiver.Reason, f.Waiver.Owner, f.Waiver.Expires.Format("2006-01-02"))
}

// findingLine says a difference in one line.
func findingLine(r *result.Result, f result.Finding) string {
	return fmt.Sprintf("%s: %s %s, %s %s", f.Kind, pathName(r, result.Left), shown(f.Left), pathName(r, result.Right), shown(f.Right))
}

func shown(v string) string {
	if v == "" {
		return "absent"
	}
	return v
}

// findingText says all that is known of a difference, a line each.
func findingText(r *result.Result, f result.Finding) string {
	lines := []string{
		fmt.Sprintf("%s, %s, seen %s (%s of the compared pairs)", f.Class, f.Severity, plural(f.Count, "time", "times"), share(f.Share)),
		"at " + f.Pointer,
		pathName(r, result.Left) + ": " + shown(f.Left),
		pathName(r, result.Right) + ": " + shown(f.Right),
	}
	for _, l := range [][2]string{{"endpoint", f.Endpoint}, {"attribution", f.Attribution}, {"cause", f.Cause}, {"remedy", f.Remedy}, {"because", f.Because}} {
		if l[1] != "" {
			lines = append(lines, l[0]+": "+l[1])
		}
	}
	if e := f.Example; e != nil {
		lines = append(lines, fmt.Sprintf("example: arrival %d, mailbox %s, request ids %s and %s", e.Arrival, e.Mailbox, shown(e.LeftRequestID), shown(e.RightRequestID)))
	}
	return strings.Join(append(lines, proofLines(f)...), "\n")
}

func gateCases(r *result.Result) []junitCase {
	var cases []junitCase
	for _, g := range r.Gates {
		c := junitCase{Name: g.Gate, Time: "0.000"}
		switch {
		case g.Verdict == result.Fail:
			c.Failure = &junitProblem{Type: "gate", Message: "observed " + observed(g), Text: margin(g)}
		case g.Verdict == result.NoData && g.MayBeEmpty:
			c.Skipped = &junitMessage{"no data, which the suite allows"}
		case g.Verdict == result.NoData:
			c.Error = &junitProblem{Type: "no-data", Message: "too few samples to judge", Text: g.Note}
		default:
			c.Out = strings.TrimSuffix("observed "+g.Observed+", "+margin(g), ", ")
		}
		cases = append(cases, c)
	}
	return cases
}

// runCases judge the run itself: that it came to an end and that its ruler
// held.
func runCases(r *result.Result) []junitCase {
	ended := junitCase{Name: "the run came to its end with data", Time: strconv.FormatFloat(max(0, r.Ended.Sub(r.Started).Seconds()), 'f', 3, 64)}
	if r.Stop != nil {
		ended.Error = &junitProblem{Type: string(r.Stop.Kind), Message: r.Stop.Why, Text: strings.Join(r.Reasons, "\n")}
	} else if r.Buckets.Completed+r.Buckets.Failed+r.Buckets.Throttled == 0 {
		ended.Error = &junitProblem{Type: "no-data", Message: "no leg came to an end"}
	}
	held := junitCase{Name: "the generator held its schedule", Time: "0.000"}
	if len(r.Generator.Bent) > 0 {
		held.Error = &junitProblem{Type: "ruler", Message: r.Generator.Bent[0], Text: strings.Join(r.Generator.Bent, "\n")}
	}
	sums := junitCase{Name: "every planned leg is accounted for", Time: "0.000"}
	if err := r.Buckets.Check(); err != nil {
		sums.Error = &junitProblem{Type: "internal", Message: err.Error()}
	}
	return []junitCase{ended, held, sums}
}
