package reports

import (
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// columns measures text as a terminal shows it. East Asian ambiguity is
// settled here and not by the environment, so that the bytes are the same
// everywhere.
var columns = runewidth.Condition{EastAsianWidth: false, StrictEmojiNeutral: true}

// clean makes a string from outside harmless on a terminal: control
// characters (escape sequences begin with one), line breaks and marks that
// reorder text become a visible stand-in.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar, r == '\u2028', r == '\u2029':
			return '·'
		}
		return r
	}, s)
}

// cut shortens s to at most width columns, marking the loss.
func cut(s string, width int) string {
	if width < 1 {
		return ""
	}
	return columns.Truncate(s, width, "…")
}

// pad fills s with spaces on the right up to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns.StringWidth(s)))
}

// padLeft fills s with spaces on the left up to width columns.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-columns.StringWidth(s))) + s
}

// paint is a style of the terminal.
type paint string

// The styles. On-prem is blue and cloud is yellow in every report.
const (
	plain  paint = ""
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	blue   paint = "34"
	alarm  paint = "1;31"
	good   paint = "1;32"
	unsure paint = "1;33"
)

// cell is a piece of text with its style; width counts the text alone.
type cell struct {
	text  string
	paint paint
	right bool // aligned right
}

// table aligns rows of cells in columns, two spaces apart. Cells are already
// clean. A row shorter than others ends early; its last cell takes no part in
// the width of its column.
func table(rows [][]cell, indent string, color bool) string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 || c.right {
				widths[i] = max(widths[i], columns.StringWidth(c.text))
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			text := c.text
			switch {
			case c.right:
				text = padLeft(text, widths[i])
			case i < len(row)-1:
				text = pad(text, widths[i])
			}
			line.WriteString(styled(text, c.paint, color))
		}
		b.WriteString(strings.TrimRight(indent+line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// styled wraps text in a style; spaces around it stay outside.
func styled(text string, p paint, color bool) string {
	if !color || p == plain || strings.TrimSpace(text) == "" {
		return text
	}
	trimmed := strings.TrimLeft(text, " ")
	lead := text[:len(text)-len(trimmed)]
	body := strings.TrimRight(trimmed, " ")
	return lead + "\x1b[" + string(p) + "m" + body + "\x1b[0m" + trimmed[len(body):]
}

// wrap breaks text at spaces into lines of at most width columns.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = cut(word, width)
		case columns.StringWidth(line)+1+columns.StringWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = cut(word, width)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
