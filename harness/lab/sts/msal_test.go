package sts_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"cutover/harness/lab/sts"
	"cutover/harness/lab/token"
)

func (f *fixture) confidential(cred confidential.Credential) confidential.Client {
	f.t.Helper()
	c, err := confidential.New(f.root, serviceApp, cred, confidential.WithHTTPClient(f.server.Client()), confidential.WithInstanceDiscovery(false))
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) public() public.Client {
	f.t.Helper()
	c, err := public.New(desktopApp, public.WithAuthority(f.root), public.WithHTTPClient(f.server.Client()), public.WithInstanceDiscovery(false))
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) read(raw string) *token.Token { return f.claims(map[string]any{"access_token": raw}) }

func TestMSALSignsInAsAnApplication(t *testing.T) {
	f := start(t, nil)
	bySecret, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: leafSerial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, &f.key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _ := x509.ParseCertificate(der)
	byCertificate, err := confidential.NewCredFromCert([]*x509.Certificate{certificate}, f.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, cred := range map[string]confidential.Credential{"secret": bySecret, "certificate": byCertificate} {
		res, err := f.confidential(cred).AcquireTokenByCredential(background, []string{"https://graph.microsoft.com/.default"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := f.read(res.AccessToken)
		if !got.AppOnly || got.App != serviceApp || !got.For(token.GraphAudience) || !slices.Equal(got.Roles, []string{"Mail.ReadWrite"}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	f.clock.Advance(20 * time.Minute) // the client's clock is far behind
	if _, err := f.confidential(byCertificate).AcquireTokenByCredential(background, []string{"https://graph.microsoft.com/.default"}); err == nil || !strings.Contains(err.Error(), "AADSTS700024") {
		t.Errorf("an assertion of long ago: %v", err)
	}
	wrong, _ := confidential.NewCredFromSecret("guess")
	_, err = f.confidential(wrong).AcquireTokenByCredential(background, []string{"https://graph.microsoft.com/.default"})
	var call msalerrors.CallErr
	if !errors.As(err, &call) || call.Resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestMSALSignsAUserInByPasswordAndRefreshes(t *testing.T) {
	f := start(t, nil)
	c := f.public()
	u := f.user()
	res, err := c.AcquireTokenByUsernamePassword(background, []string{namespace + "/.default"}, u.UPN, u.Password)
	if err != nil {
		t.Fatal(err)
	}
	got := f.read(res.AccessToken)
	if got.AppOnly || got.UPN != u.UPN || got.Object != u.OID || !got.For(namespace) || !slices.Equal(got.Scopes, []string{"Mail.ReadWrite"}) {
		t.Errorf("%+v", got)
	}
	if res.Account.PreferredUsername != u.UPN {
		t.Errorf("account %+v", res.Account)
	}
	other, err := c.AcquireTokenSilent(background, []string{"https://graph.microsoft.com/Mail.Read"}, public.WithSilentAccount(res.Account))
	if err != nil {
		t.Fatal(err)
	}
	if second := f.read(other.AccessToken); !second.For(token.GraphAudience) || second.UPN != u.UPN {
		t.Errorf("by refresh token: %+v", second)
	}
}

var leafSerial = newSerial()

// browse plays the user of a sign-in page: it fills in the form that it is shown.
func (f *fixture) browse(address string, fill url.Values) *http.Response {
	f.t.Helper()
	client := *f.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Get(address)
	if err != nil {
		f.t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(string(body), -1) {
		form.Set(m[1], htmlText(m[2]))
	}
	for k, v := range fill {
		form[k] = v
	}
	if resp, err = client.PostForm(address, form); err != nil {
		f.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

func TestMSALSignsAUserInByAuthorizationCode(t *testing.T) {
	f := start(t, nil)
	c := f.public()
	u := f.user()
	scopes := []string{"https://graph.microsoft.com/Mail.Read"}
	const verifier = "a-verifier-that-is-at-least-forty-three-characters-long"
	address, err := c.AuthCodeURL(background, desktopApp, "http://localhost:5000", scopes)
	if err != nil {
		t.Fatal(err)
	}
	address += "&state=s1&code_challenge_method=S256&code_challenge=" + challenge(verifier)
	back := f.browse(address, url.Values{"username": {u.UPN}, "password": {u.Password}})
	to, err := back.Location()
	if err != nil || to.Host != "localhost:5000" || to.Query().Get("state") != "s1" {
		t.Fatalf("redirected to %v: %v", to, err)
	}
	code := to.Query().Get("code")
	if _, err := c.AcquireTokenByAuthCode(background, code, "http://localhost:5000", scopes, public.WithChallenge("another verifier, as an attacker has it")); err == nil {
		t.Error("a wrong verifier got a token")
	}
	res, err := c.AcquireTokenByAuthCode(background, code, "http://localhost:5000", scopes, public.WithChallenge(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.read(res.AccessToken); got.UPN != u.UPN || got.App != desktopApp {
		t.Errorf("%+v", got)
	}
	if _, err := c.AcquireTokenByAuthCode(background, code, "http://localhost:5000", scopes, public.WithChallenge(verifier)); err == nil {
		t.Error("a code was redeemed twice")
	}
}

func TestTheSignInPageRefusesWhatItMust(t *testing.T) {
	f := start(t, nil)
	base := url.Values{"client_id": {desktopApp}, "redirect_uri": {"http://localhost"}, "response_type": {"code"}, "scope": {"Mail.Read"}, "state": {"x"}}
	with := func(name, value string) string {
		v := url.Values{}
		for k, old := range base {
			v[k] = old
		}
		v.Set(name, value)
		return f.root + "/oauth2/v2.0/authorize?" + v.Encode()
	}
	u := f.user()
	good := url.Values{"username": {u.UPN}, "password": {u.Password}}
	for _, row := range []struct {
		name, address string
		fill          url.Values
		status        int
		failure       string
	}{
		{"it does not send an unknown application's user anywhere", with("client_id", "nobody"), good, 400, ""},
		{"it does not redirect to an unregistered address", with("redirect_uri", "https://evil.test/"), good, 400, ""},
		{"it tells the application that only codes are served", with("response_type", "token"), good, 302, "unsupported_response_type"},
		{"it tells the application of a bad scope", with("scope", "https://nowhere.test/.default"), good, 302, "invalid_resource"},
		{"it keeps a wrong password on the page", with("state", "x"), url.Values{"username": {u.UPN}, "password": {"guess"}}, 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp := f.browse(row.address, row.fill)
			to, _ := resp.Location()
			failure := ""
			if to != nil {
				failure = to.Query().Get("error")
			}
			if resp.StatusCode != row.status || failure != row.failure {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, failure, row.status, row.failure)
			}
		})
	}
}

func TestMSALSignsAUserInByDeviceCode(t *testing.T) {
	f := start(t, nil)
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	u := f.user()
	flow, err := f.public().AcquireTokenByDeviceCode(ctx, []string{"https://graph.microsoft.com/Mail.Read"})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"client_id": {desktopApp}, "grant_type": {"device_code"}, "device_code": {flow.Result.DeviceCode}}
	if _, doc := f.post("/oauth2/v2.0/token", form); doc["error"] != "authorization_pending" {
		t.Errorf("before the sign-in: %v", doc)
	}
	f.browse(flow.Result.VerificationURL, url.Values{"user_code": {flow.Result.UserCode}, "username": {u.UPN}, "password": {u.Password}})
	res, err := flow.AuthenticationResult(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.read(res.AccessToken); got.UPN != u.UPN {
		t.Errorf("%+v", got)
	}
}

func TestADeviceCodeExpiresAndCanBeDeclined(t *testing.T) {
	f := start(t, nil)
	begin := func() (device, user string) {
		_, doc := f.post("/oauth2/v2.0/devicecode", url.Values{"client_id": {desktopApp}, "scope": {"Mail.Read offline_access openid"}})
		device, _ = doc["device_code"].(string)
		user, _ = doc["user_code"].(string)
		return device, user
	}
	poll := func(device string) any {
		_, doc := f.post("/oauth2/v2.0/token", url.Values{"client_id": {desktopApp}, "grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device}})
		return doc["error"]
	}
	u := f.user()
	device, user := begin()
	f.browse(f.root+"/oauth2/deviceauth", url.Values{"user_code": {user}, "username": {u.UPN}, "password": {u.Password}, "decline": {"1"}})
	if got := poll(device); got != "authorization_declined" {
		t.Errorf("declined: %v", got)
	}
	device, user = begin()
	f.clock.Advance(16 * time.Minute)
	f.browse(f.root+"/oauth2/deviceauth", url.Values{"user_code": {user}, "username": {u.UPN}, "password": {u.Password}})
	if got := poll(device); got != "expired_token" {
		t.Errorf("expired: %v", got)
	}
	for want, form := range map[string]url.Values{
		"invalid_request":     {"scope": {"Mail.Read"}},
		"unauthorized_client": {"client_id": {"nobody"}, "scope": {"Mail.Read"}},
		"invalid_client":      {"client_id": {serviceApp}, "scope": {"Mail.Read"}},
		"invalid_resource":    {"client_id": {desktopApp}, "scope": {"https://nowhere.test/.default"}},
	} {
		if _, doc := f.post("/oauth2/v2.0/devicecode", form); doc["error"] != want {
			t.Errorf("%v: got %v, want %s", form, doc["error"], want)
		}
	}
}

func TestARefreshTokenEndsWithTheConsentAndWithItsTime(t *testing.T) {
	conditions := map[string]int{}
	f := start(t, func(c *sts.Config) { c.Conditions = conditions })
	u := f.user()
	_, doc := f.post("/oauth2/v2.0/token", url.Values{"client_id": {desktopApp}, "grant_type": {"password"}, "username": {u.UPN}, "password": {u.Password},
		"scope": {"Mail.Read offline_access"}})
	refresh, _ := doc["refresh_token"].(string)
	again := func() any {
		_, doc := f.post("/oauth2/v2.0/token", url.Values{"client_id": {desktopApp}, "grant_type": {"refresh_token"}, "refresh_token": {refresh}})
		return doc["error"]
	}
	if got := again(); got != nil {
		t.Errorf("a fresh one: %v", got)
	}
	f.clock.Advance(91 * 24 * time.Hour)
	if got := again(); got != "invalid_grant" {
		t.Errorf("after 91 days: %v", got)
	}
}
