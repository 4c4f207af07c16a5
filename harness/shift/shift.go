// Package shift estimates how much later one path answers than the other, with a
// confidence interval that survives what single samples do not tell: answers within a
// second share their fate. Both paths were asked on one schedule, so that the same
// seconds are drawn for both (a paired, moving block bootstrap), and what slows both
// down does not look like a difference.
package shift

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"cutover/harness/hist"
)

// Pair is what both paths answered in one second. A nil histogram is an empty one.
type Pair struct{ Left, Right *hist.Histogram }

// Estimate is the shift right − left of one quantile; positive: the right path is
// slower. Known is false when too few samples stand behind it.
type Estimate struct {
	Value, Low, High time.Duration
	Known            bool
	// Bounded is false when there are too few seconds to say how sure the value is.
	Bounded bool
}

// Confidence of the intervals.
const Confidence = 0.95

const (
	draws      = 400 // resamples: the interval's ends are then known to about 2 % of rank
	fewSeconds = 8   // below it a bootstrap over seconds means nothing
)

// sparse is a histogram as indices into a common axis.
type sparse struct {
	at    []int32
	count []uint32
}

// axis holds the middles of all buckets that occur, ascending.
type axis []time.Duration

// Quantiles estimates the shift at each of qs. enough tells whether n samples carry
// a quantile. The same input and seed give the same estimates.
func Quantiles(pairs []Pair, qs []float64, enough func(q float64, n uint64) bool, seed uint64) []Estimate {
	left, right := collect(pairs, func(p Pair) *hist.Histogram { return p.Left }), collect(pairs, func(p Pair) *hist.Histogram { return p.Right })
	out := make([]Estimate, len(qs))
	all := make([]int, len(pairs))
	for i := range all {
		all[i] = 1
	}
	l, r := left.sum(all), right.sum(all)
	for i, q := range qs {
		if enough(q, total(l)) && enough(q, total(r)) {
			out[i].Known = true
			out[i].Value = right.quantile(r, q) - left.quantile(l, q)
		}
	}
	if len(pairs) < fewSeconds {
		return out
	}
	drawn := bootstrap(left, right, len(pairs), qs, seed)
	for i := range qs {
		if !out[i].Known || len(drawn[i]) < draws/2 {
			continue
		}
		slices.Sort(drawn[i])
		out[i].Low = min(out[i].Value, percentile(drawn[i], (1-Confidence)/2))
		out[i].High = max(out[i].Value, percentile(drawn[i], (1+Confidence)/2))
		out[i].Bounded = true
	}
	return out
}

// bootstrap draws runs of consecutive seconds, the same for both paths, until a
// run of the original length is together, and computes the shifts of each draw.
func bootstrap(left, right side, n int, qs []float64, seed uint64) [][]time.Duration {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	block := max(1, int(math.Round(math.Cbrt(float64(n)))))
	out := make([][]time.Duration, len(qs))
	weight := make([]int, n)
	for range draws {
		clear(weight)
		for have := 0; have < n; {
			from := random.IntN(n)
			for k := 0; k < block && have < n; k++ {
				weight[(from+k)%n]++
				have++
			}
		}
		l, r := left.sum(weight), right.sum(weight)
		if total(l) == 0 || total(r) == 0 {
			continue
		}
		for i, q := range qs {
			out[i] = append(out[i], right.quantile(r, q)-left.quantile(l, q))
		}
	}
	return out
}

// side is one path's seconds on their common axis.
type side struct {
	axis    axis
	seconds []sparse
}

func collect(pairs []Pair, of func(Pair) *hist.Histogram) side {
	var s side
	seen := map[time.Duration]bool{}
	for _, p := range pairs {
		if h := of(p); h != nil {
			h.Buckets(func(low, high time.Duration, _ uint64) bool {
				if mid := low + (high-low)/2; !seen[mid] {
					seen[mid] = true
					s.axis = append(s.axis, mid)
				}
				return true
			})
		}
	}
	slices.Sort(s.axis)
	for _, p := range pairs {
		var one sparse
		if h := of(p); h != nil {
			h.Buckets(func(low, high time.Duration, n uint64) bool {
				at, _ := slices.BinarySearch(s.axis, low+(high-low)/2)
				one.at = append(one.at, int32(at))
				one.count = append(one.count, uint32(min(n, math.MaxUint32)))
				return true
			})
		}
		s.seconds = append(s.seconds, one)
	}
	return s
}

// sum adds up the seconds, each as often as its weight says.
func (s side) sum(weight []int) []uint64 {
	counts := make([]uint64, len(s.axis))
	for i, w := range weight {
		if w == 0 {
			continue
		}
		for k, at := range s.seconds[i].at {
			counts[at] += uint64(w) * uint64(s.seconds[i].count[k])
		}
	}
	return counts
}

func (s side) quantile(counts []uint64, q float64) time.Duration {
	n := total(counts)
	if n == 0 {
		return 0
	}
	rank := max(1, uint64(math.Ceil(q*float64(n))))
	seen := uint64(0)
	for i, c := range counts {
		if seen += c; seen >= rank {
			return s.axis[i]
		}
	}
	return s.axis[len(s.axis)-1]
}

func total(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// percentile is the nearest rank of an ascending list.
func percentile(sorted []time.Duration, q float64) time.Duration {
	i := sort.Search(len(sorted), func(i int) bool { return float64(i+1) >= q*float64(len(sorted)) })
	return sorted[min(i, len(sorted)-1)]
}
