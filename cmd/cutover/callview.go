package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// maxCallLines bounds what one answer shows; the rest is counted.
const maxCallLines = 120

// showCall prints the answers side by side, or one below the other when they
// are shown raw or only one side was asked.
func (a *App) showCall(asked []*side, raw, values bool) {
	if raw || len(asked) == 1 {
		for _, s := range asked {
			fmt.Fprintf(a.Stdout, "── %s ── %s\n", s.path.Name, s.outcome())
			lines := s.lines(values)
			if raw {
				lines = s.rawLines()
			}
			fmt.Fprintln(a.Stdout, strings.Join(lines, "\n"))
		}
		return
	}
	column := max(30, (a.width(a.Stdout)-3)/2)
	row := func(l, mark, r string) {
		fmt.Fprintf(a.Stdout, "%s %s %s\n", fit(l, column), mark, strings.TrimRight(fit(r, column), " "))
	}
	row(asked[0].path.Name+"  "+asked[0].outcome(), "│", asked[1].path.Name+"  "+asked[1].outcome())
	row(strings.Repeat("─", column), "┼", strings.Repeat("─", column))
	rows := answerRows(asked[0], asked[1], values)
	for _, r := range rows[:min(len(rows), maxCallLines)] {
		mark := "│"
		if r.differ {
			mark = "≠"
		}
		row(r.left, mark, r.right)
	}
	if more := len(rows) - maxCallLines; more > 0 {
		fmt.Fprintf(a.Stdout, "… %s\n", quantity(more, "more line", "more lines"))
	}
}

// answerRows lays two answers side by side, line by line where one of them is no JSON.
func answerRows(left, right *side, values bool) []callRow {
	l, lok := left.canonical()
	r, rok := right.canonical()
	if lok && rok && left.reason == "" && right.reason == "" {
		return callRows(nil, "", "", l, r, values)
	}
	var rows []callRow
	ll, rl := left.lines(values), right.lines(values)
	for i := range max(len(ll), len(rl)) {
		rows = append(rows, callRow{left: at(ll, i), right: at(rl, i)})
	}
	return rows
}

// outcome is the status and the time of an answer.
func (s *side) outcome() string {
	if s.reason != "" {
		return "not asked: " + s.reason
	}
	t := s.call.Timing
	return fmt.Sprintf("%d in %s", s.call.Response.Status, shortDuration(t.Done.Sub(t.Sent)))
}

// lines is the body as the comparison sees it, one property a line.
func (s *side) lines(values bool) []string {
	if s.reason != "" {
		return nil
	}
	root, ok := s.canonical()
	switch {
	case !ok && len(s.call.Response.Body) == 0:
		return []string{"(no body)"}
	case !ok:
		return []string{fmt.Sprintf("(%d bytes that are no JSON)", len(s.call.Response.Body))}
	}
	var lines []string
	outline(&lines, "", "", root, values)
	return lines
}

func (s *side) rawLines() []string {
	var lines []string
	for _, f := range s.call.Response.Header {
		if strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		lines = append(lines, f.Name+": "+f.Value)
	}
	return append(lines, "", string(s.call.Response.Body))
}

// outline appends a node and what is below it. Without values, text shows its
// length alone: mailbox content stays where it is.
func outline(lines *[]string, indent, label string, n canon.Node, values bool) {
	*lines = append(*lines, nodeLine(indent, label, n, values))
	i := 0
	for child := range n.Children() {
		name := child.Key() + ": "
		if n.Kind() == canon.Array {
			name = fmt.Sprintf("[%d] ", i)
		}
		outline(lines, indent+"  ", name, child, values)
		i++
	}
}

// quantity is a number with its noun.
func quantity(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printFindings prints the differences, breaking ones first. The error carries
// exit code 1 when one of them breaks an application.
func (a *App) printFindings(found []result.Finding) error {
	if len(found) == 0 {
		fmt.Fprintln(a.Stdout, "\nno difference")
		return nil
	}
	fmt.Fprintf(a.Stdout, "\n%s\n", quantity(len(found), "difference", "differences"))
	breaking := false
	for _, f := range found {
		breaking = breaking || f.Blocks()
		fmt.Fprintf(a.Stdout, "  %-10s %-8s %-18s %s\n", f.Class, f.Severity, f.ID, f.Pointer)
		if half := (a.width(a.Stdout) - 16) / 2; len(f.Left)+len(f.Right) > 2*half {
			f.Left, f.Right = strings.TrimRight(fit(f.Left, half), " "), strings.TrimRight(fit(f.Right, half), " ")
		}
		fmt.Fprintf(a.Stdout, "             %s → %s\n", f.Left, f.Right)
	}
	fmt.Fprintf(a.Stdout, "`cutover explain %s` says more\n", found[0].ID)
	if breaking {
		return &exitError{code: exitFail}
	}
	return nil
}

// fit cuts or pads a line to a column.
func fit(s string, width int) string {
	n := utf8.RuneCountInString(s)
	if n <= width {
		return s + strings.Repeat(" ", width-n)
	}
	return string([]rune(s)[:width-1]) + "…"
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
