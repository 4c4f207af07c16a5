package main

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"cutover/harness/result"
	"cutover/harness/run"
)

// bars draws one bar a phase on a terminal, with the live figures of both
// paths behind it. Nothing else may write to the terminal while bars are live.
type bars struct {
	progress *mpb.Progress
	mu       sync.Mutex
	line     string // guarded by mu: the decorator reads it from mpb's goroutine
	bar      *mpb.Bar
	total    int64 // of bar, in milliseconds
}

func newBars(w io.Writer) *bars {
	return &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(28), mpb.WithRefreshRate(200*time.Millisecond))}
}

func (b *bars) Phase(info run.PhaseInfo) {
	b.finish(true)
	b.total = max(info.Length.Milliseconds(), 1)
	b.setLine("")
	name := info.Name
	if !info.Measured {
		name += " (not measured)"
	}
	b.bar = b.progress.New(b.total, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: 24, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.readLine() })),
	)
}

func (b *bars) Second(now run.Progress) {
	b.setLine(progressLine(now))
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

func (b *bars) setLine(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line = s
}

func (b *bars) readLine() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line
}
