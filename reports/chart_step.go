package reports

import (
	"fmt"
	"math"

	"cutover/harness/result"
)

// perBin is how many samples stand behind a point of a step's own time series
// on average: fewer do not carry a 95th percentile.
const perBin = 20

// stepChart draws the median and the 95th percentile of one operation over the
// run, both paths on one axis.
func stepChart(r *result.Result, op operation, names map[string]string) (chart, traced, bool) {
	own := only(r, op)
	var most uint64
	for _, s := range own.Series {
		for _, p := range s.Series {
			most += p.Count
		}
	}
	sides := uint64(len(op.rows()))
	if most == 0 || sides == 0 || len(own.Series) < 3 {
		return chart{}, traced{}, false
	}
	width := int(math.Ceil(perBin * float64(len(own.Series)) * float64(sides) / float64(most)))
	tl := binned(own, width)
	axis, ok := tl.responseAxis()
	if !ok || len(tl.bins) < 3 {
		return chart{}, traced{}, false
	}
	c := chart{Title: "Over time", Unit: fmt.Sprintf("p50 and p95, a point every %s", seconds(float64(tl.width))), Height: quickHeight, Wide: true,
		YTicks: logYTicks(axis, quickHeight), XTicks: tl.xTicks(), Bands: tl.bands(r.Phases),
		About: "Median and 95th percentile of " + op.Name() + " over the run, on a logarithmic axis."}
	t := traced{X: tl.xs(), At: tl.labels()}
	for _, row := range op.rows() {
		for _, q := range []struct {
			name, kind string
			q          float64
		}{{"p50", "line", 0.5}, {"p95", "thin", 0.95}} {
			d, v := tl.quantiles(axis, row.Side, q.q)
			c.Lines = append(c.Lines, line{row.Side, q.kind, d})
			c.Legend = append(c.Legend, legend{row.Side, names[row.Side] + " " + q.name, q.kind})
			t.S = append(t.S, trace{names[row.Side] + " " + q.name, row.Side, "ms", v})
		}
	}
	return c, t, true
}

// only is a result with the series of one operation. A whole leg counts as a
// request there.
func only(r *result.Result, op operation) *result.Result {
	own := &result.Result{Paths: r.Paths, Phases: r.Phases}
	for _, s := range r.Series {
		second := result.Second{T: s.T}
		for _, p := range s.Series {
			if p.Scenario == op.Scenario && p.Step == op.Step {
				p.Step = "request"
				second.Series = append(second.Series, p)
			}
		}
		own.Series = append(own.Series, second)
	}
	return own
}
