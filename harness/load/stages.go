package load

import (
	"fmt"
	"strings"
	"time"

	"cutover/suites/strictyaml"
)

// stage is a ramp from the last rate (to, over), a rate held (rate, for) or a
// pause (for alone).
type stage struct {
	Pos  strictyaml.Pos  `yaml:"-"`
	To   strictyaml.Rate `yaml:"to" doc:"Rate that a ramp from the rate before reaches."`
	Over time.Duration   `yaml:"over" doc:"Length of the ramp."`
	Rate strictyaml.Rate `yaml:"rate" doc:"Rate that is held; without it, the stage is a pause."`
	For  time.Duration   `yaml:"for" doc:"How long the rate is held."`
}

type stagesParams []stage

func compileStages(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	var list stagesParams
	if problems := b.Decode(&list); len(problems) > 0 {
		return Compiled{}, problems
	}
	c, problems := list.curve(b.Pos)
	if len(problems) > 0 {
		return Compiled{}, problems
	}
	return open(b, c)
}

// curve joins the stages, each ramp starting where the rate was left.
func (list stagesParams) curve(at strictyaml.Pos) (*curve, strictyaml.Problems) {
	var problems strictyaml.Problems
	var pieces []piece
	var texts []string
	if len(list) == 0 {
		problems.Add(at, "stages is empty: say {to: 50/s, over: 10s} or {rate: 50/s, for: 1m}")
	}
	rate := 0.0
	for _, s := range list {
		ramp, hold := !s.To.IsZero() || s.Over > 0, !s.Rate.IsZero() || s.For > 0
		switch {
		case ramp && hold:
			problems.Add(s.Pos, "a stage is either a ramp (to, over) or a rate held (rate, for), not both")
		case ramp && s.Over == 0:
			problems.Add(s.Pos, "the ramp to %s needs its length: say over: 10s", s.To)
		case ramp:
			pieces = append(pieces, piece{rate, s.To.PerSecond, s.Over})
			texts = append(texts, fmt.Sprintf("to %s over %v", said(s.To), s.Over))
			rate = s.To.PerSecond
		case s.For == 0:
			problems.Add(s.Pos, "the stage needs its length: say for: 1m, or over: 10s with to")
		default:
			pieces = append(pieces, piece{s.Rate.PerSecond, s.Rate.PerSecond, s.For})
			texts = append(texts, fmt.Sprintf("%s for %v", said(s.Rate), s.For))
			rate = s.Rate.PerSecond
		}
	}
	return newCurve("stages "+strings.Join(texts, ", "), pieces...), problems
}
