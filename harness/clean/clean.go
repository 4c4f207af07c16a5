// Package clean removes what a run created, by its journal, and proves it by
// looking again.
//
// Rules of cleaning:
//   - Only items that the journal names, or that carry the run's tag in a
//     mailbox that the journal names, are touched.
//   - An item counts as removed when asking for it by its id answers "not
//     found", or, where its id was never known, when no item of the tag is listed.
//   - Cleaning can be interrupted and begun again at any time: what was proved
//     is in the journal.
//   - What cannot be seen from outside is said: Recoverable Items, holds and
//     journaling keep copies that no such request shows.
package clean

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cutover/harness/clock"
	"cutover/harness/journal"
	"cutover/harness/paths"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"

	"golang.org/x/sync/errgroup"
)

// Authoriser gives the value of a path's Authorization header; auth.Source is one.
type Authoriser interface {
	Authorization(ctx context.Context, m profiles.Mailbox) (string, error)
}

// Journal records what was found and removed; *journal.Journal is one.
type Journal interface {
	Intend(e journal.Entry) (seq uint64, err error)
	Done(seq uint64, id string) error
	Removed(seq uint64) error
}

// Deps are what cleaning needs. Doers and Adapters are by path name.
type Deps struct {
	Profile  *profiles.Profile
	Doers    map[string]wire.Doer
	Auth     map[string]Authoriser // a path without one sends none
	Adapters map[string]paths.Adapter
	Journal  Journal     // nil: nothing is recorded
	Clock    clock.Clock // nil: the system's
}

// Proof is what a clean-up can promise.
const Proof = "asked for by id and listed by the run's tag in all visible folders; not visible from outside: events and contacts in Deleted Items, Recoverable Items, holds, journaling"

// maxItems bounds the lines about what is left.
const maxItems = 20

// mailboxes bounds how many mailboxes are cleaned at once; the requests of
// one mailbox follow each other.
const mailboxes = 8

// Run removes every item of the entries that may still exist. It returns what
// it could do also when ctx ends; the error then says so. An item that could
// not be removed is no error: it is counted as left, with its reason.
func Run(ctx context.Context, entries []journal.Entry, d Deps) (result.Cleanup, error) {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	groups := d.delivered(grouped(entries))
	began := first(entries)
	mails, invites := mailed(entries)
	for _, g := range groups {
		g.began, g.mailed, g.invited = began, mails, invites
	}
	// What has an id goes first, everywhere: cancelling a meeting makes copies elsewhere.
	err := d.each(ctx, groups, (*cleaner).named)
	if err == nil {
		err = d.each(ctx, groups, (*cleaner).unnamed)
	}
	if whole := !slices.ContainsFunc(groups, func(g *group) bool { return g.err != nil }); err == nil && whole {
		err = d.each(ctx, groups, (*cleaner).release)
	}
	all := result.Cleanup{Proof: Proof}
	for _, g := range groups {
		all = joined(all, g.tally(g.err))
	}
	slices.Sort(all.Items)
	if len(all.Items) > maxItems {
		all.Items = append(all.Items[:maxItems], fmt.Sprintf("and %d more", len(all.Items)-maxItems))
	}
	return all, err
}

// each does a pass over all mailboxes, several at a time. A mailbox whose pass failed
// is left out of the next.
func (d Deps) each(ctx context.Context, groups []*group, pass func(*cleaner, context.Context) error) error {
	var work errgroup.Group
	work.SetLimit(mailboxes)
	for _, g := range groups {
		if g.err != nil {
			continue
		}
		work.Go(func() error {
			var c *cleaner
			if c, g.err = d.cleaner(g); g.err == nil {
				g.err = pass(c, ctx)
			}
			if ended := ctx.Err(); ended != nil {
				return fmt.Errorf("clean-up was interrupted: %w", ended)
			}
			var broken *recordError
			if errors.As(g.err, &broken) {
				return broken
			}
			return nil
		})
	}
	return work.Wait()
}

func joined(a, b result.Cleanup) result.Cleanup {
	a.Created += b.Created
	a.Removed += b.Removed
	a.Left += b.Left
	a.Unknown += b.Unknown
	a.Items = append(a.Items, b.Items...)
	return a
}

// group is what one mailbox of one path holds of the run.
type group struct {
	path, mailbox string
	began         time.Time // when the run's first item was intended
	tags          []string
	items         []*item
	mailed        bool  // the run mailed: copies are anywhere
	invited       bool  // the run invited: meetings are in any calendar
	err           error // why it was not cleaned to the end
}

// first is when the first entry was intended.
func first(entries []journal.Entry) (at time.Time) {
	for _, e := range entries {
		if at.IsZero() || !e.At.IsZero() && e.At.Before(at) {
			at = e.At
		}
	}
	return at
}

// item is one entry on its way to being removed.
type item struct {
	journal.Entry
	gone bool   // proved
	held bool   // and not yet recorded: its copies are elsewhere
	why  string // why it is not, "" when it was not tried
	// attendees are whom deleting an event would mail; nil until it was read.
	attendees []string
}

// grouped sorts the entries by path and mailbox, newest first, so that what
// lies in a folder goes before the folder.
func grouped(entries []journal.Entry) []*group {
	byKey := map[[2]string]*group{}
	var groups []*group
	for _, e := range slices.Backward(entries) {
		key := [2]string{e.Path, e.Mailbox}
		g := byKey[key]
		if g == nil {
			g = &group{path: e.Path, mailbox: e.Mailbox}
			byKey[key] = g
			groups = append(groups, g)
		}
		if e.Tag != "" && !slices.Contains(g.tags, e.Tag) {
			g.tags = append(g.tags, e.Tag)
		}
		g.items = append(g.items, &item{Entry: e, gone: e.State == journal.Removed})
	}
	return groups
}

// tally counts what became of the group's items. err is why it was not
// cleaned to the end.
func (g *group) tally(err error) (c result.Cleanup) {
	nameless := map[string]int{} // items without an id, by sort and reason
	for _, i := range g.items {
		made := i.ID != "" || i.State == journal.Created || i.State == journal.Removed
		switch {
		case i.State == journal.Void, i.Found && i.gone:
		case i.gone:
			if made {
				c.Created++
				c.Removed++
			}
		case !made:
			c.Unknown++
		default:
			c.Created++
			c.Left++
			why := i.why
			switch {
			case why != "":
			case err != nil:
				why = err.Error()
			case i.ID == "":
				why = "its id is not known and it does not carry the run's tag"
			}
			if i.ID == "" {
				nameless[fmt.Sprintf("%s in %s (%s): %s", i.Sort, g.mailbox, g.path, why)]++
				continue
			}
			c.Items = append(c.Items, fmt.Sprintf("%s %s in %s (%s): %s", i.Sort, short(i.ID), g.mailbox, g.path, why))
		}
	}
	for line, n := range nameless {
		c.Items = append(c.Items, fmt.Sprintf("%d × %s", n, line))
	}
	return c
}

// short is enough of an id to find it in the journal, and not the id.
func short(id string) string {
	const tail = 8
	if len(id) <= tail {
		return id
	}
	return "…" + id[len(id)-tail:]
}

// recordError is a journal that could not be written: cleaning stops, because
// nobody would know what it did.
type recordError struct{ err error }

// Error says what could not be recorded.
func (e *recordError) Error() string { return "clean-up could not be recorded: " + e.err.Error() }

// Unwrap is the journal's error.
func (e *recordError) Unwrap() error { return e.err }
