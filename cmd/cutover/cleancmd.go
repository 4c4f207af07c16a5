package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"cutover/harness/clean"
	"cutover/harness/journal"
	"cutover/harness/paths"
	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/profiles"
)

func (a *App) cleanCommand() *cobra.Command {
	t := &target{}
	var id string
	var sweeps bool
	o := sweepOptions{}
	cmd := &cobra.Command{
		Use:   "clean --run RUN | --sweep",
		Short: "Remove what a run created, from its journal, and prove it by listing; --sweep finds leftovers",
		Long: "Removes what a run created and left behind, from its journal: after a kill, a lost\n" +
			"connection or an interrupted clean-up. It may be repeated; it touches nothing that the\n" +
			"journal does not name or the run did not tag.\n\n" +
			"--sweep looks without a journal: it lists everything in the profile's mailboxes that carries\n" +
			"the tag of any run, and with --remove removes what is older than the lease. Exit code 1 says\n" +
			"that something past its lease is still there.",
		Example: "  cutover clean --run runs/20261122T031500Z-mail-write --profile contoso.yaml --consent consent.yaml\n" +
			"  cutover clean --sweep --profile contoso.yaml --consent consent.yaml\n" +
			"  cutover clean --sweep --remove --lease 48h --profile contoso.yaml --consent consent.yaml",
		Args: exactArgs(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case sweeps == (id != ""):
				return usageError("name the run's folder, or its id below runs/; --sweep finds what any run left", "clean needs either --run or --sweep")
			case sweeps:
				return a.sweep(cmd.Context(), t, o)
			case o.remove:
				return usageError("--run removes without being told", "--remove belongs to --sweep")
			}
			return a.cleanRun(cmd.Context(), t, id, o.campaign)
		},
	}
	t.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&id, "run", "", "run folder, or the id of a run below runs/")
	flags.BoolVar(&sweeps, "sweep", false, "find what any run left behind, by its tag, in the mailboxes of the profile")
	flags.BoolVar(&o.remove, "remove", false, "with --sweep: remove what is past its lease")
	o.lease = defaultLease
	flags.Var((*days)(&o.lease), "lease", "with --sweep: items of runs that began less than this ago are left alone")
	flags.StringVar(&o.out, "out", "", "with --sweep --remove: folder of its journal and audit trail (default runs/sweep-<UTC time>)")
	flags.StringVar(&o.campaign, "campaign", "", "secret of the campaign, as env:NAME or file:PATH: key of the audit trail")
	return cmd
}

func (a *App) cleanRun(ctx context.Context, t *target, id, campaign string) (err error) {
	dir := id
	if !runfolder.IsRun(dir) {
		dir = filepath.Join("runs", id)
	}
	if !runfolder.IsRun(dir) {
		return usageError("`cutover run` prints the folder that it writes", "%s is not a run folder", id)
	}
	file := filepath.Join(dir, runfolder.JournalFile)
	entries, err := journal.Read(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	open, names := stillOpen(entries)
	if len(open) == 0 {
		fmt.Fprintln(a.Stdout, "nothing to remove: the journal has no open entry")
		return nil
	}
	if simulated(dir) {
		return a.settle(file, open)
	}
	profile, l, err := a.profileOf(context.WithoutCancel(ctx), t, 1)
	if err != nil {
		return err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	if mailed := func(e journal.Entry) bool { return len(e.To) > 0 }; slices.ContainsFunc(open, mailed) {
		names = append(names, sidesBeside(profile, names)...) // copies are wherever the recipients are
	}
	rules, err := a.rules(profile, names, t, true)
	if err != nil {
		return err
	}
	log, err := journal.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	rules.Mine = log.Mine // only what the run created, or what carries its tag, may be deleted
	if rules.Audit, err = a.cleanAudit(dir, profile.Name, campaign, rules.Consent); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rules.Audit.Close()) }()
	d, err := a.open(profile, l, names, rules)
	if err != nil {
		return err
	}
	defer d.close()
	deps, err := a.cleanDeps(d, log)
	if err != nil {
		return err
	}
	cleaned, err := clean.Run(ctx, open, deps)
	a.printCleanup(cleaned)
	if err != nil {
		return notReady("repeat the command: it goes on where it stopped", err)
	}
	if cleaned.Left+cleaned.Unknown > 0 {
		return &exitError{code: exitFail}
	}
	return nil
}

// stillOpen returns the entries that may still exist and the paths they are on.
func stillOpen(entries []journal.Entry) (open []journal.Entry, names []string) {
	for _, e := range entries {
		if !e.Open() {
			continue
		}
		open = append(open, e)
		if !contains(names, e.Path) {
			names = append(names, e.Path)
		}
	}
	return open, names
}

// sidesBeside are those of a profile's two sides that are not among names.
func sidesBeside(p *profiles.Profile, names []string) (more []string) {
	for _, side := range []string{p.Left, p.Right} {
		if side != "" && !contains(names, side) && !contains(more, side) {
			more = append(more, side)
		}
	}
	return more
}

// cleanDeps hands a deployment's doers, sign-ins and dialects to the cleaner.
func (a *App) cleanDeps(d *deployment, log *journal.Journal) (clean.Deps, error) {
	deps := clean.Deps{
		Profile: d.profile, Doers: d.doers, Auth: map[string]clean.Authoriser{}, Adapters: map[string]paths.Adapter{},
		Journal: log, Clock: a.Clock,
	}
	for name, source := range d.auth {
		deps.Auth[name] = source
		path, _ := d.profile.Paths.Get(name)
		adapter, err := paths.New(path)
		if err != nil {
			return deps, err
		}
		deps.Adapters[name] = adapter
	}
	return deps, nil
}

func (a *App) printCleanup(c result.Cleanup) {
	fmt.Fprintf(a.Stdout, "created %d, removed %d, left %d, unknown %d\n", c.Created, c.Removed, c.Left, c.Unknown)
	if c.Proof != "" {
		fmt.Fprintf(a.Stdout, "proof: %s\n", c.Proof)
	}
	for _, item := range c.Items {
		fmt.Fprintf(a.Stdout, "  left: %s\n", item)
	}
}

// simulated says whether a run asked the lab, whose mailboxes ended with it.
func simulated(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, runfolder.RunFile))
	if err != nil {
		return false
	}
	var run result.Run
	return json.Unmarshal(data, &run) == nil && run.Target == result.Simulated
}

// settle closes the journal of a run on the lab: nothing outlived it.
func (a *App) settle(file string, open []journal.Entry) (err error) {
	log, err := journal.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	for _, e := range open {
		if err := log.Removed(e.Seq); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.Stdout, "nothing is left: the lab ended with its run, and %d items with it\n", len(open))
	return nil
}
