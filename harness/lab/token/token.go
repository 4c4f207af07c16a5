// Package token issues and checks the access tokens of the simulated
// deployment: JSON web tokens, signed with RS256, with the claims of Entra's
// first and second format. A token is checked on every call, so that a wrong
// one fails as it would in production; that shape, issuer and signature of a
// token were right is remembered, so that checking it again costs a comparison.
//
// It is the lab's only importer of golang-jwt.
package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
)

// Resource identifiers and applications that Microsoft publishes.
const (
	GraphAudience  = "https://graph.microsoft.com"
	GraphApp       = "00000003-0000-0000-c000-000000000000"
	ExchangeApp    = "00000002-0000-0ff1-ce00-000000000000"
	TokenServiceID = "00000001-0000-0000-c000-000000000000"
)

// remembered bounds the checked tokens in memory, of about 1.5 KB each. Past it the
// memory is emptied.
const remembered = 20_000

// Authority holds the signing key of a tenant and checks what it signed. It is
// safe for concurrent use.
type Authority struct {
	tenant string
	key    *rsa.PrivateKey
	kid    string
	chain  []byte // self-signed certificate of the key, DER: x5c of the key set
	clock  clock.Clock

	serial  atomic.Uint64
	checked sync.Map // string → *Token: signature, issuer and shape were right; lifetime is looked at on each call
	size    atomic.Int64
}

// New makes a signing key for tenant. It takes a few tens of milliseconds. Keys
// are random: two labs of one seed do not accept each other's tokens.
func New(tenant string, c clock.Clock) (*Authority, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	a := &Authority{tenant: tenant, key: key, kid: base64.RawURLEncoding.EncodeToString(sum[:20]), clock: c}
	a.chain, err = selfSigned(key, c.Now())
	return a, err
}

// Tenant is the id of the tenant whose tokens the authority signs.
func (a *Authority) Tenant() string { return a.tenant }

// IssuerV1 and IssuerV2 are the issuers of the two token formats.
func (a *Authority) IssuerV1() string { return "https://sts.windows.net/" + a.tenant + "/" }

// IssuerV2 is the issuer of the second token format.
func (a *Authority) IssuerV2() string {
	return "https://login.microsoftonline.com/" + a.tenant + "/v2.0"
}

// Token is a checked access token.
type Token struct {
	Audience, Issuer, Tenant string
	App, AppName             string
	Object, UPN, Name        string // the user of a delegated token, or the service principal's object id
	Scopes, Roles            []string
	AppOnly                  bool
	Relayed                  bool // made by Graph for its own call to Exchange
	Version                  string
	ID                       string
	Issued, NotBefore, Until time.Time
}

// Kind names the profile that Exchange files a token under.
type Kind string

// The kinds of token that reach Exchange's front end. The names are Exchange's,
// their reading is inferred: V1 is Entra's first format, ActAs has a user,
// AppOnly has none, S2S comes from another Microsoft service.
const (
	V1AppActAs   Kind = "V1AppActAs"
	V1AppOnly    Kind = "V1AppOnly"
	V1S2SActAs   Kind = "V1S2SActAs"
	V1S2SAppOnly Kind = "V1S2SAppOnly"
)

// Kind is the profile of the token.
func (t *Token) Kind() Kind {
	switch {
	case t.Relayed && t.AppOnly:
		return V1S2SAppOnly
	case t.Relayed:
		return V1S2SActAs
	case t.AppOnly:
		return V1AppOnly
	}
	return V1AppActAs
}

// Grants are the roles of an app-only token, the scopes of a delegated one.
func (t *Token) Grants() []string {
	if t.AppOnly {
		return t.Roles
	}
	return t.Scopes
}

// For says whether the token was issued for one of audiences, a trailing slash aside.
func (t *Token) For(audiences ...string) bool {
	aud := strings.TrimSuffix(t.Audience, "/")
	return slices.ContainsFunc(audiences, func(a string) bool { return strings.EqualFold(strings.TrimSuffix(a, "/"), aud) })
}

// Bearer returns the token of an Authorization header. ok is false when the
// header is of another scheme or absent.
func Bearer(authorization string) (raw string, ok bool) {
	const scheme = "Bearer"
	if len(authorization) < len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", false
	}
	rest := authorization[len(scheme):]
	if rest != "" && rest[0] != ' ' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}
