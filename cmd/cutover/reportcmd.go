package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/reports"
)

func (a *App) reportCommand() *cobra.Command {
	var formatName, out string
	var partial bool
	cmd := &cobra.Command{
		Use:     "report RUN",
		Short:   "Render any format from a run folder, also of a killed run (--partial)",
		Example: "  cutover report runs/20261122T031500Z-smoke\n  cutover report runs/… --format html --out report.html",
		Args:    exactArgs(1, "one run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.renderRun(args[0], formatName, out, partial)
		},
	}
	cmd.Flags().StringVar(&formatName, "format", "text", "what to render; cutover list formats names them")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default stdout)")
	cmd.Flags().BoolVar(&partial, "partial", false, "seal the folder of a run that was killed, then render it")
	return cmd
}

func (a *App) renderRun(dir, formatName, out string, partial bool) (err error) {
	format, err := reports.Lookup(formatName)
	if err != nil {
		return usageError("`cutover list formats` lists them", "--format: %w", err)
	}
	r, err := loadRun(dir, partial)
	if err != nil {
		return err
	}
	var w io.Writer = a.Stdout
	o := a.reportOptions(a.Stdout, r.SuiteFile)
	o.RunDir = dir
	if out != "" {
		file, err := os.Create(out)
		if err != nil {
			return usageError("", "--out: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		w, o.Color = file, false
	}
	return a.written(w, format, r, o)
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
		return runfolder.Seal(dir)
	}
	if err != nil {
		return nil, usageError("", "%s: %w", dir, err)
	}
	return r, nil
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
