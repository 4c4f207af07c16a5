package result_test

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/hist"
	"cutover/harness/result"
)

func histogram(n int) *hist.Histogram {
	h := new(hist.Histogram)
	for i := range n {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	return h
}

func full() *result.Result {
	h := histogram(200)
	r := &result.Result{
		RunID: "r1", Suite: "smoke", Profile: "lab", Target: result.Simulated, Seed: 18446744073709551615,
		Started: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 22, 2, 1, 0, 0, time.UTC),
		Paths:   []result.PathInfo{{Name: "cloud", Side: result.Right, Dialect: "graph", URL: "https://127.0.0.1:4711/v1.0"}},
		Traffic: map[string]result.Traffic{"cloud": {Steps: 200, Tokens: 3}},
		Buckets: result.Buckets{Planned: 200, Completed: 200},
		Steps: []result.StepStats{{Scenario: "open", Step: "list", Path: "cloud", Side: result.Right, Count: 200, RatePerS: 20,
			Outcomes: map[string]uint64{"ok": 200}, Response: result.Summarise(h), Histogram: h}},
		Phases: []result.Phase{{Name: "steady", Measured: true, LengthS: 10, AskedPS: 20, GotPS: 19.8, Planned: 200}},
		Gates: []result.Outcome{
			{Gate: "p95 of right < 800ms", Observed: "190ms", Margin: "610ms", Verdict: result.Pass},
			{Gate: "count of right > 10", Observed: "200", Verdict: result.Pass, Measure: result.MeasureCount},
		},
		Findings:   []result.Finding{{ID: "case.property", Kind: "renamed", Left: `"A" <b>`, Class: result.Adapter, Severity: result.Minor, Count: 3, Share: 0.5}},
		Comparison: result.Comparison{Pairs: 200, Compared: 200},
		Generator:  result.Generator{CPU: 0.25, RSSBytes: 1 << 20, LagP99: 0.5},
	}
	result.Decide(r)
	return r
}

func TestEncodeAndDecodeAreInverse(t *testing.T) {
	data, err := result.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	back, err := result.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := result.Encode(back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(again)); diff != "" {
		t.Errorf("a second round trip changes bytes:\n%s", diff)
	}
	if back.Seed != full().Seed || back.Steps[0].Histogram.Quantile(0.95) != full().Steps[0].Histogram.Quantile(0.95) {
		t.Errorf("seed %d or histogram did not survive", back.Seed)
	}
}

// contract is the shape that scripts rely on; every name in it must be there.
const contract = `{"schema": "", "target": "", "verdict": "", "reasons": [], "exit_code": 0,
 "buckets": {"planned": 0, "completed": 0, "failed": 0, "throttled": 0, "dropped": 0, "interrupted": 0, "not_started": 0, "unknown": 0},
 "traffic": {"cloud": {"steps": 0, "retries": 0, "pages": 0, "polls": 0, "probes": 0, "fixtures": 0, "tokens": 0}},
 "steps": [{"scenario": "", "step": "", "path": "", "side": "", "count": 0, "rate_per_s": 0.0, "outcomes": {"ok": 0},
            "response_ms": {"min": 0, "mean": 0, "p50": 0, "p90": 0, "p95": 0, "p99": 0, "p99_9": 0, "max": 0}, "service_ms": {}, "lag_ms": {}, "histogram": ""}],
 "gates": [{"gate": "", "observed": "", "verdict": ""}],
 "findings": [{"id": "", "kind": "", "fingerprint": "", "severity": "", "class": "", "scenario": "", "step": "", "pointer": "", "left": "", "right": "",
   "count": 0, "share": 0.0, "attribution": "", "waived": false}],
 "not_tested": [], "generator": {"cpu": 0.0, "rss_bytes": 0, "lag_p99_ms": 0.0}}`

func TestTheNamesAreThoseOfTheContract(t *testing.T) {
	data, err := result.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	got := names(t, data)
	for name := range names(t, []byte(contract)) {
		if !got[name] {
			t.Errorf("%s is missing from result.json", name)
		}
	}
}

// names collects every key of a document as a path.
func names(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	var walk func(prefix string, node any)
	walk = func(prefix string, node any) {
		switch n := node.(type) {
		case map[string]any:
			for key, child := range n {
				out[prefix+"/"+key] = true
				walk(prefix+"/"+key, child)
			}
		case []any:
			for _, child := range n {
				walk(prefix+"/*", child)
			}
		}
	}
	walk("", tree)
	return out
}

func TestAnEmptyResultHasListsAndNotNulls(t *testing.T) {
	data, err := result.Encode(&result.Result{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reasons", "paths", "phases", "steps", "shift", "gates", "findings", "not_tested"} {
		if !strings.Contains(string(data), `"`+name+`": []`) {
			t.Errorf("%s is not an empty list", name)
		}
	}
	if !strings.Contains(string(data), `"traffic": {}`) || !strings.Contains(string(data), `"schema": "cutover.result/v1"`) {
		t.Error("traffic is not an empty object, or the schema is missing")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"another schema, naming both", `{"schema": "cutover.result/v9"}`, `result: schema is "cutover.result/v9", this version reads "cutover.result/v1"`},
		{"no schema", `{}`, `result: schema is "", this version reads "cutover.result/v1"`},
		{"what is not JSON", `verdict: pass`, `result: invalid character 'v' looking for beginning of value`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := result.Decode([]byte(c.data))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestASummaryIsNullWhereSamplesAreTooFew(t *testing.T) {
	for _, c := range []struct {
		samples int
		want    string
	}{
		{0, ""}, {1, "min mean p50 max"}, {19, "min mean p50 max"}, {20, "min mean p50 p90 p95 max"}, {99, "min mean p50 p90 p95 max"},
		{100, "min mean p50 p90 p95 p99 max"}, {999, "min mean p50 p90 p95 p99 max"}, {1000, "min mean p50 p90 p95 p99 p99_9 max"},
	} {
		data, err := json.Marshal(result.Summarise(histogram(c.samples)))
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]*float64
		if err := json.Unmarshal(data, &values); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"min", "mean", "p50", "p90", "p95", "p99", "p99_9", "max"} {
			if values[name] != nil {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%d samples carry %q, want %q", c.samples, strings.Join(got, " "), c.want)
		}
	}
}

func TestASummaryAnswersForItsOwnQuantiles(t *testing.T) {
	s := result.Summarise(histogram(1000))
	for q, want := range map[float64]*float64{0: s.Min, 0.5: s.P50, 0.9: s.P90, 0.95: s.P95, 0.99: s.P99, 0.999: s.P999, 1: s.Max, 0.42: nil} {
		if got := s.Quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestNormalisedIsTheSameForTwoRunsThatDifferOnlyInTime(t *testing.T) {
	one, two := full(), full()
	two.RunID, two.Started, two.Ended = "r2", one.Started.Add(time.Hour), one.Ended.Add(61*time.Minute)
	two.Paths[0].URL = "https://127.0.0.1:9999/v1.0"
	one.Checks = []result.Check{{ID: "net.reach", Verdict: result.Pass, Evidence: "127.0.0.1:4711 answered 200"}}
	two.Checks = []result.Check{{ID: "net.reach", Verdict: result.Pass, Evidence: "127.0.0.1:9999 answered 200"}}
	two.Traffic["cloud"] = result.Traffic{Steps: 200, Tokens: 9}
	two.Steps[0].Histogram = histogram(100)
	two.Steps[0].Response, two.Steps[0].RatePerS = result.Summarise(histogram(100)), 17
	two.Phases[0].GotPS = 12
	two.Gates[0].Observed, two.Gates[0].Margin = "77ms", "723ms"
	two.Generator = result.Generator{CPU: 0.9}
	a, b := normalised(t, one), normalised(t, two)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("-one +two:\n%s", diff)
	}
}

func TestNormalisedKeepsWhatMatters(t *testing.T) {
	for name, change := range map[string]func(*result.Result){
		"a count":               func(r *result.Result) { r.Steps[0].Count++ },
		"an outcome":            func(r *result.Result) { r.Steps[0].Outcomes["timeout"] = 1 },
		"a bucket":              func(r *result.Result) { r.Buckets.Failed++ },
		"a request":             func(r *result.Result) { r.Traffic["cloud"] = result.Traffic{Steps: 201} },
		"a finding's share":     func(r *result.Result) { r.Findings[0].Share = 0.6 },
		"a verdict":             func(r *result.Result) { r.Gates[0].Verdict = result.Fail },
		"a counted observation": func(r *result.Result) { r.Gates[1].Observed = "201" },
		"a path's address":      func(r *result.Result) { r.Paths[0].URL = "https://127.0.0.1:4711/beta" },
		"the seed's last digit": func(r *result.Result) { r.Seed-- },
		"a real target's port":  func(r *result.Result) { r.Target = result.Real },
		"what was not tested":   func(r *result.Result) { r.NotTested = []string{"writes"} },
	} {
		changed := full()
		change(changed)
		if normalised(t, full()) == normalised(t, changed) {
			t.Errorf("%s got lost", name)
		}
	}
}

func TestNormalisedRemovesExactly(t *testing.T) {
	data, err := result.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	kept := names(t, []byte(normalised(t, full())))
	var gone []string
	for name := range names(t, data) {
		if !kept[name] {
			gone = append(gone, name)
		}
	}
	sort.Strings(gone)
	want := []string{"/ended", "/gates/*/margin", "/generator", "/phases/*/asked_per_s", "/phases/*/got_per_s", "/phases/*/ran_ms", "/run_id", "/started",
		"/steps/*/bytes_in", "/steps/*/bytes_out", "/steps/*/cap_wait_ms", "/steps/*/goodput_per_s", "/steps/*/histogram", "/steps/*/lag_ms", "/steps/*/rate_per_s",
		"/steps/*/response_ms", "/steps/*/service_ms", "/traffic/cloud/tokens"}
	if diff := cmp.Diff(want, dropStars(gone)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// dropStars leaves out what vanished together with its parent.
func dropStars(paths []string) []string {
	var out []string
	for _, p := range paths {
		if !strings.Contains(p, "generator/") && !strings.Contains(p, "_ms/") {
			out = append(out, p)
		}
	}
	return out
}

func normalised(t *testing.T, r *result.Result) string {
	t.Helper()
	data, err := r.Normalised()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRunJSONCarriesAResultBack(t *testing.T) {
	r := full()
	data, err := json.Marshal(r.Asked())
	if err != nil {
		t.Fatal(err)
	}
	var run result.Run
	if err := json.Unmarshal(data, &run); err != nil {
		t.Fatal(err)
	}
	if run.Achieved == nil || run.Achieved.Verdict != r.Verdict || run.Planned != 200 || run.Schema != result.RunSchema {
		t.Errorf("run.json says %+v", run)
	}
	back := run.Result()
	if back.Suite != r.Suite || back.Seed != r.Seed || back.Buckets.Planned != 200 || len(back.Gates) == 0 || back.Gates[0].Verdict != result.NoData {
		t.Errorf("what was asked did not come back: %+v", back)
	}
}

func TestASampleIsTimedFromWhenItWasDue(t *testing.T) {
	s := result.Sample{Due: 10, Sent: 13, Done: 40}
	if s.Response() != 30 || s.Service() != 27 || s.Lag() != 3 {
		t.Errorf("response %d, service %d, lag %d; want 30, 27, 3", s.Response(), s.Service(), s.Lag())
	}
}

func TestFailedCountsEverythingButSuccessAndThrottling(t *testing.T) {
	s := result.StepStats{Outcomes: map[string]uint64{"ok": 7, "throttled": 5, "timeout": 2, "unexpected": 1}}
	if s.Failed() != 3 {
		t.Errorf("failed is %d, want 3", s.Failed())
	}
}

func TestSeveritiesAreRanked(t *testing.T) {
	order := []result.Severity{result.Critical, result.Major, result.Minor, result.Info, "unheard-of"}
	for i := 1; i < len(order); i++ {
		if order[i].AtLeast(order[i-1]) || !order[i-1].AtLeast(order[i]) {
			t.Errorf("%s and %s are not ranked", order[i-1], order[i])
		}
	}
}
