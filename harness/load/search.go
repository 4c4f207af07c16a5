package load

import (
	"fmt"
	"math"
	"time"

	"cutover/suites/strictyaml"
)

// Search looks for the highest rate at which the gates still hold: it doubles
// from Start until a probe fails or Max is reached, halves the bracket until
// it is as narrow as Precision, and then confirms the lower end.
type Search struct {
	// Start and Max bound the rates tried, in iterations per second.
	Start, Max float64
	// Each is how long a probe lasts, and Drain the pause after it.
	Each, Drain time.Duration
	// Precision is the width of the final bracket relative to its lower end.
	Precision float64
	// Confirm is how many further probes at the answer must hold.
	Confirm int
}

type searchParams struct {
	Start     strictyaml.Rate     `yaml:"start,required" doc:"First rate tried."`
	Max       strictyaml.Rate     `yaml:"max,required" doc:"Highest rate tried."`
	Each      time.Duration       `yaml:"each" doc:"Length of a probe (default 20s)."`
	Drain     time.Duration       `yaml:"drain" doc:"Pause after a probe (default 5s)."`
	Precision *strictyaml.Percent `yaml:"precision" doc:"Width of the final bracket (default 5%)."`
	Confirm   *int                `yaml:"confirm" min:"0" max:"20" doc:"Further probes at the answer that must hold (default 3)."`
}

func compileSearch(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	p := searchParams{Each: 20 * time.Second, Drain: 5 * time.Second}
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	s := &Search{Start: p.Start.PerSecond, Max: p.Max.PerSecond, Each: p.Each, Drain: p.Drain, Precision: 0.05, Confirm: 3}
	if p.Confirm != nil {
		s.Confirm = *p.Confirm
	}
	var problems strictyaml.Problems
	if p.Precision != nil {
		s.Precision = float64(*p.Precision)
	}
	if s.Precision < 0.001 {
		problems.Add(b.Pos, "precision %v cannot be reached: say 1%% or more", p.Precision)
	}
	if s.Start > s.Max {
		problems.Add(b.Pos, "start %s is above max %s", p.Start, p.Max)
	}
	if Constant(s.Start, s.Each).Count() < 1 {
		problems.Add(b.Pos, "a probe at %s for %v has no arrival", p.Start, p.Each)
	}
	return Compiled{Search: s}, problems
}

// Trials is about how many probes the search takes: doubling up to Max, halving
// the bracket down to Precision, confirming.
func (s Search) Trials() int {
	up := 1 + math.Ceil(math.Log2(max(s.Max/s.Start, 1)))
	down := math.Ceil(math.Log2(1 / max(s.Precision, 0.001)))
	return int(up+down) + s.Confirm
}

// Describe says the load in one line.
func (s Search) Describe() string {
	times := "times"
	if s.Confirm == 1 {
		times = "time"
	}
	return fmt.Sprintf("search from %s to %s, %v a trial, within %.3g%%, confirmed %d %s",
		perSecond(s.Start), perSecond(s.Max), s.Each, 100*s.Precision, s.Confirm, times)
}
