package consent

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"cutover/profiles"
)

// Proposal is what a consent file is drafted from.
type Proposal struct {
	Profile *profiles.Profile
	Kind    string    // Run or Probe
	Hosts   []string  // host:port of every path and token service, and of uploads
	Find    []string  // host:port of what doctor and where ask beside them: the ends of Autodiscover
	Tenant  string    // by its domain or id; "" leaves it to the approver
	Expires time.Time // last day; a month is usual
	Writes  bool      // the suites to be run write
	Rate    string    // requests a second over all paths, such as "50/s"

	Clients   []string // application ids that sign in
	UserAgent string   // by which the servers' logs show the run
	Requests  string   // with which every client-request-id begins
	Window    string   // when, such as "mon,tue 20:00-06:00 UTC"; "" as drafted
	Sources   []string // addresses that requests come from
	Volume    string   // what is expected, such as "36,000 requests in 10 minutes"
}

// Draft is the consent file to be checked, completed and approved. What only
// the approver can say is left for them: a draft is refused as it is.
func (p Proposal) Draft() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Consent for cutover to send requests to the deployment %q.", p.Profile.Name)
	line("# Check every line. Whoever owns these mailboxes fills in what is empty and puts their name to it.")
	line("# The name is not proved by anything: reports print this file's SHA-256, by which it can be recognised.")
	line("consent: %s", Version)
	line("kind: %-40s # run: what operations names; probe: doctor, where, token and call, reading only", p.Kind)
	line("profile: %s", p.Profile.Name)
	line("tenant: %s", quoted(p.Tenant))
	line("hosts:%s", list(bare(p.Hosts)))
	if find := bare(slices.DeleteFunc(slices.Clone(p.Find), func(h string) bool { return slices.Contains(p.Hosts, h) })); len(find) > 0 {
		line("  # doctor and where ask these; a run does not. Strike out what must not be asked.%s", list(find))
	}
	line("# networks: [203.0.113.0/24]                    # where these names may resolve to, and nowhere else")
	addresses := p.addresses()
	line("mailboxes:%s", list(addresses))
	operations := []string{string(Read)}
	if p.Writes && p.Kind == Run {
		operations = append(operations, string(Create), string(Change), string(Delete))
	}
	line("operations: [%s]%s# of %s", strings.Join(operations, ", "), "  ", join(Operations()))
	if p.Writes && p.Kind == Run {
		line("recipients:%s", list(addresses))
		line("items: 1000                                     # most items that a run may create")
		line("mails: 0                                        # most messages that a run may send; needs operation mail")
		line("megabytes: 100                                  # most that a run may write")
	}
	line("rate: %s", p.Rate)
	line("per_mailbox: {concurrency: 4, rate: 8/s}")
	line("window: {days: [mon, tue, wed, thu, fri], from: \"20:00\", to: \"06:00\", zone: UTC}")
	line("expires: %s", p.Expires.Format(time.DateOnly))
	line("stress: false                                   # search, spike and ignoring throttling; never against Microsoft's clouds")
	line("approver: \"\"                                    # name and role of whoever says yes")
	return b.String()
}

// Notice is what the operations centre should know before a run.
func (p Proposal) Notice() string {
	var b strings.Builder
	line := func(name, value string) {
		if value == "" {
			value = "to be filled in"
		}
		fmt.Fprintf(&b, "%-18s %s\n", name+":", value)
	}
	fmt.Fprintf(&b, "Notice: load and conformance test of %s\n\n", p.Profile.Name)
	line("hosts", strings.Join(bare(p.Hosts), ", "))
	line("mailboxes", fmt.Sprintf("%d test mailboxes, named in the consent file", len(p.addresses())))
	line("application ids", strings.Join(p.Clients, ", "))
	line("source addresses", strings.Join(p.Sources, ", "))
	line("User-Agent", p.UserAgent)
	line("client-request-id", "begins with "+p.Requests)
	line("highest rate", p.Rate)
	line("expected volume", p.Volume)
	line("window", cmp.Or(p.Window, "mon,tue,wed,thu,fri 20:00-06:00 UTC, as drafted; the approved consent file decides"))
	fmt.Fprintf(&b, "\nTo stop it: create the kill file that the run names, interrupt the process, or block the User-Agent.\n")
	return b.String()
}

// addresses are those of all mailboxes on all paths, each once, sorted.
func (p Proposal) addresses() []string {
	var all []string
	for _, m := range p.Profile.Mailboxes.List {
		for _, a := range m.Address {
			for _, address := range []string{a.SMTP, a.UPN} {
				if Plain(address) && !slices.Contains(all, strings.ToLower(address)) {
					all = append(all, strings.ToLower(address))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// bare leaves out the port that https implies.
func bare(hosts []string) []string {
	var all []string
	for _, h := range hosts {
		if host, port, err := net.SplitHostPort(h); err == nil && port == "443" && !strings.Contains(host, ":") {
			h = host
		}
		if !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return all
}

// list is a YAML list, one entry a line.
func list(entries []string) string {
	if len(entries) == 0 {
		return " []"
	}
	var b strings.Builder
	for _, e := range entries {
		b.WriteString("\n  - " + quoted(e))
	}
	return b.String()
}

func join(ops []Operation) string {
	names := make([]string, len(ops))
	for i, o := range ops {
		names[i] = string(o)
	}
	return strings.Join(names, ", ")
}

// quoted is a YAML text in double quotes.
func quoted(s string) string { return fmt.Sprintf("%q", s) }
