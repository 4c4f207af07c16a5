package reports

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"sort"
	"strings"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// The HdrHistogram V2 encoding: three significant digits, values in
// nanoseconds, counts as ZigZag LEB128 in which a negative number is a run of
// zeros, deflated behind a second header.
const (
	hdrCookie           = 0x1c849303 | 0x10
	hdrCompressedCookie = 0x1c849304 | 0x10
	hdrDigits           = 3
	hdrHalfMagnitude    = 10 // log2 of half the sub-buckets that three digits need
	hdrHalf             = 1 << hdrHalfMagnitude
	hdrHeader           = 40
)

// writeHLog writes an HdrHistogram log, version 1.3: an interval a second and
// row, tagged "path/scenario/step". A result without its time series has one
// interval a row.
func writeHLog(w io.Writer, r *result.Result, _ Options) error {
	var b strings.Builder
	start := float64(r.Started.UnixMilli()) / 1000
	fmt.Fprintf(&b, "#[Histogram log format version 1.3]\n#[StartTime: %.3f (seconds since epoch), %s]\n", start, r.Started.UTC().Format(time.RFC3339))
	if line := consentWords(r); line != "" {
		fmt.Fprintf(&b, "#[%s]\n", line)
	}
	b.WriteString("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	for _, s := range r.Series {
		for _, p := range s.Series {
			if err := interval(&b, p.Path+"/"+p.Scenario+"/"+p.Step, float64(s.T), 1, p.Histogram.Unpack()); err != nil {
				return err
			}
		}
	}
	if len(r.Series) == 0 {
		for _, row := range r.Steps {
			if err := interval(&b, row.Path+"/"+row.Scenario+"/"+row.Step, 0, r.Ended.Sub(r.Started).Seconds(), row.Histogram); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func interval(b *strings.Builder, tag string, from, length float64, h *hist.Histogram) error {
	if h == nil || h.Count() == 0 {
		return nil
	}
	encoded, err := hdrEncode(h)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "Tag=%s,%.3f,%.3f,%.3f,%s\n", hdrTag.Replace(clean(tag)), from, length, millis(h.Max()), encoded)
	return nil
}

// hdrTag replaces what would end a tag.
var hdrTag = strings.NewReplacer(",", ";", " ", "_")

// hdrEncode writes a histogram as HdrHistogram's V2 text. Each of our buckets
// is counted at its middle.
func hdrEncode(h *hist.Histogram) (string, error) {
	counts := map[int]int64{}
	h.Buckets(func(low, high time.Duration, count uint64) bool {
		counts[hdrIndex(uint64(low+(high-low)/2))] += int64(count)
		return true
	})
	indices := make([]int, 0, len(counts))
	for i := range counts {
		indices = append(indices, i)
	}
	sort.Ints(indices)
	var payload []byte
	next := 0
	for _, i := range indices {
		if i > next {
			payload = binary.AppendVarint(payload, -int64(i-next))
		}
		payload = binary.AppendVarint(payload, counts[i])
		next = i + 1
	}
	plain := make([]byte, hdrHeader, hdrHeader+len(payload))
	binary.BigEndian.PutUint32(plain[0:], hdrCookie)
	binary.BigEndian.PutUint32(plain[4:], uint32(len(payload)))
	binary.BigEndian.PutUint32(plain[12:], hdrDigits)
	binary.BigEndian.PutUint64(plain[16:], 1)                      // lowest value that is told from 0
	binary.BigEndian.PutUint64(plain[24:], uint64(2*24*time.Hour)) // highest value, far above any timeout
	binary.BigEndian.PutUint64(plain[32:], 0x3ff0000000000000)     // 1.0: integers are not scaled
	var out bytes.Buffer
	out.Write(make([]byte, 8))
	z := zlib.NewWriter(&out)
	if _, err := z.Write(append(plain, payload...)); err != nil {
		return "", fmt.Errorf("hlog: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("hlog: %w", err)
	}
	data := out.Bytes()
	binary.BigEndian.PutUint32(data[0:], hdrCompressedCookie)
	binary.BigEndian.PutUint32(data[4:], uint32(len(data)-8))
	return base64.StdEncoding.EncodeToString(data), nil
}

// hdrIndex is the place of a value in HdrHistogram's array of counts.
func hdrIndex(v uint64) int {
	bucket := bits.Len64(v|(2*hdrHalf-1)) - (hdrHalfMagnitude + 1)
	sub := int(v >> uint(bucket))
	return (bucket+1)<<hdrHalfMagnitude + sub - hdrHalf
}
