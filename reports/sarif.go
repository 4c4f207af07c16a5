package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"cutover/harness/result"
)

// SARIF 2.1.0, the part that code-scanning pages read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool      `json:"tool"`
		Automation sarifID        `json:"automationDetails"`
		Results    []sarifResult  `json:"results"`
		Properties map[string]any `json:"properties"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Count        uint64             `json:"occurrenceCount,omitempty"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifURI     `json:"artifactLocation"`
		Region   *sarifRegion `json:"region,omitempty"`
	}
	sarifURI struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// gateRule is the rule id of failed gates.
const gateRule = "gate"

// writeSARIF writes every difference at the line of the suite that asked, and
// every gate that did not hold. Waived differences are suppressed.
func writeSARIF(w io.Writer, r *result.Result, o Options) error {
	run := sarifRun{
		Automation: sarifID{"cutover/" + r.Suite + "/" + r.Profile}, Results: []sarifResult{},
		Properties: map[string]any{"verdict": r.Verdict, "target": r.Target, "run": r.RunID, "exitCode": r.ExitCode},
	}
	if r.Consent != nil {
		run.Properties["consentSHA256"] = r.Consent.SHA256
	}
	run.Tool.Driver = sarifDriver{Name: "cutover", Version: r.Versions.Cutover, Rules: []sarifRule{}}
	index := map[string]int{}
	rule := func(id, short, help string) int {
		at, known := index[id]
		if !known {
			at = len(run.Tool.Driver.Rules)
			index[id] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id, sarifText{orElse(short, id)}, sarifText{orElse(help, "cutover explain "+id)}})
		}
		return at
	}
	for _, g := range byClass(r) {
		for _, f := range g.Findings {
			s := sarifResult{RuleID: f.ID, RuleIndex: rule(f.ID, f.Title, f.Remedy), Level: sarifLevel(f.Severity),
				Message: sarifText{findingLine(r, f) + " at " + f.Pointer}, Locations: sarifWhere(f.Where, f.Scenario+"/"+f.Step, r, o), Count: f.Count,
				Properties: map[string]any{"class": f.Class, "severity": f.Severity, "share": f.Share, "attribution": f.Attribution}}
			if f.Fingerprint != "" {
				s.Fingerprints = map[string]string{"cutover/v1": f.Fingerprint}
			}
			if f.Waived {
				s.Suppressions = []sarifSuppression{{"external", "accepted", waivedBecause(f)}}
			}
			run.Results = append(run.Results, s)
		}
	}
	for _, g := range r.Gates {
		if g.Implicit || g.Verdict == result.Pass || g.Verdict == result.NoData && g.MayBeEmpty {
			continue
		}
		run.Results = append(run.Results, sarifResult{RuleID: gateRule, RuleIndex: rule(gateRule, "a gate of the suite", "look at the latency table of the report"),
			Level: "error", Message: sarifText{fmt.Sprintf("%s: %s (observed %s)", g.Verdict, g.Gate, observed(g))},
			Locations: sarifWhere(&result.Where{File: r.SuiteFile, Line: g.Line}, "gates", r, o)})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// sarifLevel maps severities to SARIF's four levels.
func sarifLevel(s result.Severity) string {
	switch s {
	case result.Critical, result.Major:
		return "error"
	case result.Minor:
		return "warning"
	}
	return "note"
}

// sarifWhere names the line of the suite, and the step for suites that have no
// file.
func sarifWhere(where *result.Where, name string, r *result.Result, o Options) []sarifLocation {
	location := sarifLocation{Logical: []sarifLogical{{name, "function"}}}
	file := orElse(o.SuiteFile, r.SuiteFile)
	line, col := 0, 0
	if where != nil {
		line, col = where.Line, where.Col
		if o.SuiteFile == "" {
			file = orElse(where.File, file)
		}
	}
	if file != "" {
		location.Physical = &sarifPhysical{Artifact: sarifURI{sarifPath(file)}}
		if line > 0 {
			location.Physical.Region = &sarifRegion{line, col}
		}
	}
	return []sarifLocation{location}
}

// sarifPath makes a relative URI of a path: forward slashes, and every byte
// that a URI does not take escaped.
func sarifPath(file string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ReplaceAll(file, `\`, "/")) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
