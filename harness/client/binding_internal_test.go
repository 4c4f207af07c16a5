package client

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"testing"
)

// message is a CHALLENGE_MESSAGE with the given target information.
func message(info string) []byte {
	raw, _ := hex.DecodeString(info)
	b := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	b = append(b, make([]byte, 28)...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(raw)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(raw)))
	b = binary.LittleEndian.AppendUint32(b, ntlmFixed)
	return append(b, raw...)
}

// info is the target information that a message points at.
func info(b []byte) string {
	length, offset := binary.LittleEndian.Uint16(b[ntlmTarget:]), binary.LittleEndian.Uint32(b[ntlmTarget+4:])
	return hex.EncodeToString(b[offset : offset+uint32(length)])
}

func TestTheDigestIsPutIntoTheTargetInformation(t *testing.T) {
	digest := []byte{0xd1, 0x9e}
	cut := message("0200040041420000" + "00000000")
	for _, row := range []struct {
		name    string
		message []byte
		want    string // "": the message is left alone
	}{
		{"a challenge with pairs: it stands behind them", message("020004004142434400000000"), "0200040041424344" + "0a000200d19e" + "00000000"},
		{"a challenge with the end alone: it is the only pair", message("00000000"), "0a000200d19e" + "00000000"},
		{"a challenge that brings one: it is replaced", message("0a000100ff" + "0200000000000000"), "02000000" + "0a000200d19e" + "00000000"},
		{"a challenge without target information: it is left alone", message(""), ""},
		{"pairs that do not end: it is left alone", message("0200000002000000"), ""},
		{"a pair longer than the rest: it is left alone", message("0200ff00414200000000"), ""},
		{"target information outside the message: it is left alone", cut[:len(cut)-4], ""},
		{"another message: it is left alone", append([]byte("NTLMSSP\x00"), make([]byte, 60)...), ""},
		{"no message: it is left alone", []byte("NTLM"), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := string(row.message)
			got := ""
			if bound, ok := withBinding(row.message, digest); ok {
				got = info(bound)
			}
			if got != row.want || string(row.message) != before {
				t.Errorf("target information %q, want %q", got, row.want)
			}
		})
	}
}

func TestTheDigestIsOfTheKindThatTheSignatureHas(t *testing.T) {
	for _, row := range []struct {
		name      string
		algorithm x509.SignatureAlgorithm
		want      string
	}{
		// Worked out apart from this code from RFC 5929 and RFC 2744, for a certificate of the bytes "leaf".
		{"SHA-1: it is SHA-256", x509.SHA1WithRSA, "027662b8f261c4a4fc792bd14fda4ad4"},
		{"SHA-256: it is SHA-256", x509.SHA256WithRSA, "027662b8f261c4a4fc792bd14fda4ad4"},
		{"SHA-384: it is SHA-384", x509.ECDSAWithSHA384, "60ea06295cc2b7b2ab1d0c313d465318"},
		{"SHA-512: it is SHA-512", x509.SHA512WithRSAPSS, "124133daaf64ee3bc49eb89f0fa3be1f"},
		{"a signature without digest: there is none", x509.PureEd25519, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := hex.EncodeToString(channelBinding(&x509.Certificate{Raw: []byte("leaf"), SignatureAlgorithm: row.algorithm})); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestOnlyChallengesOverTLSAreBound(t *testing.T) {
	challenge := "NTLM " + base64.StdEncoding.EncodeToString(message("00000000"))
	leaf := &x509.Certificate{Raw: []byte("leaf"), SignatureAlgorithm: x509.SHA256WithRSA}
	for _, row := range []struct {
		name, value string
		state       *tls.ConnectionState
		changed     bool
	}{
		{"a challenge over TLS: it is bound", challenge, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, true},
		{"a challenge in the clear: it is left alone", challenge, nil, false},
		{"an offer without message: it is left alone", "NTLM", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, false},
		{"another scheme: it is left alone", "Basic " + challenge[5:], &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, false},
		{"a certificate without digest: it is left alone", challenge, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{SignatureAlgorithm: x509.PureEd25519}}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp := &http.Response{Header: http.Header{"Www-Authenticate": {row.value}}, TLS: row.state}
			bind(resp)
			if got := resp.Header.Get("WWW-Authenticate"); (got != row.value) != row.changed {
				t.Errorf("got %s from %s", got, row.value)
			}
		})
	}
}
