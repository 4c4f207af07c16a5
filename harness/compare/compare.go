// Package compare says whether runs got slower, or answer differently, than other runs
// of the same plan did.
//
// The run is the unit. Requests of one run share its minute, its server and its caches;
// tests on raw samples call two thirds of identical pairs of runs a regression. Hence:
//   - Several runs a side are compared by the quantiles of each run: Mann–Whitney, a
//     minimum effect, and Holm's correction over a bounded number of named tests.
//   - Two single runs are compared second by second (a block bootstrap). That tells what
//     happened within these runs; the band by which runs differ anyway is added to it,
//     as history knows it or as is assumed.
//   - What the data cannot tell is inconclusive, and says why.
package compare

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cutover/harness/result"
)

// Schema names the version of the report's JSON form.
const Schema = "cutover.compare/v1"

// The defaults of Options.
const (
	DefaultMinEffect = 0.05 // a smaller shift is not worth a word
	DefaultMargin    = 0.10 // a pass promises not to be slower by more
	DefaultBand      = 0.10 // run to run, where history knows nothing: 3 × a 3 % effect, rounded up
	Level            = 0.05 // of all tests together
)

// MinShift is the shift below which nothing is told, whatever its share: nobody feels
// half a millisecond, and no scheduler promises it.
const MinShift = 500 * time.Microsecond

// MaxTests bounds the named tests. The steps that were asked most are taken first.
const MaxTests = 100

// Options are what a comparison may be told. The zero value means the defaults.
type Options struct {
	Force     bool    // compare although suite, profile or plan differ
	MinEffect float64 // share; a shift is a regression from here on
	Margin    float64 // share; non-inferiority: the shift's upper bound must stay below
	Seed      uint64  // of the bootstrap

	// Band returns by how much a quantile differs from run to run anyway, as a share; ok is
	// false where that is not known. Nil knows nothing.
	Band func(scenario, step, path string, q float64) (share float64, ok bool)

	Steps     []string  // "scenario/step"; only these are tested, empty for all
	Paths     []string  // only these, empty for all
	Quantiles []float64 // empty: the median and p95
}

func (o Options) filled() Options {
	if o.MinEffect <= 0 {
		o.MinEffect = DefaultMinEffect
	}
	if o.Margin <= 0 {
		o.Margin = max(DefaultMargin, o.MinEffect)
	}
	if len(o.Quantiles) == 0 {
		o.Quantiles = []float64{0.5, 0.95}
	}
	return o
}

// Mode says what stands behind the numbers.
type Mode string

// The modes.
const (
	WithinRuns  Mode = "within these runs" // one run a side
	BetweenRuns Mode = "between runs"      // several runs on a side
)

// Says is the answer of one test.
type Says string

// The answers.
const (
	Slower   Says = "slower"
	Faster   Says = "faster"
	Same     Says = "same" // not slower by more than the margin
	CantTell Says = "cannot tell"
)

// Report is a comparison, complete. Shares are 0.1 for 10 %.
type Report struct {
	Schema    string         `json:"schema"`
	Mode      Mode           `json:"mode"`
	Target    string         `json:"target"`
	Base      Side           `json:"base"`
	Run       Side           `json:"run"`
	Verdict   result.Verdict `json:"verdict"`
	Reasons   []string       `json:"reasons"`
	ExitCode  int            `json:"exit_code"`
	Level     float64        `json:"level"`
	MinEffect float64        `json:"min_effect"`
	Margin    float64        `json:"margin"`
	Tests     []Test         `json:"tests"`
	Shapes    []Shape        `json:"shapes"`
	Failures  []Failures     `json:"failures"`
	Findings  []Change       `json:"findings"`
	Differ    []Difference   `json:"differ"` // what else is not the same on the two sides
	Notes     []string       `json:"notes"`  // runs left out, tests left out
}

// Side names the runs of one side.
type Side struct {
	Runs        []string `json:"runs"` // run ids
	Suite       string   `json:"suite"`
	SuiteHash   string   `json:"suite_hash"`
	Profile     string   `json:"profile"`
	ProfileHash string   `json:"profile_hash"`
	PlanHash    string   `json:"plan_hash"`
}

// Difference is something that two runs do not share, and that may explain more.
type Difference struct {
	What string `json:"what"` // "server of cloud"
	Base string `json:"base"`
	Run  string `json:"run"`
}

// ErrDifferent says that the sides did not ask the same.
var ErrDifferent = errors.New("the runs did not ask the same")

// ErrNoRuns says that a side has no run at all.
var ErrNoRuns = errors.New("no run to compare")

// Runs compares the runs of one side with those of the other. The same runs and options
// give the same report. The error is ErrDifferent, unless Force is set, or ErrNoRuns.
func Runs(base, run []*result.Result, o Options) (*Report, error) {
	if len(base) == 0 || len(run) == 0 {
		return nil, ErrNoRuns
	}
	o = o.filled()
	if err := askTheSame(base, run); err != nil && !o.Force {
		return nil, err
	}
	r := &Report{
		Schema: Schema, Mode: BetweenRuns, Target: target(base, run), Base: side(base), Run: side(run),
		Level: Level, MinEffect: o.MinEffect, Margin: o.Margin,
		Tests: []Test{}, Shapes: []Shape{}, Failures: []Failures{}, Findings: []Change{}, Notes: []string{},
	}
	if len(base) == 1 && len(run) == 1 {
		r.Mode = WithinRuns
	}
	r.Differ = Differences(base[len(base)-1], run[0])
	r.Findings = changes(base, run)
	goodBase, goodRun := r.usable("base", base), r.usable("run", run)
	if len(goodBase) > 0 && len(goodRun) > 0 {
		r.test(goodBase, goodRun, o)
		r.Shapes = shapes(goodBase, goodRun)
		r.Failures = failures(goodBase, goodRun)
	}
	r.decide(len(goodBase), len(goodRun))
	return r, nil
}

// usable leaves out runs whose numbers say nothing: the ruler bent, or they were stopped.
func (r *Report) usable(name string, runs []*result.Result) []*result.Result {
	var kept []*result.Result
	for _, one := range runs {
		switch {
		case len(one.Generator.Bent) > 0:
			r.Notes = append(r.Notes, fmt.Sprintf("%s %s is left out of the times: the ruler bent: %s", name, one.RunID, one.Generator.Bent[0]))
		case one.Stop != nil:
			r.Notes = append(r.Notes, fmt.Sprintf("%s %s is left out of the times: it was stopped: %s", name, one.RunID, one.Stop.Why))
		default:
			kept = append(kept, one)
		}
	}
	return kept
}

// askTheSame holds every run against the first of base.
func askTheSame(base, run []*result.Result) error {
	first := base[0]
	for _, side := range [][]*result.Result{base, run} {
		for _, other := range side {
			var what []string
			if other.SuiteHash != first.SuiteHash {
				what = append(what, fmt.Sprintf("suite (%s, %s)", named(first.Suite, first.SuiteHash), named(other.Suite, other.SuiteHash)))
			}
			if other.ProfileHash != first.ProfileHash {
				what = append(what, fmt.Sprintf("profile (%s, %s)", named(first.Profile, first.ProfileHash), named(other.Profile, other.ProfileHash)))
			}
			if other.PlanHash != first.PlanHash {
				what = append(what, fmt.Sprintf("plan (%s, %s)", short(first.PlanHash), short(other.PlanHash)))
			}
			if len(what) > 0 {
				return fmt.Errorf("%w: %s and %s differ in %s", ErrDifferent, first.RunID, other.RunID, strings.Join(what, ", "))
			}
		}
	}
	return nil
}

func named(name, hash string) string { return name + " " + short(hash) }

// short is as much of a hash as a person compares.
func short(hash string) string { return hash[:min(8, len(hash))] }

func side(runs []*result.Result) Side {
	first := runs[0]
	s := Side{Suite: first.Suite, SuiteHash: first.SuiteHash, Profile: first.Profile, ProfileHash: first.ProfileHash, PlanHash: first.PlanHash}
	for _, r := range runs {
		s.Runs = append(s.Runs, r.RunID)
	}
	return s
}

// target is simulated as soon as one run is.
func target(sides ...[]*result.Result) string {
	for _, side := range sides {
		for _, r := range side {
			if r.Target == result.Simulated {
				return result.Simulated
			}
		}
	}
	return result.Real
}

// Differences lists what is not the same about two runs besides their numbers: what they
// asked, who measured, and which servers answered.
func Differences(base, run *result.Result) []Difference {
	out := []Difference{}
	add := func(what, a, b string) {
		if a != b {
			out = append(out, Difference{what, a, b})
		}
	}
	for _, p := range base.Paths {
		for _, q := range run.Paths {
			if p.Name == q.Name {
				add("server of "+p.Name, p.Server, q.Server)
				add("protocol of "+p.Name, p.Protocol, q.Protocol)
			}
		}
	}
	add("suite", short(base.SuiteHash), short(run.SuiteHash))
	add("profile", short(base.ProfileHash), short(run.ProfileHash))
	add("plan", short(base.PlanHash), short(run.PlanHash))
	add("seed", fmt.Sprint(base.Seed), fmt.Sprint(run.Seed))
	add("mailboxes", fmt.Sprint(base.Mailboxes), fmt.Sprint(run.Mailboxes))
	add("cutover", base.Versions.Cutover, run.Versions.Cutover)
	add("go", base.Versions.Go, run.Versions.Go)
	add("measuring host", base.Versions.Host, run.Versions.Host)
	add("system", base.Versions.OS+"/"+base.Versions.Arch, run.Versions.OS+"/"+run.Versions.Arch)
	add("target", base.Target, run.Target)
	return out
}

// decide turns tests, failures and findings into one verdict. A regression that was found
// counts before what could not be told.
func (r *Report) decide(goodBase, goodRun int) {
	var worse, unsure []string
	for _, c := range r.Findings {
		if c.Blocks {
			worse = append(worse, fmt.Sprintf("%s finding: %s in %s/%s %s", c.What, c.ID, c.Scenario, c.Step, c.Pointer))
		}
	}
	for _, f := range r.Failures {
		if f.More {
			worse = append(worse, fmt.Sprintf("more failures: %s/%s on %s, %s for %s", f.Scenario, f.Step, f.Path, percent(f.Run), percent(f.Base)))
		}
	}
	cannot := 0
	for _, t := range r.Tests {
		switch t.Says {
		case Slower:
			worse = append(worse, fmt.Sprintf("slower: %s, %s", t.Name(), signed(*t.Shift.Value)))
		case CantTell:
			if cannot++; cannot <= 5 {
				unsure = append(unsure, fmt.Sprintf("cannot tell: %s: %s", t.Name(), t.Why))
			}
		}
	}
	if cannot > 5 {
		unsure = append(unsure, fmt.Sprintf("cannot tell: %d more tests", cannot-5))
	}
	switch {
	case goodBase == 0 || goodRun == 0:
		unsure = append(unsure, "no run with times that count on "+oneOf(goodBase == 0, "the base side", "the run side"))
	case len(r.Tests) == 0:
		unsure = append(unsure, "nothing was tested: no step was asked often enough")
	}
	r.Verdict, r.ExitCode, r.Reasons = result.Pass, result.ExitPass, append(worse, unsure...)
	if r.Reasons == nil {
		r.Reasons = []string{}
	}
	switch {
	case len(worse) > 0:
		r.Verdict, r.ExitCode = result.Fail, result.ExitFailed
	case len(unsure) > 0:
		r.Verdict, r.ExitCode = result.Inconclusive, result.ExitInconclusive
	}
}

func oneOf(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
