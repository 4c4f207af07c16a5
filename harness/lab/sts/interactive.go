package sts

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"cutover/harness/lab/store"
)

// device is one device sign-in between its start and its token.
type device struct {
	app      string
	userCode string
	scopes   []string
	until    time.Time
	user     *store.Mailbox // set when the user has signed in
	declined bool
}

// Bounds of the device flow: the lifetime is Entra's documented 15 minutes.
const (
	deviceLives = 15 * time.Minute
	maxDevices  = 10_000
)

// parsed is a page that is parsed when it is first shown.
func parsed(name, text string) func() *template.Template {
	return sync.OnceValue(func() *template.Template { return template.Must(template.New(name).Parse(text)) })
}

var page = parsed("sign-in", `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in to the lab</title></head>
<body><main><h1>Sign in (simulated)</h1>{{if .Message}}<p role="alert">{{.Message}}</p>{{end}}
{{if .Form}}<form method="post">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}{{if .Device}}<p><label>Code <input name="user_code" value="{{.UserCode}}"></label></p>
{{end}}<p><label>User <input name="username" value="{{.Hint}}" autocomplete="off"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="off"></label></p>
<p><button>Sign in</button></p></form>{{end}}</main></body></html>
`)

// form is what the page shows.
type form struct {
	Message, Hint, UserCode string
	Hidden                  map[string]string
	Form, Device            bool
}

func show(w http.ResponseWriter, status int, f form) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action *")
	w.WriteHeader(status)
	_ = page().Execute(w, f)
}

// carried are the parameters of an authorization request that survive the form.
var carried = []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method"}

// authorize is the authorization endpoint: a form, and after it a redirect with
// a code. What the client got wrong is shown on the page until the redirect
// address is known to be the application's; from then on it goes there.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request, _ string) {
	if err := r.ParseForm(); err != nil {
		show(w, http.StatusBadRequest, form{Message: "The request could not be read."})
		return
	}
	app := s.apps[strings.ToLower(r.Form.Get("client_id"))]
	redirect := r.Form.Get("redirect_uri")
	if app == nil {
		show(w, http.StatusBadRequest, form{Message: "AADSTS700016: The application was not found in the directory."})
		return
	}
	if !allowed(app.Redirects, redirect) {
		show(w, http.StatusBadRequest, form{Message: "AADSTS50011: The redirect URI is not registered for the application."})
		return
	}
	if r.Form.Get("response_type") != "code" {
		s.back(w, r, redirect, url.Values{"error": {"unsupported_response_type"}, "error_description": {"AADSTS700054: Only response_type code is served."}})
		return
	}
	want, f := s.scopes(r.Form)
	if f != nil {
		s.back(w, r, redirect, url.Values{"error": {f.code}, "error_description": {fmt.Sprintf("AADSTS%d: %s", f.number, f.message)}})
		return
	}
	if r.Method != http.MethodPost {
		f := form{Form: true, Hint: r.Form.Get("login_hint"), Hidden: map[string]string{}}
		for _, name := range carried {
			f.Hidden[name] = r.Form.Get(name)
		}
		show(w, http.StatusOK, f)
		return
	}
	mb, f := s.signIn(r.PostForm.Get("username"), r.PostForm.Get("password"))
	if f != nil {
		show(w, http.StatusOK, form{Message: fmt.Sprintf("AADSTS%d: %s", f.number, f.message)})
		return
	}
	code := s.seal.close(sealed{
		Kind: "code", App: app.ID, User: mb.User().OID, Scopes: append(slices.Clone(want.asked), want.oidc...), Redirect: redirect,
		Challenge: r.Form.Get("code_challenge"), Method: r.Form.Get("code_challenge_method"), Nonce: r.Form.Get("nonce"),
		Serial: s.serial.Add(1), Until: s.cfg.Clock.Now().Add(codeLives),
	})
	s.back(w, r, redirect, url.Values{"code": {code}, "session_state": {s.id("session")}})
}

// back sends the browser to the application: in the query, the fragment, or by
// a form that the browser posts, which is what MSAL asks for.
func (s *Service) back(w http.ResponseWriter, r *http.Request, redirect string, v url.Values) {
	if state := r.Form.Get("state"); state != "" {
		v.Set("state", state)
	}
	if r.Form.Get("response_mode") == "form_post" {
		post(w, redirect, v)
		return
	}
	separator := "?"
	if strings.Contains(redirect, "?") {
		separator = "&"
	}
	if r.Form.Get("response_mode") == "fragment" {
		separator = "#"
	}
	w.Header().Set("Location", redirect+separator+v.Encode())
	w.WriteHeader(http.StatusFound)
}

// allowed compares a redirect address with the registered ones. For loopback
// addresses the port is free, as RFC 8252 has it.
func allowed(registered []string, redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || u.Host == "" {
		return slices.Contains(registered, redirect)
	}
	for _, one := range registered {
		if one == redirect {
			return true
		}
		reg, err := url.Parse(one)
		if err != nil || reg.Scheme != u.Scheme || strings.TrimSuffix(reg.Path, "/") != strings.TrimSuffix(u.Path, "/") {
			continue
		}
		if h := u.Hostname(); h == reg.Hostname() && (h == "localhost" || h == "127.0.0.1") {
			return true
		}
	}
	return false
}

// deviceCode starts a device sign-in.
func (s *Service) deviceCode(w http.ResponseWriter, r *http.Request, _ string) {
	if err := r.ParseForm(); err != nil {
		s.refuse(w, r, missing("client_id"))
		return
	}
	q := &request{form: r.PostForm}
	if r.PostForm.Get("client_id") == "" {
		s.refuse(w, r, missing("client_id"))
		return
	}
	f := s.known(q, r.PostForm.Get("client_id"))
	if f == nil {
		q.want, f = s.scopes(r.PostForm)
	}
	if f == nil && !q.app.Public {
		f = fail(7000218, "invalid_client", "The application must be a public client for the device code flow.")
	}
	if f != nil {
		s.refuse(w, r, f)
		return
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	deviceCode := "D" + base64.RawURLEncoding.EncodeToString(raw[:])
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	user := make([]byte, 9)
	for i := range user {
		user[i] = letters[int(raw[i])%len(letters)]
	}
	d := &device{app: q.app.ID, userCode: string(user), until: s.cfg.Clock.Now().Add(deviceLives), scopes: append(slices.Clone(q.want.asked), q.want.oidc...)}
	s.remember(deviceCode, d)
	where := s.root() + "/oauth2/deviceauth"
	answer(w, http.StatusOK, map[string]any{
		"user_code": d.userCode, "device_code": deviceCode, "verification_uri": where, "expires_in": int(deviceLives / time.Second), "interval": 5,
		"message": "To sign in, use a web browser to open the page " + where + " and enter the code " + d.userCode + " to authenticate.",
	})
}

// remember keeps a started device sign-in; the oldest go when there are too many.
func (s *Service) remember(code string, d *device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	for len(s.devices) >= maxDevices {
		oldest := ""
		for c, one := range s.devices {
			if now.After(one.until) {
				delete(s.devices, c)
			} else if oldest == "" || one.until.Before(s.devices[oldest].until) {
				oldest = c
			}
		}
		if len(s.devices) >= maxDevices {
			delete(s.devices, oldest)
		}
	}
	s.devices[code] = d
}

// deviceAuth is the page on which a user confirms a device sign-in.
func (s *Service) deviceAuth(w http.ResponseWriter, r *http.Request, _ string) {
	if r.Method != http.MethodPost {
		show(w, http.StatusOK, form{Form: true, Device: true, UserCode: r.URL.Query().Get("otc")})
		return
	}
	code := strings.ToUpper(strings.TrimSpace(r.PostFormValue("user_code")))
	mb, f := s.signIn(r.PostFormValue("username"), r.PostFormValue("password"))
	if f != nil {
		show(w, http.StatusOK, form{Message: fmt.Sprintf("AADSTS%d: %s", f.number, f.message)})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.userCode == code && s.cfg.Clock.Now().Before(d.until) {
			d.user = mb
			d.declined = r.PostFormValue("decline") != ""
			show(w, http.StatusOK, form{Message: "You have signed in. You may close this window."})
			return
		}
	}
	show(w, http.StatusOK, form{Message: "The code is not known or has expired."})
}

// deviceToken is one poll of a device sign-in.
func (s *Service) deviceToken(q *request) *refusal {
	code := q.form.Get("device_code")
	if code == "" {
		return missing("device_code")
	}
	s.mu.Lock()
	d := s.devices[code]
	if d == nil || !strings.EqualFold(d.app, q.app.ID) {
		s.mu.Unlock()
		return fail(70019, "bad_verification_code", "The verification code is not known.")
	}
	user, declined, expired := d.user, d.declined, !s.cfg.Clock.Now().Before(d.until)
	if user != nil || expired {
		delete(s.devices, code)
	}
	s.mu.Unlock()
	switch {
	case expired:
		return fail(70020, "expired_token", "The provided device code has expired.")
	case user == nil:
		return fail(70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	case declined:
		return fail(70018, "authorization_declined", "The user declined the sign-in.")
	}
	return s.resume(q, sealed{User: user.User().OID, Scopes: d.scopes})
}
