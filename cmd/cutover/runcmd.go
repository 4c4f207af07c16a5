package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/guard"
	"cutover/harness/journal"
	"cutover/harness/lab"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/runfolder"
	"cutover/reports"
	"cutover/suites"
)

// defaultFormats are written when --format is not given.
const defaultFormats = "text,json,html,junit"

type runOptions struct {
	target      target
	load        loadFlags
	out         string
	formats     []string
	quiet       bool
	noProgress  bool
	metrics     string
	logFormat   string
	alert       string
	alertFormat string
	campaign    string
	ci          string
	killFile    string
	deadline    time.Duration
	waivers     string
	history     string
	baseline    string
	before      before
	noise       noise
}

func (a *App) runCommand() *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run [SUITE...]",
		Short: "Ask the suites down both paths at the planned rate; write a run folder; print the verdict",
		Example: "  cutover run                                    # the smoke suite on the simulated lab\n" +
			"  cutover run mail-read --rate 50/s --duration 1m\n" +
			"  cutover run mail-read --profile contoso.yaml --consent consent.yaml\n" +
			"  cutover run smoke --set lab.quirks=all         # what a NO-GO looks like",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"smoke"}
			}
			return a.runSuites(cmd, o, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return suites.Names(), cobra.ShellCompDirectiveDefault
		},
	}
	flags := cmd.Flags()
	o.target.register(flags)
	o.load.register(flags)
	flags.StringVar(&o.out, "out", "", "run folder (default runs/<UTC time>-<suite>); with several suites, the folder of their folders")
	flags.StringSliceVar(&o.formats, "format", strings.Split(defaultFormats, ","), "reports to write; cutover list formats names them")
	flags.StringVar(&o.history, "history", "", "index of runs: judge this run against the good ones, then record it")
	flags.StringVar(&o.baseline, "baseline", "", "with --history, the mark of the runs to judge against (default good)")
	flags.StringVar(&o.waivers, "waivers", "", "file of accepted differences (default: the suite's, if it names one)")
	flags.StringVar(&o.killFile, "kill-file", "", "stop the run, exit code 5, as soon as this file exists")
	flags.Var((*days)(&o.deadline), "deadline", "stop the run, exit code 5, when it has not ended after this long, whatever its phases say")
	flags.StringVar(&o.ci, "ci", "auto", "annotate the build of a service: auto, none, github or azure")
	flags.StringVar(&o.campaign, "campaign", "", "secret of the campaign, as env:NAME or file:PATH: key of the audit trail and of pseudonyms")
	o.before.register(flags)
	o.noise.register(flags)
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors; the exit code and the run folder tell")
	flags.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics of the run on this address of this machine, such as 127.0.0.1:9464")
	flags.StringVar(&o.alert, "alert", "", "with --history, where a change of the verdict is posted: env:NAME or file:PATH of a webhook's address")
	flags.StringVar(&o.alertFormat, "alert-format", "card", "what is posted: card (an Adaptive Card) or json")
	flags.StringVar(&o.logFormat, "log-format", "text", "how stderr is written: text or json")
	flags.BoolVar(&o.noProgress, "no-progress", false, "no progress on stderr")
	return cmd
}

// runSuites loads every suite before it runs the first: a mistake in the last
// one must not cost an hour. The worst exit code counts.
func (a *App) runSuites(cmd *cobra.Command, o *runOptions, names []string) error {
	if !contains([]string{"auto", "none", "github", "azure"}, o.ci) {
		return usageError("known: auto, none, github, azure", "--ci: unknown service %q", o.ci)
	}
	if err := a.readOutputFlags(o); err != nil {
		return err
	}
	if o.baseline != "" && o.history == "" {
		return usageError("`cutover compare BASE RUN` holds one run against another", "--baseline needs --history")
	}
	for _, format := range o.formats {
		if _, err := reports.Lookup(format); err != nil {
			return usageError("`cutover list formats` lists them", "--format: %w", err)
		}
	}
	if err := o.before.check(o.load.only, len(names)); err != nil {
		return err
	}
	var loaded []*suites.Suite
	var errs []error
	for _, name := range names {
		suite, err := suites.Load(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		loaded = append(loaded, suite)
	}
	if err := joinProblems(errs); err != nil {
		return err
	}
	worst := exitPass
	for i, suite := range loaded {
		number := 0 // the only one
		if len(loaded) > 1 {
			number = i + 1
		}
		code, err := a.runOne(cmd, o, suite, names[i], number)
		if err != nil {
			return err
		}
		if severity(code) > severity(worst) {
			worst = code
		}
		if code == exitInterrupted {
			break
		}
	}
	if worst == exitPass {
		return nil
	}
	return &exitError{code: worst}
}

// severity orders exit codes of finished runs, the contract's order reversed.
func severity(code int) int {
	return slices.Index([]int{exitPass, exitInconclusive, exitFail, exitAborted, exitInterrupted, exitInternal}, code)
}

// runOne runs one suite into one folder and returns the verdict's exit code.
func (a *App) runOne(cmd *cobra.Command, o *runOptions, suite *suites.Suite, name string, number int) (code int, err error) {
	ctx := cmd.Context()
	_, vars, err := o.target.settings()
	if err != nil {
		return 0, err
	}
	options, err := o.load.options(cmd.Flags(), vars)
	if err != nil {
		return 0, err
	}
	options.Noise = o.noise.learn != ""
	options.Record, options.Against = o.before.record != "", o.before.against != ""
	// The lab outlives an interrupt: requests in flight and the clean-up still need it.
	profile, l, err := a.profileOf(context.WithoutCancel(ctx), &o.target, o.load.seed)
	if err != nil {
		return 0, err
	}
	if l != nil {
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	p, err := plan.Compile(suite, profile, options)
	if err != nil {
		return 0, err
	}
	s := &session{app: a, options: o, plan: p, lab: l, started: a.Clock.Now().UTC(), command: commandLine(name, cmd), file: fileOf(name)}
	rules, err := a.rules(profile, s.paths(), &o.target, o.load.allowWrite)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(rules.CheckLoad(), rules.CheckSuite(p.SuiteHash(), p.Believed()), stress(rules, suite)); err != nil {
		return 0, err
	}
	s.id = s.started.Format("20060102T150405Z") + "-" + suite.Name
	if err := s.startRecord(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.endRecord()) }()
	if s.alert, err = a.openAlert(o, guard.Options{}); err != nil {
		return 0, err
	}
	defer s.alert.close()
	if s.waivers, err = loadWaivers(o.waivers, suite); err != nil {
		return 0, err
	}
	if err := s.loadNoise(); err != nil {
		return 0, err
	}
	if s.key, err = a.campaignKey(o.campaign); err != nil {
		return 0, err
	}
	if s.folder, err = a.createFolder(o, suite, s, number); err != nil {
		return 0, err
	}
	defer s.folder.Close()
	if rules.Audit, err = s.startAudit(rules.Consent); err != nil {
		return 0, err
	}
	if s.journal, err = journal.Open(s.folder.Path(runfolder.JournalFile)); err != nil {
		return 0, errors.Join(err, rules.Audit.Close())
	}
	defer func() { err = errors.Join(err, s.journal.Close()) }()
	if !profile.Simulated {
		rules.Mine = s.journal.Mine // only what this run created may be changed or deleted
	}
	s.brake = s.newBrake()
	rules.Brake = s.brake
	s.rules = rules
	if s.deployment, err = a.open(profile, l, s.paths(), rules); err != nil {
		return 0, errors.Join(err, rules.Audit.Close())
	}
	code, err = s.run(ctx)
	s.deployment.close()
	if err != nil && !o.quiet { // else the report names it
		fmt.Fprintf(a.Stderr, "cutover: audit head %s\n", rules.Audit.Head())
	}
	return code, errors.Join(err, rules.Audit.Close())
}

// stress judges the load models that look for a limit, and pressing on against throttling.
func stress(rules guard.Rules, suite *suites.Suite) error {
	if suite.Pushback == "ignore" {
		if err := rules.CheckStress("pushback: ignore"); err != nil {
			return err
		}
	}
	for _, phase := range suite.Load {
		if kind := phase.Model.Kind; kind == "search" || kind == "spike" {
			if err := rules.CheckStress("load model " + kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *App) createFolder(o *runOptions, suite *suites.Suite, s *session, number int) (*runfolder.Folder, error) {
	if number > 1 {
		s.id += fmt.Sprintf("-%d", number)
	}
	dir, err := o.out, error(nil)
	switch {
	case o.out == "":
		dir, err = s.claimFolder()
	case number > 0:
		dir = filepath.Join(o.out, fmt.Sprintf("%02d-%s", number, suite.Name))
	}
	var folder *runfolder.Folder
	if err == nil {
		folder, err = runfolder.Create(dir)
	}
	var path *fs.PathError
	switch {
	case errors.Is(err, runfolder.ErrBusy):
		return nil, usageError("give each run a folder of its own with --out, or wait for that run to end", "%w", err)
	case errors.Is(err, runfolder.ErrUncleaned):
		return nil, usageError("remove them with `cutover clean --run "+quoteArg(dir)+"`, or choose another folder with --out", "%w", err)
	case errors.Is(err, runfolder.ErrForeign):
		return nil, usageError("choose another folder with --out", "%w", err)
	case errors.As(err, &path):
		return nil, usageError("choose another folder with --out", "%w", err)
	}
	return folder, err
}

// claimFolder makes the folder that is named after the run. A second run of the same
// second gets a number: it must not write into the folder of the first.
func (s *session) claimFolder() (string, error) {
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", err
	}
	id := s.id
	for n := 2; ; n++ {
		err := os.Mkdir(filepath.Join("runs", id), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			s.id = id
			return filepath.Join("runs", id), err
		}
		id = fmt.Sprintf("%s-%d", s.id, n)
	}
}

// commandLine is what repeats this run. Flags hold no secrets: those are
// references in the profile.
func commandLine(suite string, cmd *cobra.Command) string {
	words := []string{"cutover run", quoteArg(suite)}
	words = append(words, givenFlags(cmd.Flags())...)
	return strings.Join(words, " ")
}

// fileOf is the file of a suite that was named by its file, "" for a built-in.
func fileOf(name string) string {
	if contains(suites.Names(), name) {
		return ""
	}
	return name
}

// joinProblems merges the problems of several files into one sorted list, so
// that all of them are printed in one go.
func joinProblems(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return mergeProblems(errs)
}

// labSays describes the deployment in one line for the head of the output.
func labSays(l *lab.Lab, profile string) string {
	if l == nil {
		return "profile " + profile
	}
	info := l.Info()
	return fmt.Sprintf("SIMULATED deployment (the lab: %s, %d twin mailboxes, proxy %s)", info.Preset, len(info.Pairs), info.Proxy)
}

// failed says whether a check ended the run before it began.
func failed(checks []result.Check) (result.Check, bool) {
	for _, c := range checks {
		if c.Verdict == result.Fail {
			return c, true
		}
	}
	return result.Check{}, false
}
