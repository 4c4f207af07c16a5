package odata

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds. Enum is a string that compares in any case with a string literal.
const (
	Null Kind = iota
	Bool
	Number
	String
	Time
	GUID
	Enum
	Any // unknown before the item is seen
)

var edmNames = [...]string{"", "Edm.Boolean", "Edm.Int32", "Edm.String", "Edm.DateTimeOffset", "Edm.Guid", "Edm.String", ""}

// Value is a literal or a property's value.
type Value struct {
	Kind   Kind
	Bool   bool
	Number float64
	Text   string
	Time   time.Time
}

// Text is a string value.
func Text(s string) Value { return Value{Kind: String, Text: s} }

// Flag is a Boolean value.
func Flag(b bool) Value { return Value{Kind: Bool, Bool: b} }

// Moment is a point in time; the zero time is null.
func Moment(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{Kind: Time, Time: t}
}

// Int is a number.
func Int(n int) Value { return Value{Kind: Number, Number: float64(n)} }

// Word is a member of an enumeration.
func Word(s string) Value { return Value{Kind: Enum, Text: s} }

// Field is how a filter reads one property of a T.
type Field[T any] struct {
	Kind  Kind
	Value func(T) Value
	// Elements is set on collections instead: it lists each element's values by
	// path inside the element ("" for the element itself).
	Elements func(T) []map[string]Value
}

// Compile binds a filter to the fields of T. lookup finds a field by path, in
// any case; its refusal is handed back. The result is safe for concurrent use.
func Compile[T any](e Expr, lookup func(path string) (Field[T], *Error)) (func(T) bool, *Error) {
	c := compiler[T]{lookup: lookup}
	v, kind, err := c.value(e)
	if err != nil {
		return nil, err
	}
	if kind != Bool && kind != Any {
		return nil, fail("The $filter expression must evaluate to a single boolean value.")
	}
	return func(item T) bool { x := v(scope[T]{item: item}); return x.Kind == Bool && x.Bool }, nil
}

// scope is the item, and inside a lambda the element that its variable names.
type scope[T any] struct {
	item    T
	element map[string]Value
}

type compiler[T any] struct {
	lookup   func(string) (Field[T], *Error)
	variable string
}

type getter[T any] func(scope[T]) Value

func (c compiler[T]) value(e Expr) (getter[T], Kind, *Error) {
	switch e := e.(type) {
	case Literal:
		return func(scope[T]) Value { return e.Value }, e.Value.Kind, nil
	case Property:
		return c.property(e.Path)
	case Not:
		of, kind, err := c.value(e.Of)
		if err == nil && kind != Bool && kind != Any {
			err = fail("A unary operator with an incompatible type was detected. Found operand type '%s' for operator kind 'Not'.", edmNames[kind])
		}
		return func(s scope[T]) Value { return Flag(!of(s).Bool) }, Bool, err
	case Binary:
		return c.binary(e)
	case Call:
		return c.call(e)
	case Lambda:
		return c.lambda(e)
	}
	return nil, 0, fail("The $filter expression is not supported.")
}

func (c compiler[T]) property(path string) (getter[T], Kind, *Error) {
	if c.variable != "" {
		if path == c.variable {
			return func(s scope[T]) Value { return s.element[""] }, Any, nil
		}
		if rest, ok := strings.CutPrefix(path, c.variable+"/"); ok {
			rest = strings.ToLower(rest)
			return func(s scope[T]) Value { return s.element[rest] }, Any, nil
		}
	}
	f, err := c.lookup(path)
	if err != nil {
		return nil, 0, err
	}
	if f.Value == nil {
		return nil, 0, fail("The property '%s' cannot be used in the $filter query option.", path)
	}
	return func(s scope[T]) Value { return f.Value(s.item) }, f.Kind, nil
}

var kindNames = map[string]string{"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan", "le": "LessThanOrEqual", "and": "And", "or": "Or"}

func (c compiler[T]) binary(e Binary) (getter[T], Kind, *Error) {
	l, lk, err := c.value(e.Left)
	if err != nil {
		return nil, 0, err
	}
	r, rk, err := c.value(e.Right)
	if err != nil {
		return nil, 0, err
	}
	logic := e.Op == "and" || e.Op == "or"
	if !meets(lk, rk) || logic && (lk != Bool && lk != Any || rk != Bool && rk != Any) {
		return nil, 0, fail("A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.", edmNames[lk], edmNames[rk], kindNames[e.Op])
	}
	switch e.Op {
	case "and":
		return func(s scope[T]) Value { return Flag(l(s).Bool && r(s).Bool) }, Bool, nil
	case "or":
		return func(s scope[T]) Value { return Flag(l(s).Bool || r(s).Bool) }, Bool, nil
	}
	holds := map[string]func(int, bool) bool{
		"eq": func(n int, ok bool) bool { return ok && n == 0 }, "ne": func(n int, ok bool) bool { return !ok || n != 0 },
		"gt": func(n int, ok bool) bool { return ok && n > 0 }, "ge": func(n int, ok bool) bool { return ok && n >= 0 },
		"lt": func(n int, ok bool) bool { return ok && n < 0 }, "le": func(n int, ok bool) bool { return ok && n <= 0 },
	}[e.Op]
	return func(s scope[T]) Value { return Flag(holds(Compare(l(s), r(s)))) }, Bool, nil
}

// meets says whether values of two kinds may stand beside an operator.
func meets(a, b Kind) bool {
	if a == b || a == Null || b == Null || a == Any || b == Any {
		return true
	}
	text := func(k Kind) bool { return k == String || k == Enum }
	return text(a) && text(b) || (a == GUID && text(b)) || (b == GUID && text(a))
}

// Compare orders two values; ok is false when they have no order. Strings
// compare in any case, as Exchange's do.
func Compare(a, b Value) (n int, ok bool) {
	if a.Kind == Null || b.Kind == Null {
		return 0, a.Kind == b.Kind
	}
	switch {
	case a.Kind == Bool && b.Kind == Bool:
		x, y := 0, 0
		if a.Bool {
			x = 1
		}
		if b.Bool {
			y = 1
		}
		return x - y, true
	case a.Kind == Number && b.Kind == Number:
		switch {
		case a.Number < b.Number:
			return -1, true
		case a.Number > b.Number:
			return 1, true
		}
		return 0, true
	case a.Kind == Time && b.Kind == Time:
		return a.Time.Compare(b.Time), true
	case a.Kind == Time || b.Kind == Time || a.Kind == Bool || b.Kind == Bool || a.Kind == Number || b.Kind == Number:
		return 0, false
	}
	return foldCompare(a.Text, b.Text), true
}

func foldCompare(a, b string) int {
	if strings.EqualFold(a, b) {
		return 0
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func (c compiler[T]) call(e Call) (getter[T], Kind, *Error) {
	args := make([]getter[T], len(e.Args))
	for i, a := range e.Args {
		g, kind, err := c.value(a)
		if err != nil {
			return nil, 0, err
		}
		dates := e.Name == "year" || e.Name == "month" || e.Name == "day" || e.Name == "hour" || e.Name == "minute" || e.Name == "date"
		if kind == Bool || kind == Number || dates != (kind == Time) && kind != Any && kind != Null {
			return nil, 0, fail("No function signature for the function with name '%s' matches the specified arguments.", e.Name)
		}
		args[i] = g
	}
	text := func(s scope[T], i int) string { return strings.ToLower(args[i](s).Text) }
	switch e.Name {
	case "contains":
		return func(s scope[T]) Value { return Flag(strings.Contains(text(s, 0), text(s, 1))) }, Bool, nil
	case "startswith":
		return func(s scope[T]) Value { return Flag(strings.HasPrefix(text(s, 0), text(s, 1))) }, Bool, nil
	case "endswith":
		return func(s scope[T]) Value { return Flag(strings.HasSuffix(text(s, 0), text(s, 1))) }, Bool, nil
	case "tolower", "toupper", "trim":
		return func(s scope[T]) Value { return Text(strings.TrimSpace(text(s, 0))) }, String, nil
	case "concat":
		return func(s scope[T]) Value { return Text(text(s, 0) + text(s, 1)) }, String, nil
	case "length":
		return func(s scope[T]) Value { return Int(len([]rune(text(s, 0)))) }, Number, nil
	case "indexof":
		return func(s scope[T]) Value { return Int(strings.Index(text(s, 0), text(s, 1))) }, Number, nil
	}
	return c.datePart(e.Name, args[0])
}

func (c compiler[T]) datePart(name string, arg getter[T]) (getter[T], Kind, *Error) {
	parts := map[string]func(time.Time) int{
		"year": time.Time.Year, "month": func(t time.Time) int { return int(t.Month()) }, "day": time.Time.Day,
		"hour": time.Time.Hour, "minute": time.Time.Minute,
	}
	if name == "date" {
		return func(s scope[T]) Value { return Moment(arg(s).Time.Truncate(24 * time.Hour)) }, Time, nil
	}
	part, ok := parts[name]
	if !ok {
		return nil, 0, fail("An unknown function with name '%s' was found.", name)
	}
	return func(s scope[T]) Value { return Int(part(arg(s).Time)) }, Number, nil
}

func (c compiler[T]) lambda(e Lambda) (getter[T], Kind, *Error) {
	f, err := c.lookup(e.Path)
	if err != nil {
		return nil, 0, err
	}
	if f.Elements == nil || c.variable != "" {
		return nil, 0, fail("The query specified in the URI is not valid. Any/All may only be used following a collection.")
	}
	if e.Body == nil {
		return func(s scope[T]) Value { return Flag(len(f.Elements(s.item)) > 0) }, Bool, nil
	}
	c.variable = e.Var
	body, kind, err := c.value(e.Body)
	if err != nil {
		return nil, 0, err
	}
	if kind != Bool {
		return nil, 0, fail("The body of %s must be a condition.", fmt.Sprintf("%s/any", e.Path))
	}
	return func(s scope[T]) Value {
		for _, el := range f.Elements(s.item) {
			if body(scope[T]{item: s.item, element: el}).Bool != e.All {
				return Flag(!e.All)
			}
		}
		return Flag(e.All)
	}, Bool, nil
}
