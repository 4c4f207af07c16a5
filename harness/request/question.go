package request

import (
	"strings"
	"time"
)

// Option is one query option; Value may hold {{…}}.
type Option struct{ Name, Value string }

// Question is one operation of a suite in a dialect's words, before it becomes a template. Every
// text may hold {{…}} placeholders.
type Question struct {
	Method  string
	URL     string   // path relative to the root, "" or with a leading slash; may carry a query
	Query   []Option // in the order of the suite
	Header  []Option
	Prefer  []string
	JSON    []byte // a JSON body, nil when there is none
	Raw     []byte // a body that is sent as written, used when JSON is nil
	Timeout time.Duration
	Reads   bool // the suite says that a request which looks like a write only asks
}

// Split moves a query written in the URL in front of the query options.
func (q Question) Split() Question {
	path, query, found := strings.Cut(q.URL, "?")
	if !found {
		return q
	}
	var options []Option
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		options = append(options, Option{unescape(name), unescape(value)})
	}
	q.URL, q.Query = path, append(options, q.Query...)
	return q
}

// Option returns the value of a query option whatever its case, and whether it is there.
func (q Question) Option(name string) (string, bool) {
	for _, o := range q.Query {
		if strings.EqualFold(o.Name, name) {
			return o.Value, true
		}
	}
	return "", false
}

// Description is what an adapter says about itself.
type Description struct {
	Dialect string   // "graph", "rest", "plain"
	Version string   // "v1.0", "v2.0", "" when the dialect has none
	Root    string   // URL that relative requests are joined to, without a trailing slash
	Hosts   []string // host:port of every host that the adapter sends to
	As      string   // "app" or "user": whose token the path carries; "" when that does not matter
	PageCap int      // the largest page that the dialect serves, 0 when unknown
}

// Note is something that a dialect could not say as asked and said differently. It is reported as
// a finding of class capability, never swallowed.
type Note struct {
	ID     string // rule id of the ledger
	Detail string // "flag, internetMessageId"
}
