package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"cutover/harness/audit"
	"cutover/harness/clean"
	"cutover/harness/clock"
	"cutover/harness/conform"
	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/lab"
	"cutover/harness/plan"
	"cutover/harness/record"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/runfolder"
)

// cleanLimit bounds the clean-up after a run, also after an interrupted one.
const cleanLimit = 30 * time.Second

// session is one run of one suite, from the preflight to the reports.
type session struct {
	app        *App
	options    *runOptions
	plan       *plan.Plan
	lab        *lab.Lab
	deployment *deployment
	folder     *runfolder.Folder
	id         string
	command    string
	file       string // the suite's file; "" for a built-in
	key        []byte // the campaign's secret; nil: none
	trail      *audit.Trail
	journal    *journal.Journal
	rules      guard.Rules // of the open door
	brake      *guard.Brake
	alert      *alert            // nil: nobody is told
	waivers    *conform.Waivers  // nil: none
	keeper     *record.Writer    // of --record; nil: none
	against    *record.Record    // of --against; nil: none
	learned    []conform.Learned // noise of earlier runs that is still believed
	asked      *result.Result    // what the run came to; nil: nothing was asked
	started    time.Time
}

// paths are those that the run sends to: its sides, and in the lab those that
// tell the story of one mailbox.
func (s *session) paths() []string {
	var names []string
	for _, side := range s.plan.Sides {
		names = append(names, side.Path)
	}
	if s.lab == nil {
		return names
	}
	for _, question := range fourAnswers {
		if _, ok := s.plan.Profile.Paths.Get(question.path); ok && !contains(names, question.path) {
			names = append(names, question.path)
		}
	}
	return names
}

// run asks, cleans up, decides and reports. The error is for what has no
// verdict: a target that is not ready, or a defect.
func (s *session) run(ctx context.Context) (code int, failure error) {
	if !s.options.quiet {
		fmt.Fprintf(s.app.Stderr, "cutover: %s, seed %d, on the %s\n", s.plan.Suite.Name, s.plan.Seed, labSays(s.lab, s.plan.Profile.Name))
	}
	observer, done := s.app.observer(s.options.noProgress || s.options.quiet)
	observer, unserved, err := s.app.withMetrics(ctx, s.options, observer)
	if err != nil {
		return 0, err
	}
	defer func() { failure = errors.Join(failure, unserved()) }()
	deps := s.deps(observer)
	before, err := run.Describe(s.plan, deps)
	if err != nil {
		return 0, err
	}
	s.identify(before)
	if err := s.folder.WriteRun(before.Asked()); err != nil {
		return 0, err
	}
	if deps.Checks, err = s.preflight(ctx); err != nil {
		return 0, err
	}
	if check, bad := failed(deps.Checks); bad {
		return 0, notReady(check.Remedy+" (`cutover doctor` looks at all of it)", fmt.Errorf("%s: %s: %s", check.Path, check.ID, check.Evidence))
	}
	if s.lab != nil {
		deps.Answers = s.fourAnswers(ctx)
	}
	silent := context.AfterFunc(ctx, func() {
		if !s.options.quiet {
			fmt.Fprintln(s.app.Stderr, "cutover: stopping: what is in flight may finish, then the clean-up runs; Ctrl-C again leaves at once")
		}
	})
	defer silent()
	if err := s.baseline(ctx); err != nil {
		done()
		return 0, err
	}
	watched, release := s.watch(ctx)
	made, err := s.fill(watched)
	if err != nil {
		release()
		done()
		s.abandon(ctx)
		return 0, notReady("`cutover doctor` says what the path allows; what was made has been removed again", fmt.Errorf("fixtures: %w", err))
	}
	if made != nil {
		deps.Checks = append(deps.Checks, *made)
	}
	roomy := s.spareHeap()
	r, err := run.Run(watched, s.plan, deps)
	roomy()
	release()
	done()
	if err != nil {
		return 0, err
	}
	s.asked = r
	if err := s.learn(r); err != nil {
		return 0, err
	}
	if err := s.cleanUp(ctx, r); err != nil {
		return 0, err
	}
	r.Traffic = s.deployment.door.Traffic()
	r.Tokens, r.Connections = s.deployment.tokens(), s.deployment.door.Connections()
	s.account(r, s.rules)
	r.Checks = append(r.Checks, s.reconcile(r)...)
	if err := s.judged(r); err != nil {
		return 0, err
	}
	return r.ExitCode, nil
}

// watch returns a context that the brake ends, with its reason as the cause.
// The second value stops watching and waits for it.
func (s *session) watch(ctx context.Context) (context.Context, func()) {
	watched, cancel := context.WithCancelCause(ctx)
	var work sync.WaitGroup
	work.Go(func() { s.brake.Watch(watched) })
	work.Go(func() {
		select {
		case <-s.brake.Tripped():
			cancel(s.brake.Cause())
		case <-watched.Done():
		}
	})
	return watched, func() { cancel(context.Canceled); work.Wait() }
}

// newBrake decides when the run stops by itself.
func (s *session) newBrake() *guard.Brake {
	o := guard.Production()
	if s.plan.Profile.Simulated {
		o = guard.Simulation()
	}
	o.Clock, o.KillFile, o.Victims = s.app.Clock, s.options.killFile, s.victims()
	if s.options.deadline > 0 {
		o.Deadline = s.started.Add(s.options.deadline)
	}
	return guard.NewBrake(o)
}

func (s *session) deps(observer run.Observer) run.Deps {
	d := run.Deps{
		RunID: s.id, Clock: s.app.Clock, Pacer: clock.Precise(), Doers: s.deployment.doers, Auth: map[string]run.Authoriser{},
		Traffic: s.deployment.door.Traffic, Observer: observer, Folder: s.folder, Journal: s.journal,
		ShowValues: s.plan.Profile.Simulated, LabInside: s.lab != nil, Patience: s.app.Patience, Key: s.pseudonyms(), Against: s.against, Learned: s.learned,
	}
	if s.keeper != nil {
		d.Record = s.keeper
	}
	for name, source := range s.deployment.auth {
		if path, _ := s.plan.Profile.Paths.Get(name); path.Auth.Kind != "" && path.Auth.Kind != "none" {
			d.Auth[name] = source
		}
	}
	if s.waivers != nil {
		d.Waive = func(found []result.Finding) ([]result.Finding, []result.Waiver) {
			return s.waivers.Apply(found, s.started)
		}
	}
	return d
}

// cleanUp removes what the run created, also after an interrupt.
func (s *session) cleanUp(ctx context.Context, r *result.Result) error {
	if err := s.journal.Sync(); err != nil {
		return err
	}
	entries, err := journal.Read(s.folder.Path(runfolder.JournalFile))
	if err != nil || len(entries) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime(len(entries), r))
	defer cancel()
	r.Cleanup, err = s.cleaner(ctx, entries)
	if ctx.Err() != nil {
		return nil // what is left is in the result, and `cutover clean` goes on with it
	}
	return err
}

func (s *session) cleaner(ctx context.Context, entries []journal.Entry) (result.Cleanup, error) {
	deps, err := s.app.cleanDeps(s.deployment, s.journal)
	if err != nil {
		return result.Cleanup{}, err
	}
	return clean.Run(ctx, entries, deps)
}

// identify fills in what only the program knows.
func (s *session) identify(r *result.Result) {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	r.Versions = result.Versions{
		Cutover: s.app.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Host: host, CPUs: runtime.NumCPU(),
	}
	r.Command = s.command
	r.SuiteFile = s.file
}

// write writes the run folder and every report that was asked for.
func (s *session) write(r *result.Result) error {
	s.identify(r)
	errs := []error{
		s.folder.WriteRun(r.Asked()),
		s.folder.WriteFindings(r.Findings),
		s.folder.WriteResult(r),
	}
	for _, name := range s.options.formats {
		if name != "json" {
			errs = append(errs, s.writeFormat(r, name))
		}
	}
	return errors.Join(append(errs, s.tellCI(r))...)
}
