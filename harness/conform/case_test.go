package conform_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"cutover/harness/canon"
	"cutover/harness/conform"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/suites"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// caseFile is testdata/cases/*.yaml: pairs of answers, and the findings that they must give.
type caseFile struct {
	Cases []caseRow `yaml:"cases,required"`
}

type caseRow struct {
	Pos        strictyaml.Pos         `yaml:"-"`
	Name       string                 `yaml:"name,required"`
	Endpoint   string                 `yaml:"endpoint"` // default: GET /me/messages/{id}
	Left       string                 `yaml:"left"`
	Right      string                 `yaml:"right"`
	Dialects   string                 `yaml:"dialects" enum:"graph,rest,plain"` // graph (default): both; rest: rest on the left; plain: both
	Status     []int                  `yaml:"status"`                           // left, right; default 200, 200
	Headers    strictyaml.Map[string] `yaml:"headers"`                          // of both sides
	LeftHead   strictyaml.Map[string] `yaml:"left_headers"`
	RightHead  strictyaml.Map[string] `yaml:"right_headers"`
	Select     []string               `yaml:"select"`
	Rules      []suites.CompareRule   `yaml:"rules"`
	Stores     string                 `yaml:"stores"`
	Content    string                 `yaml:"content"`
	Identities []string               `yaml:"identities"` // left, right, left, right …
	Refs       []string               `yaml:"refs"`       // left, right
	Since      string                 `yaml:"since"`
	Tag        string                 `yaml:"tag"`    // the run's
	Masked     bool                   `yaml:"masked"` // values are not shown
	Want       []string               `yaml:"want"`   // "id pointer: left → right" [by side] [as severity]
	Skipped    string                 `yaml:"skipped"`
}

func loadCases(t testing.TB) []caseRow {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	var rows []caseRow
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f caseFile
		if problems := strictyaml.Decode(file, data, &f); len(problems) > 0 {
			t.Fatal(problems.Err())
		}
		rows = append(rows, f.Cases...)
	}
	return rows
}

func (c caseRow) options() conform.Options {
	o := conform.Options{Left: canon.Graph(), Right: canon.Graph(), Stores: c.Stores, Content: c.Content, ShowValues: !c.Masked, Key: []byte("test"), Tag: c.Tag}
	switch c.Dialects {
	case "rest":
		o.Left = canon.Rest("v2.0")
	case "plain":
		o.Left, o.Right = canon.Plain(), canon.Plain()
	}
	for i := 0; i+1 < len(c.Identities); i += 2 {
		o.Identities = append(o.Identities, [2]string{c.Identities[i], c.Identities[i+1]})
	}
	o.Since, _ = time.Parse(time.RFC3339, c.Since)
	return o
}

func (c caseRow) pair() conform.Pair {
	p := conform.Pair{Scenario: "s", Step: "t", Endpoint: c.Endpoint, Mailbox: "ann", Select: c.Select, Rules: c.Rules}
	if p.Endpoint == "" {
		p.Endpoint = "GET /me/messages/{id}"
	}
	p.Left = conform.Answer{Status: 200, Body: []byte(c.Left), Header: header(c.Headers, c.LeftHead)}
	p.Right = conform.Answer{Status: 200, Body: []byte(c.Right), Header: header(c.Headers, c.RightHead)}
	if len(c.Status) == 2 {
		p.Left.Status, p.Right.Status = c.Status[0], c.Status[1]
	}
	for i := 0; i+1 < len(c.Refs); i += 2 {
		p.Refs = append(p.Refs, conform.Ref{Left: c.Refs[i], Right: c.Refs[i+1]})
	}
	return p
}

func header(lists ...strictyaml.Map[string]) wire.Header {
	var h wire.Header
	for _, list := range lists {
		for _, e := range list {
			h = append(h, wire.Field{Name: e.Key, Value: e.Value})
		}
	}
	return h
}

// line prints a finding as the case files have it.
func line(f result.Finding) string {
	s := fmt.Sprintf("%s %s: %s → %s", f.ID, f.Pointer, f.Left, f.Right)
	if f.Attribution != "neither" {
		s += " by " + f.Attribution
	}
	if r, ok := conform.Explain(f.ID); ok && r.Severity != f.Severity {
		s += " as " + string(f.Severity)
	}
	if f.Because != "" {
		s += " because " + f.Because
	}
	return s
}

func lines(findings []result.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, line(f))
	}
	return out
}

var pseudonym = regexp.MustCompile(`#[0-9a-f]{10}`)

// numbered replaces pseudonyms by #1, #2 … in order of appearance: which are equal is what counts.
func numbered(lines []string) []string {
	seen := map[string]string{}
	for i, l := range lines {
		lines[i] = pseudonym.ReplaceAllStringFunc(l, func(s string) string {
			if seen[s] == "" {
				seen[s] = fmt.Sprintf("#%d", len(seen)+1)
			}
			return seen[s]
		})
	}
	return lines
}

func TestCasesGiveTheirFindings(t *testing.T) {
	for _, c := range loadCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			comparer := conform.New(c.options())
			comparer.Compare(c.pair())
			report := comparer.Report()
			if diff := cmp.Diff(c.Want, numbered(lines(report.Findings))); diff != "" {
				t.Errorf("%s: it %s\nleft  %s\nright %s\n(-want +got)\n%s", c.Pos, c.Name, c.Left, c.Right, diff)
			}
			skipped := ""
			for reason := range report.Comparison.Skipped {
				skipped = reason
			}
			if skipped != c.Skipped {
				t.Errorf("%s: it %s: skipped for %q, want %q", c.Pos, c.Name, skipped, c.Skipped)
			}
		})
	}
}
