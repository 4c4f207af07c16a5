package run_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// throttling is a service with a ledger of its own. It lets so many requests a second
// of a key pass and answers the others 429 with a Retry-After, and notes each request
// that comes after a refusal and before the time that this one asked for. It answers
// at once, so that what is on the way when a window opens came at the same moment.
type throttling struct {
	perSecond int
	after     time.Duration
	key       func(*wire.Request) string
	body      string
	header    wire.Header

	mu     sync.Mutex // guards everything below
	second map[string]int
	passed map[string]int
	opened map[string]time.Duration // when the window of a key opened
	shut   map[string]time.Duration // when it closes
	early  int
	first  int // number of the first request that was refused
	asked  int
}

func (s *throttling) answer(req *wire.Request, at time.Duration) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut == nil {
		s.second, s.passed, s.opened, s.shut = map[string]int{}, map[string]int{}, map[string]time.Duration{}, map[string]time.Duration{}
	}
	s.asked++
	key := s.key(req)
	if at > s.opened[key] && at < s.shut[key] {
		s.early++
	}
	if second := int(at / time.Second); s.second[key] != second {
		s.second[key], s.passed[key] = second, 0
	}
	if s.passed[key]++; s.passed[key] <= s.perSecond {
		return reply{status: 200, body: "{}"}
	}
	if s.first == 0 {
		s.first = s.asked
	}
	if at >= s.shut[key] {
		s.opened[key] = at
	}
	s.shut[key] = at + s.after
	header := append(wire.Header{{Name: "Retry-After", Value: fmt.Sprint(s.after.Seconds())}}, s.header...)
	return reply{status: 429, body: s.body, header: header}
}

func byMailbox(req *wire.Request) string { return req.Mailbox }
func byApp(*wire.Request) string         { return "" }

const stepsSuite = `
suite: steps
pushback: honour
scenarios:
  - name: page
    steps:
      - name: get
        get: /item
load:
  - {name: rise, stages: [{rate: 20/s, for: 10s}, {rate: 40/s, for: 10s}, {rate: 60/s, for: 10s}]}
`

// Whether a window is kept is the service's to say: its ledger and the result's must
// agree, and under honour both say none.
func TestNothingLeavesWhileTheServerHasAskedToWait(t *testing.T) {
	concurrency := `{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}`
	for _, row := range []struct {
		it, policy string
		service    *throttling
		early      bool
		bucket     string
		evidence   string
	}{
		{"keeps to the window of a mailbox", "honour", &throttling{perSecond: 5, after: 2 * time.Second, key: byMailbox, body: concurrency}, false,
			result.BucketConcurrency, "MailboxConcurrency"},
		{"keeps to the window of the whole application", "honour", &throttling{perSecond: 45, after: 2 * time.Second, key: byApp,
			header: wire.Header{{Name: "RateLimit-Policy", Value: "45;w=1"}}}, false, result.BucketApp, "RateLimit-Policy: 45;w=1"},
		{"presses on when told to ignore it", "ignore", &throttling{perSecond: 5, after: 2 * time.Second, key: byMailbox, body: concurrency}, true,
			result.BucketConcurrency, "MailboxConcurrency"},
		{"goes on as planned when told to observe", "observe", &throttling{perSecond: 5, after: 2 * time.Second, key: byMailbox}, true, result.BucketUnnamed, ""},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				suite := strings.Replace(stepsSuite, "honour", row.policy, 1)
				p := compile(t, suite, pairProfile(8), plan.Options{Only: plan.Left})
				s := newTarget(row.service.answer)
				got := mustRun(t, p, deps(map[string]*target{"near": s}))
				if len(got.Pushback) != 1 {
					t.Fatalf("%d paths were pushed back: %+v", len(got.Pushback), got.Pushback)
				}
				push := got.Pushback[0]
				if (row.service.early > 0) != row.early || push.Violated != uint64(row.service.early) {
					t.Errorf("the service saw %d requests too early, the result says %d; want some: %v", row.service.early, push.Violated, row.early)
				}
				want := result.FirstThrottle{Request: uint64(row.service.first), AtMS: push.First.AtMS, Bucket: row.bucket, Mailbox: push.First.Mailbox,
					Scenario: "page", Step: "get", Status: 429, RetryMS: 2000, Evidence: row.evidence}
				if diff := cmp.Diff(&want, push.First); diff != "" || push.First.AtMS < 10_000 || push.First.Mailbox == "" {
					t.Errorf("first throttle at %v ms (-want +got)\n%s", push.First.AtMS, diff)
				}
				if push.Policy != row.policy || push.Requests != uint64(row.service.asked) || push.Answers == 0 || push.Buckets[row.bucket] != push.Answers {
					t.Errorf("%s: %d of %d throttled, by bucket %v; the service was asked %d times", push.Policy, push.Answers, push.Requests, push.Buckets, row.service.asked)
				}
			})
		})
	}
}

// The share of throttled answers begins at the limit, and the points say so.
func TestTheKneeLiesWhereThrottlingBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := throttling{perSecond: 45, after: time.Second, key: byApp}
		p := compile(t, strings.Replace(stepsSuite, "honour", "observe", 1), pairProfile(100), plan.Options{Only: plan.Left})
		got := mustRun(t, p, deps(map[string]*target{"near": newTarget(service.answer)}))
		push := got.Pushback[0]
		if push.Knee == nil || push.Knee.HeldPS < 39 || push.Knee.HeldPS > 45 || push.Knee.ThrottledPS < 45 || push.Knee.ThrottledPS > 61 {
			t.Fatalf("knee %+v, points %+v; the limit is 45/s", push.Knee, push.Points)
		}
		var seconds, throttled uint64
		for _, point := range push.Points {
			seconds += point.Seconds
			throttled += point.Throttled
			if share := point.Share(); point.OfferedPS > 59 && (share < 0.23 || share > 0.27) {
				t.Errorf("at %v/s %v of the requests were throttled, want a quarter", point.OfferedPS, share)
			}
		}
		if seconds != 30 || throttled != push.Answers {
			t.Errorf("%d seconds and %d throttled answers in the points, want 30 and %d", seconds, throttled, push.Answers)
		}
	})
}

// Waiting as asked moves requests to later seconds and bunches them up there; the knee stays
// between the rates of the schedule between which the limit lies.
func TestTheKneeIsTheSameHoweverPushbackIsTaken(t *testing.T) {
	for _, row := range []struct {
		it, policy string
		service    *throttling
		mailboxes  int
	}{
		{"honours short windows of the whole application", "honour", &throttling{perSecond: 45, after: time.Second, key: byApp}, 100},
		{"honours long windows of the whole application", "honour", &throttling{perSecond: 45, after: 5 * time.Second, key: byApp}, 100},
		{"honours windows of mailboxes", "honour", &throttling{perSecond: 5, after: 2 * time.Second, key: byMailbox}, 10},
		{"observes windows of mailboxes", "observe", &throttling{perSecond: 5, after: 2 * time.Second, key: byMailbox}, 10},
	} {
		t.Run("it "+row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, strings.Replace(stepsSuite, "honour", row.policy, 1), pairProfile(row.mailboxes), plan.Options{Only: plan.Left})
				got := mustRun(t, p, deps(map[string]*target{"near": newTarget(row.service.answer)}))
				push := got.Pushback[0]
				if push.Knee == nil || push.Knee.HeldPS < 39 || push.Knee.HeldPS > 41 || push.Knee.ThrottledPS < 59 || push.Knee.ThrottledPS > 61 {
					t.Errorf("knee %+v, points %+v; the schedule has 40/s and 60/s, the limit is in between", push.Knee, push.Points)
				}
			})
		})
	}
}

func TestARetryKeepsItsFirstDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{Iterations: 1})
		asked := 0
		s := newTarget(func(*wire.Request, time.Duration) reply {
			if asked++; asked <= 2 {
				return reply{status: 503, header: wire.Header{{Name: "Retry-After", Value: "3"}}, after: 10 * time.Millisecond}
			}
			return reply{status: 200, body: "{}", after: 10 * time.Millisecond}
		})
		got := mustRun(t, p, deps(map[string]*target{"only": s}))
		get := row(t, got, "get", "only")
		if get.Count != 1 || *get.Response.Max != 6030 || *get.Service.Max != 10 || got.Traffic["only"].Retries != 2 {
			t.Errorf("%d step, response %v ms, service %v ms, %d retries; want 1, 6030, 10, 2",
				get.Count, *get.Response.Max, *get.Service.Max, got.Traffic["only"].Retries)
		}
		if push := got.Pushback[0]; push.Waits != 2 || push.LongestMS != 3000 || push.First.Bucket != result.BucketServer {
			t.Errorf("%+v", push)
		}
	})
}
