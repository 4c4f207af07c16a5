package strictyaml

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// Kind is what a value looks like in the document.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Text
	Number
	Bool
	List
	Mapping
)

// Node is one value of a document while its Unmarshaler looks at it.
type Node struct {
	n     *yaml.Node
	d     *decoder
	label string
}

// Pos is where the value starts.
func (n *Node) Pos() Pos { return n.d.pos(n.n) }

// Label is the key that the value stands under, "" for the whole document.
func (n *Node) Label() string { return n.label }

// Kind says what the value looks like. Dates are text.
func (n *Node) Kind() Kind {
	switch n.n.Kind {
	case yaml.MappingNode:
		return Mapping
	case yaml.SequenceNode:
		return List
	}
	switch n.n.ShortTag() {
	case "!!null":
		return Null
	case "!!int", "!!float":
		return Number
	case "!!bool":
		return Bool
	}
	return Text
}

// Text is a scalar as it was written.
func (n *Node) Text() string { return n.n.Value }

// Describe says what the value is in the user's words: "a list", "a mapping" or the text in quotes.
func (n *Node) Describe() string { return kindWord(n.n) }

// Problem reports a mistake at this value.
func (n *Node) Problem(format string, args ...any) { n.d.problem(n.n, format, args...) }

// Decode reads the value into what into points to, which must not be the Unmarshaler's own type.
func (n *Node) Decode(into any) {
	n.d.decode(n.n, reflect.ValueOf(into).Elem(), n.label)
}

// Items are the elements of a list.
func (n *Node) Items() []*Node {
	var out []*Node
	if n.n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, c := range n.n.Content {
		target, ok := n.d.enter(c)
		n.d.leave()
		if ok {
			out = append(out, &Node{n: target, d: n.d, label: n.label})
		}
	}
	return out
}

// Entries are the keys and values of a mapping, merge keys followed, duplicates reported.
func (n *Node) Entries() []Entry[*Node] {
	var out []Entry[*Node]
	if n.n.Kind != yaml.MappingNode {
		return nil
	}
	for _, p := range n.d.pairs(n.n) {
		target, ok := n.d.enter(p.value)
		n.d.leave()
		if ok {
			out = append(out, Entry[*Node]{Key: p.key, Pos: n.d.pos(p.at), Value: &Node{n: target, d: n.d, label: p.key}})
		}
	}
	return out
}

// Keys are the places of a mapping's values by their keys. A struct that wants them has a
// field Keys of this type, its own or that of an embedded struct.
type Keys map[string]Pos

// At returns the place of the first of the keys that the mapping has, else otherwise.
func (k Keys) At(otherwise Pos, keys ...string) Pos {
	for _, key := range keys {
		if at, ok := k[key]; ok {
			return at
		}
	}
	return otherwise
}

// Entry is one key of a mapping with its value.
type Entry[V any] struct {
	Key   string
	Pos   Pos
	Value V
}

// Map is a mapping in the order of the document.
type Map[V any] []Entry[V]

// Get returns the value of a key.
func (m Map[V]) Get(key string) (V, bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	var none V
	return none, false
}

// Keys are the keys in the order of the document.
func (m Map[V]) Keys() []string {
	out := make([]string, len(m))
	for i, e := range m {
		out[i] = e.Key
	}
	return out
}

// UnmarshalNode reads a mapping.
func (m *Map[V]) UnmarshalNode(n *Node) {
	if n.Kind() != Mapping {
		if n.Kind() == Null {
			n.Problem("%s has no value", called(n.label))
		} else {
			n.Problem("%s must be a mapping, not %s", called(n.label), n.Describe())
		}
		return
	}
	*m = Map[V]{}
	for _, p := range n.d.pairs(n.n) {
		e := Entry[V]{Key: p.key, Pos: n.d.pos(p.at)}
		n.d.decode(p.value, reflect.ValueOf(&e.Value).Elem(), p.key)
		*m = append(*m, e)
	}
}

// Scalar is a single text, number or bool with its place.
type Scalar struct {
	Pos  Pos
	Kind Kind
	// Text is the value as it was written.
	Text string
}

// UnmarshalNode reads any scalar but null.
func (s *Scalar) UnmarshalNode(n *Node) {
	switch n.Kind() {
	case Text, Number, Bool:
		*s = Scalar{Pos: n.Pos(), Kind: n.Kind(), Text: n.Text()}
	case Null:
		n.Problem("%s has no value", called(n.label))
	default:
		n.Problem("%s must be a single value, not %s", called(n.label), n.Describe())
	}
}
