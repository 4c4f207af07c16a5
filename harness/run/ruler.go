package run

import (
	"fmt"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// Limits past which the generator is not believed. A lag of 100 ms is a visible
// share of any answer worth measuring; k6's documentation asks for at most 80 % CPU,
// Locust warns at 90 %. A lab in the same process shares its processors with the
// generator, and what it simulates is known: it is given more. Where the whole machine
// is busy the wait for a free slot is nobody's for certain, so it counts like lag.
const (
	mostLag       = 100 * time.Millisecond
	mostLagInside = 250 * time.Millisecond
	mostCPU       = 0.90
	mostMachine   = 0.97
)

// generator says how this program fared, and where it bent the ruler.
func (r *runner) generator() result.Generator {
	b := r.books
	g := result.Generator{RSSBytes: uint64(b.gen.rss), LagP99: ms(b.total.own.Quantile(0.99)), LagMax: ms(b.total.own.Max()),
		GCPause: ms(b.gen.gcPause), Opened: b.total.opened, Reused: b.total.reused, InProcess: r.deps.LabInside,
		CPU: b.gen.mean(b.gen.cpu), Machine: b.gen.mean(b.gen.machine), Goroutines: uint64(b.gen.routines), Files: uint64(b.gen.files)}
	g.Bent = r.bends(b.total, b.gen)
	return g
}

// mean is a sum over the readings as their mean, 0 without any.
func (g generator) mean(sum float64) float64 {
	if g.reads == 0 {
		return 0
	}
	return sum / float64(g.reads)
}

// bends says where what was recorded bent the ruler.
func (r *runner) bends(t *tally, g generator) (bent []string) {
	limit := mostLag
	if r.deps.LabInside {
		limit = mostLagInside
	}
	limit += r.deps.Patience
	if lag := t.own.Quantile(0.99); lag > limit && result.Enough(0.99, t.own.Count()) {
		bent = append(bent, fmt.Sprintf("1%% of the requests left more than %v after they could have (limit %v)", lag.Round(time.Millisecond), limit))
	}
	if n := t.drops[dropGenerator]; n > 0 {
		bent = append(bent, fmt.Sprintf("%d legs were dropped because the generator did not get to them", n))
	}
	if r.deps.LabInside {
		return bent
	}
	if cpu := g.mean(g.cpu); cpu > mostCPU {
		bent = append(bent, fmt.Sprintf("the generator used %.0f%% of its processors (limit %.0f%%)", 100*cpu, 100*mostCPU))
	}
	if machine := g.mean(g.machine); machine > mostMachine {
		var waits hist.Histogram
		for _, c := range t.rows[1] {
			if c != nil {
				waits.Merge(&c.capWait)
			}
		}
		if wait := waits.Quantile(0.99); wait > limit && result.Enough(0.99, waits.Count()) {
			bent = append(bent, fmt.Sprintf("all processors of this machine were busy (%.0f%%), and 1%% of the requests waited more than %v for their turn: which of the two was the limit is not known",
				100*machine, wait.Round(time.Millisecond)))
		}
	}
	return bent
}
