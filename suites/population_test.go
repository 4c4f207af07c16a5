package suites_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/load"
	"cutover/suites"
)

func TestPopulationsMakeWeightsAndTheRateOfADay(t *testing.T) {
	s, err := suites.Load("testdata/good/office-day.yaml")
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string]int{}
	for _, sc := range s.Scenarios {
		weights[sc.Name] = sc.Weight
	}
	// 3,000 × 20/h and 500 × 60/h are two thirds and one; light reads three times of four.
	if diff := cmp.Diff(map[string]int{"open": 5000, "look": 1667, "search": 1667, "send": 1667}, weights); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	if got := s.PopulationRate(); got != 25 {
		t.Errorf("all together ask %v/s, want 25", got)
	}
	c, problems := load.Compile(s.Load[0].Model, 1)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := c.Describe(), "day of 25/s from 09:00 for 10m0s (21250)"; got != want {
		t.Errorf("the day is %q, want %q", got, want)
	}
	if s.Load[0].Name != "morning" || s.Load[0].Model.Pos.Line != 7 {
		t.Errorf("the phase %q lost its place: %v", s.Load[0].Name, s.Load[0].Model.Pos)
	}
}

func TestADaysOwnRateIsKept(t *testing.T) {
	s, err := suites.Parse("s.yaml", []byte(`suite: own
populations: [{name: a, users: 10, each: 60/h}]
scenarios: [{name: x, tags: [a], steps: [{name: g, get: /me/messages}]}]
load: [{day: {for: 10m, rate: 7/s}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := load.Compile(s.Load[0].Model, 1)
	if got, want := c.Describe(), "day of 7/s from 09:00 for 10m0s (5950)"; got != want {
		t.Errorf("the day is %q, want %q", got, want)
	}
}
