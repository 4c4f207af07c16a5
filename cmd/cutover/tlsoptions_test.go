package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"cutover/profiles"
)

// The words of a tls block reach the connection, and a path's block stands in place of
// the profile's.
func TestTLSOptionsReachTheConnection(t *testing.T) {
	dir := t.TempDir()
	certificate, key := selfSigned(t)
	for name, data := range map[string][]byte{"ca.pem": certificate, "me.pem": certificate, "me.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "profile.yaml")
	text := "profile: p\npaths:\n" +
		"  near: {plain: {url: 'https://127.0.0.1:1'}, host: mail.test, protocol: h2, limits: {connections: 3, streams: 2}}\n" +
		"  far: {plain: {url: 'https://127.0.0.1:2'}, tls: {server_name: far.test, certificate: me.pem, key: {file: me.key}}}\n" +
		"tls: {ca: ca.pem, min: '1.3'}\n"
	p, err := profiles.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	type said struct {
		ca         bool
		min        uint16
		name, host string
		cert       bool
		streams    int
	}
	got := map[string]said{}
	for _, name := range []string{"near", "far"} {
		path, _ := p.Paths.Get(name)
		o, err := (&App{Env: func(string) string { return "" }}).clientOptions(p, path)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = said{o.CA != nil, o.MinTLS, o.ServerName, o.Host, o.ClientCert != nil, o.MaxStreams}
	}
	want := map[string]said{"near": {true, tls.VersionTLS13, "", "mail.test", false, 2}, "far": {false, 0, "far.test", "", true, 0}}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %+v, want %+v", name, got[name], want[name])
		}
	}
}

// selfSigned is a certificate and its key in PEM form.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
}
