package result

import (
	"fmt"
	"slices"
)

// Exit codes of a run that got as far as having a result.
const (
	ExitPass         = 0
	ExitFailed       = 1
	ExitAborted      = 5
	ExitInconclusive = 6
	ExitInternal     = 70
	ExitInterrupted  = 130
)

// Decide fills in Verdict, Reasons and ExitCode from everything else that r
// holds. Where several hold, the order is: internal error (70), interrupted
// (130), brake (5), failed by findings (1), inconclusive (6), failed by gates
// (1). All reasons are kept, the deciding ones first. The implicit gate joins
// the others, so that every report shows it; calling Decide again changes
// nothing.
func Decide(r *Result) {
	var decided bool
	r.Verdict, r.ExitCode, r.Reasons = Pass, ExitPass, []string{}
	r.Gates = withImplicit(r)
	rule := func(verdict Verdict, exit int, reasons ...string) {
		if len(reasons) == 0 {
			return
		}
		if !decided {
			r.Verdict, r.ExitCode, decided = verdict, exit, true
		}
		for _, reason := range reasons {
			if !slices.Contains(r.Reasons, reason) {
				r.Reasons = append(r.Reasons, reason)
			}
		}
	}
	rule(Inconclusive, ExitInternal, internalReasons(r)...)
	rule(Inconclusive, ExitInterrupted, stopReasons(r, StopInterrupted)...)
	rule(Inconclusive, ExitAborted, stopReasons(r, StopBrake)...)
	rule(Fail, ExitFailed, findingReasons(r)...)
	rule(Inconclusive, ExitInconclusive, unsureReasons(r)...)
	rule(Fail, ExitFailed, append(gateReasons(r, Fail), searchReasons(r, SearchNothing)...)...)
}

// ImplicitGate is the gate that every comparing run has without asking.
const ImplicitGate = "no unwaived breaking difference at major or worse"

// withImplicit returns the gates with the implicit one, last, when answers
// were paired at all.
func withImplicit(r *Result) []Outcome {
	gates := slices.DeleteFunc(slices.Clone(r.Gates), func(g Outcome) bool { return g.Implicit })
	if r.Comparison.Pairs == 0 && len(r.Findings) == 0 {
		return gates
	}
	g := Outcome{Gate: ImplicitGate, Verdict: Pass, Measure: MeasureCount, Implicit: true}
	blocking := len(r.Blocking())
	g.Observed = fmt.Sprint(blocking)
	switch {
	case blocking > 0:
		g.Verdict = Fail
	case r.Comparison.Compared == 0 && len(r.Findings) == 0:
		g.Verdict, g.MayBeEmpty, g.Observed, g.Note = NoData, true, "", "no pair was compared"
	}
	return append(gates, g)
}

func internalReasons(r *Result) []string {
	reasons := stopReasons(r, StopInternal)
	if err := r.Buckets.Check(); err != nil {
		reasons = append(reasons, "internal error: "+err.Error())
	}
	return reasons
}

func stopReasons(r *Result, kind StopKind) []string {
	if r.Stop == nil || r.Stop.Kind != kind {
		return nil
	}
	why := r.Stop.Why
	if why == "" {
		why = "no reason given"
	}
	switch kind {
	case StopInternal:
		return []string{"internal error: " + why}
	case StopInterrupted:
		return []string{"interrupted: " + why}
	case StopBrake:
		return []string{"stopped by a brake: " + why}
	}
	return []string{"the run was killed: " + why}
}

func findingReasons(r *Result) []string {
	blocking := r.Blocking()
	if len(blocking) == 0 {
		return nil
	}
	word := "difference"
	if len(blocking) > 1 {
		word = "differences"
	}
	reasons := []string{fmt.Sprintf("%d breaking %s at major or worse: %s", len(blocking), word, firstIDs(blocking, 5))}
	for _, w := range r.Waivers {
		if w.Expired {
			reasons = append(reasons, fmt.Sprintf("the waiver of %s by %s expired on %s", w.Finding, w.Owner, w.Expires.Format("2006-01-02")))
		}
	}
	return reasons
}

// Blocking returns the findings that alone fail the run, in their order.
func (r *Result) Blocking() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Blocks() {
			out = append(out, f)
		}
	}
	return out
}

func firstIDs(findings []Finding, limit int) string {
	var ids []string
	for _, f := range findings {
		if !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	text, more := "", 0
	for i, id := range ids {
		if i >= limit {
			more++
			continue
		}
		if i > 0 {
			text += ", "
		}
		text += id
	}
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func unsureReasons(r *Result) []string {
	if b := r.Buckets; r.Stop == nil && b.Completed == 0 && b.Failed+b.Throttled > 0 {
		return append([]string{fmt.Sprintf("no leg completed: %d failed, %d throttled, %d dropped", b.Failed, b.Throttled, b.Dropped)}, bentReasons(r)...)
	}
	return bentReasons(r)
}

// bentReasons are why the ruler, or the data behind a gate, cannot be trusted.
func bentReasons(r *Result) []string {
	reasons := stopReasons(r, StopKilled)
	for _, bent := range r.Generator.Bent {
		reasons = append(reasons, "the ruler bent: "+bent)
	}
	if r.Buckets.Completed+r.Buckets.Failed+r.Buckets.Throttled == 0 {
		reasons = append(reasons, "no data: no leg came to an end")
	}
	reasons = append(reasons, searchReasons(r, SearchSaturated, SearchUnjudged, SearchUnsettled)...)
	return append(reasons, gateReasons(r, NoData)...)
}

// searchReasons are why searches that ended in one of these ways have no answer.
func searchReasons(r *Result, ends ...string) []string {
	var reasons []string
	for _, s := range r.Search {
		if slices.Contains(ends, s.Result) {
			reasons = append(reasons, "search on "+s.Path+": "+s.Why)
		}
	}
	return reasons
}

func gateReasons(r *Result, verdict Verdict) []string {
	var reasons []string
	for _, g := range r.Gates {
		if g.Implicit || g.Verdict != verdict || verdict == NoData && g.MayBeEmpty {
			continue
		}
		switch {
		case verdict == NoData:
			reasons = append(reasons, "gate has no data: "+g.Gate)
		case g.Observed == "":
			reasons = append(reasons, "gate failed: "+g.Gate)
		default:
			reasons = append(reasons, fmt.Sprintf("gate failed: %s (observed %s)", g.Gate, g.Observed))
		}
	}
	return reasons
}
