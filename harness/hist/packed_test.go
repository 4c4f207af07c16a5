package hist_test

import (
	"testing"

	"cutover/harness/hist"
	"pgregory.net/rapid"
)

// What is packed comes back whole, alone or added to another, and reads and writes the
// text of the histogram itself.
func TestAPackedHistogramLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := durations(t, "a"), durations(t, "b")
		packed := hist.Pack(recorded(a))
		if got, want := text(t, packed.Unpack()), text(t, recorded(a)); got != want {
			t.Fatalf("unpacked %s, want %s", got, want)
		}
		both := recorded(b)
		packed.AddTo(both)
		if got, want := text(t, both), text(t, recorded(a, b)); got != want {
			t.Fatalf("added %s, want %s", got, want)
		}
		written, err := packed.MarshalText()
		if want := text(t, recorded(a)); err != nil || string(written) != want {
			t.Fatalf("wrote %s, %v; want %s", written, err, want)
		}
		var again hist.Packed
		if err := again.UnmarshalText(written); err != nil || again != packed {
			t.Fatalf("read %q, %v; want %q", again, err, packed)
		}
	})
}

func TestAPackedHistogramRefusesOtherText(t *testing.T) {
	packed := hist.Packed("")
	if err := packed.UnmarshalText([]byte("AQ")); err != hist.ErrEncoding || packed != "" {
		t.Errorf("got %v and %q, want %v and nothing", err, packed, hist.ErrEncoding)
	}
	if hist.Pack(nil) != "" || hist.Pack(new(hist.Histogram)) != "" || hist.Packed("").Unpack().Count() != 0 {
		t.Error("nothing packs to the empty text and back")
	}
}
