package reports

import (
	"math"
	"strings"
	"testing"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

func TestNumbersHaveThreeSignificantDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.0005: "0.000500", 0.01234: "0.0123", 0.5: "0.500", 0.9996: "1.00", 1: "1.00", 9.995: "9.99", 9.996: "10.0", 41.55: "41.5", 99.96: "100",
		512: "512", 1234: "1,230", 51249: "51,200", 1234567: "1,230,000", -41.28: "-41.3", math.NaN(): "0",
	} {
		if got := sig3(v); got != want {
			t.Errorf("sig3(%v) is %q, want %q", v, got, want)
		}
	}
}

func TestUnitsFitTheirSize(t *testing.T) {
	for v, want := range map[float64]string{0: "0 ms", 0.0125: "12.5 µs", 0.812: "812 µs", 1: "1 ms", 41.2: "41.2 ms", 999.4: "999 ms", 1000: "1 s", 12345: "12.3 s"} {
		if got := withUnit(v); got != want {
			t.Errorf("withUnit(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0 %", 0.0004: "<0.1 %", 0.0846: "8.46 %", 0.5: "50 %", 0.9993: ">99.9 %", 1: "100 %"} {
		if got := share(v); got != want {
			t.Errorf("share(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[uint64]string{0: "0 B", 999: "999 B", 61_400_000: "61.4 MB", 3_000_000_000_000_000: "3,000 TB"} {
		if got := size(v); got != want {
			t.Errorf("size(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{40.6: "40.6 s", 600: "10 min", 28800: "8 h"} {
		if got := seconds(v); got != want {
			t.Errorf("seconds(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[int]string{5: "0:05", 750: "12:30", 3600: "1:00:00"} {
		if got := clockTime(v); got != want {
			t.Errorf("clockTime(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "p0", 0.5: "p50", 0.9: "p90", 0.934: "p93.4", 0.99: "p99.0", 0.9995: "p99.950"} {
		if got := percentileName(v); got != want {
			t.Errorf("percentileName(%v) is %q, want %q", v, got, want)
		}
	}
}

func TestAShiftCarriesItsSign(t *testing.T) {
	up, down, none := 12.3, -4.56, 0.0
	for want, v := range map[string]*float64{"+12.3": &up, "−4.56": &down, "0": &none, absent: nil} {
		if got := signed(v); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOneAxisHoldsEveryHistogram(t *testing.T) {
	fast, slow := new(hist.Histogram), new(hist.Histogram)
	fast.Record(3 * time.Millisecond)
	slow.Record(700 * time.Millisecond)
	axis, ok := axisOver([]*hist.Histogram{fast, nil, new(hist.Histogram), slow})
	if !ok || axis != (logAxis{2, 1000}) {
		t.Fatalf("axis is %v %v, want 2 ms to 1 s", axis, ok)
	}
	if _, ok := axisOver([]*hist.Histogram{nil, new(hist.Histogram)}); ok {
		t.Error("an axis over nothing")
	}
	same := new(hist.Histogram)
	same.Record(5 * time.Millisecond)
	if axis, _ := axisOver([]*hist.Histogram{same}); axis.high <= axis.low {
		t.Errorf("a single value has no axis: %v", axis)
	}
}

func TestSharesAddUpToOneOnAnyAxis(t *testing.T) {
	h := new(hist.Histogram)
	for i := range 5000 {
		h.Record(time.Duration(1+i*i) * time.Microsecond)
	}
	h.Record(2 * time.Hour) // overflow
	for _, axis := range []logAxis{{0.001, 100_000}, {1, 10}, {10, 20_000}} {
		for _, cells := range []int{1, 7, 60} {
			sum := 0.0
			for _, s := range axis.shares(h, cells) {
				sum += s
			}
			if math.Abs(sum-1) > 1e-3 {
				t.Errorf("%v in %d cells: the shares add up to %v", axis, cells, sum)
			}
		}
	}
}

func TestASparkLineShowsWhatIsThere(t *testing.T) {
	for want, shares := range map[string][]float64{" ▁█▅": {0, 0.001, 1, 0.5}, "   ": {0, 0, 0}, "": nil} {
		if got := spark(shares); got != want {
			t.Errorf("spark(%v) is %q, want %q", shares, got, want)
		}
	}
}

func TestTheRulerFitsItsWidth(t *testing.T) {
	axis := logAxis{1, 10_000}
	for n := range 80 {
		if got := len([]rune(axis.ruler(n))); got != n {
			t.Fatalf("the ruler of %d columns has %d", n, got)
		}
	}
	if got := axis.ruler(44); got != "1 ms       10 ms      100 ms    1 s     10 s" {
		t.Errorf("got %q", got)
	}
}

func TestContrastMarksWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		left, right string
		wantLeft    diffed
		wantRight   diffed
	}{
		{"50 items", "25 items", diffed{Before: "", Differ: "50", After: " items"}, diffed{Before: "", Differ: "25", After: " items"}},
		{"", "x", diffed{Absent: true}, diffed{Before: "x"}},
		{"same", "same", diffed{Before: "same"}, diffed{Before: "same"}},
		{"aXb", "ab", diffed{Before: "a", Differ: "X", After: "b"}, diffed{Before: "a", After: "b"}},
		{"aa", "a", diffed{Before: "a", Differ: "a"}, diffed{Before: "a"}},
		{"größer", "grüßer", diffed{Before: "gr", Differ: "ö", After: "ßer"}, diffed{Before: "gr", Differ: "ü", After: "ßer"}},
		{"€", "₿", diffed{Differ: "€"}, diffed{Differ: "₿"}},
		{"\xff", "a", diffed{Differ: "\uFFFD"}, diffed{Differ: "a"}},
	} {
		left, right := contrast(c.left, c.right)
		if left != c.wantLeft || right != c.wantRight {
			t.Errorf("contrast(%q, %q)\ngot  %+v %+v\nwant %+v %+v", c.left, c.right, left, right, c.wantLeft, c.wantRight)
		}
	}
	long, _ := contrast(strings.Repeat("ä", 5000), "b")
	if len(long.Before+long.Differ+long.After) > valueLimit+len("…") {
		t.Errorf("a long value keeps %d bytes", len(long.Differ))
	}
}

func TestTablesAlignWhatATerminalShows(t *testing.T) {
	got := table([][]cell{
		{{text: "日本"}, {text: "1", right: true}, {text: "x"}},
		{{text: "a"}, {text: "12,300", right: true}, {text: "a longer last cell"}},
		{{text: "short row"}},
	}, "  ", false)
	want := "  日本       1  x\n  a     12,300  a longer last cell\n  short row\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestColourNeverMovesText(t *testing.T) {
	rows := [][]cell{{{text: "ab", paint: red}, {text: "1", right: true, paint: bold}, {text: "", paint: green}}, {{text: "abcd", paint: blue}, {text: "100", right: true}, {text: "z"}}}
	coloured := table(rows, "", true)
	if !strings.Contains(coloured, "\x1b[31mab\x1b[0m") {
		t.Errorf("no colour in %q", coloured)
	}
	if got := uncoloured(coloured); got != table(rows, "", false) {
		t.Errorf("without its colour the table is\n%s\nwant\n%s", got, table(rows, "", false))
	}
}

// uncoloured cuts escape sequences out.
func uncoloured(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}

func TestALongRunIsDrawnInBins(t *testing.T) {
	r := &result.Result{Paths: []result.PathInfo{{Name: "onprem", Side: result.Left}}}
	for s := range 3601 {
		r.Series = append(r.Series, result.Second{T: s, Due: 2, Series: []result.SeriesPoint{{Scenario: "a", Step: "b", Path: "onprem", Count: 3, Errors: 1}}})
	}
	tl := binned(r, 1)
	var requests, errors, due uint64
	for _, b := range tl.bins {
		requests += b.sides[result.Left].requests
		errors += b.sides[result.Left].errors
		due += b.due
	}
	if tl.width != 16 || len(tl.bins) > maxBins || requests != 3601*3 || errors != 3601 || due != 7202 {
		t.Errorf("%d bins of %d s with %d requests, %d errors, %d due", len(tl.bins), tl.width, requests, errors, due)
	}
}
