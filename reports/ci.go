package reports

import (
	"fmt"
	"io"
	"strings"

	"cutover/harness/result"
)

// annotation is one line that a pipeline shows beside the suite.
type annotation struct {
	level   string // error or warning
	file    string
	line    int
	message string
}

// annotations lists what makes a run other than pass, and nothing else: a
// pipeline that is green shows none.
func annotations(r *result.Result, o Options) []annotation {
	file := o.SuiteFile
	if file == "" {
		file = r.SuiteFile
	}
	var out []annotation
	for _, f := range r.Blocking() {
		a := annotation{"error", file, 0, fmt.Sprintf("%s at %s %s: %s", f.ID, f.Scenario+"/"+f.Step, f.Pointer, findingLine(r, f))}
		if f.Where != nil {
			a.line = f.Where.Line
			if o.SuiteFile == "" {
				a.file = f.Where.File
			}
		}
		out = append(out, a)
	}
	for _, g := range r.Gates {
		switch {
		case g.Implicit:
		case g.Verdict == result.Fail:
			out = append(out, annotation{"error", file, g.Line, fmt.Sprintf("gate failed: %s (observed %s)", g.Gate, observed(g))})
		case g.Verdict == result.NoData && !g.MayBeEmpty:
			out = append(out, annotation{"warning", file, g.Line, "gate has no data: " + g.Gate})
		}
	}
	if r.Verdict == result.Inconclusive {
		out = append(out, annotation{"warning", file, 0, "inconclusive: " + strings.Join(r.Reasons, "; ")})
	}
	return out
}

// maxAnnotations is what GitHub shows of one level and step.
const maxAnnotations = 10

// writeGitHub writes workflow commands for stdout of a GitHub job.
func writeGitHub(w io.Writer, r *result.Result, o Options) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	all := annotations(r, o)
	for _, a := range all[:min(maxAnnotations, len(all))] {
		b.WriteString("::" + a.level + " ")
		if a.file != "" {
			b.WriteString("file=" + property.Replace(clean(a.file)) + ",")
			if a.line > 0 {
				fmt.Fprintf(&b, "line=%d,", a.line)
			}
		}
		b.WriteString("title=cutover " + property.Replace(clean(r.Suite)) + "::" + data.Replace(clean(a.message)) + "\n")
	}
	if line := consentWords(r); line != "" {
		b.WriteString("::notice title=cutover::" + data.Replace(line) + "\n")
	}
	if more := len(all) - maxAnnotations; more > 0 {
		fmt.Fprintf(&b, "::warning title=cutover::%d more are in the report\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeAzure writes logging commands for stdout of an Azure DevOps job.
func writeAzure(w io.Writer, r *result.Result, o Options) error {
	property := strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", ";", "%3B", "]", "%5D")
	data := strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
	var b strings.Builder
	for _, a := range annotations(r, o) {
		b.WriteString("##vso[task.logissue type=" + a.level)
		if a.file != "" {
			b.WriteString(";sourcepath=" + property.Replace(clean(a.file)))
			if a.line > 0 {
				fmt.Fprintf(&b, ";linenumber=%d", a.line)
			}
		}
		b.WriteString("]" + data.Replace(clean(a.message)) + "\n")
	}
	if line := consentWords(r); line != "" {
		b.WriteString("cutover: " + data.Replace(line) + "\n") // a line of the job's log
	}
	switch r.Verdict {
	case result.Fail:
		b.WriteString("##vso[task.complete result=Failed;]cutover: fail\n")
	case result.Inconclusive:
		b.WriteString("##vso[task.complete result=SucceededWithIssues;]cutover: inconclusive\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
