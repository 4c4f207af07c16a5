package rest

import (
	"slices"
	"strings"

	"cutover/harness/canon"
)

// Words of an OData expression that are no property.
var filterWords = []string{
	"and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "has", "in", "add", "sub", "mul", "div", "mod", "true", "false", "null",
	"any", "all", "startswith", "endswith", "contains", "substringof", "length", "indexof", "tolower", "toupper", "trim", "concat",
	"year", "month", "day", "hour", "minute", "second", "now", "cast", "isof",
}

// filter raises the property paths of an OData expression. Literals stay as they are, but for the
// members of enumerations, which follow the property that they are compared with.
func (t *translation) filter(expression string) (string, error) {
	var out strings.Builder
	var compared *canon.Property
	for _, token := range tokens(expression) {
		switch {
		case strings.HasPrefix(token, "'"):
			out.WriteString(enumLiteral(token, compared))
		case !isName(token), slices.Contains(filterWords, strings.ToLower(token)):
			out.WriteString(token)
		default:
			name, rest, _ := strings.Cut(token, "/")
			if t.newer(name) {
				return "", unsupported("cannot filter by %s, which on-premises %ss do not have", name, t.entity)
			}
			compared = t.property(token)
			if len(name) == 1 && rest == "" { // a lambda variable: a:a/address
				out.WriteString(token)
				continue
			}
			out.WriteString(t.filterPath(token))
		}
	}
	return out.String(), nil
}

// filterPath raises a path, keeping a lambda variable at its front and a function at its end.
func (t *translation) filterPath(path string) string {
	steps := strings.Split(path, "/")
	extended := false
	for i, s := range steps {
		switch {
		case len(s) == 1, s == "any", s == "all":
		case extended && s == "id", len(steps) > 1 && i == 1 && s == "id" && steps[0] == "ep":
			steps[i] = "PropertyId"
		case s == "ep":
		default:
			extended = strings.HasSuffix(s, "ExtendedProperties")
			steps[i] = t.dialect.raise(s)
		}
	}
	if len(steps) == 1 && steps[0] == "Id" && t.entity == "extendedProperty" {
		return "PropertyId"
	}
	return strings.Join(steps, "/")
}

// property finds what a path is compared with: the last step that the vocabulary knows.
func (t *translation) property(path string) *canon.Property {
	typ := t.entity
	if typ == "" {
		typ = "item"
	}
	var found *canon.Property
	for step := range strings.SplitSeq(path, "/") {
		p, ok := canon.Lookup(typ, step)
		if !ok {
			return found
		}
		found, typ = &p, p.Object
	}
	return found
}

func enumLiteral(token string, p *canon.Property) string {
	inner := strings.Trim(token, "'")
	if p == nil || p.Form != canon.FormEnum || strings.Contains(inner, "{{") {
		return token
	}
	return "'" + raiseEnum(inner) + "'"
}

// raiseEnum spells a member as Outlook REST does: Normal, SingleInstance, but HTML.
func raiseEnum(member string) string {
	if strings.EqualFold(member, "html") {
		return "HTML"
	}
	return upperFirst(member)
}

// tokens cuts an expression into names (with their slashes), quoted literals and everything else.
func tokens(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		start := i
		switch {
		case strings.HasPrefix(s[i:], "{{"):
			end := strings.Index(s[i:], "}}")
			if end < 0 {
				end = len(s) - i - 2
			}
			i += end + 2
		case s[i] == '\'':
			i++
			for i < len(s) && (s[i] != '\'' || i+1 < len(s) && s[i+1] == '\'') {
				if s[i] == '\'' {
					i++
				}
				i++
			}
			i = min(i+1, len(s))
		case nameByte(s[i]) && !digit(s[i]):
			for i < len(s) && (nameByte(s[i]) || s[i] == '/') {
				i++
			}
		case digit(s[i]): // a number or a date
			for i < len(s) && (nameByte(s[i]) || strings.IndexByte(":.+-", s[i]) >= 0) {
				i++
			}
		default:
			i++
		}
		out = append(out, s[start:i])
	}
	return out
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || digit(c)
}

func isName(token string) bool { return nameByte(token[0]) && !digit(token[0]) }
