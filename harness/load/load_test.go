package load_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/load"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// compile reads "kind: {…}" as a suite would hold it.
func compile(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, seed uint64) (load.Compiled, strictyaml.Problems) {
	t.Helper()
	var doc struct {
		Load strictyaml.Block `yaml:"load"`
	}
	if problems := strictyaml.Decode("suite.yaml", []byte("load:\n  "+text+"\n"), &doc); len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return load.Compile(doc.Load, seed)
}

func model(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, seed uint64) load.Model {
	t.Helper()
	c, problems := compile(t, text, seed)
	if len(problems) > 0 || c.Open == nil {
		t.Fatalf("%s: %v", text, problems)
	}
	return c.Open
}

// rates draws a rate with its unit, durations a length of up to a minute.
var (
	rates = rapid.Custom(func(t *rapid.T) string {
		unit := rapid.SampledFrom([]string{"/s", "/m", "/h"}).Draw(t, "unit")
		top := map[string]int{"/s": 200, "/m": 9000, "/h": 90000}[unit]
		return fmt.Sprintf("%d%s", rapid.IntRange(1, top).Draw(t, "rate"), unit)
	})
	lengths = rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%dms", rapid.IntRange(1, 60_000).Draw(t, "ms"))
	})
	stages = rapid.Custom(func(t *rapid.T) string {
		one := rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{
				"{rate: " + rates.Draw(t, "rate") + ", for: " + lengths.Draw(t, "for") + "}",
				"{to: " + rates.Draw(t, "to") + ", over: " + lengths.Draw(t, "over") + "}",
				"{over: " + lengths.Draw(t, "down") + "}",
				"{for: " + lengths.Draw(t, "pause") + "}",
			}).Draw(t, "stage")
		})
		return "[" + strings.Join(rapid.SliceOfN(one, 1, 6).Draw(t, "stages"), ", ") + "]"
	})
	// shapes draws an open model of every kind in the table.
	shapes = rapid.Custom(func(t *rapid.T) string {
		r, s, d := rates.Draw(t, "r"), rates.Draw(t, "s"), lengths.Draw(t, "d")
		after, hold, rise := rapid.IntRange(0, 9).Draw(t, "after"), rapid.IntRange(1, 9).Draw(t, "hold"), rapid.IntRange(0, 9).Draw(t, "rise")
		return rapid.SampledFrom([]string{
			fmt.Sprintf("constant: {rate: %s, for: %s}", r, d),
			fmt.Sprintf("constant: {users: %d, each: %s, for: %s}", hold, r, d),
			fmt.Sprintf("ramp: {from: %s, to: %s, over: %s}", r, s, d),
			fmt.Sprintf("ramp: {to: %s, over: %s}", s, d),
			fmt.Sprintf("ramp: {from: %s, over: %s}", r, d),
			"stages: " + stages.Draw(t, "stages"),
			fmt.Sprintf("spike: {base: %s, peak: %s, after: %ds, rise: %ds, hold: %ds, for: 40s}", r, s, after, rise, hold),
			fmt.Sprintf("poisson: {rate: %s, for: %s}", r, d),
			fmt.Sprintf("day: {from: \"09:%02d\", for: %s, rate: %s, arrivals: even}", after, d, r),
			fmt.Sprintf("day: {from: \"13:%02d\", for: %s, rate: %s}", after, d, r),
			"poisson: {stages: " + stages.Draw(t, "mean") + "}",
		}).Draw(t, "shape")
	})
)

// drawn returns a model that has arrivals.
func drawn(t *rapid.T) (text string, m load.Model) {
	text = shapes.Draw(t, "model")
	c, problems := compile(t, text, 1)
	if len(problems) == 1 && strings.Contains(problems[0].Msg, "has no arrival") {
		t.Skip("no arrivals")
	}
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return text, c.Open
}

func all(m load.Model) []time.Duration {
	var dues []time.Duration
	for n := uint64(0); ; n++ {
		at, ok := m.Due(n)
		if !ok {
			return dues
		}
		dues = append(dues, at)
	}
}

// integral adds up the rate over the first t by the midpoint rule,
// independently of how the models compute theirs. All drawn lengths are whole
// milliseconds and the rate changes linearly in between, so it is exact.
func integral(m load.Model, t time.Duration) float64 {
	var sum float64
	for at := time.Millisecond / 2; at < t; at += time.Millisecond {
		sum += m.RateAt(at)
	}
	return sum / 1000
}

func TestDueTimesNeverDecreaseAndStayWithinThePhase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, m := drawn(t)
		dues := all(m)
		if uint64(len(dues)) != m.Count() {
			t.Fatalf("%s: %d arrivals, Count says %d", text, len(dues), m.Count())
		}
		if !slices.IsSorted(dues) {
			t.Fatalf("%s: due times decrease", text)
		}
		if dues[0] < 0 || dues[len(dues)-1] > m.Length() {
			t.Fatalf("%s: arrivals from %v to %v, outside [0, %v]", text, dues[0], dues[len(dues)-1], m.Length())
		}
	})
}

func TestTheCountIsWithinOneOfTheIntegralOfTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, m := drawn(t)
		const tolerance = 1 + 1e-5
		if got, want := float64(m.Count()), integral(m, m.Length()); math.Abs(got-want) > tolerance {
			t.Fatalf("%s: %v arrivals, the integral is %v", text, got, want)
		}
		if strings.HasPrefix(text, "poisson") || strings.HasPrefix(text, "day") && !strings.Contains(text, "even") {
			return // at random within the phase, exact only over the whole
		}
		until := time.Duration(rapid.Int64Range(0, m.Length().Milliseconds()).Draw(t, "until ms")) * time.Millisecond
		n, _ := slices.BinarySearch(all(m), until)
		if want := integral(m, until); math.Abs(float64(n)-want) > tolerance {
			t.Fatalf("%s: %d arrivals before %v, the integral is %v", text, n, until, want)
		}
	})
}

func TestTheScheduleIsTheSameForOneOrManyOwners(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, m := drawn(t)
		one := all(m)
		owners := rapid.IntRange(2, 5).Draw(t, "owners")
		merged := make([]time.Duration, len(one))
		for owner := range owners {
			own, problems := compile(t, text, 1) // compiled anew, as another machine would
			if len(problems) > 0 {
				t.Fatalf("%v", problems)
			}
			for n := len(one) - 1; n >= 0; n-- { // and read in another order
				if n%owners == owner {
					merged[n], _ = own.Open.Due(uint64(n))
				}
			}
		}
		if !slices.Equal(one, merged) {
			t.Fatalf("%s: the schedule differs with %d owners", text, owners)
		}
	})
}

func TestSchedules(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name, text string
		want       []time.Duration
	}{
		{"a constant rate begins at once and is even", "constant: {rate: 4/s, for: 1s}", []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		{"users with a rate each make their product", "constant: {users: 2, each: 7200/h, for: 1s}", []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		{"a ramp from nothing follows the square root", "ramp: {to: 2/s, over: 4s}", []time.Duration{0, 2000 * ms, 2828427125, 3464101615}},
		{"a ramp to nothing mirrors it", "ramp: {from: 2/s, over: 4s}", []time.Duration{0, 535898385, 1171572875, 2000 * ms}},
		{"stages carry the fraction of an arrival over", "stages: [{rate: 1/s, for: 1500ms}, {rate: 2/s, for: 1s}]", []time.Duration{0, 1000 * ms, 1750 * ms, 2250 * ms}},
		{"a ramp goes on from the rate of the one before", "stages: [{to: 2/s, over: 2s}, {over: 2s}]", []time.Duration{0, 1414213562, 2000 * ms, 2585786438}},
		{"a pause delays what is due in it to its end", "stages: [{rate: 1/s, for: 2s}, {for: 3s}, {rate: 1/s, for: 1s}]", []time.Duration{0, 1000 * ms, 5000 * ms}},
		{"a spike without a base is a burst", "spike: {peak: 4/s, after: 1s, hold: 500ms, for: 3s}", []time.Duration{1000 * ms, 1250 * ms}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, all(model(t, row.text, 0))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.text, diff)
			}
		})
	}
}

func TestPerMailboxHourRatesHaveNoArrivalTooMany(t *testing.T) {
	for users := 1; users < 400; users += 7 {
		for each := 7; each < 200; each += 11 {
			text := fmt.Sprintf("constant: {users: %d, each: %d/h, for: 60m}", users, each)
			if got := model(t, text, 0).Count(); got != uint64(users*each) {
				t.Errorf("%s makes %d arrivals, want %d", text, got, users*each)
			}
		}
	}
}

func TestPoissonGapsAreExponential(t *testing.T) {
	dues := all(model(t, "poisson: {rate: 1000/s, for: 20s}", 7))
	var gaps, short int
	var sum, squares float64
	for i := 1; i < len(dues); i++ {
		gap := (dues[i] - dues[i-1]).Seconds()
		sum, squares = sum+gap, squares+gap*gap
		if gaps++; gap < 0.0005 {
			short++
		}
	}
	mean := sum / float64(gaps)
	cv := math.Sqrt(squares/float64(gaps)-mean*mean) / mean
	if cv < 0.97 || cv > 1.03 {
		t.Errorf("coefficient of variation %v, want 1", cv)
	}
	if share, want := float64(short)/float64(gaps), 1-math.Exp(-0.5); math.Abs(share-want) > 0.02 {
		t.Errorf("%v of the gaps are below half the mean, want %v", share, want)
	}
}

func TestPoissonCountsPerSecondVaryAsTheyShould(t *testing.T) {
	const seconds, rate = 400, 50
	perSecond := make([]float64, seconds)
	for _, at := range all(model(t, fmt.Sprintf("poisson: {rate: %d/s, for: %ds}", rate, seconds), 3)) {
		perSecond[int(at.Seconds())]++
	}
	var variance float64
	for _, n := range perSecond {
		variance += (n - rate) * (n - rate) / seconds
	}
	if dispersion := variance / rate; dispersion < 0.8 || dispersion > 1.2 {
		t.Errorf("variance over mean of arrivals per second is %v, want about 1", dispersion)
	}
}

func TestPoissonFollowsItsSeed(t *testing.T) {
	const text = "poisson: {rate: 100/s, for: 10s}"
	first, again, other := all(model(t, text, 1)), all(model(t, text, 1)), all(model(t, text, 2))
	if !slices.Equal(first, again) {
		t.Error("the same seed gives another schedule")
	}
	early := func(dues []time.Duration) int {
		n, _ := slices.BinarySearch(dues, 5*time.Second)
		return n
	}
	if slices.Equal(first, other) || early(first) == early(other) {
		t.Error("another seed gives the same schedule, or the same number of arrivals in its first half")
	}
}

func TestFirstEndsAfterSoManyArrivals(t *testing.T) {
	m := load.First(model(t, "constant: {rate: 10/s, for: 10s}", 0), 3)
	if diff := cmp.Diff([]time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}, all(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m.Count() != 3 || m.Describe() != "constant 10/s for 10s (100), the first 3" {
		t.Errorf("got %d arrivals, %q", m.Count(), m.Describe())
	}
}

func TestDescriptions(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"constant: {rate: 50/s, for: 30s}", "constant 50/s for 30s (1500)"},
		{"constant: {users: 500, each: 60/h, for: 10m}", "constant 500 users, 60/h each for 10m0s (5000)"},
		{"ramp: {to: 50/s, over: 10s}", "ramp from 0/s to 50/s over 10s (250)"},
		{"stages: [{to: 10/s, over: 2s}, {for: 1s}, {over: 4s}]", "stages to 10/s over 2s, 0/s for 1s, to 0/s over 4s (10)"},
		{"spike: {base: 1/s, peak: 10/s, after: 2s, hold: 1s}", "spike from 1/s to 10/s after 2s, held 1s, in 3s (12)"},
		{"poisson: {rate: 3/m, for: 2m}", "poisson 3/m for 2m0s (6)"},
		{"closed: {users: 5, think: 1s, over: 3s, for: 9s, iterations: 10}", "closed, 5 users thinking 1s arriving over 3s for 9s, 10 iterations"},
		{"closed: {users: 5, pace: 2s, for: 9s}", "closed, 5 users each 2s for 9s"},
		{"search: {start: 10/s, max: 360/h}", ""},
		{"search: {start: 10/s, max: 500/s, precision: 2%}", "search from 10/s to 500/s, 20s a trial, within 2%, confirmed 3 times"},
	} {
		c, problems := compile(t, row.text, 0)
		if got := c.Describe(); got != row.want && !(row.want == "" && len(problems) > 0) {
			t.Errorf("%s says %q, want %q (%v)", row.text, got, row.want, problems)
		}
	}
}

func TestClosedUsers(t *testing.T) {
	const s = time.Second
	c, _ := compile(t, "closed: {users: 4, over: 8s, for: 20s, think: 1s}", 0)
	if got, want := []time.Duration{c.Closed.Start(0), c.Closed.Start(1), c.Closed.Start(3)}, []time.Duration{0, 2 * s, 6 * s}; !slices.Equal(got, want) {
		t.Errorf("users start at %v, want %v", got, want)
	}
	paced := load.Closed{Users: 1, Pace: 10 * s}
	for _, row := range []struct {
		name         string
		c            load.Closed
		began, ended time.Duration
		want         time.Duration
	}{
		{"thinking, it pauses after the end", *c.Closed, 5 * s, 7 * s, 8 * s},
		{"paced, it starts evenly", paced, 5 * s, 7 * s, 15 * s},
		{"paced and late, it goes on at once", paced, 5 * s, 17 * s, 17 * s},
	} {
		if got := row.c.Next(row.began, row.ended); got != row.want {
			t.Errorf("%s: next at %v, want %v", row.name, got, row.want)
		}
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"constnat: {rate: 1/s, for: 1s}", `suite.yaml:2:3: unknown load model "constnat" (did you mean "constant"?): there are constant, ramp, stages, poisson, spike, day, closed, search`},
		{"constant: {for: 1s}", "suite.yaml:2:3: the rate is missing: say rate: 50/s, or users: 500 with each: 60/h"},
		{"constant: {rate: 1/s, users: 5, each: 1/s, for: 1s}", "suite.yaml:2:3: say either rate, or users with each, not both"},
		{"constant: {users: 5, for: 1s}", "suite.yaml:2:3: users and each belong together: say users: 500, each: 60/h"},
		{"constant: {rate: 10000000/s, for: 10d}", "suite.yaml:2:3: constant has 8640000000000 arrivals, more than 4294967296: make it shorter or lower the rate"},
		{"constant: {rate: 1/s, for: 0s}", "suite.yaml:2:3: constant has no arrival: make it longer or raise the rate"},
		{"ramp: {over: 3s}", "suite.yaml:2:3: ramp has no arrival: make it longer or raise the rate"},
		{"stages: []", "suite.yaml:2:3: stages is empty: say {to: 50/s, over: 10s} or {rate: 50/s, for: 1m}"},
		{"stages: [{to: 1/s, over: 1s, for: 2s}]", "suite.yaml:2:12: a stage is either a ramp (to, over) or a rate held (rate, for), not both"},
		{"stages: [{to: 1/s}]", "suite.yaml:2:12: the ramp to 1/s needs its length: say over: 10s"},
		{"stages: [{rate: 1/s}]", "suite.yaml:2:12: the stage needs its length: say for: 1m, or over: 10s with to"},
		{"spike: {peak: 9/s, after: 5s, hold: 6s, for: 10s}", "suite.yaml:2:3: the burst ends at 11s, after the phase (for: 10s)"},
		{"poisson: {rate: 1/s}", "suite.yaml:2:3: for is missing: say how long, such as for: 30s"},
		{"poisson: {rate: 1/s, stages: [{rate: 1/s, for: 1s}]}", "suite.yaml:2:3: say either stages, or a rate with for, not both"},
		{"closed: {users: 5}", "suite.yaml:2:3: the end is missing: say for: 30s, or iterations: 1000"},
		{"closed: {users: 5, think: 1s, pace: 1s, for: 9s}", "suite.yaml:2:3: say either think or pace, not both"},
		{"closed: {users: 5, over: 10s, for: 9s}", "suite.yaml:2:3: the users arrive over 10s, but the phase ends after 9s"},
		{"closed: {users: 500000, for: 9s}", "suite.yaml:2:3: 500000 users are more than 100000"},
		{"search: {start: 50/s, max: 10/s}", "suite.yaml:2:3: start 50/s is above max 10/s"},
		{"search: {start: 5/s, max: 10/s, precision: 0%}", "suite.yaml:2:3: precision 0% cannot be reached: say 1% or more"},
	} {
		if _, problems := compile(t, row.text, 0); problems.Error() != row.want {
			t.Errorf("%s\n got %s\nwant %s", row.text, problems, row.want)
		}
	}
}

func TestEveryExampleInTheTableCompiles(t *testing.T) {
	for _, info := range load.Kinds() {
		if c, problems := compile(t, info.Example, 1); len(problems) > 0 || c.Describe() == "nothing" {
			t.Errorf("%s: %v", info.Example, problems)
		}
		if info.About == "" || info.Params == nil {
			t.Errorf("%s is not described", info.Name)
		}
	}
}

func BenchmarkDue(b *testing.B) {
	for _, text := range []string{"constant: {rate: 1000/s, for: 1h}", "ramp: {to: 1000/s, over: 1h}", "poisson: {rate: 1000/s, for: 1h}"} {
		c, problems := compile(b, text, 1)
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		b.Run(text[:4], func(b *testing.B) {
			b.ReportAllocs()
			count := c.Open.Count()
			for n := uint64(0); b.Loop(); n++ {
				c.Open.Due(n % count)
			}
		})
	}
}
