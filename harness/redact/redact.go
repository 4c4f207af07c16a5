// Package redact removes known secrets from text by their value, in whatever
// clothes they come: as they are, percent-encoded, escaped for JSON or HTML, in
// base64 at any alignment. It stands behind wire.Redact, which recognises
// secrets by structure and needs not know them.
package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"strings"
	"sync"
)

// Hidden replaces what must not be read.
const Hidden = "***"

// Least is the length in bytes below which a secret is not redacted by value:
// it would blank ordinary words. Structure protects it where it is announced.
const Least = 6

// long is the length above which a secret is found by its end alone, and
// everything around that could belong to it is hidden: tokens of thousands of
// users have to be known without a megabyte for each.
const (
	long = 96
	tail = 40
)

// Set knows secrets. The zero value knows none and is ready; its methods may
// be called from any goroutine.
type Set struct {
	mu    sync.RWMutex // guards the fields below
	seen  map[string]bool
	forms map[[Least]byte][]form // by their first bytes
}

// form is one way in which a secret is written.
type form struct {
	text string
	wide bool // what touches it and could be a token's is hidden too
}

// Add makes the set know a secret. Lines of a secret with several (a key in
// PEM form) are known one by one. What is shorter than Least is left out.
func (s *Set) Add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen, s.forms = map[string]bool{}, map[[Least]byte][]form{}
	}
	for line := range strings.Lines(secret) {
		s.add(strings.TrimSpace(line))
	}
}

func (s *Set) add(secret string) {
	if len(secret) < Least || s.seen[secret] || strings.HasPrefix(secret, "-----") {
		return
	}
	s.seen[secret] = true
	wide := len(secret) > long
	if wide {
		secret = secret[len(secret)-tail:]
	}
	known := map[string]bool{}
	for _, text := range spellings(secret) {
		if len(text) < Least || known[text] {
			continue
		}
		known[text] = true
		key := [Least]byte([]byte(text[:Least]))
		s.forms[key] = append(s.forms[key], form{text, wide})
	}
}

// spellings are the texts in which a secret travels.
func spellings(secret string) []string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		quoted = []byte(`""`)
	}
	var plain bytes.Buffer // as an encoder writes that leaves < > & alone
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	e.Encode(secret)
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape(secret)), strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		html.EscapeString(secret), string(quoted[1 : len(quoted)-1]), strings.Trim(strings.TrimSpace(plain.String()), `"`),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			all = append(all, within(encoding, secret, offset))
		}
	}
	return all
}

// within is the part of a base64 text that depends on the secret alone, when
// the secret begins offset bytes after a multiple of three. A part that
// depends on its neighbours too is cut off.
func within(e *base64.Encoding, secret string, offset int) string {
	text := e.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
	first := (offset*8 + 5) / 6            // characters that begin before the secret
	last := (offset + len(secret)) * 8 / 6 // whole characters up to its end
	if last <= first {
		return ""
	}
	return text[first:last]
}

// Redact returns s with every known secret hidden.
func (s *Set) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.forms) == 0 || len(text) < Least {
		return text
	}
	var out strings.Builder
	from := 0 // what is before it is written
	for i := 0; i+Least <= len(text); {
		f, found := s.at(text, i)
		if !found {
			i++
			continue
		}
		begin, end := i, i+len(f.text)
		if f.wide {
			for begin > from && ofToken(text[begin-1]) {
				begin--
			}
			for end < len(text) && ofToken(text[end]) {
				end++
			}
		}
		out.WriteString(text[from:begin])
		out.WriteString(Hidden)
		from, i = end, end
	}
	if from == 0 {
		return text
	}
	out.WriteString(text[from:])
	return out.String()
}

// at returns the longest form that begins at i.
func (s *Set) at(text string, i int) (longest form, found bool) {
	for _, f := range s.forms[[Least]byte([]byte(text[i:i+Least]))] {
		if len(f.text) > len(longest.text) && strings.HasPrefix(text[i:], f.text) {
			longest, found = f, true
		}
	}
	return longest, found
}

// ofToken tells whether c can be part of a token or of its encoding.
func ofToken(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-._~+/=%", c) >= 0
}

// Writer redacts what is written through it, line by line, so that a secret
// in two pieces is found. Close writes the rest of the last line. It belongs
// to one goroutine.
type Writer struct {
	set     *Set
	to      io.Writer
	pending []byte
}

// Writer returns a writer that redacts and passes on to w.
func (s *Set) Writer(w io.Writer) *Writer { return &Writer{set: s, to: w} }

// Write passes the whole lines on and keeps the rest.
func (w *Writer) Write(p []byte) (int, error) {
	w.pending = append(w.pending, p...)
	end := bytes.LastIndexByte(w.pending, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	if _, err := io.WriteString(w.to, w.set.Redact(string(w.pending[:end]))); err != nil {
		return 0, err
	}
	w.pending = append(w.pending[:0], w.pending[end:]...)
	return len(p), nil
}

// Close passes the rest on.
func (w *Writer) Close() error {
	_, err := io.WriteString(w.to, w.set.Redact(string(w.pending)))
	w.pending = nil
	return err
}
