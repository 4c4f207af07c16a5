// Package paths is the table of dialects: how each kind of path says a question of a suite, and
// what its answer means. A suite speaks Microsoft Graph v1.0's vocabulary; a dialect translates it.
package paths

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cutover/harness/canon"
	"cutover/harness/paths/graph"
	"cutover/harness/paths/plain"
	"cutover/harness/paths/rest"
	"cutover/harness/request"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

// Adapter speaks one dialect towards one path of a profile. It is immutable and safe for
// concurrent use.
type Adapter interface {
	// Prepare says a question in the dialect's words. What the dialect cannot say is an error that
	// wraps errors.ErrUnsupported and carries the reason: such a step is not comparable, never passed.
	Prepare(op suites.Operation) (*request.Template, error)
	// Dialect tells the canonical parser how this path spells names, enums and types.
	Dialect() *canon.Dialect
	// Pushback reports whether the answer asks to slow down and for how long; 0 when it does not say.
	Pushback(resp *wire.Response) (throttled bool, after time.Duration)
	// Next is the absolute URL of the next page, exactly as the server wrote it.
	Next(doc *canon.Doc) (url string, ok bool)
	// ErrorCode is the code of an error answer ("ErrorItemNotFound"), "" when there is none.
	ErrorCode(doc *canon.Doc) string
	// Describe names the dialect, the root that URLs are relative to and the hosts it reaches.
	Describe() request.Description
}

// dialect is what each package below this one implements.
type dialect interface {
	Prepare(q request.Question) (*request.Template, error)
	Canon() *canon.Dialect
	Describe() request.Description
}

var (
	_ dialect = (*graph.Dialect)(nil)
	_ dialect = (*rest.Dialect)(nil)
	_ dialect = (*plain.Dialect)(nil)
)

// Info names one dialect for listings and completion.
type Info struct{ Name, About string }

type entry struct {
	Info
	open func(profiles.Path) (dialect, error)
}

var dialects = []entry{
	{Info{"graph", "Microsoft Graph v1.0, as the suites are written"}, func(p profiles.Path) (dialect, error) { return open(graph.New(p)) }},
	{Info{"plain", "any HTTP API: every request is sent as it is written"}, func(p profiles.Path) (dialect, error) { return open(plain.New(p)) }},
	{Info{"rest", "Outlook REST v1.0 or v2.0, as Exchange Server serves it below /api"}, func(p profiles.Path) (dialect, error) { return open(rest.New(p)) }},
}

// open keeps a nil pointer from becoming a dialect that is not nil.
func open[D dialect](d D, err error) (dialect, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Dialects lists the dialects that New knows, by name.
func Dialects() []Info {
	infos := make([]Info, len(dialects))
	for i, d := range dialects {
		infos[i] = d.Info
	}
	return infos
}

// New opens the adapter of a path. A path of the lab must have been bound first
// (profiles.Profile.Bind), which replaces its block by the dialect that the lab serves.
func New(p profiles.Path) (Adapter, error) {
	i := slices.IndexFunc(dialects, func(e entry) bool { return e.Name == p.Dialect.Kind })
	if i < 0 {
		names := make([]string, len(dialects))
		for i, d := range dialects {
			names[i] = d.Name
		}
		return nil, fmt.Errorf("path %s: unknown dialect %q (known: %s)", p.Name, p.Dialect.Kind, strings.Join(names, ", "))
	}
	d, err := dialects[i].open(p)
	if err != nil {
		return nil, fmt.Errorf("path %s: %w", p.Name, err)
	}
	return adapter{d}, nil
}

// Verbatim prepares a request that a suite wrote in a path's own words (`on:`). A URL that starts
// with "/" is the absolute path on the path's host, any other is relative to the path's root;
// nothing is translated. Its effect is judged from what is recognised in the URL and the body; a
// POST that is not recognised as a question counts as a write unless the suite says that it reads.
func Verbatim(a Adapter, op suites.Operation) (*request.Template, error) {
	return request.Verbatim(a.Describe(), question(op))
}

// adapter is a dialect with what all dialects share.
type adapter struct{ dialect }

func (a adapter) Prepare(op suites.Operation) (*request.Template, error) {
	return a.dialect.Prepare(question(op))
}

func (a adapter) Dialect() *canon.Dialect { return a.Canon() }

func (a adapter) Pushback(resp *wire.Response) (throttled bool, after time.Duration) {
	return request.Pushback(resp)
}

// Next reads @odata.nextLink, or odata.nextLink as the documents of Outlook REST v1.0 have it.
func (a adapter) Next(doc *canon.Doc) (url string, ok bool) {
	for _, name := range []string{"@odata.nextLink", "odata.nextLink"} {
		if link, ok := doc.Root().Get(name); ok && link.Kind() == canon.String {
			return link.Text(), true
		}
	}
	return "", false
}

// ErrorCode reads error.code, which all OData services share.
func (a adapter) ErrorCode(doc *canon.Doc) string {
	if failure, ok := doc.Root().Get("error"); ok {
		if code, ok := failure.Get("code"); ok && code.Kind() == canon.String {
			return code.Text()
		}
	}
	return ""
}

// question puts a suite's operation into the words of package request.
func question(op suites.Operation) request.Question {
	q := request.Question{
		Method: op.Method, URL: op.URL, Prefer: op.Prefer,
		JSON: op.Body.JSON(), Raw: op.BodyBytes, Timeout: op.Timeout, Reads: op.Reads,
	}
	for _, e := range op.Query {
		q.Query = append(q.Query, request.Option{Name: e.Key, Value: e.Value.Text()})
	}
	for _, e := range op.Headers {
		q.Header = append(q.Header, request.Option{Name: e.Key, Value: e.Value})
	}
	return q
}
