package main

import (
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cutover/harness/auth"
	"cutover/harness/consent"
	"cutover/harness/guard"
	"cutover/harness/run"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// consentMonth is how long a drafted consent lasts: long enough for a
// campaign, short enough to be thought about again.
const consentMonth = 30 * 24 * time.Hour

func (a *App) consentCommand() *cobra.Command {
	var name, rate, key string
	var writes, probe, notice bool
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "consent --for PROFILE | --sign KEY FILE",
		Short: "Draft the consent file that a real deployment needs, or the notice for its operations centre",
		Long: "Prints a consent file for a deployment's owner to check, complete and approve. As drafted it\n" +
			"is refused. Without an approved one nothing is sent to an address that is not loopback.\n\n" +
			"--sign signs an approved file with the approver's Ed25519 key into FILE.sig. A profile that\n" +
			"names the public key (approver: FILE) accepts the consent only with that signature.",
		Example: "  cutover consent --for contoso.yaml > consent.yaml\n  cutover consent --for contoso.yaml --notice --duration 10m\n  cutover consent --sign approver.pem consent.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if (key != "") != (len(args) == 1) || key != "" && name != "" {
				return usageError("for example --sign approver.pem consent.yaml", "--sign KEY goes with one consent file, and with nothing else")
			}
			if key != "" {
				return a.signConsent(key, args[0])
			}
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
			proposal.Volume = volume(highest.PerSecond, length)
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
	flags.DurationVar(&length, "duration", 0, "with --notice, how long the load will last: for the expected volume")
	flags.StringVar(&key, "sign", "", "sign a consent file with the key in this file (Ed25519, PEM, PKCS #8)")
	return cmd
}

func (a *App) proposal(p *profiles.Profile, rate string, writes, probe bool) (consent.Proposal, error) {
	proposal := consent.Proposal{
		Profile: p, Kind: consent.Run, Expires: a.Clock.Now().Add(consentMonth), Writes: writes, Rate: rate, UserAgent: userAgent(a.Version),
		Requests: run.RequestPrefix, Sources: ownAddresses(),
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
			if writes {
				proposal.Hosts = append(proposal.Hosts, guard.UploadHosts(host)...)
			}
		}
		proposal.Find = append(proposal.Find, findingHosts(p, entry.Key)...)
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

// findingHosts are what doctor and where ask about the mailboxes of a path, beside its own
// hosts: the ends of Autodiscover, and the bare mail domain, whose web site may answer in its place.
func findingHosts(p *profiles.Profile, path string) (hosts []string) {
	e := examiner{names: []string{path}}
	e.ends(p)
	sites := append(bareDomains(p, path), e.cloudEnd)
	for _, site := range bareDomains(p, path) {
		sites = append(sites, strings.Replace(site, "https://", "https://autodiscover.", 1))
	}
	for _, site := range sites {
		if host, err := guard.HostPort(site); err == nil && !contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// signConsent writes the signature of a consent file beside it. What is signed is
// loaded first, so that nobody signs what would be refused.
func (a *App) signConsent(key, file string) error {
	if _, err := consent.Load(file); err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return usageError("", "%w", err)
	}
	private, err := os.ReadFile(key)
	if err != nil {
		return usageError("", "--sign: %w", err)
	}
	signature, err := consent.Sign(content, private)
	if err != nil {
		return usageError("", "--sign: %s: %w", key, err)
	}
	if err := os.WriteFile(file+consent.SignatureSuffix, signature, 0o644); err != nil {
		return usageError("", "%w", err)
	}
	fmt.Fprintf(a.Stderr, "cutover: the signature is in %s\n", file+consent.SignatureSuffix)
	return nil
}

// volume is how many requests a load of this length comes to at its highest rate.
func volume(perSecond float64, length time.Duration) string {
	if length <= 0 {
		return ""
	}
	return fmt.Sprintf("at most %.0f requests in %v", math.Ceil(perSecond*length.Seconds()), length)
}

// ownAddresses are this machine's addresses outside loopback. Whether a gateway puts
// its own in their place cannot be seen from here.
func ownAddresses() []string {
	var all []string
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, address := range addresses {
		if n, ok := address.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			all = append(all, n.IP.String())
		}
	}
	if len(all) > 0 {
		all = append(all, "or that of the gateway before them")
	}
	return all
}

// userAgent is how the servers' logs show cutover.
func userAgent(version string) string { return "cutover/" + version }
