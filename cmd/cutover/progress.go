package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"cutover/harness/result"
	"cutover/harness/run"
)

// plainEvery is how often a run without a terminal says how far it is.
const plainEvery = 10 * time.Second

// observer returns what shows the progress of a run on stderr: bars on a
// terminal, a plain line each ten seconds elsewhere, the same as JSON where the
// log is JSON, nothing when asked for. The second value must be called when the
// run is over.
func (a *App) observer(off bool) (run.Observer, func()) {
	if off {
		return silence{}, func() {}
	}
	if log, ok := a.Stderr.(*jsonLog); ok {
		return &jsonProgress{log: log}, func() {}
	}
	if a.terminal(a.Stderr) && a.Env("TERM") != "dumb" {
		bars := newBars(a.Stderr, func() int { return a.width(a.Stderr) })
		return bars, bars.close
	}
	return &plainProgress{w: a.Stderr}, func() {}
}

// observers tells several observers the same.
type observers []run.Observer

func (all observers) Phase(p run.PhaseInfo) {
	for _, o := range all {
		o.Phase(p)
	}
}

func (all observers) Second(p run.Progress) {
	for _, o := range all {
		o.Second(p)
	}
}

func (all observers) Done(r *result.Result) {
	for _, o := range all {
		o.Done(r)
	}
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
	if columns, err := strconv.Atoi(a.Env("COLUMNS")); err == nil && columns >= 40 {
		return columns
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

// progressLine is one moment of a run in one line: the rate asked and got, p50
// and p99 of the last second by path, what went wrong so far, how the generator
// fares.
func progressLine(now run.Progress) string {
	parts := []string{rateWords(now)}
	for _, path := range now.Paths {
		parts = append(parts, fmt.Sprintf("%s p50 %s p99 %s", path.Path, shortDuration(path.P50), shortDuration(path.P99)))
	}
	failed, throttled := troubles(now)
	parts = append(parts, fmt.Sprintf("failed %d throttled %d findings %d", failed, throttled, now.Findings), healthWords(now))
	return strings.Join(parts, "  ")
}

// rateWords says how many iterations a second were asked for, and how many got
// going.
func rateWords(now run.Progress) string {
	sides := float64(max(1, len(now.Paths)))
	got := float64(now.Begun) / sides
	if now.Due == 0 {
		return rateNumber(got) + "/s"
	}
	return rateNumber(got) + " of " + rateNumber(float64(now.Due)/sides) + "/s"
}

// rateNumber prints a rate: a decimal below ten, whole numbers above.
func rateNumber(v float64) string {
	if v < 10 {
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
}

// troubles counts what went wrong so far on all paths.
func troubles(now run.Progress) (failed, throttled uint64) {
	for _, path := range now.Paths {
		failed += path.Failed
		throttled += path.Throttled
	}
	return failed, throttled
}

// healthWords says how the generator fares.
func healthWords(now run.Progress) string {
	return fmt.Sprintf("lag p99 %s cpu %.0f%%", shortDuration(now.LagP99), now.CPU*100)
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
