package conform

import (
	"fmt"
	"strings"
	"time"

	"cutover/harness/result"
	"cutover/suites/strictyaml"
)

// Amend puts a waiver into a file of waivers. It replaces an earlier one of the same fingerprint and keeps
// everything else as it is written. told says what else the file has about the finding, "" for nothing.
// The error is strictyaml.Problems.
func Amend(file string, data []byte, f result.Finding, draft string, now time.Time) (text []byte, told string, err error) {
	out := string(data)
	if strings.TrimSpace(out) == "" {
		out = "waivers:\n"
	}
	if !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	have, err := ParseWaivers(file, []byte(out))
	if err != nil && strings.TrimSpace(string(data)) != "" {
		return nil, "", err
	}
	if have != nil {
		lines := strings.SplitAfter(out, "\n")
		for i := len(have.Waivers) - 1; i >= 0; i-- {
			one := have.Waivers[i]
			switch {
			case one.Finding == f.Fingerprint && one.Where == "" && !strings.HasPrefix(strings.TrimSpace(lines[one.Pos.Line-1]), "-"):
				return nil, "", strictyaml.Problems{{Pos: one.Pos, Msg: "this waiver is of the same finding: change it here"}}
			case one.Finding == f.Fingerprint && one.Where == "":
				lines = without(lines, one.Pos.Line-1)
				told = ", in place of the one until " + one.Expires
			case one.covers(f) && now.Before(one.until):
				told += fmt.Sprintf(" (line %d of it already covers %s until %s)", one.Pos.Line, one.Finding, one.Expires)
			}
		}
		out = strings.Join(lines, "")
	}
	out += draft
	if _, err := ParseWaivers(file, []byte(out)); err != nil {
		return nil, "", err
	}
	return []byte(out), told, nil
}

// without cuts a list's item that begins at a line, with the comment directly above it.
func without(lines []string, at int) []string {
	dash := strings.Index(lines[at], "-")
	end := at + 1
	for end < len(lines) && deeper(lines[end], dash) {
		end++
	}
	for end > at+1 && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	for at > 0 && strings.HasPrefix(strings.TrimSpace(lines[at-1]), "#") {
		at--
	}
	return append(append([]string{}, lines[:at]...), lines[end:]...)
}

// deeper reports whether a line belongs to an item whose dash stands at a column.
func deeper(line string, dash int) bool {
	text := strings.TrimLeft(line, " ")
	return strings.TrimSpace(text) == "" || len(line)-len(text) > dash
}
