package shift_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"cutover/harness/hist"
	"cutover/harness/shift"
)

var qs = []float64{0.5, 0.95, 0.99}

func always(float64, uint64) bool { return true }

// seconds makes n seconds of 50 samples on each path; late is added on the right, and
// each second both paths suffer the same extra wait.
func seconds(n int, late time.Duration, seed uint64) []shift.Pair {
	random := rand.New(rand.NewPCG(seed, 1))
	var out []shift.Pair
	for range n {
		common := time.Duration(random.IntN(20)) * time.Millisecond
		p := shift.Pair{Left: new(hist.Histogram), Right: new(hist.Histogram)}
		for range 50 {
			p.Left.Record(20*time.Millisecond + common + time.Duration(random.IntN(4000))*time.Microsecond)
			p.Right.Record(20*time.Millisecond + common + late + time.Duration(random.IntN(4000))*time.Microsecond)
		}
		out = append(out, p)
	}
	return out
}

func TestTheShiftIsFoundWithinItsInterval(t *testing.T) {
	for _, late := range []time.Duration{0, 5 * time.Millisecond, -3 * time.Millisecond} {
		held := 0
		const runs = 40
		for seed := range uint64(runs) {
			e := shift.Quantiles(seconds(40, late, seed), qs, always, 7)[0]
			if !e.Known || !e.Bounded || e.Low > e.Value || e.Value > e.High {
				t.Fatalf("estimate %+v", e)
			}
			if e.Low-time.Millisecond/2 <= late && late <= e.High+time.Millisecond/2 {
				held++
			}
			if d := e.Value - late; d > 4*time.Millisecond || d < -4*time.Millisecond {
				t.Errorf("shift %v, want %v", e.Value, late)
			}
		}
		if held < runs*85/100 {
			t.Errorf("the interval held the true shift %v in %d of %d runs", late, held, runs)
		}
	}
}

// What slows both paths down in the same second is no difference: the interval of
// the paired shift is much narrower than the spread of the seconds.
func TestWhatBothPathsSufferWidensNothing(t *testing.T) {
	e := shift.Quantiles(seconds(60, 5*time.Millisecond, 3), qs, always, 7)[0]
	if width := e.High - e.Low; width > 8*time.Millisecond {
		t.Errorf("the interval is %v wide although both paths share their bad seconds (20 ms)", width)
	}
}

func TestTheSameSeedGivesTheSameInterval(t *testing.T) {
	pairs := seconds(30, time.Millisecond, 9)
	a, b := shift.Quantiles(pairs, qs, always, 5), shift.Quantiles(pairs, qs, always, 5)
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("quantile %v: %+v and %+v", qs[i], a[i], b[i])
		}
	}
}

func TestTooLittleIsNotCalledAnEstimate(t *testing.T) {
	never := func(float64, uint64) bool { return false }
	for _, row := range []struct {
		it    string
		pairs []shift.Pair
		want  func(float64, uint64) bool
		known bool
	}{
		{"knows nothing without samples", nil, func(_ float64, n uint64) bool { return n > 0 }, false},
		{"knows nothing of one path alone", []shift.Pair{{Left: seconds(1, 0, 1)[0].Left}}, func(_ float64, n uint64) bool { return n > 0 }, false},
		{"knows nothing where the caller wants more samples", seconds(20, 0, 1), never, false},
		{"gives a value without bounds for a few seconds", seconds(5, 0, 1), always, true},
	} {
		t.Run(row.it, func(t *testing.T) {
			for _, e := range shift.Quantiles(row.pairs, qs, row.want, 1) {
				if e.Known != row.known || e.Bounded {
					t.Errorf("estimate %+v", e)
				}
			}
		})
	}
}

func BenchmarkQuantiles(b *testing.B) {
	pairs := seconds(600, time.Millisecond, 1)
	b.ReportAllocs()
	for b.Loop() {
		shift.Quantiles(pairs, qs, always, 1)
	}
}
