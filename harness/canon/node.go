package canon

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// node is one value. Nodes stand in document order: the children of i begin at i+1, and next is
// where the following sibling begins.
type node struct {
	kind  Kind
	flags uint8
	prop  int16 // index into the schema, -1 for none
	key   int32 // index into Doc.keys, -1 for none
	start int32 // span in the body; the inside of a string, without its quotes
	end   int32
	next  int32
	count int32 // children
	hash  Hash
}

const (
	flagEscaped = 1 << iota // a string with escapes
	flagFolded              // an enum or type that canonical text spells differently
	flagMasked              // the value is left out of the hash
	flagSlots               // something below is left out of the hash
	flagTrue
	flagToken // of an identity: hash digests the token itself, for which the masked hash stands in its parent
)

// Doc is one parsed body. It refers to the body and is valid as long as that does not change. A Doc
// belongs to one goroutine at a time.
type Doc struct {
	body     []byte
	dialect  *Dialect
	nodes    []node
	keys     keyTable
	problems []Problem
	scratch  []byte
	// Folded counts property names that were written in another case, Renamed those under another
	// name, FoldedEnums values in another case, FoldedTypes @odata.type values of another namespace.
	Folded, Renamed, FoldedEnums, FoldedTypes int
}

// Dialect is what the body was read with.
func (d *Doc) Dialect() *Dialect { return d.dialect }

// Root is the whole value; it does not exist when nothing could be parsed.
func (d *Doc) Root() Node {
	if d == nil || len(d.nodes) == 0 {
		return Node{}
	}
	return Node{d, 0}
}

// Knows reports whether a property of that canonical name may be somewhere in the tree; when it is false,
// none is.
func (d *Doc) Knows(name string) bool {
	_, known := d.keys.first[hashBytes([]byte(name), seedKey)]
	return known
}

// Body is what was parsed.
func (d *Doc) Body() []byte { return d.body }

// Len counts the values of the tree.
func (d *Doc) Len() int { return len(d.nodes) }

// Node is one value of a Doc. The zero Node does not exist: its kind is Invalid.
type Node struct {
	doc *Doc
	i   int32
}

// Doc is the tree that the value stands in, nil for a node that does not exist.
func (n Node) Doc() *Doc { return n.doc }

func (n Node) n() *node { return &n.doc.nodes[n.i] }

// Exists reports whether there is such a value.
func (n Node) Exists() bool { return n.doc != nil }

// Kind is the JSON kind; Invalid for a node that does not exist.
func (n Node) Kind() Kind {
	if n.doc == nil {
		return Invalid
	}
	return n.n().kind
}

// Key is the canonical name under which the value stands in its object, "" elsewhere.
func (n Node) Key() string {
	if n.doc == nil || n.n().key < 0 {
		return ""
	}
	return n.doc.keys.list[n.n().key].canonical
}

// RawKey is the name as it was written.
func (n Node) RawKey() string {
	if n.doc == nil || n.n().key < 0 {
		return ""
	}
	return n.doc.keys.list[n.n().key].raw
}

// Annotation reports whether the value annotates (@odata.etag, subject@odata.type) instead of being
// a property.
func (n Node) Annotation() bool { return strings.IndexByte(n.Key(), '@') >= 0 }

// Len counts the members of an object or the elements of an array.
func (n Node) Len() int {
	if n.doc == nil {
		return 0
	}
	return int(n.n().count)
}

// Children yields members or elements in the order of the body.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.doc == nil || n.n().count == 0 {
			return
		}
		end := n.n().next
		for i := n.i + 1; i < end; i = n.doc.nodes[i].next {
			if !yield(Node{n.doc, i}) {
				return
			}
		}
	}
}

// First is the first child; Next the following sibling inside parent. Both are the zero Node when
// there is none.
func (n Node) First() Node {
	if n.doc == nil || n.n().count == 0 {
		return Node{}
	}
	return Node{n.doc, n.i + 1}
}

// Next is the sibling after n inside parent.
func (n Node) Next(parent Node) Node {
	next := n.n().next
	if next >= parent.n().next {
		return Node{}
	}
	return Node{n.doc, next}
}

// Get finds a member of an object by its canonical name. Of a name that stands twice the last
// counts, as in most decoders.
func (n Node) Get(name string) (Node, bool) {
	var found Node
	if n.Kind() != Object {
		return found, false
	}
	for child := range n.Children() {
		if child.Key() == name {
			found = child
		}
	}
	return found, found.doc != nil
}

// At is element i of an array; a negative i counts from the end.
func (n Node) At(i int) (Node, bool) {
	if n.Kind() != Array {
		return Node{}, false
	}
	if i < 0 {
		i += n.Len()
	}
	for child := range n.Children() {
		if i == 0 {
			return child, true
		}
		i--
	}
	return Node{}, false
}

// Text is the canonical text of a string, or the literal of a number, boolean or null. Arrays and
// objects have their JSON.
func (n Node) Text() string {
	switch n.Kind() {
	case Invalid:
		return ""
	case String:
		return n.canonicalText(n.RawText())
	}
	return string(n.Raw())
}

// RawText is a string as the side wrote it, with escapes resolved and nothing folded.
func (n Node) RawText() string {
	if n.Kind() != String {
		return ""
	}
	raw := n.Raw()
	if n.n().flags&flagEscaped == 0 {
		return string(raw)
	}
	out, _ := unescape(nil, raw)
	return string(out)
}

func (n Node) canonicalText(s string) string {
	if n.n().flags&flagFolded == 0 {
		return s
	}
	if p := n.Property(); p != nil && p.Form == FormEnum {
		return foldEnum(p, s)
	}
	return n.doc.dialect.foldType(s)
}

// Raw is the value's bytes in the body: the inside of a string, without its quotes.
func (n Node) Raw() []byte {
	if n.doc == nil {
		return nil
	}
	x := n.n()
	return n.doc.body[x.start:x.end]
}

// Offset is where the value stands in the body.
func (n Node) Offset() int { return int(n.n().start) }

// Bool is the value of a boolean.
func (n Node) Bool() bool { return n.Kind() == Bool && n.n().flags&flagTrue != 0 }

// Folded reports whether the value was spelt in another case than the canonical one.
func (n Node) Folded() bool { return n.doc != nil && n.n().flags&flagFolded != 0 }

// KeyFolded reports whether the property's name was.
func (n Node) KeyFolded() bool {
	return n.doc != nil && n.n().key >= 0 && n.doc.keys.list[n.n().key].folded
}

// KeyRenamed reports whether the property goes by another name.
func (n Node) KeyRenamed() bool {
	return n.doc != nil && n.n().key >= 0 && n.doc.keys.list[n.n().key].renamed
}

// Property is what the schema says of the value, nil when it says nothing. The elements of a
// collection have the property of the collection.
func (n Node) Property() *Property {
	if n.doc == nil || n.n().prop < 0 {
		return nil
	}
	return schema().properties[n.n().prop]
}

// Hash is the digest of the canonical content, identities masked.
func (n Node) Hash() Hash {
	if n.doc == nil {
		return Hash{}
	}
	return n.n().said()
}

// said is the digest of what a value says, which is nothing for an identity.
func (x *node) said() Hash {
	if x.flags&flagToken != 0 {
		return Hash{seedMask, uint64(FormID)}
	}
	return x.hash
}

// Masked reports whether the value itself is left out of its parent's hash.
func (n Node) Masked() bool { return n.doc != nil && n.n().flags&flagMasked != 0 }

// Slots reports whether the value or anything below it is left out of the hash: two nodes that hash
// alike and have no slots are equal.
func (n Node) Slots() bool { return n.doc != nil && n.n().flags&(flagSlots|flagMasked) != 0 }

// Pointer is the canonical JSON pointer of the value, with its indices.
func (n Node) Pointer() string {
	if n.doc == nil || n.i == 0 {
		return ""
	}
	var b strings.Builder
	at := Node{n.doc, 0}
	for at.i != n.i {
		index := 0
		for child := range at.Children() {
			if n.i >= child.i && n.i < child.n().next {
				b.WriteByte('/')
				if at.Kind() == Array {
					b.WriteString(strconv.Itoa(index))
				} else {
					b.WriteString(EscapePointer(child.Key()))
				}
				at = child
				break
			}
			index++
		}
	}
	return b.String()
}

// EscapePointer escapes one token of a JSON pointer (RFC 6901).
func EscapePointer(token string) string {
	if !strings.ContainsAny(token, "~/") {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// Any is the value as encoding/json would decode it into an empty interface, with canonical names
// and values. Integers that fit are int64, so that captured numbers keep their digits; other numbers are
// float64, and json.Number where a float64 would be infinite.
func (n Node) Any() any {
	switch n.Kind() {
	case Bool:
		return n.Bool()
	case Number:
		return numberAny(string(n.Raw()))
	case String:
		return n.Text()
	case Array:
		list := make([]any, 0, n.Len())
		for child := range n.Children() {
			list = append(list, child.Any())
		}
		return list
	case Object:
		object := make(map[string]any, n.Len())
		for child := range n.Children() {
			object[child.Key()] = child.Any()
		}
		return object
	}
	return nil
}

func numberAny(literal string) any {
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return json.Number(literal)
	}
	return f
}

// Each visits every value in the order of the body.
func (d *Doc) Each(visit func(Node)) {
	for i := range d.nodes {
		visit(Node{d, int32(i)})
	}
}

// TextHash digests the canonical content of a string, masked or not, without making a string of it.
func (n Node) TextHash() Hash {
	if n.Kind() != String {
		return Hash{}
	}
	if n.n().flags&flagToken != 0 {
		return n.n().hash
	}
	raw := n.Raw()
	if n.n().flags&flagEscaped != 0 {
		n.doc.scratch, _ = unescape(n.doc.scratch[:0], raw)
		raw = n.doc.scratch
	}
	return hashBytes(raw, seedString)
}

// HashText is the TextHash of a string that holds this text.
func HashText(s string) Hash { return hashBytes([]byte(s), seedString) }

// Empty reports whether a string, list or object has nothing in it.
func (n Node) Empty() bool {
	switch n.Kind() {
	case String:
		return n.n().start == n.n().end
	case Array, Object:
		return n.n().count == 0
	}
	return false
}

// Fetch reads a little of each value ahead of its use; what it returns means nothing. A walk that jumps
// through a large tree waits for memory at each jump, 100 ns at a time. Reads that do not depend on each
// other wait together.
func Fetch(values []Node) (sum byte) {
	for _, n := range values {
		sum ^= n.n().flags
	}
	for _, n := range values {
		x := n.n()
		sum ^= n.doc.nodes[min(n.i+3, x.next-1)].flags // two cache lines further, where there are as many
	}
	return sum
}
