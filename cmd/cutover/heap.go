package main

import (
	"runtime/debug"

	"cutover/harness/plan"
)

// spareShare is how much garbage may pile up beside what is in use, in percent, while a run
// only loads. A request then makes next to none: collecting more often costs nothing that
// could be measured, and what a run keeps for its report shows as a quarter more and not as
// twice as much memory.
const spareShare = 25

// spareHeap keeps the heap of a run close to what is in use, and returns what undoes that. A
// run that compares, or has the lab inside, makes garbage all the time and is left alone; so
// is whoever sets GOGC.
func (s *session) spareHeap() func() {
	if !onlyLoads(s.plan) || s.lab != nil || s.app.Env("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(spareShare)
	return func() { debug.SetGCPercent(before) }
}

// onlyLoads tells whether no answer of a plan is compared.
func onlyLoads(p *plan.Plan) bool { return len(p.Sides) < 2 || p.Sample == 0 }
