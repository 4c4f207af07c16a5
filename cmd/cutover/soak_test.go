package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cutover/harness/calibrate"
	"cutover/harness/clock"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/profiles"
)

// soaking skips what takes minutes and wants a machine that does nothing else.
func soaking(t *testing.T) *App {
	t.Helper()
	if os.Getenv("CUTOVER_SOAK") == "" {
		t.Skip("takes minutes: CUTOVER_SOAK=1 runs it")
	}
	return &App{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: os.Stderr, Env: os.Getenv, Clock: clock.System(), Version: "test"}
}

// quietly tries a measurement up to three times: what else runs on the machine is not
// the instrument's.
func quietly(t *testing.T, measure func() []string) {
	t.Helper()
	var wrong []string
	for range 3 {
		if wrong = measure(); len(wrong) == 0 {
			return
		}
		t.Log(strings.Join(wrong, "; "))
	}
	t.Error(strings.Join(wrong, "\n"))
}

func TestSoakTheInstrumentIsAsExactAsItSays(t *testing.T) {
	a := soaking(t)
	quietly(t, func() []string {
		out := &bytes.Buffer{}
		a.Stdout = out
		a.Main(context.Background(), []string{"calibrate", "--json"})
		var r calibrate.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Logf("capacity %v/s, at twice that %s (%v)", r.Capacity.HeldPS, r.Overload.Verdict, r.Overload.Reasons)
		var wrong []string
		for _, m := range r.Measured {
			t.Logf("%s: %v %s, truth %v", m.What, m.Measured, m.Unit, m.Truth)
			if !m.Held && !strings.HasPrefix(m.What, "p99 of the same") {
				wrong = append(wrong, m.What)
			}
			if strings.Contains(m.What, "stall") && math.Abs(m.Measured-4420) > 0.02*4420 {
				wrong = append(wrong, m.What+": not within 2 % of 4,420 ms")
			}
		}
		if !r.Overload.Held || r.Overload.ExitCode != exitInconclusive {
			wrong = append(wrong, "twice the capacity is "+r.Overload.Verdict)
		}
		return wrong
	})
}

func TestSoakAFreezeIsToldAsItWasByTheRealClient(t *testing.T) {
	a := soaking(t)
	b, err := a.openBench(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	root, _ := b.profile.Paths.Get("ruler")
	for _, limits := range []string{"limits: {per_mailbox: {concurrency: 4}}\nmailboxes: " + mailboxList(20) + "\n", "limits: {connections: 50}\n"} {
		if b.profile, err = profiles.Parse("freeze", []byte("profile: freeze\npaths:\n  ruler: {plain: {url: \""+root.URL+"\"}, protocol: http/1.1}\nleft: ruler\n"+limits)); err != nil {
			t.Fatal(err)
		}
		quietly(t, func() []string {
			got, _, err := b.ask(t.Context(), "freeze", ruled{at: 5 * time.Second, stall: time.Second}, constantLoad(1000, 10*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			s := got.Steps[0].Response
			kind, _, _ := strings.Cut(limits, "\n")
			t.Logf("%s: mean %.1f, p99 %.1f, p99.9 %.1f ms", kind, *s.Mean, *s.P99, *s.P999)
			var wrong []string
			for what, pair := range map[string][2]float64{"p99": {*s.P99, 902}, "p99.9": {*s.P999, 992}} {
				if math.Abs(pair[0]-pair[1]) > 0.02*pair[1] {
					wrong = append(wrong, what)
				}
			}
			return wrong
		})
	}
}

func mailboxList(n int) string {
	var names []string
	for i := range n {
		name := string(rune('a' + i))
		names = append(names, "{name: "+name+", ruler_smtp: "+name+"@ruler.test}")
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// Two mailboxes with four requests at a time serve eight in the time that an answer
// takes.
func TestSoakASearchFindsTheLimitOfTheLab(t *testing.T) {
	a := soaking(t)
	a.Stdout = &bytes.Buffer{}
	suite := filepath.Join(t.TempDir(), "limit.yaml")
	text := `
suite: limit
scenarios:
  - name: read
    steps: [{name: list, get: /me/messages, query: {$top: 1}}]
load:
  - {name: limit, search: {start: 40/s, max: 640/s, each: 5s, drain: 500ms, precision: 2%, confirm: 2}}
gates: [p95 of each path < 150ms]
`
	if err := os.WriteFile(suite, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	quietly(t, func() []string {
		out := filepath.Join(t.TempDir(), "run")
		a.Main(context.Background(), []string{"run", suite, "--only", plan.Right, "--quiet", "--out", out, "--set", "lab.mailboxes=2", "--set", "lab.latency.cloud=fixed:50ms"})
		data, err := os.ReadFile(filepath.Join(out, "result.json"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := result.Decode(data)
		if err != nil || len(r.Search) != 1 {
			t.Fatalf("%v: %+v", err, r)
		}
		s := r.Search[0]
		limit := 8000 / *s.Trials[0].Response.P50
		t.Logf("the limit is %.1f/s; %s: %.1f to %.1f, confirmed %d times", limit, s.Result, s.HeldPS, s.FailedPS, s.Confirmed)
		if s.Result != result.SearchFound || math.Abs(s.HeldPS-limit) > 0.05*limit {
			return []string{s.Result + ": not within 5 % of the limit"}
		}
		return nil
	})
}
