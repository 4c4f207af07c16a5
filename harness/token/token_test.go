package token_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	labtoken "cutover/harness/lab/token"
	"cutover/harness/token"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const (
	tenant  = "11111111-2222-3333-4444-555555555555"
	mailApp = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

func b64(v any) string {
	text, ok := v.(string)
	if !ok {
		b, _ := json.Marshal(v)
		text = string(b)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func jwt(claims map[string]any) string {
	return b64(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "key-1-long-name"}) + "." + b64(claims) + ".canary-signature"
}

// user are the claims of a delegated token for the on-premises namespace;
// change adds, replaces and (nil) removes claims.
func user(change map[string]any) map[string]any {
	c := map[string]any{"aud": "https://mail.contoso.test", "iss": "https://sts.windows.net/" + tenant + "/", "iat": now.Unix() - 600, "nbf": now.Unix() - 600, "exp": now.Unix() + 3000,
		"appid": mailApp, "appidacr": "0", "scp": "Mail.Read Calendars.Read", "tid": tenant, "oid": "99999999-8888-7777-6666-555555555555", "upn": "canary.user@contoso.test", "ver": "1.0"}
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func app(change map[string]any) map[string]any {
	c := user(map[string]any{"scp": nil, "upn": nil, "roles": []string{"Mail.Read"}, "idtyp": "app", "appidacr": "1"})
	for k, v := range change {
		c[k] = v
	}
	return c
}

func explain(t *testing.T, text string) *token.Report {
	t.Helper()
	r, err := token.Explain(text, token.Options{Now: now, Tenant: tenant, Hosts: []string{"mail.contoso.test"}})
	if err != nil {
		t.Fatalf("Explain: %v", err)
	}
	return r
}

// verdicts are the predictions in one line: Graph, Exchange Online, then /api
// /EWS /Autodiscover EAS /mapi /OAB /ECP, each with its code.
func verdicts(tk token.Token) string {
	var all []string
	for _, p := range tk.Predictions {
		s := string(p.Verdict)
		if p.Code != 0 {
			s += fmt.Sprint(p.Code)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func TestKindsAndWhereTheyAreAccepted(t *testing.T) {
	every := func(s string) string { return strings.TrimSpace(strings.Repeat(s+" ", 7)) }
	tests := []struct {
		name, text string
		kind       token.Kind
		verdicts   string
	}{
		{"takes a user's token for the namespace", jwt(user(nil)), token.V1AppActAs, "no no likely likely likely likely likely likely no2000001"},
		{"doubts an application's token for the namespace", jwt(app(nil)), token.V1AppOnly, "no no doubtful2000008 doubtful2000008 doubtful2000008 no2000001 no2000001 no2000001 no2000001"},
		{"sends a Graph token to Graph", jwt(user(map[string]any{"aud": "https://graph.microsoft.com"})), token.V1AppActAs, "likely no " + every("no2000003")},
		{"knows Graph by its id", jwt(app(map[string]any{"aud": "00000003-0000-0000-c000-000000000000"})), token.V1AppOnly, "likely no " + every("no2000003")},
		{"sends an Outlook token to the cloud", jwt(user(map[string]any{"aud": "https://outlook.office365.com/"})), token.V1AppActAs, "no likely " + every("no2000003")},
		{"tells a token of another service", jwt(user(map[string]any{"aud": "https://files.contoso.test"})), token.V1AppActAs, "no no " + every("no2000003")},
		{"finds SSL offload", jwt(user(map[string]any{"aud": "http://mail.contoso.test"})), token.V1AppActAs, "no no " + every("no2000003")},
		{"tells another tenant", jwt(user(map[string]any{"tid": "other"})), token.V1AppActAs, "no no " + every("no2000004")},
		{"tells the end", jwt(user(map[string]any{"exp": now.Unix() - 3600})), token.V1AppActAs, "no no " + every("no2000002")},
		{"knows Graph's own token with a user", jwt(user(map[string]any{"appid": "00000003-0000-0000-c000-000000000000"})), token.V1S2SActAs, "no no likely no2000001 no2000001 no2000001 no2000001 no2000001 no2000001"},
		{"knows Graph's own token without a user", jwt(app(map[string]any{"appid": "00000003-0000-0000-c000-000000000000"})), token.V1S2SAppOnly, "no no " + every("no2000001")},
		{"tells the second format", jwt(user(map[string]any{"ver": "2.0", "appid": nil, "azp": mailApp})), token.V2ActAs, "no no " + every("no2000001")},
		{"tells the second format without a user", jwt(app(map[string]any{"ver": "2.0"})), token.V2AppOnly, "no no " + every("no2000001")},
		{"tells an ID token", jwt(user(map[string]any{"scp": nil, "appid": nil, "appidacr": nil, "aud": mailApp, "ver": "2.0", "nonce": "n"})), token.ID, "no no " + every("no2000001")},
		{"knows a callback token", jwt(map[string]any{"aud": "00000002-0000-0ff1-ce00-000000000000/mail.contoso.test@contoso.test", "iss": "00000002-0000-0ff1-ce00-000000000000@contoso.test", "exp": now.Unix() + 200, "appctx": `{"msexchprot":"rest"}`}),
			token.Callback, "no no likely likely no2000001 no2000001 no2000001 likely no2000001"},
		{"knows an add-in's identity token", jwt(map[string]any{"aud": "https://addin.test", "iss": "00000002-0000-0ff1-ce00-000000000000@contoso.test", "exp": now.Unix() + 200, "appctx": map[string]any{"version": "ExIdTok.V1"}}),
			token.Identity, "no no " + every("no2000001")},
		{"knows the older form with a user", b64(map[string]any{"alg": "none", "typ": "JWT"}) + "." + b64(map[string]any{"aud": "00000002-0000-0ff1-ce00-000000000000/mail.contoso.test@contoso.test", "iss": "x@contoso.test", "actortoken": "inner", "exp": now.Unix() + 60}) + ".",
			token.S2SAppActAs, "no no likely likely likely no2000001 no2000001 no2000001 likely"},
		{"knows the older form without a user", jwt(map[string]any{"aud": "00000002-0000-0ff1-ce00-000000000000/mail.contoso.test@contoso.test", "iss": "00000001-0000-0000-c000-000000000000@contoso.test", "nameid": "x", "exp": now.Unix() + 60}),
			token.S2SAppOnly, "no no doubtful2000008 doubtful2000008 doubtful2000008 no2000001 no2000001 no2000001 no2000001"},
		{"reads decoded claims", func() string { b, _ := json.Marshal(app(nil)); return "My token says " + string(b) + ", why?" }(), token.V1AppOnly,
			"no no doubtful2000008 doubtful2000008 doubtful2000008 no2000001 no2000001 no2000001 no2000001"},
		{"reads claims whose numbers are text", `{"aud":["https://mail.contoso.test"],"exp":"99999999999","scp":"Mail.Read","appid":"x","upn":"a@b.test"}`, token.V1AppActAs, "no no likely likely likely likely likely likely no2000001"},
		{"reads a header line", "GET /api/v2.0/me HTTP/1.1\r\nAuthorization: Bearer " + jwt(user(nil)) + "\r\n", token.V1AppActAs, "no no likely likely likely likely likely likely no2000001"},
		{"tells a refresh token by its form", "0.AXoA" + strings.Repeat("canary", 20), token.Refresh, "no no " + every("no2000001")},
		{"tells an opaque token", "EwB4" + strings.Repeat("canary", 20), token.Opaque, "doubtful " + every("no2000001")},
		{"tells an encrypted token", b64(map[string]any{"alg": "RSA-OAEP", "enc": "A256GCM"}) + strings.Repeat(".canarycanary", 4), token.Encrypted, ""},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			r := explain(t, test.text)
			if len(r.Tokens) != 1 {
				t.Fatalf("tokens = %d, want 1", len(r.Tokens))
			}
			got := r.Tokens[0]
			if got.Kind != test.kind || verdicts(got) != test.verdicts {
				t.Errorf("kind %q, verdicts\n%s, want %q\n%s", got.Kind, verdicts(got), test.kind, test.verdicts)
			}
			if got.About == "" {
				t.Error("it does not say what such a token is for")
			}
			var out strings.Builder
			if err := r.Write(&out); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"canary-signature", "canary.user", "99999999-8888-7777", "canarycanary", b64(user(nil))} {
				if strings.Contains(out.String(), secret) || strings.Contains(fmt.Sprintf("%+v", r), secret) {
					t.Errorf("the report holds %q:\n%s", secret, out.String())
				}
			}
		})
	}
}

func TestTimesTenantAndGrantsAreJudged(t *testing.T) {
	tests := []struct {
		name   string
		claims map[string]any
		want   []token.Judgement
	}{
		{"says how long it lasts", user(nil), []token.Judgement{{Level: token.Good, What: "it is valid for 50m more"}}},
		{"says how long ago it ended", user(map[string]any{"exp": now.Unix() - 72*3600}), []token.Judgement{{Level: token.Fail, What: "it ended 3 days ago", Remedy: "fetch a new one"}}},
		{"knows the tolerance", user(map[string]any{"exp": now.Unix() - 60}), []token.Judgement{{Level: token.Warn, What: "it has just ended; servers with a tolerance still take it", Remedy: "fetch a new one"}}},
		{"finds a clock that is behind", user(map[string]any{"iat": now.Unix() + 120, "nbf": now.Unix() + 120}), []token.Judgement{
			{Level: token.Warn, What: "it was issued 2m in the future: this machine's clock is behind", Remedy: "compare the clock with a time server"}}},
		{"finds a clock that is far off", user(map[string]any{"iat": now.Unix() + 600, "nbf": now.Unix() + 600}), []token.Judgement{
			{Level: token.Fail, What: "it begins in 10m: this machine's clock or the token service's is wrong", Remedy: "compare both clocks with a time server"}}},
		{"finds another tenant", user(map[string]any{"tid": "other"}), []token.Judgement{{Level: token.Good, What: "it is valid for 50m more"},
			{Level: token.Fail, What: "it is of tenant other, the deployment is of " + tenant, Remedy: "sign in at the deployment's tenant"}}},
		{"finds an application without permissions", app(map[string]any{"roles": []string{}}), []token.Judgement{{Level: token.Good, What: "it is valid for 50m more"},
			{Level: token.Fail, What: "the application has no permission at all (no roles)", Remedy: "give it application permissions, such as Mail.Read, and have an administrator consent"}}},
		{"explains roles beside scp", user(map[string]any{"roles": []string{"x"}}), []token.Judgement{{Level: token.Good, What: "it is valid for 50m more"},
			{Level: token.Warn, What: "it has roles and scp: with a user signed in, scp counts and roles are the user's"}}},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			got := explain(t, jwt(test.claims)).Tokens[0].Judgements
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("judgements (-want +got):\n%s", diff)
			}
		})
	}
}

// A question as administrators ask it: trace lines of the server and decoded
// claims of the application's token in one paste.
const question = `Everything works for mailboxes in the cloud, only the one on premises fails with UnknownError. From the trace:
66. GENERAL_SET_RESPONSE_HEADER HeaderName="x-ms-diagnostics", HeaderValue="2000001;reason="This token profile 'V1S2SAppOnly' is not applicable for the current protocol.";error_category="invalid_token"", Replace="false" 05:55:17.545
67. GENERAL_SET_RESPONSE_HEADER HeaderName="WWW-Authenticate", HeaderValue="Bearer client_id="00000002-0000-0ff1-ce00-000000000000", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"", Replace="false" 05:55:17.545
The decoded token looks like { "aud": "https://graph.microsoft.com/", "iss": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "iat": 1795338000, "exp": 1795341600, "app_displayname": "probe", "appid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "appidacr": "1", "roles": ["Mail.ReadWrite", "Mail.Send"], "tid": "11111111-2222-3333-4444-555555555555", "ver": "1.0" } What now?`

const partnerRefusal = `HeaderName="x-ms-diagnostics", HeaderValue="2000008;reason="The token should have valid permissions or linked account associated with partner application '00000003-0000-0000-c000-000000000000'.";error_category="invalid_grant"", Replace="false"`

func TestItSaysWhichTokenWasRefused(t *testing.T) {
	r := explain(t, question)
	if len(r.Tokens) != 1 || r.Tokens[0].Kind != token.V1AppOnly || r.Tokens[0].Predictions[0].Verdict != token.Accepted {
		t.Errorf("the application's token: %+v", r.Tokens)
	}
	wantDiagnostics := []token.Diagnostic{{Code: 2000001, Category: "invalid_token", Reason: "This token profile 'V1S2SAppOnly' is not applicable for the current protocol.",
		Meaning: "the token is malformed, of a kind that this directory does not take, or lacks a claim", Remedy: "look at the kind and the issuer of the token that was refused", Refused: token.V1S2SAppOnly}}
	if diff := cmp.Diff(wantDiagnostics, r.Diagnostics); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	wantFacts := []token.Fact{{Name: "asks for", Value: "Bearer"}, {Name: "asks for a token for", Value: "00000002-0000-0ff1-ce00-000000000000 (Exchange)"}, {Name: "takes", Value: "app_asserted_user_v1 service_asserted_app_v1"}}
	if diff := cmp.Diff(wantFacts, r.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	all := strings.Join(r.Conclusion, "\n")
	for _, want := range []string{"not the one that the application sent", "of kind V1S2SAppOnly", "in order for Graph", "would be 2000008", "let a user sign in", "move the mailbox", "What does not help: editing web.config"} {
		if !strings.Contains(all, want) {
			t.Errorf("the conclusion lacks %q:\n%s", want, all)
		}
	}
}

func TestItExplainsTheSecondRefusalToo(t *testing.T) {
	both := explain(t, question+"\nThen, after editing the list:\n"+partnerRefusal)
	all := strings.Join(both.Conclusion, "\n")
	if n := strings.Count(all, "What helps: let a user sign in"); n != 1 || !strings.Contains(all, "take it out again") {
		t.Errorf("remedies said %d times, want once:\n%s", n, all)
	}
	second := strings.Join(explain(t, partnerRefusal).Conclusion, "\n")
	if !strings.Contains(second, "2000008: Exchange read the token of Graph") || !strings.Contains(second, "move the mailbox") {
		t.Errorf("the second refusal alone:\n%s", second)
	}
}

func TestOtherRefusalsAreExplainedByTheirCode(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"reads a header", "HTTP/1.1 401 Unauthorized\r\nx-ms-diagnostics: 2000003;reason=\"The hostname component of the audience claim value is invalid\";error_category=\"invalid_resource\"\r\n",
			"Exchange refused with 2000003 (invalid_resource): the token is meant for somebody else."},
		{"reads a bare code", "x-ms-diagnostics: 4000000", "Exchange refused with 4000000 (oauth_not_available): the server does not offer modern authentication for this user or protocol."},
		{"reads escaped markup of a trace", "x-ms-diagnostics: 2000002;reason=&quot;x&quot;;error_category=&quot;token_expired&quot;", "Exchange refused with 2000002 (token_expired): the token has ended."},
		{"reads the older name of the category", `x-ms-diagnostics: 2000005;reason="x";error_type="invalid_user"`, "Exchange refused with 2000005 (invalid_user): the user in the token is not found, or not the only one."},
		{"says what it does not know", `x-ms-diagnostics: 2000099;reason="x";error_category="odd"`, "Exchange refused with 2000099 (odd): it is not in Microsoft's published list."},
		{"names the kind that was refused", `x-ms-diagnostics: 2000001;reason="profile 'V1AppOnly' is wrong";error_category="invalid_token"`, "Exchange refused a token of kind V1AppOnly with 2000001 (invalid_token): the token is malformed, of a kind that this directory does not take, or lacks a claim."},
	}
	for _, test := range tests {
		t.Run("it "+test.name, func(t *testing.T) {
			r := explain(t, test.text)
			if len(r.Conclusion) == 0 || r.Conclusion[0] != test.want {
				t.Errorf("conclusion = %q, want %q", r.Conclusion, test.want)
			}
		})
	}
}

func TestServersAreNamedByTheirBuild(t *testing.T) {
	text := "X-OWA-Version: 15.2.1544.11\nX-FEServer: MAIL01\nX-CalculatedBETarget: mail02.contoso.test\nx-ms-ags-diagnostic: {\"ServerInfo\":{}}\nrequest-id: r-1\nSet-Cookie: canary\n" +
		"WWW-Authenticate: Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@contoso.test\", authorization_uri=\"https://login.windows.net/common/oauth2/authorize\"\nWWW-Authenticate: NTLM\n"
	want := []token.Fact{{Name: "server's build", Value: "15.2.1544.11 (Exchange 2019)"}, {Name: "front-end server", Value: "MAIL01"}, {Name: "back-end server", Value: "mail02.contoso.test"},
		{Name: "answered by", Value: "Microsoft Graph"}, {Name: "request id", Value: "r-1"}, {Name: "asks for", Value: "Bearer"}, {Name: "asks for a token for", Value: "00000002-0000-0ff1-ce00-000000000000 (Exchange)"},
		{Name: "trusts", Value: "00000001-0000-0000-c000-000000000000@contoso.test"}, {Name: "sends users to", Value: "https://login.windows.net/common/oauth2/authorize"}, {Name: "asks for", Value: "NTLM"}}
	if diff := cmp.Diff(want, explain(t, text).Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	for build, product := range map[string]string{"15.0.1497.48": "Exchange 2013, which has no /api", "15.1.2507.6": "Exchange 2016", "15.2.2561.99": "Exchange 2019",
		"15.2.2562.17": "Exchange Server SE", "15.20.7000.1": "Exchange Online", "14.3.1.1": "not a build of Exchange 2013 or later", "x": "not a build of Exchange 2013 or later"} {
		if got := token.Product(build); got != product {
			t.Errorf("Product(%s) = %q, want %q", build, got, product)
		}
	}
}

func TestTextWithoutAnythingIsRefused(t *testing.T) {
	for _, text := range []string{"", "hello", "{}", `{"a":1}`, "eyJhbGciOiJub25lIn0", "a.b.c"} {
		if r, err := token.Explain(text, token.Options{}); !errors.Is(err, token.ErrNothing) {
			t.Errorf("Explain(%q) = %+v, %v; want ErrNothing", text, r, err)
		}
	}
	if _, err := token.Explain(strings.Repeat("x", token.MaxInput+1), token.Options{}); err == nil {
		t.Error("text without end is read")
	}
}

func TestWhatATokenSaysCannotSpeakToTheTerminal(t *testing.T) {
	r := explain(t, jwt(app(map[string]any{"app_displayname": "\x1b]0;evil\a\u202eabc\n" + strings.Repeat("x", 5000)})))
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.ContainsAny(s, "\x1b\a\u202e") || len(s) > 4000 {
		t.Errorf("the report holds control characters or is too long (%d bytes)", len(s))
	}
}

func TestTheLabsTokensAreReadAsTheLabMeansThem(t *testing.T) {
	authority, err := labtoken.New(tenant, clock.NewFake(now))
	if err != nil {
		t.Fatal(err)
	}
	grants := map[token.Kind]labtoken.Grant{
		token.V1AppActAs:   {Audience: "https://mail.contoso.test", App: mailApp, UPN: "a@contoso.test", Scopes: []string{"Mail.Read"}},
		token.V1AppOnly:    {Audience: "https://mail.contoso.test", App: mailApp, Roles: []string{"Mail.Read"}},
		token.V1S2SActAs:   {Audience: "https://mail.contoso.test", App: mailApp, UPN: "a@contoso.test", Scopes: []string{"Mail.Read"}, Relayed: true},
		token.V1S2SAppOnly: {Audience: "https://mail.contoso.test", App: mailApp, Roles: []string{"Mail.Read"}, Relayed: true},
	}
	for kind, grant := range grants {
		raw, err := authority.Issue(grant)
		if err != nil {
			t.Fatal(err)
		}
		if got := explain(t, raw).Tokens[0].Kind; got != kind {
			t.Errorf("kind = %q, want %q", got, kind)
		}
	}
}

func TestTheReportReadsLikeThis(t *testing.T) {
	var out strings.Builder
	if err := explain(t, question).Write(&out); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/relayed.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func FuzzExplain(f *testing.F) {
	for _, seed := range []string{question, partnerRefusal, jwt(user(nil)), "{", `{"aud":{},"exp":1}`, "eyJ.eyJ.", "Bearer 0.A" + strings.Repeat("x", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := token.Explain(text, token.Options{Now: now})
		if err != nil {
			return
		}
		var out strings.Builder
		if err := r.Write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(strings.ReplaceAll(out.String(), "\n", ""), "\x00\x1b") {
			t.Errorf("the report holds control characters: %q", out.String())
		}
	})
}
