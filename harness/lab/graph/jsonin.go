package graph

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// jsonNode is a JSON value of a request, members in the order of the text: the
// first unknown one is the one that is named.
type jsonNode struct {
	kind    nodeKind
	text    string // of strings and numbers
	yes     bool   // of Booleans
	members []jsonMember
	items   []*jsonNode
}

type jsonMember struct {
	name  string
	value *jsonNode
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	objectNode
	arrayNode
)

// Bounds of a request body.
const (
	maxBody  = 4 << 20 // documented: the maximum request length is 4 MB
	maxNodes = 200_000
	maxNest  = 64
)

// readBody reads the whole body within the documented limit.
func (c *call) readBody() ([]byte, *fault) {
	if c.r.ContentLength > maxBody {
		return nil, tooLong()
	}
	if c.r.Body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		return nil, badRequest("Unable to read the request body.")
	}
	if len(data) > maxBody {
		return nil, tooLong()
	}
	return data, nil
}

func tooLong() *fault {
	return &fault{status: http.StatusRequestEntityTooLarge, code: "BadRequest", message: "The maximum request length supported is 4MB."}
}

// readObject reads a JSON object. An empty body is an empty object.
func (c *call) readObject() (*jsonNode, *fault) {
	data, f := c.readBody()
	if f != nil {
		return nil, f
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return &jsonNode{kind: objectNode}, nil
	}
	if ct := c.r.Header.Get("Content-Type"); ct != "" && !strings.Contains(strings.ToLower(ct), "json") {
		return nil, &fault{status: http.StatusUnsupportedMediaType, code: "BadRequest", message: "Write requests (excluding DELETE) must contain the Content-Type header declaration."}
	}
	n, err := parseJSON(data)
	if err != nil || n.kind != objectNode {
		return nil, badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return n, nil
}

var errJSON = errors.New("too deep, too large or more than one value")

// parseJSON reads one JSON value.
func parseJSON(data []byte) (*jsonNode, error) {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	left := maxNodes
	n, err := readNode(d, 0, &left)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errJSON
	}
	return n, nil
}

func readNode(d *json.Decoder, depth int, left *int) (*jsonNode, error) {
	if *left--; depth > maxNest || *left < 0 {
		return nil, errJSON
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := t.(type) {
	case json.Delim:
		return readNested(d, v, depth, left)
	case string:
		return &jsonNode{kind: stringNode, text: v}, nil
	case json.Number:
		return &jsonNode{kind: numberNode, text: v.String()}, nil
	case bool:
		return &jsonNode{kind: boolNode, yes: v}, nil
	}
	return &jsonNode{}, nil
}

func readNested(d *json.Decoder, open json.Delim, depth int, left *int) (*jsonNode, error) {
	n := &jsonNode{kind: arrayNode}
	if open == '{' {
		n.kind = objectNode
	}
	for d.More() {
		var name string
		if n.kind == objectNode {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = t.(string)
		}
		v, err := readNode(d, depth+1, left)
		if err != nil {
			return nil, err
		}
		if n.kind == objectNode {
			n.members = append(n.members, jsonMember{name, v})
		} else {
			n.items = append(n.items, v)
		}
	}
	_, err := d.Token()
	return n, err
}

// param finds a member in any case: how actions take their parameters.
func (n *jsonNode) param(name string) *jsonNode {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if strings.EqualFold(m.name, name) {
			return m.value
		}
	}
	return nil
}

// member finds a member by its exact name.
func (n *jsonNode) member(name string) *jsonNode {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// only refuses members other than the named parameters.
func (n *jsonNode) only(typ string, names ...string) *fault {
	for _, m := range n.members {
		known := strings.Contains(m.name, "@odata.")
		for _, name := range names {
			known = known || strings.EqualFold(m.name, name)
		}
		if !known {
			return unknownMember(m.name, typ)
		}
	}
	return nil
}

func unknownMember(name, typ string) *fault {
	return badCode("RequestBodyRead", "The property '"+name+"' does not exist on type '"+typ+"'. Make sure to only use property names that are defined by the type or mark the type as open type.")
}

func badLiteral(n *jsonNode, edm string) *fault {
	return badCode("RequestBodyRead", "Cannot convert the literal '"+n.literal()+"' to the expected type '"+edm+"'.")
}

// literal is the value as short text for error messages.
func (n *jsonNode) literal() string {
	switch n.kind {
	case boolNode:
		return strconv.FormatBool(n.yes)
	case objectNode:
		return "{...}"
	case arrayNode:
		return "[...]"
	case nullNode:
		return "null"
	}
	if len(n.text) > 100 {
		return n.text[:100]
	}
	return n.text
}

// odataType is the value of the annotation @odata.type without its hash.
func (n *jsonNode) odataType() string {
	if t := n.param("@odata.type"); t != nil {
		return strings.TrimPrefix(t.text, "#")
	}
	return ""
}

func (n *jsonNode) string() (string, *fault) {
	switch n.kind {
	case stringNode:
		return n.text, nil
	case nullNode:
		return "", nil
	}
	return "", badLiteral(n, "Edm.String")
}

func (n *jsonNode) bool() (bool, *fault) {
	switch {
	case n.kind == boolNode:
		return n.yes, nil
	case n.kind == stringNode && strings.EqualFold(n.text, "true"):
		return true, nil
	case n.kind == stringNode && strings.EqualFold(n.text, "false"), n.kind == nullNode:
		return false, nil
	}
	return false, badLiteral(n, "Edm.Boolean")
}

func (n *jsonNode) int() (int, *fault) {
	v, err := strconv.Atoi(n.text)
	if err != nil || n.kind != numberNode && n.kind != stringNode || v > 1<<31-1 || v < -1<<31 {
		return 0, badLiteral(n, "Edm.Int32")
	}
	return v, nil
}

func (n *jsonNode) strings() ([]string, *fault) {
	if n.kind == nullNode {
		return nil, nil
	}
	if n.kind != arrayNode {
		return nil, badLiteral(n, "Collection(Edm.String)")
	}
	var list []string
	for _, i := range n.items {
		s, f := i.string()
		if f != nil {
			return nil, f
		}
		list = append(list, s)
	}
	return list, nil
}

// word reads a member of an enumeration in any case.
func (n *jsonNode) word(typ string, allowed ...string) (string, *fault) {
	for _, a := range allowed {
		if n.kind == stringNode && strings.EqualFold(n.text, a) {
			return a, nil
		}
	}
	return "", badLiteral(n, typ)
}
