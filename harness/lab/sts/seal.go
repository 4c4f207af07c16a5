package sts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"
)

// sealed is what an authorization code or a refresh token carries. Both are
// encrypted and self-contained, so that the service keeps nothing for them.
type sealed struct {
	Kind      string // code or refresh
	App       string
	User      string // object id
	Scopes    []string
	Audience  string
	Redirect  string
	Challenge string
	Method    string
	Nonce     string
	Serial    uint64
	Until     time.Time
}

// sealer encrypts with a key that lives as long as the service.
type sealer struct{ aead cipher.AEAD }

func newSealer() (sealer, error) {
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		return sealer{}, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

func (s sealer) close(v sealed) string {
	raw, _ := json.Marshal(v)
	return "0.A" + base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, raw, nil))
}

// open reads a sealed text of kind back; ok is false for anything else.
func (s sealer) open(text, kind string) (v sealed, ok bool) {
	if len(text) < 3 || text[:3] != "0.A" {
		return v, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text[3:])
	if err != nil {
		return v, false
	}
	plain, err := s.aead.Open(nil, nil, raw, nil)
	if err != nil || json.Unmarshal(plain, &v) != nil {
		return v, false
	}
	return v, v.Kind == kind
}
