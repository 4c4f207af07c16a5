package client

import (
	"net"
	"strings"
)

// target is a URL taken apart. Its strings are parts of the URL's, so that
// taking it apart allocates nothing.
type target struct {
	secure    bool
	authority string // host, or host:port, as written
	path      string // with the query; "" when the URL has neither
	query     bool   // path begins with "?": a "/" belongs before it
}

// parseTarget splits an absolute http or https URL, already escaped. A
// fragment is dropped; credentials in the URL are refused.
func parseTarget(url string) (target, error) {
	var t target
	rest, ok := strings.CutPrefix(url, "https://")
	if ok {
		t.secure = true
	} else if rest, ok = strings.CutPrefix(url, "http://"); !ok {
		return t, malformed("request: URL without http:// or https://")
	}
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		rest = rest[:i]
	}
	end := 0
	for end < len(rest) && rest[end] != '/' && rest[end] != '?' {
		end++
	}
	t.authority, t.path = rest[:end], rest[end:]
	t.query = t.path != "" && t.path[0] == '?'
	if t.authority == "" || t.authority[0] == ':' || strings.IndexByte(t.authority, '@') >= 0 {
		return t, malformed("request: URL without a plain host")
	}
	return t, nil
}

// address returns the host:port to connect to.
func (k poolKey) address() string {
	host := k.authority
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if k.secure {
		return net.JoinHostPort(host, "443")
	}
	return net.JoinHostPort(host, "80")
}
