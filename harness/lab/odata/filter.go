package odata

import (
	"strconv"
	"strings"
)

// Expr is a node of a parsed $filter.
type Expr interface{ expr() }

// Binary is and, or, or a comparison (eq, ne, gt, ge, lt, le).
type Binary struct {
	Op          string
	Left, Right Expr
}

// Not is a negation.
type Not struct{ Of Expr }

// Call is a function of strings or dates: contains, startswith, endswith,
// tolower, toupper, length, year …
type Call struct {
	Name string
	Args []Expr
}

// Lambda is any or all over a collection; Var names the element in Body.
type Lambda struct {
	Path string
	All  bool
	Var  string
	Body Expr // nil: "not empty"
}

// Property is a path to a value.
type Property struct{ Path string }

// Literal is a constant.
type Literal struct{ Value Value }

func (Binary) expr()   {}
func (Not) expr()      {}
func (Call) expr()     {}
func (Lambda) expr()   {}
func (Property) expr() {}
func (Literal) expr()  {}

// ParseFilter reads a filter expression.
func ParseFilter(s string) (Expr, *Error) {
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, text: s}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokEnd {
		return nil, p.unexpected()
	}
	return e, nil
}

type parser struct {
	tokens []token
	at     int
	text   string
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

func (p *parser) unexpected() *Error {
	return fail("Syntax error at position %d in '%s'.", p.peek().at, p.text)
}

func (p *parser) keyword(words ...string) (string, bool) {
	t := p.peek()
	if t.kind != tokName {
		return "", false
	}
	for _, w := range words {
		if strings.EqualFold(t.text, w) {
			p.next()
			return w, true
		}
	}
	return "", false
}

func (p *parser) or(depth int) (Expr, *Error) { return p.chain(depth, "or", p.and) }

func (p *parser) and(depth int) (Expr, *Error) { return p.chain(depth, "and", p.comparison) }

func (p *parser) chain(depth int, word string, below func(int) (Expr, *Error)) (Expr, *Error) {
	if depth > maxDepth {
		return nil, fail("The expression is nested too deeply in '%s'.", clip(p.text))
	}
	left, err := below(depth + 1)
	for n := 0; err == nil; n++ {
		if _, ok := p.keyword(word); !ok {
			break
		}
		if n > 500 {
			return nil, fail("The node count limit has been exceeded.")
		}
		var right Expr
		if right, err = below(depth + 1); err == nil {
			left = Binary{Op: word, Left: left, Right: right}
		}
	}
	return left, err
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200]
	}
	return s
}

func (p *parser) comparison(depth int) (Expr, *Error) {
	if depth > maxDepth {
		return nil, fail("The expression is nested too deeply in '%s'.", clip(p.text))
	}
	if _, ok := p.keyword("not"); ok {
		of, err := p.comparison(depth + 1)
		return Not{Of: of}, err
	}
	left, err := p.operand(depth)
	if err != nil {
		return nil, err
	}
	op, ok := p.keyword("eq", "ne", "gt", "ge", "lt", "le")
	if !ok {
		return left, nil
	}
	right, err := p.operand(depth)
	return Binary{Op: op, Left: left, Right: right}, err
}

func (p *parser) operand(depth int) (Expr, *Error) {
	t := p.next()
	switch t.kind {
	case tokOpen:
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek().kind != tokClose {
			return nil, p.unexpected()
		}
		p.next()
		return e, nil
	case tokString:
		return Literal{Value{Kind: String, Text: t.text}}, nil
	case tokGUID:
		return Literal{Value{Kind: GUID, Text: t.text}}, nil
	case tokTime:
		return Literal{Value{Kind: Time, Time: t.time, Text: t.text}}, nil
	case tokNumber:
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fail("Unrecognized literal '%s' at position %d in '%s'.", t.text, t.at, p.text)
		}
		return Literal{Value{Kind: Number, Number: n}}, nil
	case tokName:
		return p.named(t, depth)
	}
	p.at = max(0, p.at-1)
	return nil, p.unexpected()
}

func (p *parser) named(t token, depth int) (Expr, *Error) {
	switch t.text {
	case "true", "false":
		return Literal{Value{Kind: Bool, Bool: t.text == "true"}}, nil
	case "null":
		return Literal{Value{Kind: Null}}, nil
	}
	if p.peek().kind != tokOpen {
		return Property{Path: t.text}, nil
	}
	p.next()
	slash := strings.LastIndexByte(t.text, '/')
	if word := strings.ToLower(t.text[slash+1:]); slash > 0 && (word == "any" || word == "all") {
		return p.lambda(t.text[:slash], word == "all", depth)
	}
	return p.call(t, depth)
}

func (p *parser) lambda(path string, all bool, depth int) (Expr, *Error) {
	l := Lambda{Path: path, All: all}
	if p.peek().kind == tokClose {
		p.next()
		return l, nil
	}
	v := p.next()
	if v.kind != tokName || p.peek().kind != tokColon {
		return nil, p.unexpected()
	}
	p.next()
	l.Var = v.text
	body, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	l.Body = body
	if p.next().kind != tokClose {
		return nil, p.unexpected()
	}
	return l, nil
}

// arity is the number of arguments of each known function.
var arity = map[string]int{
	"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1, "trim": 1, "length": 1,
	"year": 1, "month": 1, "day": 1, "hour": 1, "minute": 1, "indexof": 2, "concat": 2, "date": 1,
}

func (p *parser) call(t token, depth int) (Expr, *Error) {
	c := Call{Name: strings.ToLower(t.text)}
	want, known := arity[c.Name]
	if !known {
		return nil, fail("An unknown function with name '%s' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed.", t.text)
	}
	for {
		arg, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
		switch n := p.next(); {
		case n.kind == tokComma && len(c.Args) < want:
		case n.kind == tokClose && len(c.Args) == want:
			return c, nil
		default:
			return nil, fail("No function signature for the function with name '%s' matches the specified arguments.", c.Name)
		}
	}
}

// Properties lists the paths of a filter in the order in which they appear,
// each once. The variables of lambdas are left out; their collections are in.
func Properties(e Expr) []string {
	var list []string
	seen := map[string]bool{}
	add := func(path string) {
		if k := strings.ToLower(path); !seen[k] {
			seen[k] = true
			list = append(list, path)
		}
	}
	var walk func(Expr)
	walk = func(e Expr) {
		switch e := e.(type) {
		case Binary:
			walk(e.Left)
			walk(e.Right)
		case Not:
			walk(e.Of)
		case Call:
			for _, a := range e.Args {
				walk(a)
			}
		case Lambda:
			add(e.Path)
		case Property:
			add(e.Path)
		}
	}
	walk(e)
	return list
}
