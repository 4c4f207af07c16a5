package store

import (
	"html"
	"strings"
)

// PlainText turns HTML into text: tags go, block ends become line breaks,
// entities are resolved, style and script disappear with their content.
func PlainText(markup string) string {
	var b strings.Builder
	b.Grow(len(markup))
	for len(markup) > 0 {
		open := strings.IndexByte(markup, '<')
		if open < 0 {
			b.WriteString(markup)
			break
		}
		b.WriteString(strings.ReplaceAll(markup[:open], "\r\n", " "))
		rest := markup[open:]
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			break
		}
		name := tagName(rest[1:end])
		markup = rest[end+1:]
		switch name {
		case "style", "script", "head":
			if i := indexFold(markup, "</"+name); i >= 0 {
				markup = markup[i:]
			}
		case "br", "/p", "/div", "/tr", "/h1", "/h2", "/h3", "/li", "hr":
			b.WriteString("\r\n")
		}
	}
	lines := strings.Split(html.UnescapeString(b.String()), "\r\n")
	kept := lines[:0]
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" || len(kept) > 0 {
			kept = append(kept, l)
		}
	}
	return strings.TrimRight(strings.Join(kept, "\r\n"), "\r\n ")
}

func tagName(tag string) string {
	end := strings.IndexAny(strings.TrimPrefix(tag, "/"), " \t\r\n/")
	if end < 0 {
		return strings.ToLower(tag)
	}
	if strings.HasPrefix(tag, "/") {
		end++
	}
	return strings.ToLower(tag[:end])
}

func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i] == '<' && strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// Hypertext is a body as HTML, which is how the services answer reads unless
// text was preferred, whatever it was written as.
func Hypertext(b Body) Body {
	if b.Kind != "text" {
		return b
	}
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r\n", "<br>\r\n", "\n", "<br>\r\n").Replace(b.Content)
	return Body{Kind: "html", Content: "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>" + text + "</body></html>"}
}
