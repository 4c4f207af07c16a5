package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"

	"cutover/harness/doctor"
	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

// examiner is a deployment that can be examined: its paths sign in, and the
// hosts that anonymous questions may go to are known to the door.
type examiner struct {
	*deployment
	running             *lab.Lab
	deps                doctor.Deps
	names               []string // paths
	cloudEnd, onPremEnd string   // of Autodiscover
	tenant              string
}

// politeRate is how many anonymous questions a second a real deployment is asked.
const politeRate = 5

// examiner opens a target for the doctor and for where. names are the paths;
// none means the profile's left and right. The caller closes it.
func (a *App) examiner(ctx context.Context, t *target, names []string) (*examiner, error) {
	profile, l, err := a.profileOf(ctx, t, 1)
	if err != nil {
		return nil, err
	}
	e := &examiner{running: l, names: names}
	if err := a.examine(e, profile, t); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (a *App) examine(e *examiner, profile *profiles.Profile, t *target) error {
	if len(e.names) == 0 {
		for _, name := range []string{profile.Left, profile.Right} {
			if name != "" {
				e.names = append(e.names, name)
			}
		}
	}
	rules, err := a.rules(profile, e.names, t, false)
	if err != nil {
		return err
	}
	e.ends(profile)
	owner := a.hostsOf(e, profile, &rules)
	if e.deployment, err = a.open(profile, e.running, e.names, rules); err != nil {
		return err
	}
	e.deps = doctor.Deps{Profile: profile, Clock: a.Clock, Signed: e.doers, Auth: map[string]where.Authoriser{}}
	for name, source := range e.auth {
		e.deps.Auth[name] = source
	}
	options := func(at string) (guard.Options, bool) {
		host, err := guard.HostPort(at)
		name, known := owner[host]
		if err != nil || !known {
			return guard.Options{}, false
		}
		path, _ := profile.Paths.Get(name)
		o, err := a.clientOptions(profile, path)
		return o, err == nil
	}
	e.deps.Anonymous, e.deps.Handshake = doctor.Through(e.door, options)
	e.deps.Roots = func(name string) *x509.CertPool {
		path, _ := profile.Paths.Get(name)
		o, _ := options(path.URL)
		return o.CA
	}
	if !profile.Simulated && e.running == nil {
		e.deps.Resolver = careful{rules}
		e.deps.At = func(address string) (func(string) wire.Doer, doctor.Handshake) {
			return doctor.ThroughAddress(e.door, options, address)
		}
	}
	return nil
}

// ends settles where the two ends of Autodiscover are, and the tenant.
func (e *examiner) ends(profile *profiles.Profile) {
	e.tenant = entraTenant(profile)
	if e.running != nil {
		info := e.running.Info()
		e.cloudEnd, e.onPremEnd, e.tenant = info.Autodiscover, info.AutodiscoverOnPrem, info.Tenant
		return
	}
	for _, name := range e.names {
		path, _ := profile.Paths.Get(name)
		u, err := url.Parse(path.URL)
		if err != nil {
			continue
		}
		switch path.Dialect.Kind {
		case "rest":
			e.onPremEnd = u.Scheme + "://" + u.Host
		case "graph":
			e.cloudEnd = autodiscoverOf(u.Hostname())
		}
	}
}

// autodiscoverOf is the cloud end of Autodiscover that belongs to a host of Graph.
func autodiscoverOf(graph string) string {
	switch graph {
	case "graph.microsoft.com":
		return "https://outlook.office365.com"
	case "graph.microsoft.us", "dod-graph.microsoft.us":
		return "https://outlook.office365.us"
	case "microsoftgraph.chinacloudapi.cn":
		return "https://partner.outlook.cn"
	}
	return ""
}

// hostsOf adds the hosts of anonymous questions to the rules, and tells by
// which path's options each is reached. An end of Autodiscover that the consent
// does not name is left out; it is then not asked.
func (a *App) hostsOf(e *examiner, profile *profiles.Profile, rules *guard.Rules) map[string]string {
	owner := map[string]string{}
	add := func(host, path string) {
		if _, twice := owner[host]; !twice {
			owner[host] = path
			rules.Hosts[doctor.Probes] = append(rules.Hosts[doctor.Probes], host)
			rules.SignIn[doctor.Handshakes] = append(rules.SignIn[doctor.Handshakes], host)
		}
	}
	for _, name := range e.names {
		for _, host := range append(rules.Hosts[name], rules.SignIn[name]...) {
			add(host, name)
		}
		path, _ := profile.Paths.Get(name)
		end := map[string]string{"rest": e.onPremEnd, "graph": e.cloudEnd}[path.Dialect.Kind]
		if host, err := guard.HostPort(end); err == nil && rules.CheckTargets([]string{end}) == nil {
			add(host, name)
		}
	}
	for _, name := range e.names {
		for _, site := range bareDomains(profile, name) {
			if host, err := guard.HostPort(site); err == nil && rules.CheckTargets([]string{site}) == nil {
				add(host, name)
			}
		}
	}
	if !profile.Simulated && e.running == nil {
		rules.Caps.PathRate = map[string]float64{doctor.Probes: politeRate, doctor.Handshakes: politeRate}
	}
	return owner
}

// bareDomains are the web sites of the mail domains of a path on premises, which
// clients ask before Autodiscover's own name.
func bareDomains(profile *profiles.Profile, name string) []string {
	path, _ := profile.Paths.Get(name)
	if path.Dialect.Kind != "rest" || len(profile.Mailboxes.List) == 0 {
		return nil
	}
	a := profile.Mailboxes.List[0].Address[name]
	if _, domain, ok := strings.Cut(cmp.Or(a.SMTP, a.User()), "@"); ok {
		return []string{"https://" + domain}
	}
	return nil
}

// close ends what examiner began.
func (e *examiner) close() error {
	if e.deployment != nil {
		e.deployment.close()
	}
	if e.running != nil {
		return e.running.Close()
	}
	return nil
}

// careful looks up only names that the rules name, and honours --resolve.
type careful struct{ rules guard.Rules }

func (c careful) refused(host string) error {
	return c.rules.CheckTargets([]string{"https://" + host})
}

// LookupHost implements doctor.Resolver.
func (c careful) LookupHost(ctx context.Context, host string) ([]string, error) {
	for mapped, to := range c.rules.Resolve {
		if name, _, err := net.SplitHostPort(mapped); err == nil && strings.EqualFold(name, host) {
			return []string{to}, nil
		}
	}
	if err := c.refused(host); err != nil {
		return nil, err
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// LookupCNAME implements doctor.Resolver.
func (c careful) LookupCNAME(ctx context.Context, host string) (string, error) {
	if err := c.refused(host); err != nil {
		return "", err
	}
	return net.DefaultResolver.LookupCNAME(ctx, host)
}

// LookupSRV implements doctor.Resolver.
func (c careful) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if err := c.refused(name); err != nil {
		return "", nil, err
	}
	return net.DefaultResolver.LookupSRV(ctx, service, proto, name)
}
