package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/compare"
	"cutover/harness/history"
	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/suites/strictyaml"
)

type compareOptions struct {
	base, run      []string
	force          bool
	margin, effect string
	steps, paths   []string
	quantiles      []string
	history        string
	format, out    string
	seed           uint64
}

func (a *App) compareCommand() *cobra.Command {
	o := &compareOptions{}
	cmd := &cobra.Command{
		Use:   "compare BASE RUN",
		Short: "Regression between runs: latency shift with confidence, new and gone findings",
		Long: "Says whether RUN got slower, or answers differently, than BASE did. Each may be a run folder,\n" +
			"or a folder of run folders: several runs a side are compared run by run, which is the only\n" +
			"way to tell a regression from the difference that runs always have.\n\n" +
			"Exit codes: 0 pass, 1 fail, 6 inconclusive (the data cannot tell).",
		Example: "  cutover compare runs/monday runs/tuesday --history runs/history.db\n" +
			"  cutover compare runs/before runs/after              # folders of run folders\n" +
			"  cutover compare --base a --base b --run c --run d --step open-inbox/list --quantile p95",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 2 && len(o.base)+len(o.run) == 0, len(args) == 0 && len(o.base) > 0 && len(o.run) > 0:
				return nil
			}
			return usageError("`cutover compare --help` shows an example", "expected BASE and RUN, or --base and --run")
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 2 {
				o.base, o.run = args[:1], args[1:]
			}
			return a.compareRuns(o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.base, "base", nil, "run folder of the base side, or a folder of them (repeatable, in place of BASE)")
	flags.StringArrayVar(&o.run, "run", nil, "run folder of the other side, or a folder of them (repeatable, in place of RUN)")
	flags.BoolVar(&o.force, "force", false, "compare although suite, profile or plan differ")
	flags.StringVar(&o.margin, "margin", "10%", "a pass promises not to be slower by more than this")
	flags.StringVar(&o.effect, "min-effect", "5%", "a smaller shift is no regression")
	flags.StringArrayVar(&o.steps, "step", nil, "test this step alone, as SCENARIO/STEP (repeatable)")
	flags.StringArrayVar(&o.paths, "path", nil, "test this path alone (repeatable)")
	flags.StringSliceVar(&o.quantiles, "quantile", []string{"p50", "p95"}, "what is tested of each step")
	flags.StringVar(&o.history, "history", "", "history that knows by how much runs differ anyway")
	flags.StringVar(&o.format, "format", "text", "text or json")
	flags.StringVar(&o.out, "out", "", "file to write (default stdout)")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the resampling")
	return cmd
}

func (a *App) compareRuns(o *compareOptions) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	base, err := a.loadSide(o.base)
	if err != nil {
		return err
	}
	run, err := a.loadSide(o.run)
	if err != nil {
		return err
	}
	if o.history != "" {
		if options.Band, err = bandOf(o.history, base[0]); err != nil {
			return err
		}
	}
	report, err := compare.Runs(base, run, options)
	switch {
	case errors.Is(err, compare.ErrDifferent):
		return usageError("--force compares them anyway; `cutover history` lists runs that asked the same", "%w", err)
	case err != nil:
		return err
	}
	if err := a.writeTo(o.out, func(w io.Writer) error {
		if o.format == "json" {
			return report.WriteJSON(w)
		}
		return report.WriteText(w)
	}); err != nil {
		return err
	}
	if report.ExitCode != exitPass {
		return &exitError{code: report.ExitCode}
	}
	return nil
}

func (o *compareOptions) options() (compare.Options, error) {
	out := compare.Options{Force: o.force, Seed: o.seed, Steps: o.steps, Paths: o.paths}
	if o.format != "text" && o.format != "json" {
		return out, usageError("known: text, json", "--format: unknown format %q", o.format)
	}
	var err error
	if out.Margin, err = percentFlag("margin", o.margin); err != nil {
		return out, err
	}
	if out.MinEffect, err = percentFlag("min-effect", o.effect); err != nil {
		return out, err
	}
	for _, text := range o.quantiles {
		q, err := quantileFlag(text)
		if err != nil {
			return out, err
		}
		out.Quantiles = append(out.Quantiles, q)
	}
	return out, nil
}

// percentFlag reads "10%" as 0.1.
func percentFlag(name, text string) (float64, error) {
	share, err := strictyaml.ParsePercent(text)
	if err != nil || share <= 0 {
		return 0, usageError("write it as a share, such as 10%", "--%s: %q is no percentage above 0", name, text)
	}
	return float64(share), nil
}

// quantileFlag reads "p99.9" as 0.999.
func quantileFlag(text string) (float64, error) {
	digits, named := strings.CutPrefix(text, "p")
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !named || !(v > 0 && v < 100) {
		return 0, usageError("write it as p50, p95 or p99.9", "--quantile: %q is no quantile", text)
	}
	return v / 100, nil
}

// loadSide loads the runs of one side. In a folder of run folders, runs that were killed
// are left out with a word on stderr.
func (a *App) loadSide(names []string) ([]*result.Result, error) {
	var out []*result.Result
	for _, name := range names {
		if runfolder.IsRun(name) {
			r, err := loadRun(name, false)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
			continue
		}
		dirs, err := history.Folders(name)
		if err != nil {
			return nil, usageError("`cutover run` prints the folder that it writes", "%w", err)
		}
		found := len(out)
		for _, dir := range dirs {
			r, err := runfolder.Load(dir)
			if errors.Is(err, runfolder.ErrUnfinished) {
				fmt.Fprintf(a.Stderr, "cutover: %v; left out\n", err)
				continue
			}
			if err != nil {
				return nil, usageError("", "%w", err)
			}
			out = append(out, r)
		}
		if len(out) == found {
			return nil, usageError("`cutover run` prints the folder that it writes", "%s is neither a run folder nor a folder of run folders", name)
		}
	}
	return out, nil
}

// bandOf asks a history by how much runs like r differ anyway.
func bandOf(file string, r *result.Result) (func(scenario, step, path string, q float64) (float64, bool), error) {
	h, err := openHistory(file, false)
	if err != nil {
		return nil, err
	}
	band, err := h.Band(r)
	return band, errors.Join(err, h.Close())
}

// writeTo writes to a file, or to stdout when there is no name.
func (a *App) writeTo(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(a.Stdout)
	}
	if err := wholeFile(name, write); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
