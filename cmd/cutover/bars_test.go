package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cutover/harness/result"
	"cutover/harness/run"
)

func TestBarsEndWhereverTheirPhasesStopped(t *testing.T) {
	second := func(at time.Duration) run.Progress {
		return run.Progress{InPhase: at, Paths: []run.PathProgress{{Path: "onprem", Rate: 20}}}
	}
	for name, drive := range map[string]func(*bars){
		"it ends after whole phases": func(b *bars) {
			b.Phase(run.PhaseInfo{Name: "warm-up", Length: 3 * time.Second})
			b.Second(second(2 * time.Second))
			b.Phase(run.PhaseInfo{Name: "steady", Length: 5 * time.Second, Measured: true})
			b.Second(second(5 * time.Second))
			b.Done(&result.Result{})
		},
		"it ends after a stop in mid-phase": func(b *bars) {
			b.Phase(run.PhaseInfo{Name: "steady", Length: time.Minute, Measured: true})
			b.Second(second(2 * time.Second))
			b.Done(&result.Result{Stop: &result.Stop{Kind: result.StopInterrupted}})
		},
		"it ends when the run never began":             func(*bars) {},
		"it ends for a phase that only a count bounds": func(b *bars) { b.Phase(run.PhaseInfo{Name: "few"}) },
	} {
		t.Run(name, func(t *testing.T) {
			var screen bytes.Buffer
			b := newBars(&screen, func() int { return 80 })
			drive(b)
			ended := make(chan struct{})
			go func() { b.close(); close(ended) }()
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("the bars never came to an end")
			}
		})
	}
}

// busy is a second in which much goes wrong on paths with long names.
func busy(at time.Duration) run.Progress {
	one := func(name string) run.PathProgress {
		return run.PathProgress{Path: name, Rate: 20000, P50: 7 * time.Millisecond, P99: 1500 * time.Millisecond, Failed: 123456, Throttled: 234567}
	}
	return run.Progress{Elapsed: at, InPhase: at, Due: 40000, Begun: 39980, Findings: 12, LagP99: 12 * time.Millisecond, CPU: 0.34, RSS: 96_000_000,
		Paths: []run.PathProgress{one("onprem"), one("cloud")}}
}

func TestBarsFitEightyColumns(t *testing.T) {
	b := newBars(io.Discard, func() int { return 80 })
	b.Phase(run.PhaseInfo{Name: "a phase with a rather long name", Length: time.Minute})
	b.Second(busy(3 * time.Second))
	want := "  onprem  p50 7.00ms  p99 1.50s   failed 123456  throttled 234567\n" +
		"  cloud   p50 7.00ms  p99 1.50s   failed 123456  throttled 234567\n" +
		"  findings 12  generator lag p99 12.0ms cpu 34% memory 96 MB\n"
	if got := b.below(); got != want {
		t.Errorf("below the bar stands\n%swant\n%s", got, want)
	}
	if room := nameWidth + 1 + barWidth + 1 + len(rateWords(busy(0))); room > 80 {
		t.Errorf("the bar and its rate take %d columns", room)
	}
	b.width = func() int { return 40 }
	for line := range strings.Lines(b.below()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 39 {
			t.Errorf("at 40 columns a line has %d: %s", n, line)
		}
	}
	b.close()
}

func TestProgressLinesAreForEyesWithoutATerminal(t *testing.T) {
	var out strings.Builder
	p := &plainProgress{w: &out}
	p.Phase(run.PhaseInfo{Index: 0, Of: 1, Name: "steady", Describe: "constant 20/s for 15s"})
	for s := range 21 {
		p.Second(busy(time.Duration(s) * time.Second))
	}
	p.Done(nil)
	const state = "19990 of 20000/s  onprem p50 7.00ms p99 1.50s  cloud p50 7.00ms p99 1.50s  failed 246912 throttled 469134 findings 12  lag p99 12.0ms cpu 34%\n"
	if diff := cmp.Diff("phase 1/1 steady: constant 20/s for 15s\n  10s "+state+"  20s "+state, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
