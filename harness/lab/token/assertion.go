package token

import (
	"crypto/rsa"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Assertion is what a client stated about itself in a signed client assertion.
type Assertion struct {
	App       string // iss and sub
	Audience  string
	NotBefore time.Time
	Expires   time.Time
}

// CheckAssertion verifies a client assertion against the key that is registered
// for the application which it names: keys is asked with that application's id
// and returns nil for an unknown one. RS256 and PS256 are accepted. Whether the
// times are right is for the caller to say: production has a code of its own
// for that. The error wraps ErrAssertion and never quotes the assertion.
func CheckAssertion(raw string, keys func(app string) *rsa.PublicKey) (Assertion, error) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithoutClaimsValidation())
	var c jwt.RegisteredClaims
	_, err := parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) {
		if c.Issuer == "" || c.Issuer != c.Subject {
			return nil, fmt.Errorf("%w: iss and sub differ", ErrAssertion)
		}
		key := keys(c.Issuer)
		if key == nil {
			return nil, fmt.Errorf("%w: no certificate is registered", ErrAssertion)
		}
		return key, nil
	})
	if err != nil {
		return Assertion{App: c.Issuer}, fmt.Errorf("%w: not signed with the registered certificate", ErrAssertion)
	}
	out := Assertion{App: c.Issuer}
	if len(c.Audience) > 0 {
		out.Audience = c.Audience[0]
	}
	if c.NotBefore != nil {
		out.NotBefore = c.NotBefore.Time
	}
	if c.ExpiresAt != nil {
		out.Expires = c.ExpiresAt.Time
	}
	return out, nil
}
