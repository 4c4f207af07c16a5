package reports_test

import (
	"strings"
	"testing"

	"cutover/harness/result"
	"cutover/reports"
)

func TestWhatBecameOfConnectionsAndOfTheTimeIsSaid(t *testing.T) {
	connect, tls, most, mean := 0.25, 1.5, 3.0, 4.5
	r := fixture()
	r.Connections = []result.Connections{
		{Path: "cloud", Opened: 16, Reused: 2990, ClosedByPeer: 2, Blocked: 5, Retried: 1, Connect: result.Summary{P50: &connect, Max: &most}, TLS: result.Summary{P50: &tls, Max: &most}},
		{Path: "on<b>prem", Failed: 3},
	}
	r.Paths = append(r.Paths, result.PathInfo{Name: "on<b>prem", Side: result.Left})
	r.Connections = append(r.Connections, result.Connections{Path: "control", Opened: 1})
	r.Steps[0].FirstByte, r.Steps[0].Receive = &result.Summary{Mean: &mean, P95: &most}, &result.Summary{Mean: &connect, P95: &connect}
	for _, row := range []struct {
		format string
		want   []string
	}{
		{"text", []string{"connections of cloud: 16 opened (connect p50 250 µs, at most 3 ms; TLS p50 1.5 ms, at most 3 ms), 2,990 requests on a kept one, 2 ended by the server, " +
			"5 requests waited for a free one, 1 request sent again on a new one", "goodput "}},
		{"html", []string{"connections of cloud: 16 opened", "connections of on&lt;b&gt;prem: 0 opened, 0 requests on a kept one, 3 could not be opened", "Where the time went", `data-first="4.5"`}},
		{"json", []string{`"closed_by_peer": 2`, `"blocked": 5`, `"first_byte_ms"`, `"receive_ms"`, `"goodput_per_s"`}},
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
