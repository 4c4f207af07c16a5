// Package strictyaml reads YAML the way a careful person would: every mistake
// is reported, all at once, at its file, line and column, in the words of the
// document and never in those of Go.
//
// A target is an ordinary struct with yaml tags. Beyond what encoding libraries
// do, it may hold a Pos (where the mapping starts), Map (an ordered mapping), Value
// (any YAML, kept as JSON text), Block (a one-key mapping that its owner decodes
// later, just as strictly), Duration, Rate, Percent and Scalar. A doc tag describes a
// field; Schema makes a JSON Schema from both.
//
// It is the only importer of gopkg.in/yaml.v3, whose node tree it walks once. That
// library is archived: replacing it means replacing one import line.
package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxBytes bounds one document: 4 MiB is far above any suite that a person
// wrote and small enough to be decoded in well under a second.
const MaxBytes = 4 << 20

// MaxDepth bounds nesting, counted through aliases. Graph's deepest request body
// (an event's recurrence inside a batch) needs a dozen levels.
const MaxDepth = 64

// MaxNodes bounds the values of one document after its aliases were followed, which
// is what an alias bomb multiplies.
const MaxNodes = 1_000_000

// MaxProblems bounds what is reported of one document: who has made a hundred mistakes has
// made one of them a hundred times.
const MaxProblems = 100

// Pos is a place in a document. Line and Col count from 1 and Col counts
// characters; both are 0 for what no document holds.
type Pos struct {
	File      string
	Line, Col int
}

// String is "file:line:col", or the file alone when the place is not known.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders places by file, line and column.
func (p Pos) Compare(o Pos) int {
	return cmp.Or(strings.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Col, o.Col))
}

// Problem is one mistake: where it is, what it is and, where that is known, what was meant.
type Problem struct {
	Pos Pos
	Msg string
}

// String is "file:line:col: message".
func (p Problem) String() string {
	if p.Pos == (Pos{}) {
		return p.Msg
	}
	return p.Pos.String() + ": " + p.Msg
}

// Problems are all mistakes of one or several documents. As an error it prints one
// line each. The empty value is no error: use Err.
type Problems []Problem

// Error is one line a problem, sorted by place.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for _, one := range p.Sorted() {
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}

// Sorted returns the problems ordered by place, each text once.
func (p Problems) Sorted() Problems {
	out := slices.Clone(p)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(a.Pos.Compare(b.Pos), strings.Compare(a.Msg, b.Msg))
	})
	return slices.Compact(out)
}

// Add appends one problem.
func (p *Problems) Add(at Pos, format string, args ...any) {
	*p = append(*p, Problem{Pos: at, Msg: fmt.Sprintf(format, args...)})
}

// Err returns the sorted problems as an error, or nil when there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p.Sorted()
}
