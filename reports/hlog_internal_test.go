package reports

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// hdrDecode reads the V2 text back as values (the lowest of each cell, in
// nanoseconds) with their counts, in order.
func hdrDecode(t *testing.T, text string) (values []uint64, counts []int64) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || binary.BigEndian.Uint32(data) != hdrCompressedCookie || int(binary.BigEndian.Uint32(data[4:])) != len(data)-8 {
		t.Fatalf("not a compressed V2 histogram: %v", err)
	}
	z, err := zlib.NewReader(bytes.NewReader(data[8:]))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || binary.BigEndian.Uint32(plain) != hdrCookie || int(binary.BigEndian.Uint32(plain[4:])) != len(plain)-hdrHeader {
		t.Fatalf("not a V2 histogram: %v", err)
	}
	index := 0
	for rest := plain[hdrHeader:]; len(rest) > 0; {
		n, size := binary.Varint(rest)
		rest = rest[size:]
		if n < 0 {
			index -= int(n)
			continue
		}
		bucket, sub := index>>hdrHalfMagnitude-1, index&(hdrHalf-1)+hdrHalf
		if bucket < 0 {
			bucket, sub = 0, sub-hdrHalf
		}
		values, counts = append(values, uint64(sub)<<uint(bucket)), append(counts, n)
		index++
	}
	return values, counts
}

func TestTheHDRLogIsReadBack(t *testing.T) {
	h := new(hist.Histogram)
	for i := range 20_000 {
		h.Record(time.Duration(float64(time.Microsecond) * math.Pow(1.0008, float64(i))))
	}
	r := &result.Result{Started: time.UnixMilli(1_000_500), Series: []result.Second{{T: 3, Series: []result.SeriesPoint{
		{Scenario: "open, inbox", Step: "list", Path: "cloud", Histogram: hist.Pack(h)}, {Scenario: "empty", Step: "none", Path: "cloud"}}}}}
	var out strings.Builder
	if err := writeHLog(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "#[StartTime: 1000.500 ") || !strings.HasPrefix(lines[3], "Tag=cloud/open;_inbox/list,3.000,1.000,") {
		t.Fatalf("the log is\n%s", out.String())
	}
	values, counts := hdrDecode(t, lines[3][strings.LastIndexByte(lines[3], ',')+1:])
	var total, below int64
	for _, n := range counts {
		total += n
	}
	if total != 20_000 {
		t.Fatalf("%d samples came back", total)
	}
	for _, q := range []float64{0.5, 0.95, 0.99, 0.999} {
		below = 0
		for i, n := range counts {
			if below += n; float64(below) >= q*20_000 {
				if want := float64(h.Quantile(q)); math.Abs(float64(values[i])-want)/want > 0.005 {
					t.Errorf("p%v came back as %v, want %v", q*100, time.Duration(values[i]), h.Quantile(q))
				}
				break
			}
		}
	}
}

func TestAResultWithoutItsSeriesIsLoggedByRow(t *testing.T) {
	h := new(hist.Histogram)
	h.Record(time.Millisecond)
	started := time.UnixMilli(0)
	var out strings.Builder
	r := &result.Result{Started: started, Ended: started.Add(30 * time.Second), Steps: []result.StepStats{{Scenario: "a", Step: "b", Path: "p", Histogram: h}}}
	if err := writeHLog(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Tag=p/a/b,0.000,30.000,1.000,") {
		t.Errorf("got\n%s", out.String())
	}
}
