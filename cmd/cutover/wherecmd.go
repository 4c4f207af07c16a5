package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cutover/harness/where"
	"cutover/profiles"
)

func (a *App) whereCommand() *cobra.Command {
	t := &target{}
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "where [MAILBOX...]",
		Short: "On which side each mailbox lives, and the answer that decided it",
		Long: "Asks Autodiscover v2 along its redirects from both ends, one cheap question on each path,\n" +
			"and the directory where these leave it open. A mailbox is named as in the profile, or by its\n" +
			"address; none means every mailbox of the profile. Answers: cloud, onprem, unlicensed,\n" +
			"softdeleted, moving (the two ends contradict each other), unknown.",
		Example: "  cutover where --profile contoso.yaml --csv > sides.csv\n  cutover where ann@contoso.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asCSV {
				return usageError("", "--json and --csv exclude each other")
			}
			return a.where(cmd.Context(), t, args, asJSON, asCSV)
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every question and answer")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print CSV")
	return cmd
}

// sought is one address to find.
type sought struct {
	mailbox profiles.Mailbox
	address string
}

func (a *App) where(ctx context.Context, t *target, args []string, asJSON, asCSV bool) (err error) {
	e, err := a.examiner(ctx, t, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	finder := &where.Finder{Discovery: where.Discovery{Anonymous: e.deps.Anonymous, CloudEnd: e.cloudEnd, OnPremEnd: e.onPremEnd}}
	for _, name := range e.names {
		path, _ := e.deps.Profile.Paths.Get(name)
		route := &where.Route{Path: path, Doer: e.doers[name], Auth: e.auth[name]}
		switch path.Dialect.Kind {
		case "graph":
			finder.Cloud = route
		case "rest":
			finder.OnPrem = route
		}
	}
	var all []where.Finding
	for _, s := range soughtIn(e.deps.Profile, e.names, args) {
		all = append(all, finder.Find(ctx, s.mailbox, s.address))
		if ctx.Err() != nil {
			return &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted after %d mailboxes", len(all))}
		}
	}
	if len(all) == 0 {
		return usageError("name mailboxes, or list them in the profile", "profile %s names no mailbox with an address", e.deps.Profile.Name)
	}
	w := a.secrets.Writer(a.Stdout)
	if err := writePlaces(w, all, asJSON, asCSV); err != nil {
		return err
	}
	return w.Close()
}

// soughtIn lists what to find: the arguments, else every address of the profile.
func soughtIn(p *profiles.Profile, names, args []string) (all []sought) {
	seen := map[string]bool{}
	add := func(m profiles.Mailbox, address string) {
		if address != "" && !seen[address] {
			seen[address] = true
			all = append(all, sought{m, address})
		}
	}
	addresses := func(m profiles.Mailbox) {
		for _, name := range names {
			add(m, m.Address[name].User())
		}
	}
	if len(args) == 0 {
		for _, m := range p.Mailboxes.List {
			addresses(m)
		}
	}
	for _, arg := range args {
		m, err := chooseMailbox(p, arg)
		switch {
		case err == nil && m.Name == arg:
			addresses(m)
		case err == nil:
			add(m, arg)
		default:
			add(profiles.Mailbox{}, arg)
		}
	}
	return all
}

func writePlaces(w io.Writer, all []where.Finding, asJSON, asCSV bool) error {
	if asJSON {
		return writeJSON(w, all)
	}
	if asCSV {
		out := csv.NewWriter(w)
		_ = out.Write([]string{"mailbox", "address", "location", "decided"}) // an error stays until Error
		for _, f := range all {
			_ = out.Write([]string{f.Mailbox, f.Address, string(f.Location), f.Decided})
		}
		out.Flush()
		return out.Error()
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(tab, "%s\t%s\t%s\n", f.Address, f.Location, f.Decided)
	}
	return tab.Flush()
}
