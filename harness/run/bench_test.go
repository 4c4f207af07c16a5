package run_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/load"
	"cutover/harness/plan"
	"cutover/harness/run"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

// instant answers at once with the same page.
type instant struct{ body []byte }

func (i instant) Do(_ context.Context, _ *wire.Request, into *wire.Call) {
	into.Reset()
	now := clock.System().Now()
	into.Timing.Sent, into.Timing.Done, into.Timing.Reused = now, now, true
	into.Response.Status = 200
	into.Response.Body = append(into.Response.Body[:0], i.body...)
}

func benchPlan(b *testing.B, load, compare, profile string) *plan.Plan {
	b.Helper()
	suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", load, 1) + compare
	s, err := suites.Parse("s.yaml", []byte(suite))
	if err != nil {
		b.Fatal(err)
	}
	p, err := profiles.Parse("p.yaml", []byte(profile))
	if err != nil {
		b.Fatal(err)
	}
	out, err := plan.Compile(s, p, plan.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkClosed is what the runner itself costs a request: users without think
// time against a target that takes none.
func BenchmarkClosed(b *testing.B) {
	p := benchPlan(b, fmt.Sprintf("closed: {users: 16, iterations: %d}", max(b.N, 1)), "", onePath)
	d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"only": instant{[]byte(`{"id":"A"}`)}}}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := run.Run(b.Context(), p, d); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen is the same for arrivals at 100,000/s, which wait for no answer.
func BenchmarkOpen(b *testing.B) {
	p := benchPlan(b, fmt.Sprintf("constant: {rate: 100000/s, for: %v}", time.Duration(max(b.N, 10))*10*time.Microsecond), "", onePath)
	d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"only": instant{[]byte(`{"id":"A"}`)}}}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := run.Run(b.Context(), p, d); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCompared is two paths with every pair compared.
func BenchmarkCompared(b *testing.B) {
	p := benchPlan(b, fmt.Sprintf("constant: {rate: 5000/s, for: %v}", time.Duration(max(b.N, 10))*200*time.Microsecond), "", pairProfile(200))
	body := []byte(`{"value":[` + strings.Repeat(`{"id":"AAMkAGI2","subject":"Hello","from":{"emailAddress":{"address":"a@b.test"}}},`, 40) + `{}]}`)
	d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"near": instant{body}, "far": instant{body}}}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := run.Run(b.Context(), p, d); err != nil {
		b.Fatal(err)
	}
}

// A worker that ends the last leg may still be on its way to the idle ones when the
// run closes its pools: no run may wait for it for ever.
func TestShortRunsEnd(t *testing.T) {
	p := compile(t, getSuite, pairProfile(5), plan.Options{Iterations: 1})
	d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"near": instant{}, "far": instant{}}}
	for range 1000 {
		q := *p
		q.Phases = slices.Clone(p.Phases)
		q.Phases[0].Load.Open = load.Constant(1e6, time.Microsecond)
		if _, err := run.Run(t.Context(), &q, d); err != nil {
			t.Fatal(err)
		}
	}
}

// Everything that a request needs is kept and used again: nineteen thousand more
// requests allocate next to nothing more.
func TestAStaticStepAllocatesNothing(t *testing.T) {
	mallocs := func(iterations int) uint64 {
		suite := strings.Replace(getSuite, "constant: {rate: 100/s, for: 10s}", fmt.Sprintf("closed: {users: 4, iterations: %d}", iterations), 1)
		p := compile(t, suite, onePath, plan.Options{})
		d := run.Deps{RunID: "b", Clock: clock.System(), Doers: map[string]wire.Doer{"only": instant{[]byte(`{"id":"A"}`)}}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := run.Run(t.Context(), p, d); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	mallocs(1000) // fills the pools
	few, many := mallocs(1000), mallocs(20_000)
	// Under the race detector a sync.Pool forgets a quarter of what it is given.
	if more := float64(many) - float64(few); more/19_000 > 0.5 {
		t.Errorf("%.2f allocations a request (%d for 1,000, %d for 20,000)", more/19_000, few, many)
	}
}
