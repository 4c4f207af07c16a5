package clean

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"cutover/harness/canon"
	"cutover/harness/clock"
	"cutover/harness/journal"

	"golang.org/x/sync/errgroup"
)

// Leftover is an item that carries the tag of a run.
type Leftover struct {
	Path, Mailbox string
	Sort          string // message, event, contact or folder
	ID            string
	Tag           string
	Made          time.Time // when the run of the tag began
	// Leased is true while the run may still be going on, or be cleaned by its journal:
	// the item is shown and left alone.
	Leased bool
}

// marked is a run's tag: where it stands as a category, and at the beginning of a
// subject or name. Runs are named by the second in which they began.
var marked = regexp.MustCompile(`^cutover-([0-9]{8}T[0-9]{6}Z)-[a-z0-9-]+`)

// Find lists, over every mailbox of the profile on the paths named, the items that
// carry the tag of any run. Those of runs that began within the lease before now are
// leased. Nothing is changed, and no journal is needed: the items themselves say whose
// they are. Mail, events and contacts of all folders are looked at, and mail folders
// below the root. The order is by path, mailbox, tag, sort and id.
func Find(ctx context.Context, on []string, lease time.Duration, d Deps) ([]Leftover, error) {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	var mu sync.Mutex // guards all
	var all []Leftover
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(mailboxes)
	for _, path := range on {
		for _, m := range d.Profile.Mailboxes.List {
			work.Go(func() error {
				c, err := d.cleaner(&group{path: path, mailbox: m.Name})
				if err != nil {
					return err
				}
				found, err := c.leftovers(ctx)
				if err != nil {
					return fmt.Errorf("mailbox %s on %s: %w", m.Name, path, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, found...)
				return nil
			})
		}
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	now := d.Clock.Now()
	for i := range all {
		all[i].Leased = all[i].Made.Add(lease).After(now)
	}
	slices.SortFunc(all, func(a, b Leftover) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// swept is what a sweep lists, in this order. Everything is listed and looked at
// here: no filter that a server may understand differently decides what is ours.
var swept = []struct{ sort, url, selected, text string }{
	{"message", "/me/messages", "id,categories,subject", "subject"},
	{"event", "/me/events", "id,categories,subject", "subject"},
	{"contact", "/me/contacts", "id,categories,displayName", "displayName"},
	{"folder", "/me/mailFolders", "id,displayName", "displayName"},
}

// leftovers lists the tagged items of one mailbox.
func (c *cleaner) leftovers(ctx context.Context) ([]Leftover, error) {
	var found []Leftover
	for _, s := range swept {
		status, err := c.list(ctx, s.url, s.selected, "", func(n canon.Node) {
			id, _ := n.Get("id")
			if tag, made, ok := tagOf(n, s.text); ok && id.Text() != "" {
				found = append(found, Leftover{Path: c.group.path, Mailbox: c.group.mailbox, Sort: s.sort, ID: id.Text(), Tag: tag, Made: made})
			}
		})
		if err != nil {
			return nil, err
		}
		if status != 200 {
			return nil, fmt.Errorf("listing %s: the server answered %d (%s)", s.url, status, c.adapter.ErrorCode(c.parsed()))
		}
	}
	return found, nil
}

// tagOf reads a run's tag off an item: a whole category, or the beginning of its
// subject or name.
func tagOf(n canon.Node, text string) (tag string, made time.Time, ok bool) {
	list, _ := n.Get("categories")
	for category := range list.Children() {
		if tag, made, ok := parsedTag(category.Text(), false); ok {
			return tag, made, true
		}
	}
	title, _ := n.Get(text)
	return parsedTag(title.Text(), true)
}

// parsedTag takes a tag apart; more may follow it.
func parsedTag(s string, more bool) (tag string, made time.Time, ok bool) {
	m := marked.FindStringSubmatch(s)
	if m == nil || len(s) > len(m[0]) && !more {
		return "", time.Time{}, false
	}
	made, err := time.Parse("20060102T150405Z", m[1])
	return m[0], made, err == nil
}

// Entries are the leftovers past their lease as journal entries, so that Run
// removes them and proves it. Each is written to the journal of d first: what is not
// journalled is not deleted.
func Entries(found []Leftover, d Deps) ([]journal.Entry, error) {
	var out []journal.Entry
	for _, l := range found {
		if l.Leased {
			continue
		}
		e := journal.Entry{Path: l.Path, Mailbox: l.Mailbox, Sort: l.Sort, Tag: l.Tag, Tagged: true, URL: "/me/mailFolders"}
		seq, err := d.Journal.Intend(e)
		if err == nil {
			err = d.Journal.Done(seq, l.ID)
		}
		if err != nil {
			return nil, &recordError{err}
		}
		e.Seq, e.ID, e.State, e.At = seq, l.ID, journal.Created, l.Made
		out = append(out, e)
	}
	return out, nil
}
