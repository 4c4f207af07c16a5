package load

import (
	"fmt"
	"time"

	"cutover/suites/strictyaml"
)

type rampParams struct {
	From strictyaml.Rate `yaml:"from" doc:"Rate at the start (default: none)."`
	To   strictyaml.Rate `yaml:"to" doc:"Rate at the end (default: none)."`
	Over time.Duration   `yaml:"over,required" doc:"Length of the phase."`
}

func compileRamp(b strictyaml.Block, _ uint64) (Compiled, strictyaml.Problems) {
	var p rampParams
	if problems := b.Decode(&p); len(problems) > 0 {
		return Compiled{}, problems
	}
	text := fmt.Sprintf("ramp from %s to %s over %v", said(p.From), said(p.To), p.Over)
	return open(b, newCurve(text, piece{p.From.PerSecond, p.To.PerSecond, p.Over}))
}

// said spells a rate that may be absent.
func said(r strictyaml.Rate) string {
	if r.IsZero() {
		return "0/s"
	}
	return r.String()
}
