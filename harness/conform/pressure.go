package conform

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"cutover/harness/result"
)

// band is half an octave of offered rates: pairs of much the same load.
type band int

// bandOf is the band of an offered rate; ok is false for a pair whose rate nobody planned.
func bandOf(rate float64) (b band, ok bool) {
	if rate <= 0 || math.IsInf(rate, 0) || math.IsNaN(rate) {
		return 0, false
	}
	return band(math.Floor(2 * math.Log2(rate))), true
}

// pressureLog counts by band what was compared and what differed. Its fields are under the folder's mu.
type pressureLog struct {
	bands map[band]*bandCount
	steps map[stepKey]map[band]uint64  // compared pairs
	seen  map[tallyKey]map[band]uint64 // pairs that showed a finding
}

type bandCount struct {
	low, high                     float64
	pairs, different, unavailable uint64
}

func newPressureLog() pressureLog {
	return pressureLog{bands: map[band]*bandCount{}, steps: map[stepKey]map[band]uint64{}, seen: map[tallyKey]map[band]uint64{}}
}

// pressed counts a pair in the band of its rate.
func (f *folder) pressed(p Pair, count func(*bandCount)) {
	b, ok := bandOf(p.Rate)
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.pressure.bands[b]
	if c == nil {
		c = &bandCount{low: p.Rate, high: p.Rate}
		f.pressure.bands[b] = c
	}
	c.low, c.high = min(c.low, p.Rate), max(c.high, p.Rate)
	count(c)
}

// at counts one pair under a key. The folder's mu is held.
func at[K comparable](m map[K]map[band]uint64, key K, rate float64) {
	b, ok := bandOf(rate)
	if !ok {
		return
	}
	if m[key] == nil {
		m[key] = map[band]uint64{}
	}
	m[key][b]++
}

// byLoad lists the bands, the lowest rate first.
func (f *folder) byLoad() []result.LoadBand {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []result.LoadBand
	for _, b := range slices.Sorted(maps.Keys(f.pressure.bands)) {
		c := f.pressure.bands[b]
		one := result.LoadBand{From: c.low, To: c.high, Pairs: c.pairs, Different: c.different, Unavailable: c.unavailable}
		if c.pairs > 0 {
			one.Share = float64(c.different) / float64(c.pairs)
		}
		one.ShareLow, one.ShareHigh = result.Wilson(c.different, c.pairs)
		out = append(out, one)
	}
	return out
}

// bound gives each finding's share its bounds, and says which findings only pressure brings out.
func (f *folder) bound(findings []result.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range findings {
		one := &findings[i]
		if n := f.steps[stepKey{one.Scenario, one.Step}]; n != nil && *n > 0 && one.Count <= *n {
			one.ShareLow, one.ShareHigh = result.Wilson(one.Count, *n)
		}
		one.Pressure = f.underPressure(keyOfFinding(*one))
	}
}

// underPressure says from which offered rate on a finding appears, "" when rates do not explain it: the
// share from there on must be above what its absence below leaves possible, at 95 % each.
func (f *folder) underPressure(key tallyKey) string {
	seen, all := f.pressure.seen[key], f.pressure.steps[stepKey{key.scenario, key.step}]
	if len(seen) == 0 || len(all) < 2 {
		return ""
	}
	first := slices.Min(slices.Collect(maps.Keys(seen)))
	var below, above, hits uint64
	for b, n := range all {
		if b < first {
			below += n
		} else {
			above += n
		}
	}
	for _, n := range seen {
		hits += n
	}
	_, possible := result.Wilson(0, below)
	if low, _ := result.Wilson(hits, above); below == 0 || low <= possible {
		return ""
	}
	return fmt.Sprintf("only from %s on: in %d of %d pairs there, in none of %d below", perSecond(f.pressure.bands[first].low), hits, above, below)
}

func perSecond(rate float64) string {
	text := fmt.Sprintf("%.1f", rate)
	if rate >= 10 {
		text = fmt.Sprintf("%.0f", rate)
	}
	return strings.TrimSuffix(text, ".0") + "/s"
}
