package graph

import (
	"slices"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// readExtended merges the extended properties of a body into those of an item.
func readExtended(have []store.Property, n *jsonNode, multi bool) ([]store.Property, *fault) {
	typ := "microsoft.graph.singleValueLegacyExtendedProperty"
	if multi {
		typ = "microsoft.graph.multiValueLegacyExtendedProperty"
	}
	if n.kind != arrayNode {
		return have, badLiteral(n, "Collection("+typ+")")
	}
	have = slices.Clone(have)
	for _, i := range n.items {
		id, value := i.param("id"), i.param("value")
		if id == nil || id.text == "" {
			return have, badLiteral(i, typ)
		}
		p := store.Property{ID: propertyID(id.text)}
		if p.ID == "" {
			return have, badCode("ErrorInvalidProperty", "The extended property id '"+id.text+"' is malformed.")
		}
		var f *fault
		if multi {
			p.Values, f = value.strings()
		} else if value != nil {
			p.Value, f = value.string()
		}
		if f != nil {
			return have, f
		}
		have = slices.DeleteFunc(have, func(x store.Property) bool { return x.ID == p.ID })
		have = append(have, p)
	}
	return have, nil
}

// propertyID brings an id into the form in which it is returned: GUID and hex
// digits in lower case, no leading zeros. "" for one that is malformed. Forms:
// {Type} {guid} Name {name}, {Type} {guid} Id {0xHHHH}, {Type} {proptag}.
func propertyID(id string) string {
	words := strings.SplitN(strings.TrimSpace(id), " ", 4)
	if len(words) < 2 {
		return ""
	}
	hex := func(s string) string {
		digits, ok := strings.CutPrefix(strings.ToLower(s), "0x")
		digits = strings.TrimLeft(digits, "0")
		if !ok || digits == "" || strings.Trim(digits, "0123456789abcdef") != "" {
			return ""
		}
		return "0x" + digits
	}
	if len(words) == 2 {
		tag := words[1]
		if len(tag) == len("0x00000000") { // the last four digits repeat the type
			tag = tag[:6]
		}
		if tag = hex(tag); tag == "" {
			return ""
		}
		return words[0] + " " + tag
	}
	if len(words) < 4 {
		return ""
	}
	guid := strings.ToLower(words[1])
	if !strings.HasPrefix(guid, "{") {
		guid = "{" + guid + "}"
	}
	switch strings.ToLower(words[2]) {
	case "name":
		return words[0] + " " + guid + " Name " + words[3]
	case "id":
		if h := hex(words[3]); h != "" {
			return words[0] + " " + guid + " Id " + h
		}
	}
	return ""
}

// extendedShown is the extended properties that an $expand asks for. They are
// never all there: without a filter nothing is named, so nothing comes.
func extendedShown(all []store.Property, e odata.Expand, multi bool) []store.Property {
	wanted := map[string]bool{}
	var walk func(odata.Expr)
	walk = func(x odata.Expr) {
		b, ok := x.(odata.Binary)
		if !ok {
			return
		}
		walk(b.Left)
		walk(b.Right)
		p, isProperty := b.Left.(odata.Property)
		l, isLiteral := b.Right.(odata.Literal)
		if isProperty && isLiteral && strings.EqualFold(p.Path[strings.LastIndexByte(p.Path, '/')+1:], "id") {
			wanted[strings.ToLower(propertyID(l.Value.Text))] = true
		}
	}
	walk(e.Filter)
	var list []store.Property
	for _, p := range all {
		if (p.Values != nil) == multi && wanted[strings.ToLower(p.ID)] {
			list = append(list, p)
		}
	}
	return list
}

// appendExtended writes the member of an expanded kind of property; nothing when
// there is none to show.
func appendExtended(b []byte, all []store.Property, e odata.Expand, multi bool) []byte {
	shown := extendedShown(all, e, multi)
	if len(shown) == 0 {
		return b
	}
	b = append(b, `"singleValueExtendedProperties":[`...)
	if multi {
		b = append(b[:len(b)-len(`"singleValueExtendedProperties":[`)], `"multiValueExtendedProperties":[`...)
	}
	for i, p := range shown {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"id":`...)
		b = appendString(b, p.ID)
		b = append(b, `,"value":`...)
		if multi {
			b = appendStrings(b, p.Values)
		} else {
			b = appendString(b, p.Value)
		}
		b = append(b, '}')
	}
	return append(b, ']', ',')
}

// appendExtensions writes expanded open extensions.
func appendExtensions(b []byte, list []store.Extension) []byte {
	b = append(b, `"extensions":[`...)
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendExtension(append(b, '{'), x)
	}
	return append(b, ']', ',')
}

func appendExtension(b []byte, x store.Extension) []byte {
	b = append(b, `"@odata.type":"#microsoft.graph.openTypeExtension","id":`...)
	b = appendString(b, "microsoft.graph.openTypeExtension."+x.Name)
	b = append(b, `,"extensionName":`...)
	b = appendString(b, x.Name)
	if x.Members != "" {
		b = append(b, ',')
		b = append(b, x.Members...)
	}
	return append(b, '}')
}

// appendExpanded writes what $expand asked for of an item of any type.
func appendExpanded(b []byte, e *encoder, v any) []byte {
	var extended []store.Property
	var extensions []store.Extension
	var attachments []*store.Attachment
	kind := "messages"
	var ref store.Ref
	switch x := v.(type) {
	case message:
		extended, extensions, attachments, ref = x.Extended, x.Extensions, x.Attachments(), x.Ref()
	case event:
		extended, extensions, attachments, ref, kind = x.Extended, x.Extensions, x.Attachments(), x.Ref(), "events"
	case contact:
		extended, extensions = x.Extended, x.Extensions
	case *store.Folder:
		extended = x.Extended
	}
	for _, x := range e.expand {
		name := strings.ToLower(x.Path)
		switch name[strings.LastIndexByte(name, '/')+1:] {
		case "singlevalueextendedproperties":
			b = appendExtended(b, extended, x, false)
		case "multivalueextendedproperties":
			b = appendExtended(b, extended, x, true)
		case "extensions":
			b = appendExtensions(b, extensions)
		case "attachments":
			b = e.appendAttachments(b, kind, ref, attachments, x)
		case "event":
			if m, ok := v.(message); ok {
				b = e.appendMeetingEvent(b, m)
			}
		case "childfolders":
			if f, ok := v.(*store.Folder); ok {
				b = e.appendChildFolders(b, f)
			}
		}
	}
	return b
}
