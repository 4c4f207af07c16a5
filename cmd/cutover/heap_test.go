package main

import (
	"runtime/debug"
	"testing"

	"cutover/harness/plan"
)

func TestTheHeapIsKeptCloseOnlyWhileARunOnlyLoads(t *testing.T) {
	two := []plan.Side{{}, {}}
	for _, row := range []struct {
		name string
		plan plan.Plan
		gogc string
		want int
	}{
		{"it is kept close when nothing is compared", plan.Plan{Sides: two}, "", spareShare},
		{"it is kept close on one path", plan.Plan{Sides: two[:1], Sample: 1}, "", spareShare},
		{"it is left alone when answers are compared", plan.Plan{Sides: two, Sample: 0.1}, "", 100},
		{"it is left alone when somebody says otherwise", plan.Plan{Sides: two}, "200", 100},
	} {
		t.Run(row.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(100))
			s := &session{app: &App{Env: func(string) string { return row.gogc }}, plan: &row.plan}
			undo := s.spareHeap()
			now := debug.SetGCPercent(100)
			debug.SetGCPercent(now)
			undo()
			if after := debug.SetGCPercent(100); now != row.want || after != 100 {
				t.Errorf("%d during the run and %d after it, want %d and 100", now, after, row.want)
			}
		})
	}
}
