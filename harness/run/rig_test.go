package run_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

const twoPaths = `
profile: pair
paths:
  near: {plain: {url: "http://127.0.0.1:9/near"}}
  far: {plain: {url: "http://127.0.0.1:9/far"}}
mailboxes:
%s
`

const onePath = `
profile: single
paths:
  only: {plain: {url: "http://127.0.0.1:9/"}}
`

// mailboxes writes n mailboxes of a profile.
func mailboxes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  - {name: box-%02d, near_smtp: b%d@near.test, far_smtp: b%d@far.test}\n", i, i, i)
	}
	return b.String()
}

func pairProfile(boxes int) string { return fmt.Sprintf(twoPaths, mailboxes(boxes)) }

// compile makes a plan out of texts.
func compile(t *testing.T, suite, profile string, o plan.Options) *plan.Plan {
	t.Helper()
	s, err := suites.Parse("suite.yaml", []byte(suite))
	if err != nil {
		t.Fatalf("suite: %v", err)
	}
	p, err := profiles.Parse("profile.yaml", []byte(profile))
	if err != nil {
		t.Fatalf("profile: %v", err)
	}
	o.AllowWrite = true
	out, err := plan.Compile(s, p, o)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return out
}

// target is a server in memory. Answer is called when a request arrives, with the
// time since the run's start, and says what comes back and after how long.
type target struct {
	clock  clock.Clock
	start  time.Time
	answer func(req *wire.Request, at time.Duration) reply

	mu       sync.Mutex // guards everything below
	seen     []seen
	flying   map[string]int
	mostOpen map[string]int
}

type reply struct {
	status  int
	body    string
	header  wire.Header
	after   time.Duration
	failure wire.FailureKind
	err     error         // its cause
	connect time.Duration // until there is a connection
	rest    time.Duration // from the first byte, which comes after, to the last
}

type seen struct {
	at      time.Duration
	kind    wire.Kind
	method  string
	url     string
	mailbox string
	body    string
	header  wire.Header
	auth    string
}

func newTarget(answer func(req *wire.Request, at time.Duration) reply) *target {
	c := clock.System()
	return &target{clock: c, start: c.Now(), answer: answer, flying: map[string]int{}, mostOpen: map[string]int{}}
}

// always answers 200 after d.
func always(d time.Duration) func(*wire.Request, time.Duration) reply {
	return func(*wire.Request, time.Duration) reply { return reply{status: 200, body: `{"id":"A1"}`, after: d} }
}

func (s *target) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	now := s.clock.Now()
	s.mu.Lock()
	s.seen = append(s.seen, seen{now.Sub(s.start), req.Kind, req.Method, req.URL, req.Mailbox, string(req.Body), append(wire.Header(nil), req.Header...), req.Authorization})
	s.flying[req.Mailbox]++
	s.mostOpen[req.Mailbox] = max(s.mostOpen[req.Mailbox], s.flying[req.Mailbox])
	s.mu.Unlock()
	r := s.answer(req, now.Sub(s.start))
	into.Timing.Sent, into.Timing.Reused, into.Timing.Wait = now.Add(r.connect), r.connect == 0, r.connect
	into.Timing.FirstByte = now.Add(r.connect + r.after)
	err := s.clock.SleepUntil(ctx, into.Timing.FirstByte.Add(r.rest))
	s.mu.Lock()
	s.flying[req.Mailbox]--
	s.mu.Unlock()
	into.Timing.Done = s.clock.Now()
	switch {
	case err != nil:
		into.Failure = &wire.Failure{Kind: wire.Canceled, Err: err}
	case r.failure != 0:
		into.Failure = &wire.Failure{Kind: r.failure, Err: r.err}
	default:
		into.Response = wire.Response{Status: r.status, Header: r.header, Body: append(into.Response.Body[:0], r.body...)}
	}
}

// requests are what the target has seen so far.
func (s *target) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.seen...)
}

// deps are the dependencies of a run against these targets, by path.
func deps(targets map[string]*target) run.Deps {
	d := run.Deps{RunID: "test", Clock: clock.System(), Doers: map[string]wire.Doer{}, ShowValues: true, LabInside: true}
	for path, s := range targets {
		d.Doers[path] = s
	}
	return d
}

// sleepy is a pacer that stands still from 4 s to 6.5 s after its start.
type sleepy struct {
	start time.Time
	clock.Clock
}

func (s sleepy) SleepUntil(ctx context.Context, t time.Time) error {
	if at := t.Sub(s.start); at > 4*time.Second && at < 6500*time.Millisecond {
		t = s.start.Add(6500 * time.Millisecond)
	}
	return s.Clock.SleepUntil(ctx, t)
}
