package auth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cutover/harness/auth"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// sts is a token service in memory: it implements auth.HTTP without a socket,
// so that tests can run in a bubble of fake time.
type sts struct {
	life  time.Duration // of tokens
	delay time.Duration // before a token is answered
	token func(form url.Values) (status int, body string, header http.Header)

	anywhere bool // it stands for every host, not only its own

	mu       sync.Mutex
	requests []string     // "GET /path" in order
	forms    []url.Values // of token requests
	issued   int
}

const authority = "https://sts.test/tenant"

func (s *sts) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "sts.test" && !s.anywhere {
		return nil, fmt.Errorf("the test reached %s", r.URL.Host)
	}
	s.mu.Lock()
	at := ""
	if s.anywhere {
		at = r.URL.Host
	}
	s.requests = append(s.requests, r.Method+" "+at+r.URL.Path)
	s.mu.Unlock()
	w := httptest.NewRecorder()
	switch {
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		self := "https://" + r.URL.Host + "/" + strings.Split(r.URL.Path, "/")[1]
		fmt.Fprintf(w, `{"authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/oauth2/v2.0/token","issuer":"%[1]s/v2.0"}`, self)
	case strings.Contains(r.URL.Path, "/UserRealm/"):
		fmt.Fprint(w, `{"account_type":"Managed","domain_name":"a.test","cloud_instance_name":"sts.test","cloud_audience_urn":"urn:x"}`)
	case strings.HasSuffix(r.URL.Path, "/devicecode"):
		fmt.Fprint(w, `{"user_code":"ABCD","device_code":"dc","verification_uri":"https://sts.test/device","expires_in":900,"interval":1,"message":"enter ABCD"}`)
	case strings.HasSuffix(r.URL.Path, "/token"):
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		if s.delay > 0 {
			select {
			case <-time.After(s.delay):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		s.answer(w, r.PostForm)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return w.Result(), nil
}

func (s *sts) answer(w *httptest.ResponseRecorder, form url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, form)
	if s.token != nil {
		if status, body, header := s.token(form); status != 0 {
			for k, v := range header {
				w.Header()[k] = v
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return
		}
	}
	s.issued++
	// MSAL tells users apart by client_info: uid and utid.
	info := fmt.Sprintf(`{"uid":%q,"utid":"tenant"}`, form.Get("username"))
	body, _ := json.Marshal(map[string]any{"access_token": fmt.Sprintf("token-%d", s.issued), "token_type": "Bearer", "expires_in": int(s.life.Seconds()),
		"refresh_token": "refresh-" + form.Get("username"), "client_info": b64(info),
		"id_token": b64(`{"alg":"none"}`) + "." + b64(fmt.Sprintf(`{"preferred_username":%q,"oid":%q,"tid":"tenant"}`, form.Get("username"), form.Get("username"))) + ".x"})
	w.Write(body)
}

func (*sts) CloseIdleConnections() {}

// count tells how many requests had this path ending.
func (s *sts) count(suffix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if strings.HasSuffix(r, suffix) || suffix == "/UserRealm/" && strings.Contains(r, suffix) {
			n++
		}
	}
	return n
}

// grants are the grant types asked for, in order.
func (s *sts) grants() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []string{}
	for _, f := range s.forms {
		all = append(all, f.Get("grant_type"))
	}
	return all
}

func refusal(code int, oauth string) (int, string, http.Header) {
	return 400, fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: canary-password was not right","error_codes":[%d]}`, oauth, code, code), nil
}

func block(kind string, params map[string]any) strictyaml.Block {
	return strictyaml.NewBlock(kind, strictyaml.Pos{File: "p.yaml", Line: 3, Col: 5}, params)
}

func appBlock() strictyaml.Block {
	return block("entra", map[string]any{"client": "app-1", "authority": authority, "secret": profiles.SecretValue("canary-secret")})
}

func userBlock() strictyaml.Block {
	return block("entra", map[string]any{"client": "app-1", "authority": authority, "user": "mailbox"})
}

var cloud = profiles.Path{Name: "cloud", URL: "https://graph.test/v1.0"}

func box(name string) profiles.Mailbox {
	return profiles.Mailbox{Name: name, Address: map[string]profiles.Address{"cloud": {UPN: name + "@b.test", Secret: profiles.SecretValue("canary-password")}}}
}

func open(t *testing.T, b strictyaml.Block, h auth.HTTP, o auth.Options) auth.Source {
	t.Helper()
	s, err := auth.New(cloud, b, h, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}
