package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"cutover/harness/auth"
	"cutover/harness/lab"
	"cutover/profiles"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"
)

// pair takes certificate and key out of a PEM text.
func pair(t *testing.T, text []byte) (*x509.Certificate, crypto.PrivateKey) {
	t.Helper()
	var leaf *x509.Certificate
	var key crypto.PrivateKey
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			leaf = c
		} else if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			key = k
		} else if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			key = k
		}
	}
	return leaf, key
}

func pfx(t *testing.T, encoder *pkcs12.Encoder, key crypto.PrivateKey, leaf *x509.Certificate, password string) string {
	t.Helper()
	data, err := encoder.Encode(key, leaf, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// elliptically makes a certificate of a kind that Entra does not take.
func elliptically(t *testing.T) (*x509.Certificate, crypto.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf, key
}

func TestAnApplicationProvesItselfWithACertificateOfEveryForm(t *testing.T) {
	d := deploy(t, lab.Options{Seed: 1})
	app := d.client(t, "app-only")
	leaf, key := pair(t, d.lab.ClientPEM())
	const canary = "canary-pfx-password"
	modern, legacy := pfx(t, pkcs12.Modern, key, leaf, canary), pfx(t, pkcs12.LegacyRC2, key, leaf, canary)
	strangeLeaf, strangeKey := elliptically(t)
	for _, row := range []struct{ name, file, password, want string }{
		{"PEM: it signs in", string(d.lab.ClientPEM()), "", "200"},
		{"a PFX of today: it signs in", modern, canary, "200"},
		{"a PFX of old Windows: it signs in", legacy, canary, "200"},
		{"a PFX in base64 with line breaks: it signs in", base64.StdEncoding.EncodeToString([]byte(modern[:300])) + "\r\n" + base64.StdEncoding.EncodeToString([]byte(modern[300:])), canary, "200"},
		{"a PFX without password: it signs in", pfx(t, pkcs12.Modern, key, leaf, ""), "", "200"},
		{"a forgotten password: it says so", modern, "", "the PFX is protected by a password"},
		{"a wrong password: it says so", modern, "wrong", "the PFX's password is wrong"},
		{"something else: it says so", "canary-file", "", "the certificate is neither PEM nor a PFX with one certificate and its key"},
		{"PEM without a key: it says so", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "", "the certificate is not PEM with a certificate and an unencrypted RSA key"},
		{"a key that is not RSA: it says so", pfx(t, pkcs12.Modern, strangeKey, strangeLeaf, ""), "", "the certificate's key is not RSA"},
	} {
		t.Run(row.name, func(t *testing.T) {
			params := map[string]any{"certificate": profiles.SecretValue(row.file)}
			if row.password != "" {
				params["password"] = profiles.SecretValue(row.password)
			}
			got, err := d.try(t, "cloud", d.entra(app, params))
			if err != nil {
				var e *auth.Error
				if !errors.As(err, &e) || e.Remedy == "" || !e.Final || e.Reason != auth.Secret || strings.Contains(err.Error(), "canary") {
					t.Fatalf("error = %#v", err)
				}
				got = e.What
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
