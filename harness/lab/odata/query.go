// Package odata reads the query options of an OData v4 request as Exchange's
// REST services do: $select, $expand, $filter, $orderby, $search, $count, $top,
// $skip and the tokens. It knows no resource: names are checked by whoever owns
// them. Input is hostile: depth and length are bounded, and every refusal is an
// *Error.
package odata

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Error is a query that cannot be answered. Message is what the service says.
type Error struct {
	Code    string // "" for the service's general code
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

func fail(format string, args ...any) *Error { return &Error{Message: fmt.Sprintf(format, args...)} }

// Bounds of one query.
const (
	maxOptions = 64
	maxLength  = 1 << 16
	maxDepth   = 40
)

// Query is the options of one request.
type Query struct {
	Select     []string
	Expand     []Expand
	Filter     Expr // nil: none
	OrderBy    []Order
	Search     string // without its outer quotes
	HasSearch  bool
	Top        int // -1: not given
	Skip       int
	Count      bool
	SkipToken  string
	DeltaToken string
	Other      map[string]string // options without a dollar sign, names in lower case
	Given      []Option          // all, in order, decoded
}

// Option is a query option as given.
type Option struct{ Name, Value string }

// Order is one term of $orderby.
type Order struct {
	Path string
	Desc bool
}

// Expand is one term of $expand with its own options.
type Expand struct {
	Path   string
	Select []string
	Filter Expr
	Expand []Expand
}

// Parse reads a raw query string.
func Parse(raw string) (*Query, *Error) {
	q := &Query{Top: -1}
	if raw == "" {
		return q, nil
	}
	if len(raw) > maxLength || strings.Count(raw, "&") > maxOptions {
		return nil, fail("The query string is too long.")
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			return nil, fail("The query string is malformed: invalid escape in '%s'.", k)
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return nil, fail("The query string is malformed: invalid escape in the value of '%s'.", name)
		}
		lower := strings.ToLower(name)
		if seen[lower] && strings.HasPrefix(lower, "$") {
			return nil, fail("Query option '%s' was specified more than once, but it must be specified at most once.", name)
		}
		seen[lower] = true
		q.Given = append(q.Given, Option{name, value})
		if err := q.set(lower, value); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *Query) set(name, value string) *Error {
	var err *Error
	switch name {
	case "$select":
		q.Select, err = parseSelect(value)
	case "$expand":
		q.Expand, err = parseExpand(value, 0)
	case "$filter":
		q.Filter, err = ParseFilter(value)
	case "$orderby":
		q.OrderBy, err = parseOrderBy(value)
	case "$search":
		q.Search, err = parseSearch(value)
		q.HasSearch = true
	case "$top":
		q.Top, err = number(name, value, 1)
	case "$skip":
		q.Skip, err = number(name, value, 0)
	case "$count":
		switch strings.ToLower(value) {
		case "true":
			q.Count = true
		case "false":
		default:
			err = fail("Invalid value '%s' for $count query option found. Valid values are 'true' or 'false'.", value)
		}
	case "$skiptoken":
		q.SkipToken = value
	case "$deltatoken":
		q.DeltaToken = value
	default:
		if !strings.HasPrefix(name, "$") {
			if q.Other == nil {
				q.Other = map[string]string{}
			}
			q.Other[name] = value
		}
	}
	return err
}

func number(name, value string, least int) (int, *Error) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < least || n > 1<<31-1 {
		return 0, fail("Invalid value '%s' for %s query option found. The %s query option requires a non-negative integer value.", value, name, name)
	}
	return n, nil
}

func parseSelect(value string) ([]string, *Error) {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			if value == "" {
				return nil, nil
			}
			return nil, fail("Parsing OData Select and Expand failed: Term '%s' is not valid in a $select or $expand expression.", value)
		}
		if !isPath(name) {
			return nil, fail("Parsing OData Select and Expand failed: Syntax error at position %d in '%s'.", badAt(name), value)
		}
		names = append(names, name)
	}
	return names, nil
}

// isPath says whether s is made of the characters of property paths.
func isPath(s string) bool { return s == "*" || badAt(s) == len(s) && s != "" }

func badAt(s string) int {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && !isDigit(c) && c != '/' && c != '.' && c != '@' {
			return i
		}
	}
	return len(s)
}

func parseOrderBy(value string) ([]Order, *Error) {
	var orders []Order
	for term := range strings.SplitSeq(value, ",") {
		words := strings.Fields(term)
		if len(words) == 0 || len(words) > 2 || !isPath(words[0]) || words[0] == "*" {
			return nil, fail("Syntax error at position %d in '%s'.", len(term), value)
		}
		o := Order{Path: words[0]}
		if len(words) == 2 {
			switch strings.ToLower(words[1]) {
			case "desc":
				o.Desc = true
			case "asc":
			default:
				return nil, fail("Syntax error at position %d in '%s'.", len(term), value)
			}
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// parseSearch takes the quotes off. Without quotes only letters, digits and
// spaces may stand there.
func parseSearch(value string) (string, *Error) {
	v := strings.TrimSpace(value)
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1], nil
	}
	for i := range len(v) {
		c := v[i]
		if !isLetter(c) && !isDigit(c) && c != ' ' && c < 0x80 {
			return "", syntax(c, i, v)
		}
	}
	return v, nil
}

func syntax(c byte, at int, in string) *Error {
	if c < ' ' || c > '~' {
		return fail("Syntax error at position %d in '%s'.", at, in)
	}
	return fail("Syntax error: character '%c' is not valid at position %d in '%s'.", c, at, in)
}

// parseExpand reads terms like attachments($select=name,size;$expand=…),extensions.
func parseExpand(value string, depth int) ([]Expand, *Error) {
	if depth > maxDepth {
		return nil, fail("Parsing OData Select and Expand failed: the expression is nested too deeply.")
	}
	var list []Expand
	for _, term := range splitOutside(value, ',') {
		term = strings.TrimSpace(term)
		path, rest, nested := strings.Cut(term, "(")
		e := Expand{Path: strings.TrimSpace(path)}
		if !isPath(e.Path) {
			return nil, fail("Parsing OData Select and Expand failed: Term '%s' is not valid in a $select or $expand expression.", term)
		}
		if nested {
			if !strings.HasSuffix(rest, ")") {
				return nil, fail("Parsing OData Select and Expand failed: Found an unbalanced bracket expression.")
			}
			if err := e.options(rest[:len(rest)-1], depth); err != nil {
				return nil, err
			}
		}
		list = append(list, e)
	}
	return list, nil
}

func (e *Expand) options(text string, depth int) *Error {
	for _, option := range splitOutside(text, ';') {
		name, value, _ := strings.Cut(strings.TrimSpace(option), "=")
		var err *Error
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "$select":
			e.Select, err = parseSelect(value)
		case "$filter":
			e.Filter, err = ParseFilter(value)
		case "$expand":
			e.Expand, err = parseExpand(value, depth+1)
		case "$top", "$count", "$orderby", "$skip", "$levels":
		default:
			err = fail("Parsing OData Select and Expand failed: Term '%s' is not valid in a $select or $expand expression.", option)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// splitOutside splits at sep where no bracket or quote is open.
func splitOutside(s string, sep byte) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == sep && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
