package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"cutover/harness/conform"
	"cutover/harness/doctor"
	"cutover/harness/lab/quirks"
	"cutover/suites/strictyaml"
)

func (a *App) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain ID",
		Short:   "What a rule, finding, quirk or check means, with its source and remedy",
		Long:    "Explains an id: of a rule, a quirk of the lab or a check. A finding's fingerprint is looked up in\nthe runs below runs/, the latest first.",
		Example: "  cutover explain case.property\n  cutover explain 3fa9c1d2e4b5a697",
		Args:    exactArgs(1, "one id, as a report prints it"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return explainable(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.explain(args[0]) },
	}
}

// explain prints everything known under an id. A rule and a quirk may share
// one: the quirk is the lab's imitation of what the rule finds.
func (a *App) explain(id string) error {
	found := false
	for _, r := range conform.Rules() {
		if r.ID == id {
			found = true
			a.describe(r.ID+" (comparison rule)", r.About, [][2]string{
				{"class", string(r.Class)}, {"on-prem", r.Left}, {"cloud", r.Right},
				{"source", r.Source}, {"certainty", r.Certainty}, {"remedy", r.Remedy}, {"status", r.Waits()},
			})
		}
	}
	for _, q := range quirks.All() {
		if q.ID == id {
			found = true
			rows := [][2]string{
				{"in the lab", string(q.State)}, {"side", string(q.Side)}, {"trigger", q.Trigger}, {"source", q.Source}, {"certainty", string(q.Certainty)},
			}
			if q.State == quirks.Toggle {
				rows = append(rows, [2]string{"switch on", "cutover run --set lab.quirks=" + q.ID})
			}
			a.describe(q.ID+" (lab quirk)", q.About, rows)
		}
	}
	if c, ok := doctor.Explain(id); ok {
		found = true
		a.describe(c.ID+" (doctor check)", c.Title, [][2]string{
			{"blocks", string(c.Blocks)}, {"cause", c.Cause}, {"remedy", c.Remedy}, {"source", c.Source},
		})
	}
	if !found && a.explainFinding(id) {
		return nil
	}
	if !found {
		return usageError("`cutover list` with rules, quirks or checks lists the ids", "nothing is known under %q%s", id, strictyaml.Suggest(id, explainable()))
	}
	return nil
}

// describe prints a title, a paragraph and rows of a label and a text, folded to the terminal. Command lines
// stay in one piece, so that they can be copied.
func (a *App) describe(title, about string, rows [][2]string) {
	width := min(a.width(a.Stdout), 100)
	fmt.Fprintln(a.Stdout, title)
	for _, line := range folded(about, width-2) {
		fmt.Fprintf(a.Stdout, "  %s\n", line)
	}
	labels := 0
	for _, row := range rows {
		if strings.TrimSpace(row[1]) != "" {
			labels = max(labels, len(row[0]))
		}
	}
	for _, row := range rows {
		lines := folded(row[1], width-labels-4)
		if strings.HasPrefix(row[1], "curl ") {
			lines = []string{row[1]}
		}
		label := row[0]
		for _, line := range lines {
			fmt.Fprintf(a.Stdout, "  %-*s  %s\n", labels, label, line)
			label = ""
		}
	}
}

// folded cuts prose into lines of at most a width, between words.
func folded(prose string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(prose) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func explainable() []string {
	ids := map[string]bool{}
	for _, r := range conform.Rules() {
		ids[r.ID] = true
	}
	for _, q := range quirks.All() {
		ids[q.ID] = true
	}
	for _, c := range doctor.Checks() {
		ids[c.ID] = true
	}
	return sorted(ids)
}
