package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"cutover/harness/result"
)

// marks stand before a check's line.
var marks = map[result.Verdict]string{result.Pass: "ok  ", result.Warn: "WARN", result.Fail: "FAIL", result.Skip: "-   "}

// Write prints the report for people, grouped by what a failure blocks.
func (r *Report) Write(w io.Writer) error {
	out := &strings.Builder{}
	fmt.Fprintf(out, "doctor of profile %s", r.Profile)
	if r.Simulated {
		fmt.Fprint(out, " (SIMULATED)")
	}
	if r.Vantage != "" {
		fmt.Fprintf(out, ", seen from: %s", r.Vantage)
	}
	fmt.Fprintln(out)
	for _, group := range groups {
		r.group(out, group)
	}
	fmt.Fprintln(out, "\npath ready")
	for _, m := range r.Ready {
		line := "  " + m.Mailbox + ": " + m.Path
		if len(m.Blocking) > 0 {
			line += "  (blocked by " + strings.Join(m.Blocking, ", ") + ")"
		}
		fmt.Fprintln(out, line)
	}
	fmt.Fprintln(out, "\nnot visible from outside: ask on a server or in the tenant")
	for _, h := range r.Hidden {
		fmt.Fprintf(out, "  %s\n      %s\n", h.What, h.Shows)
	}
	fmt.Fprintln(out, "\n"+r.sum())
	_, err := io.WriteString(w, out.String())
	return err
}

// group prints the checks of one group, the failing ones with cause and remedy.
func (r *Report) group(out *strings.Builder, group string) {
	checks := slices.DeleteFunc(slices.Clone(r.Checks), func(o Outcome) bool { return o.Blocks != group })
	if len(checks) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", group)
	lines := &strings.Builder{}
	tab := tabwriter.NewWriter(lines, 0, 0, 2, ' ', 0)
	for _, o := range checks {
		evidence := o.Evidence
		if o.Mailbox != "" {
			evidence = o.Mailbox + ": " + evidence
		}
		fmt.Fprintf(tab, "  %s\t%s\t%s\t%s\n", marks[o.Verdict], o.Path, o.ID, evidence)
	}
	_ = tab.Flush() // into memory
	for i, line := range strings.Split(strings.TrimSuffix(lines.String(), "\n"), "\n") {
		fmt.Fprintln(out, strings.TrimRight(line, " "))
		if o := checks[i]; o.Cause != "" {
			fmt.Fprintf(out, "        cause:  %s\n        remedy: %s\n", o.Cause, o.Remedy)
		}
	}
}

// sum is the verdict, the last line.
func (r *Report) sum() string {
	n := map[result.Verdict]int{}
	for _, o := range r.Checks {
		n[o.Verdict]++
	}
	text := fmt.Sprintf("%d ok, %d warn, %d fail, %d not probed: ", n[result.Pass], n[result.Warn], n[result.Fail], n[result.Skip])
	if r.Failed() {
		return text + "NOT READY"
	}
	return text + "ready"
}
