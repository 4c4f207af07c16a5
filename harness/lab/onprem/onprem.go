// Package onprem is the Exchange server side of the simulated deployment: the
// client namespace with its array of nodes, sign-in by OAuth, Basic and NTLM,
// the health pages, and the Outlook REST API v1.0 and v2.0 below /api.
//
// The property names, limits and challenges are those of public documentation
// of 2016 and of captured configuration files; no capture of an on-prem answer
// of /api is known. docs/lab.md says which trait is documented and which is
// inferred. Inferred traits are settings.
package onprem

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cutover/harness/clock"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// Node is one server of the load-balanced array.
type Node struct {
	Name  string // NetBIOS name, told in X-FEServer
	Build string // as X-OWA-Version tells it: 15.1.1713.5
	// API says whether the node has the /api directory: Exchange 2016 from CU3
	// on, Exchange 2019; of SE nothing is known.
	API  bool
	Down []string // virtual directories (lower case) that Managed Availability took out

	name, target []string // header values, filled in by New; never written to
}

// Config says which deployment to imitate. Store, Authority, Clock and Base are required.
type Config struct {
	Store     *store.Store
	Authority *token.Authority
	Clock     clock.Clock
	Base      string   // https://host:port of the client namespace
	Audiences []string // what tokens must be issued for; Base when empty
	Nodes     []Node   // EX01 with 15.1.1713.5 when empty
	Domain    string   // AD domain of the nodes' full names; contoso.test when empty
	NetBIOS   string   // domain of DOMAIN\user logins; CONTOSO when empty

	NoBasic, NoNTLM, NoOAuth bool
	ExtendedProtection       string       // off, allow or require; "" is off
	ServerCertificateHash    []byte       // SHA-256 of the leaf: what channel bindings are made of
	Profiles                 []token.Kind // kinds that /api accepts; the captured list when nil
	LinkedAccount            bool         // app-only tokens that pass the profile list are let in (a hacked deployment)
	ServiceAccount           string       // login with full access to every mailbox; "" none
	ServicePassword          string
	Realm                    string // realm of the trusted issuer; the tenant when empty
	NoEvoSTS                 bool   // the challenge lacks authorization_uri
	AudienceScheme           string // what the server takes its own scheme for: http when TLS is offloaded in front

	IgnoreUnknownSelect bool  // an unknown $select name is ignored instead of refused (which of the two is inferred)
	MaxURL, MaxQuery    int   // 2048 and 4096 when 0
	MaxBody             int64 // 64 MiB when 0
	PageSize, MaxPage   int   // 10 and 50 when 0

	Newer bool // answers also what is newer than the model of 2016 (no known server does)

	Autodiscover http.Handler // serves /autodiscover; nil: 404
	Quirk        func(id string, mailbox *store.Mailbox) bool
}

// CapturedProfiles is the list of token kinds that the front end's REST
// directory accepted in configuration files of 2016 CU22 and 2019 CU11. It does
// not have V1S2SAppOnly.
func CapturedProfiles() []token.Kind {
	return []token.Kind{"S2SAppActAs", "S2SAppOnly", token.V1AppActAs, token.V1AppOnly, "Callback", token.V1S2SActAs, "CallbackV2"}
}

// Service is the deployment's HTTP face. It is safe for concurrent use.
type Service struct {
	cfg       Config
	next      atomic.Uint64 // node of the next request
	serial    atomic.Uint64 // request ids
	beginning int64
	buffers   sync.Pool // *[]byte: bodies of answers
	pages     store.Pages
}

// New makes the service.
func New(c Config) *Service {
	if len(c.Nodes) == 0 {
		c.Nodes = []Node{{Name: "EX01", Build: "15.1.1713.5", API: true}}
	}
	for into, value := range map[*string]string{&c.Domain: "contoso.test", &c.NetBIOS: "CONTOSO", &c.ExtendedProtection: "off", &c.Realm: c.Authority.Tenant()} {
		if *into == "" {
			*into = value
		}
	}
	for into, value := range map[*int]int{&c.MaxURL: 2048, &c.MaxQuery: 4096, &c.PageSize: 10, &c.MaxPage: 50} {
		if *into == 0 {
			*into = value
		}
	}
	if c.MaxBody == 0 {
		c.MaxBody = 64 << 20
	}
	if c.Profiles == nil {
		c.Profiles = CapturedProfiles()
	}
	if len(c.Audiences) == 0 {
		c.Audiences = []string{c.Base}
	}
	if c.Quirk == nil {
		c.Quirk = func(string, *store.Mailbox) bool { return false }
	}
	c.Nodes = slices.Clone(c.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.name, n.target = []string{n.Name}, []string{strings.ToLower(n.Name) + "." + c.Domain}
	}
	s := &Service{cfg: c, beginning: c.Clock.Now().UnixNano()}
	return s
}

// directories are the virtual directories of the front end.
var directories = map[string]bool{
	"api": true, "ews": true, "autodiscover": true, "mapi": true, "microsoft-server-activesync": true, "oab": true,
	"owa": true, "ecp": true, "rpc": true, "powershell": true,
}

// exchange is one request on its way through the front end.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	node      *Node
	directory string
	request   string
	caller    *caller
}

// ServeHTTP is the load balancer and the front end of the node it chose.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	node := &s.cfg.Nodes[(s.next.Add(1)-1)%uint64(len(s.cfg.Nodes))]
	path := r.URL.EscapedPath()
	directory, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	x := &exchange{w: w, r: r, node: node, directory: strings.ToLower(directory), request: s.requestID()}
	h := w.Header()
	h["Server"] = serverIIS
	h["Request-Id"] = []string{x.request}
	h["X-Feserver"] = node.name
	h["X-Powered-By"] = poweredBy
	if len(path) > s.cfg.MaxURL || len(r.URL.RawQuery) > s.cfg.MaxQuery {
		iis(w, http.StatusNotFound, "404 - File or directory not found.")
		return
	}
	if r.ContentLength > s.cfg.MaxBody {
		iis(w, http.StatusRequestEntityTooLarge, "413 - Request entity too large.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	if !directories[x.directory] || (x.directory == "api" && !node.API) {
		iis(w, http.StatusNotFound, "404 - File or directory not found.")
		return
	}
	if down(node, x.directory) {
		iis(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	if strings.EqualFold(rest, "healthcheck.htm") {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("200 OK<br/>" + node.Name + "." + strings.ToUpper(s.cfg.Domain)))
		return
	}
	s.serve(x, rest)
}

// serve hands a request that passed the filters to its directory.
func (s *Service) serve(x *exchange, rest string) {
	if x.directory == "autodiscover" && s.cfg.Autodiscover != nil {
		s.cfg.Autodiscover.ServeHTTP(x.w, x.r)
		return
	}
	if x.directory == "owa" || x.directory == "ecp" {
		x.w.Header().Set("X-OWA-Version", x.node.Build)
		x.w.Header().Set("Location", s.cfg.Base+"/owa/auth/logon.aspx?url="+url.QueryEscape(s.cfg.Base+"/"+x.directory+"/")+"&reason=0")
		x.w.WriteHeader(http.StatusFound)
		return
	}
	if !s.signIn(x) {
		return
	}
	if x.directory == "ews" {
		s.ews(x)
		return
	}
	if x.directory != "api" {
		// Other protocols are reached and signed in to, and end there.
		iis(x.w, http.StatusNotImplemented, "This protocol is not part of the lab.")
		return
	}
	s.backend(x)
	s.api(x, rest)
}

// backend adds the headers that a proxied answer carries.
func (s *Service) backend(x *exchange) {
	h := x.w.Header()
	h["X-Calculatedbetarget"] = x.node.target
	h["X-Diaginfo"] = x.node.name
	h["X-Beserver"] = x.node.name
	h["X-Backendhttpstatus"] = statusOK
	h["X-Aspnet-Version"] = aspVersion
	h["Cache-Control"] = cachePrivate
	if given := x.r.Header.Get("client-request-id"); given != "" && strings.EqualFold(x.r.Header.Get("return-client-request-id"), "true") && len(given) <= 64 {
		h["Client-Request-Id"] = []string{given}
	}
}

func down(n *Node, directory string) bool {
	for _, d := range n.Down {
		if d == directory {
			return true
		}
	}
	return false
}

// iis writes an answer as the web server itself would, before any application.
func iis(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>" + text + "</title></head><body><h2>" + text + "</h2></body></html>\r\n"))
}

// requestID is a GUID that differs for each request of the service.
func (s *Service) requestID() string {
	const hexDigits = "0123456789abcdef"
	n := s.serial.Add(1)
	a, b := scramble(uint64(s.beginning)^n), scramble(n+uint64(s.beginning)<<1)
	var out [36]byte
	at := 0
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			out[at] = '-'
			at++
		}
		word := a
		if i >= 16 {
			word = b
		}
		out[at] = hexDigits[word>>(4*(uint(i)&15))&15]
		at++
	}
	return string(out[:])
}

func scramble(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
