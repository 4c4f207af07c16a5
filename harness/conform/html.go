package conform

import (
	"html"
	"slices"
	"strings"
	"unicode"
)

// htmlToken is one piece of markup: a tag with its attributes, or text.
type htmlToken struct {
	tag   string // "p", "/p", "" for text
	attrs []string
	text  string
}

// likeHTML reports whether a body is markup.
func likeHTML(s string) bool {
	i := strings.IndexByte(s, '<')
	return i >= 0 && strings.IndexByte(s[i:], '>') > 0
}

// scan cuts markup into tokens. It never fails: what is no tag is text.
func scan(s string, yield func(htmlToken)) {
	for s != "" {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			yield(htmlToken{text: s})
			return
		}
		if open > 0 {
			yield(htmlToken{text: s[:open]})
			s = s[open:]
		}
		if rest, ok := strings.CutPrefix(s, "<!--"); ok {
			_, after, _ := strings.Cut(rest, "-->")
			s = after
			continue
		}
		if len(s) < 2 || !(unicode.IsLetter(rune(s[1])) || s[1] == '/' || s[1] == '!' || s[1] == '?') {
			yield(htmlToken{text: s[:1]})
			s = s[1:]
			continue
		}
		end := tagEnd(s)
		yield(parseTag(s[1:end]))
		s = s[min(end+1, len(s)):]
	}
}

// tagEnd finds the > that ends a tag, outside quoted attributes.
func tagEnd(s string) int {
	quote := byte(0)
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return len(s)
}

func parseTag(inside string) htmlToken {
	inside = strings.TrimSuffix(strings.TrimSpace(inside), "/")
	name, rest := inside, ""
	if i := strings.IndexFunc(inside, unicode.IsSpace); i >= 0 {
		name, rest = inside[:i], inside[i:]
	}
	token := htmlToken{tag: strings.ToLower(name)}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		end := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '=' })
		if end < 0 {
			end = len(rest)
		}
		attr := strings.ToLower(rest[:end])
		rest = strings.TrimSpace(rest[end:])
		if value, ok := strings.CutPrefix(rest, "="); ok {
			var v string
			v, rest = attrValue(strings.TrimSpace(value))
			attr += "=" + html.UnescapeString(v)
		}
		if end == 0 && attr == "" {
			rest = strings.TrimLeft(rest, "=")
			continue
		}
		token.attrs = append(token.attrs, attr)
	}
	slices.Sort(token.attrs)
	return token
}

func attrValue(s string) (value, rest string) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		value, rest, _ = strings.Cut(s[1:], s[:1])
		return value, rest
	}
	end := strings.IndexFunc(s, unicode.IsSpace)
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// Tags that servers add or drop without a reader noticing.
var silentTags = []string{"meta", "!doctype", "?xml", "html", "/html", "head", "/head", "body", "/body", "title", "/title", "o:p", "/o:p"}

// htmlTokens is markup in one spelling: names in lower case, attributes sorted, white space between
// tags gone, comments and generators dropped.
func htmlTokens(s string) string {
	var b strings.Builder
	scan(s, func(t htmlToken) {
		if t.tag == "" {
			if text := preview(html.UnescapeString(t.text)); text != "" {
				b.WriteString(text)
				b.WriteByte('\x01')
			}
			return
		}
		if slices.Contains(silentTags, t.tag) {
			return
		}
		b.WriteByte('<')
		b.WriteString(t.tag)
		for _, a := range t.attrs {
			b.WriteByte(' ')
			b.WriteString(a)
		}
		b.WriteByte('>')
	})
	return b.String()
}

// Tags that end a word for a reader.
var breaking = []string{"br", "p", "/p", "div", "/div", "tr", "/tr", "td", "/td", "th", "/th", "li", "/li", "h1", "/h1", "h2", "/h2", "h3", "/h3", "hr", "table", "/table", "pre", "/pre", "blockquote", "/blockquote"}

// visible is what a reader sees of a body, white space folded.
func visible(s string) string {
	if !likeHTML(s) {
		return preview(foldText(html.UnescapeString(s)))
	}
	var b strings.Builder
	hidden := ""
	scan(s, func(t htmlToken) {
		switch {
		case hidden != "":
			if t.tag == "/"+hidden {
				hidden = ""
			}
		case t.tag == "script" || t.tag == "style" || t.tag == "title":
			hidden = t.tag
		case t.tag == "":
			b.WriteString(html.UnescapeString(t.text))
		case slices.Contains(breaking, t.tag):
			b.WriteByte(' ')
		}
	})
	return preview(foldText(strings.ReplaceAll(b.String(), "\u00a0", " ")))
}

// tags lists the element names of a body, so that a report can show what was rewritten without
// showing content.
func tags(s string) string {
	var names []string
	scan(s, func(t htmlToken) {
		if t.tag != "" && t.tag[0] != '/' && !slices.Contains(names, t.tag) {
			names = append(names, t.tag)
		}
	})
	if len(names) == 0 {
		return "plain text"
	}
	slices.Sort(names)
	return clip("tags " + strings.Join(names, " "))
}
