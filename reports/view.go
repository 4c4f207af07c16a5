package reports

import (
	"sort"

	"cutover/harness/result"
)

// operation is one question as both paths answered it.
type operation struct {
	Scenario, Step string
	Endpoint       string
	Left, Right    *result.StepStats // nil when that path did not ask it
	Shift          *result.Shift     // nil when it could not be computed
}

// Name is how every report calls the operation.
func (op operation) Name() string {
	if op.Step == result.WholeLeg {
		return op.Scenario + " · whole leg"
	}
	return op.Scenario + " / " + op.Step
}

// Whole says whether the operation is the leg from its due time to its end.
func (op operation) Whole() bool { return op.Step == result.WholeLeg }

// rows returns the sides that have one, left first.
func (op operation) rows() []*result.StepStats {
	var out []*result.StepStats
	for _, row := range []*result.StepStats{op.Left, op.Right} {
		if row != nil {
			out = append(out, row)
		}
	}
	return out
}

// operations pairs the rows of a result, in their order of appearance; a
// scenario's whole leg follows its steps.
func operations(r *result.Result) []operation {
	type key struct{ scenario, step string }
	index := map[key]int{}
	order := map[string]int{}
	var ops []operation
	for i := range r.Steps {
		row := &r.Steps[i]
		k := key{row.Scenario, row.Step}
		at, known := index[k]
		if !known {
			at = len(ops)
			index[k] = at
			ops = append(ops, operation{Scenario: row.Scenario, Step: row.Step, Endpoint: row.Endpoint})
			if _, known := order[row.Scenario]; !known {
				order[row.Scenario] = len(order)
			}
		}
		if row.Side == result.Right {
			ops[at].Right = row
		} else {
			ops[at].Left = row
		}
	}
	for i := range r.Shift {
		if at, known := index[key{r.Shift[i].Scenario, r.Shift[i].Step}]; known {
			ops[at].Shift = &r.Shift[i]
		}
	}
	sort.SliceStable(ops, func(i, j int) bool {
		a, b := ops[i], ops[j]
		if order[a.Scenario] != order[b.Scenario] {
			return order[a.Scenario] < order[b.Scenario]
		}
		return !a.Whole() && b.Whole()
	})
	return ops
}

// distinct leaves out the whole leg of a scenario with a single step: it is
// that step again, to the digit.
func distinct(ops []operation) []operation {
	steps := map[string]int{}
	for _, op := range ops {
		if !op.Whole() {
			steps[op.Scenario]++
		}
	}
	var out []operation
	for _, op := range ops {
		if !op.Whole() || steps[op.Scenario] != 1 {
			out = append(out, op)
		}
	}
	return out
}

// faultWords says why the requests of a row failed, the most frequent reasons
// first: "45 × status 400, expected 200".
func faultWords(r *result.Result, row *result.StepStats, limit int) []string {
	var out []string
	for _, f := range r.Faults {
		if f.Scenario == row.Scenario && f.Step == row.Step && f.Path == row.Path && len(out) < limit {
			out = append(out, count(f.Count)+" × "+f.Reason)
		}
	}
	return out
}

// rule is a difference of one kind, wherever it was seen.
type rule struct {
	result.Finding     // its worst sight
	Places         int // where it was seen
}

// byRule folds findings of a class by rule, severity and waiver, keeping their
// order.
func byRule(fs []result.Finding) []rule {
	type key struct {
		id       string
		severity result.Severity
		waived   bool
	}
	index := map[key]int{}
	var out []rule
	for _, f := range fs {
		k := key{f.ID, f.Severity, f.Waived}
		at, known := index[k]
		if !known {
			at = len(out)
			index[k] = at
			out = append(out, rule{Finding: f})
		}
		out[at].Places++
	}
	return out
}

// mailboxWords counts the mailboxes: those of two paths are pairs.
func mailboxWords(r *result.Result) string {
	if len(r.Paths) == 1 {
		return plural(uint64(r.Mailboxes), "mailbox", "mailboxes")
	}
	return plural(uint64(r.Mailboxes), "mailbox pair", "mailbox pairs")
}

// pathName names the path of a side, the side itself when there is none.
func pathName(r *result.Result, side string) string {
	for _, p := range r.Paths {
		if p.Side == side {
			return p.Name
		}
	}
	return side
}

// classGroup is all findings of one class, worst first.
type classGroup struct {
	Class    result.Class
	About    string
	Findings []result.Finding
	Count    uint64 // occurrences
	Waived   int
}

// aboutClass says what a class asks of an application.
func aboutClass(c result.Class) string {
	switch c {
	case result.Breaking:
		return "client code must change"
	case result.Adapter:
		return "representation only: an adapter folds it away"
	case result.Capability:
		return "one side does not offer it"
	case result.Timing:
		return "latency or limits differ"
	}
	return ""
}

// byClass groups the findings of a result. Classes without findings are left
// out; a class this version does not know comes last.
func byClass(r *result.Result) []classGroup {
	var groups []classGroup
	index := map[result.Class]int{}
	for _, c := range result.Classes() {
		index[c] = len(groups)
		groups = append(groups, classGroup{Class: c, About: aboutClass(c)})
	}
	for _, f := range r.Findings {
		at, known := index[f.Class]
		if !known {
			at = len(groups)
			index[f.Class] = at
			groups = append(groups, classGroup{Class: f.Class})
		}
		groups[at].Findings = append(groups[at].Findings, f)
		groups[at].Count += f.Count
		if f.Waived {
			groups[at].Waived++
		}
	}
	var out []classGroup
	for _, g := range groups {
		if len(g.Findings) == 0 {
			continue
		}
		worstFirst(g.Findings)
		out = append(out, g)
	}
	return out
}

// worstFirst sorts findings by weight: not waived before waived, then
// severity, share, count, and their names so that ties do not wander.
func worstFirst(fs []result.Finding) {
	sort.SliceStable(fs, func(i, j int) bool {
		a, b := fs[i], fs[j]
		switch {
		case a.Waived != b.Waived:
			return b.Waived
		case a.Severity != b.Severity:
			return a.Severity.Rank() > b.Severity.Rank()
		case a.Share != b.Share:
			return a.Share > b.Share
		case a.Count != b.Count:
			return a.Count > b.Count
		case a.ID != b.ID:
			return a.ID < b.ID
		case a.Scenario+a.Step != b.Scenario+b.Step:
			return a.Scenario+a.Step < b.Scenario+b.Step
		}
		return a.Pointer < b.Pointer
	})
}

// simulated says whether every number of the result comes from the lab.
func simulated(r *result.Result) bool { return r.Target == result.Simulated }

// bucketWords says in order which bucket got how many legs, empty ones left
// out except completed.
func bucketWords(b result.Buckets) []labelled {
	var out []labelled
	for _, l := range []labelled{
		{"completed", b.Completed}, {"failed", b.Failed}, {"throttled", b.Throttled}, {"dropped", b.Dropped},
		{"interrupted", b.Interrupted}, {"not started", b.NotStarted}, {"unknown", b.Unknown},
	} {
		if l.N > 0 || l.Label == "completed" {
			out = append(out, l)
		}
	}
	return out
}

// labelled is a count with its name.
type labelled struct {
	Label string
	N     uint64
}

// trafficWords splits a path's requests by what they were for.
func trafficWords(t result.Traffic) []labelled {
	var out []labelled
	for _, l := range []struct {
		one, many string
		n         uint64
	}{
		{"step", "steps", t.Steps}, {"retry", "retries", t.Retries}, {"page", "pages", t.Pages}, {"poll", "polls", t.Polls},
		{"probe", "probes", t.Probes}, {"fixture", "fixtures", t.Fixtures}, {"token", "tokens", t.Tokens},
	} {
		switch {
		case l.n == 1:
			out = append(out, labelled{l.one, 1})
		case l.n > 1:
			out = append(out, labelled{l.many, l.n})
		}
	}
	return out
}
