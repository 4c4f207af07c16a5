package lab_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cutover/harness/lab"
)

// handshake connects to the on-prem front end as a client with these bounds
// would, and tells what it saw.
func (w *world) handshake(maxVersion uint16) string {
	w.t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(w.lab.CAPEM())
	conn, err := tls.Dial("tcp", strings.TrimPrefix(origin(w.info.Rest), "https://"), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: maxVersion})
	if err != nil {
		return "refused: " + err.Error()
	}
	defer conn.Close()
	return tls.VersionName(conn.ConnectionState().Version)
}

// restToken signs the first pair's user in for the on-prem servers and tells the error.
func (w *world) restSignIn() string {
	p := w.info.Pairs[0]
	doc := w.tokens(url.Values{"client_id": {w.info.Clients[1].ID}, "grant_type": {"password"}, "username": {p.OnPremUPN}, "password": {p.OnPremPassword},
		"scope": {origin(w.info.Rest) + "/.default"}})
	return fmt.Sprint(doc["error_description"])
}

func (w *world) appSignIn() string {
	c := w.info.Clients[0]
	doc := w.tokens(url.Values{"client_id": {c.ID}, "client_secret": {c.Secret}, "grant_type": {"client_credentials"}, "scope": {graphScope}})
	return fmt.Sprint(doc["error_description"])
}

// challenge is what the REST directory answers without a sign-in.
func (w *world) challenge() string {
	a := w.get("", w.info.Rest+"/me", "Authorization", "Bearer ")
	return strings.Join(a.header["Www-Authenticate"], " | ")
}

// diagnostics is what the front end says to a user's token.
func (w *world) diagnostics() string {
	p := w.info.Pairs[0]
	a := w.get(w.user(p.OnPremUPN, p.OnPremPassword, origin(w.info.Rest)+"/.default"), w.info.Rest+"/me")
	return fmt.Sprint(a.status, " ", a.header.Get("x-ms-diagnostics"))
}

// nodes asks the REST directory six times and lists node, build and status.
func (w *world) nodes() string {
	var out []string
	for range 6 {
		a := w.get("", w.info.Rest+"/me")
		out = append(out, fmt.Sprint(a.header.Get("X-FEServer"), " ", a.header.Get("X-OWA-Version"), " ", a.status))
	}
	return strings.Join(out, ", ")
}

func (w *world) autodiscover(protocol string) string {
	a := w.get("", w.info.AutodiscoverOnPrem+"/autodiscover/autodiscover.json?Protocol="+protocol+"&Email="+w.info.Pairs[0].OnPremUPN)
	return fmt.Sprint(a.status, " ", a.doc["Url"], a.doc["ErrorCode"], a.header.Get("Location"))
}

// symptoms says how each misconfiguration shows: what is looked at, and a part
// of what a healthy and a spoilt deployment answer.
var symptoms = map[string]struct {
	look            func(*world) string
	healthy, spoilt string
}{
	"api-blocked":           {(*world).nodes, "EX01 15.1.1713.5 401", "EX01  404"},
	"node-2013":             {(*world).nodes, "EX02 15.1.1713.5 401, EX01", "EX13  404"},
	"old-build":             {func(w *world) string { return w.nodes() + w.autodiscover("REST") }, "/api", "InvalidProtocol"},
	"mixed-builds":          {(*world).nodes, "EX02 15.1.1713.5", "EX02 15.2.1748.10"},
	"api-down":              {(*world).nodes, "EX02 15.1.1713.5 401", "EX02  503"},
	"health-down":           {func(w *world) string { return healthOf(w, "ews") }, "200 200", "200 503"},
	"autodiscover-missing":  {func(w *world) string { return w.autodiscover("EWS") }, "/EWS/Exchange.asmx", "404"},
	"autodiscover-internal": {func(w *world) string { return w.autodiscover("EWS") }, "https://127.0.0.1", "ex01.corp.contoso.test"},
	"autodiscover-no-rest":  {func(w *world) string { return w.autodiscover("REST") }, "/api", "InvalidProtocol"},
	"autodiscover-disagree": {func(w *world) string { return w.autodiscover("EWS") }, "200", "302"},
	"wrong-realm":           {(*world).challenge, "trusted_issuers", "11111111-2222-4333-8444-555555555555"},
	"evosts-missing":        {(*world).challenge, "authorization_uri", `service_asserted_app_v1" |`},
	"oauth-off":             {(*world).challenge, "Bearer", "Negotiate | NTLM"},
	"basic-off":             {(*world).challenge, "Basic", "NTLM!"},
	"ntlm-off":              {(*world).challenge, "NTLM", "Basic"},
	"ep-required":           {func(w *world) string { return w.windowsSignIn() }, "200", "401"},
	"ep-allowed":            {func(w *world) string { return w.windowsSignIn() }, "200", "200"},
	"ep-bridged":            {func(w *world) string { return w.windowsSignIn() }, "200", "401"},
	"ssl-offload":           {(*world).diagnostics, "200", "expected 'http://"},
	"wrong-audience":        {(*world).diagnostics, "200", "2000003"},
	"profile-forced":        {(*world).hybridRefusal, "V1S2SAppOnly", "2000008"},
	"cert-expired":          {func(w *world) string { return w.handshake(tls.VersionTLS13) }, "TLS 1.2", "expired"},
	"cert-self-signed":      {func(w *world) string { return w.handshake(tls.VersionTLS13) }, "TLS 1.2", "refused"},
	"cert-differs":          {(*world).certificates, "1 certificate", "2 certificates"},
	"san-missing":           {func(w *world) string { return w.handshake(tls.VersionTLS13) }, "TLS 1.2", "refused"},
	"tls-1.0":               {func(w *world) string { return w.handshake(tls.VersionTLS10) }, "refused", "TLS 1.0"},
	"tls-1.3":               {func(w *world) string { return w.handshake(tls.VersionTLS13) }, "TLS 1.2", "TLS 1.3"},
	"clock-ahead":           {(*world).skew, "in time", "ahead"},
	"pre-auth":              {func(w *world) string { return w.get("", w.info.Rest+"/me").header.Get("Location") }, "", "/my.policy"},
	"reverse-proxy":         {func(w *world) string { return w.get("", w.info.Rest+"/me").header.Get("Server") }, "Microsoft-IIS/10.0", "Microsoft-HTTPAPI/2.0"},
	"spn-missing":           {(*world).restSignIn, "nil", "500011"},
	"roles-missing":         {(*world).appReads, "200", "403"},
	"consent-missing":       {func(w *world) string { return w.scopedSignIn() }, "nil", "65001"},
	"secret-expired":        {(*world).appSignIn, "nil", "7000222"},
	"app-disabled":          {(*world).appSignIn, "nil", "7000112"},
	"mfa-required":          {(*world).restSignIn, "nil", "50076"},
	"access-blocked":        {(*world).restSignIn, "nil", "53003"},
	"issuer-mismatch":       {(*world).issuer, "https://127.0.0.1", "https://sts.contoso.test"},
	"graph-denied":          {(*world).appReads, "200", "Access to OData is disabled."},
}

// certificates shakes hands four times and counts the certificates that it saw.
func (w *world) certificates() string {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(w.lab.CAPEM())
	seen := map[string]bool{}
	for range 4 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(origin(w.info.Rest), "https://"), &tls.Config{RootCAs: pool})
		if err != nil {
			return err.Error()
		}
		seen[string(conn.ConnectionState().PeerCertificates[0].Raw)] = true
		conn.Close()
	}
	if len(seen) == 1 {
		return "1 certificate"
	}
	return fmt.Sprint(len(seen), " certificates")
}

func healthOf(w *world, directory string) string {
	var out []string
	for range 2 {
		out = append(out, fmt.Sprint(w.get("", w.info.AutodiscoverOnPrem+"/"+directory+"/healthcheck.htm").status))
	}
	return strings.Join(out, " ")
}

func (w *world) skew() string {
	date, err := http.ParseTime(w.get("", w.info.Rest+"/me").header.Get("Date"))
	if err != nil {
		return err.Error()
	}
	if time.Until(date) > 5*time.Minute {
		return "ahead"
	}
	return "in time"
}

func (w *world) hybridRefusal() string {
	w.get(w.app(0), w.info.GraphEras["2019"]+"/users/"+w.info.Pairs[0].OnPremUPN+"/messages", "client-request-id", "probe")
	return w.lab.FrontEndSays("probe")
}

func (w *world) appReads() string {
	a := w.get(w.app(0), w.info.Graph+"/users/"+w.info.Pairs[0].CloudUPN+"/messages?$top=1")
	return fmt.Sprint(a.status, " ", a.message)
}

func (w *world) scopedSignIn() string {
	p := w.info.Pairs[0]
	doc := w.tokens(url.Values{"client_id": {w.info.Clients[1].ID}, "grant_type": {"password"}, "username": {p.OnPremUPN}, "password": {p.OnPremPassword}, "scope": {graphScope}})
	return fmt.Sprint(doc["error_description"])
}

func (w *world) issuer() string {
	return fmt.Sprint(w.get("", w.info.Authority+"/v2.0/.well-known/openid-configuration").doc["issuer"])
}

func TestEachMisconfigurationShows(t *testing.T) {
	healthy := start(t, lab.Options{})
	for _, m := range lab.Misconfigurations() {
		t.Run(m.ID+": "+m.About, func(t *testing.T) {
			s, ok := symptoms[m.ID]
			if !ok {
				t.Fatal("no symptom is known")
			}
			if got := s.look(healthy); !strings.Contains(got, s.healthy) {
				t.Errorf("healthy: %s, want %s in it", got, s.healthy)
			}
			w := start(t, lab.Options{Misconfigure: []string{m.ID}})
			got := s.look(w)
			if want, exact := strings.CutSuffix(s.spoilt, "!"); exact && !strings.HasSuffix(got, want) || !exact && !strings.Contains(got, s.spoilt) {
				t.Errorf("spoilt: %s, want %s", got, s.spoilt)
			}
		})
	}
}
