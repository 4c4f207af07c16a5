package sts_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"math/big"
)

func newSerial() *big.Int { return big.NewInt(7) }

func htmlText(s string) string { return html.UnescapeString(s) }

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
