package onprem_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"cutover/harness/clock"
	"cutover/harness/lab/onprem"
	"cutover/harness/lab/store"
	"cutover/harness/lab/token"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { clear(d.header); return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkList is a page of 25 messages with five properties, token checked.
func BenchmarkList(b *testing.B) {
	c := clock.NewFake(store.Epoch)
	s := store.New(store.Config{Pairs: 1, Now: c.Now})
	tokens, err := token.New(s.Tenant(), c)
	if err != nil {
		b.Fatal(err)
	}
	front := onprem.New(onprem.Config{Store: s, Authority: tokens, Clock: c, Base: base})
	u := s.Pairs()[0].OnPrem.User()
	raw, err := tokens.Issue(token.Grant{Audience: base, App: "a", Object: u.OID, UPN: u.UPN, Scopes: []string{"Mail.Read"}})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, base+"/api/v2.0/me/mailfolders/inbox/messages?$top=25&$select=Id,Subject,From,ReceivedDateTime,IsRead&$orderby=ReceivedDateTime%20desc", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	w := &discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		front.ServeHTTP(w, r)
	}
}
