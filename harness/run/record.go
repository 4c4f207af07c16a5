package run

import (
	"runtime"
	"sync"
	"time"

	"cutover/harness/hist"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// outcome is how a step or a leg ended. Values from firstFailure on are
// wire.FailureKinds.
type outcome uint8

const (
	ok outcome = iota
	unexpected
	throttled
	wrongPath
	firstFailure
	outcomes = int(firstFailure) + int(wire.Canceled) + 1
)

func failed(kind wire.FailureKind) outcome { return firstFailure + outcome(kind) }

func (o outcome) String() string {
	switch o {
	case ok:
		return result.OutcomeOK
	case unexpected:
		return result.OutcomeUnexpected
	case throttled:
		return result.OutcomeThrottled
	case wrongPath:
		return result.OutcomeWrongPath
	}
	return wire.FailureKind(o - firstFailure).String()
}

// timed reports whether a latency means something: an answer came, or the wait for
// one was given up. A connection that was refused at once would only flatter.
func (o outcome) timed() bool {
	return o == ok || o == unexpected || o == wrongPath || o == failed(wire.Timeout)
}

// sample is one finished step or leg.
type sample struct {
	row                    int
	measured               bool
	outcome                outcome
	response, service, lag time.Duration
	capWait                time.Duration
	first, receive         time.Duration // from sent to the first byte, from there to the last; 0: no answer came
	own                    time.Duration // lag that is the generator's own doing
	sent                   bool
	reused                 bool
	bytesIn, bytesOut      int64
}

// bucket is where a leg ends; the order is that of result.Buckets.
type bucket uint8

const (
	completed bucket = iota
	failedLeg
	throttledLeg
	dropped
	interrupted
	notStarted
	buckets
)

// cell is one row of one second, or of the whole run.
type cell struct {
	count             uint64
	outcomes          [outcomes]uint64
	pushedBack        uint64 // throttling answers, those that a retry made good included
	bytesIn, bytesOut uint64
	response, service hist.Histogram
	lag, capWait      hist.Histogram
}

func (c *cell) merge(o *cell) {
	c.count += o.count
	for i, n := range o.outcomes {
		c.outcomes[i] += n
	}
	c.pushedBack += o.pushedBack
	c.bytesIn += o.bytesIn
	c.bytesOut += o.bytesOut
	c.response.Merge(&o.response)
	c.service.Merge(&o.service)
	c.lag.Merge(&o.lag)
	c.capWait.Merge(&o.capWait)
}

func (c *cell) reset() {
	c.response.Reset()
	c.service.Reset()
	c.lag.Reset()
	c.capWait.Reset()
	*c = cell{response: c.response, service: c.service, lag: c.lag, capWait: c.capWait}
}

// tally is everything that was counted in some stretch of time.
type tally struct {
	rows    [2][]*cell // warm-up, measured; nil until something happens
	buckets [buckets]uint64
	drops   map[string]uint64
	phases  []phaseTally
	own     hist.Histogram // the generator's own lag, measured phases
	sent    [][len(wire.Kinds)]uint64
	opened  uint64
	reused  uint64
}

type phaseTally struct{ begun, ended uint64 }

func newTally(rows, phases, sides int) *tally {
	return &tally{
		rows: [2][]*cell{make([]*cell, rows), make([]*cell, rows)}, drops: map[string]uint64{},
		phases: make([]phaseTally, phases), sent: make([][len(wire.Kinds)]uint64, sides),
	}
}

func (t *tally) cell(measured bool, row int) *cell {
	which := 0
	if measured {
		which = 1
	}
	c := t.rows[which][row]
	if c == nil {
		c = new(cell)
		t.rows[which][row] = c
	}
	return c
}

func (t *tally) merge(o *tally) {
	for which := range o.rows {
		for row, c := range o.rows[which] {
			if c != nil && c.count+c.pushedBack > 0 {
				t.cell(which == 1, row).merge(c)
			}
		}
	}
	for i, n := range o.buckets {
		t.buckets[i] += n
	}
	for reason, n := range o.drops {
		t.drops[reason] += n
	}
	for i, p := range o.phases {
		t.phases[i].begun += p.begun
		t.phases[i].ended += p.ended
	}
	for side := range o.sent {
		for kind, n := range o.sent[side] {
			t.sent[side][kind] += n
		}
	}
	t.own.Merge(&o.own)
	t.opened += o.opened
	t.reused += o.reused
}

func (t *tally) reset() {
	for which := range t.rows {
		for _, c := range t.rows[which] {
			if c != nil && c.count+c.pushedBack > 0 {
				c.reset()
			}
		}
	}
	t.buckets = [buckets]uint64{}
	clear(t.drops)
	clear(t.phases)
	clear(t.sent)
	t.own.Reset()
	t.opened, t.reused = 0, 0
}

// shard is the recorder of some workers. Workers are spread over a few more
// shards than there are processors, so that its lock is free in practice, and memory
// does not grow with the number of workers.
type shard struct {
	mu        sync.Mutex // guards cur
	cur       *tally
	spare     *tally    // the collector's alone
	stretches stretches // guarded by mu; of the whole run
}

func (s *shard) record(m *sample) {
	s.mu.Lock()
	c := s.cur.cell(m.measured, m.row)
	c.count++
	c.outcomes[m.outcome]++
	c.bytesIn += uint64(m.bytesIn)
	c.bytesOut += uint64(m.bytesOut)
	if m.outcome.timed() {
		c.response.Record(m.response)
		c.service.Record(m.service)
	}
	if m.sent {
		c.lag.Record(m.lag)
		c.capWait.Record(m.capWait)
	}
	if m.first > 0 && m.measured {
		s.stretches.record(m)
	}
	s.mu.Unlock()
}

// request counts one request on the wire, or one that did not get there.
func (s *shard) request(side int, kind wire.Kind, measured bool, own time.Duration, call *wire.Call) {
	s.mu.Lock()
	if !call.Timing.Sent.IsZero() {
		s.cur.sent[side][kind]++
		if call.Timing.Reused {
			s.cur.reused++
		} else {
			s.cur.opened++
		}
	}
	if measured && kind == wire.Step {
		s.cur.own.Record(own)
	}
	s.mu.Unlock()
}

func (s *shard) pushback(measured bool, row int) {
	s.mu.Lock()
	s.cur.cell(measured, row).pushedBack++
	s.mu.Unlock()
}

func (s *shard) begun(phase int) {
	s.mu.Lock()
	s.cur.phases[phase].begun++
	s.mu.Unlock()
}

func (s *shard) ended(phase int, b bucket, reason string) {
	s.mu.Lock()
	s.cur.buckets[b]++
	s.cur.phases[phase].ended++
	if b == dropped {
		s.cur.drops[reason]++
	}
	s.mu.Unlock()
}

// recorder is all shards, with the names of their rows.
type recorder struct {
	shards []*shard
	rows   []row
	first  [][]int // by side and scenario: the row of its first step
	phases int
	sides  int
}

// row names a line of the statistics.
type row struct {
	side, scenario int
	step           int // -1: the whole leg
	sort           rowSort
}

func newRecorder(p *plan.Plan) *recorder {
	r := &recorder{phases: len(p.Phases), sides: len(p.Sides)}
	for side := range p.Sides {
		first := make([]int, len(p.Scenarios))
		for sc := range p.Scenarios {
			first[sc] = len(r.rows)
			for st := range p.Scenarios[sc].Steps {
				for sort := range rowSorts {
					r.rows = append(r.rows, row{side: side, scenario: sc, step: st, sort: sort})
				}
			}
			r.rows = append(r.rows, row{side: side, scenario: sc, step: -1})
		}
		r.first = append(r.first, first)
	}
	for range max(2, runtime.GOMAXPROCS(0)) {
		r.shards = append(r.shards, &shard{cur: r.tally(), spare: r.tally(), stretches: make(stretches, len(r.rows))})
	}
	return r
}

func (r *recorder) tally() *tally { return newTally(len(r.rows), r.phases, r.sides) }

// rowSort tells the rows of one step apart.
type rowSort int

const (
	asked    rowSort = iota // the step's own requests
	waited                  // how long a polled condition took to hold
	paged                   // the following pages of a sampled list
	rowSorts                // how many there are
)

// suffixes name the rows behind the name of their step.
var suffixes = [rowSorts]string{"", " (wait)", " (pages)"}

// row is the index of one of a step's rows.
func (r *recorder) row(side, scenario, step int, sort rowSort) int {
	return r.first[side][scenario] + int(rowSorts)*step + int(sort)
}

// leg is the index of the row of whole legs.
func (r *recorder) leg(side, scenario, steps int) int {
	return r.first[side][scenario] + int(rowSorts)*steps
}

// drain moves what was recorded since the last call into t. One goroutine at a
// time may call it.
func (r *recorder) drain(t *tally) {
	for _, s := range r.shards {
		s.mu.Lock()
		s.cur, s.spare = s.spare, s.cur
		s.mu.Unlock()
		t.merge(s.spare)
		s.spare.reset()
	}
}
