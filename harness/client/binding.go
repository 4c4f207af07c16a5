package client

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// Extended Protection ties a Windows sign-in to the TLS connection that carries
// it: the client signs a digest of the certificate that it saw, and the server
// compares it with its own. The signing library does not know of it, but it
// signs whatever target information the server's challenge holds. So the digest
// is put there, before the library sees the challenge. A server without
// Extended Protection ignores it.

// bind adds the channel binding of the connection to the challenges of a refusal.
func bind(resp *http.Response) {
	if resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0 {
		return
	}
	digest := channelBinding(resp.TLS.PeerCertificates[0])
	if digest == nil {
		return
	}
	values := resp.Header.Values("WWW-Authenticate")
	for i, v := range values {
		scheme, text, _ := strings.Cut(v, " ")
		message, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || !strings.EqualFold(scheme, "NTLM") && !strings.EqualFold(scheme, "Negotiate") {
			continue
		}
		if bound, ok := withBinding(message, digest); ok {
			values[i] = scheme + " " + base64.StdEncoding.EncodeToString(bound)
		}
	}
}

// channelBinding is the MD5 of the GSS channel bindings structure over the
// certificate's digest (tls-server-end-point of RFC 5929); nil where that
// standard names no digest for the certificate's signature.
func channelBinding(leaf *x509.Certificate) []byte {
	var digest []byte
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		sum := sha512.Sum384(leaf.Raw)
		digest = sum[:]
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		sum := sha512.Sum512(leaf.Raw)
		digest = sum[:]
	case x509.UnknownSignatureAlgorithm, x509.PureEd25519:
		return nil
	default: // MD5 and SHA-1 are replaced by SHA-256
		sum := sha256.Sum256(leaf.Raw)
		digest = sum[:]
	}
	data := append([]byte("tls-server-end-point:"), digest...)
	structure := make([]byte, 16, 20+len(data)) // kinds and lengths of both ends' addresses: none
	structure = binary.LittleEndian.AppendUint32(structure, uint32(len(data)))
	sum := md5.Sum(append(structure, data...))
	return sum[:]
}

// Places in a CHALLENGE_MESSAGE of MS-NLMP, section 2.2.1.2, and the pairs of
// its target information, section 2.2.2.1.
const (
	ntlmType        = 8  // of the message, 4 bytes
	ntlmTarget      = 40 // length, capacity and offset of the target information
	ntlmFixed       = 48 // what every challenge has
	pairEnd         = 0
	pairBinding     = 10
	pairHead        = 4
	ntlmIsChallenge = 2
)

// withBinding returns the challenge with the digest in its target information;
// ok is false for what is no challenge with target information.
func withBinding(message, digest []byte) (bound []byte, ok bool) {
	if len(message) < ntlmFixed || string(message[:ntlmType]) != "NTLMSSP\x00" || binary.LittleEndian.Uint32(message[ntlmType:]) != ntlmIsChallenge {
		return nil, false
	}
	length, offset := int(binary.LittleEndian.Uint16(message[ntlmTarget:])), int(binary.LittleEndian.Uint32(message[ntlmTarget+4:]))
	if length < pairHead || offset < ntlmFixed || offset > len(message)-length {
		return nil, false
	}
	var info []byte
	for rest := message[offset : offset+length]; ; {
		if len(rest) < pairHead {
			return nil, false
		}
		id, size := binary.LittleEndian.Uint16(rest), pairHead+int(binary.LittleEndian.Uint16(rest[2:]))
		if id == pairEnd {
			break
		}
		if size > len(rest) {
			return nil, false
		}
		if id != pairBinding {
			info = append(info, rest[:size]...)
		}
		rest = rest[size:]
	}
	info = binary.LittleEndian.AppendUint16(info, pairBinding)
	info = binary.LittleEndian.AppendUint16(info, uint16(len(digest)))
	info = append(info, digest...)
	info = append(info, pairEnd, 0, 0, 0)
	if len(info) > 0xffff {
		return nil, false
	}
	bound = append(slices.Clone(message), info...)
	binary.LittleEndian.PutUint16(bound[ntlmTarget:], uint16(len(info)))
	binary.LittleEndian.PutUint16(bound[ntlmTarget+2:], uint16(len(info)))
	binary.LittleEndian.PutUint32(bound[ntlmTarget+4:], uint32(len(message)))
	return bound, true
}
