package strictyaml

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// pair is one key with its value, merge keys already followed.
type pair struct {
	key   string
	at    *yaml.Node
	value *yaml.Node
}

// pairs lists a mapping in document order. A key that stands in the mapping wins over
// one that a merge key brings in; within the mapping a key may stand only once.
func (d *decoder) pairs(n *yaml.Node) []pair {
	var own, merged []pair
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind == yaml.MappingNode:
			d.problem(key, "a key must be plain text, not %s", unquoted)
		case key.Kind != yaml.ScalarNode:
			d.problem(key, "a key must be plain text, not %s", kindWord(key))
		case key.ShortTag() == "!!merge":
			merged = append(merged, d.merge(value)...)
		case first[key.Value] != nil:
			d.problem(n.Content[i], "duplicate key %q (it stands in line %d already)", key.Value, first[key.Value].Line)
		default:
			first[key.Value] = key
			own = append(own, pair{key.Value, n.Content[i], value})
		}
	}
	for _, m := range merged {
		if first[m.key] == nil {
			first[m.key] = m.at
			own = append(own, m)
		}
	}
	return own
}

func (d *decoder) merge(value *yaml.Node) []pair {
	value, ok := d.enter(value)
	defer d.leave()
	if !ok {
		return nil
	}
	switch value.Kind {
	case yaml.MappingNode:
		d.nodes += len(value.Content)
		return d.pairs(value)
	case yaml.SequenceNode:
		var all []pair
		for _, one := range value.Content {
			all = append(all, d.merge(one)...)
		}
		return all
	}
	d.problem(value, `"<<" must name a mapping, not %s`, kindWord(value))
	return nil
}

// field is one key that a struct understands.
type field struct {
	key      string
	index    []int
	required bool
	block    bool
	kinds    []string
	tag      reflect.StructTag
	typ      reflect.Type
}

// fieldsOf lists the keys of a struct, those of embedded structs in their place.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-" || f.Type == posType || f.Type == keysType:
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
		default:
			one := field{key: name, index: []int{i}, tag: f.Tag, typ: f.Type}
			if one.key == "" {
				one.key = strings.ToLower(f.Name)
			}
			one.required = strings.Contains(options, "required")
			one.block = strings.Contains(options, "block")
			one.kinds = words(f.Tag.Get("kinds"))
			out = append(out, one)
		}
	}
	return out
}

func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, label string) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, "%s must be a mapping, not %s", called(label), kindWord(n))
		return
	}
	d.setPos(n, v)
	fields := fieldsOf(v.Type())
	seen := make(map[string]bool)
	keys := make(Keys)
	if f := v.FieldByName("Keys"); f.IsValid() && f.Type() == keysType {
		f.Set(reflect.ValueOf(keys))
	}
	var blocks []pair
	for _, p := range d.pairs(n) {
		keys[p.key] = d.pos(p.value)
		f, ok := lookup(fields, p.key)
		switch {
		case !ok:
			d.problem(p.at, "unknown key %q%s", p.key, hint(p.key, fields))
		case f.block:
			blocks = append(blocks, p)
			d.oneBlock(n, v.FieldByIndex(f.index), f, blocks)
			seen[f.key] = true
		default:
			seen[f.key] = true
			target := v.FieldByIndex(f.index)
			before := len(d.problems)
			d.decode(p.value, target, p.key)
			if len(d.problems) == before {
				d.constrain(p, f, target)
			}
		}
	}
	for _, f := range fields {
		if f.required && !seen[f.key] {
			d.problem(n, "%s is missing", missing(f))
		}
	}
}

func missing(f field) string {
	if f.block {
		return "one of " + strings.Join(f.kinds, ", ")
	}
	return strconv.Quote(f.key)
}

// oneBlock stores the first block of a mapping and complains about each further one.
func (d *decoder) oneBlock(n *yaml.Node, v reflect.Value, f field, blocks []pair) {
	last := blocks[len(blocks)-1]
	if len(blocks) > 1 {
		d.problem(last.at, "%q and %q exclude each other: write one of %s", blocks[0].key, last.key, strings.Join(f.kinds, ", "))
		return
	}
	v.Set(reflect.ValueOf(Block{Kind: last.key, Pos: d.pos(last.at), node: last.value, held: d.held}))
	d.measure(last.value)
}

func lookup(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.block && slices.Contains(f.kinds, key) || !f.block && f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func hint(key string, fields []field) string {
	var known []string
	for _, f := range fields {
		if f.block {
			known = append(known, f.kinds...)
		} else {
			known = append(known, f.key)
		}
	}
	if s := Suggest(key, known); s != "" {
		return s
	}
	if len(known) <= 16 {
		return " (known here: " + strings.Join(known, ", ") + ")"
	}
	return ""
}

// constrain applies the tags enum, kinds, min, max and required to a value that was read.
func (d *decoder) constrain(p pair, f field, v reflect.Value) {
	if b, ok := v.Interface().(Block); ok {
		if !b.IsZero() && len(f.kinds) > 0 && !slices.Contains(f.kinds, b.Kind) {
			d.problems.Add(b.Pos, "%q cannot be %q%s: it is one of %s", p.key, b.Kind, Suggest(b.Kind, f.kinds), strings.Join(f.kinds, ", "))
		}
		return
	}
	if v.Kind() == reflect.String {
		allowed := words(f.tag.Get("enum"))
		switch {
		case f.required && strings.TrimSpace(v.String()) == "" && p.value.Kind == yaml.ScalarNode && !isNull(p.value):
			d.problem(p.value, "%q must not be empty", p.key)
		case len(allowed) > 0 && p.value.Kind == yaml.ScalarNode && !slices.Contains(allowed, v.String()):
			d.problem(p.value, "%q cannot be %q%s: it is one of %s", p.key, v.String(), Suggest(v.String(), allowed), strings.Join(allowed, ", "))
		}
		return
	}
	if !v.CanInt() || p.value.Kind != yaml.ScalarNode || v.Type() == durationType {
		return
	}
	if _, err := strconv.ParseInt(p.value.Value, 10, 64); err != nil {
		return
	}
	if low, err := strconv.ParseInt(f.tag.Get("min"), 10, 64); err == nil && v.Int() < low {
		d.problem(p.value, "%q must be at least %d, not %d", p.key, low, v.Int())
	}
	if high, err := strconv.ParseInt(f.tag.Get("max"), 10, 64); err == nil && v.Int() > high {
		d.problem(p.value, "%q must be at most %d, not %d", p.key, high, v.Int())
	}
}
