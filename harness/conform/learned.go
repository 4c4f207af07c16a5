package conform

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutover/harness/result"
	"cutover/suites/strictyaml"
)

// Learned is a place whose noise an earlier run has found out by asking four times. It silences differences
// of values there, never of types, presence or order; a place that is called stable-diff silences nothing
// and is kept for its counts.
type Learned struct {
	Pos      strictyaml.Pos `yaml:"-"`
	Scenario string         `yaml:"scenario,required" doc:"Scenario of the step."`
	Step     string         `yaml:"step,required" doc:"Step whose answers were asked for four times."`
	Pointer  string         `yaml:"pointer,required" doc:"Place in the canonical answer, * for every index."`
	Kind     string         `yaml:"kind,required" enum:"volatile-left,volatile-right,volatile-both,stable-diff" doc:"Which side differs from itself there; stable-diff: neither, they differ from each other."`
	Repeated uint64         `yaml:"repeated,required" doc:"Pairs of the step that were asked four times."`
	Left     uint64         `yaml:"left" doc:"Of those, in how many the left side differed from itself."`
	Right    uint64         `yaml:"right" doc:"Of those, in how many the right side did."`
	Differed uint64         `yaml:"differed" doc:"Of those, in how many the sides differed although neither changed."`
	On       string         `yaml:"learned,required" doc:"Day on which it was learned, such as 2026-11-22."`
	Expires  string         `yaml:"expires,required" doc:"Last day on which it is believed."`

	until time.Time
}

// NoiseFile is a file of learned noise.
type NoiseFile struct {
	Noise []Learned `yaml:"noise,required" doc:"Places by scenario, step and pointer."`
}

// learnedLasts is how long a place is believed to be noisy: a month, as long as an update of a service
// usually takes to arrive everywhere.
const learnedLasts = 30 * 24 * time.Hour

// unlearned is how many pairs have to be repeated without anything changing before a place is taken out
// again: 30, with which 3/n is 10 %.
const unlearned = 30

// ParseNoise reads a file of learned noise. Its error is strictyaml.Problems.
func ParseNoise(file string, data []byte) (*NoiseFile, error) {
	var n NoiseFile
	problems := strictyaml.Decode(file, data, &n)
	for i := range n.Noise {
		one := &n.Noise[i]
		if _, err := time.Parse(time.DateOnly, one.On); err != nil && one.On != "" {
			problems.Add(one.Pos, "learned: %q is no date; write 2027-01-31", one.On)
		}
		day, err := time.Parse(time.DateOnly, one.Expires)
		if err != nil && one.Expires != "" {
			problems.Add(one.Pos, "expires: %q is no date; write 2027-01-31", one.Expires)
		}
		one.until = day.AddDate(0, 0, 1)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &n, nil
}

// At parts the places into those that are believed on a day and those that have expired.
func (n *NoiseFile) At(now time.Time) (believed, expired []Learned) {
	for _, one := range n.Noise {
		if now.Before(one.until) {
			believed = append(believed, one)
		} else {
			expired = append(expired, one)
		}
	}
	return believed, expired
}

// Learn adds what a run found out. A place that was seen again counts on and is believed for another month;
// one that showed nothing in 30 repeated pairs is taken out.
func (n *NoiseFile) Learn(steps []result.NoiseStep, now time.Time) {
	known := map[noiseKey]Learned{}
	for _, one := range n.Noise {
		known[noiseKey{one.Scenario, one.Step, one.Pointer}] = one
	}
	for _, step := range steps {
		seen := map[string]bool{}
		for _, p := range step.Places {
			seen[p.Pointer] = true
			key := noiseKey{step.Scenario, step.Step, p.Pointer}
			one := known[key]
			if one.Kind != p.Kind {
				one = Learned{Scenario: step.Scenario, Step: step.Step, Pointer: p.Pointer, Kind: p.Kind}
			}
			one.Repeated, one.Left, one.Right, one.Differed = one.Repeated+step.Repeated, one.Left+p.Left, one.Right+p.Right, one.Differed+p.Differed
			one.On, one.Expires = now.UTC().Format(time.DateOnly), now.UTC().Add(learnedLasts).Format(time.DateOnly)
			known[key] = one
		}
		maps.DeleteFunc(known, func(key noiseKey, _ Learned) bool {
			return key.scenario == step.Scenario && key.step == step.Step && step.Repeated >= unlearned && !seen[key.pointer]
		})
	}
	n.Noise = slices.SortedFunc(maps.Values(known), func(a, b Learned) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Pointer, b.Pointer))
	})
}

// String is the file's text.
func (n *NoiseFile) String() string {
	var b strings.Builder
	b.WriteString("# Learned by `cutover run --learn-noise`: values that a side answers differently to itself.\n# `cutover run --noise` overlooks differences of values there until the day of expiry.\n")
	if len(n.Noise) == 0 {
		return b.String() + "noise: []\n"
	}
	b.WriteString("noise:\n")
	for _, one := range n.Noise {
		fmt.Fprintf(&b, "  - {scenario: %s, step: %s, pointer: %s,\n     kind: %s, repeated: %d, left: %d, right: %d, differed: %d, learned: %s, expires: %s}\n",
			strconv.Quote(one.Scenario), strconv.Quote(one.Step), strconv.Quote(one.Pointer), one.Kind, one.Repeated, one.Left, one.Right, one.Differed, one.On, one.Expires)
	}
	return b.String()
}

// believed are the learned places that silence values, by place.
func believed(list []Learned) map[noiseKey]Learned {
	known := map[noiseKey]Learned{}
	for _, one := range list {
		if one.Kind != result.StableDiff {
			known[noiseKey{one.Scenario, one.Step, one.Pointer}] = one
		}
	}
	return known
}

// silences reports whether what was learned explains a difference of values. It does not where this run's own
// repetitions say that the sides differ although neither changes.
func (one Learned) silences(n *noiseCount) bool {
	return one.Kind != "" && (n == nil || signTest(n.raw, n.only+n.explained) > 0.05)
}

// learnt lists what the repeated pairs of each step showed, in the order of scenario, step and pointer.
func (f *folder) learnt() []result.NoiseStep {
	f.mu.Lock()
	defer f.mu.Unlock()
	var steps []result.NoiseStep
	for key, n := range f.repeats {
		step := result.NoiseStep{Scenario: key.scenario, Step: key.step, Repeated: n}
		for at, count := range f.noises {
			if at.scenario == key.scenario && at.step == key.step && count.kind() != "" {
				step.Places = append(step.Places, result.NoisePlace{Pointer: at.pointer, Kind: count.kind(), Left: count.left, Right: count.right, Differed: count.raw})
			}
		}
		slices.SortFunc(step.Places, func(a, b result.NoisePlace) int { return cmp.Compare(a.Pointer, b.Pointer) })
		steps = append(steps, step)
	}
	slices.SortFunc(steps, func(a, b result.NoiseStep) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Step, b.Step))
	})
	return steps
}

// kind is the sort of noise at a place, "" for none: two spellings of one value are neither.
func (n *noiseCount) kind() string {
	switch {
	case n.volatile() && n.left > 0 && n.right > 0:
		return result.VolatileBoth
	case n.volatile() && n.left > 0:
		return result.VolatileLeft
	case n.volatile():
		return result.VolatileRight
	case n.broke > 0:
		return result.StableDiff
	}
	return ""
}
