package doctor

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// forged is a token of the right form that nobody signed: header
// {"alg":"RS256","typ":"JWT"}, claims without user, a signature of zeros.
const forged = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJjdXRvdmVyLWRvY3RvciIsInZlciI6IjEuMCJ9.AAAAAAAAAAAAAAAAAAAAAA"

// wrongToken is one that must be refused.
type wrongToken struct{ name, what, token string }

// wrongTokens are the forged one and, where the path has a token of its own to start
// from, that one spoilt in a single way each: its signature, its end, its audience. None
// holds a signature that anybody made, so none is a credential wherever it ends up; a
// server that looks at the signature first answers all of them with 2000000.
func (e *exam) wrongTokens() []wrongToken {
	all := []wrongToken{{"forged", "a forged token", forged}}
	if !bearer(e) {
		return all
	}
	s := e.token(e.first())
	raw, ok := strings.CutPrefix(s.header, "Bearer ")
	parts := strings.Split(raw, ".")
	if !ok || !s.jwt || len(parts) != 3 {
		return all
	}
	unsigned := strings.Repeat("A", len(parts[2]))
	all = append(all, wrongToken{"tampered", "a token with another signature", parts[0] + "." + parts[1] + "." + unsigned})
	now := e.d.Clock.Now()
	for _, change := range []struct {
		name, what string
		claims     map[string]any
	}{
		{"expired", "a token that has ended", map[string]any{"nbf": now.Add(-3 * time.Hour).Unix(), "iat": now.Add(-3 * time.Hour).Unix(), "exp": now.Add(-2 * time.Hour).Unix()}},
		{"wrong audience", "a token for another service", map[string]any{"aud": "https://cutover-doctor.invalid"}},
	} {
		if payload, ok := altered(parts[1], change.claims); ok {
			all = append(all, wrongToken{change.name, change.what, parts[0] + "." + payload + "." + unsigned})
		}
	}
	return all
}

// altered replaces claims in a token's middle part.
func altered(payload string, with map[string]any) (string, bool) {
	var claims map[string]json.RawMessage
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return "", false
	}
	for name, value := range with {
		if claims[name], err = json.Marshal(value); err != nil {
			return "", false
		}
	}
	text, err = json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString(text), err == nil
}
