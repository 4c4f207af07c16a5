package doctor

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cutover/harness/wire"
)

const sourceChallenge = "captured challenges of Exchange 2016 and 2019; Microsoft: configure OAuth in hybrid deployments (documented)"

// Ids of Microsoft's applications, as challenges name them.
const (
	exchangeApp = "00000002-0000-0ff1-ce00-000000000000"
	serviceApp  = "00000001-0000-0000-c000-000000000000" // the token service
)

// oauthChecks are about what the servers say of modern sign-in.
func oauthChecks() []Check {
	api := []string{"vdir.api"}
	return []Check{
		{ID: "oauth.challenge", Title: "the REST directory offers OAuth", Blocks: blocksOAuth, Vantage: "internet", Needs: api, applies: onPrem,
			Cause:  "OAuth is switched off for the virtual directories, or another device answers",
			Remedy: "run the Hybrid Configuration Wizard; Get-WebServicesVirtualDirectory | fl *auth* shows OAuthAuthentication; Set-WebServicesVirtualDirectory -OAuthAuthentication $true",
			Source: sourceChallenge, run: (*exam).oauthChallenge},
		{ID: "oauth.issuer", Title: "the servers trust the profile's tenant", Blocks: blocksOAuth, Vantage: "internet", Needs: []string{"vdir.api", "oauth.challenge"}, applies: onPrem,
			Cause:  "the authorization server that Exchange trusts belongs to another tenant, or the wizard was never run",
			Remedy: "Get-AuthServer | fl Name,Realm,IssuerIdentifier,Enabled; run the Hybrid Configuration Wizard against the right tenant", Source: sourceChallenge, run: (*exam).issuer},
		{ID: "oauth.authuri", Title: "the challenge names where users sign in", Blocks: blocksOAuth, Vantage: "internet", Needs: []string{"vdir.api", "oauth.challenge"}, applies: onPrem,
			Cause:  "no authorization server is the default, so clients are not told where to fetch a token",
			Remedy: "Set-AuthServer EvoSTS -IsDefaultAuthorizationEndpoint $true; Set-OrganizationConfig -OAuth2ClientProfileEnabled $true", Source: sourceChallenge, harmless: true, run: (*exam).authURI},
		{ID: "oauth.types", Title: "the challenge lists the kinds of tokens", Blocks: blocksOAuth, Vantage: "internet", Needs: []string{"vdir.api", "oauth.challenge"}, applies: onPrem,
			Cause: "another device answers in Exchange's place", Remedy: "look which device answers on /api", Source: sourceChallenge, harmless: true, run: (*exam).tokenTypes},
		{ID: "auth.offered", Title: "the sign-in that the profile uses is offered", Blocks: blocksSignIn, Vantage: "any", Needs: api, applies: both(onPrem, account),
			Cause:  "Basic or Windows authentication is off for this virtual directory",
			Remedy: "switch it on for the directory in IIS, or use another auth block in the profile; modern sign-in is the lasting way", Source: "observed in the challenge", run: (*exam).offered},
		{ID: "oauth.negative", Title: "tokens that are forged, tampered with, expired or meant for others are refused", Blocks: blocksOAuth, Vantage: "internet", Needs: []string{"vdir.api", "oauth.challenge"}, applies: onPrem, harmless: true,
			Cause:  "something in front signs requests in instead of Exchange, or nobody checks tokens",
			Remedy: "look which device answers on /api, and take it out of the way of tokens", Source: "x-ms-diagnostics 2000000 to 2000003 (documented)", run: (*exam).negative},
	}
}

// challenge is one Bearer challenge, by parameter.
type challenge map[string]string

var parameter = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// bearerOf reads the Bearer challenge out of WWW-Authenticate, which may stand
// in several headers or in one.
func bearerOf(values []string) (challenge, bool) {
	for _, v := range values {
		i := strings.Index(strings.ToLower(v), "bearer")
		if i < 0 {
			continue
		}
		c := challenge{}
		for _, p := range parameter.FindAllStringSubmatch(v[i:], -1) {
			if _, twice := c[p[1]]; !twice {
				c[p[1]] = p[2]
			}
		}
		return c, true
	}
	return nil, false
}

// asking are the 401 answers of the REST directory.
func (e *exam) asking() []*wire.Call {
	return slices.DeleteFunc(slices.Clone(e.apiAnswers()), func(c *wire.Call) bool {
		return c.Failure != nil || c.Response.Status != http.StatusUnauthorized
	})
}

// challenges are the Bearer challenges of all servers seen.
func (e *exam) challenges() (all []challenge) {
	for _, c := range e.asking() {
		if b, ok := bearerOf(c.Response.Header.Values("WWW-Authenticate")); ok {
			all = append(all, b)
		}
	}
	return all
}

// said is the first server's challenge.
func (e *exam) said() (challenge, bool) {
	all := e.challenges()
	if len(all) == 0 {
		return nil, false
	}
	return all[0], true
}

var noChallenge = skip("no challenge was seen")

func (e *exam) oauthChallenge() finding {
	asking, bearers := e.asking(), e.challenges()
	if len(asking) == 0 {
		return noChallenge
	}
	if len(bearers) < len(asking) {
		return fail("%d of %d challenges have no Bearer: %s", len(asking)-len(bearers), len(asking), schemes(asking))
	}
	for _, b := range bearers {
		if !strings.EqualFold(b["client_id"], exchangeApp) {
			return fail("the challenge names the application %s", orElse(b["client_id"], "nothing"))
		}
	}
	return pass("Bearer for %s", exchangeApp)
}

// schemes are the kinds of sign-in that answers offer.
func schemes(calls []*wire.Call) string {
	var all []string
	for _, c := range calls {
		for _, v := range c.Response.Header.Values("WWW-Authenticate") {
			if scheme, _, _ := strings.Cut(v, " "); !slices.Contains(all, scheme) {
				all = append(all, scheme)
			}
		}
	}
	return orElse(strings.Join(all, ", "), "none")
}

func (e *exam) issuer() finding {
	c, ok := e.said()
	if !ok {
		return noChallenge
	}
	trusted := c["trusted_issuers"]
	if trusted == "" {
		return fail("the challenge has no trusted_issuers")
	}
	for issuer := range strings.SplitSeq(trusted, ",") {
		app, realm, _ := strings.Cut(strings.TrimSpace(issuer), "@")
		if !strings.EqualFold(app, serviceApp) {
			continue
		}
		switch {
		case e.o.Tenant == "":
			return pass("trusts the token service of %s (the profile does not say which tenant's id is expected)", realm)
		case realm == "*", strings.EqualFold(realm, e.o.Tenant):
			return pass("trusts the token service of the tenant")
		}
		return fail("trusts tenant %s, the profile's is %s", realm, e.o.Tenant)
	}
	return fail("the token service is not among %s", trusted)
}

// loginHosts are the sign-in hosts of Microsoft's clouds.
var loginHosts = []string{"login.windows.net", "login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}

func (e *exam) authURI() finding {
	c, ok := e.said()
	if !ok {
		return noChallenge
	}
	uri := c["authorization_uri"]
	if uri == "" {
		return fail("the challenge has no authorization_uri")
	}
	if !slices.ContainsFunc(loginHosts, func(h string) bool { return strings.HasPrefix(uri, "https://"+h+"/") }) {
		return warn("users are sent to %s, which is none of Microsoft's sign-in hosts", place(uri)).because("the organisation signs in with AD FS, or the setting is wrong", "compare with Get-AuthServer | fl AuthorizationEndpoint")
	}
	return pass("%s", uri)
}

func (e *exam) tokenTypes() finding {
	c, ok := e.said()
	if !ok {
		return noChallenge
	}
	types := c["token_types"]
	if !strings.Contains(types, "app_asserted_user_v1") {
		return warn("token_types is %q", types)
	}
	return pass("%s", types)
}

func (e *exam) offered() finding {
	want := map[string]string{"basic": "Basic", "ntlm": "NTLM"}[e.path.Auth.Kind]
	have := schemes(e.asking())
	if !strings.Contains(have, want) && !(want == "NTLM" && strings.Contains(have, "Negotiate")) {
		return fail("the servers offer %s, the profile signs in with %s", have, want)
	}
	return pass("%s", have)
}

func (e *exam) negative() finding {
	if !e.o.Negative {
		return skip("it was not asked for (--negative)")
	}
	at := strings.TrimSuffix(e.path.URL, "/") + "/me"
	doer := e.d.Anonymous(at)
	if doer == nil {
		return silent(nil)
	}
	var said []string
	for _, t := range e.wrongTokens() {
		call := &wire.Call{}
		doer.Do(e.ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodGet, URL: at, Authorization: "Bearer " + t.token, Template: "GET (" + t.name + " token)"}, call)
		switch {
		case call.Failure != nil:
			return silent(call.Failure)
		case call.Response.Status == http.StatusUnauthorized:
			said = append(said, strings.TrimSpace(t.name+": 401 "+diagnosticCode(call)))
		case call.Response.Status < 300:
			return fail("%d to %s", call.Response.Status, t.what)
		default:
			return warn("%d to %s, where 401 was expected", call.Response.Status, t.what)
		}
	}
	return pass("%s", strings.Join(said, ", "))
}

// diagnosticCode is the number of x-ms-diagnostics, "" when there is none.
func diagnosticCode(call *wire.Call) string {
	code, _, _ := strings.Cut(call.Response.Header.Value("x-ms-diagnostics"), ";")
	return strings.TrimSpace(code)
}
