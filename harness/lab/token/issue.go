package token

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Grant says what an access token is to state.
type Grant struct {
	Audience string
	App      string // client id
	AppName  string
	AppAuth  int // how the client proved itself: 0 not, 1 secret, 2 certificate
	Object   string
	UPN      string // "" makes an app-only token
	Name     string
	Scopes   []string
	Roles    []string
	Relayed  bool // Graph's own token towards Exchange
	Second   bool // the second format; resources of Microsoft get the first
	Start    time.Time
	Lifetime time.Duration // 0: one hour
	Tenant   string        // "" the authority's own
}

// Issue signs an access token. The claims and their names are those of
// production tokens, in the first format unless g.Second.
func (a *Authority) Issue(g Grant) (string, error) {
	if g.Tenant == "" {
		g.Tenant = a.tenant
	}
	if g.Start.IsZero() {
		g.Start = a.clock.Now()
	}
	if g.Lifetime == 0 {
		g.Lifetime = time.Hour
	}
	claims := jwt.MapClaims{
		"aud": g.Audience,
		"iat": g.Start.Unix(), "nbf": g.Start.Unix(), "exp": g.Start.Add(g.Lifetime).Unix(),
		"tid": g.Tenant, "oid": g.Object, "sub": g.Object, "uti": a.uti(),
	}
	if g.Second {
		claims["iss"] = "https://login.microsoftonline.com/" + g.Tenant + "/v2.0"
		claims["ver"] = "2.0"
		claims["azp"], claims["azpacr"] = g.App, fmt.Sprint(g.AppAuth)
	} else {
		claims["iss"] = "https://sts.windows.net/" + g.Tenant + "/"
		claims["ver"] = "1.0"
		claims["appid"], claims["appidacr"] = g.App, fmt.Sprint(g.AppAuth)
		claims["app_displayname"] = g.AppName
		claims["idp"] = claims["iss"]
	}
	if g.Relayed {
		claims["x_s2s"] = true // the lab's stand-in for a service-to-service token; real ones are not described
	}
	if g.UPN == "" {
		claims["idtyp"] = "app"
		claims["roles"] = append([]string{}, g.Roles...)
		return a.Sign(claims)
	}
	claims["scp"] = strings.Join(g.Scopes, " ")
	claims["name"] = g.Name
	if g.Second {
		claims["preferred_username"] = g.UPN
	} else {
		claims["upn"], claims["unique_name"] = g.UPN, g.UPN
		claims["amr"], claims["acr"] = []string{"pwd"}, "1"
	}
	return a.Sign(claims)
}

// Sign signs any claims with the authority's key: for id tokens, and for tests
// that need a token which Issue would not make.
func (a *Authority) Sign(claims map[string]any) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	t.Header["kid"] = a.kid
	t.Header["x5t"] = a.thumbprint()
	return t.SignedString(a.key)
}

func (a *Authority) thumbprint() string {
	sum := sha1.Sum(a.chain)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// uti is a token id of 22 characters, different for each token of the authority.
func (a *Authority) uti() string {
	var b [16]byte
	n := a.serial.Add(1)
	for i := range 8 {
		b[i] = byte(n >> (8 * i))
	}
	copy(b[8:], a.kid)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// JWKS is the public key set as the discovery document points to it.
func (a *Authority) JWKS() []byte {
	type key struct {
		Kty string   `json:"kty"`
		Use string   `json:"use"`
		Kid string   `json:"kid"`
		X5t string   `json:"x5t"`
		N   string   `json:"n"`
		E   string   `json:"e"`
		X5c []string `json:"x5c"`
	}
	out, _ := json.Marshal(map[string][]key{"keys": {{
		Kty: "RSA", Use: "sig", Kid: a.kid, X5t: a.thumbprint(),
		N:   base64.RawURLEncoding.EncodeToString(a.key.N.Bytes()),
		E:   base64.RawURLEncoding.EncodeToString(big.NewInt(int64(a.key.E)).Bytes()),
		X5c: []string{base64.StdEncoding.EncodeToString(a.chain)},
	}}})
	return out
}

func selfSigned(key *rsa.PrivateKey, now time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cutover lab token signing"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(2, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("signing certificate: %w", err)
	}
	return der, nil
}
