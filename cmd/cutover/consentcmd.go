package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/auth"
	"cutover/harness/consent"
	"cutover/harness/guard"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// consentMonth is how long a drafted consent lasts: long enough for a
// campaign, short enough to be thought about again.
const consentMonth = 30 * 24 * time.Hour

func (a *App) consentCommand() *cobra.Command {
	var name, rate string
	var writes, probe, notice bool
	cmd := &cobra.Command{
		Use:   "consent --for PROFILE",
		Short: "Draft the consent file that a real deployment needs, or the notice for its operations centre",
		Long: "Prints a consent file for a deployment's owner to check, complete and approve. As drafted it\n" +
			"is refused. Without an approved one nothing is sent to an address that is not loopback.",
		Example: "  cutover consent --for contoso.yaml > consent.yaml\n  cutover consent --for contoso.yaml --notice",
		Args:    exactArgs(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			if name == "" {
				return usageError("for example --for contoso.yaml", "consent needs --for PROFILE")
			}
			var highest strictyaml.Rate
			if err := highest.UnmarshalText([]byte(rate)); err != nil {
				return usageError("", "--rate: %w", err)
			}
			profile, err := profiles.Load(name)
			if err != nil {
				return err
			}
			if profile.UsesLab() {
				return usageError("`cutover run` needs no consent for it", "profile %s leads to the lab, which never leaves this machine", profile.Name)
			}
			proposal, err := a.proposal(profile, rate, writes, probe)
			if err != nil {
				return err
			}
			text := proposal.Draft()
			if notice {
				text = proposal.Notice()
			}
			_, err = fmt.Fprint(a.Stdout, text)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "for", "", "profile of the deployment: a file")
	flags.StringVar(&rate, "rate", "10/s", "highest rate to ask for, over all paths")
	flags.BoolVar(&writes, "writes", false, "ask for writes too")
	flags.BoolVar(&probe, "probe", false, "ask for reading commands alone")
	flags.BoolVar(&notice, "notice", false, "print the notice for the operations centre instead")
	return cmd
}

func (a *App) proposal(p *profiles.Profile, rate string, writes, probe bool) (consent.Proposal, error) {
	proposal := consent.Proposal{
		Profile: p, Kind: consent.Run, Expires: a.Clock.Now().Add(consentMonth), Writes: writes, Rate: rate, UserAgent: userAgent(a.Version),
	}
	if probe {
		proposal.Kind = consent.Probe
	}
	for _, entry := range p.Paths {
		for _, address := range append([]string{entry.Value.URL}, auth.Services(entry.Value)...) {
			host, err := guard.HostPort(address)
			if err != nil {
				return proposal, usageError("", "path %s: %w", entry.Key, err)
			}
			if !contains(proposal.Hosts, host) {
				proposal.Hosts = append(proposal.Hosts, host)
			}
		}
		if entry.Value.Auth.Kind == "entra" {
			var e profiles.Entra
			if problems := entry.Value.Auth.Decode(&e); len(problems) > 0 {
				return proposal, problems
			}
			proposal.Tenant = e.Tenant
			proposal.Clients = append(proposal.Clients, e.Client)
		}
	}
	return proposal, nil
}

// userAgent is how the servers' logs show cutover.
func userAgent(version string) string { return "cutover/" + version }
