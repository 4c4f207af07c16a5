package odata

import (
	"strings"
	"time"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokName
	tokString
	tokNumber
	tokTime
	tokGUID
	tokOpen
	tokClose
	tokComma
	tokColon
)

type token struct {
	kind tokenKind
	text string
	time time.Time
	at   int
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// lex cuts a filter into tokens.
func lex(s string) ([]token, *Error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t':
			i++
		case c == '(' || c == ')' || c == ',' || c == ':':
			out = append(out, token{kind: map[byte]tokenKind{'(': tokOpen, ')': tokClose, ',': tokComma, ':': tokColon}[c], text: s[i : i+1], at: i})
			i++
		case c == '\'':
			text, n, ok := quoted(s[i:])
			if !ok {
				return nil, fail("There is an unterminated string literal at position %d in '%s'.", len(s), s)
			}
			out = append(out, token{kind: tokString, text: text, at: i})
			i += n
		case isDigit(c) || c == '-' && i+1 < len(s) && isDigit(s[i+1]):
			n := wordLength(s[i:])
			t, ok := literal(s[i : i+n])
			if !ok {
				return nil, fail("Unrecognized literal '%s' at position %d in '%s'.", s[i:i+n], i, s)
			}
			t.at = i
			out = append(out, t)
			i += n
		case isLetter(c):
			n := wordLength(s[i:])
			t := token{kind: tokName, text: s[i : i+n], at: i}
			if isGUID(t.text) {
				t.kind = tokGUID
			}
			out = append(out, t)
			i += n
		default:
			return nil, syntax(c, i, s)
		}
	}
	return append(out, token{kind: tokEnd, at: len(s)}), nil
}

// quoted reads a string literal; a doubled quote stands for one.
func quoted(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

// wordLength is the length of a name, path, number, date or GUID at the start of
// s. A colon belongs to it only in a time.
func wordLength(s string) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case isLetter(c), isDigit(c), c == '/', c == '.', c == '-', c == '+', c == '@':
		case c == ':' && isDigit(s[0]) && i+1 < len(s) && isDigit(s[i+1]):
		default:
			return i
		}
	}
	return len(s)
}

func literal(s string) (token, bool) {
	if isGUID(s) {
		return token{kind: tokGUID, text: s}, true
	}
	if t, ok := ParseTime(s); ok && len(s) >= 10 {
		return token{kind: tokTime, text: s, time: t}, true
	}
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '.' && (s[i] != '-' || i > 0) {
			return token{}, false
		}
	}
	return token{kind: tokNumber, text: s}, true
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isDigit(s[i]) && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly}

// ParseTime reads a date with or without a time; without an offset it is UTC.
func ParseTime(s string) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
