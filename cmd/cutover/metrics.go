package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"cutover/harness/guard"
	"cutover/harness/hist"
	"cutover/harness/result"
	"cutover/harness/run"
)

// metricBuckets are the upper bounds of the latency histogram.
var metricBuckets = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// liveMetrics is a run under way in Prometheus' text format. It observes the run
// and serves what it saw.
type liveMetrics struct {
	mu    sync.Mutex // guards everything below
	now   run.Progress
	seen  map[metricKey]*metricRow
	order []metricKey
}

type metricKey struct{ phase, path, side string }

// metricRow is what one path did in one phase so far.
type metricRow struct {
	times                    hist.Histogram
	sum                      time.Duration
	requests, failed, pushed uint64
}

// Phase is told again with each second.
func (m *liveMetrics) Phase(run.PhaseInfo) {}

// Second adds what the last second brought.
func (m *liveMetrics) Second(now run.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[metricKey]*metricRow{}
	}
	m.now = now
	for _, p := range now.Paths {
		key := metricKey{now.Phase.Name, p.Path, p.Side}
		row := m.seen[key]
		if row == nil {
			row = new(metricRow)
			m.seen[key] = row
			m.order = append(m.order, key)
		}
		if p.Times != nil {
			row.times.Merge(p.Times)
			row.sum += time.Duration(p.Times.Count()) * p.Times.Mean()
		}
		row.requests += uint64(p.Rate)
		row.failed += p.FailedNow
		row.pushed += p.ThrottledNow
	}
}

// Done changes nothing: the last second stays until the run ends.
func (m *liveMetrics) Done(*result.Result) {}

// ServeHTTP writes the state as of the last second.
func (m *liveMetrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, m.text()) // the reader hung up: its loss
}

// text is the whole exposition.
func (m *liveMetrics) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	sides := float64(max(1, len(m.now.Paths)))
	gauge := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %s\n", name, help, name, name, decimal(value))
	}
	gauge("cutover_live_elapsed_seconds", "Time since the run began.", m.now.Elapsed.Seconds())
	gauge("cutover_live_asked_iterations_per_second", "Iterations that the schedule asked for in the last second.", float64(m.now.Due)/sides)
	gauge("cutover_live_got_iterations_per_second", "Iterations that got going in the last second.", float64(m.now.Begun)/sides)
	gauge("cutover_live_findings", "Distinct differences so far.", float64(m.now.Findings))
	gauge("cutover_live_generator_lag_p99_seconds", "How late the generator sent in the last second, 99th percentile.", m.now.LagP99.Seconds())
	gauge("cutover_live_generator_cpu_ratio", "Share of all processors that the generator used in the last second.", m.now.CPU)
	gauge("cutover_live_generator_memory_bytes", "Memory that the generator held at most.", float64(m.now.RSS))
	m.requests(&b)
	m.latency(&b)
	return b.String()
}

func (m *liveMetrics) requests(b *strings.Builder) {
	b.WriteString("# HELP cutover_live_requests_total Requests answered so far, by phase, path and outcome.\n# TYPE cutover_live_requests_total counter\n")
	for _, key := range m.order {
		row := m.seen[key]
		for _, o := range []struct {
			name string
			n    uint64
		}{{"ok", row.requests - min(row.requests, row.failed+row.pushed)}, {"failed", row.failed}, {"throttled", row.pushed}} {
			fmt.Fprintf(b, "cutover_live_requests_total{%s,outcome=%q} %d\n", key.labels(), o.name, o.n)
		}
	}
}

func (m *liveMetrics) latency(b *strings.Builder) {
	b.WriteString("# HELP cutover_live_response_seconds Response times so far, from when a step was due.\n# TYPE cutover_live_response_seconds histogram\n")
	for _, key := range m.order {
		row := m.seen[key]
		for _, le := range metricBuckets {
			fmt.Fprintf(b, "cutover_live_response_seconds_bucket{%s,le=%q} %d\n", key.labels(), decimal(le.Seconds()), row.times.CountBelow(le))
		}
		fmt.Fprintf(b, "cutover_live_response_seconds_bucket{%s,le=\"+Inf\"} %d\n", key.labels(), row.times.Count())
		fmt.Fprintf(b, "cutover_live_response_seconds_sum{%s} %s\n", key.labels(), decimal(row.sum.Seconds()))
		fmt.Fprintf(b, "cutover_live_response_seconds_count{%s} %d\n", key.labels(), row.times.Count())
	}
}

// metricLabel escapes what a label's value must not hold.
var metricLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (k metricKey) labels() string {
	return fmt.Sprintf(`phase="%s",path="%s",side="%s"`, metricLabel.Replace(k.phase), metricLabel.Replace(k.path), metricLabel.Replace(k.side))
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// metricsAddress reads --metrics. Only an address of this machine is served: the
// figures name paths and phases of somebody's deployment.
func metricsAddress(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return "", usageError("for example --metrics 127.0.0.1:9464", "--metrics %s: expected ADDRESS:PORT", text)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", &exitError{code: exitRefused, hint: "serve it on 127.0.0.1 or [::1]; a scraper elsewhere comes through a tunnel of yours",
			err: &guard.Refusal{Rule: "address", What: "--metrics " + text + " is not an address of this machine alone"}}
	}
	return net.JoinHostPort(host, port), nil
}

// withMetrics lets the observer's run be scraped, when the options ask for it.
// The function must be called when the run has ended.
func (a *App) withMetrics(ctx context.Context, o *runOptions, observer run.Observer) (run.Observer, func() error, error) {
	if o.metrics == "" {
		return observer, func() error { return nil }, nil
	}
	live, stop, err := a.serveMetrics(ctx, o.metrics, func(address string) {
		if !o.quiet {
			fmt.Fprintf(a.Stderr, "cutover: metrics at %s\n", address)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return observers{observer, live}, stop, nil
}

// serveMetrics serves the run's figures until the returned function is called,
// which waits until the server is gone.
func (a *App) serveMetrics(ctx context.Context, address string, say func(string)) (*liveMetrics, func() error, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, usageError("choose another port with --metrics", "--metrics: %w", err)
	}
	live := &liveMetrics{}
	server := &http.Server{Handler: live, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	say("http://" + listener.Addr().String() + "/metrics")
	var work sync.WaitGroup
	var served error
	work.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			served = err
		}
	})
	return live, func() error {
		err := server.Close()
		work.Wait()
		return errors.Join(err, served)
	}, nil
}
