package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"cutover/harness/auth"
	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// deployment is a profile that can be talked to: its lab is running when it
// has one, its door to the network is open, its paths can sign in.
type deployment struct {
	profile *profiles.Profile
	lab     *lab.Lab // nil for a real deployment
	door    *guard.Door
	doers   map[string]wire.Doer
	auth    map[string]auth.Source
	logins  float64 // new sign-ins by password a second; 0: no bound
}

// profileOf loads the target's profile and, when it leads to the lab, starts
// one and binds the profile to it. The caller closes the lab.
func (a *App) profileOf(ctx context.Context, t *target, seed uint64) (*profiles.Profile, *lab.Lab, error) {
	settings, _, err := t.settings()
	if err != nil {
		return nil, nil, err
	}
	p, err := profiles.Load(t.profile)
	if err != nil {
		return nil, nil, err
	}
	if !p.UsesLab() {
		if len(settings) > 0 {
			return nil, nil, usageError("leave --set lab.… out, or use the profile lab", "profile %s does not use the lab", p.Name)
		}
		return p, nil, nil
	}
	for _, entry := range p.Lab {
		if _, given := settings[entry.Key]; !given {
			settings[entry.Key] = entry.Value.Text
		}
	}
	if _, given := settings["mailboxes"]; !given && p.Mailboxes.Lab > 0 {
		settings["mailboxes"] = fmt.Sprint(p.Mailboxes.Lab)
	}
	o, err := lab.ParseSettings(settings)
	if err != nil {
		return nil, nil, usageError("docs/lab.md lists the lab's settings", "--set %w", err)
	}
	if _, given := settings["seed"]; !given {
		o.Seed = seed
	}
	o.Clock = a.Clock
	l, err := lab.Start(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("starting the lab: %w", err)
	}
	sized := *p
	if sized.Mailboxes.Lab > 0 {
		sized.Mailboxes.Lab = len(l.Info().Pairs) // --set lab.mailboxes counts, not the profile's number
	}
	bound, err := sized.Bind(endpoints(l))
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return bound, l, nil
}

// endpoints says to a profile where a lab listens.
func endpoints(l *lab.Lab) profiles.Endpoints {
	info := l.Info()
	e := profiles.Endpoints{
		URLs:      map[string]string{"graph": info.Graph, "rest": info.Rest},
		Authority: info.Authority, Tenant: info.Tenant, Upload: info.GraphUpload, CAPEM: l.CAPEM(),
	}
	for era, root := range info.GraphEras {
		e.URLs["graph-"+era] = root
	}
	for _, c := range info.Clients {
		e.Clients = append(e.Clients, profiles.LabClient{ID: c.ID, Secret: c.Secret, Kind: c.Kind})
	}
	for _, p := range info.Pairs {
		e.Pairs = append(e.Pairs, profiles.LabPair(p))
	}
	return e
}

// open opens the door that the rules describe and prepares the sign-in of each
// named path. Nothing is sent. The caller closes the deployment.
func (a *App) open(p *profiles.Profile, l *lab.Lab, names []string, rules guard.Rules) (*deployment, error) {
	d := &deployment{profile: p, lab: l, logins: loginsPerSecond(p, rules.Consent), doers: map[string]wire.Doer{}, auth: map[string]auth.Source{}}
	var err error
	if d.door, err = guard.Open(rules); err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := a.openPath(d, name); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// rules says what a run down the named paths may do, and judges its targets.
// The error is a *guard.Refusal when a safety rule forbids one.
func (a *App) rules(p *profiles.Profile, names []string, t *target, allowWrite bool) (guard.Rules, error) {
	resolve, err := t.resolved()
	if err != nil {
		return guard.Rules{}, err
	}
	rules := guard.Rules{
		Simulated: p.Simulated, AllowWrite: allowWrite, Resolve: resolve, Clock: a.Clock,
		Hosts: map[string][]string{}, SignIn: map[string][]string{}, Uploads: map[string][]string{}, Mailboxes: map[string][]string{},
	}
	if t.consent != "" {
		if rules.Consent, err = guard.LoadConsent(t.consent); err != nil {
			return rules, err
		}
		if p.Approver != "" {
			if err := rules.Consent.Prove(t.consent, p.File(p.Approver)); err != nil {
				return rules, err
			}
		}
	}
	for _, m := range p.Mailboxes.List {
		for _, address := range m.Address {
			rules.Mailboxes[m.Name] = append(rules.Mailboxes[m.Name], address.User())
		}
	}
	rules.Caps = guard.Caps{
		PathRate: map[string]float64{}, MailboxRate: p.Limits.PerMailbox.Rate.PerSecond, MailboxConcurrency: p.Limits.PerMailbox.Concurrency,
	}
	for _, name := range names {
		if err := a.hosts(&rules, p, name); err != nil {
			return rules, err
		}
	}
	door, err := guard.Open(rules)
	if err != nil {
		return rules, err
	}
	door.Close()
	return rules, nil
}

// hosts adds where a path leads, and where it signs in.
func (a *App) hosts(rules *guard.Rules, p *profiles.Profile, name string) error {
	path, ok := p.Paths.Get(name)
	if !ok {
		return usageError("it has "+strings.Join(p.Paths.Keys(), ", "), "profile %s has no path %q%s", p.Name, name, strictyaml.Suggest(name, p.Paths.Keys()))
	}
	host, err := guard.HostPort(path.URL)
	if err != nil {
		return usageError("", "path %s: %w", name, err)
	}
	rules.Hosts[name] = []string{host}
	rules.Uploads[name] = guard.UploadHosts(host)
	if path.Upload != "" {
		upload, err := guard.HostPort(path.Upload)
		if err != nil {
			return usageError("", "path %s: upload host: %w", name, err)
		}
		rules.Uploads[name] = append(rules.Uploads[name], upload)
	}
	rate := p.Limits.Rate
	if path.Limits.Rate.PerSecond > 0 {
		rate = path.Limits.Rate
	}
	if rate.PerSecond > 0 {
		rules.Caps.PathRate[name] = rate.PerSecond
	}
	for _, service := range auth.Services(path) {
		signIn, err := guard.HostPort(service)
		if err != nil {
			return usageError("", "path %s: sign-in: %w", name, err)
		}
		rules.SignIn[name] = append(rules.SignIn[name], signIn)
	}
	return nil
}

func (a *App) openPath(d *deployment, name string) error {
	path, _ := d.profile.Paths.Get(name)
	options, err := a.clientOptions(d.profile, path)
	if err != nil {
		return err
	}
	http, err := d.door.HTTP(name, wire.Token, options)
	if err != nil {
		return usageError("", "path %s: %w", name, err)
	}
	source, err := auth.New(path, path.Auth, http, auth.Options{
		Clock: a.Clock, Env: a.Env, Mailboxes: d.profile.Mailboxes.List, Logins: d.logins, Learn: a.secrets.Add,
		Prompt: func(message string) { fmt.Fprintln(a.Stderr, message) }, Browse: a.browse,
	})
	if err != nil {
		return usageError("", "path %s: %w", name, err)
	}
	d.auth[name] = source
	if path.Auth.Kind == "ntlm" {
		options.Login, options.Admit = source.Login, source.Admit
	}
	doer, err := d.door.Path(name, options)
	if err != nil {
		return usageError("", "path %s: %w", name, err)
	}
	d.doers[name] = auth.Watch(source, doer)
	if path.Dialect.Kind != "plain" { // which is asked as written
		d.doers[name] = naming{d.doers[name]}
	}
	return nil
}

// loginsPerSecond bounds new NTLM and Basic sign-ins against a real directory,
// which locks accounts, unless the consent allows more; the lab has nothing to
// protect.
func loginsPerSecond(p *profiles.Profile, c *guard.Consent) float64 {
	switch {
	case p.Simulated:
		return 0
	case c != nil && !c.Logins.IsZero():
		return c.Logins.PerSecond
	}
	return 2
}

func (a *App) clientOptions(p *profiles.Profile, path profiles.Path) (guard.Options, error) {
	o := guard.Options{
		Protocol: path.Protocol, Connections: path.Connections, Timeout: path.Timeout, Proxy: path.Proxy, Host: path.Host,
		MaxConns: path.Limits.MaxConns, MaxStreams: path.Limits.MaxStreams, UserAgent: userAgent(a.Version), Control: a.Connecting,
	}
	err := a.tlsOptions(p, path, &o)
	return o, err
}

// close shuts the door and stops signing in. The lab is the caller's.
func (d *deployment) close() {
	for _, source := range d.auth {
		source.Close()
	}
	if d.door != nil {
		d.door.Close()
	}
}

// hostOf is the host:port of a URL for people to read.
func hostOf(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil && u.Host != "" {
		return u.Host
	}
	return rawURL
}
