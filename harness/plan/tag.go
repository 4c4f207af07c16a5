package plan

import (
	"bytes"
	"encoding/json"
	"strings"

	"cutover/suites"
	"cutover/suites/strictyaml"
)

// runTag is what the run's tag is called in templates.
const runTag = "{{run.tag}}"

// tagged returns the operation with the run's tag among the categories of the item
// that it creates, so that the item can be found without its id. ok is false when there
// is nothing to do: a suite that names the tag itself, a body that is no JSON object, a
// request that creates something which has no categories.
func tagged(op suites.Operation, endpoint string) (_ suites.Operation, ok bool) {
	body := op.Body.JSON()
	if !hasCategories(endpoint) || len(body) == 0 {
		return op, false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return op, false
	}
	quoted := []byte(`"` + runTag + `"`)
	var out []byte
	switch given, has := fields["categories"]; {
	case !has && len(fields) == 0:
		out = append(append([]byte(`{"categories":[`), quoted...), "]}"...)
	case !has:
		body = bytes.TrimSuffix(bytes.TrimSpace(body), []byte("}"))
		out = append(append(append(bytes.Clone(body), `,"categories":[`...), quoted...), "]}"...)
	default:
		var list []json.RawMessage
		if json.Unmarshal(given, &list) != nil || bytes.Contains(given, quoted) {
			return op, false
		}
		with, err := json.Marshal(append(list, quoted))
		if err != nil {
			return op, false
		}
		fields["categories"] = with
		if out, err = json.Marshal(fields); err != nil {
			return op, false
		}
	}
	op.Body = strictyaml.ValueOf(out)
	return op, true
}

// hasCategories reports whether a request creates an item of a sort that carries
// categories: messages, events and contacts, but not folders.
func hasCategories(endpoint string) bool {
	for _, collection := range []string{"/messages", "/events", "/contacts"} {
		if strings.HasPrefix(endpoint, "POST ") && strings.HasSuffix(endpoint, collection) {
			return true
		}
	}
	return false
}
