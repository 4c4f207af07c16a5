package result

import (
	"math"
	"time"

	"cutover/harness/hist"
)

// Outcomes of one step or leg, the keys of StepStats.Outcomes. Network
// failures use the name of their kind (dns, connect, tls, timeout, reset …).
const (
	OutcomeOK         = "ok"
	OutcomeUnexpected = "unexpected" // an answer came, but not the expected one
	OutcomeThrottled  = "throttled"
	OutcomeWrongPath  = "wrong path" // another server answered than those of the path
	OutcomeTimeout    = "timeout"
)

// Sample is one timed step of one leg. Times count from the start of the run.
type Sample struct {
	Path, Scenario, Step   string
	Due, Sent, First, Done time.Duration
	Status                 int
	BytesOut, BytesIn      int64
	Outcome                string
	Attempt                int
}

// Response is what a user waited: from when the step was due until its answer
// was read.
func (s Sample) Response() time.Duration { return s.Done - s.Due }

// Service is what the target took: from the send until the answer was read.
func (s Sample) Service() time.Duration { return s.Done - s.Sent }

// Lag is how late the step was sent.
func (s Sample) Lag() time.Duration { return s.Sent - s.Due }

// StepStats is one row: a step down one path, over all measured phases.
type StepStats struct {
	Scenario  string            `json:"scenario"`
	Step      string            `json:"step"` // WholeLeg for the scenario as a whole
	Path      string            `json:"path"`
	Side      string            `json:"side"`
	Endpoint  string            `json:"endpoint,omitempty"` // "GET /me/messages/{id}"
	Line      int               `json:"line,omitempty"`     // of the step in the suite file
	Tags      []string          `json:"tags,omitempty"`
	Count     uint64            `json:"count"`
	RatePerS  float64           `json:"rate_per_s"`
	GoodPerS  float64           `json:"goodput_per_s"` // of them, those with the outcome ok
	Outcomes  map[string]uint64 `json:"outcomes"`
	BytesIn   uint64            `json:"bytes_in"`
	BytesOut  uint64            `json:"bytes_out"`
	Response  Summary           `json:"response_ms"`
	Service   Summary           `json:"service_ms"`
	Lag       Summary           `json:"lag_ms"`
	CapWait   Summary           `json:"cap_wait_ms"`
	FirstByte *Summary          `json:"first_byte_ms,omitempty"` // from the send to the first byte; nil: none came, or the run was sealed
	Receive   *Summary          `json:"receive_ms,omitempty"`    // from the first byte to the last
	Histogram *hist.Histogram   `json:"histogram"`               // of response times
	ServiceH  *hist.Histogram   `json:"service_histogram,omitempty"`
}

// Failed counts the requests of the row that ended in anything but success or
// a throttling answer.
func (s StepStats) Failed() uint64 {
	var n uint64
	for name, count := range s.Outcomes {
		if name != OutcomeOK && name != OutcomeThrottled {
			n += count
		}
	}
	return n
}

// Summary is a distribution in milliseconds. A value is nil where too few
// samples stand behind it.
type Summary struct {
	Min  *float64 `json:"min"`
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P90  *float64 `json:"p90"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
	P999 *float64 `json:"p99_9"`
	Max  *float64 `json:"max"`
}

// Enough says whether count samples carry the quantile q: at least one sample
// is expected beyond it (100 for p99, 1,000 for p99.9), and never fewer than
// 20 above the median.
func Enough(q float64, count uint64) bool {
	switch {
	case count == 0:
		return false
	case q <= 0.5:
		return true
	case q <= 0.95:
		return count >= 20
	}
	return float64(count)*(1-q) >= 1-1e-9
}

// Summarise reads a histogram out into milliseconds, rounded to the
// microsecond.
func Summarise(h *hist.Histogram) Summary {
	if h == nil || h.Count() == 0 {
		return Summary{}
	}
	at := func(q float64) *float64 {
		if !Enough(q, h.Count()) {
			return nil
		}
		return millis(h.Quantile(q))
	}
	return Summary{
		Min: millis(h.Min()), Mean: millis(h.Mean()), Max: millis(h.Max()),
		P50: at(0.5), P90: at(0.9), P95: at(0.95), P99: at(0.99), P999: at(0.999),
	}
}

// SummariseAny is Summarise for what may not have happened at all: nil for an empty
// histogram.
func SummariseAny(h *hist.Histogram) *Summary {
	if h == nil || h.Count() == 0 {
		return nil
	}
	s := Summarise(h)
	return &s
}

// Quantile returns the summary's value for one of its quantiles, nil for a
// quantile that it does not hold.
func (s Summary) Quantile(q float64) *float64 {
	switch q {
	case 0:
		return s.Min
	case 0.5:
		return s.P50
	case 0.9:
		return s.P90
	case 0.95:
		return s.P95
	case 0.99:
		return s.P99
	case 0.999:
		return s.P999
	case 1:
		return s.Max
	}
	return nil
}

// millis rounds to the microsecond, the histogram's unit, so that the same
// duration is always the same text.
func millis(d time.Duration) *float64 {
	ms := math.Round(float64(d)/float64(time.Microsecond)) / 1000
	return &ms
}

// Outcome is a gate with what was observed.
type Outcome struct {
	Gate       string  `json:"gate"`
	Observed   string  `json:"observed"`
	Limit      string  `json:"limit,omitempty"`
	Margin     string  `json:"margin,omitempty"` // how far from the limit, in the gate's unit
	Verdict    Verdict `json:"verdict"`          // Pass, Fail or NoData
	Measure    Measure `json:"measure,omitempty"`
	MayBeEmpty bool    `json:"may_be_empty,omitempty"` // NoData does not count against the run
	Implicit   bool    `json:"implicit,omitempty"`     // not written by the user
	Note       string  `json:"note,omitempty"`
	Line       int     `json:"line,omitempty"` // in the suite file
}

// Measure is what a gate looks at.
type Measure string

// What gates look at. Observations of latency and rate differ from run to run
// even when nothing changed.
const (
	MeasureLatency Measure = "latency"
	MeasureRate    Measure = "rate"
	MeasureShare   Measure = "share"
	MeasureCount   Measure = "count"
)

// Interval is an estimate in milliseconds with its confidence bounds; nil
// where the data cannot tell.
type Interval struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// Shift is how much later (positive) or earlier (negative) the right path
// answers one step than the left one, quantile by quantile, within this run.
type Shift struct {
	Scenario   string   `json:"scenario"`
	Step       string   `json:"step"`
	Confidence float64  `json:"confidence"` // 0.95
	P50        Interval `json:"p50_ms"`
	P95        Interval `json:"p95_ms"`
	P99        Interval `json:"p99_ms"`
}

// Second is one line of series.jsonl: what happened in second T of the run.
// Lines with the same T add up.
type Second struct {
	T        int    `json:"t"` // covers [T, T+1) seconds after the start
	Phase    string `json:"phase"`
	Measured bool   `json:"measured"`
	Due      uint64 `json:"due"`   // legs due in this second
	Ahead    uint64 `json:"ahead"` // legs due, or begun by users at most, in the next second
	// Begun are the legs that users of a closed phase, or trials of a search, began in
	// this second: no plan says when one is due. Unplanned are those of them whose phase
	// only time bounds, so that buckets.planned of the plan does not hold them.
	Begun      uint64        `json:"begun,omitempty"`
	Unplanned  uint64        `json:"unplanned,omitempty"`
	Buckets    Buckets       `json:"buckets"` // legs that ended in this second; planned is Due, or 0
	Series     []SeriesPoint `json:"series"`
	InFlight   uint64        `json:"in_flight"`
	LagP99     float64       `json:"lag_p99_ms"`
	CPU        float64       `json:"cpu"`
	RSSBytes   uint64        `json:"rss_bytes"`
	GCPause    float64       `json:"gc_pause_ms,omitempty"` // the longest stop of the world in this second
	Goroutines uint64        `json:"goroutines,omitempty"`
	Files      uint64        `json:"files,omitempty"`   // open files and sockets; 0: not known
	Machine    float64       `json:"machine,omitempty"` // share of all processors that anybody kept busy; 0: not known
	Findings   uint64        `json:"findings"`          // distinct so far
	// Comparison counts pairs so far; nil where nothing is compared.
	Comparison *Comparison `json:"comparison,omitempty"`
}

// SeriesPoint is one row's share of a second. Its histogram is kept packed, since a run
// holds one for each row and second; it is empty when nothing was recorded.
type SeriesPoint struct {
	Scenario  string      `json:"scenario"`
	Step      string      `json:"step"`
	Path      string      `json:"path"`
	Count     uint64      `json:"count"`
	Errors    uint64      `json:"errors"`
	Throttled uint64      `json:"throttled"`
	Histogram hist.Packed `json:"histogram,omitempty"` // response times
	// PushedBack counts answers that asked to slow down, those that a retry made good
	// included; Throttled counts what was given up.
	PushedBack uint64 `json:"pushed_back,omitempty"`
}
