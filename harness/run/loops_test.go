package run_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/plan"
)

// TestARecordSaysWhatUsersBegan reads the record line by line, as if the run had been
// killed after each: what had begun is known, what comes within a second is foreseen,
// and the rest had not started.
func TestARecordSaysWhatUsersBegan(t *testing.T) {
	for _, c := range []struct {
		name, load       string
		due, begun, free uint64
	}{
		{"users who do a number of iterations: it tells each leg that began", "closed: {users: 5, iterations: 2000}", 0, 4000, 0},
		{"users who think: it tells each leg that began", "closed: {users: 50, think: 500ms, iterations: 600}", 0, 1200, 0},
		{"users whom only time bounds: their legs are in no plan", "closed: {users: 5, think: 50ms, for: 4s}", 0, 5 * (67 + 40), 5 * (67 + 40)},
		{"arrivals behind users: they are due when the users are done", "closed: {users: 5, iterations: 1000}}\n  - {name: after, constant: {rate: 100/s, for: 3s}", 600, 2000, 0},
		{"users behind arrivals: they are foreseen", "constant: {rate: 100/s, for: 3s}}\n  - {name: after, closed: {users: 5, iterations: 1000}", 600, 2000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", c.load, 1), pairProfile(60), plan.Options{})
				near, far := newTarget(always(10*time.Millisecond)), newTarget(always(50*time.Millisecond))
				d := deps(map[string]*target{"near": near, "far": far})
				log := &diary{}
				d.Folder = log
				mustRun(t, p, d)
				var due, begun, free, foreseen uint64
				for i, s := range log.seconds {
					if i > 0 && s.Due+s.Begun > foreseen && s.Unplanned == 0 {
						t.Errorf("line %d: %d legs due and %d begun, only %d were foreseen", i, s.Due, s.Begun, foreseen)
					}
					due, begun, free, foreseen = due+s.Due, begun+s.Begun, free+s.Unplanned, s.Ahead
				}
				if due != c.due || begun != c.begun || free != c.free {
					t.Errorf("%d due, %d begun, %d of them in no plan; want %d, %d, %d", due, begun, free, c.due, c.begun, c.free)
				}
			})
		})
	}
}
