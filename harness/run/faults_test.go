package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/plan"
	"cutover/harness/wire"
)

// The reasons below a row explain that row: they add up to its unexpected answers, a warm-up's left out.
func TestFaultsAddUpToTheRowThatTheyExplain(t *testing.T) {
	const suite = `
suite: faults
scenarios:
  - name: a
    steps: [{name: list, get: /items}]
load:
  - {name: warm-up, constant: {rate: 10/s, for: 2s}, measure: false}
  - {name: steady, constant: {rate: 10/s, for: 3s}}
`
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, suite, onePath, plan.Options{})
		only := newTarget(func(*wire.Request, time.Duration) reply { return reply{status: 400, body: `{}`} })
		got := mustRun(t, p, deps(map[string]*target{"only": only}))
		sum := uint64(0)
		for _, f := range got.Faults {
			sum += f.Count
		}
		if n := row(t, got, "list", "only").Outcomes["unexpected"]; sum != n || n != 30 {
			t.Errorf("faults add up to %d, the row has %d unexpected answers, want 30 each", sum, n)
		}
	})
}
