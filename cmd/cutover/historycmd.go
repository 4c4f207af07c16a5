package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cutover/harness/history"
	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/suites/strictyaml"
)

// defaultHistory lies beside the run folders.
const defaultHistory = "runs/history.db"

type historyOptions struct {
	file, suite, profile, verdict, mark, since string
	last                                       int
	step, path, quantile, format, out          string
	as, note                                   string
	baseline                                   string
}

func (a *App) historyCommand() *cobra.Command {
	o := &historyOptions{}
	cmd := &cobra.Command{
		Use:   "history",
		Short: "The recorded runs; trend; mark a baseline",
		Long: "Keeps an index of runs over nights. Run folders stay the truth: `history rebuild` makes the\n" +
			"index anew from them. Without a subcommand, it lists the recorded runs.",
		Example: "  cutover history record runs/*\n" +
			"  cutover history --suite nightly --last 14\n" +
			"  cutover history trend --step open-inbox/list --path cloud\n" +
			"  cutover history mark runs/20261122T031500Z-nightly --as good",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("`cutover history --help` lists them", "unknown subcommand %q", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return a.historyList(o) },
	}
	cmd.PersistentFlags().StringVar(&o.file, "history", defaultHistory, "file of the history")
	o.filterFlags(cmd.Flags())
	o.formatFlag(cmd.Flags(), "text or json")
	cmd.AddCommand(a.historyRecord(o), a.historyMark(o), a.historyTrend(o), a.historyFirstBad(o), a.historyJudge(o), a.historyRebuild(o), a.historyExport(o))
	return cmd
}

func (o *historyOptions) filterFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.suite, "suite", "", "runs of this suite alone")
	flags.StringVar(&o.profile, "profile", "", "runs of this profile alone")
	flags.StringVar(&o.verdict, "verdict", "", "runs with this verdict alone: pass, fail or inconclusive")
	flags.StringVar(&o.mark, "mark", "", "runs with this mark alone")
	flags.StringVar(&o.since, "since", "", "runs of the last time alone, such as 30d or 12h")
	flags.IntVar(&o.last, "last", 0, "so many runs, the newest (default all)")
}

func (o *historyOptions) formatFlag(flags *pflag.FlagSet, what string) {
	flags.StringVar(&o.format, "format", "text", what)
	flags.StringVar(&o.out, "out", "", "file to write (default stdout)")
}

// filter turns the flags into what the history understands.
func (o *historyOptions) filter(now time.Time) (history.Filter, error) {
	f := history.Filter{Suite: o.suite, Profile: o.profile, Mark: o.mark, Verdict: result.Verdict(o.verdict), Last: o.last}
	if o.verdict != "" && !contains([]string{"pass", "fail", "inconclusive"}, o.verdict) {
		return f, usageError("known: pass, fail, inconclusive", "--verdict: unknown verdict %q", o.verdict)
	}
	if o.last < 0 {
		return f, usageError("", "--last: %d is below 0", o.last)
	}
	if o.since != "" {
		d, err := strictyaml.ParseDuration(o.since)
		if err != nil || d <= 0 {
			return f, usageError("write it as 30d or 12h", "--since: %q is no duration", o.since)
		}
		f.Since = now.Add(-d)
	}
	return f, nil
}

// openHistory opens a history. Unless it may be made, it must be there.
func openHistory(file string, make bool) (*history.History, error) {
	if _, err := os.Stat(file); err != nil && !make {
		return nil, usageError("`cutover history record RUN…` or `cutover run --history FILE` makes one", "--history: %w", err)
	}
	h, err := history.Open(file)
	switch {
	case errors.Is(err, history.ErrDamaged), errors.Is(err, history.ErrVersion):
		return nil, usageError("`cutover history rebuild --history "+quoteArg(file)+"` makes it anew from the run folders", "%w", err)
	case err != nil:
		return nil, usageError("", "%w", err)
	}
	return h, nil
}

// withHistory opens the history, does something with it and closes it.
func (o *historyOptions) withHistory(make bool, do func(*history.History) error) error {
	h, err := openHistory(o.file, make)
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Close())
}

func (a *App) historyList(o *historyOptions) error {
	if o.format != "text" && o.format != "json" {
		return usageError("known: text, json", "--format: unknown format %q", o.format)
	}
	f, err := o.filter(a.Clock.Now())
	if err != nil {
		return err
	}
	return o.withHistory(false, func(h *history.History) error {
		runs, err := h.List(f)
		if err != nil {
			return err
		}
		return a.writeTo(o.out, func(w io.Writer) error {
			if o.format == "json" {
				return historyJSON(w, runs)
			}
			return listRuns(w, h, runs)
		})
	})
}

// listRuns prints one line a run, the newest last, where a terminal shows it.
func listRuns(w io.Writer, h *history.History, runs []history.Run) error {
	if len(runs) == 0 {
		_, err := fmt.Fprintf(w, "no run is recorded in %s that fits\n", h.File())
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "started (UTC)\tsuite\tprofile\tverdict\tmark\trun")
	for _, r := range runs {
		profile := r.Profile
		if r.Target == result.Simulated {
			profile += " (simulated)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Started.Format("2006-01-02 15:04"), r.Suite, profile, r.Verdict, cmp.Or(r.Mark, "-"), r.RunID)
	}
	return table.Flush()
}

func (a *App) historyRecord(o *historyOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "record RUN...",
		Short:   "Enter run folders, or folders of run folders, into the history",
		Example: "  cutover history record runs",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.withHistory(true, func(h *history.History) error {
				recorded := 0
				for _, arg := range args {
					dirs, err := history.Folders(arg)
					if err != nil {
						return usageError("", "%w", err)
					}
					if len(dirs) == 0 {
						return usageError("`cutover run` prints the folder that it writes", "%s is neither a run folder nor a folder of run folders", arg)
					}
					n, err := a.recordAll(h, dirs)
					if err != nil {
						return err
					}
					recorded += n
				}
				_, err := fmt.Fprintf(a.Stdout, "%d recorded in %s\n", recorded, h.File())
				return err
			})
		},
	}
}

// recordAll records finished runs and says which were not.
func (a *App) recordAll(h *history.History, dirs []string) (int, error) {
	n := 0
	for _, dir := range dirs {
		r, err := runfolder.Load(dir)
		if err != nil {
			fmt.Fprintf(a.Stderr, "cutover: %v; left out\n", err)
			continue
		}
		if err := h.Record(r, dir); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (a *App) historyMark(o *historyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mark RUN --as MARK",
		Short: "Mark a run: good, bad, new-level, or the name of a baseline",
		Long: "The nightly rule compares with good nights: those that passed, and those marked good. A run\n" +
			"marked bad never counts. From a run marked new-level on, earlier nights no longer count. Any\n" +
			"other word names a baseline for `--baseline`. An empty mark takes it away.",
		Example: "  cutover history mark 20261122T031500Z-nightly --as good --note 'after the firmware update'",
		Args:    exactArgs(1, "one run: its id or its folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("as") {
				return usageError("such as --as good", "mark needs --as")
			}
			return o.withHistory(false, func(h *history.History) error {
				r, err := findRun(h, args[0])
				if err != nil {
					return err
				}
				if err := h.Mark(r, o.as, o.note); err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.Stdout, "%s: %s\n", r.RunID, cmp.Or(o.as, "no mark"))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&o.as, "as", "", "good, bad, new-level, or the name of a baseline")
	cmd.Flags().StringVar(&o.note, "note", "", "why")
	return cmd
}

func findRun(h *history.History, name string) (history.Run, error) {
	r, err := h.Find(name)
	if errors.Is(err, history.ErrNoRun) {
		return r, usageError("`cutover history` lists them; `cutover history record` enters one", "%w", err)
	}
	return r, err
}

func (a *App) historyJudge(o *historyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "judge RUN",
		Short:   "Hold a run against the good nights before it, by the nightly rule",
		Example: "  cutover history judge runs/20261122T031500Z-nightly",
		Args:    exactArgs(1, "one run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := loadRun(args[0], false)
			if err != nil {
				return err
			}
			return o.withHistory(false, func(h *history.History) error {
				gates, err := h.Judge(r, o.baseline)
				if err != nil {
					return err
				}
				code := exitPass
				for _, g := range gates {
					fmt.Fprintf(a.Stdout, "%-8s %s", g.Verdict, g.Gate)
					if g.Observed != "" {
						fmt.Fprintf(a.Stdout, ": %s, limit %s", g.Observed, g.Limit)
					}
					if g.Note != "" {
						fmt.Fprintf(a.Stdout, " (%s)", g.Note)
					}
					fmt.Fprintln(a.Stdout)
					switch {
					case g.Verdict == result.Fail:
						code = exitFail
					case g.Verdict == result.NoData && code == exitPass:
						code = exitInconclusive
					}
				}
				if code != exitPass {
					return &exitError{code: code}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&o.baseline, "baseline", history.Good, "good for the good nights, or a mark")
	return cmd
}

func (a *App) historyRebuild(o *historyOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "rebuild [DIR...]",
		Short:   "Make the history anew from the run folders (default: those below its own folder)",
		Example: "  cutover history rebuild runs /archive/runs",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{folderOf(o.file)}
			}
			done, err := history.Rebuild(o.file, args)
			if err != nil {
				return usageError("", "%w", err)
			}
			for _, skipped := range done.Skipped {
				fmt.Fprintf(a.Stderr, "cutover: %s; left out\n", skipped)
			}
			fmt.Fprintf(a.Stdout, "%d runs recorded in %s\n", done.Runs, o.file)
			if done.OldFile != "" {
				fmt.Fprintf(a.Stdout, "the old history is kept as %s\n", done.OldFile)
			}
			return nil
		},
	}
}

func (a *App) historyExport(o *historyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Write the recorded runs as JSON lines, with their numbers and findings",
		Example: "  cutover history export --suite nightly --out nights.jsonl",
		Args:    exactArgs(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			f, err := o.filter(a.Clock.Now())
			if err != nil {
				return err
			}
			return o.withHistory(false, func(h *history.History) error {
				return a.writeTo(o.out, func(w io.Writer) error { return h.Export(w, f) })
			})
		},
	}
	o.filterFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.out, "out", "", "file to write (default stdout)")
	return cmd
}
