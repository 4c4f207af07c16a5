// Package canon turns the body of an answer into one canonical tree, whatever dialect it was
// written in, so that captures, expectations and the comparison speak Microsoft Graph v1.0's
// vocabulary on every path.
//
// The parser is strict (RFC 8259 plus I-JSON's ban on duplicate names), keeps number literals,
// bounds depth and size, and stores all nodes in one slice that the next call reuses. Each node
// has a 128-bit hash of its canonical content in which identity tokens (ids, etags, …) are masked
// by their sort: two mailboxes that hold the same items under different ids hash alike.
package canon

// MaxBytes is the largest body that Parse reads: 8 MiB, twice the largest JSON body that
// Microsoft Graph accepts or sends for mail, calendar and contacts.
const MaxBytes = 8 << 20

// MaxDepth is the deepest nesting of arrays and objects that Parse follows.
const MaxDepth = 512

// Kind is the sort of a JSON value.
type Kind uint8

// The kinds of JSON values; Invalid is the kind of a node that does not exist.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"invalid", "null", "boolean", "number", "string", "array", "object"}

// String is JSON's word for the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// Hash is a 128-bit digest of canonical content. It separates accidental differences only: it is
// neither keyed nor collision resistant against somebody who chooses the content.
type Hash struct{ Hi, Lo uint64 }

// Problem is something that a body must not contain.
type Problem struct {
	Kind    string // one of the Problem… constants
	Offset  int    // byte offset in the body
	Pointer string // JSON pointer of the nearest value, "" when the tree does not reach it
	Detail  string // what was found there, without content of the mailbox
	Fatal   bool   // the tree ends here
}

// The kinds of problems.
const (
	ProblemMalformed     = "body.malformed"     // not JSON
	ProblemTrailing      = "body.trailing"      // bytes after the value
	ProblemUTF8          = "body.utf8"          // a string is not UTF-8
	ProblemSurrogate     = "body.surrogate"     // half a surrogate pair
	ProblemDepth         = "body.depth"         // nested deeper than MaxDepth
	ProblemTooLarge      = "body.too-large"     // longer than MaxBytes
	ProblemDuplicateName = "key.duplicate-name" // one object names a property twice
	ProblemCollision     = "key.collision"      // two names of one object fold to the same canonical name
	ProblemEmpty         = "body.empty"         // no bytes at all
)
