package request

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"cutover/harness/vars"
	"cutover/harness/wire"
)

// Template is one step of one path, ready to be built any number of times. It is immutable and
// safe for concurrent use.
type Template struct {
	Method   string
	Endpoint string      // "GET /me/messages/{id}" in Graph's words: the same on both paths
	Select   []string    // property names in $select, in Graph's words
	Searches bool        // it has a $search
	Top      int         // the $top that it asks for, 0 for none or one that the iteration decides
	Effect   wire.Effect // what does not depend on the iteration; Build adds recipients and target
	Notes    []Note      // what the dialect could not say as asked
	Static   bool        // no placeholder anywhere: Build allocates nothing in steady state
	Timeout  time.Duration

	address    text
	header     []headerField
	body       body
	recipients []text
	target     text
}

type headerField struct {
	name  string
	value text
}

type body struct {
	json *vars.JSONTemplate
	text text
}

// Build expands the template into a request. It sets Method, URL, Header, Body, Timeout, Effect and
// Template, reusing the slices that into brings along, and leaves Kind, Authorization and Mailbox
// to the caller. A name that the scope does not know is an error.
func (t *Template) Build(scope vars.Scope, into *wire.Request) error {
	address, err := t.address.string(scope)
	if err != nil {
		return fmt.Errorf("URL of %s: %w", t.Endpoint, err)
	}
	header := into.Header[:0]
	for _, f := range t.header {
		value, err := f.value.string(scope)
		if err != nil {
			return fmt.Errorf("header %s of %s: %w", f.name, t.Endpoint, err)
		}
		header = append(header, wire.Field{Name: f.name, Value: value})
	}
	content, err := t.body.append(into.Body[:0], scope)
	if err != nil {
		return fmt.Errorf("body of %s: %w", t.Endpoint, err)
	}
	recipients := into.Effect.Recipients[:0]
	for _, r := range t.recipients {
		one, err := r.string(scope)
		if err != nil {
			return fmt.Errorf("recipients of %s: %w", t.Endpoint, err)
		}
		recipients = append(recipients, one)
	}
	target, err := t.target.string(scope)
	if err != nil {
		return fmt.Errorf("target of %s: %w", t.Endpoint, err)
	}
	into.Method, into.URL, into.Header, into.Body = t.Method, address, header, content
	into.Timeout, into.Template, into.Effect = t.Timeout, t.Endpoint, t.Effect
	into.Effect.Recipients, into.Effect.Target = recipients, target
	return nil
}

// Names lists the placeholders that the template needs, each once, in order of appearance.
func (t *Template) Names() []string {
	var names []string
	seen := map[string]bool{}
	add := func(more []string) {
		for _, n := range more {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	add(t.address.names())
	for _, f := range t.header {
		add(f.value.names())
	}
	if t.body.json != nil {
		add(t.body.json.Names())
	}
	add(t.body.text.names())
	return names
}

func (b body) append(dst []byte, scope vars.Scope) ([]byte, error) {
	if b.json != nil {
		return b.json.Append(dst, scope)
	}
	return b.text.append(dst, scope)
}

func (b body) static() bool {
	return (b.json == nil || len(b.json.Names()) == 0) && b.text.static()
}

// compile makes the template of a question that is already in the path's words. meant is the same
// question in Graph's words; it decides endpoint, effect and select.
func compile(d Description, root string, q Question, meant meaning) (*Template, error) {
	t := &Template{
		Method: strings.ToUpper(q.Method), Endpoint: meant.endpoint, Select: meant.selected, Searches: meant.searches, Top: meant.top,
		Effect: meant.effect, Timeout: q.Timeout,
	}
	var err error
	if t.address, err = addressText(root, q); err != nil {
		return nil, fmt.Errorf("URL %q: %w", q.URL, err)
	}
	if t.header, err = headerFields(q); err != nil {
		return nil, err
	}
	switch {
	case q.JSON != nil:
		parsed, err := vars.ParseJSON(q.JSON)
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		t.body.json = &parsed
	case q.Raw != nil:
		if t.body.text, err = parseText(string(q.Raw), vars.Raw); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	for _, address := range meant.recipients {
		one, err := parseText(address, vars.Raw)
		if err != nil {
			return nil, fmt.Errorf("recipient %q: %w", address, err)
		}
		t.recipients = append(t.recipients, one)
	}
	if t.target, err = parseText(meant.target, vars.Raw); err != nil {
		return nil, fmt.Errorf("id %q: %w", meant.target, err)
	}
	t.Static = t.static()
	return t, nil
}

func (t *Template) static() bool {
	if !t.address.static() || !t.body.static() || !t.target.static() {
		return false
	}
	for _, f := range t.header {
		if !f.value.static() {
			return false
		}
	}
	for _, r := range t.recipients {
		if !r.static() {
			return false
		}
	}
	return true
}

func headerFields(q Question) ([]headerField, error) {
	var fields []headerField
	for _, h := range q.Header {
		value, err := parseText(h.Value, vars.Raw)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Name, err)
		}
		fields = append(fields, headerField{h.Name, value})
	}
	add := func(name, value string) error {
		for _, f := range fields {
			if strings.EqualFold(f.name, name) {
				return nil
			}
		}
		text, err := parseText(value, vars.Raw)
		fields = append(fields, headerField{name, text})
		return err
	}
	if len(q.Prefer) > 0 {
		if err := add("Prefer", strings.Join(q.Prefer, ", ")); err != nil {
			return nil, fmt.Errorf("prefer: %w", err)
		}
	}
	if err := add("Accept", "application/json"); err != nil {
		return nil, err
	}
	if q.JSON != nil {
		return fields, add("Content-Type", "application/json")
	}
	return fields, nil
}

// addressText joins the root, the escaped path and the escaped query.
func addressText(root string, q Question) (text, error) {
	var all text
	if strings.HasPrefix(q.URL, "{{") { // a link that a server handed out: sent as it was captured
		return parseText(q.URL, vars.Raw)
	}
	all.literal(root)
	if err := all.parse(q.URL, vars.Path, escapePath); err != nil {
		return text{}, err
	}
	sep := "?"
	for _, o := range q.Query {
		all.literal(sep)
		sep = "&"
		if err := all.parse(o.Name, vars.Query, escapeName); err != nil {
			return text{}, err
		}
		all.literal("=")
		if err := all.option(o); err != nil {
			return text{}, err
		}
	}
	return all.sealed(), nil
}

// unescape undoes percent-encoding outside {{…}}; what is not valid stays as it is.
func unescape(s string) string {
	before, rest, found := strings.Cut(s, "{{")
	if plain, err := url.QueryUnescape(before); err == nil {
		before = plain
	}
	if !found {
		return before
	}
	hole, after, closed := strings.Cut(rest, "}}")
	if !closed {
		return s
	}
	return before + "{{" + hole + "}}" + unescape(after)
}
