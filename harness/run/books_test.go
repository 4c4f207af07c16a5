package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/journal"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
)

func TestTheSameSeedGivesTheSameResult(t *testing.T) {
	once := func(t *testing.T, seed uint64, wait time.Duration) (text []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := compile(t, writeSuite, pairProfile(9), plan.Options{Seed: &seed})
			answer := func(host string) func(*wire.Request, time.Duration) reply {
				return func(req *wire.Request, at time.Duration) reply {
					r := crud(wait)(req, at)
					if req.Method == "GET" {
						r.body = `{"value":[{"id":"` + host + `-1","subject":"hello","size":` + fmt.Sprint(len(host)) + `}]}`
					}
					return r
				}
			}
			near, far := newTarget(answer("near")), newTarget(answer("far!!"))
			var err error
			if text, err = mustRun(t, p, deps(map[string]*target{"near": near, "far": far})).Normalised(); err != nil {
				t.Fatal(err)
			}
		})
		return text
	}
	first := once(t, 7, 3*time.Millisecond)
	for range 3 {
		if diff := cmp.Diff(string(first), string(once(t, 7, 3*time.Millisecond))); diff != "" {
			t.Fatalf("two runs of one seed differ (-first +again)\n%s", diff)
		}
	}
	if diff := cmp.Diff(string(first), string(once(t, 7, 11*time.Millisecond))); diff != "" {
		t.Errorf("a slower target changes more than times (-fast +slow)\n%s", diff)
	}
	if string(first) == string(once(t, 8, 3*time.Millisecond)) {
		t.Error("another seed gives the same result")
	}
}

// diary is a Folder, an Observer and a Journal that write down what they are told.
type diary struct {
	mu      sync.Mutex
	seconds []result.Second
	phases  []string
	states  []run.Progress
	done    *result.Result
	lines   []string
	broken  error
	seq     uint64
}

func (d *diary) AppendSecond(s result.Second) error {
	d.seconds = append(d.seconds, s)
	return nil
}
func (d *diary) Phase(p run.PhaseInfo) { d.phases = append(d.phases, p.Name) }
func (d *diary) Second(p run.Progress) { d.states = append(d.states, p) }
func (d *diary) Done(r *result.Result) { d.done = r }
func (d *diary) note(text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, text)
	return d.broken
}
func (d *diary) Void(seq uint64) error  { return d.note(fmt.Sprint("void ", seq)) }
func (d *diary) Lost(seq uint64) error  { return d.note(fmt.Sprint("lost ", seq)) }
func (d *diary) Removed(s uint64) error { return d.note(fmt.Sprint("removed ", s)) }
func (d *diary) Intend(e journal.Entry) (uint64, error) {
	d.mu.Lock()
	d.seq++
	seq := d.seq
	d.mu.Unlock()
	return seq, d.note(fmt.Sprint("intend ", seq, " ", e.Path, " ", e.Mailbox, " ", e.Sort, " ", e.Tag))
}

// book is the diary as a run.Journal, whose Done is not the observer's.
type book struct{ *diary }

func (b book) Done(seq uint64, id string) error { return b.note(fmt.Sprint("done ", seq, " ", id)) }

func TestEverySecondIsWrittenDownAndAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, pairProfile(20), plan.Options{})
		near, far := newTarget(always(time.Millisecond)), newTarget(always(1500*time.Millisecond))
		d := deps(map[string]*target{"near": near, "far": far})
		log := &diary{}
		d.Folder, d.Observer = log, log
		got := mustRun(t, p, d)
		if opening := log.seconds[0]; opening.Ahead != 200 || opening.Due+opening.Buckets.Sum() != 0 {
			t.Errorf("the record opens with %+v, want 200 legs ahead and nothing else", opening)
		}
		log.seconds = log.seconds[1:]
		var due, samples uint64
		var sum result.Buckets
		for i, s := range log.seconds {
			if s.T != i {
				t.Errorf("line %d is second %d", i, s.T)
			}
			due += s.Due
			sum = sum.Add(s.Buckets)
			for _, point := range s.Series {
				if point.Step == "get" {
					samples += point.Count
				}
			}
		}
		if due != 2000 || sum != got.Buckets || samples != 2000 {
			t.Errorf("the lines add up to %d due, %+v, %d samples; the result has %+v", due, sum, samples, got.Buckets)
		}
		if log.seconds[3].Due != 200 || log.seconds[3].Ahead != 200 || log.seconds[9].Ahead != 0 {
			t.Errorf("second 3 has %d due and %d ahead, second 9 %d ahead; want 200, 200, 0", log.seconds[3].Due, log.seconds[3].Ahead, log.seconds[9].Ahead)
		}
		if diff := cmp.Diff([]string{"steady"}, log.phases); diff != "" || log.done != got {
			t.Errorf("phases (-want +got)\n%s; told the result: %v", diff, log.done == got)
		}
		state := log.states[4]
		if state.Elapsed != 5*time.Second || state.Buckets.Planned < 1000 || state.Buckets.Planned > 1002 || state.Paths[0].Rate < 99 || state.Paths[0].Requests < 499 {
			t.Errorf("after 5 s the observer was told %+v", state)
		}
	})
}

func TestWhatARunCreatesStandsInTheJournalBeforeItIsSent(t *testing.T) {
	suite := `
suite: create
scenarios:
  - name: write
    steps:
      - {name: create, post: /me/messages, body: {subject: "{{run.tag}}"}, expect: {status: 201}, capture: {id: $.id}}
      - {name: drop, delete: "/me/messages/{{id}}"}
load:
  - {name: steady, constant: {rate: 1/s, for: 1s}}
`
	for _, row := range []struct {
		it     string
		answer func(req *wire.Request) reply
		want   []string
		left   result.Cleanup
	}{
		{"notes creation and removal", func(req *wire.Request) reply {
			if req.Method == "POST" {
				return reply{status: 201, body: `{"id":"M1"}`}
			}
			return reply{status: 204}
		}, []string{"intend 1 only anonymous message cutover-test", "done 1 M1", "removed 1"}, result.Cleanup{Created: 1, Removed: 1}},
		{"keeps what could not be removed", func(req *wire.Request) reply {
			if req.Method == "POST" {
				return reply{status: 201, body: `{"id":"M1"}`}
			}
			return reply{status: 500}
		}, []string{"intend 1 only anonymous message cutover-test", "done 1 M1"}, result.Cleanup{Created: 1, Left: 1}},
		{"voids what was refused", func(*wire.Request) reply { return reply{status: 403} },
			[]string{"intend 1 only anonymous message cutover-test", "void 1"}, result.Cleanup{}},
		{"does not know what became of an answer that never came", func(*wire.Request) reply { return reply{failure: wire.Reset} },
			[]string{"intend 1 only anonymous message cutover-test", "lost 1"}, result.Cleanup{Unknown: 1}},
	} {
		t.Run(row.it, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := compile(t, suite, onePath, plan.Options{})
				log := &diary{}
				s := newTarget(func(req *wire.Request, _ time.Duration) reply {
					if req.Method == "POST" && len(log.lines) == 0 {
						t.Error("the request was sent before the journal knew")
					}
					return row.answer(req)
				})
				d := deps(map[string]*target{"only": s})
				d.Journal = book{log}
				got := mustRun(t, p, d)
				if diff := cmp.Diff(row.want, log.lines); diff != "" {
					t.Errorf("journal (-want +got)\n%s", diff)
				}
				if diff := cmp.Diff(row.left, got.Cleanup); diff != "" {
					t.Errorf("clean-up (-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestWithoutAJournalNothingIsCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, strings.Replace(writeSuite, "/items, body", "/me/messages, body", 1), pairProfile(9), plan.Options{})
		near, far := newTarget(crud(time.Millisecond)), newTarget(crud(time.Millisecond))
		d := deps(map[string]*target{"near": near, "far": far})
		d.Journal = book{&diary{broken: errors.New("disk full")}}
		got := mustRun(t, p, d)
		for _, r := range append(near.requests(), far.requests()...) {
			if r.method == "POST" {
				t.Error("something was created")
			}
		}
		if got.ExitCode != result.ExitInternal || got.Stop == nil || got.Stop.Why != "disk full" {
			t.Errorf("exit %d, stop %+v; want an internal error", got.ExitCode, got.Stop)
		}
	})
}

// keys is an Authoriser.
type keys struct {
	mu      sync.Mutex
	warmed  int
	refused []string
	err     error
	warmErr error
	wait    time.Duration
}

func (k *keys) Authorization(_ context.Context, m profiles.Mailbox) (string, error) {
	time.Sleep(k.wait)
	return "Bearer " + m.Name, k.err
}
func (k *keys) Warm(_ context.Context, ms []profiles.Mailbox) error {
	k.warmed += len(ms)
	return k.warmErr
}
func (k *keys) Refused(m profiles.Mailbox) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refused = append(k.refused, m.Name)
}

func TestCredentials(t *testing.T) {
	start := func(t *testing.T, status int, k *keys) (*result.Result, *target, error) {
		p := compile(t, getSuite, pairProfile(20), plan.Options{Only: "left", Iterations: 40})
		s := newTarget(func(*wire.Request, time.Duration) reply { return reply{status: status} })
		d := deps(map[string]*target{"near": s})
		d.Auth = map[string]run.Authoriser{"near": k}
		got, err := run.Run(t.Context(), p, d)
		return got, s, err
	}
	t.Run("it carries the mailbox's own credential, acquired before the first request", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &keys{}
			_, s, err := start(t, 200, k)
			if err != nil || k.warmed != 20 {
				t.Fatalf("error %v, %d mailboxes warmed", err, k.warmed)
			}
			for _, r := range s.requests() {
				if r.auth != "Bearer "+r.mailbox {
					t.Errorf("mailbox %s was asked with %q", r.mailbox, r.auth)
				}
			}
		})
	})
	t.Run("it is told when the target refuses one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &keys{}
			_, _, err := start(t, 401, k)
			if err != nil || len(k.refused) != 40 {
				t.Errorf("error %v, refused %d times, want 40", err, len(k.refused))
			}
		})
	})
	t.Run("it may take long without the generator being blamed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got, _, err := start(t, 200, &keys{wait: 400 * time.Millisecond})
			if err != nil || len(got.Generator.Bent) > 0 || got.Generator.LagMax > 1 {
				t.Errorf("error %v, generator %+v", err, got.Generator)
			}
			near(t, "the response time, which it is part of", row(t, got, "get", "near").Response.P50, 400)
		})
	})
	t.Run("it fails the step that has none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got, s, err := start(t, 200, &keys{err: errors.New("token refused")})
			if err != nil || len(s.requests()) != 0 || row(t, got, "get", "near").Outcomes["token"] != 40 {
				t.Errorf("error %v, %d requests, outcomes %v", err, len(s.requests()), row(t, got, "get", "near").Outcomes)
			}
		})
	})
	t.Run("it asks nothing when signing in failed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, s, err := start(t, 200, &keys{warmErr: errors.New("account locked")})
			var notReady *run.NotReady
			if !errors.As(err, &notReady) || len(s.requests()) != 0 {
				t.Errorf("error %v, %d requests; want NotReady and none", err, len(s.requests()))
			}
		})
	})
}

// A generator that is busy elsewhere sends late; the run says so instead of blaming
// the target.
func TestAGeneratorThatIsLateBendsTheRuler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, getSuite, onePath, plan.Options{})
		s := newTarget(always(time.Millisecond))
		d := deps(map[string]*target{"only": s})
		d.Pacer = sleepy{d.Clock.Now(), d.Clock}
		got := mustRun(t, p, d)
		if len(got.Generator.Bent) != 1 || got.ExitCode != result.ExitInconclusive || got.Generator.LagP99 < 100 {
			t.Errorf("exit %d, bent %v, lag %v ms", got.ExitCode, got.Generator.Bent, got.Generator.LagP99)
		}
	})
}

func TestReasonsForAnInconclusiveRunAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := compile(t, strings.Replace(getSuite, "scenarios:", "max_lag: 1s\nscenarios:", 1), onePath, plan.Options{})
		s := newTarget(always(time.Millisecond))
		d := deps(map[string]*target{"only": s})
		d.Pacer = sleepy{d.Clock.Now(), d.Clock}
		got := mustRun(t, p, d)
		if n := got.DropReasons["generator late"]; n == 0 || n != got.Buckets.Dropped {
			t.Errorf("drops %v, buckets %+v", got.DropReasons, got.Buckets)
		}
		if !slices.ContainsFunc(got.Reasons, func(s string) bool { return strings.Contains(s, "dropped because the generator") }) {
			t.Errorf("reasons %q", got.Reasons)
		}
	})
}

// Whom a draft is addressed to stands in the draft: it is read before it is sent, so
// that the door can say no.
func TestTheRecipientsOfAStoredItemAreReadBeforeItIsSent(t *testing.T) {
	suite := `
suite: send
vars: {id: D1}
scenarios:
  - name: mail
    steps: [{name: send, post: "/me/messages/{{id}}/send", expect: {status: 202}}]
load: [{name: steady, constant: {rate: 1/s, for: 1s}}]
`
	profile := strings.Replace(onePath, `plain: {url: "http://127.0.0.1:9/"}`, `graph: {url: "http://127.0.0.1:9/v1.0", as: user}`, 1)
	for _, readable := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := compile(t, suite, profile, plan.Options{})
			var judged []string
			s := newTarget(func(req *wire.Request, _ time.Duration) reply {
				if req.Method == "POST" {
					judged = append(judged, req.Effect.Recipients...)
					return reply{status: 202}
				}
				if !readable {
					return reply{status: 404, body: `{"error":{"code":"ErrorItemNotFound"}}`}
				}
				return reply{status: 200, after: 20 * time.Millisecond, body: `{"from":{"emailAddress":{"address":"me@a.test"}},
				  "toRecipients":[{"emailAddress":{"name":"B","address":"b@a.test"}}],"ccRecipients":[],"bccRecipients":[{"emailAddress":{"address":"c@b.test"}}]}`}
			})
			got := mustRun(t, p, deps(map[string]*target{"only": s}))
			if !readable {
				if len(s.requests()) != 1 || got.Buckets.Failed != 1 {
					t.Errorf("something was sent to unknown recipients: %+v", s.requests())
				}
				return
			}
			if diff := cmp.Diff([]string{"me@a.test", "b@a.test", "c@b.test"}, judged); diff != "" {
				t.Errorf("recipients (-want +got)\n%s", diff)
			}
			near(t, "the step, which is due when the draft was read", row(t, got, "send", "only").Response.Max, 0)
			if tr := got.Traffic["only"]; tr.Steps != 1 || tr.Probes != 1 || len(got.Generator.Bent) > 0 {
				t.Errorf("traffic %+v, bent %v", tr, got.Generator.Bent)
			}
		})
	}
}
