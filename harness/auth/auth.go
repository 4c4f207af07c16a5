// Package auth turns the credential that a profile names into what a request
// carries: a header value, or a login that the connection itself offers (NTLM).
//
// Rules that hold for every kind:
//   - Callers of one identity share one sign-in, and no caller's end stops it for the others.
//   - A token is renewed ahead of its expiry, off the measured path.
//   - A credential that was refused is never offered again; the second refused
//     credential stops the path, so that no account is ever locked out.
//   - No error, log line or figure carries a secret: what a library or a server
//     says is classified, never passed on.
package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"cutover/harness/clock"
	"cutover/harness/hist"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// HTTP sends sign-in requests. The guard's door offers one, so that sign-in
// traffic is judged and counted like any other.
type HTTP interface {
	Do(*http.Request) (*http.Response, error)
	CloseIdleConnections()
}

// Source hands out what authorises the requests of one path. Its methods may
// be called from any goroutine.
type Source interface {
	// Authorization returns the value of the Authorization header for m, ""
	// when none is needed or the connection signs in by itself. Its error is
	// always an *Error.
	Authorization(ctx context.Context, m profiles.Mailbox) (string, error)
	// Warm signs in as every mailbox before load starts, eight at a time. It
	// returns the first error after having tried as far as the rules allow.
	Warm(ctx context.Context, boxes []profiles.Mailbox) error
	// Login is what an NTLM connection of a mailbox offers; ok is false for
	// every other kind, for a mailbox that Options.Mailboxes does not name and
	// for a login that was refused.
	Login(mailbox string) (user, password string, ok bool)
	// Admit waits until one more connection may sign in with a Login
	// (Options.Logins). Its error is the context's.
	Admit(ctx context.Context) error
	// Stats tells what signing in cost so far.
	Stats() Stats
	// Close stops renewing and waits for sign-ins under way.
	Close()
}

// Stats are the figures of one path's sign-ins. Requests that carried a token
// or a login are not counted here.
type Stats struct {
	Acquired uint64 // tokens received, renewals included
	Renewed  uint64 // of them ahead of expiry, off the measured path
	Failed   uint64 // sign-ins that brought no token
	Refused  uint64 // credentials that were refused
	Late     uint64 // callers that had to wait although a token had been there: renewal came too late
	Latency  hist.Histogram
}

// Options are what a source needs besides the profile.
type Options struct {
	Clock clock.Clock         // nil: the system's
	Env   func(string) string // looks environment variables up, for secrets; nil: there are none
	// Mailboxes are those by whose name Login and Watch are asked.
	Mailboxes []profiles.Mailbox
	// Prompt shows a person the instruction of a device code; nil: nobody is
	// there, and that kind is refused.
	Prompt func(message string)
	// Browse opens a person's browser; nil: nobody is there.
	Browse func(url string) error
	// Learn is told every secret and token, so that redaction by value knows
	// them; nil: nobody is.
	Learn func(secret string)
	// Seed spreads renewals over time.
	Seed uint64
	// Patience bounds one sign-in without a person; 0: 30 s.
	Patience time.Duration
	// Logins bounds how many Basic logins are tried first, and how many NTLM
	// connections sign in, a second; 0: no bound.
	Logins float64
}

const (
	defaultPatience = 30 * time.Second
	// people is how long a person may take; Entra's device codes live 15 minutes.
	people = 15 * time.Minute
)

// New returns the source of path p, whose auth block is block. A block that
// is absent, or "none", means no authorisation. The error is a
// strictyaml.Problems or an *Error; nothing is sent yet.
func New(p profiles.Path, block strictyaml.Block, h HTTP, o Options) (Source, error) {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	if o.Learn == nil {
		o.Learn = func(string) {}
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	s := newSource(p, o)
	var err error
	switch block.Kind {
	case "", "none":
		s.kind = none{}
	case "basic":
		s.kind, err = newBasic(s, block)
	case "ntlm":
		s.kind, err = newNTLM(s, block)
	case "token":
		s.kind, err = newToken(s, block)
	case "entra":
		s.kind, err = newEntra(s, block, h)
	default:
		var ps strictyaml.Problems
		ps.Add(block.Pos, "auth %q is unknown: entra, basic, ntlm, token and none are", block.Kind)
		err = ps.Err()
	}
	if err != nil {
		return nil, err
	}
	s.start()
	return s, nil
}

// publicCloud is the token service of a path that names none; nationalClouds
// are those of Graph's hosts outside the public cloud (Microsoft: national
// cloud deployments).
const publicCloud = "https://login.microsoftonline.com/"

var nationalClouds = map[string]string{
	"graph.microsoft.us": "https://login.microsoftonline.us/", "dod-graph.microsoft.us": "https://login.microsoftonline.us/",
	"microsoftgraph.chinacloudapi.cn": "https://login.chinacloudapi.cn/",
}

// Services are the URLs of the token services that path p signs in at: none
// for kinds that ask nobody.
func Services(p profiles.Path) []string {
	if p.Auth.Kind != "entra" {
		return nil
	}
	var e profiles.Entra
	p.Auth.Decode(&e)
	return []string{authority(p, e)}
}

// authority is the token service with its tenant: as the profile says, or that
// of the cloud whose Graph the path leads to.
func authority(p profiles.Path, e profiles.Entra) string {
	if e.Authority != "" {
		return e.Authority
	}
	if u, err := url.Parse(p.URL); err == nil && nationalClouds[u.Hostname()] != "" {
		return nationalClouds[u.Hostname()] + e.Tenant
	}
	return publicCloud + e.Tenant
}

// origin is scheme and host of a path's service: the audience by default.
func origin(p profiles.Path) (string, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("path %s has no URL that an audience could come from", p.Name)
	}
	return u.Scheme + "://" + u.Host, nil
}
