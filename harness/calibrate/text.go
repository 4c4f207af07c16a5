package calibrate

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "The instrument, measured on %s in %.0f s\n\n", r.Machine, r.TookS)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tab, "truth\tthe lab's own\tmeasured\terror\tlimit\t\t  what\n")
	for _, m := range r.Measured {
		lab := "–"
		if m.Lab != nil {
			lab = figure(*m.Lab)
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t± %s\t%s\t  %s\n", figure(m.Truth), lab, figure(m.Measured), signed(m.Error), figure(m.Limit), m.Unit, said(m.What, m.Held))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if c := r.Capacity; c.HeldPS > 0 {
		fmt.Fprintf(w, "Capacity: %s requests/s beside a cheap target on the same machine", figure(c.HeldPS))
		if c.FailedPS > 0 {
			fmt.Fprintf(w, "; not %s/s", figure(c.FailedPS))
		}
		fmt.Fprintln(w)
		fmt.Fprintf(w, "At %s/s, twice that: %s, exit code %d\n", figure(r.Overload.AskedPS), said(r.Overload.Verdict, r.Overload.Held), r.Overload.ExitCode)
		for _, reason := range r.Overload.Reasons {
			fmt.Fprintf(w, "  · %s\n", reason)
		}
	}
	fmt.Fprintln(w)
	if r.Held {
		_, err := fmt.Fprintln(w, "The instrument can be believed on this machine, up to that rate.")
		return err
	}
	_, err := fmt.Fprintf(w, "The instrument cannot be believed on this machine at the moment:\n  · %s\n", strings.Join(r.Reasons, "\n  · "))
	return err
}

func said(what string, held bool) string {
	if held {
		return what
	}
	return what + "  ← beyond its limit"
}

// figure prints three significant digits, thousands in full.
func figure(v float64) string {
	digits := 0
	switch a := max(v, -v); {
	case a == 0:
		return "0"
	case a < 1:
		digits = 3
	case a < 10:
		digits = 2
	case a < 100:
		digits = 1
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		whole += "." + fraction
	}
	return whole
}

func signed(v float64) string {
	if v > 0 {
		return "+" + figure(v)
	}
	return figure(v)
}
