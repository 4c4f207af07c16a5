package compare

import (
	"math"
	"slices"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// Shape compares the form of two distributions once both are scaled to the same median:
// a second hump that leaves the median where it was shows here. It describes; it decides
// nothing, because neighbouring requests are too alike for a test of single samples.
type Shape struct {
	Scenario string  `json:"scenario"`
	Step     string  `json:"step"`
	Path     string  `json:"path"`
	Distance float64 `json:"distance"` // largest gap between the two distribution functions, 0 to 1
	Noise    float64 `json:"noise"`    // what two samples of this size differ by anyway (1 in 1,000)
	Changed  bool    `json:"changed"`
}

// The least distance that is called a change, whatever the number of samples, and the
// fewest samples of either side.
const (
	shapeLeast   = 0.10
	shapeSamples = 100
)

// shapes returns the rows in which the form changed.
func shapes(base, run []*result.Result) []Shape {
	b, order := merged(base)
	n, _ := merged(run)
	out := []Shape{}
	for _, k := range order {
		x, y := b[k], n[k]
		if y == nil || x.Count() < shapeSamples || y.Count() < shapeSamples {
			continue
		}
		s := Shape{Scenario: k.scenario, Step: k.step, Path: k.path}
		s.Distance = distance(x, y)
		s.Noise = 1.95 * math.Sqrt(1/float64(x.Count())+1/float64(y.Count()))
		if s.Changed = s.Distance >= max(shapeLeast, s.Noise); s.Changed {
			out = append(out, s)
		}
	}
	return out
}

// merged adds up the response times of each row over the runs, in the order of first
// appearance.
func merged(runs []*result.Result) (rows map[key]*hist.Histogram, order []key) {
	rows = map[key]*hist.Histogram{}
	for _, r := range runs {
		for _, s := range r.Steps {
			if s.Step == result.WholeLeg || s.Histogram == nil {
				continue
			}
			k := key{s.Scenario, s.Step, s.Path}
			if rows[k] == nil {
				rows[k] = new(hist.Histogram)
				order = append(order, k)
			}
			rows[k].Merge(s.Histogram)
		}
	}
	return rows, order
}

// distance is the Kolmogorov–Smirnov distance of two histograms, each in units of its
// own median.
func distance(x, y *hist.Histogram) float64 {
	a, b := cumulative(x), cumulative(y)
	most := 0.0
	for _, pair := range [][2][]step{{a, b}, {b, a}} {
		for _, s := range pair[0] {
			most = max(most, math.Abs(s.share-at(pair[1], s.value)))
		}
	}
	return most
}

// step is a point of a distribution function: share of the values are at most value.
type step struct{ value, share float64 }

func cumulative(h *hist.Histogram) []step {
	middle := float64(max(1, h.Quantile(0.5)))
	var out []step
	seen := uint64(0)
	h.Buckets(func(low, high time.Duration, n uint64) bool {
		seen += n
		out = append(out, step{float64(high) / middle, float64(seen) / float64(h.Count())})
		return true
	})
	return out
}

// at interpolates a distribution function, so that buckets whose borders were scaled
// apart do not count as a difference.
func at(steps []step, value float64) float64 {
	i, _ := slices.BinarySearchFunc(steps, value, func(s step, v float64) int {
		switch {
		case s.value < v:
			return -1
		case s.value > v:
			return 1
		}
		return 0
	})
	switch {
	case i == len(steps):
		return 1
	case i == 0:
		if steps[0].value <= 0 || value < steps[0].value*0.99 {
			return 0
		}
		return steps[0].share
	}
	from, to := steps[i-1], steps[i]
	if to.value == from.value {
		return to.share
	}
	return from.share + (to.share-from.share)*(value-from.value)/(to.value-from.value)
}
