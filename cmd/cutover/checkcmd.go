package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cutover/harness/plan"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

func (a *App) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Validate suites and profiles; every problem as file:line:col: message",
		Example: "  cutover check suites/*.yaml contoso.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("`cutover check smoke` checks a built-in one", "expected at least one suite or profile")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if problems := checkAll(args); len(problems) > 0 {
				return problems
			}
			noun := "files are"
			if len(args) == 1 {
				noun = "file is"
			}
			fmt.Fprintf(a.Stdout, "%d %s valid\n", len(args), noun)
			return nil
		},
	}
}

// checkAll checks files, and built-in suites and profiles by their names.
func checkAll(args []string) strictyaml.Problems {
	var problems strictyaml.Problems
	var files []string
	for _, name := range args {
		switch {
		case contains(suites.Names(), name):
			suite, err := suites.Load(name)
			if err == nil {
				problems = append(problems, plan.CheckSuite(suite)...)
			}
			problems = append(problems, problemsOf(err)...)
		case contains(profileNames(), name):
			_, err := profiles.Load(name)
			problems = append(problems, problemsOf(err)...)
		default:
			files = append(files, name)
		}
	}
	return append(problems, plan.Check(files)...).Sorted()
}

func problemsOf(err error) strictyaml.Problems {
	var problems strictyaml.Problems
	if err != nil && !errors.As(err, &problems) {
		problems = strictyaml.Problems{{Msg: err.Error()}}
	}
	return problems
}

func profileNames() []string {
	var names []string
	for _, p := range profiles.Builtin() {
		names = append(names, p.Name)
	}
	return names
}
