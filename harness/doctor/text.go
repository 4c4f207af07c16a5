package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

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
	if len(r.Hidden) > 0 {
		fmt.Fprintln(out, "\nnot visible from outside: ask on a server or in the tenant")
	}
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
	path, id := 0, 0
	for _, o := range checks {
		path, id = max(path, utf8.RuneCountInString(o.Path)), max(id, utf8.RuneCountInString(o.ID))
	}
	for _, o := range checks {
		evidence := o.Evidence
		if o.Mailbox != "" {
			evidence = o.Mailbox + ": " + evidence
		}
		hang(out, fmt.Sprintf("  %s  %-*s  %-*s  ", marks[o.Verdict], path, o.Path, id, o.ID), evidence)
		if o.Cause != "" {
			hang(out, "        cause:  ", o.Cause)
			hang(out, "        remedy: ", o.Remedy)
		}
	}
}

// columns is where lines break.
const columns = 100

// hang writes text behind a lead; what does not fit goes below its beginning.
func hang(out *strings.Builder, lead, text string) {
	line, indent := lead, strings.Repeat(" ", utf8.RuneCountInString(lead))
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			fmt.Fprintln(out, line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
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
