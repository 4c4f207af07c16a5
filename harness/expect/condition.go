package expect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"cutover/suites/strictyaml"
)

// Condition is a compiled expression that is true or false. It is safe for
// concurrent use.
type Condition struct {
	text     string
	program  *vm.Program
	names    []string // variables and captures that it uses
	needsDoc bool
}

// Names of the environment that stand for the answer.
const (
	nameStatus  = "status"
	nameHeaders = "headers"
	nameHeader  = "header"
	nameItems   = "items"
	nameBody    = "body"
	nameText    = "text"
)

// maxMemory bounds what one evaluation may build: expr's own budget, counted in
// elements of arrays and maps.
const maxMemory = 1_000_000

// NewCondition compiles an expression over an answer and the given names.
func NewCondition(text string, names []string) (*Condition, error) {
	env := types.Map{
		nameStatus: types.Int, nameHeaders: types.TypeOf(map[string]string{}), nameItems: types.Int, nameText: types.String,
		nameHeader: types.TypeOf(func(string) string { return "" }), nameBody: types.Any,
	}
	for _, n := range names {
		if _, taken := env[n]; !taken && identifier(n) {
			env[n] = types.String
		}
	}
	known := slices.Sorted(maps.Keys(env))
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, explain(err, known)
	}
	c := &Condition{text: text}
	for _, n := range used(tree.Node) {
		switch n {
		case nameItems, nameBody:
			c.needsDoc = true
		case nameStatus, nameHeaders, nameHeader, nameText:
		default:
			if _, ok := env[n]; ok {
				c.names = append(c.names, n)
			}
		}
	}
	c.program, err = expr.Compile(text, expr.Env(env), expr.AsBool())
	if err != nil {
		return nil, explain(err, known)
	}
	return c, nil
}

// used lists the names that an expression refers to, in order of appearance.
func used(node ast.Node) []string {
	v := &namesVisitor{}
	ast.Walk(&node, v)
	return v.names
}

type namesVisitor struct{ names []string }

// Visit collects identifiers; it implements ast.Visitor.
func (v *namesVisitor) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok {
		v.names = append(v.names, id.Value)
	}
}

// explain turns the compiler's error into one line without its drawing.
func explain(err error, known []string) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return err
	}
	message := at.Message
	if name, ok := strings.CutPrefix(message, "unknown name "); ok {
		return fmt.Errorf("nothing is called %q here%s", name, strictyaml.Suggest(name, known))
	}
	if at.Line == 0 {
		return errors.New(message)
	}
	return fmt.Errorf("%s (at character %d)", strings.TrimSpace(message), at.Column+1)
}

// identifier reports whether expr can spell the name: mailbox.name, for one, it cannot.
func identifier(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// Names are the variables and captures that the condition uses.
func (c *Condition) Names() []string { return c.names }

// NeedsDoc reports whether the condition looks into the parsed body.
func (c *Condition) NeedsDoc() bool { return c.needsDoc }

// String is the expression as it was written.
func (c *Condition) String() string { return c.text }

// Holds evaluates the condition. A name without a value, such as a capture that was
// not taken, is the empty text. A Response that is nil leaves the answer's names empty.
func (c *Condition) Holds(a Answer) (bool, error) {
	env := map[string]any{
		nameStatus: 0, nameHeaders: map[string]string{}, nameItems: -1, nameText: "", nameBody: any(nil),
		nameHeader: func(string) string { return "" },
	}
	if r := a.Response; r != nil {
		headers := make(map[string]string, len(r.Header))
		for i := len(r.Header) - 1; i >= 0; i-- { // the first of several stays
			headers[strings.ToLower(r.Header[i].Name)] = r.Header[i].Value
		}
		env[nameStatus], env[nameHeaders], env[nameText] = r.Status, headers, string(r.Body)
		env[nameHeader] = func(name string) string { return r.Header.Value(name) }
	}
	if c.needsDoc && a.Doc != nil {
		env[nameItems] = items(a.Doc)
		env[nameBody] = a.Doc.Root().Any()
	}
	for _, n := range c.names {
		value := ""
		if a.Scope != nil {
			value, _ = a.Scope.Lookup(n)
		}
		env[n] = value
	}
	machine := vm.VM{MemoryBudget: maxMemory}
	out, err := machine.Run(c.program, env)
	if err != nil {
		return false, explain(err, nil)
	}
	ok, _ := out.(bool)
	return ok, nil
}
