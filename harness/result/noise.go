package result

import "math"

// NoiseStep is what asking a step's reads a second time, on both sides, showed.
type NoiseStep struct {
	Scenario string       `json:"scenario"`
	Step     string       `json:"step"`
	Repeated uint64       `json:"repeated"` // pairs that were asked four times: left, right, right, left
	Places   []NoisePlace `json:"places,omitempty"`
}

// NoisePlace is a place whose values a side answers differently to itself, or both sides steadily differ in.
type NoisePlace struct {
	Pointer  string `json:"pointer"`
	Kind     string `json:"kind"`     // volatile-left, volatile-right, volatile-both or stable-diff
	Left     uint64 `json:"left"`     // repeated pairs in which the left side differed from itself
	Right    uint64 `json:"right"`    // the same of the right side
	Differed uint64 `json:"differed"` // the sides differed, and neither differed from itself
}

// The kinds of NoisePlace.
const (
	VolatileLeft  = "volatile-left"
	VolatileRight = "volatile-right"
	VolatileBoth  = "volatile-both"
	StableDiff    = "stable-diff"
)

// AtMost is the upper 95 % bound of a share of which hits of n were seen: exactly 1-0.05^(1/n), about 3/n,
// when none was; Wilson's otherwise.
func AtMost(hits, n uint64) float64 {
	if n == 0 {
		return 1
	}
	if hits == 0 {
		return 1 - math.Pow(0.05, 1/float64(n))
	}
	_, high := Wilson(hits, n)
	return high
}
