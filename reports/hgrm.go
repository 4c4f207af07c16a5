package reports

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// writeHGRM writes the percentile distribution of every row in the four columns
// that HDR plotters read, a block a row, values in milliseconds.
func writeHGRM(w io.Writer, r *result.Result, _ Options) error {
	var b strings.Builder
	if line := consentWords(r); line != "" {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	for _, op := range operations(r) {
		for _, row := range op.rows() {
			if row.Histogram != nil && row.Histogram.Count() > 0 {
				fmt.Fprintf(&b, "# %s on %s, response time in ms\n", clean(op.Name()), clean(row.Path))
				percentileBlock(&b, row.Histogram)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ticksPerHalf is how many lines stand between a percentile and the one that
// halves the distance to 100 %: HDR's customary five.
const ticksPerHalf = 5

func percentileBlock(b *strings.Builder, h *hist.Histogram) {
	b.WriteString("       Value     Percentile TotalCount 1/(1-Percentile)\n\n")
	total := h.Count()
	for i := 0; ; i++ {
		half := math.Floor(float64(i) / ticksPerHalf)
		q := 1 - math.Pow(0.5, half)*(1-float64(i%ticksPerHalf)/(2*ticksPerHalf))
		v := h.Quantile(q)
		if q == 0 {
			v = h.Min()
		}
		below := min(total, max(1, uint64(math.Ceil(q*float64(total)-1e-9))))
		if below >= total {
			break
		}
		fmt.Fprintf(b, "%12.3f %2.12f %10d %14.2f\n", millis(v), q, below, 1/(1-q))
	}
	fmt.Fprintf(b, "%12.3f %2.12f %10d\n", millis(h.Max()), 1.0, total)
	fmt.Fprintf(b, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n#[Max     = %12.3f, Total count    = %12d]\n#[Buckets = %12d, SubBuckets     = %12d]\n\n",
		millis(h.Mean()), deviation(h), millis(h.Max()), total, 36, 128)
}

// deviation is the standard deviation in milliseconds, as far as buckets tell.
func deviation(h *hist.Histogram) float64 {
	mean, sum := millis(h.Mean()), 0.0
	h.Buckets(func(low, high time.Duration, count uint64) bool {
		d := (millis(low)+millis(high))/2 - mean
		sum += d * d * float64(count)
		return true
	})
	return math.Sqrt(sum / float64(h.Count()))
}
