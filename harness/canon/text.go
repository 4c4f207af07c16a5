package canon

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escape checks the escape at the parser's place and returns its length. A lone half of a
// surrogate pair is noted: it stands for no character, and decoders replace it in different ways.
func (p *parser) escape() (length int, ok bool) {
	b := p.b[p.i:]
	if len(b) < 2 {
		return 0, p.broken("ends inside an escape")
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		r, good := hex4(b[2:])
		if !good {
			return 0, p.broken("\\u needs four hexadecimal digits")
		}
		if !utf16.IsSurrogate(r) {
			return 6, true
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			low, good := hex4(b[8:])
			if good && utf16.DecodeRune(r, low) != utf8.RuneError {
				return 12, true
			}
		}
		p.note(ProblemSurrogate, p.i, "")
		return 6, true
	}
	return 0, p.broken("unknown escape \\" + string(rune(b[1])))
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

var simpleEscape = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape appends the text of a string whose escapes were checked. A lone surrogate keeps its
// escape, so that two different ones stay different.
func unescape(dst, raw []byte) (out []byte, ok bool) {
	for i := 0; i < len(raw); {
		if plain := bytes.IndexByte(raw[i:], '\\'); plain != 0 {
			if plain < 0 {
				return append(dst, raw[i:]...), true
			}
			dst = append(dst, raw[i:i+plain]...)
			i += plain
		}
		if i+1 >= len(raw) {
			return dst, false
		}
		if raw[i+1] != 'u' {
			dst = append(dst, simpleEscape[raw[i+1]])
			i += 2
			continue
		}
		r, good := hex4(raw[i+2:])
		if !good {
			return dst, false
		}
		if !utf16.IsSurrogate(r) {
			dst = utf8.AppendRune(dst, r)
			i += 6
			continue
		}
		if i+12 <= len(raw) && raw[i+6] == '\\' && raw[i+7] == 'u' {
			if low, good := hex4(raw[i+8:]); good {
				if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
					dst = utf8.AppendRune(dst, full)
					i += 12
					continue
				}
			}
		}
		dst = append(dst, raw[i:i+6]...)
		i += 6
	}
	return dst, true
}

// number checks the grammar of RFC 8259: no leading zero, no bare point, no NaN.
func (p *parser) number(at int) bool {
	b, i := p.b, p.i
	digits := func() bool {
		start := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if b[i] == '-' {
		i++
	}
	whole := i
	if !digits() {
		return p.broken("a number without digits")
	}
	if b[whole] == '0' && i-whole > 1 {
		return p.broken("a number with a leading zero")
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return p.broken("a number that ends with its point")
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return p.broken("a number without its exponent")
		}
	}
	n := &p.doc.nodes[at]
	n.kind, n.end = Number, int32(i)
	n.hash = hashBytes(b[p.i:i], seedNumber)
	p.i = i
	return true
}

// CanonicalNumber is a number's exact value as sign, digits and power of ten: "1", "1.0" and "10e-1"
// are "1e0", "-0" is "0". It keeps every digit, whatever the size.
func CanonicalNumber(literal string) string {
	sign, rest := "", literal
	if rest != "" && rest[0] == '-' {
		sign, rest = "-", rest[1:]
	}
	var digits []byte
	exponent, point, power := 0, false, 0
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '.':
			point = true
		case c == 'e' || c == 'E':
			parsed, err := strconv.Atoi(rest[i+1:])
			if err != nil {
				return literal // an exponent beyond every number that means something
			}
			power, i = parsed, len(rest)
		default:
			digits = append(digits, c)
			if point {
				exponent--
			}
		}
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exponent++
	}
	if len(digits) == 0 {
		return "0"
	}
	return sign + string(digits) + "e" + strconv.Itoa(exponent+power)
}
