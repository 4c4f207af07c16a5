package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/conform"
	"cutover/harness/result"
	"cutover/suites"
)

// waiverLasts is how long a waiver counts unless its author says otherwise:
// long enough to fix the cause, short enough to be asked again.
const waiverLasts = 90 * 24 * time.Hour

// loadWaivers reads the accepted differences of a run: the file of --waivers,
// else the one that the suite names, relative to the suite.
func loadWaivers(file string, suite *suites.Suite) (*conform.Waivers, error) {
	if file == "" && suite.Waivers != "" {
		file = filepath.Join(filepath.Dir(suite.Pos.File), suite.Waivers)
	}
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError("`cutover waive` writes one", "waivers: %w", err)
	}
	return conform.ParseWaivers(file, data)
}

func (a *App) waiveCommand() *cobra.Command {
	var reason, owner, expires, file string
	cmd := &cobra.Command{
		Use:     "waive RUN FINDING",
		Short:   "Write a waiver (reason, owner, expiry) for a finding",
		Long:    "Accepts a difference for a while. FINDING is a fingerprint or, when only one finding has it,\na rule id. The waiver goes into a file that `cutover run --waivers` reads; there it\nreplaces an earlier one of the same fingerprint.",
		Example: "  cutover waive runs/20261122T031500Z-mail-read 3fa9c1d2e4b5a697 --owner 'Ann Larsen' --reason 'fixed in CU15'",
		Args:    exactArgs(2, "a run folder and a finding"),
		RunE: func(_ *cobra.Command, args []string) error {
			day := a.Clock.Now().Add(waiverLasts)
			if expires != "" {
				var err error
				if day, err = time.Parse(time.DateOnly, expires); err != nil {
					return usageError("for example --expires 2027-01-31", "--expires: %q is no date", expires)
				}
			}
			if day.Before(a.Clock.Now().Truncate(24 * time.Hour)) {
				return usageError("a waiver counts up to and with that day", "--expires: %s is in the past", expires)
			}
			if strings.TrimSpace(reason) == "" || strings.TrimSpace(owner) == "" {
				return usageError("a waiver that nobody answers for is an ignored failure", "waive needs --reason and --owner")
			}
			return a.waive(args[0], args[1], reason, owner, day, file)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&reason, "reason", "", "why the difference is accepted; printed in every report")
	flags.StringVar(&owner, "owner", "", "who answers for it")
	flags.StringVar(&expires, "expires", "", "last day on which it counts (default in 90 days)")
	flags.StringVar(&file, "file", "waivers.yaml", "file to append to")
	return cmd
}

func (a *App) waive(dir, id, reason, owner string, expires time.Time, file string) error {
	r, err := loadRun(dir, false)
	if err != nil {
		return err
	}
	finding, err := findOne(r.Findings, id)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return usageError("", "%w", err)
	}
	text, told, err := conform.Amend(file, data, finding, conform.Draft(finding, reason, owner, expires), a.Clock.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return usageError("", "%w", err)
	}
	fmt.Fprintf(a.Stdout, "%s (%s at %s/%s) is waived until %s in %s%s\n",
		finding.Fingerprint, finding.ID, finding.Scenario, finding.Step, expires.Format(time.DateOnly), file, told)
	return nil
}

// findOne finds a finding by its fingerprint, or by its rule when that is
// enough to tell it.
func findOne(findings []result.Finding, id string) (result.Finding, error) {
	var found []result.Finding
	for _, f := range findings {
		if f.Fingerprint == id {
			return f, nil
		}
		if f.ID == id && !slices.ContainsFunc(found, func(o result.Finding) bool { return o.Fingerprint == f.Fingerprint }) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return result.Finding{}, usageError("findings.jsonl in the run folder lists them", "the run has no finding %q", id)
	case 1:
		return found[0], nil
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("  %s  %s/%s %s", f.Fingerprint, f.Scenario, f.Step, f.Pointer))
	}
	return result.Finding{}, usageError("name one of them by its fingerprint", "%d findings are %s:\n%s", len(found), id, strings.Join(lines, "\n"))
}
