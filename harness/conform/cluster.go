package conform

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
func cluster(findings []result.Finding, sketches map[tallyKey]sketch) []result.Cluster {
	leaders := []int{}
	led := map[int][]int{} // by leader: its findings, itself first
	for i := range findings {
		f := &findings[i]
		s, ok := sketches[keyOfFinding(*f)]
		if !ok || f.Share >= everywhere || f.Class == result.Adapter || f.Because != "" {
			continue
		}
		at := slices.IndexFunc(leaders, func(j int) bool {
			return findings[j].Scenario == f.Scenario && sketches[keyOfFinding(findings[j])].common(s) >= together
		})
		if at < 0 {
			leaders = append(leaders, i)
			led[i] = []int{i}
			continue
		}
		leader := leaders[at]
		led[leader] = append(led[leader], i)
		if f.Cause == "" {
			f.Cause = "appears in the same iterations as " + whereabouts(findings[leader])
		}
	}
	var out []result.Cluster
	for _, leader := range leaders {
		if len(led[leader]) < 2 {
			continue
		}
		l := findings[leader]
		one := result.Cluster{Cause: whereabouts(l), Scenario: l.Scenario, Count: l.Count, Share: l.Share}
		if l.Share > 0 {
			one.ShareLow, one.ShareHigh = result.Wilson(l.Count, uint64(math.Round(float64(l.Count)/l.Share)))
		}
		for _, i := range led[leader] {
			one.Fingerprints, one.IDs = append(one.Fingerprints, findings[i].Fingerprint), append(one.IDs, findings[i].ID)
		}
		out = append(out, one)
	}
	return out
}

// whereabouts names a finding and its place: "page.loop at list /@odata.nextLink".
func whereabouts(f result.Finding) string {
	return strings.TrimSpace(fmt.Sprintf("%s at %s %s", f.ID, f.Step, f.Pointer))
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
