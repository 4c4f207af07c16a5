package result_test

import (
	"fmt"
	"testing"

	"cutover/harness/result"
)

// The figures are those of Newcombe (1998), table I, and of R's binom.wilson.
func TestWilsonBoundsAShare(t *testing.T) {
	for _, c := range []struct {
		hits, n uint64
		want    string
	}{
		{81, 263, "0.2553 0.3662"},
		{15, 148, "0.0624 0.1605"},
		{0, 20, "0.0000 0.1611"},
		{1, 29, "0.0061 0.1718"},
		{20, 20, "0.8389 1.0000"},
		{0, 0, "0.0000 1.0000"},
	} {
		low, high := result.Wilson(c.hits, c.n)
		if got := fmt.Sprintf("%.4f %.4f", low, high); got != c.want {
			t.Errorf("%d of %d lies within %s, want %s", c.hits, c.n, got, c.want)
		}
	}
}
