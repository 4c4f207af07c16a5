package onprem_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab/onprem"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// FuzzTheFrontEndSurvivesGarbage sends anything to the front end: it answers
// with something other than an internal error, and stays.
func FuzzTheFrontEndSurvivesGarbage(f *testing.F) {
	c := clock.NewFake(store.Epoch)
	s := store.New(store.Config{Pairs: 1, Messages: 5, Events: 5, Contacts: 5, Now: c.Now})
	tokens, err := token.New(s.Tenant(), c)
	if err != nil {
		f.Fatal(err)
	}
	front := onprem.New(onprem.Config{Store: s, Authority: tokens, Clock: c, Base: base})
	u := s.Pairs()[0].OnPrem.User()
	for _, seed := range [][4]string{
		{"GET", "/api/v2.0/me/messages", "$filter=((((IsRead eq true", ""},
		{"GET", "/api/v2.0/me/messages('", "$top=-1", ""},
		{"GET", "/api/v2.0/me/messages/%2e%2e/%00", "$skip=99999999999999999999", ""},
		{"POST", "/api/v2.0/me/messages", "", `{"Body":{"Content":null},"ToRecipients":[null]}`},
		{"POST", "/api/v2.0/me/events", "", `{"Start":{"DateTime":"0000","TimeZone":"x"},"Recurrence":{"Pattern":{"Interval":-1}}}`},
		{"PATCH", "/api/v2.0/me/messages/AAMk", "", strings.Repeat("[", 5000)},
		{"POST", "/api/v2.0/me/sendmail", "", `{"Message":[]}`},
		{"GET", "/api/v1.0/me/calendarview", "startdatetime=x&enddatetime=y", ""},
		{"GET", "/api/v2.0/users('')/messages", "", ""},
		{"GET", "/api//", "", ""}, {"GET", "/api", "", ""}, {"GET", "/", "", ""}, {"GET", "/api/v2.0", "", ""}, {"GET", "/api/v2.0/users", "", ""},
		{"POST", "/api/v2.0/me/contacts", "", `{"EmailAddresses":{},"Birthday":"never"}`},
		{"POST", "/api/v2.0/me/messages/x/attachments", "", `{"ContentBytes":"%%%"}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if !strings.HasPrefix(path, "/") || method == "" || strings.ContainsAny(method, " \t\r\n\x00") {
			return
		}
		r := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Content-Type": {"application/json"}},
			Body: http.NoBody, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		if body != "" {
			r.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		}
		r.SetBasicAuth(u.UPN, u.Password)
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %q?%q %q: %d %s", method, path, query, body, w.Code, w.Body)
		}
	})
}

func TestGarbageOfASignInIsRefused(t *testing.T) {
	s := open(t, nil)
	server, client := s.windows()
	for _, header := range []string{
		"NTLM", "NTLM !!!", "NTLM TlRMTVNTUAA=", "NTLM TlRMTVNTUAADAAAA", "NTLM TlRMTVNTUAADAAAA" + strings.Repeat("/////", 40), "Negotiate YII=",
		"Basic", "Basic !!!", "Bearer a.b", "Bearer " + strings.Repeat("x", 4000), "Nonsense x",
	} {
		r, _ := http.NewRequest(http.MethodGet, server.URL+"/api/v2.0/me", nil)
		r.Header.Set("Authorization", header)
		resp, err := client.Transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("%.40s: %v", header, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%.40s: %d", header, resp.StatusCode)
		}
	}
}
