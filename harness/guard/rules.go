package guard

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"cutover/harness/audit"
	"cutover/harness/clock"
	"cutover/harness/consent"
)

// Refusal is a safety rule saying no before anything was sent.
type Refusal = consent.Refusal

// refuse makes a rule's no: what was about to happen and what the user can do.
func refuse(rule, what, remedy string) *Refusal {
	return &Refusal{Rule: rule, What: what, Remedy: remedy}
}

// Consent is the file in which a deployment's owner allows a run.
type Consent = consent.Consent

// Rules are what a door enforces. The zero value allows reading from
// loopback addresses that no path names: nothing.
type Rules struct {
	// Simulated is the lab's mode: loopback only, whatever the consent says;
	// writes need no consent and recipients are free unless Recipients is set.
	Simulated bool
	// AllowWrite is the user's --allow-write.
	AllowWrite bool
	// Consent is nil when there is none; then only loopback is reached.
	Consent *Consent
	// Hosts are the host:port pairs of each path. Requests and links that a
	// server hands out lead nowhere else.
	Hosts map[string][]string
	// SignIn are the host:port pairs of each path's token services. Only
	// sign-in requests go there.
	SignIn map[string][]string
	// Uploads are hosts of each path that take the content of an upload
	// session. They never see an Authorization header or a cookie. A host that
	// is neither on this machine nor consented to is left out.
	Uploads map[string][]string
	// Resolve maps host:port to the address that is dialled instead.
	Resolve map[string]string
	// Mailboxes names the addresses of each mailbox pair. With a consent, a
	// request for a pair passes when all of its addresses are consented to.
	Mailboxes map[string][]string
	// Recipients are who may be mailed or invited: addresses and @domains.
	// They join what the consent names. Nil in the lab means everybody.
	Recipients []string
	// Mine tells whether the item id was created by this run, from its journal.
	// Only such items may be changed or deleted. Nil in the lab means every item;
	// elsewhere nil means none.
	Mine func(path, id string) bool
	// Caps bound rates, concurrency and volumes. Outside the lab a zero field
	// takes its default, and the consent's figure is a ceiling.
	Caps Caps
	// Clock is nil for the system's.
	Clock clock.Clock
	// Brake is nil for none.
	Brake *Brake
	// Audit is nil for none.
	Audit *audit.Trail
}

// CheckTargets refuses, without looking any name up, targets that are not on
// this machine: what holds as long as there is no consent.
func CheckTargets(urls []string) error { return Rules{}.CheckTargets(urls) }

// CheckTargets judges targets before anything is sent. A target is allowed
// when it is a loopback address or "localhost" (or --resolve maps it to one),
// or when the consent names its host. Names are not resolved. The error is a
// *Refusal.
func (r Rules) CheckTargets(urls []string) error {
	for _, u := range urls {
		hostport, err := HostPort(u)
		if err != nil {
			return &Refusal{Rule: "target", What: err.Error(), Remedy: "write the target as https://host/path"}
		}
		if err := r.target(hostport); err != nil {
			return err
		}
	}
	return nil
}

// HostPort returns the host:port that a URL leads to, the port spelled out.
func HostPort(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("%q names no host", rawURL)
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	default:
		return "", fmt.Errorf("%q is neither https nor http", rawURL)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port), nil
}

// target judges one host:port.
func (r Rules) target(hostport string) error {
	if r.onThisMachine(hostport) {
		return nil
	}
	if r.Simulated {
		return refuse("target", hostport+" is not a loopback address, and the lab never leaves this machine",
			"use a profile of your own for a real deployment, or let the lab choose its addresses")
	}
	if r.Consent == nil {
		return refuse("target", hostport+" is not on this machine and there is no consent for it",
			"draft one with `cutover consent --for PROFILE`, have it approved, and pass it as --consent FILE")
	}
	if !r.Consent.Host(hostport) {
		return refuse("target", fmt.Sprintf("the consent does not name %s among its hosts", hostport),
			"ask the approver to add the host, or correct the profile")
	}
	return nil
}

// onThisMachine tells whether hostport is a loopback literal, localhost, or
// mapped to a loopback address. Where localhost really leads is judged again
// when the connection is made.
func (r Rules) onThisMachine(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	if mapped, ok := r.Resolve[hostport]; ok {
		if h, _, err := net.SplitHostPort(mapped); err == nil {
			mapped = h
		}
		return loopback(mapped)
	}
	return strings.EqualFold(host, "localhost") || loopback(host)
}

func loopback(literal string) bool {
	addr, err := netip.ParseAddr(strings.Trim(literal, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// check judges the rules themselves, before any door opens.
func (r Rules) check() error {
	for _, byPath := range []map[string][]string{r.Hosts, r.SignIn} {
		for _, hosts := range byPath {
			for _, hostport := range hosts {
				if err := r.target(hostport); err != nil {
					return err
				}
			}
		}
	}
	if r.Consent == nil {
		return nil
	}
	if r.Consent.Kind == consent.Probe && r.AllowWrite {
		return refuse("write", "the consent is of kind probe, which only reads", "leave --allow-write out, or ask for a consent of kind run")
	}
	return r.Consent.Holds(r.now())
}

// CheckLoad refuses a run under a consent that covers the reading commands alone.
// The error is a *Refusal.
func (r Rules) CheckLoad() error {
	if r.Consent != nil && r.Consent.Kind == consent.Probe {
		return refuse("operation", "the consent is of kind probe, which covers doctor, where, token and call, not a run", "ask the approver for a consent of kind run")
	}
	return nil
}

// CheckSuite refuses a suite that the consent does not list among those that were looked
// at, and, outside this machine, one whose word alone makes a read of a step (believed; "" for none)
// when it is not listed. The error is a *Refusal.
func (r Rules) CheckSuite(hash, believed string) error {
	if r.Consent == nil || r.Simulated || r.Consent.Knows(hash) {
		return nil
	}
	if len(r.Consent.Suites) > 0 {
		return refuse("suite", "the consent does not list this suite among those that may be run", "ask the approver to look at it and to add "+hash+" to `suites`")
	}
	if believed == "" || !r.remote() {
		return nil
	}
	return refuse("suite", fmt.Sprintf("step %s looks like a write, and only the suite says that it reads", believed),
		"ask the approver to look at the suite and to add "+hash+" to `suites`; or take `reads: true` out and pass --allow-write")
}

// UploadHosts are where the upload sessions of a Graph host lead: Outlook's
// hosts of the same cloud. None are known for other hosts.
func UploadHosts(graph string) []string {
	host, _, _ := cutPort(strings.ToLower(graph))
	switch host {
	case "graph.microsoft.com":
		return []string{"outlook.office.com:443", "outlook.office365.com:443"}
	case "graph.microsoft.us", "dod-graph.microsoft.us":
		return []string{"outlook.office365.us:443"}
	case "microsoftgraph.chinacloudapi.cn":
		return []string{"partner.outlook.cn:443"}
	}
	return nil
}

// uploads are the upload hosts that may be reached.
func (r Rules) uploads() map[string][]string {
	allowed := map[string][]string{}
	for path, hosts := range r.Uploads {
		for _, h := range hosts {
			if r.target(h) == nil {
				allowed[path] = append(allowed[path], h)
			}
		}
	}
	return allowed
}

// CheckMailboxes refuses a pair that the consent does not name.
func (r Rules) CheckMailboxes() error {
	for _, name := range sortedKeys(r.Mailboxes) {
		if err := r.mailbox(name); err != nil {
			return err
		}
	}
	return nil
}

func (r Rules) mailbox(name string) error {
	if r.Consent == nil || name == "" {
		return nil
	}
	addresses, known := r.Mailboxes[name]
	if !known || len(addresses) == 0 {
		return refuse("mailbox", fmt.Sprintf("mailbox %q has no address that the consent could name", name), "give its address in the profile's mailboxes")
	}
	for _, a := range addresses {
		if !r.Consent.Mailbox(a) {
			return refuse("mailbox", fmt.Sprintf("the consent does not name a mailbox of pair %q", name),
				"take the pair out of the profile's mailboxes, or ask the approver to add it")
		}
	}
	return nil
}

// clouds are the hosts of Microsoft's clouds (worldwide, US government, China):
// stress is refused against them whatever a consent says, because their
// rules of engagement forbid it.
var clouds = []string{
	"microsoft.com", "microsoft.us", "microsoftonline.com", "microsoftonline.us", "microsoftonline.de", "office.com", "office.net", "office.de",
	"office365.com", "office365.us", "outlook.com", "windows.net", "chinacloudapi.cn", "partner.outlook.cn", "usgovcloudapi.net", "cloud.microsoft", "live.com",
}

// Cloud tells whether host belongs to one of Microsoft's clouds.
func Cloud(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(clouds, func(c string) bool { return host == c || strings.HasSuffix(host, "."+c) })
}

// CheckStress refuses load that looks for a limit or ignores throttling (what
// names it, such as "load model spike") except on this machine or, with a
// consent that says stress, on premises.
func (r Rules) CheckStress(what string) error {
	for _, path := range sortedKeys(r.Hosts) {
		for _, hostport := range r.Hosts[path] {
			switch {
			case r.onThisMachine(hostport):
			case Cloud(hostport):
				return refuse("stress", fmt.Sprintf("%s against Microsoft's cloud (%s)", what, hostport), "use a constant or ramped rate below the published limits")
			case r.Consent == nil || !r.Consent.Stress:
				return refuse("stress", fmt.Sprintf("%s against %s without a consent that says stress", what, hostport),
					"use a constant or ramped rate, or ask the approver for `stress: true`")
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
