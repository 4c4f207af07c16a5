package lab

import (
	"bytes"
	"net/http"
	"strings"

	"cutover/harness/clock"
	"cutover/harness/lab/graph"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// ProxyModes are the states of Graph in front of on-prem mailboxes, oldest first:
// not yet there, the preview of 2016 to 2023, the preview with request bodies
// that are not translated (2021 and 2022), and gone.
func ProxyModes() []string { return []string{"off2016", "preview", "writesBroken", "retired"} }

// Sentences that captures of the proxy have, word for word.
const (
	previewSentence = "REST APIs for this mailbox are currently in preview. You can find more information about the preview REST APIs at https://dev.outlook.com/."
	notYetSupported = "REST API is not yet supported for this mailbox."
	hostedOnPrem    = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
	notDiscovered   = "Resource could not be discovered."
	notEnabled      = "MailboxNotEnabledForRESTAPI"
)

// proxy is Graph's way to an on-prem mailbox: it calls the REST directory of the
// front end with a token of its own and says the answer in Graph's words.
type proxy struct {
	mode      string
	front     http.Handler // the on-prem front end
	audience  string
	graphBase string
	authority *token.Authority
	clock     clock.Clock
	log       *frontEndLog
	quirk     func(id string, mb *store.Mailbox) bool
	service   *graph.Service
}

var _ graph.Hybrid = (*proxy)(nil)

// ServeOnPrem answers for a mailbox that lives on-prem.
func (p *proxy) ServeOnPrem(w http.ResponseWriter, r *http.Request, a graph.Addressed) {
	switch {
	case p.mode == "retired":
		p.retired(w, r, a)
	case p.mode == "off2016", strings.HasPrefix(strings.ToLower(a.Rest), "/mailboxsettings"):
		a.Service.Error(w, r, http.StatusNotFound, notEnabled, notYetSupported)
	case a.Version != "v1.0", otherSet(a):
		a.Service.Error(w, r, http.StatusBadRequest, "ErrorInvalidRequest", "The OData request is not supported. "+previewSentence)
	default:
		p.forward(w, r, a)
	}
}

// otherSet says whether a path below an on-prem mailbox belongs to another API set
// than mail, calendar and contacts: a drive, notes, tasks.
func otherSet(a graph.Addressed) bool {
	set, _, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(a.Rest, "/")), "/")
	set, _, _ = strings.Cut(set, "(")
	for _, name := range []string{"message", "mail", "sendmail", "event", "calendar", "contact", "outlook", "inferenceclassification",
		"findmeetingtimes", "getmailtips", "reminderview", "translateexchangeids", "microsoft.graph."} {
		if strings.HasPrefix(set, name) {
			return false
		}
	}
	return set != "" && !a.Known
}

// retired is today's answer. With the quirk locate.error some of them name the
// other cause, as reports have it for one and the same user.
func (p *proxy) retired(w http.ResponseWriter, r *http.Request, a graph.Addressed) {
	if p.quirk("locate.error", a.Mailbox) {
		a.Service.Error(w, r, http.StatusNotFound, "ResourceNotFound", notDiscovered)
		return
	}
	a.Service.Error(w, r, http.StatusNotFound, notEnabled, hostedOnPrem)
}

// forward makes the on-prem call.
func (p *proxy) forward(w http.ResponseWriter, r *http.Request, a graph.Addressed) {
	grant := token.Grant{Audience: p.audience, App: token.GraphApp, AppName: "Microsoft Graph", Relayed: true, Object: a.Caller.OID}
	if a.Caller.Kind == graph.App {
		grant.Roles = a.Caller.Roles
	} else {
		grant.UPN, grant.Scopes = a.Caller.UPN, a.Caller.Scopes
	}
	raw, err := p.authority.Issue(grant)
	if err != nil {
		a.Service.Error(w, r, http.StatusInternalServerError, "UnknownError", "")
		return
	}
	ask, err := p.translate(r, a)
	if err != nil {
		a.Service.Error(w, r, http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload.")
		return
	}
	ask.Header.Set("Authorization", "Bearer "+raw)
	got := &recorder{header: http.Header{}, status: http.StatusOK}
	p.front.ServeHTTP(got, ask)
	kind := token.V1S2SActAs
	if a.Caller.Kind == graph.App {
		kind = token.V1S2SAppOnly
	}
	p.log.add(logged{
		Time: p.clock.Now().UTC(), ClientRequestID: clientRequestID(r, w), GraphRequestID: w.Header().Get("request-id"), Node: got.header.Get("X-FEServer"),
		Method: ask.Method, Path: ask.URL.Path, TokenKind: string(kind), Status: got.status, RequestID: got.header.Get("request-id"),
		Diagnostics: got.header.Get("x-ms-diagnostics"), Challenge: bearerOf(got.header["Www-Authenticate"]),
	})
	p.answer(w, r, a, got)
}

// clientRequestID is the id by which the client can find its call in the log:
// its own, or the one that Graph gave it.
func clientRequestID(r *http.Request, w http.ResponseWriter) string {
	if id := r.Header.Get("client-request-id"); id != "" {
		return id
	}
	return w.Header().Get("client-request-id")
}

func bearerOf(challenges []string) string {
	for _, c := range challenges {
		if strings.HasPrefix(c, "Bearer ") {
			return c
		}
	}
	return ""
}

// answer says the on-prem answer in Graph's words.
func (p *proxy) answer(w http.ResponseWriter, r *http.Request, a graph.Addressed, got *recorder) {
	switch {
	case got.status == http.StatusUnauthorized && got.header.Get("x-ms-diagnostics") == "":
		// The server does not offer OAuth at all: a report of 2018 has it.
		a.Service.Error(w, r, http.StatusUnauthorized, "AuthenticationError", "Error authenticating with resource")
	case got.status == http.StatusUnauthorized:
		a.Service.Error(w, r, http.StatusUnauthorized, "UnknownError", "")
	case got.status >= 400:
		code, message := errorOf(got.body.Bytes())
		if code == "" {
			code = "UnknownError"
		}
		if got.status == http.StatusBadRequest {
			message = strings.TrimSpace(message + " " + previewSentence)
		}
		a.Service.Error(w, r, got.status, code, message)
	default:
		p.success(w, a, got)
	}
}

// recorder holds an answer of the front end.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	wrote  bool
}

// Header is the answer's header.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

// Write keeps the body.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// outside stands in front of Graph of the preview years: for a user whose
// mailbox is on-prem the API sets outside mail, calendar and contacts answer
// with the preview sentence, and subscriptions with an error of their own.
type outside struct {
	next   http.Handler
	proxy  *proxy
	caller func(*http.Request) (graph.Caller, *graph.Refusal)
	store  *store.Store
}

// ServeHTTP lets everything else through.
func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, rest, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	set, _, _ := strings.Cut(strings.ToLower(rest), "/")
	set, _, _ = strings.Cut(set, "(")
	switch set {
	case "", "me", "users", "$batch", "$metadata":
		o.next.ServeHTTP(w, r)
		return
	}
	c, refused := o.caller(r)
	if refused == nil && c.Kind == graph.User {
		if mb, ok := o.store.Lookup(c.UPN); ok && mb.Location() == store.OnPrem {
			if set == "subscriptions" {
				o.proxy.service.Error(w, r, http.StatusBadRequest, "ExtensionError", "Operation: Create; Exception: [Status Code: NotFound; Reason: "+notYetSupported+"]")
				return
			}
			o.proxy.service.Error(w, r, http.StatusBadRequest, "ErrorInvalidRequest", "The OData request is not supported. "+previewSentence)
			return
		}
	}
	o.next.ServeHTTP(w, r)
}
