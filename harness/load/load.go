// Package load says when iterations are due. An open model is a value: arrival
// n is due at a time that depends on n and the seed alone, never on how the
// target answers, so that the whole schedule can be printed, tested and split
// over several owners without running it. The closed model has users who wait
// for their answers. Adding a model is a file with its parameters and a line
// in the table.
package load

import (
	"fmt"
	"strings"
	"time"

	"cutover/suites/strictyaml"
)

// Model is an open model: arrivals at a rate.
type Model interface {
	// Due returns when arrival n, counted from 0, should start, as an offset
	// from the start of the phase. It never decreases with n, and a slow
	// target makes iterations late, not fewer. ok is false past the last.
	Due(n uint64) (at time.Duration, ok bool)
	// Count returns the number of arrivals: the integral of the rate, rounded
	// up.
	Count() uint64
	// Length returns how long the phase lasts; every arrival is due before it.
	Length() time.Duration
	// RateAt returns the intended rate in iterations per second.
	RateAt(t time.Duration) float64
	// Describe says the model in one line, such as "constant 50/s for 30s".
	Describe() string
}

// Compiled is one phase's load. Exactly one field is set.
type Compiled struct {
	Open   Model
	Closed *Closed
	Search *Search
}

// Describe says the load in one line.
func (c Compiled) Describe() string {
	switch {
	case c.Closed != nil:
		return c.Closed.Describe()
	case c.Search != nil:
		return c.Search.Describe()
	case c.Open != nil:
		return c.Open.Describe()
	}
	return "nothing"
}

// Info describes a model for lists and the schema.
type Info struct {
	Name, About, Example string
	// Params is a pointer to a zero value of the parameters' type, whose tags
	// describe the keys.
	Params any
}

// kind is one line of the table.
type kind struct {
	Info
	compile func(b strictyaml.Block, seed uint64) (Compiled, strictyaml.Problems)
}

func kinds() []kind {
	return []kind{
		{Info{"constant", "the same rate all the time", "constant: {rate: 50/s, for: 30s}", new(constantParams)}, compileConstant},
		{Info{"ramp", "a rate that changes steadily", "ramp: {from: 5/s, to: 50/s, over: 10s}", new(rampParams)}, compileRamp},
		{Info{"stages", "rates and ramps one after the other", "stages: [{to: 50/s, over: 10s}, {rate: 50/s, for: 1m}]", new(stagesParams)}, compileStages},
		{Info{"poisson", "arrivals at random moments, as of independent people", "poisson: {rate: 50/s, for: 30s}", new(poissonParams)}, compilePoisson},
		{Info{"spike", "a base rate with a burst in it", "spike: {base: 10/s, peak: 200/s, after: 10s, hold: 5s, for: 30s}", new(spikeParams)}, compileSpike},
		{Info{"day", "a stretch of an office day, with its peaks", "day: {from: \"09:00\", for: 10m, rate: 10/s}", new(dayParams)}, compileDay},
		{Info{"closed", "so many users, each of whom waits for the answer", "closed: {users: 50, think: 1s, for: 30s}", new(closedParams)}, compileClosed},
		{Info{"search", "looks for the highest rate that still meets the gates", "search: {start: 10/s, max: 500/s, each: 20s, confirm: 3}", new(searchParams)}, compileSearch},
	}
}

// Kinds lists the models.
func Kinds() []Info {
	var infos []Info
	for _, k := range kinds() {
		infos = append(infos, k.Info)
	}
	return infos
}

// Compile turns a suite's block into its model. seed matters to the random
// ones alone. The problems name places in the suite.
func Compile(b strictyaml.Block, seed uint64) (Compiled, strictyaml.Problems) {
	var names []string
	for _, k := range kinds() {
		if k.Name == b.Kind {
			c, problems := k.compile(b, seed)
			if len(problems) > 0 {
				return Compiled{}, problems
			}
			return c, nil
		}
		names = append(names, k.Name)
	}
	var problems strictyaml.Problems
	problems.Add(b.Pos, "unknown load model %q%s: there are %s",
		b.Kind, strictyaml.Suggest(b.Kind, names), strings.Join(names, ", "))
	return Compiled{}, problems
}

// maxArrivals bounds one phase: a thousand hours at 1,000/s stay below it.
const maxArrivals = 1 << 32

// open checks a model's size.
func open(b strictyaml.Block, m Model) (Compiled, strictyaml.Problems) {
	var problems strictyaml.Problems
	switch n := m.Count(); {
	case n == 0:
		problems.Add(b.Pos, "%s has no arrival: make it longer or raise the rate", b.Kind)
	case n > maxArrivals:
		problems.Add(b.Pos, "%s has %d arrivals, more than %d: make it shorter or lower the rate", b.Kind, n, uint64(maxArrivals))
	}
	return Compiled{Open: m}, problems
}

// First returns the model that ends after the first n arrivals of m: at the
// moment at which the next one would be due.
func First(m Model, n uint64) Model { return first{m, min(n, m.Count())} }

type first struct {
	Model
	n uint64
}

func (f first) Count() uint64 { return f.n }

func (f first) Length() time.Duration {
	if next, more := f.Model.Due(f.n); more {
		return next
	}
	return f.Model.Length()
}

func (f first) Due(n uint64) (time.Duration, bool) {
	if n >= f.n {
		return 0, false
	}
	return f.Model.Due(n)
}

func (f first) Describe() string {
	return fmt.Sprintf("%s, the first %d", f.Model.Describe(), f.n)
}
