package main

import (
	"fmt"
	"os"
	"testing"

	"cutover/harness/result"
)

// idealPairs asks so many iterations of a lab without a difference that could be left out, and returns how many
// pairs were compared. Nothing but the spelling of the two dialects may be found. What one side does not offer
// (a created item answers all its properties, and some are newer than the on-premises model) is allowed only where
// the request cannot say which properties it wants.
func idealPairs(t *testing.T, iterations, rate string) uint64 {
	t.Helper()
	r := ledgerResult(t, "testdata/ideal.yaml", "--set", "lab.preset=ideal", "--set", "lab.throttle=none", "--rate", rate, "--iterations", iterations)
	for _, f := range r.Findings {
		if f.Class != result.Adapter && !(f.ID == "props.absent" && f.Step == "create") {
			t.Errorf("%s (%s) %s/%s %s: %s → %s, in %d pairs", f.ID, f.Class, f.Scenario, f.Step, f.Pointer, f.Left, f.Right, f.Count)
		}
	}
	if c := r.Comparison; c.Different != 0 || c.Compared < c.Pairs*99/100 || r.Identities.Split+r.Identities.Merged != 0 {
		t.Errorf("of %d pairs %d compared, %d different, skipped %v; identities %+v", c.Pairs, c.Compared, c.Different, c.Skipped, r.Identities)
	}
	return r.Comparison.Compared
}

func TestAnIdealDeploymentDiffersInSpellingAlone(t *testing.T) {
	if n := idealPairs(t, "60", "60/s"); n < 100 {
		t.Errorf("only %d pairs were compared", n)
	}
}

func TestSoakTenThousandIdealPairsDifferInSpellingAlone(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: CUTOVER_SOAK=1 runs it")
	}
	n := idealPairs(t, "4600", "150/s")
	if n < 10_000 {
		t.Errorf("only %d pairs were compared", n)
	}
	t.Log(fmt.Sprintf("%d pairs compared, none differs: at most %.2g%% of pairs like these do", n, 100*result.AtMost(0, n)))
}
