package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"cutover/harness/compare"
	"cutover/harness/hist"
	"cutover/harness/result"
)

// world makes runs whose latencies are autocorrelated (AR(1) over the seconds: 0.8, 6 %) and
// whose level differs from run to run by effect, as a standard deviation.
type world struct {
	random  *rand.Rand
	seconds int
	perSec  int
	effect  float64
	mood    float64  // spread of the seconds within a run
	rows    []string // scenarios; each has one step on two paths
}

func newWorld(seed uint64) *world {
	return &world{random: rand.New(rand.NewPCG(seed, 77)), seconds: 300, perSec: 4, effect: 0.03, mood: 0.06, rows: []string{"open-inbox", "week", "unread", "book"}}
}

// run makes one run; factor multiplies the times of one row on the right path.
func (w *world) run(id string, slow string, factor float64) *result.Result {
	r := &result.Result{RunID: id, Suite: "s", SuiteHash: "5017e", ProfileHash: "b0b", PlanHash: "41a", Profile: "lab", Target: result.Simulated}
	r.Paths = []result.PathInfo{{Name: "onprem", Side: result.Left}, {Name: "cloud", Side: result.Right}}
	for t := range w.seconds {
		r.Series = append(r.Series, result.Second{T: t, Measured: true})
	}
	level := w.random.NormFloat64() * w.effect
	for i, scenario := range w.rows {
		for j, path := range r.Paths {
			row := result.StepStats{Scenario: scenario, Step: "list", Path: path.Name, Side: path.Side, Histogram: new(hist.Histogram)}
			own := level
			if scenario == slow && path.Side == result.Right {
				own += math.Log(factor)
			}
			mood := w.random.NormFloat64() * w.mood
			for t := range w.seconds {
				mood = 0.8*mood + 0.6*w.mood*w.random.NormFloat64()
				h := new(hist.Histogram)
				for range w.perSec {
					ms := 20 * math.Exp(own+mood+0.25*w.random.NormFloat64()) * float64(1+i+j)
					h.Record(time.Duration(ms * 1e6))
				}
				row.Histogram.Merge(h)
				r.Series[t].Series = append(r.Series[t].Series, result.SeriesPoint{Scenario: scenario, Step: "list", Path: path.Name, Count: uint64(w.perSec), Histogram: hist.Pack(h)})
			}
			row.Count = row.Histogram.Count()
			row.Response = result.Summarise(row.Histogram)
			r.Steps = append(r.Steps, row)
		}
	}
	return r
}

func (w *world) side(n int, slow string, factor float64) []*result.Result {
	var out []*result.Result
	for i := range n {
		out = append(out, w.run(fmt.Sprintf("run-%d", i), slow, factor))
	}
	return out
}

// shares counts the verdicts of many comparisons.
func shares(t *testing.T, trials, baseRuns, runRuns int, factor float64, seed uint64) map[result.Verdict]float64 {
	t.Helper()
	out := map[result.Verdict]float64{}
	for i := range trials {
		w := newWorld(seed + uint64(i)*1000003)
		report, err := compare.Runs(w.side(baseRuns, "", 1), w.side(runRuns, "open-inbox", factor), compare.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if factor > 1 && report.Verdict == result.Fail && !blames(report, "open-inbox") {
			continue // right for a wrong reason does not count
		}
		out[report.Verdict] += 1 / float64(trials)
	}
	return out
}

func blames(r *compare.Report, scenario string) bool {
	for _, t := range r.Tests {
		if t.Says == compare.Slower && t.Scenario == scenario {
			return true
		}
	}
	return false
}

func TestFalseAlarmsAreRareAndRegressionsAreFound(t *testing.T) {
	trials(t, 20, 20261122)
}

func TestSoakFalseAlarmsAndPowerOverFreshSeeds(t *testing.T) {
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes minutes: CUTOVER_SOAK=1 runs it")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	trials(t, 400, seed)
	trials(t, 400, 20261122)
}

func trials(t *testing.T, n int, seed uint64) {
	t.Helper()
	for _, c := range []struct {
		name      string
		base, run int
		factor    float64
		most      float64 // share of fail, for a factor of 1
		least     float64 // share of fail, else
	}{
		{"ten runs against five like them, it raises no alarm", 10, 5, 1, 0.05, 0},
		{"ten runs against five of which one step is 10 % slower, it finds that step", 10, 5, 1.10, 1, 0.90},
		{"one run against another like it, it raises no alarm", 1, 1, 1, 0.05, 0},
		{"one run against another that is 40 % slower, it finds that step", 1, 1, 1.40, 1, 0.90},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := n
			if c.base == 1 {
				n /= 2 // bootstraps take longer, and leave less to chance
			}
			got := shares(t, n, c.base, c.run, c.factor, seed)
			t.Logf("of %d: fail %.3f, pass %.3f, inconclusive %.3f", n, got[result.Fail], got[result.Pass], got[result.Inconclusive])
			if fail := got[result.Fail]; fail > c.most+1e-9 || fail < c.least-1e-9 {
				t.Errorf("%.3f of the comparisons fail, want %.2f to %.2f", fail, c.least, c.most)
			}
		})
	}
}
