package doctor_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"cutover/harness/result"
	"cutover/harness/wire"
)

func TestForgedTokens(t *testing.T) {
	now := newWorld(t).now.Unix()
	forged := func(a func(*wire.Request) wire.Response) func(*world) {
		return func(w *world) {
			w.options.Negative = true
			w.answers["/api/v2.0/me"] = func(req *wire.Request) wire.Response {
				if strings.HasSuffix(req.URL, "/me") && len(req.Authorization) > len("Bearer ") {
					return a(req)
				}
				return w.healthy(req)
			}
		}
	}
	for _, r := range []row{
		{"nobody asked for it: it is not sent", nothing, "onprem", "oauth.negative", result.Skip, "--negative"},
		{"it is refused: it passes", forged(unauthorized("x-ms-diagnostics", `2000000;reason="x";error_category="invalid_signature"`)), "onprem", "oauth.negative", result.Pass, "401 2000000"},
		{"it is let in: it fails", forged(status(200, "{}")), "onprem", "oauth.negative", result.Fail, "200 to a forged token"},
		{"the answer is odd: it warns", forged(status(500, "")), "onprem", "oauth.negative", result.Warn, "500"},
		{"the connection ends: it fails", forged(gone), "onprem", "oauth.negative", result.Fail, "reset"},
		{"one whose signature nobody made is let in: it fails", forged(lettingIn(func(c map[string]any) bool { return c["tid"] == tenantID })), "onprem", "oauth.negative", result.Fail, "200 to a token with another signature"},
		{"one that has ended is let in: it fails", forged(lettingIn(func(c map[string]any) bool { return int64(c["exp"].(float64)) < now })), "onprem", "oauth.negative", result.Fail, "200 to a token that has ended"},
		{"one for another service is let in: it fails", forged(lettingIn(func(c map[string]any) bool { return c["aud"] == "https://cutover-doctor.invalid" })), "onprem", "oauth.negative", result.Fail, "200 to a token for another service"},
		{"all of them are refused: it tells each answer", forged(unauthorized()), "onprem", "oauth.negative", result.Pass, "forged: 401, tampered: 401, expired: 401, wrong audience: 401"},
	} {
		t.Run(r.name, func(t *testing.T) { r.check(t, false) })
	}
}

// lettingIn refuses every token but those with such claims.
func lettingIn(holds func(map[string]any) bool) func(*wire.Request) wire.Response {
	return func(req *wire.Request) wire.Response {
		claims := map[string]any{"exp": 1e12}
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(req.Authorization, ".")[1])
		if err == nil && json.Unmarshal(text, &claims) == nil && holds(claims) {
			return status(200, "{}")(req)
		}
		return unauthorized()(req)
	}
}

func TestNoWrongTokenHoldsASignature(t *testing.T) {
	w := newWorld(t)
	w.options.Negative = true
	var sent []string
	w.answers["/api/v2.0/me"] = func(req *wire.Request) wire.Response {
		if strings.HasSuffix(req.URL, "/me") && len(req.Authorization) > len("Bearer ") {
			sent = append(sent, req.Authorization)
		}
		return w.healthy(req)
	}
	w.examine(t.Context())
	if len(sent) != 4 {
		t.Errorf("%d wrong tokens were sent, want 4", len(sent))
	}
	for _, token := range sent {
		if signature := token[strings.LastIndexByte(token, '.')+1:]; strings.Trim(signature, "A") != "" {
			t.Errorf("a wrong token carries the signature %q", signature)
		}
	}
}
