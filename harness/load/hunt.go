package load

import "slices"

// maxProbes ends a hunt whose probes contradict each other.
const maxProbes = 64

// Probe is one rate that was tried.
type Probe struct {
	// Rate in iterations per second.
	Rate float64
	// Held says that every gate held.
	Held bool
	// Limiting names the gate that did not, "" otherwise.
	Limiting string
}

// Found is what a search knows: the gates hold at Low and do not at High.
type Found struct {
	// Low is the highest rate that held, 0 when none did.
	Low float64
	// High is the lowest rate above Low that did not hold, 0 when even Max did.
	High float64
	// Limiting is the gate that failed at High.
	Limiting string
	// Confirmed is how many further probes at Low held.
	Confirmed int
	// Probes are all rates tried, in order.
	Probes []Probe
}

// Hunt decides which rate a [Search] tries next. It knows no clock and sends
// nothing: whoever drives it asks Next, runs the probe, and tells Report.
type Hunt struct {
	search Search
	found  Found
}

// Begin returns a hunt that has tried nothing.
func (s Search) Begin() *Hunt { return &Hunt{search: s} }

// Next returns the next rate to try, or false when the answer is found.
func (h *Hunt) Next() (rate float64, ok bool) {
	f, s := &h.found, h.search
	switch {
	case len(f.Probes) >= maxProbes:
		return 0, false
	case len(f.Probes) == 0:
		return s.Start, true
	case f.Low == 0:
		return 0, false // not even the start held
	case f.High == 0 && f.Low < s.Max:
		return min(2*f.Low, s.Max), true
	case f.High > 0 && f.High-f.Low > s.Precision*f.Low:
		return (f.Low + f.High) / 2, true
	case f.Confirmed < s.Confirm:
		return f.Low, true
	}
	return 0, false
}

// Report tells how the probe of the rate from Next ended. A rate that held
// before and does not any more becomes the upper end, and the hunt goes on
// below it.
func (h *Hunt) Report(held bool, limiting string) {
	rate, ok := h.Next()
	if !ok {
		return
	}
	f := &h.found
	f.Probes = append(f.Probes, Probe{rate, held, limiting})
	switch {
	case held && rate == f.Low:
		f.Confirmed++
	case held:
		f.Low, f.Confirmed = rate, 0
	default:
		f.High, f.Limiting, f.Confirmed = rate, limiting, 0
		f.Low = h.heldBelow(rate)
	}
}

// heldBelow returns the highest rate below the given one that never failed.
func (h *Hunt) heldBelow(rate float64) float64 {
	var best float64
	for _, p := range h.found.Probes {
		failed := slices.ContainsFunc(h.found.Probes, func(q Probe) bool { return q.Rate == p.Rate && !q.Held })
		if p.Rate < rate && p.Rate > best && !failed {
			best = p.Rate
		}
	}
	return best
}

// Found returns what is known so far; when Next has said that nothing is left
// to try, it is the answer.
func (h *Hunt) Found() Found {
	f := h.found
	f.Probes = slices.Clone(f.Probes)
	return f
}
