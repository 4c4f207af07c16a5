package wire

import (
	"regexp"
	"strings"
	"sync"
)

// hidden replaces what must not be read.
const hidden = "***"

// The shapes of a secret, by structure and not by value: what follows a word
// that announces a credential, and what can only be a token.
var (
	credentialHeader = lazy(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-anchormailbox-token|www-authenticate|x-ms-token[a-z-]*)(["']?\s*[:=]\s*\[?["']?)([^\r\n"'\]]+)`)
	scheme           = lazy(`(?i)\b(bearer|basic|ntlm|negotiate|digest)(\s+)([A-Za-z0-9._~+/=-]{6,})`)
	jwt              = lazy(`\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}`)
	assignment       = lazy(`(?i)\b((?:[a-z0-9]+[_-])*(?:password|passwd|pwd|secret|passphrase|assertion|access_?token|refresh_?token|id_?token|device_?code|api_?key|private_?key|sas|sig))(["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&,;}"']+)`)
	xmlSecret        = lazy(`(?is)(<(?:[a-z0-9]+:)?(?:password|binarysecuritytoken)\b[^>]*>)([^<]+)(<)`)
	userinfo         = lazy(`(://[^/\s:@]*:)[^@\s/]+@`)
	pemKey           = lazy(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
)

// lazy compiles a pattern when it is first needed: most runs never do.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Redact returns s with the credentials in it replaced by ***: values of
// Authorization and Cookie headers, Bearer, Basic and NTLM blobs, JWT shapes,
// password= and its relatives in forms, JSON and XML, passwords in URLs, and
// private keys. It looks at structure alone, so that a secret which happens to
// be an ordinary word does not blank that word elsewhere, and it is
// idempotent.
func Redact(s string) string {
	if !suspicious(s) {
		return s
	}
	s = pemKey().ReplaceAllString(s, "${1}"+hidden+"${2}")
	s = credentialHeader().ReplaceAllString(s, "${1}${2}"+hidden)
	s = scheme().ReplaceAllString(s, "${1}${2}"+hidden)
	s = jwt().ReplaceAllString(s, hidden)
	s = assignment().ReplaceAllStringFunc(s, func(found string) string {
		part := assignment().FindStringSubmatch(found)
		quote := ""
		if c := part[3][0]; c == '"' || c == '\'' {
			quote = string(c)
		}
		return part[1] + part[2] + quote + hidden + quote
	})
	s = xmlSecret().ReplaceAllString(s, "${1}"+hidden+"${3}")
	return userinfo().ReplaceAllString(s, "${1}"+hidden+"@")
}

// suspicious is the cheap test that lets ordinary text pass unsearched: every
// shape above needs one of these bytes.
func suspicious(s string) bool {
	return strings.ContainsAny(s, ":=>") || strings.Contains(s, "eyJ") || strings.ContainsAny(s, " \t")
}
