package reports

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// plotWidth is the horizontal extent of every plot in its own units. The page
// stretches it to whatever width it has; text is placed in per cent beside it,
// so that it never stretches.
const plotWidth = 1000

// chart is one drawing of the page as plain geometry: the template writes the
// SVG, so that no string of a result is ever markup.
type chart struct {
	ID     int
	Title  string
	Unit   string
	About  string // what a reader who cannot see it is told
	Group  string // charts of one group share their crosshair and zoom
	Height int    // of the plot, pixels
	YTicks []yTick
	XTicks []xTick
	Bands  []band
	Lines  []line
	Marks  []mark
	Legend []legend
	Named  bool   // the bands are named above the plot
	Wide   bool   // takes the whole width beside others
	Sparse bool   // lines are drawn only where something happens
	Note   string // the drawing in words
}

type yTick struct {
	Y    float64
	Text string
}

type xTick struct {
	At    float64 // 0 to 100
	Text  string
	Minor bool // may go when there is little room
}

// band is a stretch of the horizontal axis: a phase.
type band struct {
	X, Width float64 // of plotWidth
	Middle   float64 // per cent
	Name     string
	Measured bool
}

type line struct {
	Side, Kind string // Kind: line, thin, dash, area
	D          string
}

// mark is a vertical stroke with a name: a percentile.
type mark struct {
	Side   string
	X      float64 // of plotWidth
	At     float64 // per cent
	Y1, Y2 float64
	Text   string
	Label  bool // the text is drawn, not only told
}

type legend struct{ Side, Name, Kind string }

// traced is what the crosshair reads from a chart.
type traced struct {
	X  []float64 `json:"x"`  // per cent of the width
	At []string  `json:"at"` // what stands there
	S  []trace   `json:"s"`
}

type trace struct {
	Name string    `json:"n"`
	Side string    `json:"d"`
	Unit string    `json:"u"`
	V    []float64 `json:"v"` // -1 where nothing was seen
}

// pen writes SVG path data with one decimal.
type pen struct{ b strings.Builder }

func (p *pen) to(command byte, x, y float64) {
	p.b.WriteByte(command)
	p.b.WriteString(coordinate(x))
	p.b.WriteByte(' ')
	p.b.WriteString(coordinate(y))
}

func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// polyline joins the points; NaN lifts the pen.
func polyline(xs, ys []float64) string {
	var p pen
	up := true
	for i := range xs {
		if math.IsNaN(ys[i]) {
			up = true
			continue
		}
		command := byte('L')
		if up {
			command = 'M'
		}
		up = false
		p.to(command, xs[i], ys[i])
	}
	return p.b.String()
}

// steps fills cells of equal width from the base line up.
func steps(heights []float64, base float64) string {
	var p pen
	width := plotWidth / float64(len(heights))
	drawing := false
	for i, h := range heights {
		x := float64(i) * width
		switch {
		case h <= 0 && drawing:
			p.to('L', x, base)
			p.b.WriteByte('Z')
			drawing = false
			continue
		case h <= 0:
			continue
		case !drawing:
			p.to('M', x, base)
			drawing = true
		}
		p.to('L', x, base-h)
		p.to('L', x+width, base-h)
	}
	if drawing {
		p.to('L', plotWidth, base)
		p.b.WriteByte('Z')
	}
	return p.b.String()
}

// panel is the height of one of two histograms under each other, gap the room
// above each for its name.
const (
	panel = 84
	gap   = 22
)

// histogramChart draws both sides of an operation under each other on one
// logarithmic axis, with their percentiles.
func histogramChart(op operation, names map[string]string) (chart, traced, bool) {
	axis, ok := axisOver(histograms([]operation{op}))
	if !ok {
		return chart{}, traced{}, false
	}
	cells := 80
	for _, row := range op.rows() {
		if row.Count < 400 {
			cells = 40
		}
	}
	c := chart{Title: "Latency histogram", Unit: "share of requests", XTicks: logTicks(axis)}
	t := traced{}
	for i := range cells {
		t.X = append(t.X, round3((float64(i)+0.5)*100/float64(cells)))
		t.At = append(t.At, withUnit(axis.value(float64(i)/float64(cells)))+" – "+withUnit(axis.value(float64(i+1)/float64(cells))))
	}
	base := 0.0
	for _, row := range op.rows() {
		base += gap + panel
		shares := axis.shares(row.Histogram, cells)
		top := maximum(shares)
		heights := make([]float64, cells)
		for i, s := range shares {
			if heights[i] = s / top * (panel - 4); s > 0 {
				heights[i] = math.Max(1, heights[i])
			}
		}
		c.Lines = append(c.Lines, line{row.Side, "area", steps(heights, base)})
		c.Marks = append(c.Marks, percentileMarks(row, axis, base)...)
		c.YTicks = append(c.YTicks, yTick{base - panel + 4, share(top)}, yTick{base, "0"})
		c.Legend = append(c.Legend, legend{row.Side, names[row.Side], "area"})
		t.S = append(t.S, trace{names[row.Side], row.Side, "%", rounded(shares, 100)})
	}
	c.Height = int(base)
	c.About = "Distribution of response times of " + op.Name() + " on a logarithmic axis, one panel a path. The table above holds the percentiles."
	return c, t, true
}

func percentileMarks(row *result.StepStats, axis logAxis, base float64) []mark {
	var marks []mark
	last := -100.0
	for _, q := range []struct {
		name string
		v    *float64
	}{{"p50", row.Response.P50}, {"p95", row.Response.P95}, {"p99", row.Response.P99}} {
		if q.v == nil {
			continue
		}
		at := axis.at(*q.v)
		m := mark{Side: row.Side, X: at * plotWidth, At: round3(at * 100), Y1: base - panel - 4, Y2: base, Text: q.name, Label: at-last > 0.07}
		if m.Label {
			last = at
		}
		marks = append(marks, m)
	}
	return marks
}

// curveHeight is the height of the percentile curve: as tall as the histogram
// beside it.
const curveHeight = 2 * (gap + panel)

// curveChart draws latency over percentile on HDR's axis, where each nine
// takes the same room.
func curveChart(op operation, names map[string]string) (chart, traced, bool) {
	axis, ok := axisOver(histograms([]operation{op}))
	if !ok {
		return chart{}, traced{}, false
	}
	var most uint64
	for _, row := range op.rows() {
		if row.Histogram != nil {
			most = max(most, row.Histogram.Count())
		}
	}
	const points = 90
	nines := math.Max(1, math.Log10(float64(most)))
	c := chart{Title: "Percentiles", Unit: "response time", Height: curveHeight, XTicks: nineTicks(nines), YTicks: logYTicks(axis, curveHeight)}
	t := traced{}
	xs := make([]float64, points+1)
	for i := range xs {
		f := float64(i) / points
		xs[i] = f * plotWidth
		t.X = append(t.X, round3(f*100))
		t.At = append(t.At, percentileName(1-math.Pow(10, -f*nines)))
	}
	for _, row := range op.rows() {
		if row.Histogram == nil || row.Histogram.Count() == 0 {
			continue
		}
		end := math.Log10(float64(row.Histogram.Count())) / nines
		ys, vs := make([]float64, points+1), make([]float64, points+1)
		for i := range xs {
			f := float64(i) / points
			if f > end+1.0/points {
				ys[i], vs[i] = math.NaN(), -1
				continue
			}
			v := millis(row.Histogram.Quantile(1 - math.Pow(10, -f*nines)))
			ys[i], vs[i] = (1-axis.at(v))*curveHeight, round3(v)
		}
		c.Lines = append(c.Lines, line{row.Side, "line", polyline(xs, ys)})
		c.Legend = append(c.Legend, legend{row.Side, names[row.Side], "line"})
		t.S = append(t.S, trace{names[row.Side], row.Side, "ms", vs})
	}
	c.About = "Response time of " + op.Name() + " by percentile, one line a path. The table above holds the figures."
	return c, t, true
}

// percentileName writes 0.999 as "p99.9".
func percentileName(q float64) string {
	if q <= 0 {
		return "p0"
	}
	decimals := max(0, int(math.Ceil(-math.Log10(1-q)-1e-9))-1)
	return "p" + strconv.FormatFloat(q*100, 'f', decimals, 64)
}

func nineTicks(nines float64) []xTick {
	ticks := []xTick{{0, "0 %", false}, {round3(math.Log10(2) / nines * 100), "50 %", nines > 3}}
	for n := 1; float64(n) <= nines+1e-9; n++ {
		name := []string{"", "90", "99"}[min(n, 2)]
		if n > 2 {
			name += "." + strings.Repeat("9", n-2)
		}
		ticks = append(ticks, xTick{round3(float64(n) / nines * 100), name + " %", false})
	}
	return ticks
}

// value is the inverse of at.
func (a logAxis) value(f float64) float64 { return a.low * math.Pow(a.high/a.low, f) }

// logTicks names the axis from left to right: every decade, and between them
// what has at least 13 % of the width for itself: "200 ms" in half a page.
func logTicks(a logAxis) []xTick {
	decade := map[float64]bool{}
	for _, v := range a.decades() {
		decade[v] = true
	}
	var ticks []xTick
	for _, v := range a.spaced(0.13) {
		ticks = append(ticks, xTick{round3(a.at(v) * 100), withUnit(v), !decade[v]})
	}
	return ticks
}

// logYTicks names a vertical axis of that height in pixels.
func logYTicks(a logAxis, height float64) []yTick {
	var ticks []yTick
	for _, v := range a.spaced(18 / height) {
		ticks = append(ticks, yTick{round3((1 - a.at(v)) * height), withUnit(v)})
	}
	return ticks
}

// spaced picks values to name, in order: decades first, then steps of 1, 2 and
// 5 that keep their distance (a part of the axis) from all others.
func (a logAxis) spaced(distance float64) []float64 {
	var chosen []float64
	try := func(v float64) {
		for _, c := range chosen {
			if math.Abs(a.at(v)-a.at(c)) < distance {
				return
			}
		}
		chosen = append(chosen, v)
	}
	for _, v := range a.decades() {
		try(v)
	}
	for _, v := range a.fine() {
		try(v)
	}
	slices.Sort(chosen)
	return chosen
}

// fine lists the steps of 1, 2 and 5 on the axis.
func (a logAxis) fine() []float64 {
	var out []float64
	for base := math.Pow(10, math.Floor(math.Log10(a.low)+1e-9)); base <= a.high*(1+1e-9); base *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := base * m; v >= a.low*(1-1e-9) && v <= a.high*(1+1e-9) {
				out = append(out, v)
			}
		}
	}
	return out
}

func maximum(vs []float64) float64 {
	top := math.SmallestNonzeroFloat64
	for _, v := range vs {
		top = math.Max(top, v)
	}
	return top
}

func rounded(vs []float64, times float64) []float64 {
	out := make([]float64, len(vs))
	for i, v := range vs {
		out[i] = round3(v * times)
	}
	return out
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

// stripHeight is the height of the small distribution in a table row.
const stripHeight = 26

// strip is a row's distribution on the axis that all rows share.
func strip(axis logAxis, h *hist.Histogram) string {
	cells := 60
	if h.Count() < 200 {
		cells = 30
	}
	shares := axis.shares(h, cells)
	top := maximum(shares)
	heights := make([]float64, len(shares))
	for i, s := range shares {
		if s > 0 {
			heights[i] = math.Max(1, s/top*(stripHeight-2))
		}
	}
	return steps(heights, stripHeight)
}
