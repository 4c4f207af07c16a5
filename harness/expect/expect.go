// Package expect judges answers: whether a step's expectations hold, whether a
// condition on captures does, and what a capture takes. Everything that can be wrong
// in a suite is found when it is compiled; judging an answer allocates nothing unless
// an expression or a body is involved.
//
// Expressions are expr-lang's. They see status (a number), headers (lower-case
// names), header("Any-Case"), items (the length of the answer's list, -1 when it has
// none), body (the canonical answer), text (the raw answer) and the suite's variables
// and captures by name, as text.
package expect

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/wire"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// Answer is what is judged.
type Answer struct {
	Response *wire.Response
	// Doc is the canonical body, nil when it was not parsed: see NeedsDoc.
	Doc *canon.Doc
	// Scope answers the names of variables and captures.
	Scope Scope
}

// Scope answers names with values; vars.Scope is one.
type Scope interface {
	Lookup(name string) (value string, ok bool)
}

// Expectation is what an answer must be like. The zero value wants any 2xx.
type Expectation struct {
	status   suites.StatusSet
	items    bound
	contains []byte
	header   []field
	checks   []*Condition
}

type field struct{ name, text string }

type bound struct {
	op string
	n  int
}

// Compile reads a step's expectations. names are the variables and captures that
// its expressions may use.
func Compile(e suites.Expect, names []string) (Expectation, strictyaml.Problems) {
	var problems strictyaml.Problems
	x := Expectation{status: e.Status, contains: []byte(e.Contains)}
	if e.Items != "" {
		op, n, ok := e.ItemBound()
		if !ok {
			problems.Add(e.Pos, "items: %q is not a number of items; write '<= 25', '> 0' or '10'", e.Items)
		}
		x.items = bound{op, n}
	}
	for _, h := range e.Header {
		x.header = append(x.header, field{h.Key, h.Value})
	}
	for _, c := range e.Checks {
		if c.IsZero() {
			continue // reported when the suite was read
		}
		cond, err := NewCondition(c.Text, names)
		if err != nil {
			problems.Add(c.Pos, "check %q: %v", c.Text, err)
			continue
		}
		x.checks = append(x.checks, cond)
	}
	return x, problems
}

// NeedsDoc reports whether judging needs the parsed body.
func (x *Expectation) NeedsDoc() bool {
	if x.items.op != "" {
		return true
	}
	for _, c := range x.checks {
		if c.needsDoc {
			return true
		}
	}
	return false
}

// Judge returns why an answer is not the expected one, "" when it is.
func (x *Expectation) Judge(a Answer) string {
	r := a.Response
	if !x.status.Contains(r.Status) {
		return "status " + strconv.Itoa(r.Status) + ", expected " + x.status.String()
	}
	if len(x.contains) > 0 && !bytes.Contains(r.Body, x.contains) {
		return "the answer does not contain the expected text"
	}
	for _, h := range x.header {
		if !anyContains(r.Header, h) {
			return "header " + h.name + " does not contain the expected text"
		}
	}
	if x.items.op != "" {
		if n := items(a.Doc); !x.items.holds(n) {
			return fmt.Sprintf("%d items, expected %s %d", n, x.items.op, x.items.n)
		}
	}
	for _, c := range x.checks {
		ok, err := c.Holds(a)
		if err != nil {
			return "check " + c.text + ": " + err.Error()
		}
		if !ok {
			return "check does not hold: " + c.text
		}
	}
	return ""
}

func anyContains(h wire.Header, f field) bool {
	for i := range h {
		if strings.EqualFold(h[i].Name, f.name) && strings.Contains(h[i].Value, f.text) {
			return true
		}
	}
	return false
}

func (b bound) holds(n int) bool {
	if n < 0 {
		return false
	}
	switch b.op {
	case "<=":
		return n <= b.n
	case ">=":
		return n >= b.n
	case "<":
		return n < b.n
	case ">":
		return n > b.n
	}
	return n == b.n
}

// items counts the answer's list: the canonical "value", or the answer itself when
// it is an array. -1: there is no list.
func items(doc *canon.Doc) int {
	if doc == nil {
		return -1
	}
	root := doc.Root()
	if root.Kind() == canon.Object {
		value, ok := doc.Find("$.value")
		if !ok {
			return -1
		}
		root = value
	}
	if root.Kind() != canon.Array {
		return -1
	}
	return root.Len()
}
