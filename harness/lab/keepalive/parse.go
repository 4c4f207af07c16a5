package keepalive

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// origin is where the requests of a line come from.
type origin struct {
	address string
	tls     *tls.ConnectionState
}

// parse reads a request header at the beginning of raw, and says how long it is.
// It knows plain requests only: known methods, a path, HTTP/1.1, one Host, at most
// one Content-Length, and no field by which the two sides would have to agree on
// something. For all others, and for what is no request, it returns nil.
func parse(raw []byte, from origin) (r *http.Request, length int) {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0
	}
	text := string(raw[:end+2])
	first, fields, _ := strings.Cut(text, "\r\n")
	method, rest, _ := strings.Cut(first, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !methods[method] || version != "HTTP/1.1" || !path(target) {
		return nil, 0
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, 0
	}
	r = &http.Request{
		Method: method, URL: u, RequestURI: target, Proto: version, ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, RemoteAddr: from.address, TLS: from.tls,
	}
	if !header(r, fields) || r.Host == "" {
		return nil, 0
	}
	return r, end + 4
}

// methods are the ones that a line serves.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PATCH": true, "PUT": true, "DELETE": true, "OPTIONS": true}

// path says whether a target is a path of visible characters.
func path(target string) bool {
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f {
			return false
		}
	}
	return strings.HasPrefix(target, "/")
}

// header reads the fields of a request, each of which ends with a line break.
func header(r *http.Request, fields string) bool {
	n := strings.Count(fields, "\n")
	r.Header = make(http.Header, n)
	values := make([]string, 0, n)
	for fields != "" {
		var field string
		field, fields, _ = strings.Cut(fields, "\r\n")
		name, value, ok := strings.Cut(field, ":")
		if !ok || name == "" || !word(name) || !visible(value) {
			return false
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " \t")
		switch name {
		case "Host":
			if r.Host != "" || !validHost(value) {
				return false
			}
			r.Host = value
			continue
		case "Content-Length":
			if r.Header[name] != nil || !decimal(value, &r.ContentLength) {
				return false
			}
		case "Connection", "Expect", "Upgrade", "Transfer-Encoding", "Trailer", "Te", "Keep-Alive", "Proxy-Connection", "Http2-Settings":
			return false
		}
		if old := r.Header[name]; old != nil {
			r.Header[name] = append(old, value)
			continue
		}
		values = append(values, value)
		r.Header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return true
}

// word says whether a name is made of letters, digits and dashes.
func word(name string) bool {
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// visible says whether a value has no control characters. Tokens are long: four
// characters at a time are looked at while they are letters and the like.
func visible(value string) bool {
	for len(value) >= 4 && value[0]-'!' < '~'-' ' && value[1]-'!' < '~'-' ' && value[2]-'!' < '~'-' ' && value[3]-'!' < '~'-' ' {
		value = value[4:]
	}
	for i := range len(value) {
		if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
			return false
		}
	}
	return true
}

// decimal reads a length that a line would take.
func decimal(text string, into *int64) bool {
	if text == "" || len(text) > len("65536") {
		return false
	}
	*into = 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
		*into = *into*10 + int64(text[i]-'0')
	}
	return *into <= maxBody
}

// validHost is stricter than net/http, which decides about every other.
func validHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == ':' || c == '[' || c == ']') {
			return false
		}
	}
	return host != ""
}
