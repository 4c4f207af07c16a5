// Package graph imitates Microsoft Graph v1.0 for mail, calendar, contacts and
// what clients of those need around them, as documented in 2021 and captured
// from 2016 to 2025. It answers from the mailboxes of a store.
//
// A request passes, in this order: token, path, /me, permission, method, query
// options, user and location, throttle, body, item. The first that refuses
// answers. That order is inferred; clients see it in which error comes first.
package graph

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cutover/harness/lab/faults"
	"cutover/harness/lab/store"
)

// CallerKind is how a caller signed in.
type CallerKind uint8

// The kinds.
const (
	User CallerKind = iota // a delegated token: somebody through an app
	App                    // an app-only token
)

// Caller is who asks, by the token that Authorise accepted.
type Caller struct {
	Kind     CallerKind
	AppID    string
	OID, UPN string   // of User
	Roles    []string // of App
	Scopes   []string // of User
}

// Refusal is why a token is not accepted.
type Refusal struct {
	Status        int
	Code, Message string
	Header        http.Header // added to the answer, WWW-Authenticate above all
}

// Hybrid answers for a mailbox that lives on-premises.
type Hybrid interface {
	ServeOnPrem(w http.ResponseWriter, r *http.Request, a Addressed)
}

// Addressed is a request for an on-premises mailbox, as the front end saw it.
type Addressed struct {
	Service *Service
	Caller  Caller
	Mailbox *store.Mailbox
	Version string // v1.0 or beta
	Me      bool   // addressed as /me
	Rest    string // path after the user segment, escaped as sent: "/messages", "" for the user
	// Known says whether Graph v1.0 has the path for cloud mailboxes, in the lab's imitation of it.
	Known bool
}

// Config says how the service is set up. Store and Authorise are required.
type Config struct {
	Store     *store.Store
	Authorise func(*http.Request) (Caller, *Refusal)
	Hybrid    Hybrid          // nil: on-premises mailboxes answer MailboxNotEnabledForRESTAPI
	Throttle  *faults.Limiter // nil: none
	Now       func() time.Time
	Base      string // "https://host:port" for links; "" takes the request's own
	Upload    string // the same of the host that takes upload sessions; "" is Base
	Era       int    // year whose error shapes and texts are imitated; 2021
	Seed      uint64
	OWA       string                                  // host named in webLink; outlook.office365.com
	Quirk     func(id string, mb *store.Mailbox) bool // which deviations a mailbox has; nil: none
	// ClassicIDsOnly ignores the preference for immutable ids.
	ClassicIDsOnly bool
}

// Service serves Graph. It is an http.Handler for every path below its host.
type Service struct {
	cfg        Config
	store      *store.Store
	diagnostic []string
	requests   atomic.Uint64
	routes     *node
	uploads    uploads
	plans      planCache
	pages      store.Pages
}

// New returns a service.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return store.Epoch }
	}
	if cfg.Era == 0 {
		cfg.Era = 2021
	}
	if cfg.Quirk == nil {
		cfg.Quirk = func(string, *store.Mailbox) bool { return false }
	}
	if cfg.OWA == "" {
		cfg.OWA = "outlook.office365.com"
	}
	s := &Service{cfg: cfg, store: cfg.Store, routes: newRoutes()}
	s.diagnostic = []string{diagnostic(cfg.Era)}
	s.uploads.sessions = map[string]*uploadSession{}
	return s
}

func diagnostic(era int) string {
	if era < 2019 {
		return `{"ServerInfo":{"DataCenter":"North Europe","Slice":"SliceA","ScaleUnit":"001","Host":"AGSFE_IN_17","ADSiteName":"DUB"}}`
	}
	return `{"ServerInfo":{"DataCenter":"North Europe","Slice":"E","Ring":"4","ScaleUnit":"001","RoleInstance":"DB1PEPF00000001"}}`
}

// call is one request on its way.
type call struct {
	s         *Service
	w         http.ResponseWriter
	r         *http.Request
	caller    Caller
	mb        *store.Mailbox
	op        *operation
	version   string
	user      string // the user segment's key; "" for /me
	me        bool
	rest      string
	arg       [argCount]string
	prefer    preferences
	requestID string
	clientID  string
	plan      any // *plan[T] of the operation's schema
	raw       string
	stamp     *store.Stamp // set when the page that is made may be kept
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, raw: r.URL.RawQuery}
	c.identify()
	c.baseHeaders()
	if r.Method == http.MethodOptions {
		c.preflight()
		return
	}
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/$metadata") && strings.Count(r.URL.Path, "/") == 2 { // the schema is nobody's secret
		if f := c.route(); f != nil {
			c.fail(f)
			return
		}
		_ = metadata(c)
		return
	}
	caller, refusal := s.cfg.Authorise(r)
	if refusal != nil {
		for k, v := range refusal.Header {
			w.Header()[k] = v
		}
		c.fail(&fault{status: refusal.Status, code: refusal.Code, message: refusal.Message})
		return
	}
	c.caller = caller
	if f := c.serve(); f != nil {
		c.fail(f)
	}
}

// serve takes the request through the stages after the token.
func (c *call) serve() *fault {
	if f := c.route(); f != nil {
		return f
	}
	if c.me && c.caller.Kind == App {
		return badRequest("/me request is only valid with delegated authentication flow.")
	}
	if c.op != nil && c.op.batch {
		return c.op.handle(c)
	}
	if f := c.permitted(); f != nil {
		return f
	}
	if c.op != nil && c.op.query != nil {
		if f := c.op.query(c); f != nil {
			return f
		}
	}
	if c.op != nil && c.op.global {
		return c.op.handle(c)
	}
	return c.atMailbox()
}

// atMailbox finds the mailbox and does the work there.
func (c *call) atMailbox() *fault {
	if f := c.findMailbox(); f != nil {
		return f
	}
	if c.op != nil && c.op.directory {
		return c.op.handle(c)
	}
	switch c.mb.Location() {
	case store.OnPrem:
		if c.s.cfg.Hybrid == nil {
			return c.s.notEnabled()
		}
		c.s.cfg.Hybrid.ServeOnPrem(c.w, c.r, Addressed{Service: c.s, Caller: c.caller, Mailbox: c.mb, Version: c.version, Me: c.me, Rest: c.rest, Known: c.op != nil})
		return nil
	case store.Unlicensed, store.SoftDeleted:
		return c.s.notEnabled()
	}
	if c.s.cfg.Throttle != nil {
		release, refused := c.s.cfg.Throttle.Admit(c.caller.AppID, c.mb.User().OID, max(0, c.r.ContentLength))
		if refused != nil {
			c.w.Header()["Retry-After"] = []string{seconds(refused.After)}
			return &fault{status: http.StatusTooManyRequests, code: refused.Code, message: refused.Message, bare: true}
		}
		defer release()
	}
	c.readPreferences()
	if c.prefer.fault != nil {
		return c.prefer.fault
	}
	return c.op.handle(c)
}

// findMailbox resolves the user segment.
func (c *call) findMailbox() *fault {
	key := c.user
	if c.me {
		if key = c.caller.OID; key == "" {
			key = c.caller.UPN
		}
	}
	mb, ok := c.s.store.Lookup(key)
	if !ok {
		if c.op != nil && c.op.directory {
			return &fault{status: http.StatusNotFound, code: "Request_ResourceNotFound", message: "Resource '" + key + "' does not exist or one of its queried reference-property objects are not present."}
		}
		return &fault{status: http.StatusNotFound, code: "ErrorInvalidUser", message: "The requested user '" + key + "' is invalid."}
	}
	c.mb = mb
	if c.caller.Kind == User && !c.me && mb.User().OID != c.caller.OID && !strings.EqualFold(mb.User().UPN, c.caller.UPN) && c.op != nil && !c.op.directory && !c.shared() {
		return accessDenied()
	}
	return nil
}

// shared says whether a delegated token reaches into other mailboxes.
func (c *call) shared() bool {
	return slices.ContainsFunc(c.caller.Scopes, func(s string) bool {
		return strings.HasSuffix(s, ".Shared") && c.op.admits(strings.TrimSuffix(s, ".Shared"))
	})
}

// permitted checks scopes or roles against the operation.
func (c *call) permitted() *fault {
	if c.op == nil || len(c.op.scopes) == 0 {
		return nil
	}
	held := c.caller.Scopes
	if c.caller.Kind == App {
		held = c.caller.Roles
		if c.op.delegatedOnly {
			return accessDenied()
		}
	}
	for _, h := range held {
		if c.op.admits(h) || c.op.admits(strings.TrimSuffix(h, ".Shared")) {
			return nil
		}
	}
	if c.op.directory {
		return &fault{status: http.StatusForbidden, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
	}
	return accessDenied()
}

func accessDenied() *fault {
	return &fault{status: http.StatusForbidden, code: "ErrorAccessDenied", message: "Access is denied. Check credentials and try again."}
}

// notEnabled is what Graph says of a mailbox that it cannot serve: on-premises,
// unlicensed or soft-deleted. The wording changed in 2022.
func (s *Service) notEnabled() *fault {
	f := &fault{status: http.StatusNotFound, code: "MailboxNotEnabledForRESTAPI", message: "REST API is not yet supported for this mailbox."}
	if s.cfg.Era >= 2022 || s.cfg.Hybrid == nil {
		f.message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
	}
	return f
}
