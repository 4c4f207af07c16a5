package onprem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// bodyError is a request body that the server cannot read: code RequestBodyRead.
// The texts about an unknown property and an unknown type are literal, as
// captured behind the hybrid proxy.
type bodyError struct{ message string }

func (e bodyError) Error() string { return e.message }

func unknownProperty(name, kind string) error {
	return bodyError{"The property '" + name + "' does not exist on type 'Microsoft.OutlookServices." + kind +
		"'. Make sure to only use property names that are defined by the type or mark the type as open type."}
}

func cannotConvert(raw []byte, edm string) error {
	text := strings.Trim(string(raw), `"`)
	if len(text) > 60 {
		text = text[:60]
	}
	return bodyError{"Cannot convert the literal '" + strings.ToValidUTF8(text, "") + "' to the expected type '" + edm + "'."}
}

// object reads the members of a JSON object in their order; names are matched
// exactly, as the server does. each gets every member but annotations.
func object(raw []byte, kind string, each func(name string, value []byte) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return bodyError{"An object of type 'Microsoft.OutlookServices." + kind + "' was expected."}
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return bodyError{"The body is not valid JSON."}
		}
		name, _ := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return bodyError{"The body is not valid JSON."}
		}
		if name == "@odata.type" {
			if err := knownType(value); err != nil {
				return err
			}
			continue
		}
		if strings.HasPrefix(name, "@") || strings.Contains(name, "@odata.") {
			continue
		}
		if err := each(name, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return bodyError{"The body is not valid JSON."}
	}
	return nil
}

func knownType(value []byte) error {
	var name string
	if json.Unmarshal(value, &name) != nil {
		return bodyError{"The annotation 'odata.type' must be a text."}
	}
	name = strings.TrimPrefix(name, "#")
	if strings.HasPrefix(strings.ToLower(name), "microsoft.outlookservices.") {
		return nil
	}
	if len(name) > 80 {
		name = name[:80]
	}
	return bodyError{"A type named '" + strings.ToValidUTF8(name, "") + "' could not be resolved by the model. When a model is available, each type name must resolve to a valid type."}
}

// entity reads a request body against a table of properties: the changes it asks
// for, in its order.
func entity[T any](raw []byte, kind string, table []property[T], v1 bool, extra map[string]func([]byte) (func(*T), error)) ([]func(*T), error) {
	var changes []func(*T)
	err := object(raw, kind, func(name string, value []byte) error {
		set, known := extra[name]
		for i := range table {
			if !known && table[i].in(v1) == name && table[i].edm != path {
				set, known = table[i].set, true
			}
		}
		if !known {
			return unknownProperty(name, kind)
		}
		if set == nil {
			return nil // read-only: ignored
		}
		change, err := set(value)
		if err == nil {
			changes = append(changes, change)
		}
		return err
	})
	return changes, err
}

// into makes a setter of a decoder and of where its value goes.
func into[T, V any](decode func([]byte) (V, error), place func(*T) *V) func([]byte) (func(*T), error) {
	return func(raw []byte) (func(*T), error) {
		v, err := decode(raw)
		if err != nil {
			return nil, err
		}
		return func(x *T) { *place(x) = v }, nil
	}
}

func aText(raw []byte) (string, error) {
	var s *string
	if json.Unmarshal(raw, &s) != nil {
		return "", cannotConvert(raw, "Edm.String")
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

func aBool(raw []byte) (bool, error) {
	var v bool
	if json.Unmarshal(raw, &v) != nil {
		return false, cannotConvert(raw, "Edm.Boolean")
	}
	return v, nil
}

func aNumber(raw []byte) (int, error) {
	var v int
	if json.Unmarshal(raw, &v) != nil {
		return 0, cannotConvert(raw, "Edm.Int32")
	}
	return v, nil
}

func aTime(raw []byte) (time.Time, error) {
	s, err := aText(raw)
	if err != nil || s == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, cannotConvert(raw, "Edm.DateTimeOffset")
	}
	return t.UTC(), nil
}

func someTexts(raw []byte) ([]string, error) {
	var v []string
	if json.Unmarshal(raw, &v) != nil {
		return nil, cannotConvert(raw, "Collection(Edm.String)")
	}
	return v, nil
}

// anEnum reads a member of an enumeration in any case; the result has Graph's spelling.
func anEnum(edm string, known ...string) func([]byte) (string, error) {
	return func(raw []byte) (string, error) {
		s, err := aText(raw)
		if err != nil {
			return "", err
		}
		for _, k := range known {
			if strings.EqualFold(k, s) {
				return k, nil
			}
		}
		return "", cannotConvert(raw, "Microsoft.OutlookServices."+edm)
	}
}

func list[V any](raw []byte, one func([]byte) (V, error)) ([]V, error) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return nil, bodyError{"A collection was expected."}
	}
	out := make([]V, 0, len(parts))
	for _, p := range parts {
		v, err := one(p)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// fields reads a complex value by the names of its members.
func fields(raw []byte, kind string, members map[string]func([]byte) error) error {
	return object(raw, kind, func(name string, value []byte) error {
		read, ok := members[name]
		if !ok {
			return unknownProperty(name, kind)
		}
		if read == nil {
			return nil
		}
		return read(value)
	})
}

// to makes a member reader of a decoder and of where its value goes.
func to[V any](decode func([]byte) (V, error), place *V) func([]byte) error {
	return func(raw []byte) (err error) {
		*place, err = decode(raw)
		return err
	}
}

func anAddress(raw []byte) (store.Address, error) {
	var a store.Address
	err := fields(raw, "EmailAddress", map[string]func([]byte) error{"Name": to(aText, &a.Name), "Address": to(aText, &a.Address)})
	if a.Name == "" {
		a.Name = a.Address
	}
	return a, err
}

func aRecipient(raw []byte) (store.Address, error) {
	var a store.Address
	err := fields(raw, "Recipient", map[string]func([]byte) error{"EmailAddress": to(anAddress, &a)})
	return a, err
}

func aSender(raw []byte) (*store.Address, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	a, err := aRecipient(raw)
	return &a, err
}

func someRecipients(raw []byte) ([]store.Address, error) { return list(raw, aRecipient) }

func someAddresses(raw []byte) ([]store.Address, error) { return list(raw, anAddress) }

func aBody(raw []byte) (store.Body, error) {
	b := store.Body{Kind: "text"}
	err := fields(raw, "ItemBody", map[string]func([]byte) error{
		"ContentType": to(anEnum("BodyType", "text", "html"), &b.Kind), "Content": to(aText, &b.Content),
	})
	return b, err
}

func aMoment(raw []byte) (store.Moment, error) {
	var date, name string
	err := fields(raw, "DateTimeTimeZone", map[string]func([]byte) error{"DateTime": to(aText, &date), "TimeZone": to(aText, &name)})
	if err != nil {
		return store.Moment{}, err
	}
	return parseMoment(date, name)
}

var errZone = errors.New("time zone")

// parseMoment reads a wall-clock time in a named zone; a time with an offset is
// an instant of its own.
func parseMoment(date, name string) (store.Moment, error) {
	loc, ok := zone.Load(name)
	if !ok {
		return store.Moment{}, fmt.Errorf("%w: %s", errZone, name)
	}
	if t, err := time.Parse(time.RFC3339, date); err == nil {
		return store.Moment{At: t.UTC(), Zone: name}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, date, loc); err == nil {
			return store.Moment{At: t.UTC(), Zone: name}, nil
		}
	}
	return store.Moment{}, cannotConvert([]byte(date), "Edm.DateTimeOffset")
}
