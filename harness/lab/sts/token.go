package sts

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// Lifetimes that Entra documents: a refresh token of 90 days, a code of ten minutes.
const (
	refreshLives = 90 * 24 * time.Hour
	codeLives    = 10 * time.Minute
)

// skew is how far the clocks of a client that signs an assertion and of the
// service may disagree (general knowledge). Tokens have no such tolerance here.
const skew = 5 * time.Minute

// request is one call of the token endpoint, on its way through the checks.
type request struct {
	form url.Values
	app  *App
	auth int // how the client proved itself: 0 not, 1 secret, 2 certificate
	want wanted
	user *store.Mailbox
}

func (s *Service) token(w http.ResponseWriter, r *http.Request, _ string) {
	if r.Method != http.MethodPost {
		s.refuse(w, r, fail(900561, "invalid_request", "The endpoint only accepts POST requests."))
		return
	}
	if err := r.ParseForm(); err != nil {
		s.refuse(w, r, fail(900144, "invalid_request", "The request body could not be read."))
		return
	}
	q := &request{form: r.PostForm}
	f := s.client(q, r)
	if f == nil {
		f = s.grant(q)
	}
	if f != nil {
		s.refuse(w, r, f)
		return
	}
	s.issue(w, r, q)
}

func missing(parameter string) *refusal {
	return fail(900144, "invalid_request", "The request body must contain the following parameter: '"+parameter+"'.")
}

// client finds the application and checks what it proves itself with. What a
// grant demands beyond that is the grant's to say.
func (s *Service) client(q *request, r *http.Request) *refusal {
	if q.form.Get("grant_type") == "" {
		return missing("grant_type")
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = q.form.Get("client_id"), q.form.Get("client_secret")
	}
	assertion := q.form.Get("client_assertion")
	if id == "" && assertion == "" {
		return missing("client_id")
	}
	if assertion != "" {
		return s.assertion(q, id, assertion)
	}
	if f := s.known(q, id); f != nil {
		return f
	}
	if secret == "" {
		return nil
	}
	if q.app.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(q.app.Secret)) != 1 {
		return fail(7000215, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+q.app.ID+"'.")
	}
	q.auth = 1
	return nil
}

func (s *Service) known(q *request, id string) *refusal {
	q.app = s.apps[strings.ToLower(id)]
	if q.app == nil {
		return fail(700016, "unauthorized_client", "Application with identifier '"+clip(id)+"' was not found in the directory.")
	}
	if q.app.Condition != 0 {
		return condition(q.app.Condition)
	}
	return nil
}

// assertion checks a certificate sign-in: key, audience, times.
func (s *Service) assertion(q *request, id, raw string) *refusal {
	if q.form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return missing("client_assertion_type")
	}
	var a token.Assertion
	err := token.ErrAssertion
	keys := 1
	for i := 0; i < keys && err != nil; i++ {
		a, err = token.CheckAssertion(raw, func(app string) *rsa.PublicKey {
			known := s.apps[strings.ToLower(app)]
			if known == nil || i >= len(known.Keys) {
				return nil
			}
			keys = len(known.Keys)
			return known.Keys[i]
		})
	}
	if id == "" {
		id = a.App
	}
	if f := s.known(q, id); f != nil {
		return f
	}
	if err != nil || !strings.EqualFold(a.App, id) {
		return fail(700027, "invalid_client", "The client assertion failed signature validation or names another application.")
	}
	now := s.cfg.Clock.Now()
	if now.Before(a.NotBefore.Add(-skew)) || !now.Before(a.Expires.Add(skew)) {
		return fail(700024, "invalid_client", "The client assertion is not within its valid time range.")
	}
	if !strings.HasPrefix(a.Audience, s.cfg.Base+"/") {
		return fail(700023, "invalid_client", "The client assertion audience does not match.")
	}
	q.auth = 2
	return nil
}

func (s *Service) grant(q *request) *refusal {
	switch q.form.Get("grant_type") {
	case "client_credentials":
		return s.clientCredentials(q)
	case "password":
		return s.password(q)
	case "authorization_code":
		return s.code(q)
	case "refresh_token":
		return s.refresh(q)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return s.deviceToken(q)
	}
	return fail(70003, "unsupported_grant_type", "The app requested an unsupported grant type '"+clip(q.form.Get("grant_type"))+"'.")
}

func (s *Service) clientCredentials(q *request) *refusal {
	if q.auth == 0 {
		return fail(7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	want, f := s.scopes(q.form)
	if f != nil {
		return f
	}
	if !want.everything || len(want.permissions) > 0 {
		return fail(1002012, "invalid_scope", "The provided value for scope is not valid: client credential flows must have a scope value with /.default suffixed to the resource identifier.")
	}
	q.want = want
	return nil
}

// proven refuses an application that has credentials and did not use them. Entra
// asks it of confidential clients also for the password grant, for which MSAL
// does not send them.
func proven(q *request) *refusal {
	if q.app.Public || q.auth != 0 {
		return nil
	}
	return fail(7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

func (s *Service) password(q *request) *refusal {
	if f := proven(q); f != nil {
		return f
	}
	for _, name := range []string{"username", "password"} {
		if q.form.Get(name) == "" {
			return missing(name)
		}
	}
	want, f := s.scopes(q.form)
	if f != nil {
		return f
	}
	q.want = want
	q.user, f = s.signIn(q.form.Get("username"), q.form.Get("password"))
	return f
}

// signIn checks a user's password and the conditions set on the account.
func (s *Service) signIn(name, password string) (*store.Mailbox, *refusal) {
	mb, ok := s.cfg.Store.Lookup(name)
	if !ok {
		return nil, fail(50034, "invalid_grant", "The user account "+clip(name)+" does not exist in the directory.")
	}
	u := mb.User()
	if s.locked(u.OID) {
		return nil, condition(50053)
	}
	right := subtle.ConstantTimeCompare([]byte(password), []byte(u.Password)) == 1
	s.count(u.OID, right)
	if !right {
		return nil, fail(50126, "invalid_grant", "Error validating credentials due to invalid username or password.")
	}
	if number := s.cfg.Conditions[strings.ToLower(u.UPN)]; number != 0 {
		return nil, condition(number)
	}
	return mb, nil
}

func (s *Service) code(q *request) *refusal {
	c, ok := s.seal.open(q.form.Get("code"), "code")
	now := s.cfg.Clock.Now()
	switch {
	case q.form.Get("code") == "":
		return missing("code")
	case !ok || !strings.EqualFold(c.App, q.app.ID):
		return fail(9002313, "invalid_request", "The authorization code is malformed or was issued to another application.")
	case !now.Before(c.Until):
		return fail(70008, "invalid_grant", "The provided authorization code or refresh token has expired.")
	case c.Redirect != q.form.Get("redirect_uri"):
		return fail(50011, "invalid_grant", "The redirect URI does not match the one of the authorization request.")
	case !answers(c, q.form.Get("code_verifier")):
		return fail(501481, "invalid_grant", "The code_verifier does not match the code_challenge of the authorization request.")
	case c.Challenge == "" && !q.app.Public:
		if f := proven(q); f != nil {
			return f
		}
	}
	if !s.redeem(c) {
		return fail(54005, "invalid_grant", "The authorization code was already redeemed.")
	}
	return s.resume(q, c)
}

// answers says whether the verifier is the one that the challenge was made of.
func answers(c sealed, verifier string) bool {
	switch {
	case c.Challenge == "":
		return true
	case strings.EqualFold(c.Method, "S256"):
		sum := sha256.Sum256([]byte(verifier))
		return base64.RawURLEncoding.EncodeToString(sum[:]) == c.Challenge
	}
	return verifier == c.Challenge
}

// redeem marks a code as used; false when it already was.
func (s *Service) redeem(c sealed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	for serial, until := range s.used {
		if now.After(until) {
			delete(s.used, serial)
		}
	}
	if _, used := s.used[c.Serial]; used {
		return false
	}
	s.used[c.Serial] = c.Until
	return true
}

func (s *Service) refresh(q *request) *refusal {
	c, ok := s.seal.open(q.form.Get("refresh_token"), "refresh")
	switch {
	case q.form.Get("refresh_token") == "":
		return missing("refresh_token")
	case !ok || !strings.EqualFold(c.App, q.app.ID):
		return fail(70000, "invalid_grant", "The provided refresh token is malformed or was issued to another application.")
	case !s.cfg.Clock.Now().Before(c.Until):
		return fail(700082, "invalid_grant", "The refresh token has expired due to inactivity.")
	}
	if f := proven(q); f != nil {
		return f
	}
	return s.resume(q, c)
}

// resume continues a sign-in that was sealed: the user, and the scopes unless
// the request names others.
func (s *Service) resume(q *request, c sealed) *refusal {
	mb, ok := s.cfg.Store.Lookup(c.User)
	if !ok {
		return fail(50034, "invalid_grant", "The user account does not exist in the directory.")
	}
	if number := s.cfg.Conditions[strings.ToLower(mb.User().UPN)]; number != 0 {
		return condition(number)
	}
	q.user = mb
	var f *refusal
	if q.form.Get("scope") == "" && q.form.Get("resource") == "" {
		q.form = url.Values{"scope": {strings.Join(c.Scopes, " ")}, "client_info": q.form["client_info"]}
	}
	q.want, f = s.scopes(q.form)
	q.want.nonce = c.Nonce
	return f
}

// issue answers with the tokens.
func (s *Service) issue(w http.ResponseWriter, r *http.Request, q *request) {
	g := token.Grant{
		Audience: q.want.resource.Audience, Second: q.want.resource.Second,
		App: q.app.ID, AppName: q.app.Name, AppAuth: q.auth, Object: q.app.Object, Lifetime: s.cfg.Lifetime,
	}
	if q.user == nil {
		g.Roles = q.app.Roles[g.Audience]
	} else {
		consented := q.app.Scopes[g.Audience]
		if len(consented) == 0 {
			s.refuse(w, r, condition(65001))
			return
		}
		for _, p := range q.want.permissions {
			if !slices.ContainsFunc(consented, func(c string) bool { return strings.EqualFold(c, p) }) {
				s.refuse(w, r, condition(65001))
				return
			}
		}
		u := q.user.User()
		g.Object, g.UPN, g.Name, g.Scopes = u.OID, u.UPN, u.Name, consented
	}
	access, err := s.cfg.Authority.Issue(g)
	if err != nil {
		s.refuse(w, r, condition(90033))
		return
	}
	seconds := int(s.cfg.Lifetime / time.Second)
	out := map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": access}
	if q.user != nil {
		s.forUser(q, out)
	}
	answer(w, http.StatusOK, out)
}

// forUser adds what only a user's sign-in gets: granted scopes, id token,
// refresh token, client info.
func (s *Service) forUser(q *request, out map[string]any) {
	u := q.user.User()
	granted := slices.Clone(q.want.asked)
	for _, p := range q.app.Scopes[q.want.resource.Audience] {
		granted = append(granted, q.want.prefix+p)
	}
	out["scope"] = strings.Join(append(granted, "profile", "openid"), " ")
	if q.form.Get("client_info") == "1" {
		info, _ := json.Marshal(map[string]string{"uid": u.OID, "utid": s.cfg.Authority.Tenant()})
		out["client_info"] = base64.RawURLEncoding.EncodeToString(info)
	}
	now := s.cfg.Clock.Now()
	if slices.Contains(q.want.oidc, "openid") {
		claims := map[string]any{
			"aud": q.app.ID, "iss": s.issuer(), "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
			"name": u.Name, "oid": u.OID, "preferred_username": u.UPN, "sub": u.OID, "tid": s.cfg.Authority.Tenant(), "ver": "2.0",
		}
		if q.want.nonce != "" {
			claims["nonce"] = q.want.nonce
		}
		if id, err := s.cfg.Authority.Sign(claims); err == nil {
			out["id_token"] = id
		}
	}
	if slices.Contains(q.want.oidc, "offline_access") {
		out["refresh_token"] = s.seal.close(sealed{
			Kind: "refresh", App: q.app.ID, User: u.OID, Scopes: append(slices.Clone(q.want.asked), q.want.oidc...),
			Audience: q.want.resource.Audience, Until: now.Add(refreshLives), Serial: s.serial.Add(1),
		})
	}
}
