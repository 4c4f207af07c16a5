package vars

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// JSONTemplate is JSON text with {{names}} in its strings. Whatever the values, what it
// expands to is JSON again. It is immutable; the zero JSONTemplate is empty text.
type JSONTemplate struct {
	parts []jsonPart
}

// jsonPart is JSON text followed by a name. whole marks a name that is a whole string: its
// quotes are not part of any text, so that a literal can take their place.
type jsonPart struct {
	text, name string
	whole      bool
}

// ErrNotJSON says that a body with templates is not JSON.
var ErrNotJSON = errors.New("the body is not JSON")

// ParseJSON reads JSON text and the templates in its strings, keys included. Text around
// the strings is kept byte for byte.
func ParseJSON(body []byte) (JSONTemplate, error) {
	if !json.Valid(body) {
		return JSONTemplate{}, ErrNotJSON
	}
	var t JSONTemplate
	var text strings.Builder
	flush := func(name string, whole bool) {
		t.parts = append(t.parts, jsonPart{text.String(), name, whole})
		text.Reset()
	}
	for i := 0; i < len(body); {
		if body[i] != '"' {
			text.WriteByte(body[i])
			i++
			continue
		}
		end := i + 1 + stringEnd(body[i+1:])
		inside := body[i+1 : end]
		i = end + 1
		if !bytes.Contains(inside, []byte("{{")) {
			text.WriteByte('"')
			text.Write(inside)
			text.WriteByte('"')
			continue
		}
		one, err := Parse(string(inside))
		if err != nil {
			return JSONTemplate{}, err
		}
		if name, only := one.Only(); only {
			flush(name, true)
			continue
		}
		text.WriteByte('"')
		for _, p := range one.parts {
			text.WriteString(p.text)
			if p.name != "" {
				flush(p.name, false)
			}
		}
		text.WriteByte('"')
	}
	if text.Len() > 0 {
		flush("", false)
	}
	return t, nil
}

// stringEnd finds the closing quote of a JSON string whose opening one was passed.
func stringEnd(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s)
}

// Names are the names in the template, each once, in order of appearance.
func (t JSONTemplate) Names() []string {
	var plain Template
	for _, p := range t.parts {
		plain.parts = append(plain.parts, part{name: p.name})
	}
	return plain.Names()
}

// Static returns the text of a template without names.
func (t JSONTemplate) Static() (text string, ok bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].name == "":
		return t.parts[0].text, true
	}
	return "", false
}

// Append appends the expanded JSON to dst. A string that is one name and nothing else
// becomes the bare value when the scope says that it is a literal, so that a number stays
// a number. The error is an *UnknownError.
func (t JSONTemplate) Append(dst []byte, scope Scope) ([]byte, error) {
	literals, _ := scope.(Literals)
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.text...)
		if p.name == "" {
			continue
		}
		var err error
		if p.whole && literals != nil && literals.Literal(p.name) {
			start := len(dst)
			if dst, err = appendValue(dst, scope, p.name, Raw); err != nil {
				return dst, err
			}
			if json.Valid(dst[start:]) {
				continue
			}
			dst = dst[:start] // it claims to be a literal and is none, such as 0x1F
		}
		if p.whole {
			dst = append(dst, '"')
		}
		if dst, err = appendValue(dst, scope, p.name, JSON); err != nil {
			return dst, err
		}
		if p.whole {
			dst = append(dst, '"')
		}
	}
	return dst, nil
}
