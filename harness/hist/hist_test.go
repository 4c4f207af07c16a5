package hist_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"cutover/harness/hist"

	"pgregory.net/rapid"
)

// durations draws latencies of every magnitude, a few beyond the limit.
func durations(t *rapid.T, label string) []time.Duration {
	one := rapid.Custom(func(t *rapid.T) time.Duration {
		bit := rapid.IntRange(0, 44).Draw(t, "magnitude")
		return time.Duration(rapid.Int64Range(0, 1<<bit).Draw(t, "ns"))
	})
	return rapid.SliceOfN(one, 0, 300).Draw(t, label)
}

func recorded(all ...[]time.Duration) *hist.Histogram {
	h := new(hist.Histogram)
	for _, ds := range all {
		for _, d := range ds {
			h.Record(d)
		}
	}
	return h
}

func text(t interface{ Fatal(...any) }, h *hist.Histogram) string {
	b, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestQuantilesAreWithinTheBoundOfTheSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := durations(t, "durations")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		h := recorded(ds)
		if len(ds) == 0 {
			if got := h.Quantile(q); got != 0 {
				t.Fatalf("quantile of nothing = %v, want 0", got)
			}
			return
		}
		slices.Sort(ds)
		rank := max(1, int(math.Ceil(q*float64(len(ds)))))
		want, got := ds[rank-1], h.Quantile(q)
		if want >= hist.Limit {
			if got != ds[len(ds)-1] {
				t.Fatalf("quantile(%v) in the overflow = %v, want the exact maximum %v", q, got, ds[len(ds)-1])
			}
			return
		}
		if off := math.Abs(float64(got - want)); off > hist.MaxRelativeError*float64(want) {
			t.Fatalf("quantile(%v) = %v, want %v within %v", q, got, want, hist.MaxRelativeError)
		}
	})
}

func TestMinMaxMeanAndCountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := durations(t, "durations")
		h := recorded(ds)
		type figures struct {
			count, overflow uint64
			min, max, mean  time.Duration
		}
		got := figures{h.Count(), h.Overflow(), h.Min(), h.Max(), h.Mean()}
		want := figures{count: uint64(len(ds))}
		var sum time.Duration
		for _, d := range ds {
			sum += d
			if d >= hist.Limit {
				want.overflow++
			}
		}
		if len(ds) > 0 {
			want.min, want.max, want.mean = slices.Min(ds), slices.Max(ds), sum/time.Duration(len(ds))
		}
		if got != want {
			t.Fatalf("got %+v, want %+v for %v", got, want, ds)
		}
	})
}

func TestMergingEqualsRecordingAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := durations(t, "a"), durations(t, "b")
		merged := recorded(a)
		other := recorded(b)
		before := text(t, other)
		merged.Merge(other)
		if got, want := text(t, merged), text(t, recorded(a, b)); got != want {
			t.Fatalf("merged %q, recorded together %q", got, want)
		}
		if after := text(t, other); after != before {
			t.Fatalf("merging changed its argument from %q to %q", before, after)
		}
	})
}

func TestTextRoundTripsAndResetEmpties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := recorded(durations(t, "durations"))
		encoded := text(t, h)
		back := recorded(durations(t, "earlier content"))
		if err := back.UnmarshalText([]byte(encoded)); err != nil {
			t.Fatalf("decoding %q: %v", encoded, err)
		}
		if got := text(t, back); got != encoded {
			t.Fatalf("got %q back, want %q", got, encoded)
		}
		if back.Mean() != h.Mean() || back.Min() != h.Min() || back.Max() != h.Max() || back.Count() != h.Count() {
			t.Fatalf("figures changed in %q", encoded)
		}
		clone := h.Clone()
		h.Reset()
		if got := text(t, h); got != "" {
			t.Fatalf("reset left %q", got)
		}
		if got := text(t, clone); got != encoded {
			t.Fatalf("resetting the original turned the clone into %q, want %q", got, encoded)
		}
	})
}

func TestBucketsHoldEverySampleBetweenTheirEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := durations(t, "durations")
		h := recorded(ds)
		slices.Sort(ds)
		var total uint64
		last := time.Duration(-1)
		h.Buckets(func(low, high time.Duration, n uint64) bool {
			if low < last {
				t.Fatalf("bucket [%v, %v) after one that ended at %v", low, high, last)
			}
			last = high
			from, _ := slices.BinarySearch(ds, low)
			to, _ := slices.BinarySearch(ds, high)
			if uint64(to-from) != n {
				t.Fatalf("bucket [%v, %v) holds %d, want %d", low, high, n, to-from)
			}
			if low < hist.Limit && low >= 128 && float64(high-low)/float64(low) > 2*hist.MaxRelativeError {
				t.Fatalf("bucket [%v, %v) is too wide", low, high)
			}
			total += n
			return true
		})
		if total != h.Count() {
			t.Fatalf("buckets hold %d of %d", total, h.Count())
		}
	})
}

func TestCountBelow(t *testing.T) {
	h := recorded([]time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond, 2 * hist.Limit})
	for _, row := range []struct {
		name  string
		limit time.Duration
		want  uint64
	}{
		{"below the shortest it counts none", 5 * time.Millisecond, 0},
		{"between two it counts those below", 25 * time.Millisecond, 2},
		{"above all in range it leaves the overflow out", time.Minute, 3},
		{"at the maximum it counts all", 2 * hist.Limit, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := h.CountBelow(row.limit); got != row.want {
				t.Errorf("CountBelow(%v) = %d, want %d", row.limit, got, row.want)
			}
		})
	}
}

func TestANegativeDurationCountsAsZero(t *testing.T) {
	h := recorded([]time.Duration{-time.Second})
	if h.Count() != 1 || h.Min() != 0 || h.Max() != 0 {
		t.Errorf("got count %d, min %v, max %v; want 1, 0, 0", h.Count(), h.Min(), h.Max())
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	b64 := func(b ...byte) string { return base64.RawStdEncoding.EncodeToString(b) }
	for name, bad := range map[string]string{
		"text that is not base64, it says so":              "§",
		"another version, it says so":                      b64(2, 0, 0, 0, 0, 0, 0),
		"a cut varint, it says so":                         b64(1, 0x80),
		"no samples, it says so":                           b64(1, 0, 0, 0, 0, 0),
		"a bucket past the last, it says so":               b64(1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f),
		"two buckets that together pass the last, it says": b64(1, 0, 0, 0, 0, 0, 0, 0xfe, 0x47),
		"a minimum outside the first bucket, it says so":   b64(1, 1, 8, 0, 12, 0, 6, 10),
		"a maximum outside the last bucket, it says so":    b64(1, 0, 5, 0, 0, 0, 0),
		"a sum above n times the maximum, it says so":      b64(1, 3, 0, 0, 9, 0, 6),
		"overflow below the limit, it says so":             b64(1, 3, 0, 0, 3, 1),
		"counts that wrap around, it says so":              b64(1, 0, 1, 0, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0),
	} {
		t.Run(name, func(t *testing.T) {
			h := recorded([]time.Duration{time.Second})
			if err := h.UnmarshalText([]byte(bad)); !errors.Is(err, hist.ErrEncoding) {
				t.Errorf("got %v, want ErrEncoding", err)
			}
			if h.Count() != 0 {
				t.Errorf("the histogram still holds %d samples", h.Count())
			}
		})
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(text(f, recorded([]time.Duration{time.Millisecond, time.Millisecond, time.Second, 2 * hist.Limit}))))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, in []byte) {
		var h hist.Histogram
		if h.UnmarshalText(in) != nil {
			return
		}
		if m := h.Mean(); m < h.Min() || m > h.Max() {
			t.Errorf("mean %v outside [%v, %v]", m, h.Min(), h.Max())
		}
		again, err := h.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back hist.Histogram
		if err := back.UnmarshalText(again); err != nil {
			t.Fatalf("cannot read back %q: %v", again, err)
		}
		if third, _ := back.MarshalText(); !bytes.Equal(third, again) {
			t.Errorf("%q became %q", again, third)
		}
	})
}

func TestASecondOfSamplesEncodesSmall(t *testing.T) {
	h := new(hist.Histogram)
	for i := range 1000 {
		h.Record(time.Duration(float64(20*time.Millisecond) * math.Exp(math.Sin(float64(i)*12.9898))))
	}
	if n := len(text(t, h)); n > 900 {
		t.Errorf("1,000 samples take %d bytes of text, want at most 900", n)
	}
}

func TestRecordingAndMergingAllocateNothingOnceWarm(t *testing.T) {
	if raced {
		t.Skip("octaves come from a sync.Pool, which forgets at random under the race detector")
	}
	var total, worker hist.Histogram
	second := func() {
		for i := range 100 {
			worker.Record(time.Duration(i) * time.Millisecond)
		}
		total.Merge(&worker)
		worker.Reset()
	}
	second()
	if n := testing.AllocsPerRun(10, second); n != 0 {
		t.Errorf("a second allocates %v times, want 0", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	var h hist.Histogram
	for i := 0; b.Loop(); i++ {
		h.Record(time.Duration(i&0xfffff) * 64)
	}
}

func filled() *hist.Histogram {
	h := new(hist.Histogram)
	for i := range 100_000 {
		h.Record(time.Duration(i) * 10 * time.Microsecond)
	}
	return h
}

func BenchmarkMerge(b *testing.B) {
	var total hist.Histogram
	h := filled()
	b.ReportAllocs()
	for b.Loop() {
		total.Merge(h)
	}
}

func BenchmarkMarshal(b *testing.B) {
	h := filled()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.MarshalText(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(text(b, h))), "textbytes")
}

func BenchmarkQuantile(b *testing.B) {
	h := filled()
	for b.Loop() {
		h.Quantile(0.99)
	}
}
