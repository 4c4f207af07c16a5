package vars

import "unicode/utf8"

const hex = "0123456789ABCDEF"

// appendEscaped appends value, made safe for its place.
func appendEscaped(dst []byte, value string, esc Escape) []byte {
	switch esc {
	case Path, Query:
		for i := range len(value) {
			dst = appendURL(dst, value[i])
		}
		return dst
	case JSON:
		return appendJSON(dst, value)
	case XML:
		return appendXML(dst, value)
	}
	return append(dst, value...)
}

// escapeTail escapes what stands in dst from start on, in place. It copies only when
// something has to be escaped.
func escapeTail(dst []byte, start int, esc Escape) []byte {
	if esc == Raw || clean(dst[start:], esc) {
		return dst
	}
	value := string(dst[start:])
	return appendEscaped(dst[:start], value, esc)
}

func clean(value []byte, esc Escape) bool {
	for _, c := range value {
		switch esc {
		case Path, Query:
			if !unreserved(c) {
				return false
			}
		case JSON:
			if c < 0x20 || c == '"' || c == '\\' {
				return false
			}
		case XML:
			if c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c < 0x20 || c >= utf8.RuneSelf {
				return false
			}
		}
	}
	return esc != JSON || utf8.Valid(value)
}

// unreserved is RFC 3986's set of characters that mean themselves everywhere in a URL.
// Everything else is escaped, so that no value can change the shape of a URL.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func appendURL(dst []byte, c byte) []byte {
	if unreserved(c) {
		return append(dst, c)
	}
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// appendJSON appends the inside of a JSON string. Invalid UTF-8 becomes U+FFFD: a
// request must be valid JSON whatever a server answered before.
func appendJSON(dst []byte, value string) []byte {
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// appendXML appends text for an element or an attribute. Characters that XML 1.0 cannot
// hold at all become U+FFFD.
func appendXML(dst []byte, value string) []byte {
	for _, r := range value {
		switch {
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\'':
			dst = append(dst, "&#39;"...)
		case r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0xfffe, r == 0xffff:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
