package main

import (
	"os"
	"testing"

	"cutover/harness/result"
)

// idealSuites are the built-in suites that an ideal deployment has to pass, after one that asks for every property
// that both models have.
var idealSuites = []string{"testdata/ideal.yaml", "smoke", "mail-read", "calendar", "contacts", "ledger"}

// idealPairs asks so many iterations of a lab without a difference that could be left out, and returns how many
// pairs were compared. Nothing but the spelling of the two dialects may be found.
func idealPairs(t *testing.T, suite, iterations, rate string) uint64 {
	t.Helper()
	r := ledgerResult(t, suite, "--set", "lab.preset=ideal", "--set", "lab.throttle=none", "--rate", rate, "--iterations", iterations)
	for _, f := range r.Findings {
		if f.Class != result.Adapter {
			t.Errorf("%s (%s) %s/%s %s: %s → %s, in %d pairs", f.ID, f.Class, f.Scenario, f.Step, f.Pointer, f.Left, f.Right, f.Count)
		}
	}
	c := r.Comparison
	comparable := c.Pairs - c.Skipped["own words"] // steps that a suite says in each side's own words
	if c.Different != 0 || c.Compared < comparable*99/100 || r.Identities.Split+r.Identities.Merged != 0 {
		t.Errorf("of %d pairs %d compared, %d different, skipped %v; identities %+v", c.Pairs, c.Compared, c.Different, c.Skipped, r.Identities)
	}
	return c.Compared
}

func TestAnIdealDeploymentDiffersInSpellingAlone(t *testing.T) {
	for _, suite := range idealSuites {
		t.Run(suite, func(t *testing.T) {
			t.Parallel() // nothing here judges latency
			if n := idealPairs(t, suite, "40", "60/s"); n < 50 {
				t.Errorf("only %d pairs were compared", n)
			}
		})
	}
}

func TestSoakTenThousandIdealPairsDifferInSpellingAlone(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: CUTOVER_SOAK=1 runs it")
	}
	var n uint64
	for _, suite := range idealSuites {
		t.Run(suite, func(t *testing.T) { n += idealPairs(t, suite, "1300", "150/s") })
	}
	if n < 10_000 {
		t.Errorf("only %d pairs were compared", n)
	}
	t.Logf("%d pairs compared, none differs: at most %.2g%% of pairs like these do", n, 100*result.AtMost(0, n))
}
