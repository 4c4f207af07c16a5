package plan

import (
	"math"
	"slices"
	"sort"
)

// popularity is how unevenly a scenario asks its mailboxes: the sums of a Zipf
// distribution's shares, the most popular first. nil: each equally often.
type popularity []float64

// newPopularity returns the distribution in which the kth most popular of n mailboxes
// gets a share proportional to k to the power of -skew.
func newPopularity(n int, skew float64) popularity {
	if skew <= 0 || n < 2 {
		return nil
	}
	sums := make(popularity, n)
	sum := 0.0
	for k := range sums {
		sum += math.Pow(float64(k+1), -skew)
		sums[k] = sum
	}
	for k := range sums {
		sums[k] /= sum
	}
	return sums
}

// share is the part of all iterations that the kth most popular mailbox gets.
func (p popularity) share(k, n int) float64 {
	switch {
	case p == nil:
		return 1 / float64(n)
	case k == 0:
		return p[0]
	}
	return p[k] - p[k-1]
}

// stratum is how many draws are spread evenly over the distribution: in each stretch
// of so many occurrences, every mailbox is asked as often as its share says, to one.
const stratum = 1024

// rank draws the popularity of the mailbox of an occurrence.
func (p popularity) rank(key, occurrence uint64) int {
	block := occurrence / stratum
	place := shuffle(mixed(key, block, saltMailbox), occurrence%stratum, stratum)
	u := (float64(place) + share(mixed(key, occurrence, saltMailbox))) / stratum
	return min(sort.SearchFloat64s(p, u), len(p)-1)
}

// pick returns the mailbox of an occurrence of a scenario: without skew the mailboxes
// are visited in shuffled rounds, with it which of them is how popular is drawn by the
// seed once.
func (s *Scenario) pick(seed, key, occurrence uint64, scenario int) int {
	size := uint64(len(s.Mailboxes))
	salt := saltMailbox + uint64(scenario)<<8
	if s.popular == nil {
		return s.Mailboxes[shuffle(mixed(key, occurrence/size, salt), occurrence%size, size)]
	}
	return s.Mailboxes[s.place(seed, scenario, s.popular.rank(mixed(key, 0, salt), occurrence))]
}

// skewed reports whether the scenario of a name asks its mailboxes unevenly.
func (p *Plan) skewed(scenario string) bool {
	return slices.ContainsFunc(p.Scenarios, func(s Scenario) bool { return s.Name == scenario && s.popular != nil })
}

// place is where the kth most popular mailbox of a scenario stands in its list.
func (s *Scenario) place(seed uint64, scenario, k int) int {
	return int(shuffle(mixed(seed, 0, saltMailbox+uint64(scenario)<<8), uint64(k), uint64(len(s.Mailboxes))))
}
