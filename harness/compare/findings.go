package compare

import (
	"cmp"
	"math"
	"slices"

	"cutover/harness/result"
)

// The ways in which a finding changes.
const (
	New   = "new"   // in no base run
	Gone  = "gone"  // in every base run and in none of the others
	Grown = "grown" // in both, in a larger share of the pairs
)

// A finding has grown when its share is half as large again, by at least a hundredth of
// the pairs, and chance does that less than once in a hundred comparisons.
const (
	grownRatio  = 1.5
	grownPoints = 0.01
	grownChance = 0.01
)

// Change is a finding that is not what it was.
type Change struct {
	What        string          `json:"what"` // New, Gone or Grown
	ID          string          `json:"id"`
	Fingerprint string          `json:"fingerprint"`
	Title       string          `json:"title,omitempty"`
	Severity    result.Severity `json:"severity"`
	Class       result.Class    `json:"class"`
	Scenario    string          `json:"scenario"`
	Step        string          `json:"step"`
	Pointer     string          `json:"pointer"`
	BaseRuns    int             `json:"base_runs"` // runs that show it
	RunRuns     int             `json:"run_runs"`
	BaseShare   float64         `json:"base_share"` // of the compared pairs, all runs together
	RunShare    float64         `json:"run_share"`
	Blocks      bool            `json:"blocks"` // fails the comparison: new or grown, breaking, major or worse, not waived
}

// seen is one finding over the runs of a side.
type seen struct {
	last         result.Finding
	runs         int
	blocks       bool
	count, pairs uint64
}

// changes lists what is new, grown or gone: new first, the worst first.
func changes(base, run []*result.Result) []Change {
	b, n := collect(base), collect(run)
	out := []Change{}
	for print, s := range n {
		was, known := b[print]
		c := change(s.last)
		c.RunRuns, c.RunShare = s.runs, ratio(s.count, s.pairs)
		switch {
		case !known:
			c.What, c.Blocks = New, s.blocks
		case grown(*was, *s, len(base), len(run)):
			c.What, c.BaseRuns, c.BaseShare, c.Blocks = Grown, was.runs, ratio(was.count, was.pairs), s.blocks
		default:
			continue
		}
		out = append(out, c)
	}
	for print, s := range b {
		if _, still := n[print]; still || s.runs < len(base) {
			continue
		}
		c := change(s.last)
		c.What, c.BaseRuns, c.BaseShare = Gone, s.runs, ratio(s.count, s.pairs)
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Change) int {
		order := []string{New, Grown, Gone}
		return cmp.Or(cmp.Compare(slices.Index(order, x.What), slices.Index(order, y.What)),
			cmp.Compare(y.Severity.Rank(), x.Severity.Rank()), cmp.Compare(x.ID, y.ID),
			cmp.Compare(x.Scenario, y.Scenario), cmp.Compare(x.Step, y.Step), cmp.Compare(x.Pointer, y.Pointer),
			cmp.Compare(x.Fingerprint, y.Fingerprint))
	})
	return out
}

func change(f result.Finding) Change {
	return Change{ID: f.ID, Fingerprint: f.Fingerprint, Title: f.Title, Severity: f.Severity, Class: f.Class,
		Scenario: f.Scenario, Step: f.Step, Pointer: f.Pointer}
}

func collect(runs []*result.Result) map[string]*seen {
	out := map[string]*seen{}
	for _, r := range runs {
		for _, f := range r.Findings {
			s := out[f.Fingerprint]
			if s == nil {
				s = &seen{}
				out[f.Fingerprint] = s
			}
			s.last = f
			s.runs++
			s.blocks = s.blocks || f.Blocks()
			s.count += f.Count
			if f.Share > 0 {
				s.pairs += uint64(math.Round(float64(f.Count) / f.Share))
			} else {
				s.pairs += f.Count
			}
		}
	}
	return out
}

// grown compares shares. Runs that do not show the finding at all are counted with as many
// pairs as those that do, on average.
func grown(was, is seen, baseRuns, runRuns int) bool {
	was.pairs = was.pairs * uint64(baseRuns) / uint64(was.runs)
	is.pairs = is.pairs * uint64(runRuns) / uint64(is.runs)
	before, after := ratio(was.count, was.pairs), ratio(is.count, is.pairs)
	return after >= before*grownRatio && after-before >= grownPoints && fisher(was.count, was.pairs, is.count, is.pairs) < grownChance
}

func ratio(count, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(count) / float64(of)
}

// Failures compares the share of requests of one row that failed.
type Failures struct {
	Scenario string  `json:"scenario"`
	Step     string  `json:"step"`
	Path     string  `json:"path"`
	Base     float64 `json:"base"` // share
	Run      float64 `json:"run"`
	More     bool    `json:"more"` // by a hundredth at least, and hardly by chance
}

// failures returns the rows whose share of failed requests differs.
func failures(base, run []*result.Result) []Failures {
	count := func(runs []*result.Result) (map[key][2]uint64, []key) {
		rows, order := map[key][2]uint64{}, []key(nil)
		for _, r := range runs {
			for _, s := range r.Steps {
				if s.Step == result.WholeLeg {
					continue
				}
				k := key{s.Scenario, s.Step, s.Path}
				at, known := rows[k]
				if !known {
					order = append(order, k)
				}
				rows[k] = [2]uint64{at[0] + s.Failed(), at[1] + s.Count}
			}
		}
		return rows, order
	}
	b, order := count(base)
	n, _ := count(run)
	out := []Failures{}
	for _, k := range order {
		x, y := b[k], n[k]
		f := Failures{Scenario: k.scenario, Step: k.step, Path: k.path, Base: ratio(x[0], x[1]), Run: ratio(y[0], y[1])}
		if f.Base == f.Run || y[1] == 0 {
			continue
		}
		f.More = f.Run-f.Base >= grownPoints && fisher(x[0], x[1], y[0], y[1]) < grownChance/MaxTests
		out = append(out, f)
	}
	return out
}
