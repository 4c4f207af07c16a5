package result_test

import (
	"math"
	"testing"

	"cutover/harness/result"
)

func TestNoDifferenceAmongFewPairsAssuresLittle(t *testing.T) {
	for _, row := range []struct {
		name    string
		hits, n uint64
		want    float64
	}{
		{"nothing compared says nothing", 0, 0, 1},
		{"none of one says that at most 95 % differ", 0, 1, 0.95},
		{"none of 30 is a tenth", 0, 30, 0.0950},
		{"none of 10,000 is 3/n", 0, 10_000, 0.0003},
		{"some are bounded by Wilson's interval", 50, 100, 0.5962},
	} {
		if got := result.AtMost(row.hits, row.n); math.Abs(got-row.want) > 0.0001 {
			t.Errorf("%s: %d of %d: at most %.4f, want %.4f", row.name, row.hits, row.n, got, row.want)
		}
	}
}
