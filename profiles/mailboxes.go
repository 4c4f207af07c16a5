package profiles

import (
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// Mailboxes are the mailboxes of a profile.
type Mailboxes struct {
	Pos strictyaml.Pos
	// List are the mailboxes in order. A profile that names none has one anonymous mailbox
	// without addresses; one whose mailboxes the lab provides has none before Bind.
	List []Mailbox
	// Lab is how many pairs the lab should provide, 0 when the list is the profile's own.
	Lab int
	// File is the CSV file that List was read from, as the profile names it, "" otherwise.
	File string

	rows []row
}

// Anonymous is the name of the only mailbox of a profile that names none.
const Anonymous = "anonymous"

// row is one mailbox before the names of the paths are known.
type row struct {
	pos   strictyaml.Pos
	cells []cell
}

// cell is one column of a mailbox.
type cell struct {
	column string
	pos    strictyaml.Pos
	text   string
	secret Secret
}

// fromElsewhere is a list that stands in a file or comes from the lab.
type fromElsewhere struct {
	File string `yaml:"file" doc:"CSV file, relative to the profile, with the columns name, tags and PATH_smtp, PATH_upn, PATH_login, PATH_secret, PATH_location for each path."`
	Lab  int    `yaml:"lab" min:"1" max:"100000" doc:"So many pairs of the simulated deployment."`
}

// UnmarshalNode reads a list, {file: F} or {lab: N}.
func (m *Mailboxes) UnmarshalNode(n *strictyaml.Node) {
	*m = Mailboxes{Pos: n.Pos()}
	switch n.Kind() {
	case strictyaml.List:
		items := n.Items()
		if len(items) == 0 {
			n.Problem("%q is empty: leave it out for one anonymous mailbox", n.Label())
		}
		for _, item := range items {
			if r, ok := inline(item); ok {
				m.rows = append(m.rows, r)
			}
		}
	case strictyaml.Mapping:
		var e fromElsewhere
		n.Decode(&e)
		if (e.File != "") == (e.Lab != 0) {
			n.Problem("%q needs one of file and lab", n.Label())
			return
		}
		m.File, m.Lab = e.File, e.Lab
	default:
		n.Problem("%q must be a list of mailboxes, {file: mailboxes.csv} or {lab: 200}, not %s", n.Label(), n.Describe())
	}
}

// inline reads one mailbox of a list.
func inline(n *strictyaml.Node) (r row, ok bool) {
	r = row{pos: n.Pos()}
	if n.Kind() != strictyaml.Mapping {
		n.Problem("a mailbox must be a mapping such as {name: ann, onprem_smtp: ann@contoso.com}, not %s", n.Describe())
		return r, false
	}
	for _, e := range n.Entries() {
		c := cell{column: e.Key, pos: e.Pos}
		switch {
		case strings.HasSuffix(e.Key, "_secret"):
			e.Value.Decode(&c.secret)
		case e.Key == "tags" && e.Value.Kind() == strictyaml.List:
			var tags []string
			e.Value.Decode(&tags)
			c.text = strings.Join(tags, " ")
		default:
			e.Value.Decode(&c.text)
		}
		r.cells = append(r.cells, c)
	}
	return r, true
}

// Schema describes the shapes that UnmarshalNode reads.
func (Mailboxes) Schema(g *strictyaml.Generator) map[string]any {
	elsewhere := g.Of(fromElsewhere{})
	elsewhere["minProperties"], elsewhere["maxProperties"] = 1, 1
	text := map[string]any{"type": []any{"string", "number"}}
	return map[string]any{"anyOf": []any{
		elsewhere,
		map[string]any{"type": "array", "minItems": 1, "items": map[string]any{
			"type":     "object",
			"required": []any{"name"},
			"properties": map[string]any{
				"name": text,
				"tags": map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text}}},
			},
			"patternProperties": map[string]any{
				"_(smtp|upn|login|location)$": text,
				"_secret$":                    g.Of(Secret{}),
			},
			"additionalProperties": false,
		}},
	}}
}

// maxReported bounds the problems of one list of mailboxes: the hundredth says no more
// than the first.
const maxReported = 20

// resolve turns rows into mailboxes, once the paths are known.
func (m *Mailboxes) resolve(p *Profile) (problems strictyaml.Problems) {
	dir := p.dir()
	seen := make(map[string]strictyaml.Pos, len(m.rows))
	for _, r := range m.rows {
		if len(problems) >= maxReported {
			break
		}
		box := Mailbox{Address: make(map[string]Address)}
		for _, c := range r.cells {
			p.place(&box, c, dir, &problems)
		}
		if first, twice := seen[box.Name]; twice && box.Name != "" {
			problems.Add(r.pos, "a second mailbox is called %q (the first is in line %d)", box.Name, first.Line)
		}
		if box.Name == "" {
			problems.Add(r.pos, "a mailbox needs a name")
		}
		if box.Name != "" {
			p.reached(box, r.pos, &problems)
		}
		seen[box.Name] = r.pos
		m.List = append(m.List, box)
	}
	m.rows = nil
	return problems
}

// place puts a cell where its column says.
func (p *Profile) place(box *Mailbox, c cell, dir string, problems *strictyaml.Problems) {
	switch c.column {
	case "name":
		box.Name = strings.TrimSpace(c.text)
		return
	case "tags":
		box.Tags = strings.FieldsFunc(c.text, func(r rune) bool { return strings.ContainsRune(" ;,|", r) })
		return
	}
	path, field := p.column(c.column)
	if path == "" {
		problems.Add(c.pos, "unknown column %q%s", c.column, strictyaml.Suggest(c.column, p.columns()))
		return
	}
	a := box.Address[path]
	switch text := strings.TrimSpace(c.text); field {
	case "smtp":
		a.SMTP = text
	case "upn":
		a.UPN = text
	case "login":
		a.Login = text
	case locationField:
		a.Location = text
	case "secret":
		a.Secret = c.secret
		if text != "" {
			var ok bool
			if a.Secret, ok = parseReference(text, dir); !ok {
				problems.Add(c.pos, "%q must be a reference, never the secret itself: env:NAME or file:NAME", c.column)
			}
		}
	}
	box.Address[path] = a
}

var addressFields = []string{"smtp", "upn", "login", "secret", locationField}

// column splits PATH_FIELD. Names of paths may hold underscores themselves.
func (p *Profile) column(name string) (path, field string) {
	for _, e := range p.Paths {
		if f, found := strings.CutPrefix(name, e.Key+"_"); found && slices.Contains(addressFields, f) {
			return e.Key, f
		}
	}
	return "", ""
}

func (p *Profile) columns() []string {
	out := []string{"name", "tags"}
	for _, e := range p.Paths {
		for _, f := range addressFields {
			out = append(out, e.Key+"_"+f)
		}
	}
	return out
}

// reached checks that both sides can address a mailbox.
func (p *Profile) reached(box Mailbox, at strictyaml.Pos, problems *strictyaml.Problems) {
	for _, side := range []string{p.Left, p.Right} {
		path, ok := p.Paths.Get(side)
		if !ok || path.Dialect.Kind == "plain" || path.Dialect.Kind == "lab" {
			continue
		}
		from := side
		if path.Addresses != "" {
			from = path.Addresses
		}
		if box.Address[from].User() == "" {
			problems.Add(at, "mailbox %q has no address on path %q: fill %s_smtp or %s_upn", box.Name, side, from, from)
		}
	}
}
