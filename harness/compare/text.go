package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"cutover/harness/result"
)

// WriteJSON writes the report as JSON, two-space indent, a final newline.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return nil
}

// WriteText writes the report for a person: times with their shift first, then what else
// changed, the verdict last. The same report is the same bytes.
func (r *Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	r.head(&out)
	r.times(&out)
	r.others(&out)
	r.verdict(&out)
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Report) head(out *bytes.Buffer) {
	simulated := ""
	if r.Target == result.Simulated {
		simulated = ", SIMULATED"
	}
	fmt.Fprintf(out, "%s on %s%s: %s against %s, %s\n", r.Run.Suite, r.Run.Profile, simulated,
		runs(len(r.Run.Runs)), runs(len(r.Base.Runs)), r.Mode)
	fmt.Fprintf(out, "  base  %s\n  run   %s\n", list(r.Base.Runs), list(r.Run.Runs))
	for _, d := range r.Differ {
		fmt.Fprintf(out, "  %s: %s, was %s\n", d.What, orNone(d.Run), orNone(d.Base))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "  note: %s\n", note)
	}
}

func (r *Report) times(out *bytes.Buffer) {
	if len(r.Tests) == 0 {
		return
	}
	fmt.Fprint(out, "\nResponse times\n")
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "  step\tpath\t\tbase ms\trun ms\tshift %\t95 %\tp\tsays\t\n")
	for _, t := range r.Tests {
		fmt.Fprintf(w, "  %s/%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", t.Scenario, t.Step, t.Path, QuantileName(t.Quantile),
			figure(t.Base), figure(t.Run), share100(t.Shift.Value), interval(t.Shift), chance(t.Adjusted), t.Says)
	}
	w.Flush()
	out.WriteString(leftFirst(table.String()))
	fmt.Fprintf(out, "  slower: from %s on, at a level of %s over all %d tests (Holm); same: at most %s slower\n",
		percent(r.MinEffect), percent(r.Level), len(r.Tests), percent(r.Margin))
	if r.Mode == WithinRuns {
		out.WriteString("  " + r.bandSays() + "\n")
	}
}

// bandSays tells what two single runs can and cannot show.
func (r *Report) bandSays() string {
	assumed, low, high := 0, 0.0, 0.0
	for i, t := range r.Tests {
		if t.Assumed {
			assumed++
		}
		if i == 0 || t.Band < low {
			low = t.Band
		}
		high = max(high, t.Band)
	}
	switch {
	case assumed == len(r.Tests):
		return fmt.Sprintf("intervals hold within these runs; runs are assumed to differ by %s anyway (give --history, or several runs a side)", percent(DefaultBand))
	case assumed > 0:
		return fmt.Sprintf("intervals hold within these runs; runs differ by up to %s anyway (by history; %d tests assume %s)", percent(high), assumed, percent(DefaultBand))
	case low == high:
		return fmt.Sprintf("intervals hold within these runs; by history, runs differ by up to %s anyway", percent(high))
	}
	return fmt.Sprintf("intervals hold within these runs; by history, runs differ by up to %s to %s anyway", percent(low), percent(high))
}

func (r *Report) others(out *bytes.Buffer) {
	if len(r.Shapes) > 0 {
		fmt.Fprint(out, "\nThe shape of the times changed (a description, it decides nothing)\n")
		for _, s := range r.Shapes {
			fmt.Fprintf(out, "  %s/%s on %s: distance %s, chance gives %s\n", s.Scenario, s.Step, s.Path, figure(s.Distance), figure(s.Noise))
		}
	}
	if len(r.Failures) > 0 {
		fmt.Fprint(out, "\nFailed requests\n")
		for _, f := range r.Failures {
			fmt.Fprintf(out, "  %s/%s on %s: %s, was %s%s\n", f.Scenario, f.Step, f.Path, percent(f.Run), percent(f.Base), mark(f.More))
		}
	}
	fmt.Fprint(out, "\nFindings\n")
	if len(r.Findings) == 0 {
		fmt.Fprint(out, "  none is new, grown or gone\n")
	}
	for _, c := range r.Findings {
		fmt.Fprintf(out, "  %-5s  %s  %s/%s  %s  (%s, %s)", c.What, c.ID, c.Scenario, c.Step, c.Pointer, c.Class, c.Severity)
		switch c.What {
		case New:
			fmt.Fprintf(out, "  %s of the pairs, %d of %s", percent(c.RunShare), c.RunRuns, runs(len(r.Run.Runs)))
		case Grown:
			fmt.Fprintf(out, "  %s of the pairs, was %s", percent(c.RunShare), percent(c.BaseShare))
		default:
			fmt.Fprintf(out, "  was %s of the pairs", percent(c.BaseShare))
		}
		fmt.Fprintf(out, "%s\n", mark(c.Blocks))
	}
}

func (r *Report) verdict(out *bytes.Buffer) {
	says := strings.ToUpper(string(r.Verdict))
	if r.Target == result.Simulated {
		says += " (simulated)"
	}
	fmt.Fprintf(out, "\nVerdict: %s\n", says)
	for _, reason := range r.Reasons {
		fmt.Fprintf(out, "  %s\n", reason)
	}
}

// leftFirst turns the right-aligned first column of a table to the left.
func leftFirst(table string) string {
	var out strings.Builder
	for line := range strings.Lines(table) {
		rest := strings.TrimLeft(line, " ")
		pad := len(line) - len(rest)
		word, columns, _ := strings.Cut(rest, " ")
		out.WriteString("  " + word + strings.Repeat(" ", max(0, pad-2)) + " " + strings.TrimRight(columns, " \n") + "\n")
	}
	return out.String()
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}

// list names at most three runs.
func list(ids []string) string {
	if len(ids) <= 3 {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s … %s (%d)", ids[0], ids[len(ids)-1], len(ids))
}

func orNone(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func mark(bad bool) string {
	if bad {
		return "  ← fails"
	}
	return ""
}

// figure writes three significant digits.
func figure(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func share100(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%+.1f", *v*100)
}

func interval(i result.Interval) string {
	if i.Low == nil || i.High == nil {
		return "–"
	}
	return share100(i.Low) + " … " + share100(i.High)
}

func chance(p *float64) string {
	switch {
	case p == nil:
		return "–"
	case *p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", *p)
}
