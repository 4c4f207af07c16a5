package result

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"cutover/harness/hist"
)

// JSONSchema returns the schema (JSON Schema 2020-12) of result.json. It
// allows further fields everywhere, because this version of the form may gain
// some; the ones it requires do not go away.
func JSONSchema() []byte {
	s := schemaMaker{defs: map[string]any{}}
	root := s.object(reflect.TypeFor[Result]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Result of a run of cutover"
	root["$defs"] = s.defs
	properties := root["properties"].(map[string]any)
	properties["schema"] = map[string]any{"const": Schema, "description": meanings["schema"]}
	properties["target"] = map[string]any{"enum": []any{Simulated, Real}, "description": meanings["target"]}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("result: a schema is plain data: " + err.Error())
	}
	return append(out, '\n')
}

// schemaMaker turns Go types into definitions, one a struct.
type schemaMaker struct{ defs map[string]any }

// words lists the values of the types that are words.
var words = map[reflect.Type][]any{
	reflect.TypeFor[Verdict]():  {"pass", "fail", "inconclusive", "no-data", "warn", "skip", ""},
	reflect.TypeFor[Severity](): {"critical", "major", "minor", "info"},
	reflect.TypeFor[Class]():    {"breaking", "adapter", "capability", "timing"},
	reflect.TypeFor[StopKind](): {"internal", "interrupted", "brake", "gate", "killed"},
	reflect.TypeFor[Measure]():  {"latency", "rate", "share", "count", ""},
}

func (s schemaMaker) of(t reflect.Type) map[string]any {
	if values, ok := words[t]; ok {
		return map[string]any{"enum": values}
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[*hist.Histogram](), t == reflect.TypeFor[hist.Packed]():
		return map[string]any{"type": []any{"string", "null"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		if _, known := s.defs[t.Name()]; !known {
			s.defs[t.Name()] = nil // a place, for a type that contains itself
			s.defs[t.Name()] = s.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	}
	return map[string]any{"type": "integer"}
}

// nullable lets null stand for the value: too few samples carry it.
func nullable(schema map[string]any) map[string]any {
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []any{kind, "null"}
		return schema
	}
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

func (s schemaMaker) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []any{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		property := s.of(t.Field(i).Type)
		if meaning, ok := meanings[name]; ok {
			property["description"] = meaning
		}
		properties[name] = property
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// meanings describes the fields that scripts read first.
var meanings = map[string]string{
	"schema":       "Version of this form.",
	"target":       "Whether every number comes from the embedded lab, or from somebody's deployment.",
	"verdict":      "What the run says: pass, fail, or inconclusive when it could not tell. Gates know no-data, checks warn and skip.",
	"reasons":      "Why the verdict is not pass, the deciding reason first.",
	"exit_code":    "Exit code of the command that wrote this.",
	"buckets":      "Legs by where they ended; planned is the sum of all others.",
	"tokens":       "What signing in cost, by path: beside the load, in no step's figures.",
	"traffic":      "Requests put on the wire, by path and by what they were for.",
	"steps":        "One row a step and path over all measured phases; step * is the whole leg.",
	"side":         "left is on-prem, right is cloud.",
	"outcomes":     "Requests by outcome; ok is success.",
	"response_ms":  "From when the step was due until its answer was read. Null where too few samples carry the value.",
	"service_ms":   "From the send until the answer was read.",
	"lag_ms":       "How late the step was sent.",
	"histogram":    "Response times as sparse counts, base64.",
	"shift":        "Right minus left by quantile, within this run.",
	"paired":       "Right minus left question by question: how much later the same arrival was answered.",
	"gates":        "Every gate with what was observed.",
	"findings":     "Differences, one a kind and place.",
	"id":           "Rule that found it; cutover explain tells more.",
	"fingerprint":  "Stable name of the difference over runs.",
	"pointer":      "Where in the answer; * stands for every item of a list.",
	"share":        "Part of the compared pairs of the step, 0 to 1.",
	"attribution":  "Which side departs from what is documented.",
	"waived":       "Accepted for a while by a waiver; does not fail the run.",
	"not_tested":   "What this run says nothing about.",
	"generator":    "How the measuring machine fared.",
	"bent":         "Why the numbers must not be used; absent when the generator held its schedule.",
	"faults":       "Why requests did not end well, the most frequent reasons first.",
	"pushback":     "How the paths asked to slow down: the first throttling answer, the share of them over the offered rate, and the knee.",
	"search":       "The highest rate at which the gates hold, by path, as an interval; and every rate that was tried.",
	"observed":     "How far the run went: of the whole run, the highest figures that the door to the network let through; of a gate, what was seen.",
	"consent":      "What the deployment's owner agreed to, by the file's hash. The approver is a statement unless it is proved.",
	"audit":        "Where the chained record of the run ended.",
	"values_shown": "Findings carry values; otherwise type, length and pseudonym.",
}
