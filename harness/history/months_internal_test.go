package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"cutover/harness/result"
)

// month is sixty simulated nights of eight rows: a 3 % effect from night to night, noise of
// each quantile, findings that flicker; on night `from` one row turns 20 % slower and one
// finding appears, in nine nights of ten.
type month struct {
	random  *rand.Rand
	planted int
}

func (m *month) night(n int) night {
	out := night{id: fmt.Sprint(n), good: true, counts: true, ms: map[rowKey]float64{}, findings: map[string]Seen{"always": {ID: "always"}}}
	level := m.random.NormFloat64() * 0.03
	for _, scenario := range []string{"inbox", "week", "unread", "book"} {
		for i, path := range []string{"onprem", "cloud"} {
			factor := 1.0
			if m.planted > 0 && n >= m.planted && scenario == "week" && path == "cloud" {
				factor = 1.2
			}
			base := 20 * float64(i+1) * factor
			out.ms[rowKey{scenario, "list", path, "p50"}] = base * math.Exp(level+0.01*m.random.NormFloat64())
			out.ms[rowKey{scenario, "list", path, "p95"}] = 2 * base * math.Exp(level+0.02*m.random.NormFloat64())
		}
	}
	for i := range 5 {
		if m.random.Float64() < 0.01 {
			id := fmt.Sprintf("flickers-%d", i)
			out.findings[id] = Seen{ID: id, Severity: result.Minor}
		}
	}
	if m.planted > 0 && n >= m.planted && m.random.Float64() < 0.9 {
		out.findings["planted"] = Seen{ID: "planted", Severity: result.Minor}
	}
	return out
}

// flags judges a night and says whether times, and whether findings, are flagged.
func flags(tonight night, before []night) (slower, fresh bool) {
	for _, g := range judge(tonight, before, false) {
		if g.Verdict == result.Fail {
			slower = slower || g.Measure == result.MeasureLatency
			fresh = fresh || g.Measure == result.MeasureCount
		}
	}
	return slower, fresh
}

func simulate(t *testing.T, seeds int, seed uint64) {
	t.Helper()
	const nights, planted = 60, 45
	var quiet, judged, slower, fresh, both int
	for s := range uint64(seeds) {
		m := &month{random: rand.New(rand.NewPCG(seed, s)), planted: planted}
		var before []night
		seenSlower, seenFresh := false, false
		for n := range nights {
			tonight := m.night(n)
			a, b := flags(tonight, before)
			switch {
			case n >= planted+3:
			case n >= planted:
				seenSlower, seenFresh = seenSlower || a, seenFresh || b
			case len(before) >= fewNights+window-1:
				judged++
				if !a && !b {
					quiet++
				}
			}
			tonight.good = !a && !b
			before = append(before, tonight)
		}
		slower, fresh = slower+count(seenSlower), fresh+count(seenFresh)
		both += count(seenSlower && seenFresh)
	}
	t.Logf("%d seeds: by the third night %d regressions, %d findings, %d both; %.2f %% of %d quiet nights quiet",
		seeds, slower, fresh, both, 100*float64(quiet)/float64(judged), judged)
	if float64(both) < 0.95*float64(seeds) {
		t.Errorf("%d of %d planted pairs were flagged by the third night", both, seeds)
	}
	if float64(quiet) < 0.97*float64(judged) {
		t.Errorf("%d of %d quiet nights were quiet", quiet, judged)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func TestMonthsOfNights(t *testing.T) { simulate(t, 200, 20261122) }

func TestSoakMonthsOfNightsOverFreshSeeds(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes long: CUTOVER_SOAK=1 runs it")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	simulate(t, 2000, seed)
}

// The first bad night is found within one night of the planted one.
func TestTheChangePointIsFoundWhereItIs(t *testing.T) {
	near, alarms := 0, 0
	const seeds = 100
	for s := range uint64(seeds) {
		random := rand.New(rand.NewPCG(s, 5))
		var quiet, values []float64
		for n := range 40 {
			v := 0.03 * random.NormFloat64()
			quiet = append(quiet, v)
			if n >= 30 {
				v += math.Log(1.2)
			}
			values = append(values, v)
		}
		alarms += len(changePoints(quiet))
		if at := changePoints(values); len(at) == 1 && at[0] >= 29 && at[0] <= 31 {
			near++
		}
	}
	t.Logf("%d of %d found, %d false", near, seeds, alarms)
	if near < 95 || alarms > 5 {
		t.Errorf("%d of %d change points found within a night, %d false ones in quiet months", near, seeds, alarms)
	}
}
