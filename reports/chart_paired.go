package reports

import (
	"fmt"
	"math"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// pairedHeight is the height of the chart of paired differences: as tall as the
// charts beside it.
const pairedHeight = 150

// fewPairs is how many pairs a drawing needs.
const fewPairs = 20

// pairedChart draws by how much the right path was later than the left one,
// question by question. The colour is that of the path that was later.
func pairedChart(r *result.Result, op operation, names map[string]string) (chart, traced, bool) {
	p := pairedOf(r, op)
	if p == nil || p.Pairs < fewPairs || p.Difference.Later == nil || p.Difference.Earlier == nil {
		return chart{}, traced{}, false
	}
	d := p.Difference
	axis := differenceAxis(d)
	cells := axis.cells
	later, earlier := axis.shares(d.Later, 1, p.Pairs), axis.shares(d.Earlier, -1, p.Pairs)
	top := max(maximum(later), maximum(earlier))
	c := chart{Title: "Paired differences", Unit: names[result.Right] + " minus " + names[result.Left] + ", the same question", Height: pairedHeight,
		XTicks: axis.ticks(), YTicks: []yTick{{4, share(top)}, {pairedHeight, "0"}}, Note: pairedNote(*p, names),
		About: "Distribution of the differences between both answers to the same question, for " + op.Name() + "."}
	t := traced{}
	for i := range cells {
		t.X = append(t.X, round3((float64(i)+0.5)*100/float64(cells)))
		t.At = append(t.At, axis.named(i))
	}
	for _, half := range []struct {
		side   string
		shares []float64
	}{{result.Left, earlier}, {result.Right, later}} {
		heights := make([]float64, cells)
		for i, s := range half.shares {
			if s > 0 {
				heights[i] = math.Max(1, s/top*(pairedHeight-4))
			}
		}
		name := names[half.side] + " later"
		c.Lines = append(c.Lines, line{half.side, "area", steps(heights, pairedHeight)})
		c.Legend = append(c.Legend, legend{half.side, name, "area"})
		t.S = append(t.S, trace{name, half.side, "%", rounded(half.shares, 100)})
	}
	if d.P50 != nil {
		at := axis.at(*d.P50)
		c.Marks = append(c.Marks, mark{X: at * plotWidth, At: round3(at * 100), Y1: 10, Y2: pairedHeight, Text: "median", Label: true})
	}
	return c, t, true
}

func pairedOf(r *result.Result, op operation) *result.Paired {
	for i := range r.Paired {
		if p := &r.Paired[i]; p.Scenario == op.Scenario && p.Step == op.Step {
			return p
		}
	}
	return nil
}

// pairedNote says the distribution in words, for readers of print and tables.
func pairedNote(p result.Paired, names map[string]string) string {
	d := p.Difference
	note := fmt.Sprintf("%s was later in %s of %s pairs", names[result.Right], share(d.RightLater), count(p.Pairs))
	if d.P25 != nil && d.P75 != nil {
		note += fmt.Sprintf("; half of them lie between %s and %s ms", signed(d.P25), signed(d.P75))
	}
	if d.P5 != nil && d.P95 != nil {
		note += fmt.Sprintf(", nine of ten between %s and %s ms", signed(d.P5), signed(d.P95))
	}
	return note + "."
}

// linearAxis maps milliseconds of either sign onto [0, 1]. Zero lies between two
// cells; what is outside is counted in the outermost cell.
type linearAxis struct {
	low, high, step float64
	cells           int
}

// cellsPerStep is how many cells lie between two named values.
const cellsPerStep = 8

// beyond is the share of all pairs that may lie outside the axis on either end:
// one pair that waited for a stall must not squeeze the others into two cells.
const beyond = 0.02

// differenceAxis spans the bulk of the differences and zero in round steps.
func differenceAxis(d result.Spread) linearAxis {
	earlier, later := d.Earlier.Count(), d.Later.Count()
	reach := func(h *hist.Histogram) float64 {
		if h.Count() == 0 {
			return 0
		}
		return millis(h.Quantile(max(0, 1-beyond*float64(earlier+later)/float64(h.Count()))))
	}
	low, high := -reach(d.Earlier), reach(d.Later)
	step := stepUp(math.Max(high-low, 0.01) / 7)
	a := linearAxis{low: math.Floor(low/step) * step, high: math.Ceil(high/step) * step, step: step}
	if a.high == a.low {
		a.high += step
	}
	a.cells = int(math.Round((a.high-a.low)/step)) * cellsPerStep
	return a
}

func (a linearAxis) at(v float64) float64 {
	return min(1, max(0, (v-a.low)/(a.high-a.low)))
}

func (a linearAxis) ticks() []xTick {
	var ticks []xTick
	steps := int(math.Round((a.high - a.low) / a.step))
	for i := range steps + 1 {
		v := a.low + float64(i)*a.step
		if math.Abs(v) < a.step/1000 {
			v = 0
		}
		ticks = append(ticks, xTick{round3(float64(i) * 100 / float64(steps)), axisWord(v), v != 0 && i%2 == 1})
	}
	return ticks
}

// axisWord names a difference on the axis.
func axisWord(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms < 0:
		return "−" + withUnit(-ms)
	}
	return "+" + withUnit(ms)
}

// named says which differences a cell holds.
func (a linearAxis) named(i int) string {
	width := (a.high - a.low) / float64(a.cells)
	from, to := a.low+float64(i)*width, a.low+float64(i+1)*width
	round := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	switch {
	case i == 0 && a.low < 0:
		return "up to " + axisWord(round(to))
	case i == a.cells-1 && a.high > 0:
		return "from " + axisWord(round(from))
	}
	return axisWord(round(from)) + " … " + axisWord(round(to))
}

// shares counts amounts of one sign into the cells, as parts of all pairs.
func (a linearAxis) shares(h *hist.Histogram, sign float64, pairs uint64) []float64 {
	out := make([]float64, a.cells)
	if h == nil || pairs == 0 {
		return out
	}
	zero := int(math.Round(-a.low / (a.high - a.low) * float64(a.cells)))
	h.Buckets(func(low, high time.Duration, n uint64) bool {
		i := int(math.Floor((sign*(millis(low)+millis(high))/2 - a.low) / (a.high - a.low) * float64(a.cells)))
		if sign > 0 {
			i = max(i, zero)
		} else {
			i = min(i, zero-1)
		}
		out[min(a.cells-1, max(0, i))] += float64(n) / float64(pairs)
		return true
	})
	return out
}
