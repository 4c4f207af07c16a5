package run_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cutover/harness/audit"
	"cutover/harness/clock"
	"cutover/harness/health"
	"cutover/harness/journal"
	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

const draftSuite = `
suite: drafts
scenarios:
  - name: write
    steps: [{name: create, post: /me/messages, body: {subject: "{{random.subject}}"}}]
load: [{name: steady, %s}]
`

// slow takes a mailbox server's time for a write, and records it as the door does.
type slow struct {
	takes time.Duration
	clock clock.Clock
	trail *audit.Trail // nil: none
}

func (s *slow) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	into.Timing.Sent = s.clock.Now()
	_ = s.clock.SleepUntil(ctx, into.Timing.Sent.Add(s.takes))
	into.Timing.Done = s.clock.Now()
	into.Response.Status = 201
	into.Response.Body = append(into.Response.Body[:0], `{"id":"AAMkAGI2"}`...)
	if s.trail != nil {
		if err := s.trail.Record(audit.Event{At: into.Timing.Done, Path: "only", Kind: "steps", Mailbox: req.Mailbox, Method: req.Method, Template: req.Template, Writes: true, Status: 201}); err != nil {
			panic(err)
		}
	}
}

// written runs the drafts suite in as many mailboxes as there are users, and returns its
// writes per second from the first arrival to the last answer, and the processor's time for one.
func written(tb testing.TB, load string, users int, kept bool) (perSecond, cpuMicros float64) {
	tb.Helper()
	s, err := suites.Parse("s.yaml", fmt.Appendf(nil, draftSuite, load))
	if err != nil {
		tb.Fatal(err)
	}
	var boxes strings.Builder
	for i := range users {
		fmt.Fprintf(&boxes, "  - {name: box-%d, only_smtp: b%d@near.test}\n", i, i)
	}
	p, err := profiles.Parse("p.yaml", []byte("profile: near\npaths:\n  only: {graph: {url: \"http://127.0.0.1:9/v1.0\", as: user}}\nmailboxes:\n"+boxes.String()))
	if err != nil {
		tb.Fatal(err)
	}
	compiled, err := plan.Compile(s, p, plan.Options{AllowWrite: true})
	if err != nil {
		tb.Fatal(err)
	}
	target := &slow{takes: 50 * time.Millisecond, clock: clock.System()}
	d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"only": target}}
	if kept {
		dir := tb.TempDir()
		log, err := journal.Open(filepath.Join(dir, "journal.jsonl"))
		if err != nil {
			tb.Fatal(err)
		}
		defer log.Close()
		d.Journal = log
		if target.trail, err = audit.Create(filepath.Join(dir, "audit.jsonl"), []byte("0123456789abcdef"), audit.Start{RunID: "b"}); err != nil {
			tb.Fatal(err)
		}
		defer target.trail.Close()
	}
	began := d.Clock.Now()
	busy := health.New(began)
	got, err := run.Run(tb.Context(), compiled, d)
	if err != nil {
		tb.Fatal(err)
	}
	ended := d.Clock.Now()
	n := float64(got.Buckets.Completed)
	return n / got.Ended.Sub(got.Started).Seconds(), busy.Read(ended).CPU * float64(ended.Sub(began).Microseconds()) / n
}

// BenchmarkRecords is what journal and audit cost at 2,000 writes a second, against a server
// that takes 50 ms for a write: once without the records and once with them, in turns.
// Arrivals come whatever the disk does; users wait for it, so that their figure is what
// the wait for the disk adds to a write.
func BenchmarkRecords(b *testing.B) {
	const users = 100
	for name, load := range map[string]string{"arrivals": "constant: {rate: 2000/s, for: 2s}", "users": "closed: {users: 100, for: 2s}"} {
		b.Run(name, func(b *testing.B) {
			var bare, kept, bareCPU, keptCPU float64
			for b.Loop() {
				rate, cpu := written(b, load, users, false)
				bare, bareCPU = bare+rate, bareCPU+cpu
				rate, cpu = written(b, load, users, true)
				kept, keptCPU = kept+rate, keptCPU+cpu
			}
			n := float64(b.N)
			b.ReportMetric(bare/n, "bare_writes/s")
			b.ReportMetric(kept/n, "kept_writes/s")
			b.ReportMetric(100*(1-kept/bare), "%cost")
			b.ReportMetric(bareCPU/n, "bare_cpu-µs/write")
			b.ReportMetric(keptCPU/n, "kept_cpu-µs/write")
			b.ReportMetric(0, "ns/op")
		})
	}
}
