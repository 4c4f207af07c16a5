package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"cutover/harness/compare"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

// The oracle counts ties in its exact distribution for up to 25 values a side, and
// approximates above 50 without ties.
func TestMannWhitneyAgreesWithTheOracle(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []struct{ m, n, levels int }{
		{5, 5, 0}, {10, 5, 0}, {3, 9, 0}, {1, 7, 0}, {12, 12, 0}, {20, 20, 0},
		{5, 5, 4}, {10, 5, 3}, {8, 8, 6}, {60, 50, 0}, {80, 70, 5},
	} {
		t.Run(fmt.Sprintf("%d against %d in %d levels it gives the same p", shape.m, shape.n, shape.levels), func(t *testing.T) {
			for range 20 {
				draw := func(n int, shift float64) []float64 {
					out := make([]float64, n)
					for i := range out {
						out[i] = random.NormFloat64() + shift
						if shape.levels > 0 {
							out[i] = float64(random.IntN(shape.levels)) + math.Round(shift)
						}
					}
					return out
				}
				base, run := draw(shape.m, 0), draw(shape.n, 0.7)
				above, below := compare.MannWhitney(base, run)
				// Each direction is asked as "less": with ties the oracle's "greater" starts half a
				// step late.
				more, err := stats.MannWhitneyUTest(base, run, stats.LocationLess)
				less, err2 := stats.MannWhitneyUTest(run, base, stats.LocationLess)
				if err != nil || err2 != nil {
					continue // it refuses samples that are all equal
				}
				if math.Abs(above-more.P) > 1e-9 || math.Abs(below-less.P) > 1e-9 {
					t.Fatalf("base %v\nrun %v\np = %v, %v, want %v, %v", base, run, above, below, more.P, less.P)
				}
				if shape.levels > 0 {
					continue
				}
				thresholds := benchmath.DefaultThresholds
				want := benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(base), &thresholds), benchmath.NewSample(slices.Clone(run), &thresholds)).P
				if got := min(1, 2*min(above, below)); math.Abs(got-want) > 1e-9 {
					t.Fatalf("base %v\nrun %v\ntwo-sided p = %v, want %v", base, run, got, want)
				}
			}
		})
	}
}

func TestMannWhitneyAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		name         string
		base, run    []float64
		above, below float64
	}{
		{"of nothing it proves nothing", nil, []float64{1}, 1, 1},
		{"of equal values it proves nothing", []float64{3, 3}, []float64{3, 3}, 1, 1},
		{"of ten against five apart it is one in 3003", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{11, 12, 13, 14, 15}, 1.0 / 3003, 1},
		{"of two against two it counts six orders", []float64{2, 4}, []float64{1, 3}, 5.0 / 6, 2.0 / 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			above, below := compare.MannWhitney(c.base, c.run)
			if !near(above, c.above) || !near(below, c.below) {
				t.Errorf("got %v, %v, want %v, %v", above, below, c.above, c.below)
			}
		})
	}
}

func TestMedianAndMADAgreeWithTheOracle(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	thresholds := benchmath.DefaultThresholds
	median := func(values []float64) float64 {
		return benchmath.AssumeNothing.Summary(benchmath.NewSample(append([]float64(nil), values...), &thresholds), 0.95).Center
	}
	for n := 1; n < 20; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = random.ExpFloat64()
		}
		if got, want := compare.Median(values), median(values); !near(got, want) {
			t.Errorf("median of %v = %v, want %v", values, got, want)
		}
		away := make([]float64, n)
		for i, v := range values {
			away[i] = math.Abs(v - median(values))
		}
		if got, want := compare.MAD(values), median(away); !near(got, want) {
			t.Errorf("MAD of %v = %v, want %v", values, got, want)
		}
	}
	if !math.IsNaN(compare.Median(nil)) || !math.IsNaN(compare.MAD(nil)) {
		t.Error("the median of nothing is a number")
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct {
		name    string
		p, want []float64
	}{
		{"of nothing it is nothing", nil, []float64{}},
		{"one test is not corrected", []float64{0.04}, []float64{0.04}},
		{"the smallest counts for all, the next for one less, and order is kept", []float64{0.03, 0.001, 0.04}, []float64{0.06, 0.003, 0.06}},
		{"it ends at 1", []float64{0.9, 0.8}, []float64{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compare.Holm(c.p)
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if !near(got[i], c.want[i]) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}
