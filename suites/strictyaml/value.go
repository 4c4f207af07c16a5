package strictyaml

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Value is any YAML value, kept as the JSON text that it means, keys in the order of
// the document and numbers with the digits that were written. The zero Value is none.
type Value struct {
	// Pos is where the value starts.
	Pos Pos

	json  []byte
	texts []Scalar
}

// ValueOf wraps JSON text that is known to be valid.
func ValueOf(json []byte) Value { return Value{json: json} }

// JSON is the value as JSON text, nil when there is none. The caller must not change it.
func (v Value) JSON() []byte { return v.json }

// Texts are the strings of the value and their places, keys included, in document order.
func (v Value) Texts() []Scalar { return v.texts }

// IsZero reports whether the document had no such value. A null is a value.
func (v Value) IsZero() bool { return v.json == nil }

// MarshalJSON is JSON.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.json == nil {
		return []byte("null"), nil
	}
	return v.json, nil
}

// UnmarshalNode reads anything.
func (v *Value) UnmarshalNode(n *Node) {
	*v = Value{Pos: n.Pos()}
	var out bytes.Buffer
	v.write(n.d, n.n, &out)
	v.json = out.Bytes()
}

func (v *Value) write(d *decoder, n *yaml.Node, out *bytes.Buffer) {
	n, ok := d.enter(n)
	defer d.leave()
	if !ok {
		return
	}
	if !plainTag(n) {
		d.problem(n, "the tag %s is not understood here", n.Tag)
		out.WriteString("null")
		return
	}
	switch n.Kind {
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			v.write(d, item, out)
		}
		out.WriteByte(']')
	case yaml.MappingNode:
		out.WriteByte('{')
		for i, p := range d.pairs(n) {
			if i > 0 {
				out.WriteByte(',')
			}
			v.text(d, p.at, p.key, out)
			out.WriteByte(':')
			v.write(d, p.value, out)
		}
		out.WriteByte('}')
	default:
		v.scalar(d, n, out)
	}
}

func (v *Value) text(d *decoder, n *yaml.Node, s string, out *bytes.Buffer) {
	v.texts = append(v.texts, Scalar{Pos: d.pos(n), Kind: Text, Text: s})
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err == nil {
		out.Truncate(out.Len() - 1) // Encode ends with a newline.
	}
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$`)

func (v *Value) scalar(d *decoder, n *yaml.Node, out *bytes.Buffer) {
	switch n.ShortTag() {
	case "!!null":
		out.WriteString("null")
	case "!!bool":
		out.WriteString(strings.ToLower(n.Value))
	case "!!int", "!!float":
		out.WriteString(number(d, n))
	default:
		v.text(d, n, n.Value, out)
	}
}

// number spells a YAML number in JSON: the digits as written where JSON allows them,
// else the whole number that 0x1F, 1_000 or +5 mean.
func number(d *decoder, n *yaml.Node) string {
	if jsonNumber.MatchString(n.Value) {
		return n.Value
	}
	plain := strings.ReplaceAll(n.Value, "_", "")
	if i, ok := new(big.Int).SetString(plain, 0); ok {
		return i.String()
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil {
		if text, err := json.Marshal(f); err == nil {
			return string(text)
		}
	}
	d.problem(n, "%s is a number that JSON cannot hold", n.Value)
	return "null"
}
