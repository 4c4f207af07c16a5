package load_test

import (
	"testing"

	"cutover/harness/load"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// hunt drives a search against a target whose gates hold up to a capacity.
func hunt(s load.Search, holds func(rate float64) bool) load.Found {
	h := s.Begin()
	for {
		rate, ok := h.Next()
		if !ok {
			return h.Found()
		}
		if holds(rate) {
			h.Report(true, "")
		} else {
			h.Report(false, "p95 < 1s")
		}
	}
}

func TestASearchBracketsTheCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := load.Search{
			Start:     rapid.Float64Range(0.1, 50).Draw(t, "start"),
			Max:       rapid.Float64Range(50, 5000).Draw(t, "max"),
			Precision: rapid.Float64Range(0.01, 0.2).Draw(t, "precision"),
			Confirm:   rapid.IntRange(0, 5).Draw(t, "confirm"),
		}
		capacity := rapid.Float64Range(0.01, 6000).Draw(t, "capacity")
		f := hunt(s, func(rate float64) bool { return rate <= capacity })
		switch {
		case capacity < s.Start:
			if f.Low != 0 || f.High != s.Start {
				t.Fatalf("below the start: got %+v", f)
			}
			return
		case capacity >= s.Max:
			if f.Low != s.Max || f.High != 0 {
				t.Fatalf("above the maximum: got %+v", f)
			}
		case f.Low > capacity || f.High <= capacity || f.High-f.Low > s.Precision*f.Low || f.Limiting != "p95 < 1s":
			t.Fatalf("capacity %v: got %+v", capacity, f)
		}
		if f.Confirmed != s.Confirm {
			t.Fatalf("confirmed %d times, want %d", f.Confirmed, s.Confirm)
		}
	})
}

func TestASearchTriesTheseRates(t *testing.T) {
	f := hunt(load.Search{Start: 10, Max: 100, Precision: 0.2, Confirm: 1}, func(rate float64) bool { return rate < 60 })
	held := func(rate float64) load.Probe { return load.Probe{Rate: rate, Held: true} }
	failed := func(rate float64) load.Probe { return load.Probe{Rate: rate, Limiting: "p95 < 1s"} }
	want := load.Found{Low: 50, High: 60, Limiting: "p95 < 1s", Confirmed: 1,
		Probes: []load.Probe{held(10), held(20), held(40), failed(80), failed(60), held(50), held(50)}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARateThatFailsItsConfirmationIsGivenUp(t *testing.T) {
	tried := 0
	f := hunt(load.Search{Start: 10, Max: 100, Precision: 0.2, Confirm: 2}, func(rate float64) bool {
		if rate == 50 {
			tried++
		}
		return rate < 50 || rate == 50 && tried == 1 // once by luck
	})
	if f.Low != 45 || f.High != 50 || f.Confirmed != 2 {
		t.Errorf("got %+v, want 45 to 50, confirmed twice", f)
	}
}

func TestASearchEndsWhateverTheProbesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := load.Search{Start: 1, Max: 1000, Precision: 0.01, Confirm: 20}
		f := hunt(s, func(float64) bool { return rapid.Bool().Draw(t, "held") })
		if f.Low < 0 || f.High != 0 && f.Low >= f.High || len(f.Probes) > 64 {
			t.Fatalf("got %+v", f)
		}
	})
}
