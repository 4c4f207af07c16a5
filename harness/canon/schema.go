package canon

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Form is what a property's value means, beyond its JSON kind.
type Form uint8

// The forms of the schema. Plain values (strings, numbers, …) compare by value.
const (
	FormUnknown Form = iota
	FormString
	FormBool
	FormInt
	FormNumber
	FormBinary
	FormGUID
	FormDate
	FormTimeOfDay
	FormDuration
	FormURL
	FormText
	FormHTML
	FormAddress
	FormInstant
	FormStamp
	FormLocalTime
	FormZone
	FormID
	FormEnum
	FormObject
)

var formWords = map[string]Form{
	"string": FormString, "bool": FormBool, "int": FormInt, "number": FormNumber, "binary": FormBinary, "guid": FormGUID, "date": FormDate,
	"timeofday": FormTimeOfDay, "duration": FormDuration, "url": FormURL, "text": FormText, "html": FormHTML, "address": FormAddress,
	"instant": FormInstant, "stamp": FormStamp, "localtime": FormLocalTime, "zone": FormZone,
}

// Property is one line of the schema.
type Property struct {
	Type, Name string
	Form       Form
	Sort       string   // of an identity: "message", "folder", …
	Enum       []string // members in canonical spelling
	Object     string   // type of an object
	Collection bool
	Newer      bool // not in the Outlook model of August 2016
	NonNull    bool
	Selected   bool // answered only when $select or $expand names it
	Bag        bool // a collection whose order means nothing

	index, object int16
	enumBytes     [][]byte
	enumHashes    []Hash // of the canonical members, as strings
}

// masked reports whether the value is left out of the hash: what it stands for is compared otherwise.
func (p *Property) masked() bool { return p.Form == FormID || p.Form == FormStamp || p.Form == FormURL }

//go:embed schema.txt
var schemaText string

type schemaTable struct {
	properties []*Property
	types      []string
	typeIndex  map[string]int16
	byName     []map[string]*Property // by type
	entities   []string
}

// anyEntity is the pseudo type of a root, or of an item in value[]: the union of all entities.
const anyEntity = "item"

var entityTypes = []string{
	"message", "mailFolder", "attachment", "event", "calendar", "calendarGroup", "calendarPermission", "contact", "contactFolder",
	"outlookCategory", "messageRule", "user", "scheduleInformation",
}

var schema = sync.OnceValue(func() *schemaTable {
	s := &schemaTable{typeIndex: map[string]int16{}, entities: entityTypes}
	for line := range strings.Lines(schemaText) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 3 {
			panic(fmt.Sprintf("schema.txt: %q is not TYPE PROPERTY KIND", strings.TrimSpace(line)))
		}
		s.add(parseProperty(fields))
	}
	s.union()
	for _, p := range s.properties {
		p.object = -1
		for _, member := range p.Enum {
			p.enumBytes = append(p.enumBytes, []byte(member))
			p.enumHashes = append(p.enumHashes, hashBytes([]byte(member), seedString))
		}
		if p.Form != FormObject {
			continue
		}
		i, ok := s.typeIndex[p.Object]
		if !ok {
			panic(fmt.Sprintf("schema.txt: %s.%s is of type %q, which has no properties", p.Type, p.Name, p.Object))
		}
		p.object = i
	}
	return s
})

func parseProperty(fields []string) *Property {
	p := &Property{Type: fields[0], Name: fields[1]}
	kind, collection := strings.CutSuffix(fields[2], "[]")
	p.Collection = collection
	if sort, ok := strings.CutPrefix(kind, "id:"); ok {
		p.Form, p.Sort = FormID, sort
	} else if members, ok := strings.CutPrefix(kind, "enum:"); ok {
		p.Form, p.Enum = FormEnum, strings.Split(members, ",")
	} else if form, ok := formWords[kind]; ok {
		p.Form = form
	} else {
		p.Form, p.Object = FormObject, kind
	}
	for _, flag := range fields[3:] {
		switch flag {
		case "newer":
			p.Newer = true
		case "nonnull":
			p.NonNull = true
		case "select":
			p.Selected = true
		case "bag":
			p.Bag = true
		default:
			panic(fmt.Sprintf("schema.txt: %s.%s has the unknown flag %q", p.Type, p.Name, flag))
		}
	}
	return p
}

func (s *schemaTable) add(p *Property) {
	i, ok := s.typeIndex[p.Type]
	if !ok {
		i = int16(len(s.types))
		s.typeIndex[p.Type] = i
		s.types = append(s.types, p.Type)
		s.byName = append(s.byName, map[string]*Property{})
	}
	p.index = int16(len(s.properties))
	s.properties = append(s.properties, p)
	s.byName[i][p.Name] = p
}

// union makes the type of items whose entity is not known. Where entities disagree about a
// property's form, it has none there; enumerations are joined.
func (s *schemaTable) union() {
	joined := map[string]*Property{}
	var names []string
	for _, entity := range s.entities {
		for _, p := range s.properties {
			if p.Type != entity {
				continue
			}
			have := joined[p.Name]
			if have == nil {
				copied := *p
				copied.Type, copied.Newer, copied.NonNull = anyEntity, false, false
				joined[p.Name] = &copied
				names = append(names, p.Name)
				continue
			}
			have.join(p)
		}
	}
	for _, name := range names {
		s.add(joined[name])
	}
}

func (p *Property) join(o *Property) {
	switch {
	case p.Form == FormID && o.Form == FormID:
		if p.Sort != o.Sort {
			p.Sort = "item"
		}
	case p.Form == FormEnum && o.Form == FormEnum:
		for _, member := range o.Enum {
			if !slices.Contains(p.Enum, member) {
				p.Enum = append(slices.Clone(p.Enum), member)
			}
		}
	case p.Form != o.Form || p.Object != o.Object || p.Collection != o.Collection:
		p.Form, p.Object, p.Enum = FormUnknown, "", nil
	}
	p.Selected = p.Selected && o.Selected
}

// Lookup finds a property of a type of the vocabulary ("message", "emailAddress"), by its canonical
// name. The type "item" holds what all entities share.
func Lookup(typ, name string) (Property, bool) {
	s := schema()
	i, ok := s.typeIndex[typ]
	if !ok {
		return Property{}, false
	}
	p := s.byName[i][name]
	if p == nil {
		return Property{}, false
	}
	return *p, true
}

// Properties lists the properties of a type in the order of the schema, nil for an unknown type.
func Properties(typ string) []Property {
	var list []Property
	for _, p := range schema().properties {
		if p.Type == typ {
			list = append(list, *p)
		}
	}
	return list
}

// Entities lists the entity types of the vocabulary.
func Entities() []string { return slices.Clone(entityTypes) }
