package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/audit"
	"cutover/harness/guard"
	"cutover/harness/runfolder"
)

// startAudit opens the run's audit trail, keyed by the campaign's secret when
// there is one.
func (s *session) startAudit(consent *guard.Consent) (*audit.Trail, error) {
	key, err := s.app.campaignKey(s.options.campaign)
	if err != nil {
		return nil, err
	}
	s.key = key
	start := s.app.auditStart(s.id, s.plan.Profile.Name, s.started, consent)
	start.Plan, start.Suite = s.plan.Hash(), s.plan.SuiteHash()
	s.trail, err = audit.Create(s.folder.Path(runfolder.AuditFile), key, start)
	return s.trail, err
}

// auditStart is the first line of a trail: who, where, with whose consent.
func (a *App) auditStart(id, profile string, at time.Time, consent *guard.Consent) audit.Start {
	start := audit.Start{At: at, RunID: id, Version: a.Version, Profile: profile}
	if u, err := user.Current(); err == nil {
		start.Who = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		start.Host = host
	}
	if consent != nil {
		start.Consent, start.Approver = consent.Hash(), consent.Approver
	}
	return start
}

// cleanAudit opens the trail of a clean-up: one of its own beside the run's, whose
// chain has ended.
func (a *App) cleanAudit(dir, profile, campaign string, consent *guard.Consent) (*audit.Trail, error) {
	key, err := a.campaignKey(campaign)
	if err != nil {
		return nil, err
	}
	now := a.Clock.Now().UTC()
	id := "clean-" + now.Format("20060102T150405.000000Z")
	return audit.Create(filepath.Join(dir, "audit-"+id+".jsonl"), key, a.auditStart(id, profile, now, consent))
}

// campaignKey reads the secret that --campaign refers to. It is never printed.
func (a *App) campaignKey(reference string) ([]byte, error) {
	if reference == "" {
		return nil, nil
	}
	kind, name, _ := strings.Cut(reference, ":")
	var key []byte
	switch kind {
	case "env":
		key = []byte(a.Env(name))
	case "file":
		var err error
		if key, err = os.ReadFile(name); err != nil {
			return nil, usageError("", "--campaign: %w", err)
		}
	default:
		return nil, usageError("for example --campaign env:CUTOVER_CAMPAIGN_KEY", "--campaign: expected env:NAME or file:PATH")
	}
	if key = []byte(strings.TrimSpace(string(key))); len(key) < 16 {
		return nil, usageError("make one with `openssl rand -hex 32`", "--campaign: the secret has fewer than 16 characters")
	}
	return key, nil
}

func (a *App) verifyCommand() *cobra.Command {
	var campaign, head string
	cmd := &cobra.Command{
		Use:     "verify RUN",
		Short:   "Check a run's audit chain: the first line that was changed, added or removed",
		Example: "  cutover verify runs/20261122T031500Z-mail-write --campaign env:CUTOVER_CAMPAIGN_KEY --head 3f9a…",
		Args:    exactArgs(1, "one run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := a.campaignKey(campaign)
			if err != nil {
				return err
			}
			if err := a.verify(filepath.Join(args[0], runfolder.AuditFile), key, head); err != nil {
				return err
			}
			cleanings, err := filepath.Glob(filepath.Join(args[0], "audit-clean-*.jsonl"))
			for _, file := range cleanings {
				err = errors.Join(err, a.verify(file, key, ""))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&campaign, "campaign", "", "secret of the campaign, as env:NAME or file:PATH")
	cmd.Flags().StringVar(&head, "head", "", "the chain's head as the run printed it: shows lines cut off the end")
	return cmd
}

func (a *App) verify(file string, key []byte, head string) error {
	summary, err := audit.Verify(file, key, head)
	var tampered *audit.TamperedError
	switch {
	case errors.As(err, &tampered):
		return &exitError{code: exitFail, err: err, hint: "the trail is not what the run wrote, or the campaign's secret is another"}
	case errors.Is(err, fs.ErrNotExist):
		return usageError("`cutover run` prints the folder that it writes", "%s is not a run folder", filepath.Dir(file))
	case err != nil:
		return usageError("", "%w", err)
	}
	keyed := "keyed by the campaign's secret"
	if !summary.Keyed {
		keyed = "not keyed: it shows accidents, not forgery"
	}
	fmt.Fprintf(a.Stdout, "%d lines of run %s fit; the chain is %s\nhead %s\n", summary.Lines, summary.Start.RunID, keyed, summary.Head)
	if summary.Torn {
		fmt.Fprintln(a.Stdout, "the last line is torn: the run was killed while writing it")
	}
	return nil
}
