package request

import (
	"encoding/json"

	"cutover/harness/wire"
)

// Part is one request of a JSON batch and what it does to the world.
type Part struct {
	ID     string
	URL    string // relative, in Graph's words
	Body   []byte // nil for none
	Effect wire.Effect
}

// Parts takes the body of a JSON batch apart. What is no batch has no parts.
func Parts(body []byte) []Part {
	var batch struct {
		Requests []struct {
			ID, Method, URL string
			Body            json.RawMessage
		}
	}
	if json.Unmarshal(body, &batch) != nil {
		return nil
	}
	var out []Part
	for _, r := range batch.Requests {
		m := understand(Question{Method: r.Method, URL: r.URL, JSON: r.Body}.Split())
		m.effect.Recipients, m.effect.Target = m.recipients, m.target
		out = append(out, Part{ID: r.ID, URL: r.URL, Body: r.Body, Effect: m.effect})
	}
	return out
}
