package onprem

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"strings"
	"unicode/utf16"
)

// NTLM belongs to a connection: the challenge, and after it the identity, live
// as long as the TCP connection does. A message that arrives on another
// connection than its challenge is refused, as a real server does.

// connection is what NTLM remembers of one. Requests of an HTTP/1.1 connection
// are served one after the other, so it needs no lock.
type connection struct {
	challenge [8]byte
	asked     bool
	caller    *caller
}

type connectionKey struct{}

// ConnContext gives each connection the memory that NTLM needs. The server of
// the service must have it as its ConnContext.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

func connectionOf(r *http.Request) *connection {
	if r.ProtoMajor != 1 {
		return nil // Windows sign-in does not exist over HTTP/2
	}
	c, _ := r.Context().Value(connectionKey{}).(*connection)
	return c
}

const ntlmSignature = "NTLMSSP\x00"

// negotiate serves one message of the handshake.
func (s *Service) negotiate(x *exchange, scheme, text string) bool {
	conn := connectionOf(x.r)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if conn == nil || err != nil || len(raw) < 12 || string(raw[:8]) != ntlmSignature {
		s.challenge(x, 0, "")
		return false
	}
	switch binary.LittleEndian.Uint32(raw[8:]) {
	case 1:
		_, _ = rand.Read(conn.challenge[:])
		conn.asked, conn.caller = true, nil
		x.w.Header().Set("WWW-Authenticate", scheme+" "+base64.StdEncoding.EncodeToString(s.ntlmChallenge(x, conn.challenge)))
		x.w.Header().Set("X-OWA-Version", x.node.Build)
		x.w.Header().Set("Content-Length", "0")
		x.w.WriteHeader(http.StatusUnauthorized)
		return false
	case 3:
		if conn.asked {
			conn.asked = false
			conn.caller = s.ntlmAccount(raw, conn.challenge, s.protection(x.directory))
		}
	}
	if x.caller = conn.caller; x.caller == nil {
		s.challenge(x, 0, "")
		return false
	}
	return true
}

// signedInOn is the identity that the connection of r has already.
func signedInOn(r *http.Request) *caller {
	if c := connectionOf(r); c != nil {
		return c.caller
	}
	return nil
}

// protection is the Extended Protection of a directory. Where it is on, EWS,
// ActiveSync and the address book allow it, Autodiscover has none.
func (s *Service) protection(directory string) string {
	if s.cfg.ExtendedProtection != "require" {
		return s.cfg.ExtendedProtection
	}
	switch directory {
	case "ews", "microsoft-server-activesync", "oab":
		return "allow"
	case "autodiscover", "powershell":
		return "off"
	}
	return "require"
}

// Flags of the challenge: Unicode, request target, NTLM, always sign, target is a
// domain, extended session security, target info, 128 bit.
const ntlmFlags = 0x1 | 0x4 | 0x200 | 0x8000 | 0x10000 | 0x80000 | 0x800000 | 0x20000000

// Ids of the pairs in the target information.
const (
	avEnd = iota
	avComputer
	avDomain
	avDNSComputer
	avDNSDomain
	_
	_
	avTimestamp
	_
	_
	avChannelBindings
)

func (s *Service) ntlmChallenge(x *exchange, challenge [8]byte) []byte {
	target := utf16le(s.cfg.NetBIOS)
	var info []byte
	pair := func(id int, value []byte) {
		info = binary.LittleEndian.AppendUint16(info, uint16(id))
		info = binary.LittleEndian.AppendUint16(info, uint16(len(value)))
		info = append(info, value...)
	}
	pair(avDomain, target)
	pair(avComputer, utf16le(x.node.Name))
	pair(avDNSDomain, utf16le(s.cfg.Domain))
	pair(avDNSComputer, utf16le(strings.ToLower(x.node.Name)+"."+s.cfg.Domain))
	pair(avTimestamp, binary.LittleEndian.AppendUint64(nil, uint64(s.cfg.Clock.Now().UnixNano()/100)+116444736000000000))
	pair(avEnd, nil)

	const head = 48
	out := append([]byte(ntlmSignature), 2, 0, 0, 0)
	field := func(length, offset int) {
		out = binary.LittleEndian.AppendUint16(out, uint16(length))
		out = binary.LittleEndian.AppendUint16(out, uint16(length))
		out = binary.LittleEndian.AppendUint32(out, uint32(offset))
	}
	field(len(target), head)
	out = binary.LittleEndian.AppendUint32(out, ntlmFlags)
	out = append(out, challenge[:]...)
	out = append(out, make([]byte, 8)...)
	field(len(info), head+len(target))
	return append(append(out, target...), info...)
}

// ntlmAccount checks an authenticate message: NTLMv2 only, with the channel
// binding that protection demands. nil: refused.
func (s *Service) ntlmAccount(message []byte, challenge [8]byte, protection string) *caller {
	field := func(at int) []byte {
		if len(message) < at+8 {
			return nil
		}
		length, offset := int(binary.LittleEndian.Uint16(message[at:])), int(binary.LittleEndian.Uint32(message[at+4:]))
		if offset < 0 || offset > len(message) || length > len(message)-offset {
			return nil
		}
		return message[offset : offset+length]
	}
	response, domain, user := field(20), fromUTF16(field(28)), fromUTF16(field(36))
	if len(response) < 16+28 || user == "" {
		return nil
	}
	proof, blob := response[:16], response[16:]
	if !s.bound(blob, protection) {
		return nil
	}
	login := user
	if domain != "" && !strings.Contains(user, "@") {
		login = domain + `\` + user
	}
	return s.account(login, func(secret string) bool {
		hash := md4(utf16le(secret))
		key := hmacMD5(hash[:], utf16le(strings.ToUpper(user)+domain))
		return hmac.Equal(proof, hmacMD5(key, append(append([]byte{}, challenge[:]...), blob...)))
	})
}

// bound checks the channel binding in the client's blob: absent is right unless
// it is required; a wrong one is never right.
func (s *Service) bound(blob []byte, protection string) bool {
	if protection == "off" {
		return true
	}
	info := blob[28:]
	for len(info) >= 4 {
		id, length := binary.LittleEndian.Uint16(info), int(binary.LittleEndian.Uint16(info[2:]))
		if length > len(info)-4 || id == avEnd {
			break
		}
		if id == avChannelBindings {
			return hmac.Equal(info[4:4+length], ChannelBinding(s.cfg.ServerCertificateHash))
		}
		info = info[4+length:]
	}
	return protection != "require"
}

// ChannelBinding is the MD5 of the GSS channel bindings structure of a TLS
// connection: the tls-server-end-point kind of RFC 5929, made of the SHA-256 of
// the server's certificate.
func ChannelBinding(certificateHash []byte) []byte {
	data := append([]byte("tls-server-end-point:"), certificateHash...)
	structure := make([]byte, 16, 20+len(data)) // no addresses of either end
	structure = binary.LittleEndian.AppendUint32(structure, uint32(len(data)))
	sum := md5.Sum(append(structure, data...))
	return sum[:]
}

func hmacMD5(key, data []byte) []byte {
	h := hmac.New(md5.New, key)
	h.Write(data)
	return h.Sum(nil)
}

func utf16le(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
