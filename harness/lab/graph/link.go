package graph

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cutover/harness/lab/odata"
)

// nextLink is the same URL with $skip set.
func (c *call) nextLink(q *odata.Query, skip int) string {
	var b strings.Builder
	b.WriteString(c.base())
	b.WriteString(c.r.URL.EscapedPath())
	sep := byte('?')
	for _, o := range q.Given {
		if strings.EqualFold(o.Name, "$skip") {
			continue
		}
		b.WriteByte(sep)
		b.WriteString(escapeName(o.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(o.Value))
		sep = '&'
	}
	b.WriteByte(sep)
	b.WriteString("$skip=")
	b.WriteString(strconv.Itoa(skip))
	return b.String()
}

func escapeName(name string) string {
	if rest, ok := strings.CutPrefix(name, "$"); ok {
		return "$" + url.QueryEscape(rest)
	}
	return url.QueryEscape(name)
}

// tokenLink is the URL of the request's path with one opaque option.
func (c *call) tokenLink(option, token string) string {
	return c.base() + c.r.URL.EscapedPath() + "?" + option + "=" + url.QueryEscape(token)
}

// countOnly answers the /$count segment: the number as text.
func (c *call) countOnly(n int) *fault {
	return c.bytes("text/plain", []byte(strconv.Itoa(n)))
}

func isGet(c *call) bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }
