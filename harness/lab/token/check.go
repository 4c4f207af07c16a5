package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Defect is what is wrong with a token.
type Defect uint8

// The defects, in the order in which they are looked for.
const (
	Empty     Defect = iota + 1 // no token at all
	Malformed                   // not three parts of base64url JSON
	Algorithm                   // not RS256: none, HS256 …
	Key                         // signed with a key that the authority does not know
	Signature
	Tenant  // issued for another tenant, or issuer and tid disagree
	Claims  // a claim that every access token has is missing
	Early   // nbf lies ahead
	Expired // exp has passed
)

var defectNames = map[Defect]string{
	Empty: "empty", Malformed: "malformed", Algorithm: "algorithm", Key: "unknown key", Signature: "signature",
	Tenant: "tenant", Claims: "claims", Early: "not yet valid", Expired: "expired",
}

// String names the defect.
func (d Defect) String() string { return defectNames[d] }

// Fault is a refused token. It never quotes the token.
type Fault struct {
	Defect Defect
	Detail string
	Token  *Token // the claims, where the signature was right; nil otherwise
}

// Error says what is wrong.
func (f *Fault) Error() string { return "token refused: " + f.Defect.String() + ": " + f.Detail }

// Verify checks a token: shape, algorithm, key, signature, tenant and issuer,
// lifetime. There is no tolerance for clocks that disagree; production allows
// about five minutes. Whom the token is for is the service's question: see
// [Token.For].
func (a *Authority) Verify(raw string) (*Token, *Fault) {
	if raw == "" {
		return nil, &Fault{Defect: Empty, Detail: "no token given"}
	}
	if known, ok := a.checked.Load(raw); ok {
		return a.alive(known.(*Token))
	}
	t, fault := a.parse(raw)
	if fault != nil {
		return nil, fault
	}
	if a.size.Add(1) > remembered {
		a.checked.Clear()
		a.size.Store(1)
	}
	a.checked.Store(strings.Clone(raw), t) // raw may be part of a larger text
	return a.alive(t)
}

func (a *Authority) alive(t *Token) (*Token, *Fault) {
	now := a.clock.Now()
	switch {
	case now.Before(t.NotBefore):
		return nil, &Fault{Defect: Early, Detail: "valid from " + t.NotBefore.UTC().Format(time.RFC3339), Token: t}
	case !now.Before(t.Until):
		return nil, &Fault{Defect: Expired, Detail: "valid until " + t.Until.UTC().Format(time.RFC3339), Token: t}
	}
	return t, nil
}

// claims are the members that the lab reads; others are ignored.
type claims struct {
	Aud               string   `json:"aud"`
	Iss               string   `json:"iss"`
	Tid               string   `json:"tid"`
	Ver               string   `json:"ver"`
	Appid             string   `json:"appid"`
	Azp               string   `json:"azp"`
	AppName           string   `json:"app_displayname"`
	Oid               string   `json:"oid"`
	UPN               string   `json:"upn"`
	PreferredUsername string   `json:"preferred_username"`
	Name              string   `json:"name"`
	Scp               string   `json:"scp"`
	Roles             []string `json:"roles"`
	Uti               string   `json:"uti"`
	Iat               int64    `json:"iat"`
	Nbf               int64    `json:"nbf"`
	Exp               int64    `json:"exp"`
	S2S               bool     `json:"x_s2s"`
}

func (a *Authority) parse(raw string) (*Token, *Fault) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, &Fault{Defect: Malformed, Detail: fmt.Sprintf("%d parts instead of 3", len(parts))}
	}
	var header struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}
	if err := part(parts[0], &header); err != nil {
		return nil, &Fault{Defect: Malformed, Detail: "header is not base64url JSON"}
	}
	var c claims
	if err := part(parts[1], &c); err != nil {
		return nil, &Fault{Defect: Malformed, Detail: "claims are not base64url JSON"}
	}
	if header.Alg != jwt.SigningMethodRS256.Alg() {
		return nil, &Fault{Defect: Algorithm, Detail: "signed with another algorithm than RS256"}
	}
	if header.Kid != a.kid {
		return nil, &Fault{Defect: Key, Detail: "signed with an unknown key"}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, &Fault{Defect: Malformed, Detail: "signature is not base64url"}
	}
	if err := jwt.SigningMethodRS256.Verify(parts[0]+"."+parts[1], signature, &a.key.PublicKey); err != nil {
		return nil, &Fault{Defect: Signature, Detail: "signature does not match"}
	}
	t := c.token()
	if c.Tid != a.tenant || (c.Iss != a.IssuerV1() && c.Iss != a.IssuerV2()) {
		return nil, &Fault{Defect: Tenant, Detail: "issued for another tenant", Token: t}
	}
	if c.Aud == "" || t.App == "" || c.Exp == 0 {
		return nil, &Fault{Defect: Claims, Detail: "aud, exp or the application is missing", Token: t}
	}
	return t, nil
}

func (c *claims) token() *Token {
	t := &Token{
		Audience: c.Aud, Issuer: c.Iss, Tenant: c.Tid, App: c.Appid, AppName: c.AppName,
		Object: c.Oid, UPN: c.UPN, Name: c.Name, Roles: c.Roles, Scopes: strings.Fields(c.Scp),
		Relayed: c.S2S, Version: c.Ver, ID: c.Uti,
		Issued: time.Unix(c.Iat, 0), NotBefore: time.Unix(c.Nbf, 0), Until: time.Unix(c.Exp, 0),
	}
	if t.App == "" {
		t.App = c.Azp
	}
	if t.UPN == "" {
		t.UPN = c.PreferredUsername
	}
	t.AppOnly = t.UPN == "" && c.Scp == ""
	return t
}

func part(text string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// ErrAssertion is a client assertion that does not prove its application.
var ErrAssertion = errors.New("client assertion")
