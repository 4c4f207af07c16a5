package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
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
}

// spellings are the forms in which a string could slip through.
func spellings(s string) map[string]string {
	quoted, _ := json.Marshal(s)
	out := map[string]string{
		"raw": s, "path-escaped": url.PathEscape(s), "query-escaped": url.QueryEscape(s), "JSON": strings.Trim(string(quoted), `"`),
		"base64": base64.StdEncoding.EncodeToString([]byte(s)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(s)),
		"reversed case": strings.ToUpper(s),
	}
	for shift := 1; shift < 3; shift++ { // base64 within something longer, without its unaligned ends
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
		out[fmt.Sprint("base64+", shift)] = text[4 : len(text)-4]
	}
	return out
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
load: [{name: steady, constant: {rate: 5/s, for: 2s}}]
`

func TestNoCanaryLeavesARun(t *testing.T) {
	left, right := httptest.NewServer(private("L")), httptest.NewServer(private("R"))
	defer left.Close()
	defer right.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	profile := write("p.yaml", fmt.Sprintf(`
profile: private
paths:
  onprem: {graph: {url: %q, as: user}, auth: {basic: {user: mailbox}}}
  cloud: {graph: {url: %q, as: user}, auth: {token: {secret: {env: TOKEN}}}}
mailboxes: [{name: box, onprem_login: %q, onprem_smtp: %q, onprem_secret: {env: PW}, cloud_upn: %q}]
`, left.URL+"/v1.0", right.URL+"/v1.0", canaries["address"], canaries["address"], canaries["address"]))
	env := map[string]string{"PW": canaries["password"], "TOKEN": canaries["token"], "SECRET": canaries["secret"]}
	var formats []string
	for _, f := range reports.Formats() {
		formats = append(formats, f.Name)
	}
	folder := filepath.Join(dir, "run")
	code, out, errs := cutover(t.Context(), env, clock.System(), "run", write("s.yaml", canarySuite), "--profile", profile, "--out", folder, "--format", strings.Join(formats, ","))
	written := map[string][]byte{"stdout": []byte(out), "stderr": []byte(errs)}
	files := 0
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := filepath.Base(path)
		data, err := os.ReadFile(path)
		if strings.HasPrefix(name, "journal") || strings.HasPrefix(name, "audit") {
			return err // private by design; secrets have no place there either
		}
		files++
		written[name] = data
		return err
	})
	if err != nil || files < 10 {
		t.Fatalf("exit %d, %d files, %v\n%s%s", code, files, err, out, errs)
	}
	if r := (&real{t: t}).result(folder); r.Comparison.Compared == 0 || len(r.Findings) == 0 || r.ValuesShown {
		t.Fatalf("the run compared nothing, or shows values: %+v", r.Comparison)
	}
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
