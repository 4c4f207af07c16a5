package strictyaml_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"cutover/suites/strictyaml"
)

func recipeSchema() []byte {
	return strictyaml.Schema("A recipe.", recipe{}, map[string]any{"rice": pan{}, "bread": nil, "oven": pan{}})
}

// shape is a type that says itself what it reads.
type shape struct{}

func (*shape) UnmarshalNode(*strictyaml.Node) {}

func (shape) Schema(g *strictyaml.Generator) map[string]any {
	return map[string]any{"anyOf": []any{g.Of(""), g.Of(Amount{}), g.Of([]int{})}}
}

func TestSchemaFitsDocuments(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(recipeSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("r.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("r.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, json string
		fits       bool
	}{
		{"it takes every sort of value", `{"name":"a","serves":2,"hot":true,"weight":1.5,"total":3,"taste":"sour","bake":"1d2h","stir":"30/m","rest":"50%",
			"tags":["a"],"parts":[{"name":"x","grams":1}],"spices":{"salt":1},"note":7,"extra":{"any":[null]},"side":{"rice":{"heat":1}},"pan":{}}`, true},
		{"it takes a block without parameters", `{"name":"a","side":"bread"}`, true},
		{"it wants what is required", `{}`, false},
		{"it wants no other keys", `{"name":"a","nmae":"b"}`, false},
		{"it wants one inline block", `{"name":"a","pan":{},"oven":{"heat":1}}`, false},
		{"it looks into blocks it knows", `{"name":"a","oven":{"heet":1}}`, false},
		{"it wants a unit", `{"name":"a","bake":5}`, false},
		{"it wants an allowed word", `{"name":"a","taste":"bitter"}`, false},
		{"it wants numbers in their bounds", `{"name":"a","serves":13}`, false},
		{"it wants a known kind", `{"name":"a","side":"noodles"}`, false},
		{"it wants a block of one kind", `{"name":"a","side":{"rice":{"heat":1},"bread":{}}}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(row.json))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(v); (err == nil) != row.fits {
				t.Errorf("%s: %v", row.json, err)
			}
		})
	}
}

func TestSchemaAsksTypesThatKnowBetter(t *testing.T) {
	var doc struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(strictyaml.Schema("x", struct {
		S *shape `yaml:"s" doc:"A shape."`
		A any    `yaml:"a"`
	}{}), &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"a": map[string]any{},
		"s": map[string]any{"description": "A shape.", "anyOf": []any{
			map[string]any{"type": []any{"string", "number", "boolean"}},
			map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{"grams": map[string]any{"type": "integer"}}},
			map[string]any{"type": "array", "items": map[string]any{"type": "integer"}},
		}},
	}
	if diff := cmp.Diff(want, doc.Properties); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDocumentWritesTables(t *testing.T) {
	got, err := strictyaml.Document(strictyaml.Schema("x", struct {
		Name  string `yaml:"name,required" doc:"Its name."`
		Taste string `yaml:"taste" enum:"sweet,sour" doc:"Its taste."`
		Parts []part `yaml:"parts" doc:"Its parts."`
	}{}), "recipe")
	if err != nil {
		t.Fatal(err)
	}
	want := "\n### recipe\n\n| key | meaning |\n|---|---|\n| `name` | Its name. Required. |\n| `parts` | Its parts. See part. |\n| `taste` | Its taste. One of `sweet`, `sour`. |\n" +
		"\n### part\n\n| key | meaning |\n|---|---|\n| `grams` |  |\n| `name` |  Required. |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := strictyaml.Document([]byte("{"), "x"); err == nil {
		t.Error("a broken schema becomes a document")
	}
}
