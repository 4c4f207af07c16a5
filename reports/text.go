package reports

import (
	"fmt"
	"io"
	"strings"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// The terminal's width decides what is shown: below narrow the histograms go,
// below tiny the rightmost columns too.
const (
	standardWidth = 100
	narrowWidth   = 72
	maxTextWidth  = 140
)

// textReport writes the first minute, section by section.
type textReport struct {
	r     *result.Result
	o     Options
	width int
	b     strings.Builder
}

// writeText writes what a person reads right after a run. The verdict comes
// after the figures that it rests on.
func writeText(w io.Writer, r *result.Result, o Options) error {
	t := &textReport{r: r, o: o, width: standardWidth}
	if o.Width > 0 {
		t.width = min(max(o.Width, 40), maxTextWidth)
	}
	t.header()
	t.done()
	t.felt()
	t.searches()
	t.pushback()
	t.noticed()
	t.answers()
	t.checks()
	t.verdict()
	t.health()
	t.notTested()
	t.sent()
	t.next()
	_, err := io.WriteString(w, t.b.String())
	return err
}

func (t *textReport) paint(text string, p paint) string { return styled(text, p, t.o.Color) }

// line writes one line; text may carry styles and is cut already.
func (t *textReport) line(indent, text string) { t.b.WriteString(indent + text + "\n") }

// wrapped writes text over as many lines as it needs; the first one carries
// the label.
func (t *textReport) wrapped(label, text string, p paint) {
	indent := strings.Repeat(" ", columns.StringWidth(label))
	for i, line := range wrap(clean(text), max(20, t.width-len(indent))) {
		lead := indent
		if i == 0 {
			lead = label
		}
		t.b.WriteString(lead + t.paint(line, p) + "\n")
	}
}

// section writes a heading, with an aside at the right margin where it fits.
func (t *textReport) section(heading, aside string) {
	t.b.WriteByte('\n')
	gap := t.width - columns.StringWidth(heading) - columns.StringWidth(aside)
	if aside == "" || gap < 2 {
		t.b.WriteString(t.paint(heading, bold) + "\n")
		return
	}
	t.b.WriteString(t.paint(heading, bold) + strings.Repeat(" ", gap) + t.paint(aside, dim) + "\n")
}

func (t *textReport) header() {
	r := t.r
	title := cut(fmt.Sprintf("%s on %s", clean(r.Suite), clean(r.Profile)), t.width)
	if simulated(r) {
		t.line("", t.paint(title, bold)+" · "+t.paint("SIMULATED", unsure)+": every answer comes from the embedded lab")
		return
	}
	t.line("", t.paint(title, bold))
}

// done says what was asked, at which rate, and what became of it.
func (t *textReport) done() {
	r := t.r
	t.section("What was done", fmt.Sprintf("%s, %s", r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), seconds(r.Ended.Sub(r.Started).Round(1e8).Seconds())))
	var ways []string
	for _, p := range r.Paths {
		ways = append(ways, fmt.Sprintf("%s (%s, %s)", clean(p.Name), p.Side, clean(p.Dialect)))
	}
	t.wrapped("  ", fmt.Sprintf("%s down %s; %s; seed %d",
		plural(uint64(scenarioCount(r)), "scenario", "scenarios"), strings.Join(ways, " and "),
		mailboxWords(r), r.Seed), plain)
	t.phases()
	var parts []string
	for _, l := range bucketWords(r.Buckets) {
		parts = append(parts, count(l.N)+" "+l.Label)
	}
	t.wrapped("  ", plural(r.Buckets.Planned, "leg", "legs")+" planned = "+strings.Join(parts, " + "), plain)
}

// phases lists the load in columns, or as sentences where those do not fit.
func (t *textReport) phases() {
	var rows [][]cell
	for _, p := range t.r.Phases {
		measured := "measured"
		if !p.Measured {
			measured = "not measured"
		}
		asked, got := phaseRates(p)
		rows = append(rows, []cell{{text: clean(p.Name)}, {text: clean(p.Model)}, {text: measured}, {text: asked, right: true}, {text: got, right: true}})
	}
	columnar := table(rows, "  ", t.o.Color)
	for line := range strings.Lines(columnar) {
		if columns.StringWidth(line) > t.width+1 {
			columnar = ""
		}
	}
	t.b.WriteString(columnar)
	for _, row := range rows {
		if columnar == "" {
			words := fmt.Sprintf("%s: %s", row[0].text, row[1].text)
			for _, c := range row[2:] {
				if c.text != "" {
					words += ", " + c.text
				}
			}
			t.wrapped("  ", words, plain)
		}
	}
}

// phaseRates says which rates a phase asked for and got, and how far it came when it
// was stopped. A search has rates of its own, a closed load asks for none.
func phaseRates(p result.Phase) (asked, got string) {
	if p.AskedPS > 0 {
		asked = "asked " + sig3(p.AskedPS) + "/s"
	}
	if p.GotPS > 0 {
		got = "got " + sig3(p.GotPS) + "/s"
	}
	switch ran := p.RanMS / 1000; {
	case ran > 0 && ran < 0.98*p.LengthS:
		got = strings.TrimSpace(got + " in the " + seconds(ran) + " until it was stopped")
	case ran == 0 && p.LengthS > 0 && p.GotPS == 0:
		asked, got = "", "never began"
	}
	return asked, got
}

func scenarioCount(r *result.Result) int {
	seen := map[string]bool{}
	for _, s := range r.Steps {
		seen[s.Scenario] = true
	}
	return len(seen)
}

// felt shows every operation: both paths' percentiles over two histograms on
// one axis, and the shift between them.
func (t *textReport) felt() {
	ops := distinct(operations(t.r))
	t.section("What users would feel", "response time in ms, from when it was due")
	if len(ops) == 0 {
		t.line("  ", "nothing was measured")
		return
	}
	names := max(columns.StringWidth(clean(pathName(t.r, result.Left))), columns.StringWidth(clean(pathName(t.r, result.Right))), len("shift"))
	names = min(names, 16)
	const column = 9 // "12,300 ms" without its unit, and two spaces
	bars := t.width - 4 - names - 3*column - 9 - 3
	var axis logAxis
	drawn := false
	if bars >= 16 && t.width >= narrowWidth {
		axis, drawn = axisOver(histograms(ops))
	}
	bars = min(bars, 64)
	head := "  " + pad("", names+2) + padLeft("p50", column) + padLeft("p95", column) + padLeft("p99", column) + padLeft("count", 9)
	if drawn {
		head += "   " + axis.ruler(bars)
	}
	t.b.WriteString(t.paint(strings.TrimRight(head, " "), dim) + "\n")
	for _, op := range ops {
		t.line("  ", t.paint(cut(clean(op.Name()), t.width-2), bold))
		for _, row := range op.rows() {
			t.side(row, names, column, axis, bars, drawn)
		}
		t.shift(op.Shift, names, column)
	}
}

func histograms(ops []operation) []*hist.Histogram {
	var out []*hist.Histogram
	for _, op := range ops {
		for _, row := range op.rows() {
			out = append(out, row.Histogram)
		}
	}
	return out
}

func (t *textReport) side(row *result.StepStats, names, column int, axis logAxis, bars int, drawn bool) {
	color := blue
	if row.Side == result.Right {
		color = yellow
	}
	line := "    " + t.paint(pad(cut(clean(pathName(t.r, row.Side)), names), names), color)
	for _, v := range []*float64{row.Response.P50, row.Response.P95, row.Response.P99} {
		line += padLeft(ms(v), column)
	}
	line += padLeft(count(row.Count), 9)
	if drawn {
		line += "   " + t.paint(spark(axis.shares(row.Histogram, bars)), color)
	}
	t.b.WriteString(strings.TrimRight(line, " ") + "\n")
	t.trouble(row, names)
}

// trouble says how many requests of a row were not answered as expected, and
// why.
func (t *textReport) trouble(row *result.StepStats, names int) {
	bad := row.Count - min(row.Count, row.Outcomes[result.OutcomeOK])
	if bad == 0 {
		return
	}
	words := fmt.Sprintf("%s (%s)", notOK(row), share(float64(bad)/float64(row.Count)))
	if why := faultWords(t.r, row, 2); len(why) > 0 {
		words += ": " + strings.Join(why, "; ")
	}
	lead := strings.Repeat(" ", names+6)
	for _, line := range wrap(clean(words), max(20, t.width-len(lead))) {
		t.b.WriteString(lead + t.paint(line, red) + "\n")
	}
}

// shift writes the difference of the two rows above, with the confidence of
// the median.
func (t *textReport) shift(s *result.Shift, names, column int) {
	if s == nil || s.P50.Value == nil {
		return
	}
	line := "    " + pad("shift", names)
	for _, i := range []result.Interval{s.P50, s.P95, s.P99} {
		line += padLeft(signed(i.Value), column)
	}
	if words := confidence(*s); words != "" {
		line += "   " + words
	}
	t.b.WriteString(t.paint(cut(line, t.width), dim) + "\n")
}

// confidence says between which bounds the median's shift lies.
func confidence(s result.Shift) string {
	if s.P50.Low == nil || s.P50.High == nil {
		return ""
	}
	return fmt.Sprintf("p50 within %s … %s (%s confidence)", signed(s.P50.Low), signed(s.P50.High), share(s.Confidence))
}
