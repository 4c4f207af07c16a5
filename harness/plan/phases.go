package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"cutover/harness/gate"
	"cutover/harness/load"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// defaultLength is how long a load lasts that a flag asks for without saying so.
const defaultLength = 30 * time.Second

// phases compiles the load: the suite's, or the one phase that flags ask for.
func (c *compiler) phases() {
	for i := range c.suite.Load {
		ph := &c.suite.Load[i]
		compiled, problems := load.Compile(ph.Model, mixed(c.plan.Seed, uint64(i), saltPayload))
		c.problems = append(c.problems, problems...)
		if len(problems) > 0 {
			continue
		}
		c.plan.Phases = append(c.plan.Phases, Phase{Name: ph.Name, Measured: ph.Measured(), Settle: ph.Settle, Load: compiled})
		c.settling(ph, &c.plan.Phases[len(c.plan.Phases)-1])
	}
	if len(c.plan.Phases) < len(c.suite.Load) {
		return
	}
	o := c.options
	if !o.Rate.IsZero() || o.Users > 0 || o.Duration > 0 {
		c.replaceLoad()
	}
	c.limitLoad(o.Iterations)
	start := time.Duration(0)
	for i := range c.plan.Phases {
		ph := &c.plan.Phases[i]
		ph.Start = start
		start += ph.Length()
	}
	if !slices.ContainsFunc(c.plan.Phases, func(p Phase) bool { return p.Measured }) && len(c.plan.Phases) > 0 {
		c.problems.Add(c.suite.Pos, "no phase of the load is measured: there would be nothing to report")
	}
}

// settling refuses a settling time that leaves nothing to measure.
func (c *compiler) settling(source *suites.Phase, ph *Phase) {
	switch length := ph.Length(); {
	case ph.Settle == 0:
	case ph.Settle < 0:
		c.problems.Add(source.Pos, "settle: %v is before the phase begins", ph.Settle)
	case !ph.Measured:
		c.problems.Add(source.Pos, "settle: the phase is not measured anyhow (measure: false)")
	case ph.Load.Search != nil:
		c.problems.Add(source.Pos, "settle: a search drains before each trial and needs none")
	case length > 0 && ph.Settle >= length:
		c.problems.Add(source.Pos, "settle: %v leaves nothing to measure of %v", ph.Settle, length)
	}
}

// replaceLoad makes the one phase that --rate, --users and --duration describe.
func (c *compiler) replaceLoad() {
	o := c.options
	if !o.Rate.IsZero() && o.Users > 0 {
		c.problems.Add(flag("--users"), "--rate is an open load and --users a closed one: give one of them")
		return
	}
	rate, users, length := o.Rate.PerSecond, o.Users, o.Duration
	if rate == 0 && users == 0 {
		rate, users = c.highest()
	}
	if length == 0 {
		length = defaultLength
		if o.Iterations > 0 && rate > 0 {
			length = time.Duration(math.Ceil(float64(o.Iterations)/rate)) * time.Second
		}
	}
	ph := Phase{Name: "load", Measured: true}
	if users > 0 {
		ph.Load.Closed = &load.Closed{Users: users, For: length}
		if o.Duration == 0 && o.Iterations > 0 {
			ph.Load.Closed.For = 0
		}
	} else {
		ph.Load.Open = load.Constant(rate, length)
		if ph.Load.Open.Count() == 0 {
			c.problems.Add(flag("--duration"), "%s for %v has no arrival: make it longer", o.Rate, length)
		}
	}
	c.plan.Phases = []Phase{ph}
}

// highest is the load that --duration alone stretches or cuts: the suite's
// highest measured rate, else its largest number of users.
func (c *compiler) highest() (rate float64, users int) {
	for i := range c.plan.Phases {
		ph := &c.plan.Phases[i]
		if !ph.Measured {
			continue
		}
		rate = max(rate, ph.PeakRate())
		if ph.Load.Closed != nil {
			users = max(users, ph.Load.Closed.Users)
		}
	}
	if rate > 0 {
		return rate, 0
	}
	return 0, users
}

// limitLoad ends the load after n arrivals, counted over its phases.
func (c *compiler) limitLoad(n uint64) {
	if n == 0 {
		return
	}
	var kept []Phase
	for _, ph := range c.plan.Phases {
		if n == 0 {
			break
		}
		count := ph.Count()
		switch {
		case ph.Load.Open != nil && count > n:
			ph.Load.Open = load.First(ph.Load.Open, n)
			count = n
		case ph.Load.Closed != nil && (count == 0 || count > n):
			closed := *ph.Load.Closed
			closed.Iterations, count = n, n
			ph.Load.Closed = &closed
		}
		n -= count
		kept = append(kept, ph)
	}
	c.plan.Phases = kept
}

// gates parses the suite's and the flags' conditions and checks what they name.
func (c *compiler) gates() {
	add := func(at strictyaml.Pos, text string) {
		g, err := gate.Parse(text)
		if err != nil {
			c.problems.Add(at, "gate %q: %v", text, err)
			return
		}
		refersTo, steps := g.Refers()
		c.gatePaths(at, text, refersTo)
		c.gateSteps(at, text, steps)
		if missing := c.missing(g, refersTo); missing != "" {
			c.plan.NotTested = append(c.plan.NotTested, fmt.Sprintf("gate %q: %s", text, missing))
			return
		}
		c.plan.Gates = append(c.plan.Gates, g)
		c.plan.Lines = append(c.plan.Lines, at.Line)
	}
	for _, g := range c.suite.Gates {
		add(g.Pos, g.Text)
	}
	for _, text := range c.options.Gates {
		add(flag("--gate"), text)
	}
}

// missing says why a gate has nothing to judge in a plan that asks one side only, ""
// when it has.
func (c *compiler) missing(g gate.Gate, names []string) string {
	if len(c.plan.Sides) == 2 {
		return ""
	}
	if g.Compares() && !c.options.Against {
		return "nothing is compared"
	}
	for _, name := range names {
		if !slices.ContainsFunc(c.plan.Sides, func(s Side) bool { return s.Side == name || s.Path == name }) {
			return name + " is not asked"
		}
	}
	return ""
}

func (c *compiler) gatePaths(at strictyaml.Pos, text string, names []string) {
	known := c.profile.Paths.Keys()
	for _, name := range names {
		if slices.Contains([]string{Left, Right, "each", "any"}, name) {
			continue
		}
		if !slices.Contains(known, name) {
			c.problems.Add(at, "gate %q: profile %s has no path %q%s (it has %s; left, right, each and any work everywhere)", text,
				c.profile.Name, name, strictyaml.Suggest(name, append(known, Left, Right, "each", "any")), strings.Join(known, ", "))
		}
		if len(c.plan.Sides) == 2 && !slices.ContainsFunc(c.plan.Sides, func(s Side) bool { return s.Path == name }) && slices.Contains(known, name) {
			c.problems.Add(at, "gate %q: path %q is on neither side of this plan (%s and %s are)", text, name, c.plan.Sides[0].Path, c.plan.Sides[1].Path)
		}
	}
}

func (c *compiler) gateSteps(at strictyaml.Pos, text string, names []string) {
	var known []string
	for _, sc := range c.suite.Scenarios {
		known = append(append(known, sc.Name), sc.Tags...)
		for _, st := range sc.Steps {
			known = append(known, st.Name, sc.Name+"/"+st.Name, sc.Name+"/*")
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) && name != "*" {
			c.problems.Add(at, "gate %q: suite %s has no step %q%s", text, c.suite.Name, name, strictyaml.Suggest(name, known))
		}
	}
}

// compare notes what this plan leaves out.
func (c *compiler) compare() {
	if len(c.plan.Sides) < 2 {
		why := "the profile has one path"
		if c.options.Only != "" {
			why = "--only " + c.options.Only
		}
		switch {
		case c.options.Against:
			return
		case c.options.Record:
			c.plan.NotTested = append(c.plan.NotTested, "comparison of the two paths: the answers are recorded for later")
			return
		}
		c.plan.NotTested = append(c.plan.NotTested, "comparison of the two paths: "+why)
		c.plan.Sample = 0
		return
	}
	if c.plan.Sample < 1 {
		c.plan.NotTested = append(c.plan.NotTested, fmt.Sprintf("comparison of %.4g%% of the iterations (compare.sample)", 100*(1-c.plan.Sample)))
	}
}
