package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/auth"
	"cutover/harness/wire"
	"cutover/profiles"

	"github.com/google/go-cmp/cmp"
)

// server answers every request after a second with a status by mailbox.
type server struct {
	status map[string]int

	mu  sync.Mutex
	got map[string]int // requests by mailbox
}

func (s *server) Do(_ context.Context, req *wire.Request, into *wire.Call) {
	time.Sleep(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[req.Mailbox]++
	into.Reset()
	if into.Response.Status = s.status[req.Mailbox]; into.Response.Status == 0 {
		into.Failure = &wire.Failure{Kind: wire.Reset}
	}
}

func TestAPasswordIsOfferedToTheTargetOnceUntilItIsAccepted(t *testing.T) {
	tests := []struct {
		name   string
		kind   string
		status int
		want   int           // requests that reached the server
		failed int           // requests that came back without a token
		took   time.Duration // until all twenty were answered
	}{
		{"lets all go once the first was accepted", "basic", 200, 20, 0, 2 * time.Second},
		{"takes a 404 for acceptance", "ntlm", 404, 20, 0, 2 * time.Second},
		{"sends a wrong Basic password once", "basic", 401, 1, 19, time.Second},
		{"sends a wrong NTLM password once", "ntlm", 401, 1, 19, time.Second},
		{"learns nothing from a broken server, so goes on one by one", "basic", 503, 20, 0, 20 * time.Second},
		{"learns nothing from a lost connection", "basic", 0, 20, 0, 20 * time.Second},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := &server{status: map[string]int{"ann": test.status}, got: map[string]int{}}
				s := open(t, block(test.kind, map[string]any{"user": "mailbox"}), &sts{}, auth.Options{Mailboxes: []profiles.Mailbox{box("ann")}})
				doer := auth.Watch(s, target)
				began := time.Now()
				var all sync.WaitGroup
				var mu sync.Mutex
				failed := 0
				for range 20 {
					all.Go(func() {
						var call wire.Call
						doer.Do(t.Context(), &wire.Request{Mailbox: "ann", Authorization: "Basic x"}, &call)
						if call.Failure != nil && call.Failure.Kind == wire.NoToken {
							mu.Lock()
							failed++
							mu.Unlock()
						}
					})
				}
				all.Wait()
				got := fmt.Sprint(target.got["ann"], failed, time.Since(began))
				if want := fmt.Sprint(test.want, test.failed, test.took); got != want {
					t.Errorf("reached, failed, took = %s; want %s", got, want)
				}
				s.Close()
			})
		})
	}
}

func TestTheSecondRefusedPasswordStopsThePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boxes := []profiles.Mailbox{box("ann"), box("bob"), box("cid"), box("dan")}
		target := &server{status: map[string]int{"ann": 200, "bob": 401, "cid": 401, "dan": 200}, got: map[string]int{}}
		s := open(t, block("ntlm", map[string]any{"user": "mailbox"}), &sts{}, auth.Options{Mailboxes: boxes})
		doer := auth.Watch(s, target)
		var last wire.Call
		for range 3 {
			for _, m := range boxes {
				doer.Do(t.Context(), &wire.Request{Mailbox: m.Name}, &last)
			}
		}
		if diff := cmp.Diff(map[string]int{"ann": 1, "bob": 1, "cid": 1}, target.got); diff != "" {
			t.Errorf("requests by mailbox (-want +got):\n%s", diff)
		}
		var e *auth.Error
		if !errors.As(last.Failure, &e) || e.Reason != auth.Stopped {
			t.Errorf("last failure = %v, want the path stopped", last.Failure)
		}
		if _, _, ok := s.Login("dan"); ok {
			t.Error("a login was handed out after the path stopped")
		}
		if st := s.Stats(); st.Refused != 2 {
			t.Errorf("refused = %d, want 2", st.Refused)
		}
		s.Close()
	})
}

func TestNewLoginsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &server{status: map[string]int{}, got: map[string]int{}}
		var boxes []profiles.Mailbox
		for i := range 10 {
			boxes = append(boxes, box(fmt.Sprint("user", i)))
			target.status[boxes[i].Name] = 200
		}
		s := open(t, block("basic", map[string]any{"user": "mailbox"}), &sts{}, auth.Options{Mailboxes: boxes, Logins: 2})
		doer := auth.Watch(s, target)
		began := time.Now()
		var all sync.WaitGroup
		for _, m := range boxes {
			all.Go(func() { doer.Do(t.Context(), &wire.Request{Mailbox: m.Name, Authorization: "Basic x"}, new(wire.Call)) })
		}
		all.Wait()
		if took := time.Since(began); took != 5500*time.Millisecond { // the tenth starts at 4.5 s
			t.Errorf("ten logins at 2/s took %s, want 5.5s", took)
		}
		s.Close()
	})
}

func TestNewConnectionsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, block("ntlm", map[string]any{"user": "mailbox"}), &sts{}, auth.Options{Logins: 2})
		began := time.Now()
		for range 10 {
			if err := s.Admit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 4500*time.Millisecond { // the first at once
			t.Errorf("ten connections at 2/s took %s, want 4.5s", took)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Admit(ended); err == nil {
			t.Error("an ended caller is admitted")
		}
		s.Close()
	})
}

func TestWatchLeavesTokensAlone(t *testing.T) {
	target := &server{}
	s := open(t, appBlock(), &sts{}, auth.Options{})
	if got := auth.Watch(s, target); got != wire.Doer(target) {
		t.Errorf("Watch = %T, want the doer itself", got)
	}
}

func TestACertificateSignsInAsTheApplication(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	both := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	tests := []struct {
		name, pem, want string
	}{
		{"proves itself with the key", both, ""},
		{"says what is wrong with the file", "canary-secret", "cloud: sign-in as app-1 secret: the certificate is neither PEM nor a PFX with one certificate and its key"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			service := &sts{life: time.Hour}
			b := block("entra", map[string]any{"client": "app-1", "authority": authority, "certificate": profiles.SecretValue(test.pem)})
			s := open(t, b, service, auth.Options{})
			_, err := s.Authorization(t.Context(), box("ann"))
			if got := errText(err); got != test.want {
				t.Fatalf("error = %q, want %q", got, test.want)
			}
			if err == nil {
				if got := service.forms[0]; got.Get("client_assertion") == "" || got.Get("client_secret") != "" {
					t.Errorf("token request = %v, want an assertion", keys(got))
				}
			}
		})
	}
}

func TestTheAudienceComesFromThePath(t *testing.T) {
	service := &sts{life: time.Hour}
	s := open(t, appBlock(), service, auth.Options{})
	if _, err := s.Authorization(t.Context(), box("ann")); err != nil {
		t.Fatal(err)
	}
	if got := service.forms[0].Get("scope"); !strings.HasPrefix(got, "https://graph.test/.default") {
		t.Errorf("scope = %q", got)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func keys(v url.Values) (names []string) {
	for k := range v {
		names = append(names, k)
	}
	return names
}
