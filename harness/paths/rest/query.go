package rest

import (
	"slices"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/request"
)

// translation is one question on its way into the dialect.
type translation struct {
	dialect *Dialect
	entity  string // what the answer holds, "" when that is not known
	dropped []string
	unread  []string
}

// notes report what was left out.
func (t *translation) notes() []request.Note {
	var notes []request.Note
	lists, rest := exceptions(t.dropped)
	if len(rest) > 0 {
		notes = append(notes, request.Note{ID: "props.absent", Detail: strings.Join(rest, ", ")})
	}
	if len(lists) > 0 {
		notes = append(notes, request.Note{ID: "recur.exceptions", Detail: strings.Join(lists, ", ")})
	}
	if len(t.unread) > 0 {
		notes = append(notes, request.Note{ID: "props.absent", Detail: "not sent: " + strings.Join(t.unread, ", ")})
	}
	return notes
}

// exceptions parts the lists of what was changed in a series from other names: they are
// no property that came later, but another way to tell (row recur.exceptions).
func exceptions(names []string) (lists, rest []string) {
	for _, name := range names {
		if name == "cancelledOccurrences" || name == "exceptionOccurrences" {
			lists = append(lists, name)
		} else {
			rest = append(rest, name)
		}
	}
	return lists, rest
}

// newer reports whether the on-premises model lacks a property.
func (t *translation) newer(name string) bool {
	typ := t.entity
	if typ == "" {
		return false
	}
	p, ok := canon.Lookup(typ, name)
	return ok && p.Newer
}

func (t *translation) query(options []request.Option) ([]request.Option, error) {
	out := make([]request.Option, 0, len(options))
	for _, o := range options {
		var err error
		switch strings.ToLower(o.Name) {
		case "$select":
			o.Value = t.selected(o.Value)
		case "$orderby":
			o.Value, err = t.orderBy(o.Value)
		case "$filter":
			o.Value, err = t.filter(o.Value)
		case "$expand":
			o.Value, err = t.expand(o.Value)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// selected keeps the properties that exist. When none is left the id is asked: an empty $select
// would mean everything.
func (t *translation) selected(value string) string {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case t.newer(name):
			if !slices.Contains(t.dropped, name) {
				t.dropped = append(t.dropped, name)
			}
		default:
			names = append(names, t.path(name))
		}
	}
	if len(names) == 0 {
		return "Id"
	}
	return strings.Join(names, ",")
}

// path raises each step of a property path: from/emailAddress/address.
func (t *translation) path(path string) string {
	steps := strings.Split(path, "/")
	for i, s := range steps {
		if !strings.HasPrefix(s, "{{") && !strings.HasPrefix(s, "$") {
			steps[i] = t.dialect.raise(s)
		}
	}
	return strings.Join(steps, "/")
}

func (t *translation) orderBy(value string) (string, error) {
	var terms []string
	for term := range strings.SplitSeq(value, ",") {
		property, direction, _ := strings.Cut(strings.TrimSpace(term), " ")
		first, _, _ := strings.Cut(property, "/")
		if t.newer(first) {
			return "", unsupported("cannot order by %s, which on-premises %ss do not have", first, t.entity)
		}
		term = t.path(property)
		if direction != "" {
			term += " " + strings.TrimSpace(direction)
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, ","), nil
}

// expand translates attachments, attachments($select=name,size) and extended properties.
func (t *translation) expand(value string) (string, error) {
	var parts []string
	for _, part := range splitTop(value) {
		name, options, nested := strings.Cut(strings.TrimSpace(part), "(")
		p, known := canon.Lookup(t.entity, name)
		if known && p.Newer {
			return "", unsupported("cannot expand %s, which on-premises %ss do not have", name, t.entity)
		}
		said := t.path(name)
		if nested {
			inner := translation{dialect: t.dialect, entity: p.Object}
			translated, err := inner.nested(strings.TrimSuffix(options, ")"))
			if err != nil {
				return "", err
			}
			said += "(" + translated + ")"
		}
		parts = append(parts, said)
	}
	return strings.Join(parts, ","), nil
}

func (t *translation) nested(options string) (string, error) {
	var parts []string
	for part := range strings.SplitSeq(options, ";") {
		name, value, _ := strings.Cut(part, "=")
		translated, err := t.query([]request.Option{{Name: name, Value: value}})
		if err != nil {
			return "", err
		}
		parts = append(parts, name+"="+translated[0].Value)
	}
	return strings.Join(parts, ";"), nil
}

// splitTop splits at the commas that stand in no parentheses.
func splitTop(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
