package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/calibrate"
	"cutover/harness/load"
	"cutover/harness/result"
)

func (a *App) calibrateCommand() *cobra.Command {
	var short, asJSON bool
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Measure the instrument itself against a lab with known delays, and print its error",
		Long: "Starts a lab as a process of its own, asks it at known rates for answers with known delays,\n" +
			"stalls and errors, and prints how far the figures are off, which rate this machine can\n" +
			"keep, and whether a run beyond it says so. Exit code 6: the figures of this machine are\n" +
			"not to be believed at the moment. docs/calibrate.md explains each line.",
		Example: "  cutover calibrate\n  cutover calibrate --short --json",
		Args:    exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.calibrate(cmd.Context(), short, asJSON)
		},
	}
	cmd.Flags().BoolVar(&short, "short", false, "half a minute instead of more than two, with shorter stalls; for CI")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// lengths are how long the measurements of a calibration take.
type lengths struct {
	fixed, errors, schedule time.Duration
	stall                   calibrate.Stall
	each, drain             time.Duration // of the search for the capacity
	rate                    int           // of the schedule's measurement
}

func lengthsOf(short bool) lengths {
	if short {
		return lengths{fixed: 3 * time.Second, errors: 2 * time.Second, schedule: 2 * time.Second, each: time.Second, drain: 200 * time.Millisecond, rate: 1000,
			stall: calibrate.Stall{Rate: 100, For: 8 * time.Second, At: 3 * time.Second, Lasting: time.Second}}
	}
	return lengths{fixed: 10 * time.Second, errors: 5 * time.Second, schedule: 6 * time.Second, each: 3 * time.Second, drain: time.Second, rate: 2000,
		stall: calibrate.Stall{Rate: 100, For: time.Minute, At: 30 * time.Second, Lasting: 5 * time.Second}}
}

// trialsExpected is about how many trials the search for the capacity takes.
const trialsExpected = 14

// total is about how long all of it takes.
func (l lengths) total() time.Duration {
	return l.fixed + l.errors + l.schedule + l.stall.For + l.stall.Lasting + trialsExpected*(l.each+l.drain) + 3*l.each
}

// calibrate measures everything and prints the report.
func (a *App) calibrate(ctx context.Context, short, asJSON bool) error {
	l := lengthsOf(short)
	fmt.Fprintf(a.Stderr, "cutover: measuring the instrument takes about %v; other work on this machine spoils it\n", l.total().Round(5*time.Second))
	b, err := a.openBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	started := a.Clock.Now()
	r := &calibrate.Report{Schema: calibrate.Schema, Started: started.UTC(), Short: short,
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	for _, measure := range []func(context.Context, *bench, lengths, *calibrate.Report) error{fixedDelay, stalled, errorsCounted, schedule, capacity} {
		if err := measure(ctx, b, l, r); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted: the calibration is not complete")}
		}
	}
	r.TookS = a.Clock.Now().Sub(started).Round(time.Second).Seconds()
	r.Decide()
	write := r.Text
	if asJSON {
		write = r.JSON
	}
	if err := write(a.Stdout); err != nil {
		return err
	}
	if !r.Held {
		return &exitError{code: exitInconclusive}
	}
	return nil
}

// fixedDelay asks for answers that take 20 ms.
func fixedDelay(ctx context.Context, b *bench, l lengths, r *calibrate.Report) error {
	const delay = 20 * time.Millisecond
	got, seen, err := b.ask(ctx, "fixed delay", ruled{delay: delay}, constantLoad(200, l.fixed))
	if err != nil || got == nil {
		return err
	}
	s := got.Steps[0].Response
	r.Measured = append(r.Measured,
		judged("p50 of a fixed delay of 20 ms at 200/s", delay, s.P50, calibrate.MostMedianError, &seen.TookP50),
		judged("p99 of the same", delay, s.P99, calibrate.MostTailError, &seen.TookP99))
	return nil
}

// judged holds a quantile against its truth; one that is missing is as wrong as can be.
func judged(what string, truth time.Duration, got *float64, limit time.Duration, lab *float64) calibrate.Measurement {
	value := 0.0
	if got != nil {
		value = *got
	}
	return calibrate.Judge(what, "ms", millis(truth), value, millis(limit), lab)
}

// stalled asks a target that stands still for a while.
func stalled(ctx context.Context, b *bench, l lengths, r *calibrate.Report) error {
	s := l.stall
	got, _, err := b.ask(ctx, "stall", ruled{at: s.At, stall: s.Lasting}, constantLoad(s.Rate, s.For))
	if err != nil || got == nil {
		return err
	}
	truth := s.Quantile(0.99)
	what := fmt.Sprintf("p99 over a stall of %v in %v at %.0f/s", s.Lasting, s.For, s.Rate)
	r.Measured = append(r.Measured, judged(what, truth, got.Steps[0].Response.P99, time.Duration(calibrate.MostStallError*float64(truth)), nil))
	return nil
}

// errorsCounted asks a target of which each twentieth answer is an error.
func errorsCounted(ctx context.Context, b *bench, l lengths, r *calibrate.Report) error {
	got, seen, err := b.ask(ctx, "errors", ruled{every: 20}, constantLoad(100, l.errors))
	if err != nil || got == nil {
		return err
	}
	r.Measured = append(r.Measured,
		calibrate.Judge("errors counted, each twentieth answer being one", "", float64(seen.Errors), float64(got.Steps[0].Outcomes[result.OutcomeUnexpected]), 0, nil),
		calibrate.Judge("requests counted", "", float64(seen.Requests), float64(got.Steps[0].Count), 0, nil))
	return nil
}

// schedule asks evenly and looks at when the requests came.
func schedule(ctx context.Context, b *bench, l lengths, r *calibrate.Report) error {
	got, seen, err := b.ask(ctx, "schedule", ruled{}, constantLoad(float64(l.rate), l.schedule))
	if err != nil || got == nil {
		return err
	}
	p50, p99 := calibrate.ScheduleError(seen.Arrivals, float64(l.rate), 500*time.Millisecond)
	limit := millis(calibrate.MostScheduleError)
	r.Measured = append(r.Measured,
		calibrate.Judge(fmt.Sprintf("p50 of how far from their due time requests came, at %d/s", l.rate), "ms", 0, p50/1000, limit, nil),
		calibrate.Judge("p99 of the same distance", "ms", 0, p99/1000, limit, nil))
	return nil
}

// mostHunts bounds how often the capacity is looked for, mostHunted how high: requests a
// second.
const (
	mostHunts  = 3
	mostHunted = 128_000.0
)

// capacity looks for the highest rate at which a run is to be believed and answers
// come as fast as ever, and overdoes it. Where twice that rate holds as well, something
// else kept the machine busy during the search: it begins again from there.
func capacity(ctx context.Context, b *bench, l lengths, r *calibrate.Report) error {
	from := 250.0
	for range mostHunts {
		found, err := b.hunt(ctx, from, l)
		if err != nil || found == nil {
			return err
		}
		r.Capacity = calibrate.Capacity{HeldPS: found.Low, FailedPS: found.High, Limiting: found.Limiting}
		if found.Low == 0 {
			return nil
		}
		over, _, err := b.ask(ctx, fmt.Sprintf("twice the capacity: %.0f/s", 2*found.Low), ruled{}, constantLoad(2*found.Low, 3*l.each))
		if err != nil || over == nil {
			return err
		}
		r.Overload = calibrate.Overload{AskedPS: 2 * found.Low, Verdict: string(over.Verdict), ExitCode: over.ExitCode, Reasons: over.Reasons,
			Held: over.Verdict == result.Inconclusive && over.ExitCode == exitInconclusive && len(over.Reasons) > 0}
		if over.Verdict != result.Pass {
			return nil
		}
		from = min(2*found.Low, mostHunted)
	}
	return nil
}

// hunt searches for the capacity from a rate on; nil: it was interrupted.
func (b *bench) hunt(ctx context.Context, from float64, l lengths) (*load.Found, error) {
	hunt := load.Search{Start: from, Max: mostHunted, Precision: 0.1, Confirm: 1}.Begin()
	for {
		rate, more := hunt.Next()
		if !more {
			found := hunt.Found()
			return &found, nil
		}
		got, err := b.holds(ctx, rate, l)
		if err != nil || got == nil {
			return nil, err
		}
		limiting := ""
		if got.Verdict != result.Pass {
			limiting = got.Reasons[0]
		}
		hunt.Report(got.Verdict == result.Pass, limiting)
	}
}

// holds asks at a rate. One that does not hold is asked once more: what else runs on
// the machine for a moment says nothing of its capacity.
func (b *bench) holds(ctx context.Context, rate float64, l lengths) (got *result.Result, err error) {
	for range 2 {
		got, _, err = b.ask(ctx, fmt.Sprintf("capacity: %.0f/s", rate), ruled{}, constantLoad(rate, l.each)+capacityGates)
		if err != nil || got == nil || b.app.Clock.SleepUntil(ctx, b.app.Clock.Now().Add(l.drain)) != nil || got.Verdict == result.Pass {
			break
		}
	}
	return got, err
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
