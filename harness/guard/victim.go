package guard

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"cutover/harness/result"
)

// Victim is a control mailbox that the load does not touch, asked down one path.
// When its answers become slower while the load runs, the load is the cause.
type Victim struct {
	Path string
	// Ask asks the mailbox once and says how long the answer took, our own waiting not
	// counted. It must end with its context. An error is an answer that did not come or
	// was none.
	Ask func(context.Context) (time.Duration, error)
}

const (
	// victimRing is how many answers a p95 is taken over: fewer have none.
	victimRing = 20
	// victimNoise is how much slower nobody notices: what timers and schedulers add,
	// where a baseline of a few milliseconds would make half as much again of it.
	victimNoise = 25 * time.Millisecond
	// victimLost is how many answers in a row may fail to come.
	victimLost = 3
)

// watched is what is known about one victim. Its fields are guarded by Brake.mu.
type watched struct {
	Victim
	answers []time.Duration // the last victimRing under load
	base    time.Duration   // p95 before the load; 0: not measured, and not judged
	worst   time.Duration   // highest p95 under load
	asked   int             // under load
	lost    int             // failures in a row
}

// Baseline measures every victim before the load begins: victimRing answers each,
// the victims side by side. Without it they are not judged. It fails when a victim does
// not answer, or when ctx ends.
func (b *Brake) Baseline(ctx context.Context) error {
	errs := make([]error, len(b.victims))
	var work sync.WaitGroup
	for i, v := range b.victims {
		work.Go(func() { errs[i] = b.baseline(ctx, v) })
	}
	work.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Brake) baseline(ctx context.Context, v *watched) error {
	var answers []time.Duration
	for range victimRing {
		took, err := v.Ask(ctx)
		if err != nil {
			return fmt.Errorf("the control mailbox on path %s: %w", v.Path, err)
		}
		answers = append(answers, took)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	v.base = percentile95(answers)
	return nil
}

// attend asks one victim every VictimEvery until ctx ends or the brake trips. A
// victim that hangs keeps nothing else from being watched.
func (b *Brake) attend(ctx context.Context, v *watched) {
	timer := b.o.Clock.NewTimer(b.o.VictimEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.tripped:
			return
		case <-timer.C():
		}
		took, err := v.Ask(ctx)
		if ctx.Err() != nil {
			return
		}
		b.suffered(v, took, err)
		timer.Reset(b.o.VictimEvery)
	}
}

// suffered judges one answer under load.
func (b *Brake) suffered(v *watched, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.asked++; err != nil {
		if v.lost++; v.lost >= victimLost {
			b.trip(fmt.Sprintf("a mailbox outside the load stopped answering on path %s (%d times in a row): the run disturbs others", v.Path, v.lost))
		}
		return
	}
	v.lost = 0
	v.answers = append(v.answers, took)
	if len(v.answers) < victimRing {
		return
	}
	v.answers = v.answers[len(v.answers)-victimRing:]
	p95 := percentile95(v.answers)
	v.worst = max(v.worst, p95)
	if limit := time.Duration(b.o.VictimFactor * float64(v.base)); v.base > 0 && p95 > max(limit, v.base+victimNoise) {
		b.trip(fmt.Sprintf("a mailbox outside the load answers in %s (p95) instead of %s on path %s: the run disturbs others",
			p95.Round(time.Millisecond), v.base.Round(time.Millisecond), v.Path))
	}
}

// Suffered tells how the victims fared so far, in the order of the options.
func (b *Brake) Suffered() []result.Control {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []result.Control
	for _, v := range b.victims {
		out = append(out, result.Control{Path: v.Path, Probes: v.asked, BaselineMS: milliseconds(v.base), WorstMS: milliseconds(v.worst)})
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile95 is the nearest rank: the smallest value that 95 % do not exceed.
func percentile95(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)*95+99)/100-1]
}
