// Package rest is the dialect of Outlook REST v1.0 and v2.0, which Exchange Server 2016 and later
// serve below /api. It says Graph v1.0's camelCase names in PascalCase, and refuses with a reason
// what that API never had.
//
// A property that the Outlook model of 2016 lacks (flag, internetMessageId, …) is left out of $select and of
// bodies and noted as a capability: what exists is still asked. Where leaving it out would change the question
// (a filter, an order, a patch of nothing else) the step is not comparable.
package rest

import (
	"errors"
	"fmt"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/request"
	"cutover/profiles"
)

// Dialect says questions to an Outlook REST endpoint.
type Dialect struct {
	about request.Description
	canon *canon.Dialect
	names map[string]string // canonical name → wire name, where raising the first letter is not enough
}

// New reads a path's rest block. The version is the last segment of its URL.
func New(path profiles.Path) (*Dialect, error) {
	var p profiles.Rest
	if problems := path.Dialect.Decode(&p); len(problems) > 0 {
		return nil, problems.Err()
	}
	if p.As == "" {
		p.As = "user"
		if path.Auth.Kind == "entra" && !path.Delegated() {
			p.As = "app"
		}
	}
	root := strings.TrimRight(p.URL, "/")
	version := strings.ToLower(root[strings.LastIndexByte(root, '/')+1:])
	if version != "v1.0" && version != "v2.0" {
		return nil, fmt.Errorf("%s: %q: the URL of an Outlook REST service ends with its version, /api/v2.0 or /api/v1.0", path.Dialect.Pos, p.URL)
	}
	c := canon.Rest(version)
	d := &Dialect{canon: c, names: map[string]string{"mobilePhone": "MobilePhone1", "iCalUId": "iCalUId"}}
	if version == "v1.0" {
		for wire, name := range c.Renames {
			if strings.HasPrefix(wire, "DateTime") {
				d.names[name] = wire
			}
		}
	}
	d.about = request.Description{
		Dialect: c.Name, Version: version, Root: root, Hosts: request.Hosts(root), As: p.As, PageCap: c.PageCap,
	}
	return d, nil
}

// Describe names the root, the version and the token's kind.
func (d *Dialect) Describe() request.Description { return d.about }

// Canon folds PascalCase names and enums and undoes the renames.
func (d *Dialect) Canon() *canon.Dialect { return d.canon }

// unsupported is what the dialect cannot say.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("Outlook REST: "+format+": %w", append(args, errors.ErrUnsupported)...)
}

// Prepare translates a question, or says why it cannot be asked here.
func (d *Dialect) Prepare(q request.Question) (*request.Template, error) {
	q = q.Split()
	segments := request.Segments(q.URL)
	said := q
	t := translation{dialect: d}
	t.entity, _ = request.Returns(q.Method, segments)
	address, err := d.address(q.URL, segments)
	if err != nil {
		return nil, err
	}
	said.URL = address
	if said.Query, err = t.query(q.Query); err != nil {
		return nil, err
	}
	if q.JSON != nil {
		if said.JSON, err = t.body(q, segments); err != nil {
			return nil, err
		}
	}
	template, err := request.Prepare(d.about, q, said)
	if err != nil {
		return nil, err
	}
	template.Notes = t.notes()
	return template, nil
}

// raise turns a canonical name into the wire's.
func (d *Dialect) raise(name string) string {
	if wire, ok := d.names[name]; ok {
		return wire
	}
	return upperFirst(name)
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
