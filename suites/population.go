package suites

import (
	"math"
	"slices"

	"cutover/suites/strictyaml"
)

// Population is a number of users who behave alike. A suite with populations derives
// from them the weights of its scenarios and the mean rate of its day phases.
type Population struct {
	Pos       strictyaml.Pos  `yaml:"-"`
	Keys      strictyaml.Keys `yaml:"-"`
	Name      string          `yaml:"name,required" doc:"Name of the population, unique in the suite."`
	Users     int             `yaml:"users,required" min:"1" max:"10000000" doc:"How many there are."`
	Each      strictyaml.Rate `yaml:"each,required" doc:"Iterations of one user in business hours, such as 60/h."`
	Scenarios []string        `yaml:"scenarios" doc:"What they do: names or tags of scenarios (default: scenarios tagged with the population's name). Their weights are shares within the population."`
}

// weightScale is the sum that derived weights are rounded to: shares are kept to a
// hundredth of a percent.
const weightScale = 10_000

// PopulationRate is the iterations per second that all populations together make in
// business hours; 0 without populations.
func (s *Suite) PopulationRate() float64 {
	sum := 0.0
	for _, p := range s.Populations {
		sum += p.rate()
	}
	return sum
}

func (p *Population) rate() float64 { return float64(p.Users) * p.Each.PerSecond }

// has reports whether a scenario is the population's.
func (p *Population) has(sc *Scenario) bool {
	if len(p.Scenarios) == 0 {
		return slices.Contains(sc.Tags, p.Name)
	}
	return slices.Contains(p.Scenarios, sc.Name) || slices.ContainsFunc(sc.Tags, func(tag string) bool { return slices.Contains(p.Scenarios, tag) })
}

// populations turns shares within populations into weights over all, and gives the day
// phases their rate.
func (f *finisher) populations() {
	s := f.suite
	if len(s.Populations) == 0 {
		return
	}
	owner := f.owners()
	within := make([]int, len(s.Populations))
	for i, p := range owner {
		if p >= 0 {
			within[p] += s.Scenarios[i].Weight
		}
	}
	total := s.PopulationRate()
	for i, p := range owner {
		if p < 0 || total <= 0 {
			continue
		}
		share := s.Populations[p].rate() / total * float64(s.Scenarios[i].Weight) / float64(within[p])
		s.Scenarios[i].Weight = max(1, int(math.Round(share*weightScale)))
	}
	for i := range s.Load {
		if ph := &s.Load[i]; ph.Model.Kind == "day" && total > 0 {
			ph.Model = ph.Model.With("rate", strictyaml.Rate{PerSecond: total}.String())
		}
	}
}

// owners finds the one population of each scenario, -1 where that failed.
func (f *finisher) owners() []int {
	s := f.suite
	owner := make([]int, len(s.Scenarios))
	members := make([]int, len(s.Populations))
	for i := range s.Scenarios {
		owner[i] = -1
		sc := &s.Scenarios[i]
		for j := range s.Populations {
			switch p := &s.Populations[j]; {
			case !p.has(sc):
			case owner[i] >= 0:
				f.problems.Add(sc.Keys.At(sc.Pos, "name"), "scenario %q belongs to two populations, %s and %s", sc.Name, s.Populations[owner[i]].Name, p.Name)
			default:
				owner[i] = j
				members[j]++
			}
		}
		if owner[i] < 0 && sc.Name != "" {
			f.problems.Add(sc.Keys.At(sc.Pos, "name"), "scenario %q belongs to no population: name it, or one of its tags, under scenarios of one", sc.Name)
		}
	}
	for j, n := range members {
		if p := &s.Populations[j]; n == 0 && p.Name != "" {
			f.problems.Add(p.Keys.At(p.Pos, "scenarios", "name"), "population %q has no scenario%s", p.Name, f.nearScenario(p))
		}
	}
	return owner
}

// nearScenario suggests what the first unknown name of a population may have meant.
func (f *finisher) nearScenario(p *Population) string {
	var known []string
	for _, sc := range f.suite.Scenarios {
		known = append(append(known, sc.Name), sc.Tags...)
	}
	for _, name := range append(slices.Clone(p.Scenarios), p.Name) {
		if near := strictyaml.Suggest(name, known); near != "" {
			return near
		}
	}
	return ""
}

// populations checks the names.
func (c *checker) populations() {
	names := make(unique)
	for i := range c.suite.Populations {
		p := &c.suite.Populations[i]
		c.name(names, "population", p.Name, p.Keys.At(p.Pos, "name"))
	}
}
