package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"cutover/harness/result"
	"cutover/harness/run"
)

// plainEvery is how often a run without a terminal says how far it is.
const plainEvery = 10 * time.Second

// observer returns what shows the progress of a run on stderr: bars on a
// terminal, a plain line each ten seconds elsewhere, nothing when asked for.
// The second value must be called when the run is over.
func (a *App) observer(off bool) (run.Observer, func()) {
	if off {
		return silence{}, func() {}
	}
	if a.terminal(a.Stderr) && a.Env("TERM") != "dumb" {
		bars := newBars(a.Stderr)
		return bars, bars.close
	}
	return &plainProgress{w: a.Stderr}, func() {}
}

// terminal says whether w is a terminal that a person looks at.
func (a *App) terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && a.Env("CI") == "" && term.IsTerminal(int(file.Fd()))
}

// width is the number of columns of the terminal, 100 when there is none.
func (a *App) width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 100
}

// silence observes nothing.
type silence struct{}

func (silence) Phase(run.PhaseInfo) {}
func (silence) Second(run.Progress) {}
func (silence) Done(*result.Result) {}

// plainProgress writes one line a phase and one each ten seconds.
type plainProgress struct {
	w    io.Writer
	last time.Duration
}

func (p *plainProgress) Phase(info run.PhaseInfo) {
	fmt.Fprintf(p.w, "phase %d/%d %s: %s\n", info.Index+1, info.Of, info.Name, info.Describe)
}

func (p *plainProgress) Second(now run.Progress) {
	if now.Elapsed-p.last < plainEvery {
		return
	}
	p.last = now.Elapsed
	fmt.Fprintf(p.w, "%5s %s\n", now.Elapsed.Round(time.Second), progressLine(now))
}

func (p *plainProgress) Done(*result.Result) {}

// progressLine is one moment of a run in one line: per path the rate of the
// last second with p50 and p99, then what went wrong so far.
func progressLine(now run.Progress) string {
	line := ""
	var failed, throttled uint64
	for _, path := range now.Paths {
		line += fmt.Sprintf("%s %.0f/s p50 %s p99 %s  ", path.Path, path.Rate, shortDuration(path.P50), shortDuration(path.P99))
		failed += path.Failed
		throttled += path.Throttled
	}
	line += fmt.Sprintf("failed %d throttled %d", failed, throttled)
	if now.LagP99 > 5*time.Millisecond {
		line += fmt.Sprintf("  lag p99 %s", shortDuration(now.LagP99))
	}
	return line
}

// shortDuration prints a latency with three significant digits and one unit.
func shortDuration(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2fms", float64(d)/float64(time.Millisecond))
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%.0fms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
}
