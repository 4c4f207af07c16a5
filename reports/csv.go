package reports

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"cutover/harness/result"
)

// writeCSV writes one line an operation and path, for spreadsheets: plain
// numbers with a point, milliseconds, an empty cell where there is no value.
func writeCSV(w io.Writer, r *result.Result, _ Options) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"suite", "profile", "target", "run", "verdict", "scenario", "step", "path", "side", "count", "rate_per_s", "ok", "throttled", "failed",
		"min_ms", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "shift_p50_ms", "shift_p50_low_ms", "shift_p50_high_ms", "consent_sha256"}}
	for _, op := range operations(r) {
		for _, s := range op.rows() {
			row := []string{harmless(r.Suite), harmless(r.Profile), r.Target, harmless(r.RunID), string(r.Verdict),
				harmless(s.Scenario), harmless(s.Step), harmless(s.Path), s.Side, number(s.Count), decimal(&s.RatePerS),
				number(s.Outcomes[result.OutcomeOK]), number(s.Outcomes[result.OutcomeThrottled]), number(s.Failed())}
			for _, v := range []*float64{s.Response.Min, s.Response.Mean, s.Response.P50, s.Response.P90, s.Response.P95, s.Response.P99, s.Response.P999, s.Response.Max} {
				row = append(row, decimal(v))
			}
			shift := result.Interval{}
			if op.Shift != nil && s.Side == result.Right {
				shift = op.Shift.P50
			}
			rows = append(rows, append(row, decimal(shift.Value), decimal(shift.Low), decimal(shift.High), consentHash(r)))
		}
	}
	return out.WriteAll(rows)
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func decimal(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// harmless keeps a spreadsheet from taking text for a formula.
func harmless(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
