package strictyaml

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Generator makes a JSON Schema out of Go types. Each struct becomes one definition.
type Generator struct {
	defs  map[string]any
	kinds map[string]any
}

// Schemer is implemented by types with an UnmarshalNode or UnmarshalText of their own to
// say which shapes they read.
type Schemer interface {
	Schema(g *Generator) map[string]any
}

// Schema returns the JSON Schema (2020-12) of the documents that decode into v. kinds
// holds, for the kinds of blocks whose parameters are known, a value of their type: a
// struct, "" for text, nil for none.
func Schema(title string, v any, kinds ...map[string]any) []byte {
	g := &Generator{defs: make(map[string]any), kinds: make(map[string]any)}
	for _, some := range kinds {
		for kind, params := range some {
			g.kinds[kind] = params
		}
	}
	root := g.Of(v)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = title
	root["$defs"] = g.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("strictyaml: a schema is plain data: " + err.Error())
	}
	return append(out, '\n')
}

// Of returns the schema of a value's type, spelt out.
func (g *Generator) Of(v any) map[string]any {
	t := reflect.TypeOf(v)
	if schema, ok := g.special(t); ok {
		return schema
	}
	if t.Kind() == reflect.Struct {
		return g.object(t)
	}
	return g.of(t)
}

var schemerType = reflect.TypeFor[Schemer]()

// special knows the types that are more than their Go kind.
func (g *Generator) special(t reflect.Type) (map[string]any, bool) {
	switch {
	case t == durationType || t == reflect.TypeFor[Duration]():
		return described(map[string]any{"type": "string", "pattern": `^(0|([0-9.]+(d|h|m|s|ms|us|µs|ns))+)$`}, "A length of time with its unit: 250ms, 30s, 1h30m, 2d."), true
	case t == reflect.TypeFor[Rate]():
		return described(map[string]any{"type": "string", "pattern": `^[0-9.]+ */ *[smh]$`}, "A rate: 50/s, 120/m, 60/h."), true
	case t == reflect.TypeFor[Percent]():
		return described(map[string]any{"type": "string", "pattern": `^[0-9.]+ *%$`}, "A share: 0.5%, 100%."), true
	case t == reflect.TypeFor[Scalar]():
		return map[string]any{"type": []any{"string", "number", "boolean"}}, true
	case t == reflect.TypeFor[Value]():
		return map[string]any{}, true
	case t.Implements(schemerType):
		return reflect.New(t).Elem().Interface().(Schemer).Schema(g), true
	case t.Kind() == reflect.Slice && reflect.PointerTo(t).Implements(unmarshalerType) && t.Elem().Kind() == reflect.Struct:
		value, _ := t.Elem().FieldByName("Value") // a Map's Entry
		return map[string]any{"type": "object", "additionalProperties": g.of(value.Type)}, true
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return map[string]any{"type": []any{"string", "number", "boolean"}}, true
	}
	return nil, false
}

func described(schema map[string]any, text string) map[string]any {
	schema["description"] = text
	return schema
}

func (g *Generator) of(t reflect.Type) map[string]any {
	if t == reflect.TypeFor[any]() {
		return map[string]any{}
	}
	if t.Kind() == reflect.Pointer {
		return g.of(t.Elem())
	}
	if schema, ok := g.special(t); ok {
		return schema
	}
	switch t.Kind() {
	case reflect.Struct:
		if t.Name() == "" {
			return g.object(t)
		}
		name := keyed(t.Name())
		if _, done := g.defs[name]; !done {
			g.defs[name] = true // a type may hold itself
			g.defs[name] = g.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.of(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return map[string]any{"type": []any{"string", "number", "boolean"}}
	}
	return map[string]any{"type": "integer"}
}

// keyed spells a Go name as keys are spelt: PerMailbox as perMailbox, TLS as tls.
func keyed(name string) string {
	capitals := 0
	for capitals < len(name) && name[capitals] >= 'A' && name[capitals] <= 'Z' {
		capitals++
	}
	if capitals > 1 && capitals < len(name) {
		capitals-- // the last one begins the next word
	}
	return strings.ToLower(name[:capitals]) + name[capitals:]
}

// object is the schema of a struct: its keys, those that are required, and no others.
func (g *Generator) object(t reflect.Type) map[string]any {
	properties := make(map[string]any)
	var required []any
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	for _, f := range fieldsOf(t) {
		if f.block {
			g.inlineBlock(f, properties, schema)
			continue
		}
		properties[f.key] = g.property(f)
		if f.required {
			required = append(required, f.key)
		}
	}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

// inlineBlock adds the kinds of a block as keys of which at most one, or exactly one, is there.
func (g *Generator) inlineBlock(f field, properties, schema map[string]any) {
	var one []any
	for _, kind := range f.kinds {
		properties[kind] = described(g.params(kind, f), f.tag.Get("doc"))
		one = append(one, map[string]any{"required": []any{kind}})
	}
	if !f.required {
		one = append(one, map[string]any{"not": map[string]any{"anyOf": append([]any{}, one...)}})
	}
	schema["oneOf"] = one
}

// params is the schema of what stands behind a kind.
func (g *Generator) params(kind string, f field) map[string]any {
	v, known := g.kinds[kind]
	switch {
	case !known && f.tag.Get("params") == "text":
		return map[string]any{"type": "string"}
	case !known || v == nil:
		return map[string]any{"type": "object"}
	}
	return g.of(reflect.TypeOf(v))
}

func (g *Generator) valueOf(f field) map[string]any {
	if f.typ == blockType {
		return g.block(f)
	}
	return g.of(f.typ)
}

func (g *Generator) property(f field) map[string]any {
	schema := g.valueOf(f)
	if allowed := words(f.tag.Get("enum")); allowed != nil {
		var list []any
		for _, w := range allowed {
			list = append(list, w)
			if n, err := strconv.ParseFloat(w, 64); err == nil {
				list = append(list, n)
			}
		}
		schema = map[string]any{"enum": list}
	}
	for tag, key := range map[string]string{"min": "minimum", "max": "maximum"} {
		if n, err := strconv.Atoi(f.tag.Get(tag)); err == nil {
			schema[key] = n
		}
	}
	if doc := f.tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	return schema
}

// block is the schema of a block that is a value: {kind: params}, or the kind alone.
func (g *Generator) block(f field) map[string]any {
	var alone []any
	properties := make(map[string]any)
	for _, kind := range f.kinds {
		alone = append(alone, kind)
		if v, known := g.kinds[kind]; !known || v != nil {
			properties[kind] = g.params(kind, f)
		}
	}
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": alone},
		map[string]any{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1},
	}}
}
