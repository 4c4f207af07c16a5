package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"cutover/harness/gate"
	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/reports"
)

func (a *App) reportCommand() *cobra.Command {
	var names []string
	var out string
	var partial bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render any format from a run folder, also of a killed run (--partial)",
		Long: "Renders a format to stdout, or to the file of --out. Several formats are written as files into the\n" +
			"folder of --out, which is the run's own where none is given.",
		Example: "  cutover report runs/20261122T031500Z-smoke\n" +
			"  cutover report runs/… --format html --out report.html\n" +
			"  cutover report runs/… --format html,junit,readiness",
		Args: exactArgs(1, "one run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.renderRun(args[0], names, out, partial)
		},
	}
	cmd.Flags().StringSliceVar(&names, "format", []string{"text"}, "what to render, a list; cutover list formats names them")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default stdout); of several formats, the folder (default RUN)")
	cmd.Flags().BoolVar(&partial, "partial", false, "seal the folder of a run that was killed, then render it")
	return cmd
}

func (a *App) renderRun(dir string, names []string, out string, partial bool) error {
	var formats []reports.Format
	for _, name := range names {
		format, err := reports.Lookup(strings.TrimSpace(name))
		if err != nil {
			return usageError("`cutover list formats` lists them", "--format: %w", err)
		}
		formats = append(formats, format)
	}
	r, err := loadRun(dir, partial)
	if err != nil {
		return err
	}
	if len(formats) == 1 {
		return a.renderOne(formats[0], r, dir, out)
	}
	into := dir
	if out != "" {
		if into = out; os.MkdirAll(into, 0o755) != nil {
			return usageError("", "--out: %s cannot be made a folder", into)
		}
	}
	for _, format := range formats {
		file := ""
		if format.File != "" && format.Name != "text" {
			file = filepath.Join(into, format.File)
			fmt.Fprintf(a.Stderr, "cutover: %s\n", file)
		}
		if err := a.renderOne(format, r, dir, file); err != nil {
			return err
		}
	}
	return nil
}

// renderOne writes one format to a file, or to stdout when there is no name.
func (a *App) renderOne(format reports.Format, r *result.Result, dir, out string) error {
	o := a.reportOptions(a.Stdout, r.SuiteFile)
	o.RunDir = dir
	if out == "" {
		return a.written(a.Stdout, format, r, o)
	}
	o.Color = false
	if err := wholeFile(out, func(w io.Writer) error { return a.written(w, format, r, o) }); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func loadRun(dir string, partial bool) (*result.Result, error) {
	if !runfolder.IsRun(dir) {
		return nil, usageError("`cutover run` prints the folder that it writes", "%s is not a run folder", dir)
	}
	r, err := runfolder.Load(dir)
	if errors.Is(err, runfolder.ErrUnfinished) {
		if !partial {
			return nil, usageError("seal it with `cutover report --partial "+quoteArg(dir)+"`", "the run in %s never ended: it was killed", dir)
		}
		if runfolder.Busy(dir) {
			return nil, usageError("wait for it to end, or stop it with Ctrl-C; --partial is for runs that were killed", "the run in %s still goes on", dir)
		}
		return runfolder.SealJudged(dir, judgeGates)
	}
	if err != nil {
		return nil, usageError("", "%s: %w", dir, err)
	}
	return r, nil
}

// judgeGates evaluates the gates of a run that was killed on what it left. One
// that cannot be read any more, or that asks for what was lost, has no data.
func judgeGates(r *result.Result) {
	for i, o := range r.Gates {
		if g, err := gate.Parse(o.Gate); err == nil {
			r.Gates[i] = g.Evaluate(r)
			r.Gates[i].Line = o.Line
		}
	}
}

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactArgs(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Stdout, "cutover %s\n", a.Version)
			return err
		},
	}
}
