package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cutover/harness/paths"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// AnchorDay is the Monday that dates are counted from when nobody names another
// one: the lab's mailboxes are filled around it.
var AnchorDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// compiler gathers a plan and everything that is wrong with it.
type compiler struct {
	suite    *suites.Suite
	profile  *profiles.Profile
	options  Options
	plan     *Plan
	index    []int // of Plan.Scenarios in Suite.Scenarios
	problems strictyaml.Problems
	refused  strictyaml.Problems
	fits     float64 // the highest rate within the ceilings, as far as one is exceeded
}

// Compile makes the plan of a suite asked of a profile. The error is
// strictyaml.Problems with everything that is wrong, all at once, or *Refused when
// nothing is wrong but a safety rule forbids the plan. Nothing is sent.
func Compile(s *suites.Suite, p *profiles.Profile, o Options) (*Plan, error) {
	c := &compiler{suite: s, profile: p, options: o, plan: &Plan{Suite: s, Profile: p, Options: o, Anchor: o.Anchor}}
	if err := c.bind(); err != nil {
		return nil, err
	}
	c.seed()
	c.vars()
	before := len(c.problems)
	c.sides()
	if len(c.problems) > before {
		return nil, c.problems.Err() // without sides nothing else can be judged
	}
	c.scenarios()
	c.mailboxes()
	c.phases()
	c.feeds()
	c.fixtures()
	c.gates()
	c.searches()
	c.compare()
	if len(c.problems) > 0 {
		return nil, c.problems.Err()
	}
	c.caps()
	c.safety()
	if len(c.problems) > 0 {
		return nil, c.tooFast()
	}
	if len(c.refused) > 0 {
		return nil, &Refused{Problems: c.refused.Sorted()}
	}
	c.plan.hash = c.plan.digest()
	return c.plan, nil
}

func (c *compiler) seed() {
	switch {
	case c.options.Seed != nil:
		c.plan.Seed = *c.options.Seed
	case c.suite.Seed != 0:
		c.plan.Seed = c.suite.Seed
	default:
		c.plan.Seed = DefaultSeed
	}
	if c.plan.Anchor.IsZero() {
		c.plan.Anchor = AnchorDay
	}
	c.plan.Apart = c.suite.Pair == "apart"
	c.plan.Sample = c.suite.Compare.Share()
	c.plan.Drain = c.suite.Compare.Pages == "drain"
	if c.options.Noise {
		c.plan.Noise = 1
	}
	if n := c.suite.Compare.Noise; n != nil {
		c.plan.Noise = float64(*n)
	}
}

// vars overlays the suite's variables with the options'.
func (c *compiler) vars() {
	c.plan.Vars = make(map[string]string)
	for _, v := range c.suite.Vars {
		c.plan.Vars[v.Key] = v.Value.Text
	}
	for _, name := range sortedKeys(c.options.Vars) {
		if _, known := c.plan.Vars[name]; !known {
			c.problems.Add(flag("--set"), "var.%s: suite %s has no variable %q%s", name, c.suite.Name, name, strictyaml.Suggest(name, c.suite.Vars.Keys()))
			continue
		}
		c.plan.Vars[name] = c.options.Vars[name]
	}
}

// flag is the place of a mistake that no file holds.
func flag(name string) strictyaml.Pos { return strictyaml.Pos{File: name} }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// sides decides which paths are asked, and opens their adapters.
func (c *compiler) sides() {
	left := c.pathFor("--left", c.options.Left, c.suite.Paths.Left, c.profile.Left, 0)
	right := c.pathFor("--right", c.options.Right, c.suite.Paths.Right, c.profile.Right, 1)
	switch c.options.Only {
	case "":
	case Left:
		right = ""
	case Right:
		left = ""
	default:
		c.problems.Add(flag("--only"), "%q is not a side: write left or right", c.options.Only)
		return
	}
	if left != "" && left == right {
		c.problems.Add(flag("--right"), "path %q is on both sides: a comparison needs two paths, --only left asks one", left)
		return
	}
	for _, s := range []struct{ side, path string }{{Left, left}, {Right, right}} {
		if s.path == "" {
			continue
		}
		path, ok := c.profile.Paths.Get(s.path)
		if !ok {
			continue // reported by pathFor
		}
		path.Name = s.path
		adapter, err := paths.New(path)
		if err != nil {
			c.problems = append(c.problems, asProblems(path.Pos, err)...)
			continue
		}
		c.plan.Sides = append(c.plan.Sides, Side{Side: s.side, Path: s.path, Profile: path, Adapter: adapter})
	}
	if len(c.plan.Sides) == 0 && len(c.problems) == 0 {
		c.problems.Add(flag("--only"), "profile %s has no %s path", c.profile.Name, c.options.Only)
	}
}

// pathFor picks a side's path: the flag's, the suite's, the profile's, or the
// profile's nth.
func (c *compiler) pathFor(flagName, byFlag, bySuite, byProfile string, nth int) string {
	known := c.profile.Paths.Keys()
	for _, one := range []struct {
		name string
		at   strictyaml.Pos
	}{{byFlag, flag(flagName)}, {bySuite, c.suite.Pos}, {byProfile, c.profile.Pos}} {
		if one.name == "" {
			continue
		}
		if !slices.Contains(known, one.name) {
			c.problems.Add(one.at, "profile %s has no path %q%s (it has %s)", c.profile.Name, one.name, strictyaml.Suggest(one.name, known), strings.Join(known, ", "))
			return ""
		}
		return one.name
	}
	if nth < len(known) {
		return known[nth]
	}
	return ""
}

// asProblems keeps the places of an error that has them.
func asProblems(at strictyaml.Pos, err error) strictyaml.Problems {
	var many strictyaml.Problems
	if errors.As(err, &many) {
		return many
	}
	return strictyaml.Problems{{Pos: at, Msg: err.Error()}}
}

// mailboxes takes the profile's list over, or one anonymous mailbox, and deals
// it out.
func (c *compiler) mailboxes() {
	c.plan.Mailboxes = c.profile.Mailboxes.List
	if len(c.plan.Mailboxes) == 0 {
		c.plan.Mailboxes = []profiles.Mailbox{{Name: profiles.Anonymous}}
	}
	c.control()
	for _, side := range c.plan.Sides {
		c.addresses(side)
	}
	weights := make([]int, len(c.plan.Scenarios))
	for i, s := range c.plan.Scenarios {
		weights[i] = s.Weight
	}
	var ok bool
	if c.plan.mix, ok = newMix(weights); !ok && len(c.problems) == 0 {
		c.problems.Add(c.suite.Pos, "the weights of the scenarios add up to more than %d after their common divisor was taken out: use rounder ones", maxBlock)
	}
	c.assign()
	for i := range c.plan.Scenarios {
		s := &c.plan.Scenarios[i]
		s.popular = newPopularity(len(s.Mailboxes), c.suite.Scenarios[c.index[i]].Skew)
	}
}

// addresses reports mailboxes that a path has no address for, although some step
// speaks of the mailbox on it.
func (c *compiler) addresses(side Side) {
	if c.plan.Anonymous() {
		return
	}
	var without []string
	for _, m := range c.plan.Mailboxes {
		if a, ok := m.Address[side.Path]; !ok || a.User() == "" {
			without = append(without, m.Name)
		}
	}
	if len(without) == 0 || !c.speaksOfMailbox(side) {
		return
	}
	shown := strings.Join(without[:min(3, len(without))], ", ")
	if len(without) > 3 {
		shown += fmt.Sprintf(" and %d more", len(without)-3)
	}
	c.problems.Add(c.profile.Mailboxes.Pos, "mailboxes without an address on path %q: %s (columns %s_upn, %s_smtp or %s_login)",
		side.Path, shown, side.Path, side.Path, side.Path)
}

func (c *compiler) speaksOfMailbox(side Side) bool {
	at := slices.IndexFunc(c.plan.Sides, func(s Side) bool { return s.Side == side.Side })
	for _, sc := range c.plan.Scenarios {
		for _, st := range sc.Steps {
			t := st.Asks[at].Template
			if t != nil && slices.ContainsFunc(t.Names(), func(n string) bool { return strings.HasPrefix(n, "mailbox.") && n != "mailbox.name" }) {
				return true
			}
		}
	}
	return false
}
