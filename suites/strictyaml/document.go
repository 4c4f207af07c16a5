package strictyaml

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Document writes the keys of a schema that Schema made as Markdown tables, one for each
// sort of mapping, so that documents and editors say the same. root is the name of the
// whole document.
func Document(schema []byte, root string) (string, error) {
	var doc struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(schema, &doc); err != nil {
		return "", fmt.Errorf("schema: %w", err)
	}
	var out strings.Builder
	doc.object.write(&out, root)
	for _, name := range slices.Sorted(maps.Keys(doc.Defs)) {
		doc.Defs[name].write(&out, name)
	}
	return out.String(), nil
}

// object is what a document needs of a mapping's schema.
type object struct {
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

type property struct {
	Description string    `json:"description"`
	Ref         string    `json:"$ref"`
	Items       *property `json:"items"`
	Enum        []any     `json:"enum"`
}

func (o object) write(out *strings.Builder, name string) {
	if len(o.Properties) == 0 {
		return
	}
	fmt.Fprintf(out, "\n### %s\n\n| key | meaning |\n|---|---|\n", name)
	for _, key := range slices.Sorted(maps.Keys(o.Properties)) {
		p := o.Properties[key]
		fmt.Fprintf(out, "| `%s` | %s", key, p.Description)
		if slices.Contains(o.Required, key) {
			out.WriteString(" Required.")
		}
		if p.Enum != nil {
			var allowed []string
			for _, one := range p.Enum {
				if text, isText := one.(string); isText {
					allowed = append(allowed, "`"+text+"`")
				}
			}
			out.WriteString(" One of " + strings.Join(allowed, ", ") + ".")
		}
		if p.Items != nil && p.Items.Ref != "" {
			p.Ref = p.Items.Ref
		}
		if p.Ref != "" {
			out.WriteString(" See " + strings.TrimPrefix(p.Ref, "#/$defs/") + ".")
		}
		out.WriteString(" |\n")
	}
}
