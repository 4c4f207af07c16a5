package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"cutover/harness/result"
)

//go:embed page
var pageFiles embed.FS

// htmlPage is what the template sees. Every string in it is treated as
// hostile: nothing but the page's own style and script is trusted markup.
type htmlPage struct {
	R         *result.Result
	Simulated bool
	Policy    string
	Style     template.CSS
	Script    template.JS
	Opening   template.JS // runs before anything is shown
	Left      string      // names of the two paths
	Right     string
	Both      bool // two paths were asked
	Headline  string
	Tiles     []tile
	Axis      []xTick
	Ops       []htmlOp
	Undrawn   int // operations without charts
	Time      []chart
	Bin       string // how long one point of the time series is
	Knee      *chart // nil: nothing was throttled
	Tree      []*place
	Groups    []htmlGroup
	Folded    []foldedRule
	Hidden    uint64 // findings that only findings.jsonl shows in full
	Data      map[string]traced
}

type tile struct{ Label, Value, Note, Tone string }

// htmlOp is one operation with its drawings.
type htmlOp struct {
	operation
	Rows     []htmlRow
	Charts   []chart
	Dumbbell []dumbbell
}

// dumbbell joins one percentile of both sides, in per cent of the axis.
type dumbbell struct {
	From, To, Y, Size float64
	Thin              bool
}

type htmlRow struct {
	*result.StepStats
	Name  string
	Strip string
	Bad   string // outcomes other than success
	Why   string // their reasons
}

// writeHTML writes one offline page: tables and charts stand there without
// scripts, the script only adds crosshair, legend, zoom and filters.
func writeHTML(w io.Writer, r *result.Result, _ Options) error {
	p, err := newPage(r)
	if err != nil {
		return err
	}
	return writePage(w, p, fullPage)
}

// The pages are parsed when one is first written.
var (
	fullPage = sync.OnceValues(func() (*template.Template, error) {
		return parsePage("page.html", "charts.html", "load.html", "findings.html", "proof.html", "tree.html", "rest.html", "shared.html")
	})
	readinessPage = sync.OnceValues(func() (*template.Template, error) { return parsePage("readiness.html", "shared.html") })
)

// writePage executes a page.
func writePage(w io.Writer, data any, page func() (*template.Template, error)) error {
	t, err := page()
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	_, err = reordering.WriteString(w, out.String())
	return err
}

// reordering replaces the marks that make text read in another order than it
// is written: no text of ours has them, and in a file name they deceive.
var reordering = strings.NewReplacer("\u202a", "·", "\u202b", "·", "\u202c", "·", "\u202d", "·", "\u202e", "·",
	"\u2066", "·", "\u2067", "·", "\u2068", "·", "\u2069", "·", "\u200e", "·", "\u200f", "·")

// trustedStyle says that a style sheet is the page's own.
func trustedStyle(style []byte) template.CSS { return template.CSS(style) }

// parsePage reads templates of the page; the first one is executed.
func parsePage(names ...string) (*template.Template, error) {
	t := template.New("page").Funcs(pageFuncs())
	for _, name := range names {
		text, err := pageFile(name)
		if err != nil {
			return nil, err
		}
		if _, err := t.New(name).Parse(tight(string(text))); err != nil {
			return nil, fmt.Errorf("html: %w", err)
		}
	}
	return t.Lookup(names[0]), nil
}

// blocks are elements that start and end a line of their own, so that white space
// beside them shows nothing.
const blocks = `/?(?:html|head|body|meta|title|link|style|script|aside|header|main|nav|footer|section|div|p|h[1-3]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|th|td|details|summary|figure|figcaption|pre)\b`

var blockBegins = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^<` + blocks) })

// tight takes the line ends beside blocks out of a template: each would be a node of
// every page, a tenth of a large one. It looks at line ends alone, because every run
// writes a page and a pattern over whole templates would take longer than the rest.
func tight(template string) string {
	var out strings.Builder
	out.Grow(len(template))
	for at, c := range []byte(template) {
		if c != '\n' || !blockBegins().MatchString(template[at+1:]) && !endsBlock(template[:at]) {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// endsBlock tells whether text ends with the tag of a block.
func endsBlock(text string) bool {
	body, closed := strings.CutSuffix(text, ">")
	at := strings.LastIndexAny(body, "<>")
	return closed && at >= 0 && blockBegins().MatchString(text[at:])
}

// pageFile reads a file of the page without its indentation, which would be a
// third of the page.
func pageFile(name string) ([]byte, error) {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		return nil, fmt.Errorf("html: %w", err)
	}
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		if line = bytes.TrimLeft(line, " \t"); len(line) > 1 {
			out.Write(line)
		}
	}
	return out.Bytes(), nil
}

func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"ms": ms, "signed": signed, "share": share, "count": count, "size": size, "seconds": seconds, "sig3": sig3,
		"unit": withUnit, "exact": exact, "bucketWords": bucketWords, "trafficWords": trafficWords, "signInWords": signInWords, "connectionWords": connectionWords, "spent": spent, "safetyWords": safetyWords, "consentWords": consentWords,
		"cleanup": cleanupWords, "said": said, "observed": observed, "margin": margin,
		"upper":     func(v any) string { return strings.ToUpper(fmt.Sprint(v)) },
		"quiet":     nothingNoticed,
		"before":    heldAgainst,
		"assurance": func(c result.Comparison) string { return sentence(assurance(c)) }, "diverged": func(r *result.Result) string { return sentence(divergedWords(r)) },
		"times":  func(n uint64) string { return plural(n, "time", "times") },
		"pair":   func(p any, f htmlFinding) map[string]any { return map[string]any{"Page": p, "Finding": f} },
		"plus":   func(a, b int) int { return a + b },
		"plusf":  func(a, b float64) float64 { return a + b },
		"asInt":  func(v uint64) int { return int(v) },
		"heads":  answersHeading,
		"waived": waivedBecause,
		"limits": limits,
		"resent": resentWords, "bounds": bounds, "rates": rates, "pressured": pressured, "clusterWords": clusterWords, "mailboxWords": mailboxWords,
		"glance": glance,
		"knee":   kneeWords,
		"branch": func(p any, at *place) map[string]any { return map[string]any{"Page": p, "Place": at} },
		"pct":    func(v float64) string { return strconv.FormatFloat(min(1, max(0, v))*100, 'f', 1, 64) },
	}
}

// exact writes a number as result.json has it, so that a machine reading the
// page finds the same digits.
func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

func newPage(r *result.Result) (*htmlPage, error) {
	style, err := pageFile("page.css")
	if err != nil {
		return nil, err
	}
	script, err := pageFile("page.js")
	if err != nil {
		return nil, err
	}
	const opening = `document.documentElement.className = "opening"`
	p := &htmlPage{
		R: r, Simulated: simulated(r), Style: trustedStyle(style), Script: template.JS(script), Opening: opening,
		Left: pathName(r, result.Left), Right: pathName(r, result.Right), Headline: headline(r), Tiles: tiles(r),
		Data: map[string]traced{}, Both: len(r.Paths) > 1,
	}
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s' '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		digest(style), digest([]byte(opening)), digest(script))
	p.measurements()
	if c, t, ok := kneeChart(r); ok {
		c = p.number(c, t)
		p.Knee = &c
	}
	p.Groups, p.Folded, p.Hidden = htmlGroups(r)
	p.Tree = places(p.Groups)
	return p, nil
}

// digest is the hash by which the policy knows the page's own style and
// script.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// maxDrawn bounds the operations with charts of their own: the table has all.
const maxDrawn = 18

// measurements fills in the table of operations and every chart.
func (p *htmlPage) measurements() {
	names := map[string]string{}
	for _, path := range p.R.Paths {
		names[path.Side] = path.Name
	}
	ops := distinct(operations(p.R))
	axis, drawn := axisOver(histograms(ops))
	if drawn {
		p.Axis = logTicks(axis)
	}
	for _, op := range ops {
		h := htmlOp{operation: op}
		for _, row := range op.rows() {
			line := htmlRow{StepStats: row, Name: pathName(p.R, row.Side), Bad: notOK(row), Why: strings.Join(faultWords(p.R, row, 3), "; ")}
			if drawn && row.Histogram != nil {
				line.Strip = strip(axis, row.Histogram)
			}
			h.Rows = append(h.Rows, line)
		}
		h.Dumbbell = dumbbells(op, axis)
		if len(p.Ops) < maxDrawn {
			h.Charts = p.drawn(op, names)
		} else {
			p.Undrawn++
		}
		p.Ops = append(p.Ops, h)
	}
	p.Bin = "One point a second"
	if width := binned(p.R, 1).width; width > 1 {
		p.Bin = fmt.Sprintf("One point every %d seconds", width)
	}
	charts, traces := timeCharts(p.R, names)
	for i := range charts {
		p.Time = append(p.Time, p.number(charts[i], traces[i]))
	}
}

// drawn makes every chart of one operation.
func (p *htmlPage) drawn(op operation, names map[string]string) []chart {
	var out []chart
	if c, t, ok := histogramChart(op, names); ok {
		out = append(out, p.number(c, t))
	}
	if c, t, ok := curveChart(op, names); ok {
		out = append(out, p.number(c, t))
	}
	paired, pt, both := pairedChart(p.R, op, names)
	if both {
		out = append(out, p.number(paired, pt))
	}
	if c, t, ok := stepChart(p.R, op, names); ok {
		c.Wide = !both // it fills the place beside the paired differences
		out = append(out, p.number(c, t))
	}
	return out
}

// dumbbells joins the medians and the 95th percentiles of an operation.
func dumbbells(op operation, axis logAxis) []dumbbell {
	if op.Left == nil || op.Right == nil {
		return nil
	}
	var out []dumbbell
	left, right := op.Left.Response, op.Right.Response
	if left.P50 != nil && right.P50 != nil {
		out = append(out, dumbbell{From: round3(axis.at(*left.P50) * 100), To: round3(axis.at(*right.P50) * 100), Y: 4, Size: 3.5})
	}
	if left.P95 != nil && right.P95 != nil {
		out = append(out, dumbbell{From: round3(axis.at(*left.P95) * 100), To: round3(axis.at(*right.P95) * 100), Y: 12, Size: 2.5, Thin: true})
	}
	return out
}

// number gives a chart its id and keeps what its crosshair reads.
func (p *htmlPage) number(c chart, t traced) chart {
	c.ID = len(p.Data) + 1
	p.Data[strconv.Itoa(c.ID)] = t
	return c
}

// headline says the result in one sentence.
func headline(r *result.Result) string {
	switch r.Verdict {
	case result.Pass:
		if len(r.Paths) == 1 {
			return "Every gate held. One path was asked alone: nothing was compared."
		}
		return "Every gate held, and no difference breaks an application."
	case result.Fail:
		if len(r.Blocking()) > 0 {
			return "Applications would break: the differences below are not waived."
		}
		return "The answers agree well enough, but a gate failed."
	}
	return "This run cannot tell: its numbers must not be used for a decision."
}

// tiles are the figures that stand beside the verdict.
func tiles(r *result.Result) []tile {
	b := r.Buckets
	bad := b.Failed + b.Throttled + b.Dropped + b.Interrupted + b.NotStarted + b.Unknown
	ended := tile{"Legs completed", count(b.Completed), "of " + count(b.Planned) + " planned", ""}
	if bad > 0 {
		ended.Note += ", " + count(bad) + " not"
	}
	blocking := len(r.Blocking())
	differences := tile{"Blocking differences", count(uint64(blocking)), "of " + plural(uint64(len(r.Findings)), "difference", "differences"), ""}
	if blocking > 0 {
		differences.Tone = "fail"
	}
	held := 0
	gates := tile{"Gates held", "", "", ""}
	for _, g := range r.Gates {
		switch g.Verdict {
		case result.Pass:
			held++
		case result.Fail:
			gates.Tone = "fail"
		}
	}
	gates.Value, gates.Note = strconv.Itoa(held), "of "+strconv.Itoa(len(r.Gates))
	out := []tile{ended, differences, gates}
	if len(r.Paths) == 1 {
		out = []tile{ended, gates}
	}
	if t, ok := shiftTile(r); ok {
		out = append(out, t)
	}
	return out
}

// shiftTile sums the medians' shifts up as their range over whole legs.
func shiftTile(r *result.Result) (tile, bool) {
	var low, high *float64
	for _, op := range operations(r) {
		if !op.Whole() || op.Shift == nil || op.Shift.P50.Value == nil {
			continue
		}
		v := op.Shift.P50.Value
		if low == nil || *v < *low {
			low = v
		}
		if high == nil || *v > *high {
			high = v
		}
	}
	if low == nil {
		return tile{}, false
	}
	value := signed(low)
	if *low != *high {
		value += " … " + signed(high)
	}
	return tile{"Shift of the median leg", value, "ms, " + pathName(r, result.Right) + " against " + pathName(r, result.Left), ""}, true
}

// notOK names the outcomes of a row that are not success: "6 throttled".
func notOK(row *result.StepStats) string {
	var parts []string
	for _, name := range sortedKeys(row.Outcomes) {
		if n := row.Outcomes[name]; n > 0 && name != result.OutcomeOK {
			parts = append(parts, count(n)+" "+name)
		}
	}
	return strings.Join(parts, ", ")
}
