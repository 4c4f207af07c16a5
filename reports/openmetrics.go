package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"cutover/harness/result"
)

// metric writes one family of the exposition format. Everything is a gauge or
// a summary: a finished run is a snapshot, its numbers do not go on counting.
type metric struct{ b *strings.Builder }

func (m metric) family(name, kind, help string) {
	fmt.Fprintf(m.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value with its labels, given as name and value in turn.
func (m metric) sample(name string, value float64, labels ...string) {
	m.b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		lead := ","
		if i == 0 {
			lead = "{"
		}
		m.b.WriteString(lead + labels[i] + `="` + metricLabel.Replace(clean(labels[i+1])) + `"`)
	}
	if len(labels) > 0 {
		m.b.WriteByte('}')
	}
	m.b.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

var metricLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// writeOpenMetrics writes the run as a file that Prometheus' textfile collector
// or an OpenMetrics reader takes.
func writeOpenMetrics(w io.Writer, r *result.Result, _ Options) error {
	m := metric{new(strings.Builder)}
	m.family("cutover_run_info", "gauge", "What was run; always 1.")
	labels := []string{"suite", r.Suite, "profile", r.Profile, "target", r.Target, "version", r.Versions.Cutover}
	if r.Consent != nil {
		labels = append(labels, "consent", r.Consent.SHA256)
	}
	m.sample("cutover_run_info", 1, labels...)
	m.family("cutover_run_end_timestamp_seconds", "gauge", "When the run ended.")
	m.sample("cutover_run_end_timestamp_seconds", float64(r.Ended.UnixMilli())/1000)
	m.family("cutover_run_verdict", "gauge", "1 for the verdict of the run, 0 for the others.")
	for _, v := range []result.Verdict{result.Pass, result.Fail, result.Inconclusive} {
		m.sample("cutover_run_verdict", truth(v == r.Verdict), "verdict", string(v))
	}
	m.family("cutover_run_exit_code", "gauge", "Exit code of the run.")
	m.sample("cutover_run_exit_code", float64(r.ExitCode))
	b := r.Buckets
	m.family("cutover_legs", "gauge", "Legs by where they ended.")
	for _, l := range []labelled{{"completed", b.Completed}, {"failed", b.Failed}, {"throttled", b.Throttled}, {"dropped", b.Dropped},
		{"interrupted", b.Interrupted}, {"not_started", b.NotStarted}, {"unknown", b.Unknown}} {
		m.sample("cutover_legs", float64(l.N), "bucket", l.Label)
	}
	m.family("cutover_requests", "gauge", "Requests put on the wire, by path and by what they were for.")
	for _, path := range sortedKeys(r.Traffic) {
		t := r.Traffic[path]
		for _, l := range []labelled{{"steps", t.Steps}, {"retries", t.Retries}, {"pages", t.Pages}, {"polls", t.Polls}, {"probes", t.Probes}, {"fixtures", t.Fixtures}, {"tokens", t.Tokens}} {
			m.sample("cutover_requests", float64(l.N), "path", path, "kind", l.Label)
		}
	}
	m.responses(r)
	m.judgements(r)
	m.b.WriteString("# EOF\n")
	_, err := io.WriteString(w, m.b.String())
	return err
}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

func (m metric) responses(r *result.Result) {
	m.family("cutover_response_seconds", "summary", "Response times from when a request was due.")
	for _, s := range r.Steps {
		labels := []string{"scenario", s.Scenario, "step", s.Step, "path", s.Path}
		for _, q := range []struct {
			name string
			v    *float64
		}{{"0.5", s.Response.P50}, {"0.9", s.Response.P90}, {"0.95", s.Response.P95}, {"0.99", s.Response.P99}, {"0.999", s.Response.P999}} {
			if q.v != nil {
				m.sample("cutover_response_seconds", *q.v/1000, append(labels[:len(labels):len(labels)], "quantile", q.name)...)
			}
		}
		if s.Response.Mean != nil {
			m.sample("cutover_response_seconds_sum", *s.Response.Mean/1000*float64(s.Count), labels...)
			m.sample("cutover_response_seconds_count", float64(s.Count), labels...)
		}
	}
	m.family("cutover_outcomes", "gauge", "Requests by outcome.")
	for _, s := range r.Steps {
		for _, name := range sortedKeys(s.Outcomes) {
			m.sample("cutover_outcomes", float64(s.Outcomes[name]), "scenario", s.Scenario, "step", s.Step, "path", s.Path, "outcome", name)
		}
	}
}

func (m metric) judgements(r *result.Result) {
	m.family("cutover_findings", "gauge", "Distinct differences by class, severity and whether they are waived.")
	type key struct {
		class    result.Class
		severity result.Severity
		waived   bool
	}
	counts := map[key]int{}
	for _, f := range r.Findings {
		counts[key{f.Class, f.Severity, f.Waived}]++
	}
	for _, class := range result.Classes() {
		for _, severity := range []result.Severity{result.Critical, result.Major, result.Minor, result.Info} {
			for _, waived := range []bool{false, true} {
				m.sample("cutover_findings", float64(counts[key{class, severity, waived}]), "class", string(class), "severity", string(severity), "waived", strconv.FormatBool(waived))
			}
		}
	}
	m.family("cutover_gate_held", "gauge", "1 for a gate that held, 0 for one that failed or had no data.")
	seen := map[string]bool{}
	for _, g := range r.Gates {
		if !seen[g.Gate] {
			m.sample("cutover_gate_held", truth(g.Verdict == result.Pass), "gate", g.Gate)
		}
		seen[g.Gate] = true
	}
	m.family("cutover_generator_lag_p99_seconds", "gauge", "How late the generator sent, 99th percentile.")
	m.sample("cutover_generator_lag_p99_seconds", r.Generator.LagP99/1000)
	m.family("cutover_generator_cpu_ratio", "gauge", "Share of all processors that the generator used.")
	m.sample("cutover_generator_cpu_ratio", r.Generator.CPU)
}
