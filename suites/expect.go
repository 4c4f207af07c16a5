package suites

import (
	"slices"
	"strconv"
	"strings"

	"cutover/suites/strictyaml"
)

// Expect is what an answer must be like for its step to be counted as completed.
type Expect struct {
	Pos      strictyaml.Pos         `yaml:"-"`
	Keys     strictyaml.Keys        `yaml:"-"`
	Status   StatusSet              `yaml:"status" doc:"Allowed status: 200, [200, 404] or 2xx."`
	Items    string                 `yaml:"items" doc:"How many items the page may hold: '<= 25', '> 0', '10'."`
	Contains string                 `yaml:"contains" doc:"Text that the raw answer must contain."`
	Header   strictyaml.Map[string] `yaml:"header" doc:"Response headers and the text that each must contain."`
	Checks   []Expr                 `yaml:"checks" doc:"Expressions that must hold; they see status, headers, items, body and the captures."`
}

// IsZero reports whether nothing is expected beyond success.
func (e Expect) IsZero() bool {
	return e.Status.IsZero() && e.Items == "" && e.Contains == "" && len(e.Header) == 0 && len(e.Checks) == 0
}

// ItemBound splits Items into its comparison (<, <=, =, >=, >) and its number. ok is
// false when there is no bound or it is malformed.
func (e Expect) ItemBound() (op string, n int, ok bool) {
	text := strings.TrimSpace(e.Items)
	for _, op := range []string{"<=", ">=", "<", ">", "="} {
		if rest, found := strings.CutPrefix(text, op); found {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			return op, n, err == nil && n >= 0
		}
	}
	n, err := strconv.Atoi(text)
	return "=", n, err == nil && n >= 0
}

// StatusSet is a set of HTTP statuses. The zero set stands for any 2xx.
type StatusSet struct {
	// Codes are single statuses, Classes first digits.
	Codes, Classes []int
}

// IsZero reports whether the set was not given.
func (s StatusSet) IsZero() bool { return len(s.Codes) == 0 && len(s.Classes) == 0 }

// Contains reports whether a status is allowed.
func (s StatusSet) Contains(status int) bool {
	if s.IsZero() {
		return status/100 == 2
	}
	return slices.Contains(s.Codes, status) || slices.Contains(s.Classes, status/100)
}

// String is the set as a suite would write it.
func (s StatusSet) String() string {
	if s.IsZero() {
		return "2xx"
	}
	var parts []string
	for _, c := range s.Codes {
		parts = append(parts, strconv.Itoa(c))
	}
	for _, c := range s.Classes {
		parts = append(parts, strconv.Itoa(c)+"xx")
	}
	return strings.Join(parts, " or ")
}

// UnmarshalNode reads 200, "2xx" or a list of both.
func (s *StatusSet) UnmarshalNode(n *strictyaml.Node) {
	switch n.Kind() {
	case strictyaml.List:
		for _, item := range n.Items() {
			s.add(item)
		}
	default:
		s.add(n)
	}
}

func (s *StatusSet) add(n *strictyaml.Node) {
	text := strings.ToLower(n.Text())
	if class, found := strings.CutSuffix(text, "xx"); found {
		if c, err := strconv.Atoi(class); err == nil && c >= 1 && c <= 5 {
			s.Classes = append(s.Classes, c)
			return
		}
	}
	if code, err := strconv.Atoi(text); err == nil && code >= 100 && code <= 599 {
		s.Codes = append(s.Codes, code)
		return
	}
	n.Problem("%q must be statuses such as 200, [200, 404] or 2xx, not %s", n.Label(), n.Describe())
}

// Schema describes the shapes that UnmarshalNode reads.
func (StatusSet) Schema(*strictyaml.Generator) map[string]any {
	one := []any{
		map[string]any{"type": "integer", "minimum": 100, "maximum": 599},
		map[string]any{"type": "string", "pattern": "^[1-5]([0-9][0-9]|[xX][xX])$"},
	}
	return map[string]any{"anyOf": append(slices.Clone(one), map[string]any{
		"type": "array", "minItems": 1, "items": map[string]any{"anyOf": one},
	})}
}

// QueryValue is one query option: a text, or a list that is joined with commas.
type QueryValue struct {
	Pos strictyaml.Pos
	// Items are the texts, each of which may hold {{templates}}.
	Items []string
	// List reports that the document held a list.
	List bool
}

// Text is the value as one text, a list joined with commas.
func (q QueryValue) Text() string { return strings.Join(q.Items, ",") }

// UnmarshalNode reads a scalar or a list of scalars.
func (q *QueryValue) UnmarshalNode(n *strictyaml.Node) {
	q.Pos = n.Pos()
	if n.Kind() == strictyaml.List {
		q.List = true
		for _, item := range n.Items() {
			q.add(item)
		}
		return
	}
	q.add(n)
}

func (q *QueryValue) add(n *strictyaml.Node) {
	var s strictyaml.Scalar
	s.UnmarshalNode(n)
	q.Items = append(q.Items, s.Text)
}

// Schema describes the shapes that UnmarshalNode reads.
func (QueryValue) Schema(*strictyaml.Generator) map[string]any {
	scalar := map[string]any{"type": []any{"string", "number", "boolean"}}
	return map[string]any{"anyOf": []any{scalar, map[string]any{"type": "array", "items": scalar}}}
}
