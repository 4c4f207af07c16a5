package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cutover/harness/auth"
	"cutover/profiles"
	"cutover/suites/strictyaml"

	"github.com/google/go-cmp/cmp"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestSixtyFourColdCallersCauseOneTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour, delay: 100 * time.Millisecond}
		s := open(t, appBlock(), service, auth.Options{})
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if got, err := s.Authorization(t.Context(), box("ann")); err != nil || got != "Bearer token-1" {
					t.Errorf("Authorization = %q, %v; want the one token", got, err)
				}
			})
		}
		all.Wait()
		if n := service.count("/token"); n != 1 {
			t.Errorf("token requests = %d, want 1", n)
		}
		s.Close()
	})
}

func TestACancelledFirstCallerDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour, delay: time.Second}
		s := open(t, appBlock(), service, auth.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := s.Authorization(ctx, box("ann"))
			var e *auth.Error
			if !errors.As(err, &e) || e.Reason != auth.Ended || !errors.Is(err, context.Canceled) {
				t.Errorf("first caller got %v, want its own cancellation", err)
			}
		})
		synctest.Wait()
		for range 10 {
			all.Go(func() {
				if got, err := s.Authorization(t.Context(), box("ann")); got != "Bearer token-1" {
					t.Errorf("later caller got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
		s.Close()
	})
}

func TestATokenIsRenewedBeforeItEndsAndNobodyWaits(t *testing.T) {
	for _, life := range []time.Duration{90 * time.Second, 8 * time.Minute, time.Hour} {
		t.Run(life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &sts{life: life, delay: 2 * time.Second}
				s := open(t, appBlock(), service, auth.Options{Seed: 7})
				s.Authorization(t.Context(), box("ann"))
				for began := time.Now(); time.Since(began) < 5*life; time.Sleep(time.Second) {
					before := time.Now()
					if _, err := s.Authorization(t.Context(), box("ann")); err != nil {
						t.Fatalf("after %s: %v", time.Since(began), err)
					}
					if waited := time.Since(before); waited > 0 {
						t.Fatalf("after %s a caller waited %s for a renewal", time.Since(began), waited)
					}
				}
				st := s.Stats()
				if st.Renewed < 5 || st.Late != 0 || st.Latency.Count() != st.Acquired {
					t.Errorf("stats = acquired %d, renewed %d, late %d, timed %d", st.Acquired, st.Renewed, st.Late, st.Latency.Count())
				}
				s.Close()
			})
		})
	}
}

func TestAnIdentityThatNobodyUsesIsLeftToExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour}
		s := open(t, appBlock(), service, auth.Options{})
		s.Authorization(t.Context(), box("ann"))
		time.Sleep(24 * time.Hour)
		if n := service.count("/token"); n != 3 {
			t.Errorf("token requests in an idle day = %d, want the first and two renewals", n)
		}
		s.Close()
	})
}

func TestThousandsOfUsersHaveATokenEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour, delay: 10 * time.Millisecond}
		s := open(t, userBlock(), service, auth.Options{})
		var boxes []profiles.Mailbox
		for i := range 1000 {
			boxes = append(boxes, box(fmt.Sprintf("user%d", i)))
		}
		if err := s.Warm(t.Context(), boxes); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range boxes {
			h, _ := s.Authorization(t.Context(), m)
			seen[h] = true
		}
		if len(seen) != 1000 || service.count("/token") != 1000 || service.count("openid-configuration") != 1 {
			t.Errorf("tokens %d, token requests %d, metadata requests %d; want 1000, 1000, 1", len(seen), service.count("/token"), service.count("openid-configuration"))
		}
		s.Close()
	})
}

func TestAUserIsRenewedWithItsRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: 2 * time.Minute}
		s := open(t, userBlock(), service, auth.Options{})
		for range 3 {
			s.Authorization(t.Context(), box("ann"))
			time.Sleep(time.Minute + 40*time.Second)
		}
		got := service.grants()
		if len(got) < 3 || got[0] != "password" || strings.Contains(strings.Join(got[1:], ","), "password") {
			t.Errorf("grants = %v, want the password once and then refresh tokens", got)
		}
		s.Close()
	})
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		answer func(url.Values) (int, string, http.Header)
		want   auth.Error
		again  int // token requests after asking three times within a second
	}{
		{"offers a wrong password once", func(url.Values) (int, string, http.Header) { return refusal(50126, "invalid_grant") },
			auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Refused, Code: "AADSTS50126", Status: 400, Final: true,
				What: "user name or password is wrong", Remedy: "check the mailbox's login and secret; it is not tried again, so that the account is not locked"}, 1},
		{"names an unknown audience", func(url.Values) (int, string, http.Header) { return refusal(500011, "invalid_resource") },
			auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Setup, Code: "AADSTS500011", Status: 400, Final: true, What: "the audience is not known in this tenant",
				Remedy: "register the on-premises name as a service principal name of Exchange in Entra, or correct resource in the profile"}, 1},
		{"reads the standard's word where there is no number", func(url.Values) (int, string, http.Header) { return 401, `{"error":"invalid_client"}`, nil },
			auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Refused, Code: "invalid_client", Status: 401, Final: true, What: "the application's credential was refused",
				Remedy: "check client, secret or certificate in the profile"}, 1},
		{"waits as long as the service asks", func(url.Values) (int, string, http.Header) {
			return 429, `{}`, http.Header{"Retry-After": {"30"}}
		}, auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Throttled, Status: 429, What: "the token service answered 429", Remedy: "wait a few minutes", After: 30 * time.Second}, 1},
		{"does not pass on what a broken answer holds", func(url.Values) (int, string, http.Header) {
			return 200, `{"access_token":"canary-token","expires_in":3599.5}`, nil
		}, auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Unreachable, What: "no usable answer came from the token service",
			Remedy: "check authority, proxy and certificates of the path (cutover doctor)"}, 1},
		{"reads no page of a proxy", func(url.Values) (int, string, http.Header) { return 502, "<html>canary-password</html>", nil },
			auth.Error{Path: "cloud", Who: "ann@b.test", Reason: auth.Throttled, Status: 502, What: "the token service answered 502", Remedy: "wait a few minutes"}, 1},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &sts{life: time.Hour, token: test.answer}
				s := open(t, userBlock(), service, auth.Options{})
				var got *auth.Error
				for range 3 {
					_, err := s.Authorization(t.Context(), box("ann"))
					if !errors.As(err, &got) {
						t.Fatalf("error = %v, want *auth.Error", err)
					}
					if all := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(all, "canary") {
						t.Errorf("the error holds what must not be seen: %s", all)
					}
				}
				if diff := cmp.Diff(&test.want, got); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				if n := service.count("/token"); n != test.again {
					t.Errorf("token requests = %d, want %d", n, test.again)
				}
				s.Close()
			})
		})
	}
}

func TestTheSecondRefusedCredentialStopsThePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour, token: func(f url.Values) (int, string, http.Header) {
			if f.Get("username") == "ann@b.test" {
				return 0, "", nil
			}
			return refusal(50126, "invalid_grant")
		}}
		s := open(t, userBlock(), service, auth.Options{})
		reasons := []auth.Reason{}
		for _, name := range []string{"ann", "bob", "ann", "cid", "dan", "ann"} {
			_, err := s.Authorization(t.Context(), box(name))
			var e *auth.Error
			if errors.As(err, &e) {
				reasons = append(reasons, e.Reason)
			} else {
				reasons = append(reasons, "")
			}
		}
		if diff := cmp.Diff([]auth.Reason{"", auth.Refused, "", auth.Refused, auth.Stopped, auth.Stopped}, reasons); diff != "" {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
		if n := service.count("/token"); n != 3 {
			t.Errorf("token requests = %d, want 3: nobody is offered after the second refusal", n)
		}
		s.Close()
	})
}

func TestAPassingTroubleIsTriedAgainLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		service := &sts{life: time.Hour, token: func(url.Values) (int, string, http.Header) {
			if down {
				return 503, "", nil
			}
			return 0, "", nil
		}}
		s := open(t, appBlock(), service, auth.Options{})
		for range 100 {
			s.Authorization(t.Context(), box("ann"))
			time.Sleep(100 * time.Millisecond)
		}
		if n := service.count("/token"); n != 4 { // at 0, 1, 3 and 7 s
			t.Errorf("token requests in 10 s of trouble = %d, want 4", n)
		}
		down = false
		time.Sleep(time.Minute)
		if got, err := s.Authorization(t.Context(), box("ann")); got != "Bearer token-1" {
			t.Errorf("afterwards = %q, %v", got, err)
		}
		s.Close()
	})
}

func TestAServiceThatAsksForPatienceIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &sts{life: time.Hour, token: func(url.Values) (int, string, http.Header) { return 429, "", http.Header{"Retry-After": {"30"}} }}
		s := open(t, appBlock(), service, auth.Options{})
		for range 35 {
			s.Authorization(t.Context(), box("ann"))
			time.Sleep(time.Second)
		}
		if n := service.count("/token"); n != 2 { // at 0 and 30 s
			t.Errorf("token requests in 35 s = %d, want 2", n)
		}
		s.Close()
	})
}

func TestClosingEndsSignInsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, appBlock(), &sts{life: time.Hour, delay: 20 * time.Second}, auth.Options{})
		ended := make(chan error)
		go func() {
			_, err := s.Authorization(t.Context(), box("ann"))
			ended <- err
		}()
		synctest.Wait()
		began := time.Now()
		s.Close()
		var e *auth.Error
		if err := <-ended; !errors.As(err, &e) || e.Reason != auth.Ended || time.Since(began) > 0 {
			t.Errorf("after %s: %v, want the sign-in given up at once", time.Since(began), err)
		}
	})
}

func TestADeviceCodeAsksAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		service := &sts{life: time.Hour, token: func(url.Values) (int, string, http.Header) {
			if polls++; polls < 3 {
				return 400, `{"error":"authorization_pending","error_codes":[70016]}`, nil
			}
			return 0, "", nil
		}}
		var said []string
		b := block("entra", map[string]any{"client": "app-1", "authority": authority, "device": true})
		s := open(t, b, service, auth.Options{Prompt: func(m string) { said = append(said, m) }})
		if got, err := s.Authorization(t.Context(), box("ann")); got != "Bearer token-1" {
			t.Errorf("Authorization = %q, %v", got, err)
		}
		if diff := cmp.Diff([]string{"enter ABCD"}, said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
		s.Close()
	})
}

func TestKindsThatAskNobody(t *testing.T) {
	soon := time.Now().Add(time.Hour).Unix()
	jwt := func(exp int64) string {
		return b64(`{"alg":"none"}`) + "." + b64(fmt.Sprintf(`{"exp":%d}`, exp)) + ".sig"
	}
	env := func(name string) string {
		return map[string]string{"T": "opaque", "J": "Bearer " + jwt(soon), "OLD": jwt(100)}[name]
	}
	tests := []struct {
		name  string
		block strictyaml.Block
		want  string
		err   string
	}{
		{"sends nothing without an auth block", strictyaml.Block{}, "", ""},
		{"sends nothing for none", strictyaml.NewBlock("none", strictyaml.Pos{}, nil), "", ""},
		{"sends a mailbox's own password", block("basic", map[string]any{"user": "mailbox"}), "Basic " + base64.StdEncoding.EncodeToString([]byte("ann@b.test:canary-password")), ""},
		{"sends a service account's password", block("basic", map[string]any{"user": `C\svc`, "password": profiles.SecretValue("x")}), "Basic " + base64.StdEncoding.EncodeToString([]byte(`C\svc:x`)), ""},
		{"refuses a colon in a Basic login", block("basic", map[string]any{"user": "a:b", "password": profiles.SecretValue("x")}), "", "cloud: sign-in as a:b setup: a Basic login cannot hold a colon"},
		{"leaves NTLM to the connection", block("ntlm", map[string]any{"user": "mailbox"}), "", ""},
		{"sends a given token", block("token", map[string]any{"secret": profiles.SecretValue("opaque")}), "Bearer opaque", ""},
		{"accepts a token with its scheme", block("token", map[string]any{"secret": profiles.SecretValue("Bearer " + jwt(soon))}), "Bearer " + jwt(soon), ""},
		{"refuses a token that has ended", block("token", map[string]any{"secret": profiles.SecretValue(jwt(100))}), "", "cloud: sign-in as the given token refused (expired): the given token has expired"},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			s := open(t, test.block, &sts{}, auth.Options{Env: env})
			got, err := s.Authorization(t.Context(), box("ann"))
			text := ""
			if err != nil {
				text = err.Error()
			}
			if got != test.want || text != test.err {
				t.Errorf("Authorization = %q, %q; want %q, %q", got, text, test.want, test.err)
			}
		})
	}
}

func TestNTLMLogsInAsTheMailbox(t *testing.T) {
	s := open(t, block("ntlm", map[string]any{"user": "mailbox"}), &sts{}, auth.Options{Mailboxes: []profiles.Mailbox{box("ann")}})
	user, password, ok := s.Login("ann")
	if user != "ann@b.test" || password != "canary-password" || !ok {
		t.Errorf("Login = %q, %q, %v", user, password, ok)
	}
	if _, _, ok := s.Login("stranger"); ok {
		t.Error("a mailbox that is not of the run got a login")
	}
}

func TestTheProfilesMistakesAreNamedBeforeAnythingIsSent(t *testing.T) {
	entra := func(params map[string]any) strictyaml.Block {
		all := map[string]any{"client": "app-1", "authority": authority}
		for k, v := range params {
			all[k] = v
		}
		return block("entra", all)
	}
	tests := []struct {
		name  string
		block strictyaml.Block
		want  string
	}{
		{"wants one way to sign in", entra(nil), "p.yaml:3:5: entra needs exactly one of secret, certificate, user, device and browser"},
		{"wants only one way to sign in", entra(map[string]any{"secret": profiles.SecretValue("x"), "device": true}), "p.yaml:3:5: entra needs exactly one of secret, certificate, user, device and browser"},
		{"wants a password for a fixed user", entra(map[string]any{"user": "bob@b.test"}), `p.yaml:3:5: user "bob@b.test" needs password`},
		{"wants a person for a device code", entra(map[string]any{"device": true}), "p.yaml:3:5: nobody is here to sign in: use secret, certificate or user"},
		{"wants a tenant", block("entra", map[string]any{"client": "a", "secret": profiles.SecretValue("x")}), "p.yaml:3:5: entra needs tenant or authority"},
		{"knows its kinds", block("kerberos", nil), `p.yaml:3:5: auth "kerberos" is unknown: entra, basic, ntlm, token and none are`},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			service := &sts{}
			_, err := auth.New(cloud, test.block, service, auth.Options{})
			if err == nil || err.Error() != test.want {
				t.Errorf("New = %v, want %s", err, test.want)
			}
			if len(service.requests) != 0 {
				t.Errorf("something was sent: %v", service.requests)
			}
		})
	}
}

func TestEverySecretIsLearntForRedaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var learnt []string
		s := open(t, userBlock(), &sts{life: time.Hour}, auth.Options{Learn: func(x string) { learnt = append(learnt, x) }})
		s.Authorization(t.Context(), box("ann"))
		if diff := cmp.Diff([]string{"canary-password", "token-1"}, learnt); diff != "" {
			t.Errorf("learnt (-want +got):\n%s", diff)
		}
		s.Close()
	})
}

func TestServicesNamesWhereThePathSignsIn(t *testing.T) {
	p := cloud
	p.Auth = block("entra", map[string]any{"client": "a", "tenant": "contoso.test", "device": true})
	got := [][]string{auth.Services(p)}
	p.Auth = appBlock()
	got = append(got, auth.Services(p))
	p.Auth = block("basic", map[string]any{"user": "mailbox"})
	got = append(got, auth.Services(p))
	want := [][]string{{"https://login.microsoftonline.com/contoso.test"}, {authority}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}
