package conform

import (
	"fmt"
	"math"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// sketch is a MinHash of the iterations that showed a finding: the share of equal slots in two sketches
// estimates how much the two sets of iterations have in common. It does not depend on their order.
type sketch [24]uint32

func newSketch() (s sketch) {
	for i := range s {
		s[i] = math.MaxUint32
	}
	return s
}

// iteration digests what one pair belongs to.
func iteration(p Pair) uint64 {
	return canon.HashText(p.Scenario).Lo ^ canon.HashText(p.Mailbox).Hi ^ (p.Arrival+1)*0x9e3779b97f4a7c15
}

func (s *sketch) add(iteration uint64) {
	for i := range s {
		h := (iteration ^ uint64(i+1)*0xbf58476d1ce4e5b9) * 0x94d049bb133111eb
		h ^= h >> 29
		s[i] = min(s[i], uint32((h*0x9e3779b97f4a7c15)>>32))
	}
}

func (s sketch) common(o sketch) float64 {
	same := 0
	for i := range s {
		if s[i] == o[i] {
			same++
		}
	}
	return float64(same) / float64(len(s))
}

// everywhere is the share from which a finding is in all pairs: such findings appear together without
// having a cause in common.
const everywhere = 0.98

// together is how much the iterations of two findings must have in common to suggest one cause.
const together = 0.8

// cluster names, for findings that appear in the same iterations, the worst of them as the probable cause.
// The findings are in the order of the report, so that the first of a cluster is the worst.
func cluster(findings []result.Finding, sketches map[tallyKey]sketch) {
	leaders := []int{}
	for i := range findings {
		f := &findings[i]
		s, ok := sketches[keyOfFinding(*f)]
		if !ok || f.Share >= everywhere || f.Class == result.Adapter || f.Because != "" {
			continue
		}
		led := false
		for _, j := range leaders {
			if findings[j].Scenario == f.Scenario && sketches[keyOfFinding(findings[j])].common(s) >= together {
				if f.Cause == "" {
					l := findings[j]
					f.Cause = fmt.Sprintf("appears in the same iterations as %s at %s %s", l.ID, l.Step, l.Pointer)
				}
				led = true
				break
			}
		}
		if !led {
			leaders = append(leaders, i)
		}
	}
}

func keyOfFinding(f result.Finding) tallyKey {
	return tallyKey{f.Scenario, f.Step, f.Endpoint, f.Pointer, f.ID, f.Because}
}

// sketches are the sketches of all tallies.
func (f *folder) sketches() map[tallyKey]sketch {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make(map[tallyKey]sketch, len(f.tallies))
	for key, t := range f.tallies {
		out[key] = t.sketch
	}
	return out
}
