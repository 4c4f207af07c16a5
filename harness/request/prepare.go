package request

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prepare makes the template of one step. meant is the question in Graph's words: it names the
// endpoint and decides the effect. said is the same question in the path's words: it is what is sent.
func Prepare(d Description, meant, said Question) (*Template, error) {
	return compile(d, d.Root, said.Split(), understand(meant.Split()))
}

// Verbatim makes the template of a request written in the path's own words. A URL with a leading
// slash is the absolute path on the host of the root; any other is relative to the root.
func Verbatim(d Description, q Question) (*Template, error) {
	q = q.Split()
	root := d.Root
	if strings.HasPrefix(q.URL, "/") {
		root = hostRoot(d.Root)
	} else if q.URL != "" {
		q.URL = "/" + q.URL
	}
	return compile(d, root, q, understand(q))
}

// OfMailbox turns /me into /users/{{mailbox.user}}, for tokens that speak for an application. The
// placeholder is what addresses the mailbox in the path's URLs.
func OfMailbox(address string) string {
	if len(address) >= 3 && strings.EqualFold(address[:3], "/me") && (len(address) == 3 || strings.IndexByte("/?(", address[3]) >= 0) {
		return "/users/{{mailbox.user}}" + address[3:]
	}
	return address
}

// hostRoot is the scheme and host of a URL: "https://mail.contoso.com".
func hostRoot(root string) string {
	scheme, rest, ok := strings.Cut(root, "://")
	if !ok {
		return root
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// Hosts names the host:port of a root, with the scheme's default port where none is written.
func Hosts(root string) []string {
	u, err := url.Parse(root)
	if err != nil || u.Host == "" {
		return nil
	}
	if u.Port() != "" {
		return []string{u.Host}
	}
	port := "443"
	if u.Scheme == "http" {
		port = "80"
	}
	return []string{u.Hostname() + ":" + port}
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || unicode.IsLower(r) {
		return s
	}
	return string(unicode.ToLower(r)) + s[size:]
}
