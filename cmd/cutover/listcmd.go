package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cutover/harness/conform"
	"cutover/harness/doctor"
	"cutover/harness/lab/quirks"
	"cutover/harness/load"
	"cutover/profiles"
	"cutover/reports"
	"cutover/suites"
)

// kinds is the table of what `cutover list` lists: each kind as name and one
// line about it.
var kinds = map[string]func() [][2]string{
	"suites": func() (rows [][2]string) {
		for _, s := range suites.Builtin() {
			rows = append(rows, [2]string{s.Name, s.About})
		}
		return rows
	},
	"profiles": func() (rows [][2]string) {
		for _, p := range profiles.Builtin() {
			rows = append(rows, [2]string{p.Name, p.About})
		}
		return rows
	},
	"rules": func() (rows [][2]string) {
		for _, r := range conform.Rules() {
			about := r.About
			if waits := r.Waits(); waits != "" {
				about = strings.TrimSuffix(about, ".") + " (" + waits + ")."
			}
			rows = append(rows, [2]string{r.ID, about})
		}
		return rows
	},
	"quirks": func() (rows [][2]string) {
		for _, q := range quirks.All() {
			rows = append(rows, [2]string{q.ID, q.About})
		}
		return rows
	},
	"checks": func() (rows [][2]string) {
		for _, c := range doctor.Checks() {
			rows = append(rows, [2]string{c.ID, c.Title})
		}
		return rows
	},
	"formats": func() (rows [][2]string) {
		for _, f := range reports.Formats() {
			rows = append(rows, [2]string{f.Name, f.About})
		}
		return rows
	},
	"models": func() (rows [][2]string) {
		for _, m := range load.Kinds() {
			rows = append(rows, [2]string{m.Name, m.About})
		}
		return rows
	},
}

func (a *App) listCommand() *cobra.Command {
	known := strings.Join(sorted(kinds), " | ")
	return &cobra.Command{
		Use:       "list KIND",
		Short:     "List what there is: " + known,
		Example:   "  cutover list suites\n  cutover list rules",
		ValidArgs: sorted(kinds),
		Args:      exactArgs(1, "one of "+known),
		RunE: func(_ *cobra.Command, args []string) error {
			rows, ok := kinds[args[0]]
			if !ok {
				return usageError("known: "+known, "there is no list of %q", args[0])
			}
			tab := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			for _, row := range rows() {
				fmt.Fprintf(tab, "%s\t%s\n", row[0], row[1])
			}
			return tab.Flush()
		},
	}
}
