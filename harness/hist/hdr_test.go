package hist_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"cutover/harness/hist"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHdrHistogramReadsTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := durations(t, "durations")
		if len(ds) == 0 {
			t.Skip("an empty histogram has no maximum")
		}
		h := recorded(ds)
		start := time.Unix(1_790_000_000, 0)
		var log bytes.Buffer
		err := hist.WriteHDRLog(&log, start, []hist.Interval{{Tag: "read, mail", Start: start.Add(2 * time.Second), Length: time.Second, Histogram: h}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := hdrhistogram.NewHistogramLogReader(&log).NextIntervalHistogram()
		if err != nil || read == nil {
			t.Fatalf("cannot read %q: %v", log.String(), err)
		}
		if got := read.TotalCount(); got != int64(h.Count()) {
			t.Fatalf("it reads %d samples of %d", got, h.Count())
		}
		if got := read.Tag(); got != "read__mail" {
			t.Errorf("it reads the tag %q", got)
		}
		if got := read.StartTimeMs(); got != start.UnixMilli()+2000 {
			t.Errorf("it reads the start %d", got)
		}
		for rank := range len(ds) {
			// HdrHistogram rounds to the nearest rank; here both take the same.
			q := (float64(rank) + 0.75) / float64(len(ds))
			got, want := float64(read.ValueAtQuantile(100*q)), float64(h.Quantile(q))
			if math.Abs(got-want) > 0.0015*want+1 {
				t.Errorf("quantile %v is %v to it, %v to us", q, got, want)
			}
		}
	})
}

func TestPercentileDistribution(t *testing.T) {
	h := recorded([]time.Duration{1000 * time.Microsecond, 2000 * time.Microsecond, 4000 * time.Microsecond})
	var got strings.Builder
	if err := hist.WriteHGRM(&got, h); err != nil {
		t.Fatal(err)
	}
	want := `       Value     Percentile TotalCount 1/(1-Percentile)

       1.000 0.000000000000          1           1.00
       1.000 0.100000000000          1           1.11
       1.000 0.200000000000          1           1.25
       1.000 0.300000000000          1           1.43
       2.003 0.400000000000          2           1.67
       2.003 0.500000000000          2           2.00
       2.003 0.550000000000          2           2.22
       2.003 0.600000000000          2           2.50
       2.003 0.650000000000          2           2.86
       4.000 1.000000000000          3
#[Mean    =        2.333, StdDeviation   =        1.246]
#[Max     =        4.000, Total count    =            3]
#[Buckets =           36, SubBuckets     =          128]
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Reset()
	if err := hist.WriteHGRM(&got, new(hist.Histogram)); err != nil || !strings.Contains(got.String(), "Total count    =            0") {
		t.Errorf("of nothing: %q, %v", got.String(), err)
	}
}
