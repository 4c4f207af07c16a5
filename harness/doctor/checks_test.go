package doctor_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/auth"
	"cutover/harness/doctor"
	"cutover/harness/guard"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
)

var update = flag.Bool("update", false, "write docs/doctor.md anew")

// row spoils a world in one way and says what one check makes of it.
type row struct {
	name     string
	spoil    func(*world)
	path, id string
	verdict  result.Verdict
	evidence string
}

func (r row) check(t *testing.T, overTLS bool) {
	t.Helper()
	w := newWorld(t)
	w.overTLS = overTLS
	r.spoil(w)
	report := w.examine(t.Context())
	for _, c := range report.Checks {
		if c.Path == r.path && c.ID == r.id {
			if c.Verdict != r.verdict || !strings.Contains(c.Evidence, r.evidence) {
				t.Errorf("got %s %q, want %s %q", c.Verdict, c.Evidence, r.verdict, r.evidence)
			}
			return
		}
	}
	t.Errorf("the check did not run\n%s", dump(report))
}

func nothing(*world) {}

func answer(part string, a func(*wire.Request) wire.Response) func(*world) {
	return func(w *world) { w.answers[part] = a }
}

// gone ends the connection.
func gone(*wire.Request) wire.Response { return wire.Response{} }

func claim(path, name string, value any) func(*world) {
	return func(w *world) { w.claims[path][name] = value }
}

// inbox answers the signed request.
func inbox(code int, text, message string, fields ...string) func(*world) {
	return answer("ailFolders/inbox", status(code, `{"error":{"code":"`+text+`","message":"`+message+`"}}`, fields...))
}

func TestTheFixedWorldIsGreen(t *testing.T) {
	w := newWorld(t)
	w.options.Negative = true
	w.answers["/api/v2.0/me"] = func(req *wire.Request) wire.Response { return w.healthy(req) }
	if got := symptoms(w.examine(t.Context())); len(got) > 0 {
		t.Errorf("not green: %v", got)
	}
}

func TestNetworkChecks(t *testing.T) {
	shaking := func(err error) func(*world) { return func(w *world) { w.shaking = err } }
	for _, r := range []row{
		{"the namespace has no record: it fails", func(w *world) { delete(w.names, "mail.contoso.test") }, "onprem", "dns.client", result.Fail, "no address"},
		{"the namespace resolves: it tells the addresses", nothing, "onprem", "dns.client", result.Pass, "192.0.2.1"},
		{"autodiscover resolves: it tells the addresses", nothing, "onprem", "dns.autodiscover", result.Pass, "192.0.2.1"},
		{"autodiscover has no record: it fails", func(w *world) { delete(w.names, "autodiscover.contoso.test") }, "onprem", "dns.autodiscover", result.Fail, "no address"},
		{"the consent does not name autodiscover: it is not looked up", func(w *world) { w.lookup = &guard.Refusal{Rule: "target"} }, "onprem", "dns.autodiscover", result.Skip, "consent"},
		{"no mailbox has an address: it is not looked up", func(w *world) { w.options.Mailboxes = []profiles.Mailbox{{Name: "x"}} }, "onprem", "dns.autodiscover", result.Skip, "no mailbox"},
		{"autodiscover is the cloud's alias: it warns", func(w *world) {
			w.cname = map[string]string{"autodiscover.contoso.test": "autodiscover.outlook.com."}
		}, "onprem", "dns.autodiscover", result.Warn, "alias"},
		{"a connection is refused: it fails", shaking(&wire.Failure{Kind: wire.Connect, Err: errors.New("refused")}), "onprem", "net.reach", result.Fail, "connect: refused"},
		{"the name is unknown: it says so", shaking(&wire.Failure{Kind: wire.DNS}), "onprem", "net.reach", result.Fail, "does not resolve"},
		{"packets are dropped: it says so", shaking(&wire.Failure{Kind: wire.Timeout}), "onprem", "net.reach", result.Fail, "in time"},
		{"a rule forbids it: it is not probed", shaking(&wire.Failure{Kind: wire.Refused}), "onprem", "net.reach", result.Skip, "safety rule"},
		{"a rule forbids it: no certificate was seen", shaking(&wire.Failure{Kind: wire.Refused}), "onprem", "tls.san", result.Skip, "no certificate"},
		{"a rule forbids it: no version was agreed", shaking(&wire.Failure{Kind: wire.Refused}), "onprem", "tls.version", result.Skip, "no handshake"},
		{"something else goes wrong: it tells", shaking(errors.New("odd")), "onprem", "net.reach", result.Fail, "odd"},
		{"the certificate is not trusted: it names the issuer", nothing, "onprem", "tls.chain", result.Fail, "Public CA"},
		{"the certificate signed itself: it says so", func(w *world) { w.chain[0].Issuer = w.chain[0].Subject }, "onprem", "tls.chain", result.Fail, "self-signed"},
		{"the certificate is for the namespace: it passes", nothing, "onprem", "tls.san", result.Pass, "mail.contoso.test"},
		{"the certificate ends within 60 days: it warns", func(w *world) { w.chain[0].NotAfter = w.now.Add(59 * 24 * time.Hour) }, "onprem", "tls.expiry", result.Warn, "59 days"},
		{"the certificate has not begun: it fails", func(w *world) { w.chain[0].NotBefore = w.now.Add(time.Hour) }, "onprem", "tls.expiry", result.Fail, "begins"},
		{"an old version is agreed: it fails", func(w *world) { w.version = tls.VersionTLS11 }, "onprem", "tls.version", result.Fail, "TLS 1.1"},
		{"TLS 1.2 is agreed: it passes", nothing, "onprem", "tls.version", result.Pass, "TLS 1.2 was agreed"},
		{"TLS 1.3 is agreed: 1.2 has to work too", func(w *world) { w.version = tls.VersionTLS13 }, "onprem", "tls.version", result.Pass, "TLS 1.3 was agreed, and 1.2 works"},
		{"TLS 1.3 alone is spoken: it fails on premises", onlyTLS13, "onprem", "tls.version", result.Fail, "TLS 1.2 was refused"},
		{"TLS 1.3 alone is spoken: nobody minds in the cloud", onlyTLS13, "cloud", "tls.version", result.Pass, "TLS 1.3 was agreed"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, true) })
	}
}

func TestServerChecks(t *testing.T) {
	date := func(off time.Duration) func(*world) {
		return func(w *world) {
			w.answers["contoso.test/"] = func(req *wire.Request) wire.Response {
				if !strings.HasSuffix(req.URL, "test/") {
					return w.healthy(req)
				}
				return status(404, "", "Date", w.now.Add(off).Format("Mon, 02 Jan 2006 15:04:05 GMT"))(req)
			}
		}
	}
	const ews, api = "/EWS/Exchange.asmx", "/api/v2.0/me"
	challenged := func(bearer string) func(*world) {
		return answer(api, unauthorized("WWW-Authenticate", bearer))
	}
	for _, r := range []row{
		{"TLS cannot be looked at: it says so", nothing, "onprem", "tls.old", result.Skip, "cannot be looked at"},
		{"nothing answers: it fails", answer("contoso.test/", gone), "onprem", "net.reach", result.Fail, "reset"},
		{"a clock is two minutes behind: it warns", date(-2 * time.Minute), "onprem", "net.clock", result.Warn, "2m0s behind"},
		{"a clock is half a minute ahead: it passes", date(30 * time.Second), "onprem", "net.clock", result.Pass, "30s ahead"},
		{"an answer has no date: it is not probed", answer("test/", status(404, "")), "onprem", "net.clock", result.Skip, "no date"},
		{"the service ends the connection: it fails", answer(ews, gone), "onprem", "front.preauth", result.Fail, "reset"},
		{"a page is served without a sign-in: it fails", answer(ews, status(200, "<html>")), "onprem", "front.preauth", result.Fail, "200 without"},
		{"a gateway sets its cookie: it warns", answer(ews, unauthorized("Set-Cookie", "MRHSession=secret; path=/")), "onprem", "front.preauth", result.Warn, "MRHSession"},
		{"a redirect cannot be read: it does not print it", answer(ews, status(302, "", "Location", "https://x/\x7f")), "onprem", "front.preauth", result.Fail, "cannot be read"},
		{"servers cannot be told apart: it warns", answer(ews, status(401, "")), "onprem", "front.iis", result.Warn, "X-FEServer"},
		{"no build is told: 2013 is not probed", answer(ews, unauthorized()), "onprem", "array.2013", result.Skip, "no build"},
		{"no build is told: builds are not probed", answer(ews, unauthorized()), "onprem", "array.builds", result.Skip, "no build"},
		{"a health page ends the connection: it fails", answer("mapi/healthcheck.htm", gone), "onprem", "vdir.health", result.Fail, "mapi reset (4 of 4)"},
		{"the health page of the REST directory is gone: it fails", answer("test/api/healthcheck.htm", status(503, "")), "onprem", "api.health", result.Fail, "503"},
		{"the REST directory answers anybody: it fails", answer(api, status(200, "{}")), "onprem", "vdir.api", result.Fail, "200 without"},
		{"the REST directory ends the connection: it fails", answer(api, gone), "onprem", "vdir.api", result.Fail, "reset"},
		{"the REST directory is down everywhere: it fails", answer(api, status(503, "")), "onprem", "vdir.api", result.Fail, "503"},
		{"some servers lack the REST directory: it fails", flapping(api, status(404, "")), "onprem", "array.mixed404", result.Fail, "404 to 3 of 6"},
		{"the challenge names another application: it fails", challenged(`Bearer client_id="x"`), "onprem", "oauth.challenge", result.Fail, "application x"},
		{"the challenge trusts nobody: it fails", challenged(`Bearer client_id="00000002-0000-0ff1-ce00-000000000000"`), "onprem", "oauth.issuer", result.Fail, "no trusted_issuers"},
		{"the token service is not trusted: it fails", challenged(`Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="y@z"`), "onprem", "oauth.issuer", result.Fail, "not among y@z"},
		{"every tenant is trusted: it passes", challenged(strings.ReplaceAll(bearerChallenge, "@"+tenantID, "@*")), "onprem", "oauth.issuer", result.Pass, "tenant"},
		{"the tenant is not known: it tells the realm", func(w *world) { w.options.Tenant = "" }, "onprem", "oauth.issuer", result.Pass, tenantID},
		{"users are sent to AD FS: it warns", challenged(strings.ReplaceAll(bearerChallenge, "login.windows.net", "adfs.contoso.test")), "onprem", "oauth.authuri", result.Warn, "adfs.contoso.test"},
		{"the kinds of tokens are missing: it warns", challenged(strings.ReplaceAll(bearerChallenge, "app_asserted_user_v1", "x")), "onprem", "oauth.types", result.Warn, "token_types"},
		{"several challenges stand in one header: it reads them", challenged("Negotiate, " + bearerChallenge), "onprem", "oauth.challenge", result.Pass, "Bearer"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

// flapping answers every second request differently.
func flapping(part string, other func(*wire.Request) wire.Response) func(*world) {
	n := 0
	return func(w *world) {
		w.answers[part] = func(req *wire.Request) wire.Response {
			if n++; n%2 == 0 {
				return other(req)
			}
			return w.healthy(req)
		}
	}
}

func TestDiscoveryChecks(t *testing.T) {
	const document = "autodiscover.json"
	for _, r := range []row{
		{"the on-premises end is not known: it is not asked", func(w *world) { w.options.OnPremEnd = "" }, "onprem", "autod.json", result.Skip, "not known"},
		{"nobody may ask it: it is not asked", func(w *world) { w.refused = document }, "onprem", "autod.json", result.Skip, "safety rule"},
		{"one form is missing: it fails", answer("json/v1.0", status(404, "")), "onprem", "autod.json", result.Fail, "/v1.0/ADDRESS"},
		{"the other form is missing: it fails", answer("json?Email", status(404, "")), "onprem", "autod.json", result.Fail, "?Email="},
		{"the cloud end is not known: it is not compared", func(w *world) { w.options.CloudEnd = "" }, "onprem", "autod.agree", result.Skip, "not known"},
		{"nobody may ask the cloud end: it is not compared", func(w *world) { w.refused = "office365" }, "onprem", "autod.agree", result.Skip, "safety rule"},
		{"the cloud end does not know the address: it fails", answer("office365", status(404, `{"ErrorCode":"UserNotFound"}`)), "onprem", "autod.agree", result.Fail, "UserNotFound"},
		{"the cloud end claims it too: it fails", answer("office365", status(200, `{"Url":"https://outlook.office365.com/x"}`)), "onprem", "autod.agree", result.Fail, "cloud"},
		{"the on-premises end sends to the cloud: it fails", func(w *world) {
			w.answers["mail.contoso.test/autodiscover/autodiscover.json"] = status(302, "", "Location", "https://outlook.office365.com/autodiscover/autodiscover.json?Email=cloud.contoso")
		}, "onprem", "autod.agree", result.Fail, "in the cloud"},
		{"the endpoint names no host: it fails", answer("mail.contoso.test/autodiscover/autodiscover.json", status(200, `{"Url":"/EWS"}`)), "onprem", "autod.url", result.Fail, "no host"},
		{"the cloud end knows the twin: it passes", nothing, "cloud", "autod.cloud", result.Pass, "outlook.office365.com"},
		{"the cloud end is not known for the twin: it is not asked", func(w *world) { w.options.CloudEnd = "" }, "cloud", "autod.cloud", result.Skip, "not known"},
		{"the twin lives on premises: it fails", answer("office365", status(302, "", "Location", "https://mail.contoso.test/autodiscover/autodiscover.json?x")), "cloud", "autod.cloud", result.Fail, "on premises"},
		{"the twin is unknown: it fails", answer("office365", status(404, `{"ErrorCode":"UserNotFound"}`)), "cloud", "autod.cloud", result.Fail, "UserNotFound"},
		{"the cloud end is silent: it is not probed", answer("office365", gone), "cloud", "autod.cloud", result.Skip, "reset"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

func TestSignInChecks(t *testing.T) {
	now := newWorld(t).now.Unix()
	for _, r := range []row{
		{"the token service is silent: it fails", answer("openid-configuration", gone), "cloud", "sts.metadata", result.Fail, "reset"},
		{"it describes nothing: it fails", answer("openid-configuration", status(404, "")), "cloud", "sts.metadata", result.Fail, "404"},
		{"the issuer is no address: it fails", answer("openid-configuration", status(200, `{"issuer":"x","token_endpoint":"y"}`)), "cloud", "sts.metadata", result.Fail, "no address"},
		{"the issuer is another host: it fails", answer("openid-configuration", status(200, `{"issuer":"https://evil.test/","token_endpoint":"y"}`)), "cloud", "sts.metadata", result.Fail, "evil.test"},
		{"the domain is federated: it warns", answer("UserRealm", status(200, `{"account_type":"Federated","domain_name":"contoso.test"}`)), "onprem", "sts.realm", result.Warn, "federated"},
		{"the domain is unknown: it fails", answer("UserRealm", status(200, `{"account_type":"Unknown","domain_name":"contoso.test"}`)), "onprem", "sts.realm", result.Fail, "not known"},
		{"the realm is a page: it warns", answer("UserRealm", status(200, `<html>`)), "onprem", "sts.realm", result.Warn, "no realm"},
		{"the realm is silent: it fails", answer("UserRealm", gone), "onprem", "sts.realm", result.Fail, "reset"},
		{"the sign-in is refused: it tells the code", func(w *world) { w.signIn = &auth.Error{Reason: auth.Refused, Code: "AADSTS50126", What: "wrong"} }, "cloud", "auth.token", result.Fail, "AADSTS50126 wrong"},
		{"the sign-in breaks: it fails", func(w *world) { w.signIn = errors.New("broken") }, "cloud", "auth.token", result.Fail, "broken"},
		{"the token is opaque: nothing is read in it", func(w *world) { w.raw = "opaque" }, "cloud", "token.audience", result.Skip, "JWT"},
		{"the token is for another service: it fails", claim("cloud", "aud", "https://outlook.office365.com"), "cloud", "token.audience", result.Fail, "not meant for Graph"},
		{"the token is for the cloud: it fails on premises", claim("onprem", "aud", "https://graph.microsoft.com"), "onprem", "token.audience", result.Fail, "meant for Graph"},
		{"an application alone goes on premises: it warns", func(w *world) {
			delete(w.claims["onprem"], "scp")
			delete(w.claims["onprem"], "upn")
			w.claims["onprem"]["roles"], w.claims["onprem"]["idtyp"] = []string{"full_access_as_app"}, "app"
		}, "onprem", "token.kind", result.Warn, "V1AppOnly"},
		{"the format is the second: it fails on premises", func(w *world) {
			w.claims["onprem"]["ver"], w.claims["onprem"]["iss"] = "2.0", "https://login.microsoftonline.com/"+tenantID+"/v2.0"
		}, "onprem", "token.kind", result.Fail, "2.0"},
		{"the token is of another tenant: it fails", claim("cloud", "tid", "x"), "cloud", "token.tenant", result.Fail, "tenant x"},
		{"the tenant is not known: it is not compared", func(w *world) { w.options.Tenant = "" }, "cloud", "token.tenant", result.Skip, "tenant's id"},
		{"the token has ended: it fails", claim("cloud", "exp", now-60), "cloud", "token.time", result.Fail, "ended 1m0s ago"},
		{"the token begins later: it fails", claim("cloud", "nbf", now+3600), "cloud", "token.time", result.Fail, "begins in"},
		{"the token does not say when it ends: it warns", claim("cloud", "exp", 0), "cloud", "token.time", result.Warn, "does not say"},
		{"there is no permission: it fails", claim("cloud", "roles", nil), "cloud", "token.perms", result.Fail, "neither"},
		{"the permissions are others: it fails", claim("cloud", "roles", []string{"Files.Read"}), "cloud", "token.perms", result.Fail, "none of"},
		{"one permission is missing: it warns", claim("cloud", "roles", []string{"Mail.Read", "Contacts.Read"}), "cloud", "token.perms", result.Warn, "Calendars.Read"},
		{"the application may change the directory: it warns", claim("cloud", "roles", []string{"Mail.Read", "Directory.ReadWrite.All"}), "cloud", "token.excess", result.Warn, "Directory.ReadWrite.All"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

func TestMailboxChecks(t *testing.T) {
	for _, r := range []row{
		{"Exchange refuses the token: it tells the reason", inbox(401, "", "", "x-ms-diagnostics", `2000005;reason="no user";error_category="invalid_user"`), "onprem", "rest.mailbox", result.Fail, "401 2000005"},
		{"Exchange refuses without a reason: it says so", inbox(401, "", ""), "onprem", "rest.mailbox", result.Fail, "refused"},
		{"the account has no right: it says so", inbox(403, "ErrorAccessDenied", ""), "onprem", "rest.mailbox", result.Fail, "403 ErrorAccessDenied"},
		{"the mailbox is elsewhere: it says so", inbox(404, "ErrorNonExistentMailbox", ""), "onprem", "rest.mailbox", result.Fail, "404 ErrorNonExistentMailbox"},
		{"the server is broken: it fails", inbox(500, "ErrorInternalServerError", ""), "onprem", "rest.mailbox", result.Fail, "500"},
		{"no answer comes: it fails", answer("ailFolders/inbox", gone), "onprem", "rest.mailbox", result.Fail, "reset"},
		{"Graph does not have it: it says not here", inbox(404, "MailboxNotEnabledForRESTAPI", ""), "cloud", "graph.location", result.Fail, "404"},
		{"Exchange refused Graph: it says so", inbox(401, "UnknownError", ""), "cloud", "graph.location", result.Fail, "401"},
		{"the two do not trust each other: it says so", inbox(401, "AuthenticationError", ""), "cloud", "graph.location", result.Fail, "401"},
		{"it is behind the preview: it says so", inbox(400, "ErrorInvalidRequest", "REST APIs for this mailbox are currently in preview"), "cloud", "graph.location", result.Fail, "400"},
		{"Graph throttles: it fails", inbox(429, "x", ""), "cloud", "graph.location", result.Fail, "429"},
		{"no answer comes from Graph: it fails", answer("ailFolders/inbox", gone), "cloud", "graph.location", result.Fail, "reset"},
		{"a mailbox out of scope is refused: it passes", nothing, "cloud", "graph.scope", result.Pass, "403"},
		{"a mailbox out of scope answers: it fails", answer("ceo", status(200, "{}")), "cloud", "graph.scope", result.Fail, "200"},
		{"a mailbox out of scope is unknown: it warns", answer("ceo", status(404, "")), "cloud", "graph.scope", result.Warn, "404"},
		{"no answer comes for the mailbox out of scope: it fails", answer("ceo", gone), "cloud", "graph.scope", result.Fail, "reset"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

func TestTheReportSumsUpPerMailbox(t *testing.T) {
	w := newWorld(t)
	inbox(404, "MailboxNotEnabledForRESTAPI", "")(w)
	w.soap = "ErrorNonExistentMailbox"
	r := w.examine(t.Context())
	want := doctor.Ready{Mailbox: "ann", Path: "none", Blocking: []string{"onprem: rest.mailbox", "cloud: graph.location"}}
	if len(r.Ready) != 1 || r.Ready[0].Path != want.Path || !slices.Equal(r.Ready[0].Blocking, want.Blocking) {
		t.Errorf("got %+v, want %+v", r.Ready, want)
	}
	text := dump(r)
	for _, part := range []string{"doctor of profile fixed, seen from: internet", "FAIL  cloud", "cause: ", "remedy: ", "ann: none  (blocked by onprem: rest.mailbox, cloud: graph.location)", "Get-AuthServer", "NOT READY"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q:\n%s", part, text)
		}
	}
	if got := r.Results(); len(got) != len(r.Checks) || got[0] != r.Checks[0].Check {
		t.Error("the results are not the checks")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := newWorld(t).examine(ctx); len(r.Checks) != 0 {
		t.Errorf("an ended examination goes on: %d checks", len(r.Checks))
	}
}

func TestWhatHangsOnAFailedCheckNamesIt(t *testing.T) {
	w := newWorld(t)
	w.overTLS = true
	w.chain[0].NotAfter = w.now.Add(-time.Hour)
	r := w.examine(t.Context())
	for _, id := range []string{"front.preauth", "vdir.api", "oauth.issuer", "autod.agree", "rest.mailbox"} {
		if c := find(r, "onprem", id); c.Verdict != result.Skip || !strings.Contains(c.Evidence, "not probed because tls.") {
			t.Errorf("%s: %s %s", id, c.Verdict, c.Evidence)
		}
	}
}

func TestEveryMailboxAskedForIsExamined(t *testing.T) {
	w := newWorld(t)
	ben := profiles.Mailbox{Name: "ben", Address: map[string]profiles.Address{"onprem": {UPN: "ben@contoso.test"}, "cloud": {UPN: "ben@cloud.contoso.test"}}}
	w.options.Mailboxes = []profiles.Mailbox{w.profile.Mailboxes.List[0], ben}
	w.answers["users/ben"] = status(404, `{"error":{"code":"MailboxNotEnabledForRESTAPI","message":""}}`)
	r := w.examine(t.Context())
	var ready []string
	for _, m := range r.Ready {
		ready = append(ready, m.Mailbox+": "+m.Path)
	}
	if want := []string{"ann: cloud + onprem-rest + onprem-ews", "ben: onprem-rest + onprem-ews"}; !slices.Equal(ready, want) {
		t.Errorf("got %v, want %v\n%s", ready, want, dump(r))
	}
	if c := find(r, "cloud", "graph.scope"); c.Evidence != "not probed because graph.location failed" {
		t.Errorf("one mailbox that fails does not stop what hangs on it: %s", c.Evidence)
	}
}

func find(r *doctor.Report, path, id string) doctor.Outcome {
	for _, c := range r.Checks {
		if c.Path == path && c.ID == id {
			return c
		}
	}
	return doctor.Outcome{}
}

func TestTheDoorKeepsTheDoctorIn(t *testing.T) {
	door, err := guard.Open(guard.Rules{Hosts: map[string][]string{doctor.Probes: {"127.0.0.1:1"}}, SignIn: map[string][]string{doctor.Handshakes: {"127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	anonymous, shake := doctor.Through(door, func(url string) (guard.Options, bool) { return guard.Options{}, strings.Contains(url, "127.0.0.1") })
	if anonymous("https://mail.contoso.test/") != nil || anonymous("nonsense") != nil {
		t.Error("a host that the rules do not name has a sender")
	}
	for _, r := range []struct {
		name, url string
		kind      wire.FailureKind
	}{
		{"a host without options: it is refused", "https://mail.contoso.test/", wire.Refused},
		{"a host that the door does not know: it is refused", "https://127.0.0.1:2/", wire.Refused},
		{"a closed port: it is a failed connection", "https://127.0.0.1:1/", wire.Connect},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, err := shake(t.Context(), r.url, 0)
			var f *wire.Failure
			if !errors.As(err, &f) || f.Kind != r.kind {
				t.Errorf("got %v, want %v", err, r.kind)
			}
		})
	}
}

func TestNoCredentialAppearsInAnyReport(t *testing.T) {
	token := "Bearer " + canary + "." + canary + "." + canary
	for name, spoil := range map[string]func(*world){
		"a redirect that carries a secret":   answer("/EWS/", status(302, "", "Location", "https://sts.test/login?secret="+canary)),
		"a server's name that is a token":    answer("/EWS/", status(401, "", "Server", "proxy \x1b[31m "+token)),
		"an issuer with a secret in its URL": answer("openid-configuration", status(200, `{"issuer":"https://evil.test/`+canary+`","token_endpoint":"x"}`)),
		"a reason that repeats the token":    inbox(401, "", "", "x-ms-diagnostics", `2000001;reason="x `+token+`";error_category="invalid_token"`),
	} {
		w := newWorld(t)
		spoil(w)
		r := w.examine(t.Context())
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{dump(r), string(data)} {
			if strings.Contains(text, canary) || strings.Contains(text, "\x1b") || !r.Failed() {
				t.Errorf("%s is printed, or not noticed:\n%s", name, text)
			}
		}
	}
}

func TestTheTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range doctor.Checks() {
		for _, need := range c.Needs {
			if _, ok := doctor.Explain(need); !ok {
				t.Errorf("%s needs %s, which is no check", c.ID, need)
			}
		}
		if seen[c.ID] || c.Title == "" || c.Blocks == "" || c.Vantage == "" || c.Cause == "" || c.Remedy == "" || c.Source == "" {
			t.Errorf("%s is not complete, or there twice", c.ID)
		}
		seen[c.ID] = true
	}
	if _, ok := doctor.Explain("nothing"); ok {
		t.Error("an unknown check is explained")
	}
}

// docs is the page that is made from the table.
const docs = "../../docs/doctor.md"

func TestDoctorDocIsCurrent(t *testing.T) {
	want := doctor.Markdown()
	if *update {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docs)
	if err != nil || string(got) != want {
		t.Errorf("docs/doctor.md is not current (%v): go test ./harness/doctor -run TestDoctorDoc -update", err)
	}
}

func TestAPlainServiceIsNotAskedForExchange(t *testing.T) {
	for _, c := range []struct {
		name, paths, ready string
		asks, not          []string
	}{
		{"a plain service: it is ready as such, and no cmdlet is told", "one: {plain: {url: https://mail.contoso.test}}", "plain", nil, []string{"Get-", "not visible"}},
		{"the cloud alone: it is told of the tenant alone", "cloud: {graph: {url: https://graph.microsoft.com/v1.0}, auth: {token: {secret: {env: X}}}}", "cloud", []string{"Get-MgUserLicenseDetail"}, []string{"Get-MailboxDatabase", "Get-ADSyncScheduler"}},
		{"the servers alone: they are not told of the tenant", "onprem: {rest: {url: https://mail.contoso.test/api/v2.0}, auth: {token: {secret: {env: X}}}}", "onprem-rest + onprem-ews", []string{"Get-MailboxDatabase"}, []string{"Get-ADSyncScheduler", "Get-MgUserLicenseDetail"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p, err := profiles.Parse("p.yaml", []byte("profile: fixed\npaths:\n  "+c.paths+"\nmailboxes: [{name: ann, "+strings.SplitN(c.paths, ":", 2)[0]+"_upn: ann@contoso.test}]\n"))
			if err != nil {
				t.Fatal(err)
			}
			w.profile = p
			text := dump(w.examine(t.Context()))
			for _, want := range append(c.asks, "ann: "+c.ready+"\n") {
				if !strings.Contains(text, want) {
					t.Errorf("it lacks %q:\n%s", want, text)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("it holds %q:\n%s", not, text)
				}
			}
		})
	}
}

func TestTheReportFitsIntoAHundredColumns(t *testing.T) {
	w := newWorld(t)
	w.answers["ailFolders/inbox"] = status(404, `{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"`+strings.Repeat("long words ", 20)+`"}}`)
	for line := range strings.Lines(dump(w.examine(t.Context()))) {
		if n := len([]rune(strings.TrimSpace(line))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
