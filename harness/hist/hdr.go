package hist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
	"time"
)

// Interval is one line of an HdrHistogram log.
type Interval struct {
	// Tag names the series; commas, blanks and line breaks become "_". "" for
	// none.
	Tag string
	// Start is when the interval began, and Length how long it lasted.
	Start     time.Time
	Length    time.Duration
	Histogram *Histogram
}

// WriteHDRLog writes intervals as an HdrHistogram log, format version 1.3,
// with V2 compressed histograms in nanoseconds, which is what HdrHistogram's
// plotters and processors read. start is the start of the run.
//
// Each bucket goes to HdrHistogram's at its middle, so that quantiles read
// from the log carry [MaxRelativeError] and HdrHistogram's 0.1 %; the shortest
// and the longest duration stay exact. Overflow counts at the longest.
func WriteHDRLog(w io.Writer, start time.Time, intervals []Interval) error {
	seconds := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	_, err := fmt.Fprintf(w, "#[Histogram log format version 1.3]\n#[StartTime: %.3f (seconds since epoch), %s]\n"+
		`"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`+"\n",
		seconds(start), start.UTC().Format(time.RFC3339))
	if err != nil {
		return err
	}
	unsafe := strings.NewReplacer(",", "_", " ", "_", "\n", "_", "\r", "_", "\t", "_")
	for _, one := range intervals {
		tag := ""
		if one.Tag != "" {
			tag = "Tag=" + unsafe.Replace(one.Tag) + ","
		}
		encoded, err := encodeHDR(one.Histogram)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%.3f,%.3f,%.3f,%s\n", tag, seconds(one.Start), one.Length.Seconds(), milliseconds(one.Histogram.Max()), encoded)
		if err != nil {
			return err
		}
	}
	return nil
}

// The V2 encoding of HdrHistogram with 3 significant digits: 2048 sub-buckets.
const (
	hdrCookie           = 0x1c849303 | 0x10
	hdrCompressedCookie = 0x1c849304 | 0x10
	hdrDigits           = 3
	hdrHalfBits         = 10 // half of the sub-buckets, as a power of two
)

// encodeHDR returns the V2 compressed encoding in base64.
func encodeHDR(h *Histogram) (string, error) {
	counts := hdrCounts(h)
	top := max(h.Max(), Limit)
	raw := binary.BigEndian.AppendUint32(nil, hdrCookie)
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(counts)))
	raw = binary.BigEndian.AppendUint32(raw, 0) // normalising offset
	raw = binary.BigEndian.AppendUint32(raw, hdrDigits)
	raw = binary.BigEndian.AppendUint64(raw, 1)           // lowest discernible value
	raw = binary.BigEndian.AppendUint64(raw, uint64(top)) // highest trackable value
	raw = binary.BigEndian.AppendUint64(raw, math.Float64bits(1))
	raw = append(raw, counts...)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(raw); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	out := binary.BigEndian.AppendUint32(nil, hdrCompressedCookie)
	out = binary.BigEndian.AppendUint32(out, uint32(packed.Len()))
	return base64.StdEncoding.EncodeToString(append(out, packed.Bytes()...)), nil
}

// hdrCounts returns the counts as signed varints, runs of empty buckets as
// their negative length.
func hdrCounts(h *Histogram) []byte {
	var out []byte
	next, pending := 0, uint64(0) // the bucket after the last written, and the count for that last
	flush := func() {
		if pending > 0 {
			out = binary.AppendVarint(out, int64(pending))
		}
	}
	add := func(v time.Duration, n uint64) {
		if n == 0 {
			return
		}
		i := hdrIndex(uint64(v))
		if i == next-1 && pending > 0 {
			pending += n
			return
		}
		flush()
		switch gap := i - next; {
		case gap == 1:
			out = binary.AppendVarint(out, 0)
		case gap > 1:
			out = binary.AppendVarint(out, -int64(gap))
		}
		next, pending = i+1, n
	}
	left := h.Count()
	h.Buckets(func(low, high time.Duration, n uint64) bool {
		if left == h.Count() { // the shortest is exact
			add(h.Min(), 1)
			n--
			left--
		}
		if low == Limit {
			add(h.Max(), n)
			return true
		}
		if left == n && n > 0 { // so is the longest
			add(middle(low, high, h), n-1)
			add(h.Max(), 1)
			return true
		}
		add(middle(low, high, h), n)
		left -= n
		return true
	})
	flush()
	return out
}

// middle stands for the durations of a bucket.
func middle(low, high time.Duration, h *Histogram) time.Duration {
	return min(max(low+(high-low)/2, h.Min()), h.Max())
}

// hdrIndex returns the place of v among HdrHistogram's counts.
func hdrIndex(v uint64) int {
	bucket := bits.Len64(v|(2<<hdrHalfBits-1)) - (hdrHalfBits + 1)
	return bucket<<hdrHalfBits + int(v>>uint(bucket))
}

// WriteHGRM writes the percentile distribution as HdrHistogram's tools print
// it (.hgrm): value in milliseconds, percentile, count up to it, and
// 1/(1−percentile), five lines for each halving of the distance to 100 %.
func WriteHGRM(w io.Writer, h *Histogram) error {
	if _, err := fmt.Fprintf(w, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)"); err != nil {
		return err
	}
	const perHalving = 5
	for tick, q := 0, 0.0; h.Count() > 0; tick++ {
		rank := uint64(math.Ceil(q * float64(h.Count())))
		v := h.Quantile(q)
		if rank >= h.Count() {
			break
		}
		if _, err := fmt.Fprintf(w, "%12.3f %.12f %10d %14.2f\n", milliseconds(v), q, max(rank, 1), 1/(1-q)); err != nil {
			return err
		}
		halvings := tick/perHalving + 1
		q = 1 - math.Ldexp(1, 1-halvings)*(1-float64(tick%perHalving+1)/(2*perHalving))
	}
	if h.Count() > 0 {
		if _, err := fmt.Fprintf(w, "%12.3f %.12f %10d\n", milliseconds(h.Max()), 1.0, h.Count()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n#[Max     = %12.3f, Total count    = %12d]\n#[Buckets = %12d, SubBuckets     = %12d]\n",
		milliseconds(h.Mean()), h.deviation()/1e6, milliseconds(h.Max()), h.Count(), octaves, perOct)
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// deviation returns the standard deviation in nanoseconds, from the middles of
// the buckets.
func (h *Histogram) deviation() float64 {
	if h.count == 0 {
		return 0
	}
	mean := float64(h.Mean())
	var squares float64
	h.Buckets(func(low, high time.Duration, n uint64) bool {
		off := float64(middle(low, high, h)) - mean
		squares += float64(n) * off * off
		return true
	})
	return math.Sqrt(squares / float64(h.count))
}
