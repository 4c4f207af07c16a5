package reports

import (
	"fmt"
	"io"
	"strings"

	"cutover/harness/result"
)

// markdownFindings is how many differences a summary lists.
const markdownFindings = 20

// writeMarkdown writes a summary for a pull request or a pipeline's page:
// verdict, gates, operations, the weightiest differences.
func writeMarkdown(w io.Writer, r *result.Result, o Options) error {
	var b strings.Builder
	sim := ""
	if simulated(r) {
		sim = " (simulated)"
	}
	fmt.Fprintf(&b, "## %s %s%s: %s on %s\n\n", verdictSign(r.Verdict), strings.ToUpper(string(r.Verdict)), sim, md(r.Suite), md(r.Profile))
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "- %s\n", md(reason))
	}
	if len(r.Reasons) > 0 {
		b.WriteByte('\n')
	}
	var legs []string
	for _, l := range bucketWords(r.Buckets) {
		legs = append(legs, count(l.N)+" "+l.Label)
	}
	fmt.Fprintf(&b, "%s planned: %s.\n\n", plural(r.Buckets.Planned, "leg", "legs"), strings.Join(legs, ", "))
	markdownGates(&b, r)
	markdownOperations(&b, r)
	markdownDifferences(&b, r)
	if len(r.NotTested) > 0 {
		b.WriteString("### Not tested\n\n")
		for _, n := range r.NotTested {
			fmt.Fprintf(&b, "- %s\n", md(n))
		}
		b.WriteByte('\n')
	}
	if line := consentWords(r); line != "" {
		fmt.Fprintf(&b, "%s.\n\n", md(line))
	}
	if o.ReportPath != "" {
		fmt.Fprintf(&b, "Full report: %s\n", md(o.ReportPath))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func verdictSign(v result.Verdict) string {
	switch v {
	case result.Pass:
		return "✅"
	case result.Fail:
		return "❌"
	}
	return "⚠️"
}

// md makes a string text in Markdown, in a table cell too: whatever could
// begin markup or a link is escaped.
func md(s string) string {
	return markdownText.Replace(clean(s))
}

var markdownText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "://", "&#58;//", "www.", "www&#46;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "#", `\#`, "!", `\!`, "|", `\|`, "~", `\~`, "@", `\@`, "$", `\$`)

func markdownGates(b *strings.Builder, r *result.Result) {
	if len(r.Gates) == 0 {
		return
	}
	b.WriteString("### Gates\n\n| | gate | observed | margin |\n|---|---|--:|---|\n")
	for _, g := range r.Gates {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", verdictSign(g.Verdict), md(g.Gate), md(observed(g)), md(margin(g)))
	}
	b.WriteByte('\n')
}

func markdownOperations(b *strings.Builder, r *result.Result) {
	ops := distinct(operations(r))
	if len(ops) == 0 {
		return
	}
	b.WriteString("### What users would feel\n\nResponse times in milliseconds, from when a request was due.\n\n")
	b.WriteString("| operation | path | count | p50 | p95 | p99 | not ok |\n|---|---|--:|--:|--:|--:|---|\n")
	for _, op := range ops {
		for _, row := range op.rows() {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", md(op.Name()), md(row.Path), count(row.Count),
				ms(row.Response.P50), ms(row.Response.P95), ms(row.Response.P99), md(notOK(row)))
		}
		if s := op.Shift; s != nil && s.P50.Value != nil {
			fmt.Fprintf(b, "| | *shift* | | %s | %s | %s | %s |\n", signed(s.P50.Value), signed(s.P95.Value), signed(s.P99.Value), md(confidence(*s)))
		}
	}
	b.WriteByte('\n')
}

func markdownDifferences(b *strings.Builder, r *result.Result) {
	groups := byClass(r)
	if len(groups) == 0 {
		return
	}
	fmt.Fprintf(b, "### What your application would notice\n\n| class | severity | share | difference | where | %s | %s |\n|---|---|--:|---|---|---|---|\n",
		md(pathName(r, result.Left)), md(pathName(r, result.Right)))
	left := markdownFindings
	for _, g := range groups {
		for _, f := range g.Findings {
			if left == 0 {
				break
			}
			left--
			severity := string(f.Severity)
			if f.Waived {
				severity += ", waived"
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s %s | %s | %s |\n", f.Class, severity, share(f.Share), md(f.ID),
				md(f.Scenario+"/"+f.Step), md(f.Pointer), md(cut(shown(f.Left), 60)), md(cut(shown(f.Right), 60)))
		}
	}
	b.WriteByte('\n')
	if more := len(r.Findings) - markdownFindings; more > 0 {
		fmt.Fprintf(b, "%s in the full report.\n\n", plural(uint64(more), "more difference", "more differences"))
	}
}
