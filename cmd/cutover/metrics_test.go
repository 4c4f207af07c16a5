package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cutover/harness/hist"
	"cutover/harness/run"
)

func TestMetricsAreServedToThisMachineAlone(t *testing.T) {
	for _, c := range []struct {
		text, want string
		code       int
	}{
		{"127.0.0.1:0", "127.0.0.1:0", 0}, {"localhost:9464", "127.0.0.1:9464", 0}, {"[::1]:9464", "[::1]:9464", 0},
		{"0.0.0.0:9464", "", exitRefused}, {":9464", "", exitRefused}, {"192.0.2.7:9464", "", exitRefused}, {"mail.contoso.com:9464", "", exitRefused},
		{"9464", "", exitUsage}, {"127.0.0.1", "", exitUsage}, {"127.0.0.1:http", "", exitUsage},
	} {
		got, err := metricsAddress(c.text)
		code := 0
		var exit *exitError
		if errors.As(err, &exit) {
			code = exit.code
		}
		if got != c.want || code != c.code {
			t.Errorf("%s: got %q and exit code %d, want %q and %d", c.text, got, code, c.want, c.code)
		}
	}
}

// leaks wants every goroutine that a test started gone when it has cleaned up.
func leaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// scraped is what a scraper gets after two seconds of a run.
func scraped(t *testing.T) string {
	t.Helper()
	leaks(t)
	a := &App{}
	address := ""
	live, stop, err := a.serveMetrics(context.Background(), "127.0.0.1:0", func(at string) { address = at })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var times hist.Histogram
		for _, at := range []time.Duration{3, 40, 400, 4000} {
			times.Record(at * time.Millisecond)
		}
		live.Second(run.Progress{Elapsed: 2 * time.Second, Phase: run.PhaseInfo{Name: `stea"dy`}, Due: 10, Begun: 8, Findings: 3, LagP99: time.Millisecond, CPU: 0.25, RSS: 1e6,
			Paths: []run.PathProgress{{Path: "onprem", Side: "left", Rate: 5, Times: &times, FailedNow: 1, ThrottledNow: 1}, {Path: "cloud", Side: "right", Rate: 4, Times: &times}}})
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", response.Status, err)
	}
	if err := errors.Join(response.Body.Close(), stop()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(address); err == nil {
		t.Error("metrics are served after the run has ended")
	}
	return string(body)
}

func TestMetricsCountByPathAndPhase(t *testing.T) {
	text := scraped(t)
	for _, want := range []string{
		"cutover_live_asked_iterations_per_second 5\n", "cutover_live_got_iterations_per_second 4\n", "cutover_live_findings 3\n",
		"cutover_live_generator_lag_p99_seconds 0.001\n", "cutover_live_generator_cpu_ratio 0.25\n",
		`cutover_live_requests_total{phase="stea\"dy",path="onprem",side="left",outcome="ok"} 6`,
		`cutover_live_requests_total{phase="stea\"dy",path="onprem",side="left",outcome="failed"} 2`,
		`cutover_live_requests_total{phase="stea\"dy",path="onprem",side="left",outcome="throttled"} 2`,
		`cutover_live_response_seconds_bucket{phase="stea\"dy",path="cloud",side="right",le="0.05"} 4`,
		`cutover_live_response_seconds_bucket{phase="stea\"dy",path="cloud",side="right",le="+Inf"} 8`,
		`cutover_live_response_seconds_count{phase="stea\"dy",path="cloud",side="right"} 8`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestLiveMetricsPassPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CUTOVER_REQUIRE_TOOLS") == "1" {
		t.Fatal("no promtool found, and CUTOVER_REQUIRE_TOOLS asks for it")
	}
	if err != nil {
		t.Skip("SKIPPED: no promtool found, the live metrics were not linted")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(scraped(t))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
