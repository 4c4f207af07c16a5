package strictyaml

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Block is a mapping of one key, "kind: {params}", whose parameters are decoded
// later by the owner of the kind, as strictly as everything else and with the
// positions of the document they came from.
type Block struct {
	// Kind is the key.
	Kind string
	// Pos is where the key stands.
	Pos Pos

	node *yaml.Node
	held map[string]any
}

// heldTag marks a scalar that stands for a value in memory. A document cannot use
// it: its decoder holds nothing.
const heldTag = "!held"

// NewBlock makes a block out of values in memory: what a flag replaces, or what a
// started lab provides. A parameter may be text, a number, a bool, a time.Duration,
// a []string, a nested map[string]any, or any other Go value, which is then handed to
// the field of the same type unseen (a secret, for instance, is never turned into text).
func NewBlock(kind string, at Pos, params map[string]any) Block {
	b := Block{Kind: kind, Pos: at, held: make(map[string]any)}
	b.node = b.build(params)
	return b
}

func (b *Block) build(value any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: b.Pos.Line, Column: b.Pos.Col}
	switch v := value.(type) {
	case map[string]any:
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, b.build(key), b.build(v[key]))
		}
	case []string:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		for _, one := range v {
			n.Content = append(n.Content, b.build(one))
		}
	case string:
		n.Tag, n.Value = "!!str", v
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	case int:
		n.Tag, n.Value = "!!int", strconv.Itoa(v)
	case fmt.Stringer:
		if reflect.TypeOf(value) == durationType {
			n.Tag, n.Value = "!!str", v.String()
			break
		}
		b.hold(n, value)
	default:
		b.hold(n, value)
	}
	return n
}

func (b *Block) hold(n *yaml.Node, value any) {
	n.Tag, n.Value = heldTag, strconv.Itoa(len(b.held))
	b.held[n.Value] = value
}

// With returns the block with one parameter more, such as NewBlock takes. A block whose
// parameters are no mapping, or that has the parameter already, is returned as it is.
func (b Block) With(key string, value any) Block {
	if b.node == nil || b.node.Kind != yaml.MappingNode || b.Has(key) {
		return b
	}
	out := b
	out.held = maps.Clone(b.held)
	if out.held == nil {
		out.held = make(map[string]any)
	}
	node := *b.node
	node.Content = append(slices.Clone(b.node.Content), out.build(key), out.build(value))
	out.node = &node
	return out
}

// Has reports whether the block's mapping holds a key.
func (b Block) Has(key string) bool {
	n := b.node
	if n == nil || n.Kind != yaml.MappingNode {
		return false
	}
	d := &decoder{file: b.Pos.File}
	return slices.ContainsFunc(d.pairs(n), func(p pair) bool { return p.key == key })
}

// HasParams reports whether anything stands behind the kind.
func (b Block) HasParams() bool { return b.node != nil }

// IsZero reports whether the document had no such block.
func (b Block) IsZero() bool { return b.Kind == "" }

// String is the kind alone: parameters may hold what should not be printed.
func (b Block) String() string { return b.Kind }

// Format prints String whatever the verb.
func (b Block) Format(f fmt.State, _ rune) { io.WriteString(f, b.Kind) }

// Decode reads the parameters into a struct, or a scalar when the kind takes one
// ("lab: graph"), and returns everything wrong with them. Without parameters
// ("auth: none") into keeps its values.
func (b Block) Decode(into any) Problems {
	if b.node == nil {
		return nil
	}
	d := &decoder{file: b.Pos.File, held: b.held}
	d.decode(b.node, reflect.ValueOf(into).Elem(), b.Kind)
	return d.problems.Sorted()
}

// Text returns a parameter that is a single text, or the kind's own text for "lab: graph"
// when key is "". It lets others than the owner of the kind read what all kinds share.
func (b Block) Text(key string) (text string, at Pos, ok bool) {
	n := b.node
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || key == "" {
		if n == nil || n.Kind != yaml.ScalarNode || isNull(n) || n.Tag == heldTag {
			return "", b.Pos, false
		}
		return n.Value, Pos{b.Pos.File, n.Line, n.Column}, true
	}
	d := &decoder{file: b.Pos.File}
	if n.Kind != yaml.MappingNode {
		return "", b.Pos, false
	}
	for _, p := range d.pairs(n) {
		if p.key == key {
			return Block{Pos: b.Pos, node: p.value}.Text("")
		}
	}
	return "", b.Pos, false
}

// UnmarshalNode reads "kind: {params}", or "kind" alone for a kind without any.
func (b *Block) UnmarshalNode(n *Node) {
	switch n.Kind() {
	case Text:
		*b = Block{Kind: n.Text(), Pos: n.Pos()}
	case Mapping:
		pairs := n.d.pairs(n.n)
		if len(pairs) != 1 {
			n.Problem("%s must have exactly one key, its kind; it has %d", called(n.label), len(pairs))
			return
		}
		*b = Block{Kind: pairs[0].key, Pos: n.d.pos(pairs[0].at), node: pairs[0].value, held: n.d.held}
		n.d.measure(pairs[0].value)
	default:
		n.Problem("%s must be a mapping, not %s", called(n.label), kindWord(n.n))
	}
}

// measure counts what a deferred block holds, so that its bounds are those of its document.
func (d *decoder) measure(n *yaml.Node) {
	n, ok := d.enter(n)
	defer d.leave()
	if !ok {
		return
	}
	for _, c := range n.Content {
		d.measure(c)
	}
}

// takeHeld hands over a value in memory. Held values never meet a target of another
// type in a correct program; if they do, the document is told so, without the value.
func (d *decoder) takeHeld(n *yaml.Node, v reflect.Value) bool {
	if n.Tag != heldTag || d.held == nil {
		return false
	}
	value := reflect.ValueOf(d.held[n.Value])
	if !value.IsValid() || !value.Type().AssignableTo(v.Type()) {
		d.problem(n, "a value in memory does not fit here")
		return true
	}
	v.Set(value)
	return true
}
