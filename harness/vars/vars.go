// Package vars expands {{templates}}: in URLs, query values, headers and bodies. A
// template is parsed once, when a plan is made, and appended to a buffer for every
// request, which allocates nothing beyond the growth of that buffer.
//
// Names are answered by a Scope. This package brings two: Values, a plain map, and
// Random, seeded pseudo-random data with dates that are counted from a fixed anchor, so
// that the same seed and anchor make the same requests.
package vars

import (
	"fmt"
	"strings"
)

// Escape is how an expanded value is made safe for the place where it lands. The text
// around the templates was written for that place and is never escaped.
type Escape int

// The places a value can land in.
const (
	// Raw is plain text: a header value, a text body.
	Raw Escape = iota
	// Path is one segment of a URL's path: a slash in the value is escaped too.
	Path
	// Query is a name or value of a URL's query.
	Query
	// JSON is the inside of a JSON string.
	JSON
	// XML is text or an attribute value of XML.
	XML
)

// Scope answers names with their values.
type Scope interface {
	Lookup(name string) (value string, ok bool)
}

// Appender is a Scope that writes values into a buffer without making strings of them.
type Appender interface {
	// AppendValue appends the value of name to dst. ok is false for an unknown name.
	AppendValue(dst []byte, name string) (out []byte, ok bool)
}

// Literals is a Scope that knows which of its values are JSON literals (a number, true,
// a whole object) rather than text.
type Literals interface {
	Literal(name string) bool
}

// Values is a Scope over a map.
type Values map[string]string

// Lookup returns the value of a key.
func (v Values) Lookup(name string) (string, bool) {
	s, ok := v[name]
	return s, ok
}

// Template is text with {{names}} in it. It is immutable; the zero Template is empty text.
type Template struct {
	parts []part
}

// part is literal text followed by a name; the last part of a template may have none.
type part struct{ text, name string }

// Parse splits text at its {{names}}. A name is letters, digits and . _ - #, with an
// offset such as +7d behind those that are dates.
func Parse(s string) (Template, error) {
	var t Template
	rest := s
	for {
		open := strings.Index(rest, "{{")
		if open < 0 {
			if rest != "" {
				t.parts = append(t.parts, part{text: rest})
			}
			return t, nil
		}
		end := strings.Index(rest[open:], "}}")
		if end < 0 {
			return Template{}, fmt.Errorf("%q opens a template with {{ and does not close it with }}", clip(s))
		}
		name := strings.TrimSpace(rest[open+2 : open+end])
		if err := checkName(name); err != nil {
			return Template{}, err
		}
		t.parts = append(t.parts, part{text: rest[:open], name: name})
		rest = rest[open+end+2:]
	}
}

// MustParse is Parse for text that stands in a program.
func MustParse(s string) Template {
	t, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return t
}

func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return s[:57] + "…"
}

func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("{{}} names nothing: write {{name}}")
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+#", r) {
			return fmt.Errorf("{{%s}}: a name holds letters, digits, '.', '_' and '-' only, not %q", clip(name), r)
		}
	}
	return nil
}

// Names are the names in the template, each once, in order of appearance.
func (t Template) Names() []string {
	var out []string
	seen := make(map[string]bool)
	for _, p := range t.parts {
		if p.name != "" && !seen[p.name] {
			seen[p.name] = true
			out = append(out, p.name)
		}
	}
	return out
}

// Static returns the text of a template without names.
func (t Template) Static() (text string, ok bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].name == "":
		return t.parts[0].text, true
	}
	return "", false
}

// Only returns the name of a template that is exactly one name and nothing else.
func (t Template) Only() (name string, ok bool) {
	if len(t.parts) == 1 && t.parts[0].text == "" {
		return t.parts[0].name, true
	}
	return "", false
}

// String is the template as it was written.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString("{{" + p.name + "}}")
		}
	}
	return b.String()
}

// Append appends the expanded template to dst. Values are escaped for their place, the
// text between them is not. The error is an *UnknownError.
func (t Template) Append(dst []byte, scope Scope, esc Escape) ([]byte, error) {
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.text...)
		if p.name == "" {
			continue
		}
		var err error
		if dst, err = appendValue(dst, scope, p.name, esc); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// UnknownError says that no value answers a name.
type UnknownError struct{ Name string }

// Error names the name.
func (e *UnknownError) Error() string { return "no value for {{" + e.Name + "}}" }

func appendValue(dst []byte, scope Scope, name string, esc Escape) ([]byte, error) {
	if a, ok := scope.(Appender); ok {
		start := len(dst)
		out, found := a.AppendValue(dst, name)
		if !found {
			return dst, &UnknownError{name}
		}
		return escapeTail(out, start, esc), nil
	}
	value, ok := scope.Lookup(name)
	if !ok {
		return dst, &UnknownError{name}
	}
	return appendEscaped(dst, value, esc), nil
}
