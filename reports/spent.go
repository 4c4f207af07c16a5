package reports

import (
	"fmt"
	"slices"
	"strings"

	"cutover/harness/result"
)

// connectionWords says what became of the connections, a line each path that was
// measured.
func connectionWords(r *result.Result) []string {
	var lines []string
	for _, c := range r.Connections {
		if !slices.ContainsFunc(r.Paths, func(p result.PathInfo) bool { return p.Name == c.Path }) {
			continue
		}
		parts := []string{plural(c.Opened, "opened", "opened") + openingWords(c), plural(c.Reused, "request", "requests") + " on a kept one"}
		for _, more := range []struct {
			n         uint64
			one, many string
		}{
			{c.Failed, "could not be opened", "could not be opened"},
			{c.ClosedByPeer, "ended by the server", "ended by the server"},
			{c.Blocked, "request waited for a free one", "requests waited for a free one"},
			{c.Retried, "request sent again on a new one", "requests sent again on a new one"},
		} {
			if more.n > 0 {
				parts = append(parts, plural(more.n, more.one, more.many))
			}
		}
		lines = append(lines, fmt.Sprintf("connections of %s: %s", clean(c.Path), strings.Join(parts, ", ")))
	}
	return lines
}

// openingWords says what opening a connection took, "" when none was.
func openingWords(c result.Connections) string {
	var parts []string
	for _, stage := range []struct {
		name string
		took result.Summary
	}{{"connect", c.Connect}, {"TLS", c.TLS}} {
		if stage.took.P50 != nil && stage.took.Max != nil {
			parts = append(parts, fmt.Sprintf("%s p50 %s, at most %s", stage.name, withUnit(*stage.took.P50), withUnit(*stage.took.Max)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// spentRow is where the mean response time of one step on one path went.
type spentRow struct {
	Name, Path, Side            string
	Response, Lag, First, Recv  *float64
	CapWait, FirstP95, ReceiveP *float64
}

// spent lists the steps whose answers were timed byte by byte.
func spent(r *result.Result) []spentRow {
	var rows []spentRow
	for _, s := range r.Steps {
		if s.FirstByte == nil || s.Receive == nil {
			continue
		}
		rows = append(rows, spentRow{Name: s.Scenario + "/" + s.Step, Path: s.Path, Side: s.Side, Response: s.Response.Mean, Lag: s.Lag.Mean, CapWait: s.CapWait.Mean,
			First: s.FirstByte.Mean, Recv: s.Receive.Mean, FirstP95: s.FirstByte.P95, ReceiveP: s.Receive.P95})
	}
	return rows
}

// goodput is the rate of legs that came to a good end beside the rate of all that ended,
// "" where nothing was measured.
func goodput(r *result.Result, path string) string {
	var good, all float64
	for _, s := range r.Steps {
		if s.Path == path && s.Step == result.WholeLeg && s.Count > 0 {
			good += s.RatePerS * float64(s.Outcomes[result.OutcomeOK]) / float64(s.Count)
			all += s.RatePerS
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("goodput %s/s: iterations that came to a good end, of %s/s that ended", sig3(good), sig3(all))
}
