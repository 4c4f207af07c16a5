package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"

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
	start := audit.Start{
		At: s.started, RunID: s.id, Version: s.app.Version, Profile: s.plan.Profile.Name, Plan: s.plan.Hash(),
	}
	if u, err := user.Current(); err == nil {
		start.Who = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		start.Host = host
	}
	if consent != nil {
		start.Consent, start.Approver = consent.Hash(), consent.Approver
	}
	s.trail, err = audit.Create(s.folder.Path(runfolder.AuditFile), key, start)
	return s.trail, err
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
			return a.verify(filepath.Join(args[0], runfolder.AuditFile), key, head)
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
