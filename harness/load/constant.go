package load

import (
	"fmt"
	"time"

	"cutover/suites/strictyaml"
)

// Pace is a rate in a suite, said outright or as so many users with a rate each.
type Pace struct {
	Rate  strictyaml.Rate `yaml:"rate" doc:"Iterations per second, minute or hour, on each path."`
	Users int             `yaml:"users" min:"1" doc:"Instead of rate: so many users …"`
	Each  strictyaml.Rate `yaml:"each" doc:"… with so many iterations each, such as 60/h."`
}

// perSecond returns the rate and how to say it.
func (p Pace) perSecond(at strictyaml.Pos, problems *strictyaml.Problems) (rate float64, text string) {
	byUsers := p.Users > 0 || !p.Each.IsZero()
	switch {
	case p.Rate.IsZero() && !byUsers:
		problems.Add(at, "the rate is missing: say rate: 50/s, or users: 500 with each: 60/h")
	case !p.Rate.IsZero() && byUsers:
		problems.Add(at, "say either rate, or users with each, not both")
	case byUsers && (p.Users == 0 || p.Each.IsZero()):
		problems.Add(at, "users and each belong together: say users: 500, each: 60/h")
	case byUsers:
		return float64(p.Users) * p.Each.PerSecond, fmt.Sprintf("%d users, %s each", p.Users, p.Each)
	}
	return p.Rate.PerSecond, p.Rate.String()
}

type constantParams struct {
	Pace
	For time.Duration `yaml:"for,required" doc:"Length of the phase."`
}

func compileConstant(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	var p constantParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	var problems strictyaml.Problems
	rate, text := p.perSecond(b.Pos, &problems)
	if len(problems) > 0 {
		return Compiled{}, problems
	}
	return open(b, newCurve(fmt.Sprintf("constant %s for %v", text, p.For), piece{rate, rate, p.For}))
}
