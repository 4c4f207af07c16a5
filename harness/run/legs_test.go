package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

func mustRun(t *testing.T, p *plan.Plan, d run.Deps) *result.Result {
	t.Helper()
	got, err := run.Run(t.Context(), p, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Buckets.Check(); err != nil {
		t.Error(err)
	}
	return got
}

const chainSuite = `
suite: chain
scenarios:
  - name: open
    steps:
      - name: list
        get: /messages
        capture: {first: "$.value[0].id"}
      - name: read
        get: /messages/{{first}}
        think: 200ms
load:
  - {name: steady, constant: {rate: 10/s, for: 1s}}
`

func TestAStepUsesWhatAnEarlierOneCaptured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, chainSuite, onePath, plan.Options{Iterations: 1})
		s := newTarget(func(req *wire.Request, _ time.Duration) reply {
			if strings.HasSuffix(req.URL, "/messages") {
				return reply{status: 200, body: `{"value":[{"id":"A/1"}]}`, after: 50 * time.Millisecond}
			}
			return reply{status: 200, body: `{"id":"A/1"}`, after: 30 * time.Millisecond}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		type asked struct {
			URL string
			At  time.Duration
		}
		var sent []asked
		for _, r := range s.requests() {
			sent = append(sent, asked{r.url, r.at})
		}
		want := []asked{{"http://127.0.0.1:9/messages", 0}, {"http://127.0.0.1:9/messages/A%2F1", 250 * time.Millisecond}}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("requests (-want +got)\n%s", diff)
		}
		near(t, "list", row(t, got, "list", "only").Response.P50, 50)
		near(t, "read, whose due time is behind the think time", row(t, got, "read", "only").Response.P50, 30)
		near(t, "the whole leg", row(t, got, result.WholeLeg, "only").Response.P50, 280)
	})
}

func TestACaptureThatFindsNothingEndsTheLeg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, chainSuite, onePath, plan.Options{})
		s := newTarget(func(*wire.Request, time.Duration) reply { return reply{status: 200, body: `{"value":[]}`} })
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		if want := (result.Buckets{Planned: 10, Failed: 10}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
		fault := []result.Fault{{Scenario: "open", Step: "list", Path: "only", Reason: "capture first found nothing at $.value[0].id", Count: 10}}
		if diff := cmp.Diff(fault, got.Faults); diff != "" {
			t.Errorf("faults (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff([]string{"comparison of the two paths: the profile has one path", "open/read on only: never asked in a measured phase"}, got.NotTested); diff != "" {
			t.Errorf("not tested (-want +got)\n%s", diff)
		}
	})
}

// A server that pushes back is asked again after the time it names and not before,
// by nobody, and the response time counts from the first due time.
func TestAThrottledMailboxIsLeftAloneUntilItsRetryAfterHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{})
		s := newTarget(func(_ *wire.Request, at time.Duration) reply {
			if at >= 2*time.Second && at < 2*time.Second+30*time.Millisecond {
				return reply{status: 429, header: wire.Header{{Name: "Retry-After", Value: "3"}}, after: time.Millisecond}
			}
			return reply{status: 200, body: "{}", after: time.Millisecond}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		for _, r := range s.requests() {
			if r.at > 2*time.Second+time.Millisecond && r.at < 5*time.Second {
				t.Errorf("a request at %v, inside the pause", r.at)
			}
		}
		if want := (result.Buckets{Planned: 1000, Completed: 1000}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
		get := row(t, got, "get", "only")
		near(t, "the longest response", get.Response.Max, 3002)
		if tr := got.Traffic["only"]; tr.Steps != 1000 || tr.Retries != 1 {
			t.Errorf("traffic %+v, want 1000 steps and 1 retry", tr)
		}
	})
}

func TestPoliciesForPushback(t *testing.T) {
	for _, one := range []struct {
		policy  string
		want    result.Buckets
		steps   uint64
		retries uint64
	}{
		{"observe", result.Buckets{Planned: 10, Throttled: 10}, 10, 0},
		{"ignore", result.Buckets{Planned: 10, Throttled: 10}, 10, 40},
		{"honour", result.Buckets{Planned: 10, Throttled: 10}, 10, 40},
	} {
		t.Run(one.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(getSuite, "scenarios:", "pushback: "+one.policy+"\nmax_lag: 10m\nscenarios:", 1), onePath, plan.Options{Iterations: 10})
				s := newTarget(func(*wire.Request, time.Duration) reply {
					return reply{status: 503, header: wire.Header{{Name: "Retry-After", Value: "1"}}}
				})
				got := mustRun(t, p, deps(map[string]*target{"only": s}))
				if got.Buckets != one.want {
					t.Errorf("buckets %+v, want %+v", got.Buckets, one.want)
				}
				if tr := got.Traffic["only"]; tr.Steps != one.steps || tr.Retries != one.retries {
					t.Errorf("traffic %+v, want %d steps and %d retries", tr, one.steps, one.retries)
				}
				if n := row(t, got, "get", "only").Outcomes["throttled"]; n != 10 {
					t.Errorf("%d steps ended throttled, want 10", n)
				}
				if h := row(t, got, "get", "only").Histogram.Count(); h != 0 {
					t.Errorf("%d throttling answers stand among the latencies", h)
				}
			})
		})
	}
}

const writeSuite = `
suite: mixed
scenarios:
  - name: look
    weight: 3
    steps: [{name: get, get: /items}]
  - name: write
    weight: 1
    steps:
      - {name: create, post: /items, body: {name: "{{random.word}}", tag: "{{run.tag}}", n: "{{iteration}}", who: "{{mailbox.smtp}}"}, expect: {status: 201}, capture: {id: $.id}}
      - {name: drop, delete: "/items/{{id}}", expect: {status: 204}}
load:
  - {name: steady, constant: {rate: 200/s, for: 5s}}
`

func crud(wait time.Duration) func(*wire.Request, time.Duration) reply {
	return func(req *wire.Request, _ time.Duration) reply {
		switch req.Method {
		case "POST":
			return reply{status: 201, body: `{"id":"N-1"}`, after: wait}
		case "DELETE":
			return reply{status: 204, after: wait}
		}
		return reply{status: 200, body: `{"value":[]}`, after: wait}
	}
}

func TestMailboxesAreNeverAskedByMoreThanTheirCapAndWritersStayAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, writeSuite, pairProfile(12), plan.Options{})
		near, far := newTarget(crud(120*time.Millisecond)), newTarget(crud(40*time.Millisecond))
		got := mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		if got.Buckets.Planned != 2000 {
			t.Errorf("planned %d legs, want 2000", got.Buckets.Planned)
		}
		for path, s := range map[string]*target{"near": near, "far": far} {
			writers, readers := map[string]bool{}, map[string]bool{}
			for _, r := range s.requests() {
				if r.method == "GET" {
					readers[r.mailbox] = true
				} else {
					writers[r.mailbox] = true
				}
			}
			for box := range writers {
				if readers[box] {
					t.Errorf("%s: %s is read and written", path, box)
				}
				if s.mostOpen[box] != 1 {
					t.Errorf("%s: %d requests in flight at most for %s, which has one writer", path, s.mostOpen[box], box)
				}
			}
			for box := range readers {
				if s.mostOpen[box] > 4 {
					t.Errorf("%s: %d requests in flight for %s, cap 4", path, s.mostOpen[box], box)
				}
			}
			if len(writers) == 0 || len(writers)+len(readers) != 12 {
				t.Errorf("%s: %d mailboxes written, %d read, want 12 together", path, len(writers), len(readers))
			}
			if sum := got.Traffic[path].Sum(); sum != uint64(len(s.requests())) {
				t.Errorf("%s: traffic %d, the target saw %d", path, sum, len(s.requests()))
			}
		}
	})
}

func TestBothPathsAreAskedTheSameQuestionInTheirOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, writeSuite, pairProfile(4), plan.Options{})
		near, far := newTarget(crud(time.Millisecond)), newTarget(crud(time.Millisecond))
		mustRun(t, p, deps(map[string]*target{"near": near, "far": far}))
		bodies := func(s *target, smtp string) (out []string) {
			for _, r := range s.requests() {
				if r.method == "POST" {
					out = append(out, strings.ReplaceAll(r.body, smtp, "SMTP"))
				}
			}
			slices.Sort(out)
			return out
		}
		left, right := bodies(near, "@near.test"), bodies(far, "@far.test")
		if diff := cmp.Diff(left, right); diff != "" {
			t.Errorf("the bodies differ in more than the mailbox's address (-near +far)\n%s", diff)
		}
		if len(left) != 250 || !strings.Contains(left[0], `"tag":"cutover-test"`) {
			t.Errorf("%d bodies, the first is %s", len(left), left[0])
		}
	})
}

func TestPollingCountsAsPollsAndTimesTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := `
suite: poll
scenarios:
  - name: visible
    steps:
      - name: look
        get: /items
        until: {check: items > 0, every: 100ms, within: 5s}
load:
  - {name: steady, constant: {rate: 1/s, for: 1s}}
`
		p := compile(t, suite, onePath, plan.Options{})
		s := newTarget(func(_ *wire.Request, at time.Duration) reply {
			if at < 350*time.Millisecond {
				return reply{status: 200, body: `{"value":[]}`, after: 10 * time.Millisecond}
			}
			return reply{status: 200, body: `{"value":[1]}`, after: 10 * time.Millisecond}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		if tr := got.Traffic["only"]; tr.Steps != 1 || tr.Polls != 4 {
			t.Errorf("traffic %+v, want 1 step and 4 polls", tr)
		}
		near(t, "a request", row(t, got, "look", "only").Response.Max, 10)
		near(t, "the wait", row(t, got, "look (wait)", "only").Response.Max, 450)
		if want := (result.Buckets{Planned: 1, Completed: 1}); got.Buckets != want {
			t.Errorf("buckets %+v, want %+v", got.Buckets, want)
		}
	})
}

func TestStepsRepeatAndDependOnConditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := `
suite: when
vars: {mode: "%s"}
scenarios:
  - name: one
    steps:
      - {name: three, get: /a, repeat: 3}
      - {name: maybe, get: /b, when: mode == "on"}
load:
  - {name: steady, constant: {rate: 1/s, for: 1s}}
`
		for mode, want := range map[string][]string{"on": {"/a", "/a", "/a", "/b"}, "off": {"/a", "/a", "/a"}} {
			p := compile(t, fmt.Sprintf(suite, mode), onePath, plan.Options{})
			s := newTarget(always(time.Millisecond))
			mustRun(t, p, deps(map[string]*target{"only": s}))
			var asked []string
			for _, r := range s.requests() {
				asked = append(asked, strings.TrimPrefix(r.url, "http://127.0.0.1:9"))
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("mode %s (-want +got)\n%s", mode, diff)
			}
		}
	})
}

func TestThePartsOfABatchAreJudgedAndCaptured(t *testing.T) {
	suite := `
suite: batch
scenarios:
  - name: both
    steps:
      - name: ask
        batch:
          - {name: one, get: /me/messages, query: {$top: 1}, capture: {first: "$.value[0].id"}}
          - {name: two, post: /me/messages, body: {subject: "{{run.tag}}"}, after: [one], expect: {status: 201}}
      - {name: read, get: "/me/messages/{{first}}"}
load: [{name: steady, constant: {rate: 1/s, for: 1s}}]
`
	for _, row := range []struct {
		it, second string
		want       []string
		fault      string
	}{
		{"goes on with what a part said", `{"id":"two","status":201,"body":{}}`, []string{"/$batch", "/me/messages/M7"}, ""},
		{"ends when a part is not as expected", `{"id":"two","status":403,"body":{}}`, []string{"/$batch"}, "batch part two: status 403, expected 201"},
		{"ends when a part was not answered", `{"id":"three","status":201}`, []string{"/$batch"}, "batch part two was not answered"},
	} {
		t.Run(row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, suite, onePath, plan.Options{})
				s := newTarget(func(req *wire.Request, _ time.Duration) reply {
					if req.Method == "GET" {
						return reply{status: 200, body: "{}"}
					}
					return reply{status: 200, body: `{"responses":[` + row.second + `,{"id":"one","status":200,"body":{"value":[{"id":"M7"}]}}]}`}
				})
				got := mustRun(t, p, deps(map[string]*target{"only": s}))
				var asked []string
				for _, r := range s.requests() {
					asked = append(asked, strings.TrimPrefix(r.url, "http://127.0.0.1:9"))
				}
				if diff := cmp.Diff(row.want, asked); diff != "" {
					t.Errorf("requests (-want +got)\n%s", diff)
				}
				body := `{"requests":[{"id":"one","method":"GET","url":"/me/messages?$top=1"},{"id":"two","method":"POST","url":"/me/messages","dependsOn":["one"],"headers":{"Content-Type":"application/json"},"body":{"subject":"cutover-test","categories":["cutover-test"]}}]}`
				if diff := cmp.Diff(body, s.requests()[0].body); diff != "" {
					t.Errorf("body (-want +got)\n%s", diff)
				}
				if row.fault != "" && (len(got.Faults) != 1 || got.Faults[0].Reason != row.fault) {
					t.Errorf("faults %+v, want %q", got.Faults, row.fault)
				}
			})
		})
	}
}
