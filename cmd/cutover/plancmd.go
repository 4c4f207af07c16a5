package main

import (
	"strconv"

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
			return suites.Names(), cobra.ShellCompDirectiveDefault
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
	o, err := lab.ParseSettings(settings)
	if err != nil {
		return nil, usageError("docs/lab.md lists the lab's settings", "--set %w", err)
	}
	if o.Mailboxes > 0 && sized.Mailboxes.Lab > 0 {
		sized.Mailboxes.Lab = o.Mailboxes
	}
	if sized.Mailboxes.Lab > 0 {
		options.Names = lab.Names(labSeed(settings, &sized, o.Seed, l.seed), sized.Mailboxes.Lab)
	}
	return plan.Compile(suite, &sized, options)
}

// labSeed is the seed of the lab that a run would start: the settings', else the profile's, else the run's.
func labSeed(settings map[string]string, p *profiles.Profile, parsed, run uint64) uint64 {
	if _, given := settings["seed"]; given {
		return parsed
	}
	if own, ok := p.Lab.Get("seed"); ok {
		if n, err := strconv.ParseUint(own.Text, 10, 64); err == nil {
			return n
		}
	}
	return run
}

func (a *App) printPlan(p *plan.Plan, asJSON bool) error {
	if !asJSON {
		return p.Print(a.Stdout)
	}
	return p.JSON(a.Stdout)
}
