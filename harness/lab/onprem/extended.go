package onprem

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// Extended properties of v2.0 (Outlook extended properties REST API): where Graph says
// id, it says PropertyId. Only single values of messages are imitated.
const extendedName = "SingleValueExtendedProperties"

// expansions are what $expand may name of a message.
func (s *Service) expansions(v1 bool) []string {
	if v1 {
		return []string{"attachments"}
	}
	return []string{"attachments", extendedName}
}

// readExtended reads SingleValueExtendedProperties of a body: they join those that the message has.
func readExtended(raw []byte) (func(*store.Message), error) {
	given, err := list(raw, func(raw []byte) (store.Property, error) {
		var p store.Property
		err := object(raw, "SingleValueLegacyExtendedProperty", func(name string, value []byte) error {
			text, err := aText(value)
			switch name {
			case "PropertyId":
				p.ID = text
			case "Value":
				p.Value = text
			default:
				return unknownProperty(name, "SingleValueLegacyExtendedProperty")
			}
			return err
		})
		if err != nil {
			return p, err
		}
		words := strings.SplitN(p.ID, " ", 4)
		if len(words) < 2 {
			return p, bodyError{"The extended property id '" + strings.ToValidUTF8(p.ID, "") + "' is malformed."}
		}
		words[1] = strings.ToLower(words[1])
		p.ID = strings.Join(words, " ")
		return p, nil
	})
	return func(m *store.Message) {
		kept := slices.Clone(m.Extended)
		for _, p := range given {
			kept = slices.DeleteFunc(kept, func(x store.Property) bool { return strings.EqualFold(x.ID, p.ID) })
			kept = append(kept, p)
		}
		m.Extended = kept
	}, err
}

// extendedAsked lists the ids that $expand=SingleValueExtendedProperties($filter=…) names.
func extendedAsked(e odata.Expand) ([]string, error) {
	var ids []string
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
		if isProperty && isLiteral && strings.EqualFold(p.Path, "PropertyId") {
			ids = append(ids, l.Value.Text)
		}
	}
	walk(e.Filter)
	if len(ids) == 0 {
		return nil, refusal(http.StatusBadRequest, "ErrorInvalidRequest", "The OData request is not supported.")
	}
	return ids, nil
}

// extended writes the extended properties that were asked for; nothing when the message has none of them.
func (c *call) extended(m *store.Message) {
	type pair struct{ PropertyId, Value string }
	var shown []pair
	for _, p := range m.Extended {
		if slices.ContainsFunc(c.properties, func(id string) bool { return strings.EqualFold(id, p.ID) }) {
			shown = append(shown, pair{p.ID, p.Value})
		}
	}
	if len(shown) == 0 {
		return
	}
	text, err := json.Marshal(shown)
	if err != nil {
		return // texts always have a form
	}
	c.name(extendedName)
	c.raw(string(text))
}
