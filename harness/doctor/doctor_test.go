package doctor_test

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cutover/harness/auth"
	"cutover/harness/clock"
	"cutover/harness/doctor"
	"cutover/harness/guard"
	"cutover/harness/lab"
	"cutover/harness/result"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is a lab with everything that an examination of it needs.
type patient struct {
	lab     *lab.Lab
	deps    doctor.Deps
	options doctor.Options
}

// profileText is the built-in profile's shape with another sign-in on premises.
const profileText = `profile: patient
paths:
  onprem: {lab: rest, auth: %s}
  cloud: {lab: graph, auth: %s}
mailboxes: {lab: 2}
`

const (
	asUser = "{entra: {user: mailbox}}"
	asApp  = "entra"
)

func admit(t *testing.T, misconfigured, onPrem, cloud string) *patient {
	t.Helper()
	o := lab.Options{Mailboxes: 3, LatencyOnPrem: "none", LatencyCloud: "none"}
	if misconfigured != "" {
		o.Misconfigure = []string{misconfigured}
	}
	l, err := lab.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	p, err := profiles.Parse("patient.yaml", []byte(fmt.Sprintf(profileText, onPrem, cloud)))
	if err != nil {
		t.Fatal(err)
	}
	info := l.Info()
	bound, err := p.Bind(endpoints(l))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(l.CAPEM())
	hosts := []string{hostOf(t, info.Rest), hostOf(t, info.Graph), hostOf(t, info.Autodiscover), hostOf(t, info.Authority)}
	rules := guard.Rules{Simulated: true, Hosts: map[string][]string{doctor.Probes: hosts}, SignIn: map[string][]string{doctor.Handshakes: hosts}}
	for _, e := range bound.Paths {
		rules.Hosts[e.Key] = []string{hostOf(t, e.Value.URL)}
		rules.SignIn[e.Key] = []string{hostOf(t, info.Authority)}
	}
	door, err := guard.Open(rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(door.Close)
	out := &patient{lab: l, options: doctor.Options{CloudEnd: info.Autodiscover, OnPremEnd: info.AutodiscoverOnPrem, Tenant: info.Tenant}}
	out.deps = doctor.Deps{Profile: bound, Clock: clock.System(), Signed: map[string]wire.Doer{}, Auth: map[string]where.Authoriser{},
		Roots: func(string) *x509.CertPool { return pool }}
	out.deps.Anonymous, out.deps.Handshake = doctor.Through(door, func(at string) (guard.Options, bool) {
		host, err := guard.HostPort(at)
		return guard.Options{CA: pool}, err == nil && slices.Contains(hosts, host)
	})
	for _, e := range bound.Paths {
		out.open(t, door, e.Value, guard.Options{CA: pool})
	}
	return out
}

func (p *patient) open(t *testing.T, door *guard.Door, path profiles.Path, o guard.Options) {
	t.Helper()
	h, err := door.HTTP(path.Name, wire.Token, o)
	if err != nil {
		t.Fatal(err)
	}
	source, err := auth.New(path, path.Auth, h, auth.Options{Mailboxes: p.deps.Profile.Mailboxes.List})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	if path.Auth.Kind == "ntlm" {
		o.Login = source.Login
	}
	doer, err := door.Path(path.Name, o)
	if err != nil {
		t.Fatal(err)
	}
	p.deps.Auth[path.Name], p.deps.Signed[path.Name] = source, auth.Watch(source, doer)
}

func hostOf(t *testing.T, rawURL string) string {
	t.Helper()
	h, err := guard.HostPort(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func endpoints(l *lab.Lab) profiles.Endpoints {
	info := l.Info()
	e := profiles.Endpoints{URLs: map[string]string{"graph": info.Graph, "rest": info.Rest, "graph-2019": info.GraphEras["2019"]},
		Authority: info.Authority, Tenant: info.Tenant, CAPEM: l.CAPEM()}
	for _, c := range info.Clients {
		e.Clients = append(e.Clients, profiles.LabClient{ID: c.ID, Secret: c.Secret, Kind: c.Kind})
	}
	for _, p := range info.Pairs {
		e.Pairs = append(e.Pairs, profiles.LabPair(p))
	}
	return e
}

// symptoms are the checks that do not pass, as "PATH ID verdict".
func symptoms(r *doctor.Report) []string {
	found := map[string]bool{}
	for _, c := range r.Checks {
		if c.Verdict == result.Fail || c.Verdict == result.Warn {
			found[c.Path+" "+c.ID+" "+string(c.Verdict)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func dump(r *doctor.Report) string {
	b := &strings.Builder{}
	_ = r.Write(b)
	return b.String()
}

// signs are the checks that each switch of the lab turns red, and none else.
var signs = map[string][]string{
	"api-blocked":           {"onprem vdir.api fail"},
	"node-2013":             {"onprem array.2013 fail"},
	"old-build":             {"onprem array.builds fail"},
	"mixed-builds":          {"onprem array.builds warn"}, // no fault by itself
	"api-down":              {"onprem array.down fail"},
	"health-down":           {"onprem vdir.health fail"},
	"autodiscover-missing":  {"onprem autod.json fail"},
	"autodiscover-internal": {"onprem autod.url fail"},
	"autodiscover-no-rest":  {"onprem autod.rest fail"},
	"autodiscover-disagree": {"onprem autod.agree fail"},
	"wrong-realm":           {"onprem oauth.issuer fail"},
	"evosts-missing":        {"onprem oauth.authuri fail"},
	"oauth-off":             {"onprem oauth.challenge fail"},
	"basic-off":             {"onprem auth.offered fail"},
	"ntlm-off":              {"onprem auth.offered fail"},
	"ep-required":           nil, // the sign-in is bound to the connection
	"ep-allowed":            nil,
	"ep-bridged":            {"onprem ntlm.ep fail"},
	"ssl-offload":           {"onprem oauth.ssloffload fail"},
	"wrong-audience":        {"onprem oauth.audience fail"},
	"profile-forced":        nil, // not visible from outside: it is in the list of what a server must be asked for
	"cert-expired":          {"onprem tls.expiry fail"},
	"cert-self-signed":      {"onprem tls.chain fail"},
	"cert-differs":          {"onprem tls.samecert fail"},
	"san-missing":           {"onprem tls.san fail"},
	"tls-1.0":               {"onprem tls.old fail"},
	"tls-1.3":               {"onprem tls.new warn"}, // works, and is not supported
	"clock-ahead":           {"onprem net.clock fail"},
	"pre-auth":              {"onprem front.preauth fail"},
	"reverse-proxy":         {"onprem front.iis fail"},
	"spn-missing":           {"onprem auth.token fail"},
	"roles-missing":         {"cloud token.perms fail"},
	"consent-missing":       {"onprem auth.token fail"},
	"secret-expired":        {"cloud auth.token fail"},
	"app-disabled":          {"cloud auth.token fail", "onprem auth.token fail"},
	"mfa-required":          {"onprem auth.token fail"},
	"access-blocked":        {"onprem auth.token fail"},
	"issuer-mismatch":       {"cloud sts.metadata fail", "onprem sts.metadata fail"},
	"graph-denied":          {"cloud graph.location fail"},
}

// withSignIn are the switches that show only with another sign-in on premises.
var withSignIn = map[string]string{
	"basic-off": "{basic: {user: mailbox}}", "ntlm-off": "{ntlm: {user: mailbox}}", "ep-required": "{ntlm: {user: mailbox}}", "ep-allowed": "{ntlm: {user: mailbox}}",
	"ep-bridged": "{ntlm: {user: mailbox}}",
}

func TestTheHealthyLabIsGreen(t *testing.T) {
	for _, signIn := range []string{asUser, "{basic: {user: mailbox}}", "{ntlm: {user: mailbox}}"} {
		t.Run("signing in by "+signIn, func(t *testing.T) {
			p := admit(t, "", signIn, asApp)
			p.options.Negative = true
			r := doctor.Examine(t.Context(), p.deps, p.options)
			if got := symptoms(r); len(got) > 0 || r.Failed() {
				t.Errorf("not green: %v\n%s", got, dump(r))
			}
			for _, c := range r.Checks {
				if c.Verdict != result.Pass && !slices.Contains([]string{"dns.client", "dns.autodiscover", "dns.srv", "dns.rootweb", "graph.scope", "limits.url", "limits.throttle"}, c.ID) {
					t.Errorf("%s %s: %s %s", c.Path, c.ID, c.Verdict, c.Evidence)
				}
			}
			if want := []doctor.Ready{{Mailbox: p.deps.Profile.Mailboxes.List[0].Name, Path: "cloud + onprem-rest + onprem-ews"}}; fmt.Sprint(r.Ready) != fmt.Sprint(want) {
				t.Errorf("ready: %v, want %v", r.Ready, want)
			}
		})
	}
}

func TestEachMisconfigurationTurnsItsOwnCheckRed(t *testing.T) {
	for _, m := range lab.Misconfigurations() {
		t.Run(m.ID+": it shows where "+m.About, func(t *testing.T) {
			want, known := signs[m.ID]
			if !known {
				t.Fatal("no check for this switch")
			}
			onPrem := asUser
			if other, ok := withSignIn[m.ID]; ok {
				onPrem = other
			}
			p := admit(t, m.ID, onPrem, asApp)
			r := doctor.Examine(t.Context(), p.deps, p.options)
			if got := symptoms(r); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v\n%s", got, want, dump(r))
			}
			for _, c := range r.Checks {
				if c.Verdict == result.Fail && (c.Cause == "" || c.Remedy == "" || c.Source == "") {
					t.Errorf("%s lacks cause, remedy or source", c.ID)
				}
				if c.Verdict == result.Skip && !strings.HasPrefix(c.Evidence, "not probed because ") {
					t.Errorf("%s: %s", c.ID, c.Evidence)
				}
			}
		})
	}
}
