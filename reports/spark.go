package reports

import (
	"math"
	"strings"
	"time"

	"cutover/harness/hist"
)

// logAxis maps durations onto [0, 1] logarithmically. One axis serves all
// operations of a report, so that shapes can be compared at a glance.
type logAxis struct{ low, high float64 } // milliseconds, 0 < low < high

// axisOver spans all histograms, widened to steps of 1, 2 and 5.
func axisOver(hs []*hist.Histogram) (logAxis, bool) {
	low, high := math.Inf(1), 0.0
	for _, h := range hs {
		if h == nil || h.Count() == 0 {
			continue
		}
		low = math.Min(low, millis(h.Min()))
		high = math.Max(high, millis(h.Max()))
	}
	if high == 0 {
		return logAxis{}, false
	}
	low = math.Max(low, 0.001)
	axis := logAxis{stepDown(low), stepUp(high)}
	if axis.high <= axis.low {
		axis.high = stepUp(axis.low * 1.5)
	}
	return axis, true
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// stepDown is the greatest 1, 2 or 5 times a power of ten that is not above v.
func stepDown(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, m := range []float64{5, 2, 1} {
		if base*m <= v*(1+1e-9) {
			return base * m
		}
	}
	return base
}

// stepUp is the least 1, 2 or 5 times a power of ten that is not below v.
func stepUp(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, m := range []float64{1, 2, 5, 10} {
		if base*m >= v*(1-1e-9) {
			return base * m
		}
	}
	return base * 10
}

// at places a value; what lies outside is put on the edge.
func (a logAxis) at(v float64) float64 {
	if v <= a.low {
		return 0
	}
	return math.Min(1, math.Log(v/a.low)/math.Log(a.high/a.low))
}

// decades lists the powers of ten on the axis; when there are fewer than two,
// the steps of 1, 2 and 5 as well.
func (a logAxis) decades() []float64 {
	pick := func(multiples ...float64) []float64 {
		var out []float64
		for base := math.Pow(10, math.Floor(math.Log10(a.low)+1e-9)); base <= a.high*(1+1e-9); base *= 10 {
			for _, m := range multiples {
				if v := base * m; v >= a.low*(1-1e-9) && v <= a.high*(1+1e-9) {
					out = append(out, v)
				}
			}
		}
		return out
	}
	if ticks := pick(1); len(ticks) > 2 {
		return ticks
	}
	return pick(1, 2, 5)
}

// shares counts a histogram into n equal cells of the axis, as parts of one. A
// bucket that spans several cells is spread evenly over them in log space.
func (a logAxis) shares(h *hist.Histogram, n int) []float64 {
	out := make([]float64, n)
	if h == nil || h.Count() == 0 {
		return out
	}
	total := float64(h.Count())
	h.Buckets(func(low, high time.Duration, count uint64) bool {
		from := a.at(millis(low)) * float64(n)
		to := a.at(millis(high)) * float64(n)
		spread(out, from, to, float64(count)/total)
		return true
	})
	return out
}

func spread(cells []float64, from, to, amount float64) {
	last := len(cells) - 1
	first, end := min(last, int(from)), min(last, int(to))
	if first == end || to <= from {
		cells[first] += amount
		return
	}
	for i := first; i <= end; i++ {
		overlap := math.Min(to, float64(i+1)) - math.Max(from, float64(i))
		if i == last {
			overlap = to - math.Max(from, float64(i))
		}
		if overlap > 0 {
			cells[i] += amount * overlap / (to - from)
		}
	}
}

var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws shares as one line of blocks, the greatest a full block. A cell
// that holds anything is at least the lowest block; an empty one is a space.
func spark(shares []float64) string {
	var top float64
	for _, s := range shares {
		top = math.Max(top, s)
	}
	var b strings.Builder
	for _, s := range shares {
		if s <= 0 || top == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[min(len(levels)-1, int(s/top*float64(len(levels))))])
	}
	return b.String()
}

// ruler writes the axis' decades above a spark line of n columns, as many as
// fit.
func (a logAxis) ruler(n int) string {
	line := []rune(strings.Repeat(" ", n))
	free := 0
	for _, v := range a.decades() {
		label := []rune(withUnit(v))
		at := min(int(a.at(v)*float64(n)), n-len(label))
		if at < free || at < 0 {
			continue
		}
		copy(line[at:], label)
		free = at + len(label) + 2
	}
	return string(line)
}
