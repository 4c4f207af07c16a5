package expect

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ohler55/ojg/jp"

	"cutover/harness/canon"
)

// Capture takes one value out of an answer.
type Capture struct {
	Name   string
	at     string  // as written
	header string  // "": from the body
	simple bool    // canon can follow it without building anything
	path   jp.Expr // otherwise
}

// NewCapture compiles a JSONPath on the canonical answer, or "header: NAME".
func NewCapture(name, at string) (Capture, error) {
	c := Capture{Name: name, at: at}
	if header, ok := strings.CutPrefix(at, "header:"); ok {
		c.header = strings.TrimSpace(header)
		if c.header == "" {
			return Capture{}, fmt.Errorf("capture %s names no header; write 'header: Location'", name)
		}
		return c, nil
	}
	if !strings.HasPrefix(at, "$") {
		return Capture{}, fmt.Errorf("capture %s: %q is not a JSONPath, which begins with $; write '$.value[0].id' or 'header: Location'", name, at)
	}
	c.simple = canon.Simple(at)
	var err error
	if c.path, err = jp.ParseString(at); err != nil {
		return Capture{}, fmt.Errorf("capture %s: %q is not a JSONPath: %v", name, at, err)
	}
	return c, nil
}

// NeedsDoc reports whether the capture looks into the parsed body.
func (c *Capture) NeedsDoc() bool { return c.header == "" }

// String is the capture as it was written.
func (c *Capture) String() string { return c.at }

// Take returns the first value that the capture finds: a string as it is, a number
// with its digits, anything else as JSON. ok is false when it finds nothing, null or
// an empty text, none of which a later step could use.
func (c *Capture) Take(a Answer) (value string, ok bool) {
	if c.header != "" {
		value = a.Response.Header.Value(c.header)
		return value, value != ""
	}
	if a.Doc == nil {
		return "", false
	}
	if c.simple {
		node, found := a.Doc.Find(c.at)
		if !found || node.Kind() == canon.Null {
			return "", false
		}
		if node.Kind() != canon.Object && node.Kind() != canon.Array {
			value = node.Text()
			return value, value != ""
		}
		return asText(node.Any())
	}
	return asText(c.path.First(a.Doc.Root().Any()))
}

func asText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, v != ""
	case json.Number:
		return v.String(), true
	}
	text, err := json.Marshal(v)
	return string(text), err == nil
}
