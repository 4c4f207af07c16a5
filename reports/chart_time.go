package reports

import (
	"math"
	"strconv"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// maxBins bounds the points of a time series; a longer run puts several
// seconds into one.
const maxBins = 240

// timeline is the series of a run in bins of equal length.
type timeline struct {
	width int // seconds a bin
	start int // first second
	bins  []bin
}

// bin is what happened in one stretch of time, by side.
type bin struct {
	seconds int
	due     uint64
	lag     float64
	sides   map[string]*sideBin
}

type sideBin struct {
	legs, requests, errors, throttled uint64
	response                          hist.Histogram
}

// binned sorts a series into bins of at least width seconds, and no more than
// maxBins of them. Whole legs are counted apart from requests.
func binned(r *result.Result, width int) timeline {
	if len(r.Series) == 0 {
		return timeline{}
	}
	first, last := r.Series[0].T, r.Series[len(r.Series)-1].T
	length := last - first + 1
	if length < 1 {
		return timeline{}
	}
	tl := timeline{width: max(width, (length+maxBins-1)/maxBins), start: first}
	tl.bins = make([]bin, (length+tl.width-1)/tl.width)
	sides := map[string]string{}
	for _, p := range r.Paths {
		sides[p.Name] = p.Side
	}
	for _, s := range r.Series {
		at := (s.T - first) / tl.width
		if at < 0 || at >= len(tl.bins) {
			continue
		}
		b := &tl.bins[at]
		if b.sides == nil {
			b.sides = map[string]*sideBin{}
		}
		b.seconds++
		b.due += s.Due
		b.lag = math.Max(b.lag, s.LagP99)
		for _, p := range s.Series {
			b.add(sides[p.Path], p)
		}
	}
	return tl
}

func (b *bin) add(side string, p result.SeriesPoint) {
	sb := b.sides[side]
	if sb == nil {
		sb = new(sideBin)
		b.sides[side] = sb
	}
	if p.Step == result.WholeLeg {
		sb.legs += p.Count
		return
	}
	sb.requests += p.Count
	sb.errors += p.Errors
	sb.throttled += max(p.Throttled, p.PushedBack)
	p.Histogram.AddTo(&sb.response)
}

// timeCharts draws the run over time: rate, response per path, trouble, lag.
// All share one axis.
func timeCharts(r *result.Result, names map[string]string) ([]chart, []traced) {
	tl := binned(r, 1)
	if len(tl.bins) == 0 {
		return nil, nil
	}
	var charts []chart
	var traces []traced
	add := func(c chart, ss []trace) {
		c.Group, c.XTicks, c.Bands = "time", tl.xTicks(), tl.bands(r.Phases)
		c.Named = len(charts) == 0
		charts = append(charts, c)
		traces = append(traces, traced{tl.xs(), tl.labels(), ss})
	}
	add(tl.rate(r, names))
	if axis, ok := tl.responseAxis(); ok {
		for _, side := range []string{result.Left, result.Right} {
			if names[side] != "" {
				add(tl.response(axis, side, names[side]))
			}
		}
	}
	add(tl.trouble(names))
	add(tl.lag())
	return charts, traces
}

func (tl timeline) xs() []float64 {
	out := make([]float64, len(tl.bins))
	for i := range out {
		out[i] = round3((float64(i) + 0.5) * 100 / float64(len(out)))
	}
	return out
}

func (tl timeline) labels() []string {
	out := make([]string, len(tl.bins))
	for i := range out {
		out[i] = clockTime(tl.start + i*tl.width)
	}
	return out
}

// clockTime writes seconds since the start as 0:05, 12:30 or 1:00:00.
func clockTime(s int) string {
	two := func(v int) string {
		if v < 10 {
			return "0" + strconv.Itoa(v)
		}
		return strconv.Itoa(v)
	}
	if s >= 3600 {
		return strconv.Itoa(s/3600) + ":" + two(s/60%60) + ":" + two(s%60)
	}
	return strconv.Itoa(s/60) + ":" + two(s%60)
}

func (tl timeline) xTicks() []xTick {
	length := len(tl.bins) * tl.width
	step := 86400
	for _, s := range []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400} {
		if length/s <= 9 {
			step = s
			break
		}
	}
	var ticks []xTick
	for at, n := (tl.start+step-1)/step*step, 0; at <= tl.start+length; at, n = at+step, n+1 {
		ticks = append(ticks, xTick{round3(float64(at-tl.start) / float64(length) * 100), clockTime(at), n%2 == 1})
	}
	return ticks
}

func (tl timeline) bands(phases []result.Phase) []band {
	length := float64(len(tl.bins) * tl.width)
	var out []band
	for _, p := range phases {
		from := math.Max(0, p.StartS-float64(tl.start)) / length
		to := math.Min(1, (p.StartS+p.LengthS-float64(tl.start))/length)
		if to > from {
			out = append(out, band{round3(from * plotWidth), round3((to - from) * plotWidth), round3((from + to) * 50), p.Name, p.Measured})
		}
	}
	return out
}

const (
	rateHeight  = 110
	quickHeight = 130
	lowHeight   = 70
)

// rate compares the legs asked for with those that ended, per path.
func (tl timeline) rate(r *result.Result, names map[string]string) (chart, []trace) {
	asked := make([]float64, len(tl.bins))
	for i, b := range tl.bins {
		asked[i] = per(b.due, b.seconds*max(1, len(r.Paths)))
	}
	series := []drawn{{trace{"asked", "", "/s", asked}, "thin"}}
	for _, side := range []string{result.Left, result.Right} {
		if names[side] != "" {
			vs := tl.each(side, func(b bin, s *sideBin) float64 { return per(s.legs, b.seconds) })
			series = append(series, drawn{trace{names[side], side, "/s", vs}, "line"})
		}
	}
	return tl.linear(chart{Title: "Rate", Unit: "legs ended per second, and asked", Height: rateHeight,
		About: "Legs per second over the run, asked and ended. The table of phases holds the figures."}, series)
}

// trouble shows failed and throttled requests per second.
func (tl timeline) trouble(names map[string]string) (chart, []trace) {
	var series []drawn
	for _, side := range []string{result.Left, result.Right} {
		if names[side] == "" {
			continue
		}
		errors := tl.each(side, func(b bin, s *sideBin) float64 { return per(s.errors, b.seconds) })
		throttled := tl.each(side, func(b bin, s *sideBin) float64 { return per(s.throttled, b.seconds) })
		series = append(series, drawn{trace{names[side] + " failed", side, "/s", errors}, "line"},
			drawn{trace{names[side] + " throttled", side, "/s", throttled}, "dash"})
	}
	return tl.linear(chart{Title: "Failed and throttled", Unit: "requests per second", Height: lowHeight, Sparse: true,
		About: "Failed and throttled requests per second over the run."}, series)
}

func (tl timeline) lag() (chart, []trace) {
	lags := make([]float64, len(tl.bins))
	for i, b := range tl.bins {
		lags[i] = b.lag
	}
	return tl.linear(chart{Title: "Generator lag", Unit: "p99, ms", Height: lowHeight,
		About: "How late the generator sent, 99th percentile of each second."}, []drawn{{trace{"lag p99", "", "ms", lags}, "line"}})
}

// drawn is a trace with the kind of its line.
type drawn struct {
	trace
	kind string
}

// linear draws series on an axis from zero.
func (tl timeline) linear(c chart, series []drawn) (chart, []trace) {
	top := 0.0
	for _, s := range series {
		top = math.Max(top, maximum(s.V))
	}
	ticks, top := linearTicks(top)
	for _, v := range ticks {
		c.YTicks = append(c.YTicks, yTick{round3((1 - v/top) * float64(c.Height)), trimmed(v)})
	}
	var traces []trace
	for _, s := range series {
		ys := make([]float64, len(s.V))
		for i, v := range s.V {
			ys[i] = (1 - v/top) * float64(c.Height)
			if c.Sparse && quiet(s.V, i) {
				ys[i] = math.NaN()
			}
		}
		c.Lines = append(c.Lines, line{s.Side, s.kind, polyline(tl.px(), ys)})
		c.Legend = append(c.Legend, legend{s.Side, s.Name, s.kind})
		s.V = rounded(s.V, 1)
		traces = append(traces, s.trace)
	}
	return c, traces
}

// quiet says that nothing happens at i or beside it.
func quiet(vs []float64, i int) bool {
	for j := max(0, i-1); j <= min(len(vs)-1, i+1); j++ {
		if vs[j] != 0 {
			return false
		}
	}
	return true
}

// linearTicks returns three to five round values from 0, and the last.
func linearTicks(top float64) ([]float64, float64) {
	if top < 1e-6 {
		return []float64{0, 1}, 1
	}
	step := stepUp(top / 4)
	var ticks []float64
	for i := 0; ; i++ {
		v := float64(i) * step
		ticks = append(ticks, v)
		if v >= top {
			return ticks, v
		}
	}
}

func (tl timeline) px() []float64 {
	out := tl.xs()
	for i := range out {
		out[i] *= plotWidth / 100
	}
	return out
}

func (tl timeline) each(side string, value func(bin, *sideBin) float64) []float64 {
	out := make([]float64, len(tl.bins))
	for i, b := range tl.bins {
		if s := b.sides[side]; s != nil {
			out[i] = value(b, s)
		}
	}
	return out
}

func per(n uint64, seconds int) float64 {
	if seconds == 0 {
		return 0
	}
	return float64(n) / float64(seconds)
}

// responseAxis spans the percentiles of both sides, so that the two panels can
// be compared.
func (tl timeline) responseAxis() (logAxis, bool) {
	low, high := math.Inf(1), 0.0
	for _, b := range tl.bins {
		for _, s := range b.sides {
			if s.response.Count() > 0 {
				low = math.Min(low, millis(s.response.Quantile(0.5)))
				high = math.Max(high, millis(s.response.Quantile(0.99)))
			}
		}
	}
	if high == 0 {
		return logAxis{}, false
	}
	axis := logAxis{stepDown(math.Max(low*0.8, 0.001)), stepUp(high)}
	if axis.high <= axis.low {
		axis.high = axis.low * 10
	}
	return axis, true
}

// response draws p50, p95 and p99 of one path.
func (tl timeline) response(axis logAxis, side, name string) (chart, []trace) {
	c := chart{Title: "Response times: " + name, Unit: "p50, p95, p99 of all steps", Height: quickHeight, YTicks: logYTicks(axis, quickHeight),
		About: "Percentiles of the response times of " + name + " over the run, on a logarithmic axis."}
	var traces []trace
	for _, q := range []struct {
		name, kind string
		q          float64
	}{{"p50", "line", 0.5}, {"p95", "thin", 0.95}, {"p99", "dash", 0.99}} {
		d, vs := tl.quantiles(axis, side, q.q)
		c.Lines = append(c.Lines, line{side, q.kind, d})
		c.Legend = append(c.Legend, legend{side, q.name, q.kind})
		traces = append(traces, trace{q.name, side, "ms", vs})
	}
	return c, traces
}

// quantiles returns one side's quantile over time, drawn and as numbers; -1
// and a gap where a bin is empty.
func (tl timeline) quantiles(axis logAxis, side string, q float64) (string, []float64) {
	ys, vs := make([]float64, len(tl.bins)), make([]float64, len(tl.bins))
	for i, b := range tl.bins {
		s := b.sides[side]
		if s == nil || s.response.Count() == 0 {
			ys[i], vs[i] = math.NaN(), -1
			continue
		}
		v := millis(s.response.Quantile(q))
		ys[i], vs[i] = (1-axis.at(v))*quickHeight, round3(v)
	}
	return polyline(tl.px(), ys), vs
}
