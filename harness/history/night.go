package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"cutover/harness/compare"
	"cutover/harness/result"
)

// The nightly rule. A night is one recorded run of a series.
const (
	goodNights  = 14   // the reference is the median of so many
	fewNights   = 5    // below it there is no reference
	leastShift  = 0.10 // threshold: this or mads × MAD, whichever is more
	mads        = 4
	atOnce      = 0.50 // one night this far off is enough
	window      = 3    // else two of so many
	tailSamples = 100  // p95 of fewer samples is not judged
)

// NewLevel is the mark of a night from which on things are as they should be: earlier
// nights no longer count as good ones.
const NewLevel = "new-level"

// rowKey is one number of a night that is judged.
type rowKey struct {
	scenario, step, path string
	quantile             string
}

func (k rowKey) name() string {
	return fmt.Sprintf("%s of %s/%s on %s", k.quantile, k.scenario, k.step, k.path)
}

// night is one run as the rule sees it.
type night struct {
	id       string
	good     bool // its numbers belong to the reference
	counts   bool // its times mean something
	ms       map[rowKey]float64
	findings map[string]Seen
}

// Judge holds a run against the nights of its series before it, and says what is slower or
// new, as gates: none of them fails while there are too few nights to tell. baseline is
// "" or Good for the good nights (verdict pass, or marked so, and not marked Bad), else a
// mark: only runs with that mark are the reference, and one is enough.
//
// The rule: the reference is the median of the last 14 good nights, two nights back and
// earlier. A quantile is too slow when it lies above it by more than 10 % and 4 × MAD, and
// half a millisecond, in two of three nights including this one, or by more than 50 % in
// this one. A finding is flagged when no reference night shows it, and it was seen in two
// of three nights, or alone is breaking at major or worse.
func (h *History) Judge(r *result.Result, baseline string) ([]result.Outcome, error) {
	runs, err := h.List(Filter{Series: SeriesOf(r), Before: r.Started})
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(runs, func(one Run) bool { return one.RunID == r.RunID })
	// More nights than are good ones are never needed: enough for half of them bad.
	runs = runs[max(0, len(runs)-4*goodNights):]
	var nights []night
	for _, one := range runs {
		if one.Mark == NewLevel {
			nights = nil
		}
		n, err := h.night(one, baseline)
		if err != nil {
			return nil, err
		}
		nights = append(nights, n)
	}
	return judge(nightOf(r), nights, !isGoodNights(baseline)), nil
}

func isGoodNights(baseline string) bool { return baseline == "" || baseline == Good }

// night reads a recorded run.
func (h *History) night(r Run, baseline string) (night, error) {
	n := night{id: r.RunID, counts: r.Counts, ms: map[rowKey]float64{}, findings: map[string]Seen{}}
	n.good = r.Mark == baseline
	if isGoodNights(baseline) {
		n.good = r.Mark != Bad && (r.Verdict == result.Pass || r.Mark != "")
	}
	metrics, err := h.Metrics(r)
	if err != nil {
		return n, err
	}
	for _, m := range metrics {
		n.add(m)
	}
	findings, err := h.Findings(r)
	if err != nil {
		return n, err
	}
	for _, f := range findings {
		n.findings[f.Fingerprint] = f
	}
	return n, nil
}

// nightOf reads a run that need not be recorded.
func nightOf(r *result.Result) night {
	n := night{id: r.RunID, counts: len(r.Generator.Bent) == 0 && r.Stop == nil, ms: map[rowKey]float64{}, findings: map[string]Seen{}}
	for _, s := range r.Steps {
		n.add(Metric{Scenario: s.Scenario, Step: s.Step, Path: s.Path, Count: s.Count, P50: s.Response.P50, P95: s.Response.P95})
	}
	for _, f := range r.Findings {
		n.findings[f.Fingerprint] = Seen{Fingerprint: f.Fingerprint, ID: f.ID, Severity: f.Severity, Class: f.Class,
			Scenario: f.Scenario, Step: f.Step, Pointer: f.Pointer, Count: f.Count, Share: f.Share, Waived: f.Waived}
	}
	return n
}

func (n night) add(m Metric) {
	if m.Step == result.WholeLeg {
		return // it repeats its steps
	}
	if m.P50 != nil {
		n.ms[rowKey{m.Scenario, m.Step, m.Path, "p50"}] = *m.P50
	}
	if m.P95 != nil && m.Count >= tailSamples {
		n.ms[rowKey{m.Scenario, m.Step, m.Path, "p95"}] = *m.P95
	}
}

// judge applies the rule. The nights before are the oldest first.
func judge(tonight night, before []night, byMark bool) []result.Outcome {
	recent := before[max(0, len(before)-(window-1)):]
	reference := before[:len(before)-len(recent)]
	fewest := fewNights
	if byMark {
		reference, fewest = before, 1
	}
	var good []night
	for i := len(reference) - 1; i >= 0 && len(good) < goodNights; i-- {
		if reference[i].good && reference[i].counts {
			good = append(good, reference[i])
		}
	}
	if len(good) < fewest {
		return []result.Outcome{{
			Gate: "nightly: as fast as in good nights, and no new finding", Verdict: result.NoData, Measure: result.MeasureLatency, MayBeEmpty: true,
			Note: fmt.Sprintf("%d good nights are on record before the last %d, %d are needed", len(good), window-1, fewest),
		}}
	}
	return append(slowRows(tonight, recent, good, fewest), newFindings(tonight, recent, good)...)
}

// off is a row that lies above its reference.
type off struct {
	key          rowKey
	middle, now  float64
	limit, shift float64 // shares
	nights       int     // of the window, this one included
	flagged      bool
}

func slowRows(tonight night, recent, good []night, fewest int) []result.Outcome {
	about := fmt.Sprintf("of %d good nights", len(good))
	if !tonight.counts {
		return []result.Outcome{{Gate: "nightly: as fast as in the median " + about, Verdict: result.NoData, Measure: result.MeasureLatency, MayBeEmpty: true, Note: "the ruler bent, or the run was stopped"}}
	}
	var rows []off
	for key, now := range tonight.ms {
		if row, known := offBy(key, now, recent, good, fewest); known {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b off) int {
		return cmp.Or(cmp.Compare(b.shift, a.shift), cmp.Compare(a.key.name(), b.key.name()))
	})
	var out []result.Outcome
	for _, row := range rows {
		if row.flagged {
			out = append(out, result.Outcome{
				Gate: fmt.Sprintf("nightly: %s as in the median %s", row.key.name(), about), Verdict: result.Fail, Measure: result.MeasureLatency,
				Observed: fmt.Sprintf("%+.3g %% (%.3g ms, median %.3g ms)", row.shift*100, row.now, row.middle), Limit: fmt.Sprintf("%+.3g %%", row.limit*100),
				Margin: fmt.Sprintf("%+.3g %%", (row.limit-row.shift)*100), Note: fmt.Sprintf("%d of %d nights", row.nights, len(recent)+1),
			})
		}
	}
	if len(out) > 0 {
		return out
	}
	one := result.Outcome{Gate: "nightly: as fast as in the median " + about, Verdict: result.Pass, Measure: result.MeasureLatency}
	switch {
	case len(rows) == 0:
		one.Verdict, one.MayBeEmpty, one.Note = result.NoData, true, "no step was asked often enough in both"
	default:
		one.Observed, one.Limit = fmt.Sprintf("%+.3g %%", rows[0].shift*100), fmt.Sprintf("%+.3g %%", rows[0].limit*100)
		one.Note = rows[0].key.name()
		if rows[0].nights > 0 {
			one.Note += ": too slow this night alone; a second such night is flagged"
		}
	}
	return []result.Outcome{one}
}

// offBy holds one number against the good nights. known is false where too few of them
// have it.
func offBy(key rowKey, now float64, recent, good []night, fewest int) (off, bool) {
	var values []float64
	for _, n := range good {
		if v, ok := n.ms[key]; ok {
			values = append(values, v)
		}
	}
	if len(values) < fewest {
		return off{}, false
	}
	row := off{key: key, now: now, middle: compare.Median(values)}
	if row.middle <= 0 {
		return off{}, false
	}
	spread := mads * compare.MAD(values) / row.middle
	row.limit, row.shift = max(leastShift, spread), now/row.middle-1
	above := func(v, limit float64) bool {
		return v/row.middle-1 > limit && v-row.middle >= compare.MinShift.Seconds()*1000
	}
	if !above(now, row.limit) {
		return row, true
	}
	row.nights = 1
	for _, n := range recent {
		if v, ok := n.ms[key]; ok && n.counts && above(v, row.limit) {
			row.nights++
		}
	}
	row.flagged = row.nights >= 2 || above(now, max(atOnce, spread))
	return row, true
}

func newFindings(tonight night, recent, good []night) []result.Outcome {
	var fresh []Seen
	waiting := 0
	for print, f := range tonight.findings {
		if f.Waived || slices.ContainsFunc(good, func(n night) bool { _, known := n.findings[print]; return known }) {
			continue
		}
		blocks := f.Class == result.Breaking && f.Severity.AtLeast(result.Major)
		if !blocks && !slices.ContainsFunc(recent, func(n night) bool { _, again := n.findings[print]; return again }) {
			waiting++
			continue
		}
		fresh = append(fresh, f)
	}
	slices.SortFunc(fresh, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	one := result.Outcome{Gate: fmt.Sprintf("nightly: no finding that %d good nights did not show", len(good)), Verdict: result.Pass, Measure: result.MeasureCount,
		Observed: fmt.Sprint(len(fresh)), Limit: "0"}
	if len(fresh) > 0 {
		one.Verdict = result.Fail
		one.Note = fmt.Sprintf("first: %s in %s/%s %s", fresh[0].ID, fresh[0].Scenario, fresh[0].Step, fresh[0].Pointer)
	} else if waiting > 0 {
		one.Note = fmt.Sprintf("%d seen this night alone; a second such night is flagged", waiting)
	}
	return []result.Outcome{one}
}

// Band returns by how much a quantile of the run's series differs from night to night, as
// a share: 4 × MAD over the last 14 good nights. It is what compare's Options.Band asks
// for; ok is false with fewer than 5 good nights.
func (h *History) Band(r *result.Result) (func(scenario, step, path string, q float64) (float64, bool), error) {
	runs, err := h.List(Filter{Series: SeriesOf(r)})
	if err != nil {
		return nil, err
	}
	values := map[rowKey][]float64{}
	for used := 0; len(runs) > 0 && used < goodNights; runs = runs[:len(runs)-1] {
		last := runs[len(runs)-1]
		if last.RunID == r.RunID {
			continue
		}
		n, err := h.night(last, Good)
		if err != nil {
			return nil, err
		}
		if !n.good || !n.counts {
			continue
		}
		used++
		for key, v := range n.ms {
			values[key] = append(values[key], v)
		}
	}
	return func(scenario, step, path string, q float64) (float64, bool) {
		v := values[rowKey{scenario, step, path, compare.QuantileName(q)}]
		middle := compare.Median(v)
		if len(v) < fewNights || middle <= 0 || math.IsNaN(middle) {
			return 0, false
		}
		return mads * compare.MAD(v) / middle, true
	}, nil
}
