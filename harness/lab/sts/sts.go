// Package sts is the token service of the simulated deployment: the discovery
// documents, the sign-in grants and the error answers of Microsoft Entra, as far
// as mail clients and MSAL use them. Shapes and codes follow public
// documentation and what MSAL was observed to ask; docs/lab.md says which is
// which.
//
// Nothing here is a place to keep real credentials: its users and applications
// are the lab's own.
package sts

import (
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// App is an application that is registered with the token service.
type App struct {
	ID, Name string
	Object   string // object id of its service principal
	Secret   string // "" when it has none
	Public   bool   // may sign users in without proving itself
	Keys     []*rsa.PublicKey
	// Roles and Scopes are what was consented, by audience: for tokens of the
	// application itself, and of its users.
	Roles, Scopes map[string][]string
	Redirects     []string
	Condition     int // an AADSTS number that refuses every sign-in of the application; 0 none
}

// LogValue keeps the secret out of logs.
func (a App) LogValue() slog.Value { return slog.StringValue(a.Name + " " + a.ID) }

// String keeps the secret out of messages.
func (a App) String() string { return a.Name + " " + a.ID }

// Resource is an API that tokens are issued for. Names are the identifiers by
// which a scope may name it, Audience is what its tokens state.
type Resource struct {
	Audience string
	Names    []string
	Second   bool // wants tokens of the second format
}

// Config says whom the service knows.
type Config struct {
	Authority *token.Authority
	Store     *store.Store
	Clock     clock.Clock
	Base      string // https://host:port, what clients are configured with
	Apps      []App
	Resources []Resource
	Lifetime  time.Duration // of access tokens; 0 means an hour
	// Conditions refuse sign-ins of a user (lower-case UPN) with an AADSTS
	// number, as a policy would: 50076, 53003, 50055, 50057 …
	Conditions map[string]int
	Issuer     string // issuer of the discovery document when it is to be wrong; "" the right one
}

// Service answers for one tenant. It is safe for concurrent use.
type Service struct {
	cfg     Config
	tenants map[string]bool // names of the tenant, lower case
	apps    map[string]*App
	names   map[string]*Resource
	seal    sealer
	serial  atomic.Uint64

	mu      sync.Mutex
	devices map[string]*device   // by device code
	used    map[uint64]time.Time // serials of redeemed authorization codes, until they would have expired
	wrong   map[string]*attempts // wrong passwords, by object id
}

// New makes the service.
func New(c Config) (*Service, error) {
	if c.Lifetime == 0 {
		c.Lifetime = time.Hour
	}
	seal, err := newSealer()
	if err != nil {
		return nil, fmt.Errorf("token service: %w", err)
	}
	s := &Service{
		cfg: c, seal: seal,
		tenants: map[string]bool{c.Authority.Tenant(): true, "common": true, "organizations": true},
		apps:    map[string]*App{}, names: map[string]*Resource{},
		devices: map[string]*device{}, used: map[uint64]time.Time{}, wrong: map[string]*attempts{},
	}
	onPrem, cloud := c.Store.Domains()
	s.tenants[strings.ToLower(onPrem)], s.tenants[strings.ToLower(cloud)] = true, true
	for i := range c.Apps {
		s.apps[strings.ToLower(c.Apps[i].ID)] = &c.Apps[i]
	}
	for i := range c.Resources {
		r := &c.Resources[i]
		s.names[strings.ToLower(r.Audience)] = r
		for _, n := range r.Names {
			s.names[strings.ToLower(strings.TrimSuffix(n, "/"))] = r
		}
	}
	return s, nil
}

// maxForm bounds the body of a sign-in request; an assertion with its
// certificate chain needs a few KiB.
const maxForm = 64 << 10

// ServeHTTP answers below /{tenant}/ and /common/.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	h := w.Header()
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("x-ms-request-id", s.id("trace"))
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	lower := strings.ToLower(rest)
	if upn, ok := strings.CutPrefix(lower, "userrealm/"); ok {
		s.realm(w, upn)
		return
	}
	if lower == "discovery/instance" {
		s.instance(w, r)
		return
	}
	serve, ok := map[string]func(http.ResponseWriter, *http.Request, string){
		"v2.0/.well-known/openid-configuration": s.metadata,
		".well-known/openid-configuration":      s.metadata,
		"discovery/v2.0/keys":                   s.keys,
		"discovery/keys":                        s.keys,
		"oauth2/v2.0/token":                     s.token,
		"oauth2/token":                          s.token,
		"oauth2/v2.0/authorize":                 s.authorize,
		"oauth2/authorize":                      s.authorize,
		"oauth2/v2.0/devicecode":                s.deviceCode,
		"oauth2/devicecode":                     s.deviceCode,
		"oauth2/deviceauth":                     s.deviceAuth,
	}[lower]
	if !ok {
		http.Error(w, "no such endpoint", http.StatusNotFound)
		return
	}
	if !s.tenants[strings.ToLower(tenant)] {
		s.refuse(w, r, fail(90002, "invalid_request", "Tenant '"+clip(tenant)+"' not found."))
		return
	}
	serve(w, r, tenant)
}

// root is the authority of the tenant, the base of all endpoints.
func (s *Service) root() string { return s.cfg.Base + "/" + s.cfg.Authority.Tenant() }

// clip shortens and defuses what is quoted back to a client.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == '<' || r == '>' || r == '"' {
			return -1
		}
		return r
	}, text)
	if len(text) > 80 {
		text = strings.ToValidUTF8(text[:80], "")
	}
	return text
}
