package main

import (
	"github.com/spf13/cobra"

	"cutover/harness/lab"
	"cutover/harness/plan"
	"cutover/profiles"
	"cutover/suites"
)

func (a *App) planCommand() *cobra.Command {
	t, l := &target{}, &loadFlags{}
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "plan [SUITE...]",
		Short:   "The dry run: what would be sent, when, by whom; sends nothing",
		Example: "  cutover plan mail-read --rate 50/s --duration 10m\n  cutover plan mail-read --profile contoso.yaml --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"smoke"}
			}
			_, vars, err := t.settings()
			if err != nil {
				return err
			}
			for _, name := range args {
				p, err := a.compile(cmd, t, l, vars, name)
				if err != nil {
					return err
				}
				if err := a.printPlan(p, asJSON); err != nil {
					return err
				}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return suiteNames(), cobra.ShellCompDirectiveDefault
		},
	}
	t.register(cmd.Flags())
	l.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	return cmd
}

// compile makes the plan of one suite without starting anything: a lab profile
// is planned with placeholder addresses.
func (a *App) compile(cmd *cobra.Command, t *target, l *loadFlags, vars map[string]string, name string) (*plan.Plan, error) {
	suite, err := suites.Load(name)
	if err != nil {
		return nil, err
	}
	profile, err := profiles.Load(t.profile)
	if err != nil {
		return nil, err
	}
	options, err := l.options(cmd.Flags(), vars)
	if err != nil {
		return nil, err
	}
	settings, _, err := t.settings()
	if err != nil {
		return nil, err
	}
	sized := *profile
	if o, err := lab.ParseSettings(settings); err != nil {
		return nil, usageError("docs/lab.md lists the lab's settings", "--set %w", err)
	} else if o.Mailboxes > 0 && sized.Mailboxes.Lab > 0 {
		sized.Mailboxes.Lab = o.Mailboxes
	}
	return plan.Compile(suite, &sized, options)
}

func (a *App) printPlan(p *plan.Plan, asJSON bool) error {
	if !asJSON {
		return p.Print(a.Stdout)
	}
	return p.JSON(a.Stdout)
}
