// Package calibrate judges the instrument itself: what it measured of a lab whose
// delays, stalls and errors are known, against the truth.
package calibrate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Schema names the version of the report's JSON form.
const Schema = "cutover.calibration/v1"

// Limits within which the instrument is believed.
const (
	// MostMedianError is how far the median of a fixed delay may be off.
	MostMedianError = time.Millisecond
	// MostTailError is how far its 99th percentile may be off.
	MostTailError = 5 * time.Millisecond
	// MostStallError is how far the 99th percentile over a stall may be off.
	MostStallError = 0.02
	// MostScheduleError is how far the 99th percentile of the arrivals may lie from
	// their due times.
	MostScheduleError = 2 * time.Millisecond
)

// Report is one calibration.
type Report struct {
	Schema   string        `json:"schema"`
	Started  time.Time     `json:"started"`
	TookS    float64       `json:"took_s"`
	Short    bool          `json:"short"`
	Machine  string        `json:"machine"`
	Measured []Measurement `json:"measurements"`
	Capacity Capacity      `json:"capacity"`
	Overload Overload      `json:"overload"`
	Held     bool          `json:"held"` // the instrument is to be believed on this machine
	Reasons  []string      `json:"reasons"`
}

// Measurement is one figure against its truth.
type Measurement struct {
	What  string  `json:"what"`
	Unit  string  `json:"unit"`
	Truth float64 `json:"truth"`
	// Lab is the same figure as the lab itself took it, where it did: what of the
	// error is the lab's own lateness.
	Lab      *float64 `json:"lab,omitempty"`
	Measured float64  `json:"measured"`
	Error    float64  `json:"error"` // Measured − Truth
	Limit    float64  `json:"limit"` // of the error's size
	Held     bool     `json:"held"`
}

// Capacity is the highest rate that the instrument keeps on this machine, a cheap
// target in a process of its own beside it.
type Capacity struct {
	HeldPS   float64 `json:"held_per_s"` // 0: not found
	FailedPS float64 `json:"failed_per_s"`
	Limiting string  `json:"limiting"`
}

// Overload is what a run at twice the capacity said of itself.
type Overload struct {
	AskedPS  float64  `json:"asked_per_s"`
	Verdict  string   `json:"verdict"`
	ExitCode int      `json:"exit_code"`
	Reasons  []string `json:"reasons"`
	Held     bool     `json:"held"` // it was inconclusive, as it has to be
}

// Judge makes a measurement.
func Judge(what, unit string, truth, measured, limit float64, lab *float64) Measurement {
	m := Measurement{What: what, Unit: unit, Truth: round(truth), Measured: round(measured), Error: round(measured - truth), Limit: round(limit), Lab: lab}
	m.Held = math.Abs(measured-truth) <= limit
	return m
}

// round keeps microseconds of milliseconds.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// Decide fills in whether the instrument is to be believed, and why not.
func (r *Report) Decide() {
	r.Reasons = []string{}
	for _, m := range r.Measured {
		if !m.Held {
			r.Reasons = append(r.Reasons, fmt.Sprintf("%s: %s %s instead of %s, the limit is ± %s", m.What, figure(m.Measured), m.Unit, figure(m.Truth), figure(m.Limit)))
		}
	}
	if r.Capacity.HeldPS == 0 {
		r.Reasons = append(r.Reasons, "no capacity was found: "+r.Capacity.Limiting)
	} else if !r.Overload.Held {
		r.Reasons = append(r.Reasons, fmt.Sprintf("a run at %s/s, twice the capacity, was %s instead of inconclusive", figure(r.Overload.AskedPS), r.Overload.Verdict))
	}
	r.Held = len(r.Reasons) == 0
}

// Stall is a constant load that meets a target which stands still for a while.
type Stall struct {
	Rate    float64 // arrivals per second
	For     time.Duration
	At      time.Duration // when the target stops, from the first arrival
	Lasting time.Duration
	Delay   time.Duration // of every answer
}

// Quantile is the truth of a response time from when each arrival was due: those
// within the stall wait for its end, all others for the delay alone. It is the
// smallest value that a share q of the arrivals does not exceed.
func (s Stall) Quantile(q float64) time.Duration {
	n := int(math.Round(s.Rate * s.For.Seconds()))
	if n == 0 {
		return 0
	}
	all := make([]time.Duration, n)
	for i := range all {
		due := time.Duration(float64(i) / s.Rate * float64(time.Second))
		all[i] = s.Delay
		if due >= s.At && due < s.At+s.Lasting {
			all[i] += s.At + s.Lasting - due
		}
	}
	slices.Sort(all)
	return all[min(n-1, max(0, int(math.Ceil(q*float64(n)))-1))]
}

// ScheduleError is how far arrivals lie from a straight line at exactly the rate, the
// first of them left out that fall into settle: the median and the 99th percentile, in
// microseconds. The line's offset is the median's, since no clock is shared.
func ScheduleError(arrivals []int64, rate float64, settle time.Duration) (p50, p99 float64) {
	sorted := slices.Sorted(slices.Values(arrivals))
	skip := int(rate * settle.Seconds())
	if len(sorted) <= skip {
		return 0, 0
	}
	off := make([]float64, 0, len(sorted)-skip)
	for i := skip; i < len(sorted); i++ {
		off = append(off, float64(sorted[i])-float64(i)*1e6/rate)
	}
	middle := slices.Sorted(slices.Values(off))[len(off)/2]
	for i := range off {
		off[i] = math.Abs(off[i] - middle)
	}
	slices.Sort(off)
	return off[len(off)/2], off[min(len(off)-1, len(off)*99/100)]
}

// JSON writes the report for scripts.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
