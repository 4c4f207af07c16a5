package reports_test

import (
	"strings"
	"testing"

	"cutover/harness/result"
	"cutover/reports"
)

func TestWhatSigningInCostIsSaid(t *testing.T) {
	p50, most := 12.0, 40.0
	r := fixture()
	r.Tokens = []result.TokenStats{
		{Path: "cloud", Requests: 4, Acquired: 3, Refreshes: 2, Failures: 1, Late: 5, Latency: result.Summary{P50: &p50, Max: &most}},
		{Path: "on<b>prem", Requests: 1, Failures: 1, Refused: 1},
	}
	for _, row := range []struct {
		format string
		want   []string
	}{
		{"text", []string{"sign-in of cloud: 3 tokens, 2 refreshed ahead of their end, 1 sign-in without one, 5 requests", "p50 12 ms", "at most 40 ms", "1 credential refused and not offered again"}},
		{"html", []string{"sign-in of cloud: 3 tokens, 2 refreshed", "sign-in of on&lt;b&gt;prem: 0 tokens"}},
		{"json", []string{`"refreshes": 2`, `"late": 5`}},
	} {
		t.Run(row.format+": it is there", func(t *testing.T) {
			got := strings.Join(strings.Fields(string(render(t, row.format, r, reports.Options{}))), " ")
			for _, want := range row.want {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %q", want)
				}
			}
		})
	}
}
