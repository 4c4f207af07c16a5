package gate

import (
	"fmt"
	"time"

	"cutover/harness/result"
)

// windows is the worst value of a measure over all stretches of the gate's length that
// lie wholly in measured phases. Stretches without enough samples say nothing; when all
// are like that, there is no data.
func (g Gate) windows(r *result.Result, m measure, path string) seen {
	tags := tagsOf(r)
	bySecond := make(map[int]*pool)
	first, last := 0, -1
	for _, s := range r.Series {
		if !s.Measured {
			continue
		}
		if len(bySecond) == 0 || s.T < first {
			first = s.T
		}
		last = max(last, s.T)
		if bySecond[s.T] == nil {
			bySecond[s.T] = new(pool)
		}
		for _, point := range s.Series {
			if point.Path == path && m.speaksOf(point.Scenario, point.Step, tags[point.Scenario]) {
				bySecond[s.T].add(point)
			}
		}
	}
	length := int(g.window / time.Second)
	worst := seen{missing: fmt.Sprintf("no stretch of %s has enough samples", g.window)}
	for start := first; start+length-1 <= last; start++ {
		var sum pool
		whole := true
		for t := start; t < start+length; t++ {
			if bySecond[t] == nil {
				whole = false
				break
			}
			sum.merge(bySecond[t])
		}
		if !whole {
			continue
		}
		s := m.value(&sum, g.unit)
		if s.missing == "" && (worst.missing != "" || g.margin(s.value) < g.margin(worst.value)) {
			worst = seen{value: s.value, where: fmt.Sprintf("from second %d", start)}
		}
	}
	return worst
}

func tagsOf(r *result.Result) map[string][]string {
	tags := make(map[string][]string)
	for _, row := range r.Steps {
		tags[row.Scenario] = row.Tags
	}
	return tags
}

func (p *pool) add(point result.SeriesPoint) {
	point.Histogram.AddTo(&p.times)
	p.failed += point.Errors
	p.throttled += point.Throttled
	p.all += point.Count
	p.completed += point.Count - min(point.Count, point.Errors+point.Throttled)
}

func (p *pool) merge(o *pool) {
	p.times.Merge(&o.times)
	p.failed += o.failed
	p.throttled += o.throttled
	p.completed += o.completed
	p.all += o.all
}
