// Package autodiscover is Autodiscover v2 of the simulated deployment: the JSON
// service that tells a client on which side a mailbox lives and where its
// protocols are. It exists twice, at the cloud end and at the on-prem end, and
// the two point to each other.
//
// The redirects of the cloud end and the InvalidProtocol answer are from traces;
// the other error codes and what the on-prem end says of a moved mailbox are
// inferred. docs/lab.md has the table.
package autodiscover

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cutover/harness/lab/store"
)

// End is one of the two places that answer.
type End uint8

// The ends.
const (
	Cloud End = iota
	OnPrem
)

// Config says which end a service is and where the other one is.
type Config struct {
	Store *store.Store
	End   End
	// OnPremBase and CloudBase are https://host:port of the two ends.
	OnPremBase, CloudBase string
	// ProtocolBase is where the protocols of this end's mailboxes are; the end's own base when empty.
	ProtocolBase string
	// Locate says where a mailbox is as this end knows it; the store's word when nil.
	Locate func(*store.Mailbox) store.Location
	// NoREST leaves the REST protocol out, as servers before 2016 CU3 do.
	NoREST bool
	// Internal is an internal host name that the answers name by mistake; "" none.
	Internal string
}

// Service answers anonymous requests. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes one end.
func New(c Config) *Service {
	if c.Locate == nil {
		c.Locate = (*store.Mailbox).Location
	}
	if c.ProtocolBase == "" {
		c.ProtocolBase = c.base(c.End)
	}
	return &Service{c}
}

func (c *Config) base(e End) string {
	if e == Cloud {
		return c.CloudBase
	}
	return c.OnPremBase
}

// protocols are the known ones with their paths, by lower-case name.
var protocols = map[string]string{
	"activesync": "/Microsoft-Server-ActiveSync", "ews": "/EWS/Exchange.asmx", "rest": "/api", "autodiscoverv1": "/autodiscover/autodiscover.xml",
}

// maxRedirects is where the ends stop sending a client back and forth.
const maxRedirects = 10

// ServeHTTP answers both forms: /autodiscover/autodiscover.json?Email=… and
// /autodiscover/autodiscover.json/v1.0/{address}.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "private")
	h.Set("X-AspNet-Version", "4.0.30319")
	if s.cfg.End == Cloud {
		h.Set("Server", "Microsoft-IIS/10.0")
		h.Set("X-Powered-By", "ASP.NET")
		h.Set("X-Proxy-RoutingCorrectness", "1")
		h.Set("X-Proxy-BackendServerStatus", "200")
		h.Set("X-RUM-Validated", "1")
		h.Set("Vary", "Accept-Encoding")
	}
	path := strings.ToLower(r.URL.Path)
	const document = "/autodiscover/autodiscover.json"
	if r.Method != http.MethodGet || !strings.HasPrefix(path, document) {
		http.Error(w, "no such document", http.StatusNotFound)
		return
	}
	q := parameters(r.URL.Query())
	email := q["email"]
	if rest := r.URL.Path[len(document):]; rest != "" {
		version, address, ok := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		if !ok || !strings.EqualFold(version, "v1.0") {
			http.Error(w, "no such document", http.StatusNotFound)
			return
		}
		email = address
	}
	s.answer(w, email, q)
}

// parameters reads a query with names in any case.
func parameters(v url.Values) map[string]string {
	out := map[string]string{}
	for name, values := range v {
		out[strings.ToLower(name)] = values[0]
	}
	return out
}

func (s *Service) answer(w http.ResponseWriter, email string, q map[string]string) {
	protocol := q["protocol"]
	path, known := protocols[strings.ToLower(protocol)]
	hops, _ := strconv.Atoi(q["redirectcount"])
	switch {
	case protocol == "":
		refuse(w, http.StatusBadRequest, "MandatoryParameterMissing", "A valid value must be provided for the query parameter 'Protocol'")
		return
	case email == "" || !strings.Contains(email, "@"):
		refuse(w, http.StatusBadRequest, "MandatoryParameterMissing", "A valid value must be provided for the query parameter 'Email'")
		return
	case !known || path == "/api" && s.cfg.NoREST:
		refuse(w, http.StatusBadRequest, "InvalidProtocol", "The given protocol value '"+clip(protocol)+"' is invalid. Supported values are '"+s.supported()+"'")
		return
	case hops >= maxRedirects:
		refuse(w, http.StatusNotFound, "UserNotFound", "The address was redirected too often.")
		return
	}
	to, found := s.where(email)
	switch {
	case !found:
		refuse(w, http.StatusNotFound, "UserNotFound", "The address is not known.")
	case to != s.cfg.base(s.cfg.End) || !s.served(email):
		s.redirect(w, to, email, protocol, hops+1)
	default:
		s.tell(w, protocol, path, q)
	}
}

// where is the base that answers for an address. An unknown address of a tenant
// domain is, at the cloud end, sent back to the same place.
func (s *Service) where(email string) (base string, found bool) {
	mb, ok := s.cfg.Store.Lookup(email)
	if !ok {
		onPrem, cloud := s.cfg.Store.Domains()
		_, domain, _ := strings.Cut(email, "@")
		own := strings.EqualFold(domain, onPrem) || strings.EqualFold(domain, cloud)
		return s.cfg.CloudBase, own && s.cfg.End == Cloud
	}
	if s.cfg.Locate(mb) == store.OnPrem {
		return s.cfg.OnPremBase, true
	}
	return s.cfg.CloudBase, true
}

// served says whether the address has a mailbox that this end answers for.
func (s *Service) served(email string) bool {
	mb, ok := s.cfg.Store.Lookup(email)
	if !ok {
		return false
	}
	at := s.cfg.Locate(mb)
	return at == store.Cloud && s.cfg.End == Cloud || at == store.OnPrem && s.cfg.End == OnPrem
}

func (s *Service) redirect(w http.ResponseWriter, base, email, protocol string, hops int) {
	to := fmt.Sprintf("%s/autodiscover/autodiscover.json?Email=%s&Protocol=%s&RedirectCount=%d", base, url.QueryEscape(email), url.QueryEscape(protocol), hops)
	w.Header().Set("Location", to)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusFound)
	_, _ = w.Write([]byte("<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved</h2>\r\n</body></html>\r\n"))
}

// tell names the protocol as the client spelt it.
func (s *Service) tell(w http.ResponseWriter, protocol, path string, q map[string]string) {
	base := s.cfg.ProtocolBase
	if s.cfg.Internal != "" {
		base = "https://" + s.cfg.Internal
	}
	type answer struct {
		Protocol       string
		Url            string
		ServerLocation string `json:",omitempty"`
	}
	out := answer{Protocol: protocol, Url: base + path}
	if s.cfg.End == Cloud && strings.EqualFold(q["serverlocation"], "true") {
		out.ServerLocation = "Lab"
	}
	write(w, http.StatusOK, out)
}

func (s *Service) supported() string {
	if s.cfg.NoREST {
		return "ActiveSync,AutodiscoverV1,Ews"
	}
	return "ActiveSync,AutodiscoverV1,Ews,Rest"
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	write(w, status, struct{ ErrorCode, ErrorMessage string }{code, message})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

func clip(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.ToValidUTF8(s, "")
}
