package plan_test

import (
	"errors"
	"testing"

	"cutover/harness/plan"
	"cutover/suites/strictyaml"
)

func TestALoadAboveTheCeilingsSaysWhichRateFits(t *testing.T) {
	for _, row := range []struct {
		it, suite, limits, fits string
		rate                    float64
	}{
		{"fits the ceiling of a path", reads, "limits: {rate: 10/s}\n", "5.71/s", 0},
		{"fits the ceiling of a mailbox", reads, "limits: {per_mailbox: {rate: 2/s}}\n", "4.57/s", 0},
		{"fits the lower of two ceilings", reads, "limits: {rate: 10/s, per_mailbox: {rate: 2/s}}\n", "4.57/s", 0},
		{"fits the ceiling that a flag exceeds", reads, "limits: {rate: 20/s}\n", "11.4/s", 50},
		{"fits nothing in place of a search", patched("constant: {rate: 10/s, for: 10s}", "search: {start: 1/s, max: 50/s}") + "gates: [p95 of each path < 1s]\n", "limits: {rate: 20/s}\n", "", 0},
	} {
		t.Run(row.it, func(t *testing.T) {
			s, p := parse(t, row.suite, pair+row.limits)
			_, err := plan.Compile(s, p, plan.Options{Rate: strictyaml.Rate{PerSecond: row.rate}})
			var fast *plan.TooFast
			if !errors.As(err, &fast) || fast.Fits != row.fits {
				t.Fatalf("Compile = %v, fitting %+v; want %q", err, fast, row.fits)
			}
			if row.fits == "" {
				return
			}
			var rate strictyaml.Rate
			if err := rate.UnmarshalText([]byte(row.fits)); err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Compile(s, p, plan.Options{Rate: rate}); err != nil {
				t.Errorf("at %s: %v", row.fits, err)
			}
		})
	}
}
