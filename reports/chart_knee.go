package reports

import (
	"math"
	"slices"

	"cutover/harness/result"
)

// kneeHeight is the height of the throttle knee.
const kneeHeight = 150

// kneeChart draws which share of the requests was throttled over the rate at
// which a path was asked. It is absent when nothing was throttled.
func kneeChart(r *result.Result) (chart, traced, bool) {
	var rates []float64
	most, top := 0.0, 0.0
	for _, p := range r.Pushback {
		if p.Answers == 0 {
			continue
		}
		for _, point := range p.Points {
			rates = append(rates, point.OfferedPS)
			most, top = math.Max(most, point.OfferedPS), math.Max(top, point.Share())
		}
	}
	if len(rates) == 0 || most == 0 {
		return chart{}, traced{}, false
	}
	slices.Sort(rates)
	rates = slices.Compact(rates)
	xTicks, right := linearTicks(most)
	yTicks, high := linearTicks(math.Min(1, top) * 100)
	c := chart{Title: "Throttle knee", Unit: "share of requests throttled, over the rate asked", Height: kneeHeight, Wide: true,
		About: "Share of throttled requests over the rate at which each path was asked. The table below holds the figures."}
	for _, v := range xTicks {
		c.XTicks = append(c.XTicks, xTick{round3(v / right * 100), trimmed(v) + "/s", false})
	}
	for _, v := range yTicks {
		c.YTicks = append(c.YTicks, yTick{round3((1 - v/high) * kneeHeight), trimmed(v) + " %"})
	}
	t := traced{}
	for _, rate := range rates {
		t.X = append(t.X, round3(rate/right*100))
		t.At = append(t.At, sig3(rate)+" requests/s")
	}
	for _, p := range r.Pushback {
		if p.Answers == 0 || len(p.Points) == 0 {
			continue
		}
		xs, ys := make([]float64, len(p.Points)), make([]float64, len(p.Points))
		values := make([]float64, len(rates))
		for i := range values {
			values[i] = -1
		}
		for i, point := range p.Points {
			xs[i], ys[i] = point.OfferedPS/right*plotWidth, (1-point.Share()*100/high)*kneeHeight
			at, _ := slices.BinarySearch(rates, point.OfferedPS)
			values[at] = round3(point.Share() * 100)
		}
		if len(xs) == 1 { // a single class of rates: a short stroke marks it
			xs, ys = []float64{xs[0] - 6, xs[0] + 6}, []float64{ys[0], ys[0]}
		}
		c.Lines = append(c.Lines, line{p.Side, "line", polyline(xs, ys)})
		c.Legend = append(c.Legend, legend{p.Side, p.Path, "line"})
		t.S = append(t.S, trace{p.Path, p.Side, "%", values})
		if p.Knee != nil {
			at := p.Knee.ThrottledPS / right
			c.Marks = append(c.Marks, mark{Side: p.Side, X: at * plotWidth, At: round3(at * 100), Y1: 10, Y2: kneeHeight, Text: "knee", Label: true})
		}
	}
	return c, t, true
}

// kneeWords says where a path begins to throttle.
func kneeWords(p result.Pushback) string {
	switch {
	case p.Knee == nil:
		return "not by rate"
	case p.Knee.HeldPS == 0:
		return "at " + sig3(p.Knee.ThrottledPS) + "/s, the lowest rate asked"
	}
	return "between " + sig3(p.Knee.HeldPS) + "/s and " + sig3(p.Knee.ThrottledPS) + "/s"
}

// limits lists the limits that throttling answers named: "12 mailbox, 3 app".
func limits(p result.Pushback) string {
	out := ""
	for _, name := range sortedKeys(p.Buckets) {
		if n := p.Buckets[name]; n > 0 {
			if out != "" {
				out += ", "
			}
			out += count(n) + " " + name
		}
	}
	return out
}
