package compare

import (
	"math"
	"slices"
)

// Median is the middle of values, the mean of the two middle ones when their number is
// even; NaN of none. The values keep their order.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// MAD is the median distance from the median, unscaled: for a normal distribution it is
// 0.6745 of the standard deviation. NaN of no values.
func MAD(values []float64) float64 {
	middle := Median(values)
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v - middle)
	}
	return Median(away)
}

// exactUpTo is the number of values up to which the Mann–Whitney distribution is counted
// out, ties included; above it the normal approximation is good to 0.001.
const exactUpTo = 50

// MannWhitney tests whether values of run tend to lie above (below) those of base: the
// probability, when both come from one distribution, of a U at least as far out. The
// two-sided p is twice the smaller one, at most 1. Both are 1 when a side is empty.
func MannWhitney(base, run []float64) (above, below float64) {
	m, n := len(base), len(run)
	if m == 0 || n == 0 {
		return 1, 1
	}
	ranks, ties := doubledRanks(base, run)
	sum := 0
	for _, r := range ranks[m:] {
		sum += r
	}
	if m+n <= exactUpTo {
		return exactTails(ranks, n, sum)
	}
	return normalTails(m, n, float64(sum)/2, ties)
}

// doubledRanks ranks the values of both sides together, base first. Ranks are doubled, so
// that the mean rank of tied values is a whole number. ties is Σ(t³−t) over tied groups.
func doubledRanks(base, run []float64) (ranks []int, ties float64) {
	all := slices.Concat(base, run)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case all[a] < all[b]:
			return -1
		case all[a] > all[b]:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(all))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && all[order[to]] == all[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = from + 1 + to
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return ranks, ties
}

// exactTails counts in how many ways n of the ranks can be chosen, by their sum.
func exactTails(ranks []int, n, observed int) (above, below float64) {
	highest := 0
	for _, r := range ranks {
		highest += r
	}
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, highest+1)
	}
	ways[0][0] = 1
	for _, r := range ranks {
		for k := n; k >= 1; k-- {
			for s := highest; s >= r; s-- {
				ways[k][s] += ways[k-1][s-r]
			}
		}
	}
	var all, up, down float64
	for s, w := range ways[n] {
		all += w
		if s >= observed {
			up += w
		}
		if s <= observed {
			down += w
		}
	}
	return up / all, down / all
}

func normalTails(m, n int, rankSum, ties float64) (above, below float64) {
	fm, fn := float64(m), float64(n)
	u := rankSum - fn*(fn+1)/2
	mean := fm * fn / 2
	total := fm + fn
	deviation := math.Sqrt(fm * fn / 12 * (total + 1 - ties/(total*(total-1))))
	if deviation == 0 {
		return 1, 1
	}
	return min(1, upperTail((u-0.5-mean)/deviation)), min(1, upperTail((mean-u-0.5)/deviation))
}

// upperTail is the probability that a standard normal value is z or more.
func upperTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// Holm adjusts p-values for the number of tests, so that the chance of any false alarm
// stays below the level at which the adjusted values are read. The order is kept.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	worst := 0.0
	for k, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(p)-k)))
		out[i] = worst
	}
	return out
}

// hodgesLehmann estimates by how much run lies above base: the median of all pairwise
// differences, with the 95 % interval that belongs to the Mann–Whitney test. bounded is
// false when there are too few values for an interval.
func hodgesLehmann(base, run []float64) (value, low, high float64, bounded bool) {
	var differences []float64
	for _, r := range run {
		for _, b := range base {
			differences = append(differences, r-b)
		}
	}
	slices.Sort(differences)
	value = Median(differences)
	k := criticalU(len(base), len(run))
	if k < 1 {
		return value, 0, 0, false
	}
	return value, differences[k-1], differences[len(differences)-k], true
}

// criticalU is the largest k for which P(U < k) ≤ 2.5 % without ties.
func criticalU(m, n int) int {
	if m == 0 || n == 0 {
		return 0
	}
	if m+n > exactUpTo {
		fm, fn := float64(m), float64(n)
		return int(fm*fn/2 - 1.959964*math.Sqrt(fm*fn*(fm+fn+1)/12))
	}
	limit := m * n
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, limit+1)
	}
	ways[0][0] = 1
	// Value number i of base lies below i−k of the k values of run chosen so far: U adds up.
	for i := 1; i <= m+n; i++ {
		for k := min(i, n); k >= 1; k-- {
			add := i - k
			if add > m {
				continue
			}
			for u := limit; u >= add; u-- {
				ways[k][u] += ways[k-1][u-add]
			}
		}
	}
	var all, below float64
	for _, w := range ways[n] {
		all += w
	}
	for u, w := range ways[n] {
		if below += w; below/all > 0.025 {
			return u
		}
	}
	return 0
}

// fisher is the one-sided probability of at least hits of n in the second group, when
// both groups share one rate and the hits of both together are given.
func fisher(baseHits, baseN, hits, n uint64) float64 {
	total, all := baseHits+hits, baseN+n
	if all == 0 || total == 0 || hits == 0 {
		return 1
	}
	choose := func(n, k uint64) float64 {
		a, _ := math.Lgamma(float64(n) + 1)
		b, _ := math.Lgamma(float64(k) + 1)
		c, _ := math.Lgamma(float64(n-k) + 1)
		return a - b - c
	}
	p := 0.0
	for k := hits; k <= min(n, total); k++ {
		if total-k > baseN {
			continue
		}
		p += math.Exp(choose(n, k) + choose(baseN, total-k) - choose(all, total))
	}
	return min(1, p)
}
