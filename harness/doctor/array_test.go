package doctor_test

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cutover/harness/doctor"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// twoServers puts two addresses behind the client namespace.
func twoServers(spoil func(*world)) func(*world) {
	return func(w *world) {
		w.names["mail.contoso.test"] = []string{"192.0.2.2", "192.0.2.1"}
		w.servers, w.leaves, w.dead = map[string]func(*wire.Request) wire.Response{}, map[string]*x509.Certificate{}, map[string]bool{}
		spoil(w)
	}
}

// onServer lets one address answer part of the questions in its own way.
func onServer(address, part string, a func(*wire.Request) wire.Response) func(*world) {
	return twoServers(func(w *world) {
		w.servers[address] = func(req *wire.Request) wire.Response {
			if strings.Contains(req.URL, part) {
				return a(req)
			}
			return w.healthy(req)
		}
	})
}

func TestEachAddressBehindTheNameIsLookedAt(t *testing.T) {
	old := unauthorized("X-FEServer", "EX13", "X-OWA-Version", "15.0.1497.48", "WWW-Authenticate", bearerChallenge)
	for _, r := range []row{
		{"one server is of 2013: it is found though the name never leads to it", onServer("192.0.2.2", "/EWS/", old), "onprem", "array.2013", result.Fail, "EX13 15.0.1497.48"},
		{"one server lacks the REST directory: it names the address", onServer("192.0.2.2", "/api/v2.0/me", status(404, "")), "onprem", "array.mixed404", result.Fail, "404 192.0.2.2"},
		{"one server's directory is down: it names the address", onServer("192.0.2.2", "/api/v2.0/me", gone), "onprem", "array.down", result.Fail, "no answer 192.0.2.2"},
		{"one server's health page is down: it names the address", onServer("192.0.2.1", "mapi/healthcheck", status(503, "")), "onprem", "vdir.health", result.Fail, "mapi 503 192.0.2.1 (1 of 6)"},
		{"one server's page is a sign-in page: it fails", onServer("192.0.2.2", "/EWS/", status(200, "<html>")), "onprem", "front.preauth", result.Fail, "200 without"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
	leaf := func(change func(*x509.Certificate)) func(*world) {
		return twoServers(func(w *world) {
			own := *w.chain[0]
			own.Raw = []byte("another")
			change(&own)
			w.leaves["192.0.2.2"] = &own
		})
	}
	for _, r := range []row{
		{"one address accepts no connection: it warns", twoServers(func(w *world) { w.dead["192.0.2.2"] = true }), "onprem", "net.reach", result.Warn, "192.0.2.2"},
		{"one server's certificate has ended: it names the address", leaf(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Hour) }), "onprem", "tls.expiry", result.Fail, "192.0.2.2: it ended"},
		{"one server's certificate is for another name: it names the address", leaf(func(c *x509.Certificate) { c.DNSNames = []string{"owa.contoso.test"} }), "onprem", "tls.san", result.Fail, "192.0.2.2: it is for owa"},
		{"the certificates differ: it tells them apart", leaf(func(*x509.Certificate) {}), "onprem", "tls.samecert", result.Fail, "2 certificates in 3 handshakes"},
		{"the certificates are one: it passes", twoServers(nothing), "onprem", "tls.samecert", result.Pass, "in 3 handshakes"},
		{"there is one address: it shakes hands through the name again", nothing, "onprem", "tls.samecert", result.Pass, "in 3 handshakes"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, true) })
	}
}

func TestAnArrayOfManyAddressesIsAskedPolitely(t *testing.T) {
	w := newWorld(t)
	twoServers(func(w *world) {
		w.names["mail.contoso.test"] = nil
		for i := range 20 {
			w.names["mail.contoso.test"] = append(w.names["mail.contoso.test"], net.IPv4(192, 0, 2, byte(i+1)).String())
		}
	})(w)
	w.examine(t.Context())
	slices.Sort(w.asked)
	if got := slices.Compact(w.asked); len(got) != 8 {
		t.Errorf("asked %v, want eight of twenty", got)
	}
}

func TestNamesOfDiscovery(t *testing.T) {
	for _, r := range []row{
		{"there is no SRV record: it passes", nothing, "onprem", "dns.srv", result.Pass, "none"},
		{"the SRV record names the namespace: it passes", func(w *world) { w.srv = map[string][]string{"contoso.test": {"Mail.contoso.test."}} }, "onprem", "dns.srv", result.Pass, "mail.contoso.test"},
		{"the SRV record names another host: it fails", func(w *world) { w.srv = map[string][]string{"contoso.test": {"old.contoso.test."}} }, "onprem", "dns.srv", result.Fail, "names old.contoso.test"},
		{"the name service is silent: it is not probed", func(w *world) { w.srvFails = &net.DNSError{IsTimeout: true} }, "onprem", "dns.srv", result.Skip, "did not answer"},
		{"any other trouble: there is none", func(w *world) { w.srvFails = errors.New("odd") }, "onprem", "dns.srv", result.Pass, "none"},
		{"the bare domain answers 404: it passes", nothing, "onprem", "dns.rootweb", result.Pass, "404"},
		{"nothing answers for the bare domain: it passes", answer("https://contoso.test/", gone), "onprem", "dns.rootweb", result.Pass, "nothing answers"},
		{"a web site answers: it fails", answer("https://contoso.test/", status(200, "<html>")), "onprem", "dns.rootweb", result.Fail, "200"},
		{"a web site redirects: it warns", answer("https://contoso.test/", status(301, "", "Location", "https://www.contoso.test/x?secret=1")), "onprem", "dns.rootweb", result.Warn, "301 to https://www.contoso.test/x"},
		{"nobody may ask it: it is not probed", func(w *world) { w.refused = "https://contoso.test/" }, "onprem", "dns.rootweb", result.Skip, "consent"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

func TestWebServicesChecks(t *testing.T) {
	code := func(c string) func(*world) { return func(w *world) { w.soap = c } }
	const post = "/EWS/Exchange.asmx"
	signed := func(a func(*wire.Request) wire.Response) func(*world) {
		return func(w *world) {
			w.answers[post] = func(req *wire.Request) wire.Response {
				if req.Method == http.MethodPost {
					return a(req)
				}
				return w.healthy(req)
			}
		}
	}
	for _, r := range []row{
		{"the mailbox answers: it tells the build", nothing, "onprem", "ews.signin", result.Pass, "Exchange 15.1.2507.6"},
		{"the account may not impersonate: it says so", code("ErrorImpersonateUserDenied"), "onprem", "ews.signin", result.Fail, "ErrorImpersonateUserDenied"},
		{"the mailbox is elsewhere: it says so", code("ErrorNonExistentMailbox"), "onprem", "ews.signin", result.Fail, "ErrorNonExistentMailbox"},
		{"the service is busy: it fails", code("ErrorServerBusy"), "onprem", "ews.signin", result.Fail, "ErrorServerBusy"},
		{"the token is refused: it tells the reason", signed(unauthorized("x-ms-diagnostics", `2000005;reason="no user";error_category="invalid_user"`)), "onprem", "ews.signin", result.Fail, "401 2000005"},
		{"the sign-in is refused without a reason: it fails", signed(unauthorized()), "onprem", "ews.signin", result.Fail, "401"},
		{"a page answers: it fails", signed(status(200, "<html>")), "onprem", "ews.signin", result.Fail, "no answer of the web services"},
		{"the connection ends: it fails", signed(gone), "onprem", "ews.signin", result.Fail, "reset"},
		{"the REST directory is missing: it is asked all the same", answer("/api/v2.0/me", status(404, "")), "onprem", "ews.signin", result.Pass, "NoError"},
		{"OAuth is off for one directory: it names it", answer("/mapi/emsmdb/", unauthorized("WWW-Authenticate", "Negotiate")), "onprem", "oauth.vdirs", result.Fail, "/mapi/emsmdb/ offers Negotiate"},
		{"all offer it: it lists them", nothing, "onprem", "oauth.vdirs", result.Pass, "/EWS/Exchange.asmx, /mapi/emsmdb/, /Microsoft-Server-ActiveSync"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

func TestSuiteLimits(t *testing.T) {
	suite := func(s doctor.Suite) func(*world) { return func(w *world) { w.options.Suite = &s } }
	for _, r := range []row{
		{"no suite was named: it is not probed", nothing, "onprem", "limits.url", result.Skip, "--suite"},
		{"the URLs are short: it tells the longest", suite(doctor.Suite{Name: "s", Longest: map[string]doctor.LongestURL{"onprem": {Path: 2048, Query: 4096}}}), "onprem", "limits.url", result.Pass, "2048"},
		{"a path is too long: it names the step", suite(doctor.Suite{Longest: map[string]doctor.LongestURL{"onprem": {Path: 2049, PathStep: "mail/read"}}}), "onprem", "limits.url", result.Fail, "mail/read has a path of 2049"},
		{"a query is too long: it names the step", suite(doctor.Suite{Longest: map[string]doctor.LongestURL{"onprem": {Query: 4097, QueryStep: "mail/list"}}}), "onprem", "limits.url", result.Fail, "mail/list has a query of 4097"},
		{"the suite asks nothing here: it is not probed", suite(doctor.Suite{}), "onprem", "limits.url", result.Skip, "asks nothing"},
		{"the load keeps to the limits: it passes", suite(doctor.Suite{Name: "s"}), "cloud", "limits.throttle", result.Pass, "suite s"},
		{"the load exceeds a limit: it warns", suite(doctor.Suite{Throttled: map[string][]string{"cloud": {"too much"}}}), "cloud", "limits.throttle", result.Warn, "too much"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}
