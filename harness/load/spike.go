package load

import (
	"fmt"
	"time"

	"cutover/suites/strictyaml"
)

type spikeParams struct {
	Base  strictyaml.Rate `yaml:"base" doc:"Rate before and after the burst (default: none)."`
	Peak  strictyaml.Rate `yaml:"peak,required" doc:"Rate during the burst."`
	After time.Duration   `yaml:"after" doc:"When the burst begins (default: at once)."`
	Rise  time.Duration   `yaml:"rise" doc:"How long the rate takes to reach the peak, and to come back (default: no time)."`
	Hold  time.Duration   `yaml:"hold,required" doc:"How long the peak lasts."`
	For   time.Duration   `yaml:"for" doc:"Length of the phase (default: it ends with the burst)."`
}

func compileSpike(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	var p spikeParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	burst := p.After + 2*p.Rise + p.Hold
	if p.For == 0 {
		p.For = burst
	}
	var problems strictyaml.Problems
	if p.For < burst {
		problems.Add(b.Pos, "the burst ends at %v, after the phase (for: %v)", burst, p.For)
		return Compiled{}, problems
	}
	base, peak := p.Base.PerSecond, p.Peak.PerSecond
	text := fmt.Sprintf("spike from %s to %s after %v, held %v, in %v", said(p.Base), p.Peak, p.After, p.Hold, p.For)
	return open(b, newCurve(text,
		piece{base, base, p.After},
		piece{base, peak, p.Rise},
		piece{peak, peak, p.Hold},
		piece{peak, base, p.Rise},
		piece{base, base, p.For - burst}))
}
