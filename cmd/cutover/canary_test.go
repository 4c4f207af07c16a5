package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cutover/harness/clock"
	"cutover/reports"
)

// canaries are what must be in nothing that is shared: content of mailboxes, the
// people in them, and every secret of the deployment.
var canaries = map[string]string{
	"subject":  "Canary-Subject/Übernahme 7Q+4",
	"body":     "canary body <7Q=5>",
	"address":  "canary.person@private-7q6.test",
	"name":     "Canary Person 7Q7",
	"id":       "AAMkCANARY7Q8=/+item",
	"password": "Canary:Pass/word+7Q9==",
	"token":    "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiI3UTEwIn0.c2lnbmF0dXJlLTdRMTA",
	"cookie":   "canary-cookie-7Q11",
	"secret":   "Canary~Client.Secret-7Q12",
	"header":   "Canary-Server-Header-7Q13",
	"webhook":  "canary-webhook-7Q14",
	"campaign": "canary campaign/secret=7Q15",
	"login":    `CANARY7Q16\person`,
}

// spellings are the forms in which a string could slip through. A plain hash is among
// them: whoever guesses the string can check the guess.
func spellings(s string) map[string]string {
	quoted, _ := json.Marshal(s)
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	e.Encode(s)
	out := map[string]string{
		"raw": s, "upper case": strings.ToUpper(s), "lower case": strings.ToLower(s), "quoted by Go": strings.Trim(strconv.Quote(s), `"`), "HTML": html.EscapeString(s),
		"path-escaped": url.PathEscape(s), "query-escaped": url.QueryEscape(s), "query-escaped in lower case": strings.ToLower(url.QueryEscape(s)), "escaped twice": url.QueryEscape(url.QueryEscape(s)),
		"JSON": strings.Trim(string(quoted), `"`), "JSON that leaves HTML alone": strings.Trim(strings.TrimSpace(plain.String()), `"`),
		"hex": hex.EncodeToString([]byte(s)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(s))), "every byte escaped": percent(s),
		"base64": base64.StdEncoding.EncodeToString([]byte(s)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(s)),
	}
	for _, served := range []string{s, s + "L", s + "R", "L" + s, "R" + s} { // the sides' own words
		sum := sha256.Sum256([]byte(served))
		out["SHA-256 of "+served], out["SHA-256 in base64 of "+served] = hex.EncodeToString(sum[:5]), base64.RawStdEncoding.EncodeToString(sum[:])[:16]
		mac := hmac.New(sha256.New, nil)
		mac.Write([]byte(served))
		out["HMAC without a key of "+served] = hex.EncodeToString(mac.Sum(nil)[:5])
	}
	for shift := 1; shift < 3; shift++ { // base64 within something longer, without its unaligned ends
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
		out[fmt.Sprint("base64+", shift)] = text[4 : len(text)-4]
	}
	return out
}

// percent writes every byte as %XX.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// private is a server whose every answer holds canaries; the sides differ in all of them.
func private(side string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "auth="+canaries["cookie"])
		w.Header().Set("X-Custom", canaries["header"])
		say := func(v any) { json.NewEncoder(w).Encode(v) }
		item := map[string]any{
			"id": canaries["id"] + side, "subject": canaries["subject"] + side, "bodyPreview": canaries["body"] + side,
			"body":       map[string]any{"contentType": "text", "content": side + canaries["body"]},
			"from":       map[string]any{"emailAddress": map[string]any{"name": canaries["name"], "address": side + canaries["address"]}},
			"webLink":    "https://x.test/?token=" + canaries["token"] + "&id=" + url.QueryEscape(canaries["id"]),
			side + "Own": canaries["subject"],
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/broken"):
			w.WriteHeader(500)
			say(map[string]any{"error": map[string]any{"code": "ErrorInternal", "message": canaries["subject"] + side + " " + r.Header.Get("Authorization")}})
		case strings.HasSuffix(r.URL.Path, "/torn"):
			fmt.Fprintf(w, `{"subject":%q,"torn`, canaries["subject"])
		default:
			say(map[string]any{"value": []any{item}})
		}
	})
}

// tokenService signs applications in over TLS, as Entra ID does. Every answer of it holds what
// only the two may know: a refusal repeats the client secret that it was given.
func tokenService(asked chan<- string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self := "https://" + r.Host + "/" + strings.Split(r.URL.Path, "/")[1]
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			fmt.Fprintf(w, `{"authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/oauth2/v2.0/token","issuer":"%[1]s/v2.0"}`, self)
			return
		}
		secret := r.PostFormValue("client_secret")
		asked <- secret
		if strings.HasPrefix(r.URL.Path, "/refusing/") {
			w.WriteHeader(http.StatusUnauthorized)
			json.NewEncoder(w).Encode(map[string]any{"error": "invalid_client", "error_codes": []int{7000215},
				"error_description": "AADSTS7000215: Invalid client secret provided: " + secret + " " + canaries["token"]})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": canaries["token"], "token_type": "Bearer", "expires_in": 3600})
	})
}

const canaryProfile = `
profile: private
tls: {ca: ca.pem}
paths:
  onprem: {graph: {url: %[1]q, as: user}, auth: {basic: {user: mailbox}}}
  cloud: {graph: {url: %[2]q, as: user}, auth: {entra: {authority: %[3]q, client: app-7q, scopes: [%[4]q], secret: {env: SECRET}}}}
mailboxes:
  - {name: box, onprem_login: %[5]q, onprem_smtp: %[6]q, onprem_secret: {env: PW}, cloud_upn: %[6]q}
  - {name: other, onprem_login: 'other-%[5]s', onprem_smtp: other-%[6]s, onprem_secret: {env: PW}, cloud_upn: other-%[6]s}
`

const canarySuite = `
suite: private
scenarios:
  - name: read
    steps:
      - name: list
        get: /me/messages
        capture: {first: "$.value[0].id", who: "$.value[0].from.emailAddress.address"}
      - {name: one, get: "/me/messages/{{first}}", query: {$filter: "from/emailAddress/address eq '{{who}}'"}}
      - {name: torn, get: /me/messages/x/torn, expect: {checks: ['body.subject == "nothing"']}}
      - {name: broken, get: /me/messages/x/broken}
  - name: write
    steps:
      - {name: find, get: /me/messages, capture: {theirs: "$.value[0].id"}}
      - {name: make, post: /me/messages, body: {subject: x}}
      - {name: change, patch: "/me/messages/{{theirs}}", body: {isRead: true}}
load: [{name: steady, constant: {rate: 5/s, for: 2s}}]
`

// canaryRun is a deployment all of whose content and secrets are canaries.
type canaryRun struct {
	t     *testing.T
	dir   string
	env   map[string]string
	asked chan string // client secrets that the token service was given
}

func startCanaries(t *testing.T) *canaryRun {
	t.Helper()
	c := &canaryRun{t: t, dir: t.TempDir(), env: map[string]string{"PW": canaries["password"], "SECRET": canaries["secret"]}, asked: make(chan string, 100)}
	left, right, service := httptest.NewServer(private("L")), httptest.NewServer(private("R")), httptest.NewTLSServer(tokenService(c.asked))
	for _, s := range []*httptest.Server{left, right, service} {
		t.Cleanup(s.Close)
	}
	c.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw})))
	c.write("s.yaml", canarySuite)
	for _, tenant := range []string{"granting", "refusing"} {
		c.write(tenant+".yaml", fmt.Sprintf(canaryProfile, left.URL+"/v1.0", right.URL+"/v1.0", service.URL+"/"+tenant, right.URL+"/.default",
			canaries["login"], canaries["address"]))
	}
	return c
}

func (c *canaryRun) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// run asks the suite and returns everything that may be shared, by name. The journal is
// private by design; so is the audit trail, which has no need of a canary either.
func (c *canaryRun) run(profile string, want ...int) (folder string, written map[string][]byte) {
	c.t.Helper()
	var formats []string
	for _, f := range reports.Formats() {
		formats = append(formats, f.Name)
	}
	folder = filepath.Join(c.dir, profile)
	code, out, errs := cutover(c.t.Context(), c.env, clock.System(), "run", filepath.Join(c.dir, "s.yaml"), "--profile", filepath.Join(c.dir, profile+".yaml"),
		"--out", folder, "--format", strings.Join(formats, ","), "--allow-write")
	if !slices.Contains(want, code) {
		c.t.Fatalf("exit %d, want %v\n%s%s", code, want, out, errs)
	}
	if given := <-c.asked; given != canaries["secret"] {
		c.t.Fatalf("the token service was given another secret: %q", given)
	}
	written = map[string][]byte{"stdout": []byte(out), "stderr": []byte(errs)}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		name := filepath.Base(path)
		if err != nil || d.IsDir() || strings.HasPrefix(name, "journal") {
			return err
		}
		data, err := os.ReadFile(path)
		written[name] = data
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return folder, written
}

func findCanaries(t *testing.T, written map[string][]byte) {
	t.Helper()
	for what, canary := range canaries {
		for how, text := range spellings(canary) {
			for name, data := range written {
				if i := bytes.Index(data, []byte(text)); i >= 0 {
					t.Errorf("%s holds the %s (%s): …%s…", name, what, how, data[max(0, i-60):min(len(data), i+len(text)+20)])
				}
			}
		}
	}
}

func TestNoCanaryLeavesARun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: make test runs it")
	}
	defer leaves(t)()
	t.Run("run", noCanaryLeavesARun)
}

func noCanaryLeavesARun(t *testing.T) {
	c := startCanaries(t)
	folder, written := c.run("granting", exitFail, exitInconclusive, exitPass)
	if len(written) < 12 {
		t.Fatalf("%d files", len(written))
	}
	if r := (&real{t: t}).result(folder); r.Comparison.Compared == 0 || len(r.Findings) == 0 || r.ValuesShown {
		t.Fatalf("the run compared nothing, or shows values: %+v", r.Comparison)
	}
	findCanaries(t, written)
}

func TestNoCanaryLeavesARunThatCannotSignIn(t *testing.T) {
	_, written := startCanaries(t).run("refusing", exitNotReady)
	if !bytes.Contains(written["stderr"], []byte("7000215")) {
		t.Errorf("the refusal's code is not told:\n%s", written["stderr"])
	}
	findCanaries(t, written)
}
