package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"cutover/harness/audit"
	"cutover/harness/clean"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/runfolder"
	"cutover/profiles"
)

// sweepOptions are the flags of clean --sweep.
type sweepOptions struct {
	lease    time.Duration
	remove   bool
	out      string
	campaign string
}

// defaultLease is how long a run's items are left alone: longer than a nightly run
// and its clean-up, shorter than until the next but one.
const defaultLease = 24 * time.Hour

// sweep finds what any run left behind in the mailboxes of a profile, without a
// run folder, and removes it when told to. Exit code 1 says that something past its
// lease is still there.
func (a *App) sweep(ctx context.Context, t *target, o sweepOptions) (err error) {
	profile, l, err := a.profileOf(context.WithoutCancel(ctx), t, 1)
	if err != nil {
		return err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	names := sweptPaths(profile)
	rules, err := a.rules(profile, names, t, o.remove)
	if err != nil {
		return err
	}
	var log *journal.Journal
	if o.remove {
		var done func() error
		if log, done, err = a.sweepRecords(profile, o, &rules); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	d, err := a.open(profile, l, names, rules)
	if err != nil {
		return err
	}
	defer d.close()
	deps, err := a.cleanDeps(d, log)
	if err != nil {
		return err
	}
	found, err := clean.Find(ctx, names, o.lease, deps)
	if err != nil {
		return notReady("repeat the command", err)
	}
	due := a.printLeftovers(found, o)
	switch {
	case due == 0:
		return nil
	case !o.remove:
		return &exitError{code: exitFail}
	}
	return a.removeLeftovers(ctx, found, deps)
}

func (a *App) removeLeftovers(ctx context.Context, found []clean.Leftover, deps clean.Deps) error {
	entries, err := clean.Entries(found, deps)
	if err != nil {
		return err
	}
	cleaned, err := clean.Run(ctx, entries, deps)
	a.printCleanup(cleaned)
	if err != nil {
		return notReady("repeat the command: it looks again", err)
	}
	if cleaned.Left+cleaned.Unknown > 0 {
		return &exitError{code: exitFail}
	}
	return nil
}

// sweepRecords opens the journal and the audit trail of a sweep that removes, in a
// folder of its own.
func (a *App) sweepRecords(p *profiles.Profile, o sweepOptions, rules *guard.Rules) (*journal.Journal, func() error, error) {
	key, err := a.campaignKey(o.campaign)
	if err != nil {
		return nil, nil, err
	}
	now := a.Clock.Now().UTC()
	id := "sweep-" + now.Format("20060102T150405Z")
	dir := o.out
	if dir == "" {
		dir = filepath.Join("runs", id)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, usageError("choose another folder with --out", "%w", err)
	}
	log, err := journal.Open(filepath.Join(dir, runfolder.JournalFile))
	if err != nil {
		return nil, nil, err
	}
	trail, err := audit.Create(filepath.Join(dir, runfolder.AuditFile), key, a.auditStart(id, p.Name, now, rules.Consent))
	if err != nil {
		return nil, nil, errors.Join(usageError("choose another folder with --out", "%w", err), log.Close())
	}
	rules.Audit, rules.Mine = trail, log.Mine
	return log, func() error {
		fmt.Fprintf(a.Stderr, "cutover: recorded in %s, audit head %s\n", dir, trail.Head())
		return errors.Join(log.Close(), trail.Close())
	}, nil
}

// sweptPaths are the paths of a profile that its mailboxes are looked at through: its
// left and its right one.
func sweptPaths(p *profiles.Profile) []string {
	var names []string
	keys := p.Paths.Keys()
	for i, name := range []string{p.Left, p.Right} {
		if name == "" && i < len(keys) {
			name = keys[i]
		}
		if name != "" && !contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// printLeftovers lists what was found, a line for each run in a mailbox, and returns
// how many items are past their lease.
func (a *App) printLeftovers(found []clean.Leftover, o sweepOptions) (due int) {
	type row struct {
		path, mailbox, tag string
		leased             bool
	}
	counts := map[row]int{}
	var rows []row
	for _, l := range found {
		r := row{l.Path, l.Mailbox, l.Tag, l.Leased}
		if counts[r] == 0 {
			rows = append(rows, r)
		}
		counts[r]++
		if !l.Leased {
			due++
		}
	}
	if len(found) == 0 {
		fmt.Fprintln(a.Stdout, "nothing found: no item of these mailboxes carries a run's tag")
		return 0
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "items\tmailbox\tpath\trun\t")
	for _, r := range rows {
		state := "past its lease"
		if r.leased {
			state = "within its lease of " + o.lease.String() + ", left alone"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", counts[r], r.mailbox, r.path, r.tag, state)
	}
	w.Flush()
	if due > 0 && !o.remove {
		fmt.Fprintf(a.Stdout, "%d items are past their lease: --remove removes them\n", due)
	}
	return due
}
