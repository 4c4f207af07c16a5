// Package health reads what the generator itself costs, so that a number which an
// overloaded generator bent is never published as the target's.
package health

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Reading is the generator's own state since the reading before.
type Reading struct {
	CPU        float64       // cores kept busy: 1.5 is one and a half
	Share      float64       // CPU of what this process may use, 1 being all of it
	RSS        int64         // bytes of memory held, 0 where the system does not tell
	Goroutines int           // alive at the moment
	GCPause    time.Duration // longest stop of the world by the garbage collector
	Files      int           // open files and sockets, 0 where the system does not tell
	Machine    float64       // share of all processors that anybody kept busy, 0 where the system does not tell
}

// Monitor takes readings. It is used from one goroutine.
type Monitor struct {
	at     time.Time
	busy   time.Duration
	pauses []metrics.Sample
	counts []uint64 // of the last reading
	taken  uint64   // ticks of all processors at the last reading, busy ones
	ticks  uint64   // and all
	rssFor int      // readings until files and memory are asked again
	last   Reading
}

// gcPauses is a histogram of how long the garbage collector stopped the world.
const gcPauses = "/sched/pauses/total/gc:seconds"

// slowEvery is how many readings share one look at the files and the memory,
// which cost a system call and a directory listing.
const slowEvery = 5

// New starts measuring at now.
func New(now time.Time) *Monitor {
	m := &Monitor{at: now, busy: processCPU(), pauses: []metrics.Sample{{Name: gcPauses}}}
	m.taken, m.ticks = machineTimes()
	m.longestPause()
	return m
}

// Read returns the state of the generator since the last call.
func (m *Monitor) Read(now time.Time) Reading {
	busy := processCPU()
	r := Reading{
		Goroutines: runtime.NumGoroutine(),
		GCPause:    m.longestPause(),
		RSS:        m.last.RSS,
		Files:      m.last.Files,
	}
	if elapsed := now.Sub(m.at); elapsed > 0 {
		r.CPU = float64(busy-m.busy) / float64(elapsed)
		r.Share = r.CPU / float64(runtime.GOMAXPROCS(0))
	}
	if taken, ticks := machineTimes(); ticks > m.ticks {
		r.Machine = float64(taken-min(taken, m.taken)) / float64(ticks-m.ticks)
		m.taken, m.ticks = taken, ticks
	}
	if m.rssFor == 0 {
		r.RSS, r.Files = residentBytes(), openFiles()
		m.rssFor = slowEvery
	}
	m.rssFor--
	m.at, m.busy, m.last = now, busy, r
	return r
}

// longestPause returns the upper end of the longest pause's class since the last call.
func (m *Monitor) longestPause() time.Duration {
	metrics.Read(m.pauses)
	if m.pauses[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := m.pauses[0].Value.Float64Histogram()
	if m.counts == nil {
		m.counts = make([]uint64, len(h.Counts))
	}
	longest := 0.0
	for i, n := range h.Counts {
		if n > m.counts[i] {
			longest = h.Buckets[i+1]
			if math.IsInf(longest, 1) {
				longest = h.Buckets[i]
			}
		}
	}
	copy(m.counts, h.Counts)
	return time.Duration(longest * float64(time.Second))
}
