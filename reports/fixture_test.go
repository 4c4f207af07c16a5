package reports_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"cutover/harness/hist"
	"cutover/harness/result"
)

// fixture is one result that every golden is made of: a run of the lab, forty
// seconds long, with something in every section. It is made anew for each
// test, so that no test can change another's.
func fixture() *result.Result {
	r := &result.Result{
		Schema: result.Schema, RunID: "2026-11-22T02-30-00Z-mail-read", Suite: "mail-read", SuiteFile: "suites/mail-read.yaml",
		SuiteHash: "sha256:5f0c1e", Profile: "lab", ProfileHash: "sha256:9ab3d0", PlanHash: "sha256:77e2c4",
		Target: result.Simulated, Seed: 42, Command: "cutover run mail-read --seed 42",
		Started:  time.Date(2026, 11, 22, 2, 30, 0, 0, time.UTC),
		Ended:    time.Date(2026, 11, 22, 2, 30, 40, 600e6, time.UTC),
		Versions: result.Versions{Cutover: "0.1.0", Go: "go1.26.8", OS: "linux", Arch: "amd64", Host: "jump-01", CPUs: 2},
		Paths: []result.PathInfo{
			{Name: "onprem", Side: result.Left, Dialect: "rest", URL: "https://127.0.0.1:41873/api/v2.0", Protocol: "HTTP/1.1", Server: "15.2.1544.4"},
			{Name: "cloud", Side: result.Right, Dialect: "graph", URL: "https://127.0.0.1:41873/v1.0", Protocol: "HTTP/1.1"},
		},
		Mailboxes: 50,
		Phases: []result.Phase{
			{Name: "warm-up", Model: "ramp 5/s to 50/s over 10s", StartS: 0, LengthS: 10, Planned: 275, AskedPS: 27.5, GotPS: 27.5},
			{Name: "steady", Model: "constant 50/s for 30s", Measured: true, StartS: 10, LengthS: 30, Planned: 1500, AskedPS: 50, GotPS: 49.97},
		},
		Traffic: map[string]result.Traffic{
			"onprem": {Steps: 3012, Retries: 4, Pages: 188, Probes: 6, Tokens: 50},
			"cloud":  {Steps: 3009, Retries: 21, Pages: 94, Probes: 6, Tokens: 1},
		},
		Buckets:     result.Buckets{Planned: 3550, Completed: 3529, Failed: 3, Throttled: 17, Dropped: 1},
		DropReasons: map[string]uint64{"later than max_lag (30 s)": 1},
		Comparison: result.Comparison{Pairs: 1770, Compared: 1749, Equal: 1702, Identical: 0, Different: 47,
			Skipped: map[string]uint64{"one side failed": 20, "dropped": 1}, NotComp: []string{"week/view: sent as written on onprem"}},
		Identities:  result.Identities{Matched: 1248, Merged: 0, Split: 2},
		Cleanup:     result.Cleanup{Created: 12, Removed: 12, Proof: "absence shown by listing both sides"},
		NotTested:   []string{"writes: the suite only reads", "attachments above 3 MB", "real networks: both sides answer from this machine"},
		Generator:   result.Generator{CPU: 0.342, RSSBytes: 61_400_000, LagP99: 0.812, LagMax: 4.21, GCPause: 0.31, Opened: 104, Reused: 6021, InProcess: true},
		ValuesShown: true,
	}
	r.Faults = []result.Fault{{Scenario: "open-inbox", Step: "read", Path: "onprem", Reason: "no answer within 2s", Count: 3}}
	r.Answers = fourAnswers()
	r.Checks = fixtureChecks()
	r.Findings = fixtureFindings()
	r.Waivers = []result.Waiver{waiver}
	measure(r)
	prove(r)
	r.Paired = fixturePaired()
	r.Pushback = fixturePushback()
	r.Gates = []result.Outcome{
		{Gate: "p95 of right < 800ms", Observed: "231ms", Limit: "800ms", Margin: "569ms", Verdict: result.Pass, Measure: result.MeasureLatency, Line: 31},
		{Gate: "p95 of right - p95 of left < 400ms", Observed: "104ms", Limit: "400ms", Margin: "296ms", Verdict: result.Pass, Measure: result.MeasureLatency, Line: 32},
		{Gate: "failed on each path < 0.5%", Observed: "0.0846%", Limit: "0.5%", Margin: "0.415%", Verdict: result.Pass, Measure: result.MeasureShare, Line: 33},
		{Gate: "p99.9 of week.view on left < 2s", Verdict: result.NoData, Measure: result.MeasureLatency, MayBeEmpty: true, Note: "428 samples, 1,000 needed", Line: 34},
	}
	result.Decide(r)
	return r
}

// failing is the fixture with a breaking difference and a failed gate.
func failing() *result.Result {
	r := fixture()
	r.Findings[1].Waived, r.Findings[1].Waiver = false, nil
	r.Gates[0].Verdict, r.Gates[0].Observed, r.Gates[0].Margin = result.Fail, "912ms", "112ms"
	r.Target = result.Real
	result.Decide(r)
	return r
}

func fourAnswers() []result.Answer {
	const box, ask = "ann@onprem.lab.test", "GET /me/messages"
	return []result.Answer{
		{Mailbox: box, Route: "on-prem /api", Token: "the user", Request: ask, Status: 200, Meaning: "the mailbox lives here"},
		{Mailbox: box, Route: "Graph of 2019", Token: "the user", Request: ask, Status: 200, Meaning: "the hybrid proxy passed it on"},
		{Mailbox: box, Route: "Graph of 2019", Token: "app-only", Request: ask, Status: 401, Code: "2000001",
			Says: "token kind V1S2SAppOnly is not accepted", Meaning: "app-only tokens do not cross the hybrid proxy"},
		{Mailbox: box, Route: "Graph today", Token: "the user", Request: ask, Status: 404, Code: "MailboxNotEnabledForRESTAPI",
			Says: "REST is not available for this mailbox", Meaning: "the proxy was retired"},
	}
}

func fixtureChecks() []result.Check {
	return []result.Check{
		{ID: "tls.chain", Title: "certificate chain", Path: "onprem", Verdict: result.Pass, Evidence: "issued by cutover lab CA"},
		{ID: "clock.skew", Title: "clock", Path: "cloud", Verdict: result.Warn, Evidence: "1.2 s ahead of this machine", Remedy: "synchronise the clocks: tokens are dated"},
		{ID: "tls.chain", Title: "certificate chain", Path: "cloud", Verdict: result.Pass, Evidence: "issued by cutover lab CA"},
	}
}

var waiver = result.Waiver{Finding: "page.cap", Reason: "the client pages anyway", Owner: "mail team",
	Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}

func fixtureFindings() []result.Finding {
	return []result.Finding{
		{ID: "case.property", Title: "property casing", Kind: "renamed", Fingerprint: "a1b2c3d4", Severity: result.Minor, Class: result.Adapter,
			Scenario: "open-inbox", Step: "list", Endpoint: "GET /me/mailFolders/{id}/messages", Pointer: "/value/*/Subject",
			Left: `"Subject"`, Right: `"subject"`, Count: 1021, Share: 1, Attribution: "left",
			Cause: "Outlook REST writes PascalCase, Graph camelCase", Remedy: "fold the case of property names in the client's model",
			Source:  "outlook-dev-docs: compare-graph",
			Example: &result.Example{Arrival: 3, Mailbox: "pair-007", LeftStatus: 200, RightStatus: 200, LeftRequestID: "0f3c", RightRequestID: "77ab"},
			Where:   &result.Where{File: "suites/mail-read.yaml", Line: 9, Col: 9}},
		{ID: "page.cap", Title: "page size is capped", Kind: "value", Fingerprint: "b2c3d4e5", Severity: result.Major, Class: result.Breaking,
			Scenario: "open-inbox", Step: "list", Endpoint: "GET /me/mailFolders/{id}/messages", Pointer: "/value",
			Left: "50 items", Right: "25 items", Count: 47, Share: 0.046, Attribution: "left", Waived: true, Waiver: &waiver,
			Cause: "on-prem answers at most 50 items a page", Remedy: "follow the next link and do not count on a page's size",
			Where: &result.Where{File: "suites/mail-read.yaml", Line: 9, Col: 9}},
		{ID: "settings.missing", Title: "mailbox settings", Kind: "status", Fingerprint: "c3d4e5f6", Severity: result.Info, Class: result.Capability,
			Scenario: "week", Step: "view", Endpoint: "GET /me/calendarView", Pointer: "/value/*/onlineMeeting",
			Left: "", Right: "object(3)", Count: 428, Share: 1, Attribution: "left", Cause: "online meetings are a cloud feature",
			Where: &result.Where{File: "suites/mail-read.yaml", Line: 19, Col: 9}},
		{ID: "body.html", Title: "HTML body is rewritten", Kind: "value", Fingerprint: "d4e5f6a7", Severity: result.Minor, Class: result.Adapter,
			Scenario: "open-inbox", Step: "read", Endpoint: "GET /me/messages/{id}", Pointer: "/body/content",
			Left: `<html><body><p>Hallo</p></body></html>`, Right: `<html><head><meta charset="utf-8"></head><body><p>Hallo</p></body></html>`,
			Count: 311, Share: 0.304, Attribution: "right", Cause: "the cloud sanitises bodies on delivery", Remedy: "compare text, not markup",
			Where: &result.Where{File: "suites/mail-read.yaml", Line: 13, Col: 9}},
		{ID: "throttle.headers", Title: "rate limit headers", Kind: "presence", Fingerprint: "e5f6a7b8", Severity: result.Info, Class: result.Timing,
			Scenario: "week", Step: "view", Endpoint: "GET /me/calendarView", Pointer: "#/Retry-After", Left: "", Right: "2", Count: 17, Share: 0.04, Attribution: "right"},
	}
}

// shape is how one step answers on one side.
type shape struct {
	scenario, step, endpoint string
	line                     int
	perSecond                int
	left, right              float64 // median, ms
	sigma                    float64
	tail                     float64 // share of the right side that queues
}

var shapes = []shape{
	{"open-inbox", "list", "GET /me/mailFolders/{id}/messages", 9, 34, 41, 93, 0.34, 0.03},
	{"open-inbox", "read", "GET /me/messages/{id}", 13, 34, 18, 47, 0.28, 0.01},
	{"open-inbox", result.WholeLeg, "", 0, 34, 62, 143, 0.27, 0.03},
	{"week", "view", "GET /me/calendarView", 19, 14, 88, 71, 0.4, 0.02},
	{"week", result.WholeLeg, "", 0, 14, 88, 71, 0.4, 0.02},
}

// measure fills series, rows and shifts with latencies drawn from the shapes.
func measure(r *result.Result) {
	random := rand.New(rand.NewPCG(42, 7))
	type key struct{ row, side int }
	total := map[key]*hist.Histogram{}
	outcomes := map[key]map[string]uint64{}
	for t := range 40 {
		s := result.Second{T: t, Phase: "warm-up", CPU: 0.2 + 0.14*random.Float64(), RSSBytes: 58_000_000 + uint64(t)*85_000, LagP99: 0.3 + random.Float64()*0.5}
		rate := float64(t+1) / 10
		if t >= 10 {
			s.Phase, s.Measured, rate = "steady", true, 1
		}
		for i, sh := range shapes {
			for side, median := range []float64{sh.left, sh.right} {
				k := key{i, side}
				if total[k] == nil {
					total[k], outcomes[k] = new(hist.Histogram), map[string]uint64{}
				}
				p := result.SeriesPoint{Scenario: sh.scenario, Step: sh.step, Path: r.Paths[side].Name}
				second := new(hist.Histogram)
				stall := 1.0
				if side == 1 && t >= 24 && t < 27 {
					stall = 2.6
				}
				for range int(float64(sh.perSecond)*rate + 0.5) {
					v := median * stall * math.Exp(sh.sigma*random.NormFloat64())
					if side == 1 && random.Float64() < sh.tail {
						v *= 2.5 + 3*random.Float64()
					}
					second.Record(time.Duration(v * float64(time.Millisecond)))
					p.Count++
				}
				if side == 1 && (t == 25 || t == 26) && sh.step != result.WholeLeg {
					p.Throttled = 3
				}
				if side == 0 && t == 31 && sh.step == "read" {
					p.Errors = 3
				}
				p.Histogram = hist.Pack(second)
				s.Series = append(s.Series, p)
				if s.Measured {
					total[k].Merge(second)
					outcomes[k][result.OutcomeOK] += p.Count - p.Errors - p.Throttled
					if p.Throttled > 0 {
						outcomes[k][result.OutcomeThrottled] += p.Throttled
					}
					if p.Errors > 0 {
						outcomes[k][result.OutcomeTimeout] += p.Errors
					}
				}
				if sh.step == result.WholeLeg {
					s.Due += p.Count
					s.Buckets.Completed += p.Count
				}
			}
		}
		s.InFlight = uint64(4 + random.IntN(5))
		r.Series = append(r.Series, s)
	}
	for i, sh := range shapes {
		for side, p := range r.Paths {
			h := total[key{i, side}]
			r.Steps = append(r.Steps, result.StepStats{Scenario: sh.scenario, Step: sh.step, Path: p.Name, Side: p.Side, Endpoint: sh.endpoint,
				Line: sh.line, Count: h.Count(), RatePerS: float64(h.Count()) / 30, Outcomes: outcomes[key{i, side}],
				BytesIn: h.Count() * 5120, BytesOut: h.Count() * 310, Response: result.Summarise(h), Histogram: h})
		}
		left, right := total[key{i, 0}], total[key{i, 1}]
		shift := result.Shift{Scenario: sh.scenario, Step: sh.step, Confidence: 0.95}
		for q, into := range map[float64]*result.Interval{0.5: &shift.P50, 0.95: &shift.P95, 0.99: &shift.P99} {
			v := math.Round(float64((right.Quantile(q)-left.Quantile(q))/time.Microsecond)) / 1000
			low, high := math.Round((v-3-8*q)*1000)/1000, math.Round((v+3+9*q)*1000)/1000
			*into = result.Interval{Value: &v, Low: &low, High: &high}
		}
		r.Shift = append(r.Shift, shift)
	}
}

// crowded is the fixture with n findings, for what must stay small and fast.
func crowded(n int) *result.Result {
	r := failing()
	for copies := range 6 { // thirty operations
		for _, p := range fixturePaired() {
			p.Scenario += fmt.Sprint(copies)
			r.Paired = append(r.Paired, p)
		}
		for _, step := range r.Steps[:10] {
			step.Scenario += fmt.Sprint(copies)
			r.Steps = append(r.Steps, step)
		}
		for i, second := range r.Series {
			for _, p := range second.Series[:10] {
				p.Scenario += fmt.Sprint(copies)
				r.Series[i].Series = append(r.Series[i].Series, p)
			}
		}
	}
	classes := result.Classes()
	severities := []result.Severity{result.Critical, result.Major, result.Minor, result.Info}
	for i := range n {
		r.Findings = append(r.Findings, result.Finding{
			ID: fmt.Sprintf("rule.%d", i%37), Kind: "value", Fingerprint: fmt.Sprintf("%08x", i), Severity: severities[i%4], Class: classes[i/4%4],
			Scenario: "open-inbox", Step: "read", Endpoint: "GET /me/messages/{id}", Pointer: fmt.Sprintf("/singleValueExtendedProperties/%d/value", i),
			Left: fmt.Sprintf("left value number %d, longer than a word", i), Right: fmt.Sprintf("right value number %d, longer than a word", i),
			Count: uint64(1 + i%90), Share: float64(1+i%90) / 100, Attribution: "both", Remedy: "read the ledger",
		})
	}
	result.Decide(r)
	return r
}
