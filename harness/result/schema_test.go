package result_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"cutover/harness/result"
)

// compiled is the schema as a validator that is not ours reads it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(result.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("result.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t).Validate(doc)
}

func TestResultsAreValidByTheirOwnSchema(t *testing.T) {
	for name, r := range map[string]*result.Result{"full": full(), "empty": {Target: result.Real}} {
		r.Gates = append(r.Gates, result.Outcome{Gate: "g", Verdict: result.NoData})
		r.Stop = &result.Stop{Kind: result.StopBrake, Why: "w"}
		data, err := result.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"a verdict of its own":       func(m map[string]any) { m["verdict"] = "green" },
		"another version":            func(m map[string]any) { m["schema"] = "cutover.result/v2" },
		"a count below zero":         func(m map[string]any) { m["buckets"].(map[string]any)["failed"] = -1 },
		"a missing bucket":           func(m map[string]any) { delete(m["buckets"].(map[string]any), "unknown") },
		"a share that is a text":     func(m map[string]any) { m["findings"].([]any)[0].(map[string]any)["share"] = "50 %" },
		"a target that is no target": func(m map[string]any) { m["target"] = "production" },
		"findings as an object":      func(m map[string]any) { m["findings"] = map[string]any{} },
	} {
		data, err := result.Encode(full())
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		change(tree)
		data, err = json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, data) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestTheSchemaAllowsFurtherFields(t *testing.T) {
	data, err := result.Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, bytes.Replace(data, []byte("{"), []byte(`{"of_tomorrow": true,`), 1)); err != nil {
		t.Error(err)
	}
}
