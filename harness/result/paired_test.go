package result_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// pairsOf records differences, right minus left, in milliseconds.
func pairsOf(differences ...int) result.Paired {
	var later, earlier hist.Histogram
	for _, d := range differences {
		if d > 0 {
			later.Record(time.Duration(d) * time.Millisecond)
		} else {
			earlier.Record(time.Duration(-d) * time.Millisecond)
		}
	}
	return result.Pair("open", "list", &later, &earlier)
}

func TestPairsAreSummarisedBySign(t *testing.T) {
	ladder := make([]int, 0, 101) // -50 … 50
	for d := -50; d <= 50; d++ {
		ladder = append(ladder, d)
	}
	type want struct {
		Pairs                            uint64
		Min, P5, P25, P50, P75, P95, Max string
		Later                            float64
	}
	text := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return time.Duration(*v * float64(time.Millisecond)).Round(time.Millisecond).String()
	}
	for _, c := range []struct {
		name        string
		differences []int
		want        want
	}{
		{"of nothing it says nothing", nil, want{0, "–", "–", "–", "–", "–", "–", "–", 0}},
		{"of one pair it knows the middle and the ends", []int{7}, want{1, "7ms", "–", "–", "7ms", "–", "–", "7ms", 1}},
		{"where the right path is always earlier it is negative", []int{-9, -9, -9, -9}, want{4, "-9ms", "–", "–", "-9ms", "–", "–", "-9ms", 0}},
		{"a ladder around zero is read from both ends", ladder, want{101, "-50ms", "-45ms", "-25ms", "0s", "25ms", "45ms", "50ms", 50.0 / 101}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pairsOf(c.differences...)
			d := p.Difference
			got := want{p.Pairs, text(d.Min), text(d.P5), text(d.P25), text(d.P50), text(d.P75), text(d.P95), text(d.Max), d.RightLater}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
