// Package plain is the dialect of any HTTP API: a request is sent as the suite writes it, below the
// path's root, and its JSON answers are compared without Exchange's vocabulary.
package plain

import (
	"strings"

	"cutover/harness/canon"
	"cutover/harness/request"
	"cutover/profiles"
)

// Dialect says questions as they are written.
type Dialect struct{ about request.Description }

// New reads a path's plain block.
func New(path profiles.Path) (*Dialect, error) {
	var p profiles.Plain
	if problems := path.Dialect.Decode(&p); len(problems) > 0 {
		return nil, problems.Err()
	}
	root := strings.TrimRight(p.URL, "/")
	return &Dialect{request.Description{Dialect: "plain", Root: root, Hosts: request.Hosts(root)}}, nil
}

// Describe names the root.
func (d *Dialect) Describe() request.Description { return d.about }

// Canon is the identity: no folding, no types.
func (d *Dialect) Canon() *canon.Dialect { return canon.Plain() }

// Prepare joins the URL to the root and translates nothing.
func (d *Dialect) Prepare(q request.Question) (*request.Template, error) {
	return request.Prepare(d.about, q, q)
}
