package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"cutover/harness/canon"
	"cutover/harness/result"
	"cutover/suites"
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
	left, right := asked[0].lines(values), asked[1].lines(values)
	row := func(l, r string) {
		fmt.Fprintf(a.Stdout, "%s │ %s\n", fit(l, column), strings.TrimRight(fit(r, column), " "))
	}
	row(asked[0].path.Name+"  "+asked[0].outcome(), asked[1].path.Name+"  "+asked[1].outcome())
	row(strings.Repeat("─", column), strings.Repeat("─", column))
	for i := range min(max(len(left), len(right)), maxCallLines) {
		row(at(left, i), at(right, i))
	}
	if more := max(len(left), len(right)) - maxCallLines; more > 0 {
		fmt.Fprintf(a.Stdout, "… %d more lines\n", more)
	}
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
	if !ok {
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
	switch n.Kind() {
	case canon.Object, canon.Array:
		*lines = append(*lines, indent+label+fmt.Sprintf("(%d)", n.Len()))
		i := 0
		for child := range n.Children() {
			name := child.Key() + ": "
			if n.Kind() == canon.Array {
				name = fmt.Sprintf("[%d] ", i)
			}
			outline(lines, indent+"  ", name, child, values)
			i++
		}
	case canon.String:
		text := fmt.Sprintf("<text of %d>", utf8.RuneCountInString(n.Text()))
		if values {
			text = fmt.Sprintf("%q", n.Text())
		}
		*lines = append(*lines, indent+label+text)
	default:
		*lines = append(*lines, indent+label+string(n.Raw()))
	}
}

// printFindings prints the differences, breaking ones first. The error carries
// exit code 1 when one of them breaks an application.
func (a *App) printFindings(found []result.Finding) error {
	if len(found) == 0 {
		fmt.Fprintln(a.Stdout, "\nno difference")
		return nil
	}
	fmt.Fprintf(a.Stdout, "\n%d differences\n", len(found))
	breaking := false
	for _, f := range found {
		breaking = breaking || f.Blocks()
		fmt.Fprintf(a.Stdout, "  %-10s %-8s %-18s %s\n", f.Class, f.Severity, f.ID, f.Pointer)
		fmt.Fprintf(a.Stdout, "             %s → %s\n", f.Left, f.Right)
	}
	fmt.Fprintf(a.Stdout, "`cutover explain %s` says more\n", found[0].ID)
	if breaking {
		return &exitError{code: exitFail}
	}
	return nil
}

// saveStep appends the call to a file as a step that a suite can hold.
func saveStep(file string, op suites.Operation) (err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "      - name: call\n        %s: %q\n", strings.ToLower(op.Method), op.URL)
	if len(op.Query) > 0 {
		b.WriteString("        query:\n")
		for _, q := range op.Query {
			fmt.Fprintf(&b, "          %s: %q\n", q.Key, q.Value.Text())
		}
	}
	if !op.Body.IsZero() {
		fmt.Fprintf(&b, "        body: %s\n", op.Body.JSON())
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return usageError("", "--save: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(b.String())
	return err
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
