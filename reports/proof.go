package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cutover/harness/result"
)

// clustersShown bounds the groups of findings that the terminal names; the HTML report has all.
const clustersShown = 3

// resentWords says what became of asking for a difference once more.
func resentWords(e *result.Evidence) string {
	switch {
	case e == nil:
		return ""
	case e.Resent == result.PersistsReduced:
		return "persists: asked again for one property alone, it is still there"
	case e.Resent == result.PersistsFull:
		return "persists: asked again as the suite asks, it is still there"
	case e.Because != "":
		return fmt.Sprintf("%s: %s", e.Resent, e.Because)
	}
	return string(e.Resent)
}

// proofLines are what a difference's evidence says, a line each.
func proofLines(f result.Finding) (lines []string) {
	if f.Pressure != "" {
		lines = append(lines, "under load: "+f.Pressure)
	}
	if e := f.Evidence; e != nil {
		lines = append(lines, "asked again: "+resentWords(e), "left:  "+e.Left, "right: "+e.Right)
	}
	return lines
}

// proofSize is how many bytes a difference's evidence takes on the page.
func proofSize(f result.Finding) int {
	if f.Evidence == nil {
		return 0
	}
	return 140 + len(f.Evidence.Left) + len(f.Evidence.Right) + len(f.Evidence.Because)
}

// bounds words a share with what chance leaves open: "12 % (8 % … 17 %)".
func bounds(value, low, high float64) string {
	if high == 0 {
		return share(value)
	}
	return fmt.Sprintf("%s (%s … %s)", share(value), share(low), share(high))
}

// rates names the offered rates of a band.
func rates(b result.LoadBand) string {
	if sig3(b.From) == sig3(b.To) {
		return sig3(b.From) + "/s"
	}
	return sig3(b.From) + " … " + sig3(b.To) + "/s"
}

// pressured reports whether the load had several levels, so that differences can be held against it.
func pressured(r *result.Result) bool { return len(r.Comparison.ByLoad) > 1 }

// proof says below a difference whether it was seen again and from which load on, and gives the worst one's
// requests.
func (t *textReport) proof(f result.Finding, requests bool) {
	const lead = "                       "
	for _, words := range []string{f.Pressure, resentWords(f.Evidence)} {
		if words != "" {
			t.wrapped(lead, words, dim)
		}
	}
	if !requests || f.Evidence == nil {
		return
	}
	for _, line := range []string{f.Evidence.Left, f.Evidence.Right} {
		if line == "" {
			continue
		}
		for _, words := range shellLines(clean(line), t.width) {
			t.b.WriteString(t.paint(words, dim) + "\n")
		}
	}
}

// shellLines breaks a command where a shell joins it again: between words, the next one indented, and
// within a word that is too long for a line, the next piece at the margin.
func shellLines(command string, width int) []string {
	const indent = "      "
	var out []string
	line := indent
	for _, word := range strings.Split(command, " ") {
		if strings.TrimSpace(line) != "" && columns.StringWidth(line)+columns.StringWidth(word)+3 > width {
			out = append(out, line+` \`)
			line = indent
		}
		if strings.TrimSpace(line) != "" {
			word = " " + word
		}
		line += word
		for columns.StringWidth(line) > width-2 {
			end := width - 3
			for end > 1 && (line[end-1] == '\\' || !utf8.RuneStart(line[end])) {
				end--
			}
			out = append(out, line[:end]+`\`)
			line = line[end:]
		}
	}
	return append(out, line)
}

// pressure shows the share of differing pairs by offered rate, and which differences come together.
func (t *textReport) pressure() {
	if pressured(t.r) {
		t.line("  ", t.paint("pairs that differ, by offered rate", bold))
		var rows [][]cell
		for _, b := range t.r.Comparison.ByLoad {
			row := []cell{{text: rates(b), right: true}, {text: count(b.Different) + " of " + count(b.Pairs), right: true}, {text: bounds(b.Share, b.ShareLow, b.ShareHigh)}}
			if b.Unavailable > 0 {
				row[2].text += fmt.Sprintf(", %s unanswered", count(b.Unavailable))
			}
			rows = append(rows, row)
		}
		t.b.WriteString(table(rows, "    ", t.o.Color))
	}
	for i, c := range t.r.Clusters {
		if i == clustersShown {
			t.line("  ", fmt.Sprintf("… and %s in the report", plural(uint64(len(t.r.Clusters)-i), "more probable cause", "more probable causes")))
			break
		}
		t.wrapped("  ", "probably one cause: "+clusterWords(c), plain)
	}
}

// clusterWords names the findings of a cluster, each rule once.
func clusterWords(c result.Cluster) string {
	var others []string
	seen := map[string]bool{}
	for _, id := range c.IDs[min(1, len(c.IDs)):] {
		if !seen[id] {
			seen[id] = true
			others = append(others, id)
		}
	}
	return fmt.Sprintf("%s, in %s of %s, and with it %s", c.Cause, bounds(c.Share, c.ShareLow, c.ShareHigh), c.Scenario, strings.Join(others, ", "))
}

// waivers warns of accepted differences that do not count as they were meant to.
func (t *textReport) waivers() {
	for _, w := range t.r.Waivers {
		what := ""
		switch {
		case w.Expired && !w.Unused:
			what = "expired on " + w.Expires.Format("2006-01-02") + ": its difference counts as new"
		case w.Expired:
			what = "expired on " + w.Expires.Format("2006-01-02")
		case w.Outgrown:
			what = "outgrown: more pairs differ than it accepts, and they count"
		case w.Unused:
			what = "unused: no such difference was seen"
		default:
			continue
		}
		t.wrapped("  ", fmt.Sprintf("waiver of %s (%s) %s", w.Finding, w.Owner, what), unsure)
	}
}
