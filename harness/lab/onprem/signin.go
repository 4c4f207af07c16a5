package onprem

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// caller is who a request signed in as.
type caller struct {
	mailbox *store.Mailbox // nil for the service account and for applications
	full    bool           // has full access to every mailbox
	scopes  []string       // of a token; nil: everything that the user may
}

// Codes of x-ms-diagnostics with their error categories.
var categories = map[int]string{
	2000000: "invalid_signature", 2000001: "invalid_token", 2000002: "token_expired", 2000003: "invalid_resource",
	2000004: "invalid_tenant", 2000005: "invalid_user", 2000006: "invalid_client", 2000007: "internal_error",
	2000008: "invalid_grant", 4000000: "oauth_not_available",
}

// signIn finds out who calls. When it returns false the answer is written.
func (s *Service) signIn(x *exchange) bool {
	header := x.r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && !s.cfg.NoOAuth:
		return s.bearer(x, strings.TrimSpace(rest))
	case strings.EqualFold(scheme, "Basic") && !s.cfg.NoBasic:
		return s.basic(x)
	case (strings.EqualFold(scheme, "NTLM") || strings.EqualFold(scheme, "Negotiate")) && !s.cfg.NoNTLM:
		return s.negotiate(x, scheme, rest)
	case header == "" && !s.cfg.NoNTLM:
		if c := signedInOn(x.r); c != nil {
			x.caller = c
			return true
		}
	}
	s.challenge(x, 0, "")
	return false
}

// challenge answers 401. With a code it is the refusal of a token: error and
// x-ms-diagnostics are set and authorization_uri is left out, as in captures.
func (s *Service) challenge(x *exchange, code int, reason string) {
	h := x.w.Header()
	h.Set("X-OWA-Version", x.node.Build)
	if !s.cfg.NoOAuth {
		bearer := `Bearer client_id="` + token.ExchangeApp + `", trusted_issuers="` + token.TokenServiceID + "@" + s.cfg.Realm +
			`", token_types="app_asserted_user_v1 service_asserted_app_v1"`
		if code != 0 {
			bearer += `, error="` + oauthError(code) + `"`
			h.Set("x-ms-diagnostics", strconv.Itoa(code)+`;reason="`+reason+`";error_category="`+categories[code]+`"`)
		} else if !s.cfg.NoEvoSTS {
			bearer += `, authorization_uri="https://login.windows.net/common/oauth2/authorize"`
		}
		h.Add("WWW-Authenticate", bearer)
	}
	if !s.cfg.NoNTLM && connectionOf(x.r) != nil {
		h.Add("WWW-Authenticate", "Negotiate")
		h.Add("WWW-Authenticate", "NTLM")
	}
	if !s.cfg.NoBasic {
		h.Add("WWW-Authenticate", `Basic realm="`+strings.TrimPrefix(s.cfg.Base, "https://")+`"`)
	}
	h.Set("Content-Length", "0")
	x.w.WriteHeader(http.StatusUnauthorized)
}

// oauthError is the error of the challenge; only the first two are captured.
func oauthError(code int) string {
	if code == 2000008 {
		return "invalid_grant"
	}
	return "invalid_token"
}

// defects are the diagnostics of a token that is wrong in itself. Codes and
// categories are documented; which defect has which code is partly inferred.
var defects = map[token.Defect]struct {
	code   int
	reason string
}{
	token.Malformed: {2000001, "The token is malformed."},
	token.Algorithm: {2000000, "The signature of the token is not valid."},
	token.Key:       {2000000, "The signing key of the token is not known."},
	token.Signature: {2000000, "The signature of the token is not valid."},
	token.Tenant:    {2000004, "The tenant of the token is not known."},
	token.Claims:    {2000001, "A claim is missing in the token."},
	token.Early:     {2000002, "The token is not valid yet."},
	token.Expired:   {2000002, "The token has expired."},
}

// bearer checks an access token: in itself, its audience, its kind, its user.
func (s *Service) bearer(x *exchange, raw string) bool {
	t, fault := s.cfg.Authority.Verify(raw)
	if fault != nil {
		d := defects[fault.Defect]
		s.challenge(x, d.code, d.reason)
		return false
	}
	code, reason := s.applicable(t)
	if code != 0 {
		s.challenge(x, code, reason)
		return false
	}
	if t.AppOnly {
		x.caller = &caller{full: true, scopes: t.Roles}
		return true
	}
	mb, ok := s.cfg.Store.Lookup(t.UPN)
	if !ok {
		s.challenge(x, 2000005, "The user of the token was not found.")
		return false
	}
	x.caller = &caller{mailbox: mb, scopes: t.Scopes}
	return true
}

// applicable says whether the front end takes this kind of token, and with which
// diagnostics it refuses it. The texts about the profile, the linked account and
// the audience are literal, as captures have them.
func (s *Service) applicable(t *token.Token) (code int, reason string) {
	if s.cfg.AudienceScheme != "" && t.For(s.cfg.Audiences...) {
		expected := strings.TrimSuffix(t.Audience, "/")
		actual := s.cfg.AudienceScheme + strings.TrimPrefix(expected, "https")
		return 2000003, "The audience host component does not match: expected '" + actual + "', actual '" + expected + "'."
	}
	if !t.For(s.cfg.Audiences...) {
		return 2000003, "The audience claim value is invalid 'aud'."
	}
	if !slices.Contains(s.cfg.Profiles, t.Kind()) {
		return 2000001, "This token profile '" + string(t.Kind()) + "' is not applicable for the current protocol."
	}
	if t.AppOnly && !s.cfg.LinkedAccount {
		app := t.App
		if t.Relayed {
			app = token.GraphApp
		}
		return 2000008, "The token should have valid permissions or linked account associated with partner application '" + app + "'."
	}
	if !t.AppOnly && len(t.Scopes) == 0 {
		return 2000008, "The token has no scope that the protocol knows."
	}
	return 0, ""
}

func (s *Service) basic(x *exchange) bool {
	user, password, ok := x.r.BasicAuth()
	if ok {
		x.caller = s.account(user, func(secret string) bool {
			return subtle.ConstantTimeCompare([]byte(secret), []byte(password)) == 1
		})
	}
	if x.caller == nil {
		s.challenge(x, 0, "")
		return false
	}
	return true
}

// account finds the account of a login (UPN, DOMAIN\name or name) whose secret
// proves right. nil: no such account, or another secret.
func (s *Service) account(login string, proves func(secret string) bool) *caller {
	name := login
	if domain, rest, ok := strings.Cut(login, `\`); ok {
		if !strings.EqualFold(domain, s.cfg.NetBIOS) && !strings.EqualFold(domain, s.cfg.Domain) {
			return nil
		}
		name = rest
	}
	if s.cfg.ServiceAccount != "" && strings.EqualFold(name, s.cfg.ServiceAccount) {
		if proves(s.cfg.ServicePassword) {
			return &caller{full: true}
		}
		return nil
	}
	if !strings.Contains(name, "@") {
		domain, _ := s.cfg.Store.Domains()
		name += "@" + domain
	}
	mb, ok := s.cfg.Store.Lookup(name)
	if !ok || !proves(mb.User().Password) {
		return nil
	}
	return &caller{mailbox: mb}
}

// may says whether the caller's token covers what an operation needs: area is
// Mail, Calendars or Contacts.
func (c *caller) may(area string, write, send bool) bool {
	if c.scopes == nil {
		return true
	}
	return slices.ContainsFunc(c.scopes, func(scope string) bool {
		switch {
		case scope == "full_access_as_user", scope == "EWS.AccessAsUser.All", scope == "full_access_as_app":
			return true
		case send:
			return scope == "Mail.Send"
		case strings.HasPrefix(scope, area+".ReadWrite"):
			return true
		}
		return !write && strings.HasPrefix(scope, area+".Read")
	})
}
