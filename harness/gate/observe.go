package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// seen is one value that a gate is held against, or why there is none.
type seen struct {
	value   float64
	where   string // "on cloud", when the gate speaks of several paths
	missing string
}

// observe takes the values of a gate from a result: one, or one for each path.
func (g Gate) observe(r *result.Result) []seen {
	switch g.first.metric.kind {
	case ofFindings:
		return []seen{g.findings(r)}
	case ofLegs:
		return []seen{g.legs(r)}
	}
	if g.combine != "" {
		return []seen{g.combined(r)}
	}
	paths := g.first.paths(r)
	if len(paths) == 0 {
		return []seen{{missing: fmt.Sprintf("the run has no path %q", g.first.path)}}
	}
	var out []seen
	for _, path := range paths {
		s := g.on(r, g.first, path)
		if len(paths) > 1 {
			s.where = strings.TrimSpace("on " + path + " " + s.where)
		}
		out = append(out, s)
	}
	return out
}

func (g Gate) combined(r *result.Result) seen {
	var values [2]float64
	for i, m := range g.measures() {
		paths := m.paths(r)
		if len(paths) != 1 {
			return seen{missing: fmt.Sprintf("the run has no path %q", m.path)}
		}
		s := g.on(r, m, paths[0])
		if s.missing != "" {
			return s
		}
		values[i] = s.value
	}
	switch {
	case g.combine == "-":
		return seen{value: values[0] - values[1]}
	case values[1] == 0:
		return seen{missing: fmt.Sprintf("%s of %s is 0: there is no factor", g.second.metric.name, g.second.path)}
	}
	return seen{value: values[0] / values[1]}
}

// paths are the names of the paths that a measure speaks of. Without one, it is each.
func (m measure) paths(r *result.Result) []string {
	var out []string
	for _, p := range r.Paths {
		if m.path == "" || m.path == each || m.path == anyPath || m.path == p.Name || m.path == p.Side {
			out = append(out, p.Name)
		}
	}
	return out
}

// on is the value of a measure on one path, in the worst window when the gate has one.
func (g Gate) on(r *result.Result, m measure, path string) seen {
	if g.window > 0 {
		return g.windows(r, m, path)
	}
	return m.value(m.pool(r, path), g.unit)
}

// pool is what a measure is taken from: rows added up.
type pool struct {
	times                             hist.Histogram
	completed, failed, throttled, all uint64
	rate                              float64
}

// pool adds up the rows of a path that a measure speaks of.
func (m measure) pool(r *result.Result, path string) *pool {
	p := new(pool)
	for _, row := range r.Steps {
		if row.Path != path || !m.speaksOf(row.Scenario, row.Step, row.Tags) {
			continue
		}
		if h := row.Histogram; h != nil && !m.service {
			p.times.Merge(h)
		}
		if h := row.ServiceH; h != nil && m.service {
			p.times.Merge(h)
		}
		throttled := row.Outcomes[result.OutcomeThrottled]
		p.failed += row.Failed()
		p.throttled += throttled
		p.completed += row.Outcomes[result.OutcomeOK]
		p.all += row.Outcomes[result.OutcomeOK] + row.Failed() + throttled
		p.rate += row.RatePerS
	}
	return p
}

// speaksOf reports whether a row belongs to a measure. Without a step all steps belong,
// and the rows of whole legs only when they are asked for.
func (m measure) speaksOf(scenario, step string, tags []string) bool {
	wanted, ofStep, both := strings.Cut(m.step, "/")
	switch {
	case m.step == result.WholeLeg:
		return step == result.WholeLeg
	case both:
		return wanted == scenario && ofStep == step
	case step == result.WholeLeg:
		return false
	}
	return m.step == "" || m.step == scenario || m.step == step || slices.Contains(tags, m.step)
}

func (m measure) value(p *pool, in unit) seen {
	if m.metric.kind == ofRate {
		if p.all == 0 {
			return seen{missing: "no request was made"}
		}
		return seen{value: p.rate}
	}
	if m.metric.kind == ofTimes {
		n := p.times.Count()
		if n == 0 || m.metric.q < 1 && !result.Enough(m.metric.q, n) {
			return seen{missing: fmt.Sprintf("%d samples are too few for %s", n, m.metric.name)}
		}
		return seen{value: millis(m.time(&p.times))}
	}
	n := map[string]uint64{"completed": p.completed, "failed": p.failed, "throttled": p.throttled}[m.metric.name]
	switch {
	case p.all == 0:
		return seen{missing: "no request was made"}
	case in.name == count.name:
		return seen{value: float64(n)}
	}
	return seen{value: float64(n) / float64(p.all)}
}

func (m measure) time(h *hist.Histogram) time.Duration {
	switch m.metric.q {
	case mean:
		return h.Mean()
	case 0:
		return h.Min()
	case 1:
		return h.Max()
	}
	return h.Quantile(m.metric.q)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// legs is the share, or number, of planned legs in a bucket.
func (g Gate) legs(r *result.Result) seen {
	switch {
	case r.Buckets.Planned == 0:
		return seen{missing: "no leg was planned"}
	case g.unit.name == count.name:
		return seen{value: float64(r.Buckets.Dropped)}
	}
	return seen{value: float64(r.Buckets.Dropped) / float64(r.Buckets.Planned)}
}

// findings counts what is not waived. Differences are findings of class breaking, the
// ones for which a client has to change; findings are those of every class.
func (g Gate) findings(r *result.Result) seen {
	if r.Comparison.Compared == 0 {
		return seen{missing: "no answers were compared"}
	}
	m, n := g.first, 0
	for _, f := range r.Findings {
		class := m.class
		if class == "" && m.metric.name == "differences" {
			class = result.Breaking
		}
		switch {
		case f.Waived, class != "" && f.Class != class:
		case m.severity != "" && !f.Severity.AtLeast(m.severity), m.exactly && f.Severity != m.severity:
		case !m.speaksOf(f.Scenario, f.Step, nil):
		default:
			n++
		}
	}
	return seen{value: float64(n)}
}
