package client

import (
	"strings"

	"cutover/harness/wire"
)

// checkFields refuses a request whose method, URL or header lines would not
// stay on their lines. Captured values end up in them, so what a server
// answered could otherwise write a second request.
func checkFields(req *wire.Request) error {
	if !isToken(req.Method) {
		return malformed("request: method %q", req.Method)
	}
	for i := range len(req.URL) {
		if c := req.URL[i]; c <= ' ' || c == 0x7f {
			return malformed("request: URL with byte %#02x, which must be escaped", c)
		}
	}
	for i := range req.Header {
		f := &req.Header[i]
		if !isToken(f.Name) {
			return malformed("request: header name %q", f.Name)
		}
		if breaksLine(f.Value) {
			return malformed("request: line break in the value of %s", f.Name)
		}
	}
	if breaksLine(req.Authorization) {
		return malformed("request: line break in the credential")
	}
	return nil
}

// breaksLine reports whether s would end its header line. Three searches for a
// byte are faster than one for any of three: tokens are long.
func breaksLine(s string) bool {
	return strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, 0) >= 0
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

var tokenByte = func() (table [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		table[c] = true
	}
	return table
}()
