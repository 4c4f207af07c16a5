package doctor

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"cutover/harness/auth"
	"cutover/harness/token"
	"cutover/profiles"
)

const sourceEntra = "Microsoft: error codes and token claims of Entra ID (documented)"

// signInChecks are about the token service and what it issues.
func signInChecks() []Check {
	return []Check{
		{ID: "sts.metadata", Title: "the token service describes itself consistently", Blocks: blocksSignIn, Vantage: "any", applies: entra,
			Cause:  "the authority is wrong, or something between rewrites it: sign-in libraries refuse an issuer of another host",
			Remedy: "correct tenant or authority in the path's auth block; look for a proxy that answers in the token service's place", Source: sourceEntra, run: (*exam).metadata},
		{ID: "sts.realm", Title: "the user's domain belongs to the tenant", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"sts.metadata"}, applies: both(entra, delegated),
			Cause: "the domain of the sign-in name is not verified in the tenant", Remedy: "correct the mailbox's sign-in name (PATH_upn), or verify the domain in the tenant", Source: sourceEntra, run: (*exam).realm},
		{ID: "auth.token", Title: "the sign-in brings a credential", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"sts.metadata"}, applies: signsIn,
			Cause: "the token service refused", Remedy: "check the auth block of the path", Source: sourceEntra, run: (*exam).acquire},
		{ID: "token.audience", Title: "the token is meant for this service", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token"}, applies: bearer,
			Cause:  "the token names another service: this one refuses it (2000003)",
			Remedy: "take resource out of the auth block, or set it to the service's own address; register the namespace as a service principal name of Exchange in Entra", Source: "x-ms-diagnostics 2000003 (documented)", run: (*exam).audience},
		{ID: "token.kind", Title: "the service takes this kind of token", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token", "token.audience"}, applies: bearer,
			Cause:  "the kind is not in the directory's list (2000001), or an application alone has no rights there (2000008)",
			Remedy: "let a user sign in (user, device or browser in the auth block): applications alone do not reach mailboxes on premises", Source: "captured lists of Exchange 2016 CU22 and 2019 CU11", run: (*exam).kind},
		{ID: "token.tenant", Title: "the token is of the profile's tenant", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token"}, applies: bearer,
			Cause: "the sign-in went to another tenant (2000004)", Remedy: "correct tenant in the auth block", Source: "x-ms-diagnostics 2000004 (documented)", run: (*exam).tenant},
		{ID: "token.time", Title: "the token is valid now", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token"}, applies: bearer,
			Cause: "a clock is wrong, or a given token has ended (2000002)", Remedy: "compare this machine's clock with a time server; fetch a new token", Source: "x-ms-diagnostics 2000002 (documented)", run: (*exam).lifetime},
		{ID: "token.perms", Title: "the token may read mail, calendars and contacts", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token"}, applies: bearer,
			Cause:  "the application has not been given the permissions, or nobody consented",
			Remedy: "add Mail.Read, Calendars.Read and Contacts.Read to the application (application permissions for a secret or certificate, delegated ones for users) and have an administrator consent", Source: sourceEntra, run: (*exam).permissions},
		{ID: "token.excess", Title: "the token may not do more than a test needs", Blocks: blocksSignIn, Vantage: "any", Needs: []string{"auth.token"}, applies: bearer, harmless: true,
			Cause:  "the application holds rights over the directory or every mailbox that no suite uses",
			Remedy: "take them away from the application: a test's credential lies on a test machine", Source: "least privilege", run: (*exam).excess},
	}
}

func delegated(e *exam) bool { return e.path.Delegated() }

func signsIn(e *exam) bool { return e.path.Auth.Kind != "" && e.path.Auth.Kind != "none" }

// authority is the token service of the path, with its tenant.
func (e *exam) authority() string {
	if services := auth.Services(e.path); len(services) > 0 {
		return strings.TrimSuffix(services[0], "/")
	}
	return ""
}

func (e *exam) metadata() finding {
	at := e.authority()
	call := e.ask(at + "/v2.0/.well-known/openid-configuration")
	if call.Failure != nil {
		return silent(call.Failure)
	}
	var doc struct {
		Issuer string `json:"issuer"`
		Token  string `json:"token_endpoint"`
	}
	if call.Response.Status != http.StatusOK || json.Unmarshal(call.Response.Body, &doc) != nil || doc.Token == "" {
		return fail("%d, and no description of a token service", call.Response.Status)
	}
	here, err := url.Parse(at)
	issuer, err2 := url.Parse(doc.Issuer)
	switch {
	case err != nil || err2 != nil || issuer.Host == "":
		return fail("the issuer %q is no address", doc.Issuer)
	case strings.EqualFold(here.Host, issuer.Host), microsoft(here.Hostname()) && microsoft(issuer.Hostname()):
		return pass("issuer %s", doc.Issuer)
	}
	return fail("the issuer is %s, the authority %s", issuer.Host, here.Host)
}

// microsoft tells whether a host is one of Microsoft's sign-in hosts, which
// name each other.
func microsoft(host string) bool {
	return slices.Contains(loginHosts, host) || host == "sts.windows.net" || host == "login.microsoft.com"
}

func (e *exam) realm() finding {
	upn := e.first().Address[e.path.Name].Account()
	if !strings.Contains(upn, "@") {
		return skip("the sign-in name %q has no domain", upn)
	}
	u, err := url.Parse(e.authority())
	if err != nil {
		return skip("the authority cannot be read")
	}
	call := e.ask(u.Scheme + "://" + u.Host + "/common/UserRealm/" + url.PathEscape(upn) + "?api-version=1.0")
	if call.Failure != nil {
		return silent(call.Failure)
	}
	var doc struct {
		Type   string `json:"account_type"`
		Domain string `json:"domain_name"`
	}
	if json.Unmarshal(call.Response.Body, &doc) != nil {
		return warn("%d, and no realm", call.Response.Status)
	}
	switch doc.Type {
	case "Managed":
		return pass("%s is managed by the tenant", doc.Domain)
	case "Federated":
		return warn("%s is federated", doc.Domain).because("a password travels through the organisation's own sign-in service, which the tool does not follow", "sign in by device code or browser")
	}
	return fail("%s is not known to any tenant", orElse(doc.Domain, "the domain"))
}

// signedIn is what one sign-in brought.
type signedIn struct {
	header string
	err    error
	claims claims
	jwt    bool
}

// claims are the parts of a token that checks look at. It is read and not
// verified: that is the server's business.
type claims struct {
	Tid   string          `json:"tid"`
	Scp   string          `json:"scp"`
	Roles []string        `json:"roles"`
	Exp   int64           `json:"exp"`
	Nbf   int64           `json:"nbf"`
	Aud   json.RawMessage `json:"aud"`
}

// token signs in once per mailbox.
func (e *exam) token(m profiles.Mailbox) *signedIn {
	if s, ok := e.tokens[m.Name]; ok {
		return s
	}
	s := &signedIn{}
	e.tokens[m.Name] = s
	source := e.d.Auth[e.path.Name]
	if source == nil {
		s.err = errors.New("the path cannot sign in here")
		return s
	}
	if s.header, s.err = source.Authorization(e.ctx, m); s.err != nil {
		return s
	}
	if raw, ok := strings.CutPrefix(s.header, "Bearer "); ok {
		if parts := strings.Split(raw, "."); len(parts) == 3 {
			payload, err := base64.RawURLEncoding.DecodeString(parts[1])
			s.jwt = err == nil && json.Unmarshal(payload, &s.claims) == nil
		}
	}
	return s
}

func (e *exam) acquire() finding {
	s := e.token(e.first())
	return e.acquired(s)
}

func (e *exam) acquired(s *signedIn) finding {
	var refused *auth.Error
	switch {
	case errors.As(s.err, &refused):
		what := strings.TrimSpace(refused.Code + " " + orElse(refused.What, string(refused.Reason)))
		return fail("%s", what).because(refused.What, refused.Remedy)
	case s.err != nil:
		return fail("%v", s.err)
	case s.header == "" && e.path.Auth.Kind == "ntlm":
		return pass("NTLM signs in on the connection itself")
	}
	return pass("a credential of kind %s", e.path.Auth.Kind)
}

// readable tells whether there is a token that checks can look into.
func (e *exam) readable() (*signedIn, finding, bool) {
	s := e.token(e.first())
	if !s.jwt {
		return nil, skip("the token is not a readable one (no JWT)"), false
	}
	return s, finding{}, true
}

// explained is the token autopsy's report.
func (e *exam) explained(s *signedIn) (token.Token, bool) {
	r, err := token.Explain(s.header, token.Options{Now: e.d.Clock.Now(), Hosts: []string{e.url.Hostname(), e.url.Host}})
	if err != nil || len(r.Tokens) == 0 {
		return token.Token{}, false
	}
	return r.Tokens[0], true
}

// service is what the autopsy calls the path's service.
func (e *exam) service() string {
	if onPrem(e) {
		return "/api"
	}
	return "Graph"
}

func (e *exam) predicted(s *signedIn) (token.Prediction, token.Kind, bool) {
	t, ok := e.explained(s)
	if !ok {
		return token.Prediction{}, "", false
	}
	for _, p := range t.Predictions {
		if p.Service == e.service() {
			return p, t.Kind, true
		}
	}
	return token.Prediction{}, t.Kind, false
}

func (e *exam) audience() finding {
	s, f, ok := e.readable()
	if !ok {
		return f
	}
	p, _, ok := e.predicted(s)
	aud := strings.Trim(string(s.claims.Aud), `"[]`)
	if ok && p.Verdict == token.Rejected && (p.Code == 2000003 || cloud(e) && p.Code == 0) {
		return fail("audience %s: %s", aud, p.Why)
	}
	return pass("audience %s", aud)
}

func (e *exam) kind() finding {
	s, f, ok := e.readable()
	if !ok {
		return f
	}
	p, kind, ok := e.predicted(s)
	switch {
	case !ok:
		return skip("nothing is known of tokens for this service")
	case p.Code == 2000001 && p.Verdict == token.Rejected:
		return fail("%s: %s", kind, p.Why)
	case p.Verdict == token.Doubtful:
		return warn("%s: %s", kind, p.Why)
	}
	return pass("%s", kind)
}

func (e *exam) tenant() finding {
	s, f, ok := e.readable()
	switch {
	case !ok:
		return f
	case e.o.Tenant == "":
		return skip("the profile does not say the tenant's id")
	case !strings.EqualFold(s.claims.Tid, e.o.Tenant):
		return fail("the token is of tenant %s, the profile's is %s", orElse(s.claims.Tid, "unknown"), e.o.Tenant)
	}
	return pass("%s", e.o.Tenant)
}

func (e *exam) lifetime() finding {
	s, f, ok := e.readable()
	if !ok {
		return f
	}
	now := e.d.Clock.Now()
	switch from, to := time.Unix(s.claims.Nbf, 0), time.Unix(s.claims.Exp, 0); {
	case s.claims.Exp == 0:
		return warn("it does not say when it ends")
	case now.After(to):
		return fail("it ended %s ago", now.Sub(to).Round(time.Second))
	case now.Add(skew).Before(from):
		return fail("it begins in %s", from.Sub(now).Round(time.Second))
	case e.path.Auth.Kind == "token" && to.Sub(now) < 10*time.Minute:
		return warn("it ends in %s, and a given token cannot be renewed", to.Sub(now).Round(time.Second))
	}
	return pass("valid for %s more", minutes(time.Unix(s.claims.Exp, 0).Sub(now)))
}

// minutes prints a length without seconds: 1h, 59m, 1h30m.
func minutes(d time.Duration) string {
	d = d.Round(time.Minute)
	switch hours, rest := d/time.Hour, d%time.Hour/time.Minute; {
	case d <= 0:
		return "less than a minute"
	case hours == 0:
		return fmt.Sprintf("%dm", rest)
	case rest == 0:
		return fmt.Sprintf("%dh", hours)
	default:
		return fmt.Sprintf("%dh%dm", hours, rest)
	}
}

// everything are permissions that include mail, calendars and contacts on premises.
var everything = []string{"EWS.AccessAsUser.All", "full_access_as_app", "full_access_as_user", "user_impersonation"}

// granted are the permissions of a token, whatever the claim.
func (s *signedIn) granted() []string {
	if s.claims.Scp != "" {
		return strings.Fields(s.claims.Scp)
	}
	return s.claims.Roles
}

func (e *exam) permissions() finding {
	s, f, ok := e.readable()
	if !ok {
		return f
	}
	have := s.granted()
	if len(have) == 0 {
		return fail("the token carries neither scp nor roles")
	}
	if onPrem(e) && slices.ContainsFunc(have, func(p string) bool { return slices.Contains(everything, p) }) {
		return pass("%s", strings.Join(have, " "))
	}
	var missing []string
	for _, area := range []string{"Mail", "Calendars", "Contacts"} {
		if !slices.ContainsFunc(have, func(p string) bool { return strings.HasPrefix(p, area+".Read") }) {
			missing = append(missing, area+".Read")
		}
	}
	switch {
	case len(missing) == 3:
		return fail("none of %s among %s", strings.Join(missing, ", "), strings.Join(have, " "))
	case len(missing) > 0:
		return warn("%s is missing: suites that ask for it fail with 403", strings.Join(missing, ", "))
	}
	return pass("%s", strings.Join(have, " "))
}

// tooMuch are the beginnings of permissions that no suite needs.
var tooMuch = []string{"Directory.ReadWrite", "RoleManagement.", "Application.ReadWrite", "AppRoleAssignment.", "Sites.FullControl", "Files.ReadWrite.All", "User.ReadWrite.All", "Group.ReadWrite.All"}

func (e *exam) excess() finding {
	s, f, ok := e.readable()
	if !ok {
		return f
	}
	over := slices.DeleteFunc(slices.Clone(s.granted()), func(p string) bool {
		return !slices.ContainsFunc(tooMuch, func(t string) bool { return strings.HasPrefix(p, t) })
	})
	if len(over) > 0 {
		return warn("%s", strings.Join(over, " "))
	}
	return pass("%s", fmt.Sprintf("%d permissions, none over the directory", len(s.granted())))
}
