package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

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
			b := newBars(&screen)
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

func TestProgressLinesAreForEyesWithoutATerminal(t *testing.T) {
	var out strings.Builder
	p := &plainProgress{w: &out}
	p.Phase(run.PhaseInfo{Index: 0, Of: 1, Name: "steady", Describe: "constant 20/s for 15s"})
	for s := range 21 {
		p.Second(run.Progress{Elapsed: time.Duration(s) * time.Second, Paths: []run.PathProgress{
			{Path: "onprem", Rate: 20, P50: 7 * time.Millisecond, P99: 1500 * time.Millisecond, Failed: 1, Throttled: 2}}})
	}
	p.Done(nil)
	want := "phase 1/1 steady: constant 20/s for 15s\n" +
		"  10s onprem 20/s p50 7.00ms p99 1.50s  failed 1 throttled 2\n" +
		"  20s onprem 20/s p50 7.00ms p99 1.50s  failed 1 throttled 2\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
