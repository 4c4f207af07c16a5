package rest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/request"
)

// body raises the names and enum members of a request body. What the on-premises model lacks is left
// out and noted; a body that would be empty without it cannot be said.
func (t *translation) body(q request.Question, segments []request.Segment) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(q.JSON))
	decoder.UseNumber()
	var out bytes.Buffer
	if err := t.value(decoder, &out, bodyType(q.Method, segments), nil); err != nil {
		return nil, err
	}
	if len(t.unread) > 0 && out.String() == "{}" {
		return nil, unsupported("%s: on-premises %ss have no such property", strings.Join(t.unread, ", "), t.entity)
	}
	return out.Bytes(), nil
}

// bodyType is the type of the object that a request carries.
func bodyType(method string, segments []request.Segment) string {
	entity, _ := request.Returns("POST", segments)
	if method == "PATCH" || method == "PUT" {
		entity, _ = request.Returns("PATCH", segments)
	}
	if entity == "" {
		return "action"
	}
	switch segments[len(segments)-1].Name {
	case "move", "copy", "createReply", "createReplyAll", "createForward":
		return "action"
	}
	return entity
}

// actionTypes are the parameters of actions that hold objects of the vocabulary.
var actionTypes = map[string]string{
	"message": "message", "torecipients": "recipient", "event": "event", "proposednewtime": "timeSlot",
}

// value copies one JSON value, translated. typ is the type of an object that stands here, "" when it
// is not known; prop is the property that holds the value.
func (t *translation) value(in *json.Decoder, out *bytes.Buffer, typ string, prop *canon.Property) error {
	token, err := in.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return t.object(in, out, typ)
		}
		return t.array(in, out, typ, prop)
	case string:
		if prop != nil && prop.Form == canon.FormEnum && !strings.Contains(token, "{{") {
			token = raiseEnum(token)
		}
		return write(out, token)
	default:
		return write(out, token)
	}
}

func (t *translation) array(in *json.Decoder, out *bytes.Buffer, typ string, prop *canon.Property) error {
	out.WriteByte('[')
	for i := 0; in.More(); i++ {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := t.value(in, out, typ, prop); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	_, err := in.Token()
	return err
}

func (t *translation) object(in *json.Decoder, out *bytes.Buffer, typ string) error {
	out.WriteByte('{')
	for written := 0; in.More(); {
		token, err := in.Token()
		if err != nil {
			return err
		}
		name := token.(string)
		prop, inner := t.member(typ, name)
		if prop != nil && prop.Object == "zoned" && t.dialect.about.Version == "v1.0" {
			return unsupported("v1.0 writes %s as one date with an offset; use v2.0", name)
		}
		if prop != nil && prop.Newer {
			if !slices.Contains(t.unread, name) {
				t.unread = append(t.unread, name)
			}
			var skipped json.RawMessage
			if err := in.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if written++; written > 1 {
			out.WriteByte(',')
		}
		if err := write(out, t.wireName(typ, name)); err != nil {
			return err
		}
		out.WriteByte(':')
		if strings.HasSuffix(name, "@odata.type") {
			err = t.typeName(in, out)
		} else {
			err = t.value(in, out, inner, prop)
		}
		if err != nil {
			return err
		}
	}
	out.WriteByte('}')
	_, err := in.Token()
	return err
}

// member finds the property of a name and the type of the object in it.
func (t *translation) member(typ, name string) (*canon.Property, string) {
	if typ == "action" {
		return nil, actionTypes[strings.ToLower(name)]
	}
	p, ok := canon.Lookup(typ, name)
	if !ok {
		return nil, ""
	}
	return &p, p.Object
}

func (t *translation) wireName(typ, name string) string {
	property, annotation, annotated := strings.Cut(name, "@")
	switch {
	case annotated:
		return t.dialect.raise(property) + "@" + annotation
	case typ == "extendedProperty" && name == "id":
		return "PropertyId"
	}
	return t.dialect.raise(name)
}

// typeName maps #microsoft.graph.fileAttachment to the namespace of Outlook REST.
func (t *translation) typeName(in *json.Decoder, out *bytes.Buffer) error {
	var name string
	if err := in.Decode(&name); err != nil {
		return err
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(strings.TrimPrefix(lower, "#"), "microsoft.graph.") {
		name = "#Microsoft.OutlookServices." + upperFirst(name[strings.LastIndexByte(name, '.')+1:])
	}
	return write(out, name)
}

// write appends a JSON scalar without escaping what HTML would need escaped.
func write(out *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the encoder's newline
	return nil
}
