package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Unmarshaler is implemented by types that have more than one shape in the document.
// They report through the node and need not return anything.
type Unmarshaler interface {
	UnmarshalNode(n *Node)
}

var (
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType    = reflect.TypeFor[time.Duration]()
	posType         = reflect.TypeFor[Pos]()
	keysType        = reflect.TypeFor[Keys]()
	blockType       = reflect.TypeFor[Block]()
)

// decoder walks one node tree. depth and nodes count through aliases; once a bound is
// passed, stopped makes every further step return at once.
type decoder struct {
	file     string
	held     map[string]any
	problems Problems
	depth    int
	nodes    int
	stopped  bool
}

func (d *decoder) pos(n *yaml.Node) Pos { return Pos{d.file, n.Line, n.Column} }

// problem notes a mistake. Past MaxProblems it says so once and stops the walk.
func (d *decoder) problem(n *yaml.Node, format string, args ...any) {
	switch {
	case len(d.problems) < MaxProblems:
		d.problems.Add(d.pos(n), format, args...)
	case !d.stopped:
		d.problems.Add(d.pos(n), "more than %d problems: the rest is not shown", MaxProblems)
		d.stopped = true
	}
}

// enter counts a node and its depth and follows aliases. ok is false past a bound.
func (d *decoder) enter(n *yaml.Node) (target *yaml.Node, ok bool) {
	if d.stopped {
		return n, false
	}
	d.depth++
	d.nodes++
	switch {
	case d.depth > MaxDepth:
		d.problem(n, "nested deeper than %d levels", MaxDepth)
		d.stopped = true
	case d.nodes > MaxNodes:
		d.problem(n, "more than %d values once its aliases are followed", MaxNodes)
		d.stopped = true
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n, !d.stopped
}

func (d *decoder) leave() { d.depth-- }

// decode fills v from n. label is what the user calls the value: the key it stands under.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, label string) {
	n, ok := d.enter(n)
	defer d.leave()
	if !ok {
		return
	}
	if d.takeHeld(n, v) {
		return
	}
	if v.Kind() != reflect.Pointer && v.Addr().Type().Implements(unmarshalerType) {
		v.Addr().Interface().(Unmarshaler).UnmarshalNode(&Node{n: n, d: d, label: label})
		return
	}
	if isNull(n) {
		d.problem(n, "%s has no value", called(label))
		return
	}
	if !plainTag(n) {
		d.problem(n, "the tag %s is not understood here", n.Tag)
		return
	}
	d.decodeKind(n, v, label)
}

func (d *decoder) decodeKind(n *yaml.Node, v reflect.Value, label string) {
	switch {
	case v.Type() == durationType:
		d.text(n, label, "a duration", func(s string) error {
			value, err := ParseDuration(s)
			v.SetInt(int64(value))
			return err
		})
		return
	case v.Kind() != reflect.Pointer && v.Addr().Type().Implements(textType):
		d.text(n, label, "text", func(s string) error {
			return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
		})
		d.setPos(n, v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		target := reflect.New(v.Type().Elem())
		d.depth--
		d.decode(n, target.Elem(), label)
		d.depth++
		v.Set(target)
	case reflect.Struct:
		d.structure(n, v, label)
	case reflect.Slice:
		d.list(n, v, label)
	default:
		d.scalar(n, v, label)
	}
}

func (d *decoder) setPos(n *yaml.Node, v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	if f := v.FieldByName("Pos"); f.IsValid() && f.Type() == posType {
		f.Set(reflect.ValueOf(d.pos(n)))
	}
}

func (d *decoder) text(n *yaml.Node, label, what string, set func(string) error) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n, "%s must be %s, not %s", called(label), what, kindWord(n))
		return
	}
	if err := set(n.Value); err != nil {
		d.problem(n, "%s: %v", called(label), err)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, label string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(n, "%s must be a list, not %s", called(label), kindWord(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.decode(item, out.Index(i), label)
	}
	v.Set(out)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, label string) {
	want := map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false",
		reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number",
		reflect.Float64: "a number"}[v.Kind()]
	if n.Kind != yaml.ScalarNode {
		d.problem(n, "%s must be %s, not %s", called(label), want, kindWord(n))
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		var b bool
		if n.ShortTag() != "!!bool" {
			err = strconv.ErrSyntax
		} else {
			b, err = strconv.ParseBool(strings.ToLower(n.Value))
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		var i int64
		i, err = strconv.ParseInt(n.Value, 10, 64)
		v.SetInt(i)
	case reflect.Uint64:
		var u uint64
		u, err = strconv.ParseUint(n.Value, 10, 64)
		v.SetUint(u)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(n.Value, 64)
		v.SetFloat(f)
	default:
		panic(fmt.Sprintf("strictyaml: a target may not hold %s", v.Type()))
	}
	if err != nil {
		d.problem(n, "%s must be %s, not %s", called(label), want, kindWord(n))
	}
}

// called names a value by its key, or as the file when it is the root.
func called(label string) string {
	if label == "" {
		return "the file"
	}
	return strconv.Quote(label)
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// plainTag reports whether the node has one of the types that JSON has too. Dates stay
// text: Graph's dates are.
func plainTag(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!!merge":
		return true
	}
	return false
}

// unquoted is what {{name}} without quotes looks like to YAML.
const unquoted = `a template without quotes (write "{{name}}")`

// kindWord says what a node is in the user's words, quoting short scalars.
func kindWord(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) == 2 && n.Content[0].Kind == yaml.MappingNode {
			return unquoted
		}
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if len(n.Value) <= 40 {
			return strconv.Quote(n.Value)
		}
		return "a long text"
	}
	return "this"
}
