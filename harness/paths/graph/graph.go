// Package graph is the dialect of Microsoft Graph v1.0. Suites are written in its vocabulary, so
// that only the mailbox in the URL has to be filled in.
package graph

import (
	"encoding/json"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/request"
	"cutover/profiles"
)

// Dialect says questions to Graph.
type Dialect struct{ about request.Description }

// New reads a path's graph block. Whose token the path carries follows from its sign-in unless the
// block says it.
func New(path profiles.Path) (*Dialect, error) {
	var p profiles.Graph
	if problems := path.Dialect.Decode(&p); len(problems) > 0 {
		return nil, problems.Err()
	}
	if p.As == "" {
		p.As = "app"
		if path.Delegated() {
			p.As = "user"
		}
	}
	root := strings.TrimRight(p.URL, "/")
	d := canon.Graph()
	return &Dialect{request.Description{
		Dialect: d.Name, Version: root[strings.LastIndexByte(root, '/')+1:], Root: root,
		Hosts: request.Hosts(root), As: p.As, PageCap: d.PageCap,
	}}, nil
}

// Describe names the root and the token's kind.
func (d *Dialect) Describe() request.Description { return d.about }

// Canon is Graph's own spelling: nothing is folded.
func (d *Dialect) Canon() *canon.Dialect { return canon.Graph() }

// Prepare fills in whose mailbox is meant. With an app's token /me has no meaning (Graph answers 400),
// so it becomes /users/{mailbox}; the URLs inside a JSON batch too.
func (d *Dialect) Prepare(q request.Question) (*request.Template, error) {
	q = q.Split()
	said := q
	about := d.about
	if rest, ok := strings.CutPrefix(q.URL, "/beta/"); ok {
		about.Root = strings.TrimSuffix(about.Root, "/"+about.Version) + "/beta"
		said.URL = "/" + rest
		q.URL = said.URL
	}
	if about.As == "app" {
		said.URL = request.OfMailbox(said.URL)
		if strings.EqualFold(strings.Trim(said.URL, "/"), "$batch") {
			said.JSON = batchOfMailbox(said.JSON)
		}
	}
	return request.Prepare(about, q, said)
}

// batchOfMailbox replaces /me in the URLs of a batch. A body that is no batch stays as it is: the
// service will say what is wrong with it.
func batchOfMailbox(body []byte) []byte {
	var batch map[string]json.RawMessage
	var requests []map[string]any
	if json.Unmarshal(body, &batch) != nil || json.Unmarshal(batch["requests"], &requests) != nil {
		return body
	}
	for _, r := range requests {
		if address, ok := r["url"].(string); ok {
			r["url"] = request.OfMailbox(address)
		}
	}
	replaced, err := json.Marshal(requests)
	if err != nil {
		return body
	}
	batch["requests"] = replaced
	out, err := json.Marshal(batch)
	if err != nil {
		return body
	}
	return out
}
