package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/doctor"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

// world is a deployment of fixed answers, healthy until a test spoils it.
type world struct {
	now      time.Time
	answers  map[string]func(*wire.Request) wire.Response // by what the URL holds; before the healthy ones
	overTLS  bool
	refused  string // hosts that nobody may ask
	chain    []*x509.Certificate
	roots    *x509.CertPool // who is trusted; nil: the system's, who did not make the chain
	shaking  error
	version  uint16              // newest of TLS
	lowest   uint16              // oldest; 0: 1.2
	names    map[string][]string // DNS
	cname    map[string]string
	srv      map[string][]string
	srvFails error
	soap     string                                       // response code of the web services
	bodies   []string                                     // sent to them
	servers  map[string]func(*wire.Request) wire.Response // answers of one address
	leaves   map[string]*x509.Certificate                 // certificate of one address
	dead     map[string]bool                              // addresses that refuse connections
	asked    []string                                     // addresses that were looked at by themselves
	lookup   error                                        // of autodiscover's name
	claims   map[string]map[string]any                    // of the token, by path
	signIn   error
	box      profiles.Mailbox
	options  doctor.Options
	profile  *profiles.Profile
	raw      string // token in place of the claims
}

const worldProfile = `profile: fixed
paths:
  onprem: {rest: {url: https://mail.contoso.test/api/v2.0}, auth: {entra: {tenant: contoso.test, client: c, authority: 'https://login.microsoftonline.com/contoso.test', user: mailbox}}}
  cloud: {graph: {url: https://graph.microsoft.com/v1.0}, auth: {entra: {tenant: contoso.test, client: c, secret: {env: X}}}, out_of_scope: ceo@contoso.test}
mailboxes: [{name: ann, onprem_upn: ann@contoso.test, cloud_upn: ann@cloud.contoso.test}]
`

const tenantID = "33333333-4444-4555-8666-777777777777"

func newWorld(t *testing.T) *world {
	t.Helper()
	p, err := profiles.Parse("fixed.yaml", []byte(worldProfile))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	leaf := &x509.Certificate{NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0), DNSNames: []string{"mail.contoso.test", "graph.microsoft.com"},
		Subject: pkix.Name{CommonName: "mail.contoso.test"}, Issuer: pkix.Name{CommonName: "Public CA"}}
	life := func(extra map[string]any) map[string]any {
		c := map[string]any{"tid": tenantID, "iss": "https://sts.windows.net/" + tenantID + "/", "ver": "1.0", "nbf": now.Unix() - 60, "iat": now.Unix() - 60, "exp": now.Unix() + 3600, "appid": "c"}
		for k, v := range extra {
			c[k] = v
		}
		return c
	}
	return &world{now: now, profile: p, chain: []*x509.Certificate{leaf}, version: tls.VersionTLS12, soap: "NoError", box: p.Mailboxes.List[0],
		answers: map[string]func(*wire.Request) wire.Response{},
		names:   map[string][]string{"mail.contoso.test": {"192.0.2.1"}, "graph.microsoft.com": {"192.0.2.9"}, "autodiscover.contoso.test": {"192.0.2.1"}},
		claims: map[string]map[string]any{
			"onprem": life(map[string]any{"aud": "https://mail.contoso.test", "scp": "Mail.Read Calendars.Read Contacts.Read", "upn": "ann@contoso.test"}),
			"cloud":  life(map[string]any{"aud": "https://graph.microsoft.com", "roles": []string{"Mail.Read", "Calendars.Read", "Contacts.Read"}, "idtyp": "app"})},
		options: doctor.Options{CloudEnd: "https://outlook.office365.com", OnPremEnd: "https://mail.contoso.test", Tenant: tenantID, Vantage: "internet"}}
}

// trusted gives the servers a real certificate, of an authority that is trusted.
func (w *world) trusted(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *w.chain[0]
	template.SerialNumber, template.IsCA, template.BasicConstraintsValid = big.NewInt(1), true, true
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w.chain, w.roots = []*x509.Certificate{leaf}, x509.NewCertPool()
	w.roots.AddCert(leaf)
}

// examine runs the doctor in this world.
func (w *world) examine(ctx context.Context) *doctor.Report {
	d := doctor.Deps{Profile: w.profile, Clock: clock.NewFake(w.now), Resolver: w, Anonymous: w.anonymous, At: w.at,
		Signed: map[string]wire.Doer{"onprem": w, "cloud": w}, Auth: map[string]where.Authoriser{"onprem": signer{w, "onprem"}, "cloud": signer{w, "cloud"}}}
	if w.overTLS {
		d.Handshake = w.shake
	}
	if w.roots != nil {
		d.Roots = func(string) *x509.CertPool { return w.roots }
	}
	return doctor.Examine(ctx, d, w.options)
}

func (w *world) anonymous(url string) wire.Doer {
	if w.refused != "" && strings.Contains(url, w.refused) {
		return nil
	}
	return w
}

func (w *world) shake(_ context.Context, _ string, most uint16) (*tls.ConnectionState, error) {
	switch {
	case w.shaking != nil:
		return nil, w.shaking
	case most != 0 && most < max(w.lowest, tls.VersionTLS12):
		return nil, errors.New("protocol version not supported")
	case most != 0:
		return &tls.ConnectionState{Version: min(most, w.version), PeerCertificates: w.chain}, nil
	}
	return &tls.ConnectionState{Version: w.version, PeerCertificates: w.chain}, nil
}

// LookupHost is the injected DNS.
func (w *world) LookupHost(_ context.Context, host string) ([]string, error) {
	if w.lookup != nil && strings.HasPrefix(host, "autodiscover.") {
		return nil, w.lookup
	}
	if a, ok := w.names[host]; ok {
		return a, nil
	}
	return nil, errors.New("no such host")
}

// LookupCNAME is the injected DNS.
func (w *world) LookupCNAME(_ context.Context, host string) (string, error) {
	if c, ok := w.cname[host]; ok {
		return c, nil
	}
	return host, nil
}

// LookupSRV is the injected DNS.
func (w *world) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	if w.srvFails != nil {
		return "", nil, w.srvFails
	}
	var all []*net.SRV
	for _, target := range w.srv[name] {
		all = append(all, &net.SRV{Target: target, Port: 443})
	}
	if all == nil {
		return "", nil, &net.DNSError{IsNotFound: true}
	}
	return "", all, nil
}

// server is one address of the world, which may answer in its own way.
type server struct {
	w       *world
	address string
}

// Do implements wire.Doer.
func (s server) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	if answer, ok := s.w.servers[s.address]; ok {
		into.Reset()
		if into.Response = answer(req); into.Response.Status == 0 {
			into.Failure = &wire.Failure{Kind: wire.Reset, Err: errors.New("connection reset")}
		}
		return
	}
	s.w.Do(ctx, req, into)
}

func (w *world) at(address string) (func(string) wire.Doer, doctor.Handshake) {
	w.asked = append(w.asked, address)
	return func(string) wire.Doer { return server{w, address} }, func(ctx context.Context, url string, most uint16) (*tls.ConnectionState, error) {
		if w.dead[address] {
			return nil, &wire.Failure{Kind: wire.Connect, Err: errors.New("refused")}
		}
		state, err := w.shake(ctx, url, most)
		if own := w.leaves[address]; own != nil && err == nil {
			state.PeerCertificates = []*x509.Certificate{own}
		}
		return state, err
	}
}

// signer makes tokens of the world's claims.
type signer struct {
	w    *world
	path string
}

// Authorization implements where.Authoriser.
func (s signer) Authorization(context.Context, profiles.Mailbox) (string, error) {
	if s.w.signIn != nil {
		return "", s.w.signIn
	}
	if s.w.raw != "" {
		return "Bearer " + s.w.raw, nil
	}
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return "Bearer " + part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(s.w.claims[s.path]) + "." + canary, nil
}

// canary is the signature of every token: it must appear nowhere.
const canary = "Q0FOQVJZLXNpZ25hdHVyZS1vZi1hLXRva2Vu"

// Do implements wire.Doer: the healthy answers.
func (w *world) Do(_ context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	for part, answer := range w.answers {
		if strings.Contains(strings.ToLower(req.URL), strings.ToLower(part)) {
			if into.Response = answer(req); into.Response.Status == 0 {
				into.Failure = &wire.Failure{Kind: wire.Reset, Err: errors.New("connection reset")}
			}
			return
		}
	}
	into.Response = w.healthy(req)
}

// status answers with a status and headers, as name, value, ….
func status(code int, body string, fields ...string) func(*wire.Request) wire.Response {
	r := wire.Response{Status: code, Body: []byte(body)}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header = append(r.Header, wire.Field{Name: fields[i], Value: fields[i+1]})
	}
	return func(*wire.Request) wire.Response { return r }
}

const bearerChallenge = `Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000001-0000-0000-c000-000000000000@` + tenantID +
	`", token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri="https://login.windows.net/common/oauth2/authorize"`

func unauthorized(fields ...string) func(*wire.Request) wire.Response {
	return status(http.StatusUnauthorized, "", append([]string{"Server", "Microsoft-IIS/10.0", "request-id", "x"}, fields...)...)
}

func (w *world) healthy(req *wire.Request) wire.Response {
	ok := func(body string) wire.Response { return status(http.StatusOK, body)(req) }
	switch url := req.URL; {
	case strings.HasSuffix(url, "healthcheck.htm"):
		return ok("200 OK")
	case strings.HasPrefix(url, "https://contoso.test/"):
		return status(http.StatusNotFound, "")(req)
	case req.Method == http.MethodPost:
		w.bodies = append(w.bodies, string(req.Body))
		return ok(`<Envelope><Header><ServerVersionInfo MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="6"/></Header><Body><GetFolderResponse><ResponseMessages><GetFolderResponseMessage><ResponseCode>` + w.soap + `</ResponseCode></GetFolderResponseMessage></ResponseMessages></GetFolderResponse></Body></Envelope>`)
	case strings.Contains(url, "openid-configuration"):
		return ok(`{"issuer":"https://sts.windows.net/` + tenantID + `/","token_endpoint":"https://login.microsoftonline.com/x"}`)
	case strings.Contains(url, "UserRealm"):
		return ok(`{"account_type":"Managed","domain_name":"contoso.test"}`)
	case strings.Contains(url, "autodiscover.json") && strings.Contains(url, "office365"):
		if strings.Contains(url, "cloud.contoso") {
			return ok(`{"Url":"https://outlook.office365.com/EWS/Exchange.asmx"}`)
		}
		return status(http.StatusFound, "", "Location", strings.Replace(url, "outlook.office365.com", "mail.contoso.test", 1))(req)
	case strings.Contains(url, "autodiscover.json"):
		return ok(`{"Url":"https://mail.contoso.test/EWS/Exchange.asmx"}`)
	case strings.Contains(url, "ceo"):
		return status(http.StatusForbidden, `{"error":{"code":"ErrorAccessDenied","message":"x"}}`)(req)
	case strings.Contains(strings.ToLower(url), "mailfolders"):
		return ok(`{"id":"x"}`)
	case strings.HasSuffix(url, "/EWS/Exchange.asmx"), strings.HasSuffix(url, "/mapi/emsmdb/"), strings.HasSuffix(url, "ActiveSync"), strings.HasSuffix(url, "/api/v2.0/me"):
		return unauthorized("X-FEServer", "EX01", "X-OWA-Version", "15.1.2507.6", "WWW-Authenticate", bearerChallenge, "WWW-Authenticate", "Negotiate")(req)
	case strings.HasSuffix(url, "/"):
		return status(http.StatusNotFound, "", "Date", w.now.Format(http.TimeFormat))(req)
	}
	panic(fmt.Sprintf("nobody answers %s %s", req.Method, req.URL))
}
