package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cutover/harness/clean"
	"cutover/harness/fixture"
	"cutover/harness/journal"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/runfolder"
)

// fill makes the suite's fixtures on both sides and counts them. A nil check and
// no error say that there are none, or that ctx ended while they were made.
func (s *session) fill(ctx context.Context) (*result.Check, error) {
	if len(s.plan.Fixtures) == 0 {
		return nil, nil
	}
	if !s.options.quiet {
		fmt.Fprintf(s.app.Stderr, "cutover: making %d items before the clock starts: %s\n", s.plan.FixtureItems(), fixture.Summary(s.plan))
	}
	deps := fixture.Deps{
		RunID: s.id, Tag: run.Tag(s.id), Doers: s.deployment.doers, Auth: map[string]fixture.Authoriser{}, Journal: s.journal, Clock: s.app.Clock,
	}
	for name, source := range s.deployment.auth {
		deps.Auth[name] = source
	}
	err := fixture.Make(ctx, s.plan, deps)
	if ctx.Err() != nil {
		return nil, nil // the run says that it was stopped, and the clean-up removes what was made
	}
	if err != nil {
		return nil, err
	}
	counted, err := s.census(ctx)
	if ctx.Err() != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if wrong := fixture.Unequal(s.plan, counted); len(wrong) > 0 {
		return nil, fmt.Errorf("the mailboxes do not hold what was made in them: %s", strings.Join(wrong, "; "))
	}
	return &result.Check{ID: "fixtures", Title: "both sides hold the same made items", Verdict: result.Pass,
		Evidence: fixture.Summary(s.plan) + ": counted equal on each side by listing"}, nil
}

// countAtOnce bounds how many mailboxes are listed at once.
const countAtOnce = 16

// census lists the made items of every mailbox on every side.
func (s *session) census(ctx context.Context) (fixture.Census, error) {
	if err := s.journal.Sync(); err != nil {
		return nil, err
	}
	entries, err := journal.Read(s.folder.Path(runfolder.JournalFile))
	if err != nil {
		return nil, err
	}
	byMailbox := map[string][]journal.Entry{}
	for _, e := range entries {
		byMailbox[e.Mailbox] = append(byMailbox[e.Mailbox], e)
	}
	deps, err := s.app.cleanDeps(s.deployment, s.journal)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards counted
	counted := fixture.Census{}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(countAtOnce)
	for _, side := range s.plan.Sides {
		for name, made := range byMailbox {
			here := made
			if s.oneMaker() == "" {
				here = onPath(made, side.Path)
			}
			work.Go(func() error {
				n, err := clean.Count(ctx, side.Path, name, here, deps)
				mu.Lock()
				defer mu.Unlock()
				counted[fixture.Place{Path: side.Path, Mailbox: name}] = n
				return err
			})
		}
	}
	return counted, work.Wait()
}

// oneMaker is the path that makes the items of every side, "" when each makes
// its own: two paths to one store.
func (s *session) oneMaker() string {
	only := ""
	for _, f := range s.plan.Fixtures {
		for i, t := range f.Asks {
			switch {
			case t == nil:
			case only != "" && only != s.plan.Sides[i].Path:
				return ""
			default:
				only = s.plan.Sides[i].Path
			}
		}
	}
	return only
}

func onPath(entries []journal.Entry, path string) []journal.Entry {
	var out []journal.Entry
	for _, e := range entries {
		if e.Path == path {
			out = append(out, e)
		}
	}
	return out
}

// abandon removes what was made for a run that will not take place.
func (s *session) abandon(ctx context.Context) {
	r := &result.Result{}
	if err := s.cleanUp(ctx, r); err != nil || r.Cleanup.Left+r.Cleanup.Unknown > 0 {
		fmt.Fprintf(s.app.Stderr, "cutover: %d items may be left: `cutover clean --run %s` goes on\n", r.Cleanup.Left+r.Cleanup.Unknown, quoteArg(s.folder.Dir()))
	}
}

// perItem is how long removing one item may take: three requests under the
// strictest caps of a mailbox.
const perItem = 500 * time.Millisecond

// longestClean bounds the clean-up after a run; `cutover clean` has no bound.
const longestClean = 15 * time.Minute

// cleanTime is how long the clean-up of so many items may take. A deployment that
// a brake had to protect is not pressed for long.
func cleanTime(items int, r *result.Result) time.Duration {
	if r.Stop != nil && r.Stop.Kind == result.StopBrake {
		return cleanLimit
	}
	return min(cleanLimit+time.Duration(items)*perItem, longestClean)
}
