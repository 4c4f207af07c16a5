package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

const (
	draws       = 400   // resamples: an interval's ends are then known to about 2 % of rank
	fewSeconds  = 8     // below it a bootstrap over seconds means nothing
	leastBand   = 0.001 // a history of equal nights does not make runs comparable to the last digit
	mostSeconds = 240   // longer runs are cut into so many equal stretches instead
)

// within compares two single runs. Seconds of a run share their fate, so that runs of
// consecutive seconds are drawn again and again, from each run by itself: the two were
// not measured at the same time.
func within(tests []Test, base, run *result.Result, o Options) {
	for i := range tests {
		t := &tests[i]
		k := key{t.Scenario, t.Step, t.Path}
		b, n := stretches(base, k), stretches(run, k)
		t.BaseRuns, t.RunRuns = 1, 1
		t.Band, t.Assumed = DefaultBand, true
		if o.Band != nil {
			if known, ok := o.Band(t.Scenario, t.Step, t.Path, t.Quantile); ok {
				t.Band, t.Assumed = max(known, leastBand), false
			}
		}
		low := fewestSamples(t.Quantile)
		switch {
		case b.total() < low || n.total() < low:
			t.Why = "the step was not asked often enough on one side"
			continue
		case len(b.parts) < fewSeconds || len(n.parts) < fewSeconds:
			t.Why = "fewer than 8 seconds were measured on one side"
			continue
		}
		t.bootstrap(b, n, max(o.MinEffect, t.Band), o.Seed+uint64(i))
	}
}

// bootstrap estimates the shift with its interval, and the probability of it when the run
// is really slower by no more than limit.
func (t *Test) bootstrap(base, run timeline, limit float64, seed uint64) {
	b, n := base.whole(t.Quantile), run.whole(t.Quantile)
	if b <= 0 || n <= 0 {
		t.Why = "the times are below the clock's resolution"
		return
	}
	t.Base, t.Run = micro(b.Seconds()*1000), micro(n.Seconds()*1000)
	value := math.Log(float64(n) / float64(b))
	random := rand.New(rand.NewPCG(seed, 0xC0))
	left, right := base.draw(random, t.Quantile), run.draw(random, t.Quantile)
	var drawn []float64
	for i := range left {
		if left[i] > 0 && right[i] > 0 {
			drawn = append(drawn, math.Log(float64(right[i])/float64(left[i])))
		}
	}
	if len(drawn) < draws/2 {
		t.Why = "too few seconds hold an answer"
		return
	}
	slices.Sort(drawn)
	t.Shift = result.Interval{
		Value: share(value),
		Low:   share(min(value, drawn[len(drawn)/40])),
		High:  share(max(value, drawn[len(drawn)-1-len(drawn)/40])),
	}
	spread := deviation(drawn)
	slower, faster := tail(value-math.Log1p(limit), spread), tail(-value-math.Log1p(limit), spread)
	t.P, t.faster = &slower, faster
}

// tail is the probability of being at least that far above zero with that spread.
func tail(value, spread float64) float64 {
	if spread == 0 {
		if value > 0 {
			return 0
		}
		return 1
	}
	return upperTail(value / spread)
}

func deviation(values []float64) float64 {
	var sum, squares float64
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// timeline is one row of a run over time, as counts on a common axis.
type timeline struct {
	axis  []time.Duration // middles of the buckets that occur, ascending
	parts [][]part
}

type part struct {
	at    int32
	count uint32
}

// stretches cuts the measured seconds of a row into at most mostSeconds parts.
func stretches(r *result.Result, k key) timeline {
	var seconds []hist.Packed
	for _, s := range r.Series {
		if s.Measured {
			seconds = append(seconds, point(s, k))
		}
	}
	size := max(1, (len(seconds)+mostSeconds-1)/mostSeconds)
	var merged []*hist.Histogram
	for chunk := range slices.Chunk(seconds, size) {
		h := new(hist.Histogram)
		for _, one := range chunk {
			one.AddTo(h)
		}
		merged = append(merged, h)
	}
	return line(merged)
}

func point(s result.Second, k key) hist.Packed {
	for _, p := range s.Series {
		if p.Scenario == k.scenario && p.Step == k.step && p.Path == k.path {
			return p.Histogram
		}
	}
	return ""
}

func line(parts []*hist.Histogram) timeline {
	var t timeline
	for _, h := range parts {
		h.Buckets(func(low, high time.Duration, _ uint64) bool {
			t.axis = append(t.axis, low+(high-low)/2)
			return true
		})
	}
	slices.Sort(t.axis)
	t.axis = slices.Compact(t.axis)
	for _, h := range parts {
		var one []part
		h.Buckets(func(low, high time.Duration, n uint64) bool {
			at, _ := slices.BinarySearch(t.axis, low+(high-low)/2)
			one = append(one, part{int32(at), uint32(min(n, math.MaxUint32))})
			return true
		})
		t.parts = append(t.parts, one)
	}
	return t
}

func (t timeline) total() (n uint64) {
	for _, p := range t.parts {
		for _, c := range p {
			n += uint64(c.count)
		}
	}
	return n
}

func (t timeline) whole(q float64) time.Duration {
	counts := make([]uint64, len(t.axis))
	for _, p := range t.parts {
		add(counts, p)
	}
	return t.quantile(counts, q)
}

// draw resamples runs of consecutive parts, as many parts as there are, and returns the
// quantile of each draw; 0 for one without any answer.
func (t timeline) draw(random *rand.Rand, q float64) []time.Duration {
	n := len(t.parts)
	block := max(1, int(math.Round(math.Cbrt(float64(n)))))
	out := make([]time.Duration, draws)
	counts := make([]uint64, len(t.axis))
	for i := range out {
		clear(counts)
		for have := 0; have < n; {
			from := random.IntN(n)
			for k := 0; k < block && have < n; k++ {
				add(counts, t.parts[(from+k)%n])
				have++
			}
		}
		out[i] = t.quantile(counts, q)
	}
	return out
}

func add(counts []uint64, p []part) {
	for _, c := range p {
		counts[c.at] += uint64(c.count)
	}
}

func (t timeline) quantile(counts []uint64, q float64) time.Duration {
	var n, seen uint64
	for _, c := range counts {
		n += c
	}
	if n == 0 {
		return 0
	}
	rank := max(1, uint64(math.Ceil(q*float64(n))))
	for i, c := range counts {
		if seen += c; seen >= rank {
			return t.axis[i]
		}
	}
	return t.axis[len(t.axis)-1]
}
