package request

import (
	"strings"

	"cutover/harness/vars"
)

// text is a string with placeholders. What can be known at once is kept as one literal, so that
// a static text costs nothing to expand.
type text struct {
	parts []part
	fixed string // the whole text when there is no placeholder
}

type part struct {
	literal string
	hole    vars.Template
	escape  vars.Escape
	quoted  bool // inside an OData string literal: a quote in the value is doubled
	isHole  bool
}

// parseText reads a text whose placeholders are escaped in one way and whose literals stay as written.
func parseText(s string, esc vars.Escape) (text, error) {
	var t text
	if err := t.parse(s, esc, func(s string) string { return s }); err != nil {
		return text{}, err
	}
	return t.sealed(), nil
}

func (t *text) literal(s string) {
	if s == "" {
		return
	}
	if n := len(t.parts); n > 0 && !t.parts[n-1].isHole {
		t.parts[n-1].literal += s
		return
	}
	t.parts = append(t.parts, part{literal: s})
}

// parse appends s: literals go through escapeLiteral, placeholders through esc when they are expanded.
func (t *text) parse(s string, esc vars.Escape, escapeLiteral func(string) string) error {
	return t.holes(s, func(literal string) { t.literal(escapeLiteral(literal)) }, func(hole vars.Template) {
		t.parts = append(t.parts, part{hole: hole, escape: esc, isHole: true})
	})
}

// option appends the value of a query option. Quotes that open an OData string are followed, so that
// a value such as O'Brien cannot end it.
func (t *text) option(o Option) error {
	odata := strings.EqualFold(strings.TrimPrefix(o.Name, "$"), "filter")
	quoted := false
	return t.holes(o.Value, func(literal string) {
		if odata && strings.Count(literal, "'")%2 == 1 {
			quoted = !quoted
		}
		t.literal(escapeValue(literal))
	}, func(hole vars.Template) {
		t.parts = append(t.parts, part{hole: hole, escape: vars.Query, quoted: quoted, isHole: true})
	})
}

// holes cuts s into literals and placeholders.
func (t *text) holes(s string, literal func(string), hole func(vars.Template)) error {
	for {
		open := strings.Index(s, "{{")
		if open < 0 {
			literal(s)
			return nil
		}
		length := strings.Index(s[open:], "}}")
		if length < 0 {
			_, err := vars.Parse(s)
			if err == nil {
				literal(s)
			}
			return err
		}
		literal(s[:open])
		parsed, err := vars.Parse(s[open : open+length+2])
		if err != nil {
			return err
		}
		hole(parsed)
		s = s[open+length+2:]
	}
}

// sealed computes the fixed form.
func (t text) sealed() text {
	if t.static() && len(t.parts) == 1 {
		t.fixed = t.parts[0].literal
	}
	return t
}

func (t text) static() bool {
	for _, p := range t.parts {
		if p.isHole {
			return false
		}
	}
	return true
}

func (t text) names() []string {
	var names []string
	for _, p := range t.parts {
		if p.isHole {
			names = append(names, p.hole.Names()...)
		}
	}
	return names
}

func (t text) string(scope vars.Scope) (string, error) {
	if len(t.parts) == 0 || t.fixed != "" {
		return t.fixed, nil
	}
	var room [256]byte
	out, err := t.append(room[:0], scope)
	return string(out), err
}

func (t text) append(dst []byte, scope vars.Scope) ([]byte, error) {
	if t.fixed != "" {
		return append(dst, t.fixed...), nil
	}
	var err error
	for i := range t.parts {
		p := &t.parts[i]
		switch {
		case !p.isHole:
			dst = append(dst, p.literal...)
		case p.quoted:
			dst, err = appendQuoted(dst, p.hole, scope)
		default:
			dst, err = p.hole.Append(dst, scope, p.escape)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendQuoted expands a value inside an OData string literal.
func appendQuoted(dst []byte, hole vars.Template, scope vars.Scope) ([]byte, error) {
	raw, err := hole.Append(nil, scope, vars.Raw)
	if err != nil {
		return dst, err
	}
	return append(dst, escapeComponent(strings.ReplaceAll(string(raw), "'", "''"))...), nil
}

const upperHex = "0123456789ABCDEF"

func escapeWith(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}

// escapePath keeps what RFC 3986 allows in a path, the separators, and escapes already written.
func escapePath(s string) string { return escapeWith(s, "/!$&'()*+,;=:@%") }

// escapeName keeps the dollar of OData's system options readable.
func escapeName(s string) string { return escapeWith(s, "$.") }

// escapeValue keeps what is safe and makes OData expressions readable in logs.
func escapeValue(s string) string { return escapeWith(s, "$,:/'()@!*;") }

func escapeComponent(s string) string { return escapeWith(s, "") }
