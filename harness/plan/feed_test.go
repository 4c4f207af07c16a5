package plan_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
)

const fed = `
suite: fed
data:
  words: {rows: [{w: a}, {w: b}, {w: c}, {w: d}, {w: e}, {w: f}, {w: g}], pick: %PICK}
scenarios:
  - {name: one, weight: 2, steps: [{name: x, get: "/a/{{data.words.w}}"}]}
  - {name: two, weight: 1, steps: [{name: x, get: "/b/{{data.words.w}}"}]}
  - {name: none, weight: 1, steps: [{name: x, get: /c}]}
load:
  - {constant: {rate: 1/s, for: 4s}, measure: false}
  - {constant: {rate: 1/s, for: %LONGs}}
`

// rows lists the rows that all arrivals of a plan take, in order of scenario and time.
func rows(p *plan.Plan) (taken []int, without int) {
	for ph := range p.Phases {
		for n := uint64(0); n < p.Phases[ph].Count(); n++ {
			a, _ := p.Arrival(ph, n)
			if row, ok := p.Row(0, &a); ok {
				taken = append(taken, row)
			} else {
				without++
			}
		}
	}
	return taken, without
}

func feeding(pick, long string) string {
	return replaced(replaced(fed, "%PICK", pick), "%LONG", long)
}

func TestRowsAreDealtOut(t *testing.T) {
	p := compile(t, feeding("cycle", "52"), pair, plan.Options{})
	taken, without := rows(p)
	counts := make([]int, 7)
	for _, row := range taken {
		counts[row]++
	}
	if diff := cmp.Diff([]int{6, 6, 6, 6, 6, 6, 6}, counts); diff != "" || without != 14 {
		t.Errorf("cycle: rows were taken so often (-want +got):\n%s%d arrivals take none, want 14", diff, without)
	}
	taken, _ = rows(compile(t, feeding("random", "4000"), pair, plan.Options{}))
	counts = make([]int, 7)
	for _, row := range taken {
		counts[row]++
	}
	if low, high := slices.Min(counts), slices.Max(counts); low < 370 || high > 490 {
		t.Errorf("random: rows were taken %v times, want about 429 each", counts)
	}
}

func TestUniqueRowsAreTakenOnceAndMustSuffice(t *testing.T) {
	// Blocks of four arrivals hold two of one and one of two: 2 blocks use rows 0 to 7 at most.
	unique := replaced(feeding("unique", "4"), "{w: g}", "{w: g}, {w: h}")
	taken, _ := rows(compile(t, unique, pair, plan.Options{}))
	slices.Sort(taken)
	if len(taken) != 6 || len(slices.Compact(slices.Clone(taken))) != 6 {
		t.Errorf("rows %v were taken, want six different ones", taken)
	}
	for _, row := range []struct{ it, suite, want string }{
		{"refuses a load that needs more", feeding("unique", "4"),
			`s.yaml:4:10: data "words" has 7 rows and the load needs up to 8 unique ones: add rows, shorten the load, or pick cycle`},
		{"refuses a load that knows no end", replaced(unique, "constant: {rate: 1/s, for: 4s}}", "closed: {users: 1, for: 4s}}"),
			`s.yaml:4:10: data "words" is unique, but phase closed has no known number of iterations: bound it with iterations, or pick cycle`},
	} {
		t.Run(row.it, func(t *testing.T) {
			s, p := parse(t, row.suite, pair)
			if _, err := plan.Compile(s, p, plan.Options{}); err == nil || err.Error() != row.want {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
		})
	}
}

func TestATableThatNobodyReadsIsTold(t *testing.T) {
	p := compile(t, replaced(reads, "scenarios:", "data: {idle: {rows: [{a: 1}]}}\nscenarios:"), pair, plan.Options{})
	if !slices.Contains(p.NotTested, `data "idle": no scenario takes a row from it`) {
		t.Errorf("not tested: %v", p.NotTested)
	}
}

func TestSkewAsksPopularMailboxesMoreOften(t *testing.T) {
	const boxes, arrivals = 20, 20_480
	suite, profile := mixed([]int{1}, []bool{false}, boxes, "{constant: {rate: 1024/s, for: 20s}}")
	suite = replaced(suite, "weight: 1", "weight: 1, skew: 1")
	p := compile(t, suite, profile, plan.Options{})
	counts := make([]int, boxes)
	for n := range uint64(arrivals) {
		a, _ := p.Arrival(0, n)
		counts[a.Mailbox]++
	}
	shuffled := !slices.IsSortedFunc(counts, func(a, b int) int { return b - a })
	slices.Sort(counts)
	slices.Reverse(counts)
	harmonic := 0.0
	for k := range boxes {
		harmonic += 1 / float64(k+1)
	}
	for k, got := range counts {
		want := arrivals / float64(k+1) / harmonic
		if math.Abs(float64(got)-want) > 40 { // two for each stretch of 1,024
			t.Errorf("the mailbox of rank %d was asked %d times, want %.0f", k+1, got, want)
		}
	}
	if !shuffled {
		t.Error("popularity follows the order of the profile")
	}
}

func TestTheCapOfAMailboxHoldsForTheMostPopular(t *testing.T) {
	suite := replaced(reads, "weight: 3", "weight: 3\n    skew: 1")
	s, p := parse(t, suite, pair+"limits: {per_mailbox: {rate: 5/s}}\n")
	_, err := plan.Compile(s, p, plan.Options{})
	const want = `s.yaml:19:5: phase steady asks for more than limits.per_mailbox.rate allows on path far: with its skew, the most popular of the 4 mailboxes of scenario list gets 7.83 requests/s, the limit is 5/s: lower the rate to 6.38/s, lower the skew or add mailboxes`
	if err == nil || err.Error() != want+"\n"+replaced(want, "path far", "path near") {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
