package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cutover/harness/history"
)

func (a *App) historyTrend(o *historyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trend",
		Short:   "How a quantile of each step went over the nights, with the nights that changed it",
		Example: "  cutover history trend --suite nightly --path cloud --last 30\n  cutover history trend --step open-inbox/list --quantile p50 --format html --out trend.html",
		Args:    exactArgs(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			if !contains([]string{"text", "json", "html"}, o.format) {
				return usageError("known: text, json, html", "--format: unknown format %q", o.format)
			}
			return a.eachTrend(o, func(w io.Writer, trends []history.Trend) error {
				switch o.format {
				case "json":
					return historyJSON(w, trends)
				case "html":
					return history.WriteHTML(w, trends)
				}
				return printTrends(w, trends)
			})
		},
	}
	o.trendFlags(cmd)
	o.formatFlag(cmd.Flags(), "text, json or html")
	return cmd
}

func (o *historyOptions) trendFlags(cmd *cobra.Command) {
	o.filterFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.step, "step", "", "this step alone, as SCENARIO/STEP")
	cmd.Flags().StringVar(&o.path, "path", "", "this path alone")
	cmd.Flags().StringVar(&o.quantile, "quantile", "p95", "p50, p95 or p99")
}

func (a *App) eachTrend(o *historyOptions, write func(io.Writer, []history.Trend) error) error {
	if !contains([]string{"p50", "p95", "p99"}, o.quantile) {
		return usageError("known: p50, p95, p99", "--quantile: %q is not recorded", o.quantile)
	}
	f, err := o.filter(a.Clock.Now())
	if err != nil {
		return err
	}
	return o.withHistory(false, func(h *history.History) error {
		trends, err := h.Trends(history.Wanted{Filter: f, Step: o.step, Path: o.path, Quantile: o.quantile})
		if err != nil {
			return err
		}
		return a.writeTo(o.out, func(w io.Writer) error { return write(w, trends) })
	})
}

func printTrends(w io.Writer, trends []history.Trend) error {
	if len(trends) == 0 {
		_, err := fmt.Fprintln(w, "no recorded run fits")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "step\tpath\t\tfirst ms\tlast ms\tnights, the oldest first\tchanged")
	for _, t := range trends {
		fmt.Fprintf(table, "%s/%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Scenario, t.Step, t.Path, t.Quantile, endValue(t, true), endValue(t, false), history.Sparkline(t.Points), changedSays(t))
	}
	return table.Flush()
}

// endValue is the first or the last value that is known.
func endValue(t history.Trend, first bool) string {
	for i := range t.Points {
		p := t.Points[i]
		if !first {
			p = t.Points[len(t.Points)-1-i]
		}
		if p.Value != nil {
			return fmt.Sprintf("%.3g", *p.Value)
		}
	}
	return "-"
}

func changedSays(t history.Trend) string {
	if len(t.Changes) == 0 {
		return "-"
	}
	last := t.Changes[len(t.Changes)-1]
	return fmt.Sprintf("%+.3g %% since %s", last.Share*100, last.RunID)
}

func (a *App) historyFirstBad(o *historyOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "first-bad",
		Short:   "The night since which steps are slower or show a finding, and what else changed that night",
		Example: "  cutover history first-bad --suite nightly",
		Args:    exactArgs(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			f, err := o.filter(a.Clock.Now())
			if err != nil {
				return err
			}
			if !contains([]string{"p50", "p95", "p99"}, o.quantile) {
				return usageError("known: p50, p95, p99", "--quantile: %q is not recorded", o.quantile)
			}
			return o.withHistory(false, func(h *history.History) error {
				bad, err := h.FirstBad(history.Wanted{Filter: f, Step: o.step, Path: o.path, Quantile: o.quantile})
				if err != nil {
					return err
				}
				return a.writeTo(o.out, func(w io.Writer) error {
					if o.format == "json" {
						return historyJSON(w, bad)
					}
					return printBad(w, bad)
				})
			})
		},
	}
	o.trendFlags(cmd)
	o.formatFlag(cmd.Flags(), "text or json")
	return cmd
}

func printBad(w io.Writer, bad []history.BadNight) error {
	if len(bad) == 0 {
		_, err := fmt.Fprintln(w, "nothing got worse and stayed so")
		return err
	}
	for _, night := range bad {
		fmt.Fprintf(w, "%s  %s\n", night.Started.Format("2006-01-02 15:04"), night.RunID)
		for _, what := range night.What {
			fmt.Fprintf(w, "  %s\n", what)
		}
		if len(night.With) == 0 {
			fmt.Fprintln(w, "  nothing else that was recorded changed that night")
		}
		for _, d := range night.With {
			fmt.Fprintf(w, "  with it: %s, %s → %s\n", d.What, d.Base, d.Run)
		}
	}
	return nil
}

// historyJSON writes any value as indented JSON with a final newline.
func historyJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func folderOf(file string) string { return filepath.Dir(file) }
