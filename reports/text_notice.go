package reports

import (
	"fmt"
	"strconv"
	"strings"

	"cutover/harness/result"
)

// perClass is how many findings of a class the terminal shows; the HTML report
// has the others.
const perClass = 6

// noticed lists the differences by class.
func (t *textReport) noticed() {
	r := t.r
	aside := ""
	if c := r.Comparison; c.Pairs > 0 {
		aside = fmt.Sprintf("%s of %s compared, %s equal", count(c.Compared), plural(c.Pairs, "pair", "pairs"), count(c.Equal))
	}
	t.section("What your application would notice", aside)
	if r.Before != nil {
		t.wrapped("  ", heldAgainst(r.Before), plain)
	}
	groups := byClass(r)
	if len(groups) == 0 {
		t.line("  ", nothingNoticed(r))
	}
	for _, g := range groups {
		t.group(g)
	}
	t.pressure()
	t.waivers()
	if words := divergedWords(r); words != "" {
		t.wrapped("  ", words, plain)
	}
	if words := assurance(r.Comparison); words != "" {
		t.wrapped("  ", words, plain)
	}
	if i := r.Identities; i != (result.Identities{}) {
		t.wrapped("  ", fmt.Sprintf("identities: %s matched, %s merged, %s split", count(i.Matched), count(i.Merged), count(i.Split)), plain)
	}
}

// nothingNoticed says why there is no difference to show.
func nothingNoticed(r *result.Result) string {
	switch {
	case len(r.Paths) == 1 && r.Before == nil:
		return "one path was asked alone: there was nothing to compare"
	case r.Comparison.Compared == 0:
		return "no pair of answers was compared"
	}
	return "no difference"
}

func (t *textReport) group(g classGroup) {
	heading := fmt.Sprintf("%s: %s", g.Class, plural(uint64(len(g.Findings)), "difference", "differences"))
	if g.About != "" {
		heading += ", " + g.About
	}
	if g.Waived > 0 {
		heading += fmt.Sprintf(" (%d waived)", g.Waived)
	}
	color := plain
	if g.Class == result.Breaking {
		color = alarm
	}
	t.line("  ", t.paint(cut(heading, t.width-2), color))
	rules := byRule(g.Findings)
	shown := rules[:min(perClass, len(rules))]
	rows := make([][]cell, 0, len(shown))
	for _, f := range shown {
		rows = append(rows, ruleCells(f))
	}
	for i, line := range strings.Split(strings.TrimSuffix(table(fitted(rows, t.width-4), "    ", t.o.Color), "\n"), "\n") {
		t.b.WriteString(line + "\n")
		t.values(shown[i].Finding)
		if g.Class == result.Breaking && !shown[i].Waived {
			t.proof(shown[i].Finding, i == 0)
		}
	}
	if more := len(rules) - len(shown); more > 0 {
		t.line("    ", fmt.Sprintf("… and %s in the report", plural(uint64(more), "more kind", "more kinds")))
	}
}

func ruleCells(f rule) []cell {
	severity := string(f.Severity)
	if f.Waived {
		severity = "waived"
	}
	where := f.Scenario + "/" + f.Step
	if f.Pointer != "" {
		where += " " + f.Pointer
	}
	if f.Places > 1 {
		where = fmt.Sprintf("%d places, as %s", f.Places, where)
	}
	return []cell{{text: padLeft(share(f.Share), 7)}, {text: pad(severity, 8), paint: severityPaint(f.Finding)},
		{text: pad(clean(f.ID), 18), paint: bold}, {text: clean(where)}}
}

// fitted cuts the last column so that the widest row fits.
func fitted(rows [][]cell, width int) [][]cell {
	if len(rows) == 0 {
		return rows
	}
	last := len(rows[0]) - 1
	used := 0
	for i := range last {
		widest := 0
		for _, row := range rows {
			widest = max(widest, columns.StringWidth(row[i].text))
		}
		used += widest + 2
	}
	for _, row := range rows {
		row[last].text = cut(row[last].text, max(0, width-used))
	}
	return rows
}

// values shows both sides of a finding under it, each cut to half the line.
func (t *textReport) values(f result.Finding) {
	if f.Left == "" && f.Right == "" {
		return
	}
	half := max(8, (t.width-25)/2)
	side := func(v string) string {
		if v == "" {
			return "absent"
		}
		return cut(clean(v), half)
	}
	t.b.WriteString("                       " + t.paint(side(f.Left), blue) + " → " + t.paint(side(f.Right), yellow) + "\n")
}

func severityPaint(f result.Finding) paint {
	switch {
	case f.Waived:
		return dim
	case f.Severity == result.Critical:
		return alarm
	case f.Severity == result.Major:
		return red
	case f.Severity == result.Minor:
		return yellow
	}
	return dim
}

// answers shows what one mailbox says on different routes.
func (t *textReport) answers() {
	if len(t.r.Answers) == 0 {
		return
	}
	first := t.r.Answers[0]
	t.section(answersHeading(t.r.Answers), clean(first.Mailbox))
	route, token := 0, 0
	for _, a := range t.r.Answers {
		route = min(24, max(route, columns.StringWidth(clean(a.Route))))
		token = min(16, max(token, columns.StringWidth(clean(a.Token))))
	}
	for _, a := range t.r.Answers {
		status, color := "none", red
		if a.Status > 0 {
			status = strconv.Itoa(a.Status)
		}
		if a.Status >= 200 && a.Status < 300 {
			color = green
		}
		lead := "  " + pad(cut(clean(a.Route), route), route) + "  " + pad(cut(clean(a.Token), token), token) + "  "
		words := wrap(clean(said(a)), max(20, t.width-columns.StringWidth(lead)-6))
		if len(words) == 0 {
			words = []string{""}
		}
		t.b.WriteString(strings.TrimRight(lead+t.paint(pad(status, 4), color)+"  "+words[0], " ") + "\n")
		for _, more := range words[1:] {
			t.b.WriteString(strings.Repeat(" ", columns.StringWidth(lead)+6) + more + "\n")
		}
	}
}

// answersHeading counts the answers in words up to six.
func answersHeading(answers []result.Answer) string {
	words := []string{"no answer", "one answer", "two answers", "three answers", "four answers", "five answers", "six answers"}
	if n := len(answers); n < len(words) {
		return "One mailbox, " + words[n]
	}
	return fmt.Sprintf("One mailbox, %d answers", len(answers))
}

// said joins the code and the words of an answer; without either, what it
// means.
func said(a result.Answer) string {
	parts := make([]string, 0, 2)
	for _, p := range []string{a.Code, a.Says} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return a.Meaning
	}
	return strings.Join(parts, ": ")
}
