package result

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode writes r as result.json: two-space indent, a fixed order of keys,
// lists where scripts expect lists, a final newline. The same result is the
// same bytes.
func Encode(r *Result) ([]byte, error) {
	filled := *r
	if filled.Schema == "" {
		filled.Schema = Schema
	}
	fill(&filled)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&filled); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return out.Bytes(), nil
}

// Decode reads a result.json of this schema. Unknown fields are ignored, so
// that an older reader opens a newer minor version.
func Decode(data []byte) (*Result, error) {
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("result: schema is %q, this version reads %q", r.Schema, Schema)
	}
	fill(&r)
	return &r, nil
}

// fill replaces absent lists and maps by empty ones: scripts iterate over
// them without asking first.
func fill(r *Result) {
	if r.Reasons == nil {
		r.Reasons = []string{}
	}
	if r.Traffic == nil {
		r.Traffic = map[string]Traffic{}
	}
	if r.Paths == nil {
		r.Paths = []PathInfo{}
	}
	if r.Phases == nil {
		r.Phases = []Phase{}
	}
	if r.Steps == nil {
		r.Steps = []StepStats{}
	}
	if r.Shift == nil {
		r.Shift = []Shift{}
	}
	if r.Gates == nil {
		r.Gates = []Outcome{}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.NotTested == nil {
		r.NotTested = []string{}
	}
}
