package result

import "cutover/harness/hist"

// Paired is how much later the right path answered one step than the left one,
// question by question: both response times belong to the same arrival. A shift
// of the medians may be zero while every second user waits longer; this shows it.
// Only pairs that both paths answered as expected in a measured phase count, and
// of those the sampled ones.
type Paired struct {
	Scenario   string `json:"scenario"`
	Step       string `json:"step"`
	Pairs      uint64 `json:"pairs"`
	Difference Spread `json:"difference_ms"`
}

// Spread is a distribution of differences in milliseconds, right minus left:
// positive where the right path answered later. A quantile is nil where too few
// pairs carry it.
type Spread struct {
	Min *float64 `json:"min"`
	P5  *float64 `json:"p5"`
	P25 *float64 `json:"p25"`
	P50 *float64 `json:"p50"`
	P75 *float64 `json:"p75"`
	P95 *float64 `json:"p95"`
	Max *float64 `json:"max"`
	// RightLater is the share of pairs in which the right path was later, 0 to 1.
	RightLater float64 `json:"right_later"`
	// Later and Earlier hold the differences without their sign: by how much the
	// right path was later, and by how much it was earlier or equal. Together
	// they hold every pair.
	Later   *hist.Histogram `json:"later_histogram,omitempty"`
	Earlier *hist.Histogram `json:"earlier_histogram,omitempty"`
}

// Pair summarises differences that were recorded by sign: later where the right
// path was later, earlier where it was not.
func Pair(scenario, step string, later, earlier *hist.Histogram) Paired {
	n := later.Count() + earlier.Count()
	p := Paired{Scenario: scenario, Step: step, Pairs: n}
	if n == 0 {
		return p
	}
	d := &p.Difference
	d.Later, d.Earlier = later.Clone(), earlier.Clone()
	d.RightLater = float64(later.Count()) / float64(n)
	for q, into := range map[float64]**float64{0: &d.Min, 0.05: &d.P5, 0.25: &d.P25, 0.5: &d.P50, 0.75: &d.P75, 0.95: &d.P95, 1: &d.Max} {
		if Enough(max(q, 1-q), n) || q == 0 || q == 1 {
			v := signedQuantile(later, earlier, q)
			*into = &v
		}
	}
	return p
}

// signedQuantile reads a quantile out of both halves: the greatest amounts of
// earlier come first.
func signedQuantile(later, earlier *hist.Histogram, q float64) float64 {
	before, after := float64(earlier.Count()), float64(later.Count())
	at := q * (before + after)
	switch {
	case before > 0 && (at < before || after == 0):
		if v := *millis(earlier.Quantile(1 - at/before)); v > 0 {
			return -v
		}
		return 0
	case q == 1:
		return *millis(later.Max())
	}
	return *millis(later.Quantile(max(0, at-before) / after))
}
