package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"cutover/harness/result"
	"cutover/harness/run"
)

// bars draws one bar a phase on a terminal, with the rate asked and got behind
// it, and below the one under way a line a path and one of the run. Nothing else
// may write to the terminal while bars are live.
type bars struct {
	progress *mpb.Progress
	width    func() int
	mu       sync.Mutex
	now      run.Progress // guarded by mu: mpb's goroutine reads it; no path before the first second
	bar      *mpb.Bar
	total    int64 // of bar, in milliseconds
}

// barWidth and nameWidth leave half of 80 columns for the figures.
const (
	barWidth  = 24
	nameWidth = 22
)

func newBars(w io.Writer, width func() int) *bars {
	return &bars{width: width, progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(barWidth), mpb.WithRefreshRate(200*time.Millisecond))}
}

func (b *bars) Phase(info run.PhaseInfo) {
	b.finish(true)
	b.total = max(info.Length.Milliseconds(), 1)
	b.set(run.Progress{})
	name := info.Name
	if !info.Measured {
		name += " (not measured)"
	}
	name = cut(name, nameWidth)
	var rate string // the phase's last, kept when it has ended
	b.bar = b.progress.New(b.total, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: nameWidth + 1, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			if now := b.read(); len(now.Paths) > 0 && !s.Completed && !s.Aborted {
				rate = rateWords(now)
			}
			return " " + rate
		})),
		mpb.BarExtender(mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			if s.Completed || s.Aborted {
				return nil
			}
			_, err := io.WriteString(w, b.below())
			return err
		}), false),
	)
}

// below are the lines under the bar, none of them wider than the terminal.
func (b *bars) below() string {
	now := b.read()
	if len(now.Paths) == 0 {
		return ""
	}
	widest := 0
	for _, p := range now.Paths {
		widest = max(widest, utf8.RuneCountInString(p.Path))
	}
	var lines []string
	for _, p := range now.Paths {
		lines = append(lines, fmt.Sprintf("  %-*s  p50 %-7s p99 %-7s failed %d  throttled %d",
			widest, p.Path, shortDuration(p.P50), shortDuration(p.P99), p.Failed, p.Throttled))
	}
	lines = append(lines, fmt.Sprintf("  findings %d  generator %s memory %d MB", now.Findings, healthWords(now), now.RSS/1_000_000))
	columns := max(20, b.width()-1)
	for i := range lines {
		lines[i] = cut(lines[i], columns)
	}
	return strings.Join(lines, "\n") + "\n"
}

func (b *bars) Second(now run.Progress) {
	if last := b.read(); now.Due+now.Begun == 0 && now.Phase.Length > 0 && now.InPhase >= now.Phase.Length {
		now.Due, now.Begun = last.Due, last.Begun // the phase is over: its rate is the one it ended with
	}
	b.set(now)
	if b.bar != nil {
		b.bar.SetCurrent(min(now.InPhase.Milliseconds(), b.total-1))
	}
}

func (b *bars) Done(r *result.Result) { b.finish(r.Stop == nil) }

// finish lets go of the current bar: full when its phase came to its end, as
// far as it got otherwise. mpb waits for ever for a bar that does neither.
func (b *bars) finish(whole bool) {
	if b.bar == nil {
		return
	}
	if whole {
		b.bar.SetCurrent(b.total)
	}
	b.bar.Abort(false)
	b.bar = nil
}

// close waits until the last frame is drawn, so that what follows stands below it.
func (b *bars) close() {
	b.finish(false)
	b.progress.Wait()
}

func (b *bars) set(now run.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

func (b *bars) read() run.Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// cut shortens a line to so many characters.
func cut(line string, columns int) string {
	runes := []rune(line)
	if len(runes) <= columns {
		return line
	}
	return string(runes[:columns-1]) + "…"
}
