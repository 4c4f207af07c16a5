package plan_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cutover/harness/plan"
)

// mixed writes a suite of scenarios with these weights, the marked ones writing, and
// a profile of so many mailboxes.
func mixed(weights []int, writes []bool, boxes int, load string) (suite, profile string) {
	var s, p strings.Builder
	s.WriteString("suite: mixed\nscenarios:\n")
	for i, w := range weights {
		verb := "get: /a"
		if writes[i] {
			verb = "post: /a, body: {}"
		}
		fmt.Fprintf(&s, "  - {name: s%d, weight: %d, steps: [{name: x, %s}]}\n", i, w, verb)
	}
	s.WriteString("load: [" + load + "]\n")
	p.WriteString(pair[:strings.Index(pair, "  - {name: ann")])
	for i := range boxes {
		fmt.Fprintf(&p, "  - {name: b%d, near_smtp: b%d@near.test, far_smtp: b%d@far.test}\n", i, i, i)
	}
	return s.String(), p.String()
}

// Whatever the weights: over whole blocks each scenario comes exactly as often as
// its weight says, its mailboxes are visited alike, writers share theirs with nobody, and
// each side goes first half of the time.
func TestArrivalsKeepTheirProportionsExactly(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 5).Draw(r, "weights")
		writes := make([]bool, len(weights))
		for i := range writes {
			writes[i] = rapid.Bool().Draw(r, "writes")
		}
		boxes := rapid.IntRange(len(weights)+1, 30).Draw(r, "boxes")
		suite, profile := mixed(weights, writes, boxes, "{constant: {rate: 100/s, for: 100s}}")
		seed := rapid.Uint64().Draw(r, "seed")
		p := compile(t, suite, profile, plan.Options{Seed: &seed, AllowWrite: true})
		sum := 0
		for _, w := range weights {
			sum += w
		}
		blocks := 40
		scenarios := make([]int, len(weights))
		visits := make([]map[int]int, len(weights))
		owners := map[int]map[int]bool{}
		left := 0
		for n := range blocks * sum {
			a, ok := p.Arrival(0, uint64(n))
			if !ok || a.Scenario >= len(weights) || a.N != uint64(n) {
				r.Fatalf("arrival %d: %+v, %v", n, a, ok)
			}
			scenarios[a.Scenario]++
			if visits[a.Scenario] == nil {
				visits[a.Scenario] = map[int]int{}
			}
			visits[a.Scenario][a.Mailbox]++
			if owners[a.Mailbox] == nil {
				owners[a.Mailbox] = map[int]bool{}
			}
			owners[a.Mailbox][a.Scenario] = true
			if a.LeftFirst {
				left++
			}
		}
		divisor := weights[0]
		for _, w := range weights {
			for divisor != 0 && w%divisor != 0 {
				divisor--
			}
		}
		for i, w := range weights {
			if scenarios[i] != blocks*w {
				r.Errorf("scenario %d of weight %d came %d times in %d blocks", i, w, scenarios[i], blocks)
			}
			counts := slices.Collect(maps.Values(visits[i]))
			if spread := slices.Max(counts) - slices.Min(counts); spread > 1 && len(counts) == len(p.Scenarios[i].Mailboxes) {
				r.Errorf("scenario %d visited its mailboxes between %d and %d times", i, slices.Min(counts), slices.Max(counts))
			}
			if writes[i] {
				for m := range visits[i] {
					if len(owners[m]) != 1 {
						r.Errorf("mailbox %d is written by scenario %d and asked by %v", m, i, owners[m])
					}
				}
			}
		}
		if total := blocks * sum; left != total/2 && left != (total+1)/2 {
			r.Errorf("the left path went first %d times of %d", left, total)
		}
	})
}

// However many owners ask for their share of the arrivals, in whatever order, the
// schedule is the same.
func TestTheScheduleIsTheSameForOneOwnerOrMany(t *testing.T) {
	suite, profile := mixed([]int{5, 3, 1}, []bool{false, false, true}, 20, "{poisson: {rate: 50/s, for: 20s}}")
	p := compile(t, suite, profile, plan.Options{AllowWrite: true})
	count := p.Phases[0].Count()
	alone := make([]plan.Arrival, count)
	for n := range count {
		alone[n], _ = p.Arrival(0, n)
	}
	for _, owners := range []int{2, 3, 7} {
		again := compile(t, suite, profile, plan.Options{AllowWrite: true})
		shares := map[int][]plan.Arrival{}
		for n := count; n > 0; n-- { // backwards: no arrival needs those before it
			a, ok := again.Arrival(0, n-1)
			if !ok {
				t.Fatalf("arrival %d is past the last", n-1)
			}
			h := fnv.New32()
			h.Write([]byte(again.Mailboxes[a.Mailbox].Name))
			owner := int(h.Sum32()) % owners
			shares[owner] = append(shares[owner], a)
		}
		merged := make([]plan.Arrival, 0, count)
		for _, share := range shares {
			merged = append(merged, share...)
		}
		slices.SortFunc(merged, func(a, b plan.Arrival) int { return int(a.N) - int(b.N) })
		if diff := cmp.Diff(alone, merged); diff != "" {
			t.Errorf("%d owners send something else (-one +many)\n%s", owners, diff)
		}
	}
	if _, ok := p.Arrival(0, count); ok {
		t.Error("there is an arrival past the last")
	}
}

func TestTheSecondLegIsHalfAPeriodLaterAndNeverOvertaken(t *testing.T) {
	for _, load := range []string{"{constant: {rate: 10/s, for: 5s}}", "{ramp: {from: 1/s, to: 50/s, over: 5s}}", "{poisson: {rate: 20/s, for: 5s}}"} {
		suite, profile := mixed([]int{1}, []bool{false}, 3, load)
		p := compile(t, "pair: apart\n"+suite, profile, plan.Options{})
		last := time.Duration(0)
		for n := uint64(0); ; n++ {
			a, ok := p.Arrival(0, n)
			if !ok {
				break
			}
			if a.Due < last || a.Second < a.Due {
				t.Fatalf("%s: arrival %d is due at %v and %v, after one at %v", load, n, a.Due, a.Second, last)
			}
			last = a.Second
			if strings.Contains(load, "constant") && a.Second-a.Due != 50*time.Millisecond {
				t.Errorf("arrival %d: %v between its legs at 10/s, want 50ms", n, a.Second-a.Due)
			}
		}
	}
}

func TestSamplingTakesItsShareAndTheSameOnesAgain(t *testing.T) {
	suite, profile := mixed([]int{1}, []bool{false}, 3, "{constant: {rate: 1000/s, for: 10s}}")
	p := compile(t, suite+"compare: {sample: 20%}\n", profile, plan.Options{})
	sampled := 0
	for n := range uint64(10_000) {
		a, _ := p.Arrival(0, n)
		b, _ := p.Arrival(0, n)
		if a != b {
			t.Fatalf("arrival %d is %+v and %+v", n, a, b)
		}
		if a.Sampled {
			sampled++
		}
	}
	if sampled < 1900 || sampled > 2100 {
		t.Errorf("%d of 10,000 are compared, want about 2,000", sampled)
	}
}

func BenchmarkArrival(b *testing.B) {
	suite, profile := mixed([]int{5, 3, 1}, []bool{false, false, true}, 500, "{constant: {rate: 1000/s, for: 1000s}}")
	p := compile(b, suite, profile, plan.Options{AllowWrite: true})
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		p.Arrival(0, n%1_000_000)
	}
}
