package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cutover/harness/where"
	"cutover/profiles"
)

// whereFlags are the flags of where.
type whereFlags struct{ asJSON, asCSV, write bool }

func (a *App) whereCommand() *cobra.Command {
	t := &target{}
	f := whereFlags{}
	cmd := &cobra.Command{
		Use:   "where [MAILBOX...]",
		Short: "On which side each mailbox lives, and the answer that decided it",
		Long: "Asks Autodiscover v2 along its redirects from both ends, one cheap question on each path,\n" +
			"and the directory where these leave it open. A mailbox is named as in the profile, or by its\n" +
			"address; none means every mailbox of the profile. Answers: cloud, onprem, unlicensed,\n" +
			"softdeleted, moving (the two ends contradict each other), unknown. A real deployment is asked\n" +
			"five anonymous questions a second at most. --write keeps the answers in the PATH_location\n" +
			"columns of the profile's mailbox file; other columns and comments stay.",
		Example: "  cutover where --profile contoso.yaml --csv > sides.csv\n  cutover where --profile contoso.yaml --write\n  cutover where ann@contoso.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.asJSON && f.asCSV {
				return usageError("", "--json and --csv exclude each other")
			}
			return a.where(cmd.Context(), t, args, f)
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, with every question and answer")
	cmd.Flags().BoolVar(&f.asCSV, "csv", false, "print CSV")
	cmd.Flags().BoolVar(&f.write, "write", false, "fill the PATH_location columns of the profile's mailbox file")
	return cmd
}

// sought is one address to find, with the paths that reach the mailbox by it.
type sought struct {
	mailbox profiles.Mailbox
	address string
	paths   []string
}

func (a *App) where(ctx context.Context, t *target, args []string, f whereFlags) (err error) {
	e, err := a.examiner(ctx, t, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	profile := e.deps.Profile
	if f.write && profile.MailboxFile() == "" {
		return usageError("name one in the profile as mailboxes: {file: mailboxes.csv}", "profile %s has no mailbox file that --write could fill", profile.Name)
	}
	wanted := soughtIn(profile, e.names, args)
	if len(wanted) == 0 {
		return usageError("name mailboxes, or list them in the profile", "profile %s names no mailbox with an address", profile.Name)
	}
	all := a.findAll(ctx, e.finder(), wanted)
	w := a.secrets.Writer(a.Stdout)
	if err := errors.Join(writePlaces(w, all, f.asJSON, f.asCSV), w.Close()); err != nil {
		return err
	}
	if f.write {
		if err := profile.WriteLocations(locations(wanted, all)); err != nil {
			return err
		}
		fmt.Fprintf(a.Stderr, "cutover: the locations are in %s\n", profile.MailboxFile())
	}
	if ctx.Err() != nil {
		return &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted after %d of %d addresses", len(all), len(wanted))}
	}
	return nil
}

// finder asks down the paths of the examination.
func (e *examiner) finder() *where.Finder {
	f := &where.Finder{Discovery: where.Discovery{Anonymous: e.deps.Anonymous, CloudEnd: e.cloudEnd, OnPremEnd: e.onPremEnd}}
	for _, name := range e.names {
		path, _ := e.deps.Profile.Paths.Get(name)
		route := &where.Route{Path: path, Doer: e.doers[name], Auth: e.auth[name]}
		switch path.Dialect.Kind {
		case "graph":
			f.Cloud = route
		case "rest":
			f.OnPrem = route
		}
	}
	return f
}

// tellEvery is after how many addresses a long search says how far it is.
const tellEvery = 100

// findAll finds one address after the other. When ctx ends it returns what was
// found so far.
func (a *App) findAll(ctx context.Context, finder *where.Finder, wanted []sought) []where.Finding {
	var all []where.Finding
	for i, s := range wanted {
		found := finder.Find(ctx, s.mailbox, s.address)
		if ctx.Err() != nil {
			break // the last finding may lack answers
		}
		all = append(all, found)
		if n := i + 1; n%tellEvery == 0 && n < len(wanted) {
			fmt.Fprintf(a.Stderr, "cutover: %d of %d addresses\n", n, len(wanted))
		}
	}
	return all
}

// locations looks the findings up by mailbox and path. What could not be found
// out is left as it was.
func locations(wanted []sought, all []where.Finding) func(mailbox, path string) string {
	found := map[[2]string]string{}
	for i, f := range all {
		for _, path := range wanted[i].paths {
			if f.Location != where.Unknown {
				found[[2]string{f.Mailbox, path}] = string(f.Location)
			}
		}
	}
	return func(mailbox, path string) string { return found[[2]string{mailbox, path}] }
}

// soughtIn lists what to find: the arguments, else every address of the profile.
func soughtIn(p *profiles.Profile, names, args []string) (all []sought) {
	seen := map[string]int{} // place in all
	add := func(m profiles.Mailbox, address, path string) {
		if address == "" {
			return
		}
		i, twice := seen[address]
		if !twice {
			i = len(all)
			seen[address] = i
			all = append(all, sought{mailbox: m, address: address})
		}
		if path != "" && !slices.Contains(all[i].paths, path) {
			all[i].paths = append(all[i].paths, path)
		}
	}
	addresses := func(m profiles.Mailbox, only string) {
		for _, name := range names {
			if address := m.Address[name].User(); only == "" || address == only {
				add(m, address, name)
			}
		}
	}
	if len(args) == 0 {
		for _, m := range p.Mailboxes.List {
			addresses(m, "")
		}
	}
	for _, arg := range args {
		m, err := chooseMailbox(p, arg)
		switch {
		case err == nil && m.Name == arg:
			addresses(m, "")
		case err == nil:
			add(m, arg, "")
			addresses(m, arg)
		default:
			add(profiles.Mailbox{}, arg, "")
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
