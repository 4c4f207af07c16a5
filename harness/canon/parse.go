package canon

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// graphDialect is the spelling of bodies whose dialect is not given.
var graphDialect = Graph()

// Parse reads one body in a dialect, nil for Graph's. It reuses the memory of an earlier Doc, which
// is then no longer valid; nil takes new memory. The body must not change while the Doc is used. The problems are what the
// side got wrong; after a fatal one the tree has no root.
func Parse(body []byte, d *Dialect, reuse *Doc) (*Doc, []Problem) {
	if d == nil {
		d = graphDialect
	}
	doc := reuse
	if doc == nil {
		doc = &Doc{}
	}
	if doc.dialect != d || len(doc.keys.list) > maxKeys {
		doc.keys.reset()
	}
	doc.body, doc.dialect = body, d
	doc.nodes, doc.problems = doc.nodes[:0], nil
	doc.Folded, doc.Renamed, doc.FoldedEnums, doc.FoldedTypes = 0, 0, 0, 0
	if len(body) > MaxBytes {
		doc.fail(ProblemTooLarge, 0, strconv.Itoa(len(body))+" bytes")
		return doc, doc.problems
	}
	s := schema()
	p := parser{doc: doc, b: body, item: -1, properties: s.properties}
	if !d.Untyped {
		p.item = s.typeIndex[anyEntity]
	}
	p.document()
	return doc, doc.problems
}

func (d *Doc) fail(kind string, offset int, detail string) {
	d.problems = append(d.problems, Problem{Kind: kind, Offset: offset, Detail: detail, Fatal: true})
	d.nodes = d.nodes[:0]
}

type parser struct {
	doc   *Doc
	b     []byte
	i     int
	depth int
	item  int16 // the type of what is not known better, -1 without a schema

	properties []*Property // of the schema, by index
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (p *parser) document() {
	p.space()
	if p.i == len(p.b) {
		p.doc.fail(ProblemEmpty, 0, "")
		return
	}
	if bytes.HasPrefix(p.b, byteOrderMark) {
		p.doc.fail(ProblemMalformed, 0, "starts with a byte order mark")
		return
	}
	if !p.value(-1, -1, p.item) {
		return
	}
	p.space()
	if p.i < len(p.b) {
		p.doc.fail(ProblemTrailing, p.i, strconv.Itoa(len(p.b)-p.i)+" bytes after the value")
	}
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// broken ends the parse. It returns false so that callers can return it.
func (p *parser) broken(what string) bool {
	if len(p.doc.problems) == 0 || !p.doc.problems[len(p.doc.problems)-1].Fatal {
		p.doc.fail(ProblemMalformed, p.i, what)
	}
	return false
}

func (p *parser) note(kind string, offset int, detail string) {
	// 64: a body that is wrong everywhere is not described any better by more examples.
	if len(p.doc.problems) < 64 {
		p.doc.problems = append(p.doc.problems, Problem{Kind: kind, Offset: offset, Detail: detail})
	}
}

// value parses one value. key is its name in the table, prop its property; typ is the type of an
// object that stands here when prop does not say.
func (p *parser) value(key int32, prop, typ int16) bool {
	if p.i == len(p.b) {
		return p.broken("ends inside a value")
	}
	at := len(p.doc.nodes)
	p.doc.nodes = append(p.doc.nodes, node{prop: prop, key: key, start: int32(p.i)})
	switch c := p.b[p.i]; {
	case c == '"':
		if !p.text(at) {
			return false
		}
	case c == '{':
		return p.nested(at, prop, typ, p.object)
	case c == '[':
		return p.nested(at, prop, typ, p.array)
	case c == '-' || c >= '0' && c <= '9':
		if !p.number(at) {
			return false
		}
	case c == 't':
		return p.word(at, "true", Bool, flagTrue, hashTrue)
	case c == 'f':
		return p.word(at, "false", Bool, 0, hashFalse)
	case c == 'n':
		return p.word(at, "null", Null, 0, hashNull)
	default:
		return p.broken("no value begins with " + strconv.QuoteRune(rune(c)))
	}
	p.doc.nodes[at].next = int32(at) + 1
	return true
}

func (p *parser) word(at int, word string, kind Kind, flags uint8, hash Hash) bool {
	if len(p.b)-p.i < len(word) || string(p.b[p.i:p.i+len(word)]) != word {
		return p.broken("expected " + word)
	}
	n := &p.doc.nodes[at]
	n.kind, n.flags, n.hash = kind, flags, hash
	p.i += len(word)
	n.end, n.next = int32(p.i), int32(at)+1
	return true
}

func (p *parser) nested(at int, prop, typ int16, parse func(at int, typ, prop int16) bool) bool {
	if p.depth == MaxDepth {
		p.doc.fail(ProblemDepth, p.i, "deeper than "+strconv.Itoa(MaxDepth))
		return false
	}
	p.depth++
	if prop >= 0 {
		if object := p.properties[prop].object; object >= 0 {
			typ = object
		} else {
			typ = p.item
		}
	}
	if !parse(at, typ, prop) {
		return false
	}
	p.depth--
	n := &p.doc.nodes[at]
	n.end, n.next = int32(p.i), int32(len(p.doc.nodes))
	return true
}

func (p *parser) array(at int, typ, prop int16) bool {
	p.i++
	hash, count, slots := Hash{seedArray, prime1}, int32(0), uint8(0)
	p.space()
	if p.i < len(p.b) && p.b[p.i] == ']' {
		p.i++
	} else {
		for {
			p.space()
			child := len(p.doc.nodes)
			if !p.value(-1, prop, typ) {
				return false
			}
			n := &p.doc.nodes[child]
			hash = element(hash, n.said())
			if n.flags&(flagSlots|flagMasked) != 0 {
				slots = flagSlots
			}
			count++
			p.space()
			if p.i == len(p.b) {
				return p.broken("ends inside an array")
			}
			if p.b[p.i] == ']' {
				p.i++
				break
			}
			if p.b[p.i] != ',' {
				return p.broken("expected a comma or the end of the array")
			}
			p.i++
		}
	}
	n := &p.doc.nodes[at]
	n.kind, n.count, n.flags = Array, count, slots
	n.hash = finish(hash.Hi^uint64(count), hash.Lo)
	return true
}

func (p *parser) object(at int, typ, _ int16) bool {
	p.i++
	p.space()
	count := int32(0)
	if p.i < len(p.b) && p.b[p.i] == '}' {
		p.i++
	} else {
		for {
			if !p.memberOf(typ) {
				return false
			}
			count++
			p.space()
			if p.i == len(p.b) {
				return p.broken("ends inside an object")
			}
			if p.b[p.i] == '}' {
				p.i++
				break
			}
			if p.b[p.i] != ',' {
				return p.broken("expected a comma or the end of the object")
			}
			p.i++
			p.space()
		}
	}
	n := &p.doc.nodes[at]
	n.kind, n.count = Object, count
	p.close(at)
	return true
}

// memberOf parses one name and its value.
func (p *parser) memberOf(typ int16) bool {
	if p.i == len(p.b) || p.b[p.i] != '"' {
		return p.broken("expected a name in quotes")
	}
	raw, flags, ok := p.span()
	if !ok {
		return false
	}
	if flags&flagEscaped != 0 {
		p.doc.scratch, _ = unescape(p.doc.scratch[:0], raw)
		raw = p.doc.scratch
	}
	key := p.doc.keys.find(raw, p.doc.dialect)
	k := &p.doc.keys.list[key]
	if k.folded {
		p.doc.Folded++
	}
	if k.renamed {
		p.doc.Renamed++
	}
	prop := int16(-1)
	if typ >= 0 {
		prop = k.properties[typ]
	}
	p.space()
	if p.i == len(p.b) || p.b[p.i] != ':' {
		return p.broken("expected a colon")
	}
	p.i++
	p.space()
	return p.value(key, prop, p.item)
}

// close digests a finished object and finds names that stand twice.
func (p *parser) close(at int) {
	d := p.doc
	keys := &d.keys
	keys.serial++
	sum := Hash{}
	hashed, slots := uint64(0), uint8(0)
	end := int32(len(d.nodes))
	for i := int32(at) + 1; i < end; i = d.nodes[i].next {
		n := &d.nodes[i]
		k := &keys.list[n.key]
		first := &keys.list[k.twin]
		if first.stamp == keys.serial {
			kind := ProblemDuplicateName
			if first.stampRaw != n.key {
				kind = ProblemCollision
			}
			p.note(kind, int(n.start), k.canonical)
		}
		first.stamp, first.stampRaw = keys.serial, n.key
		if n.flags&(flagSlots|flagMasked) != 0 {
			slots = flagSlots
		}
		if k.unhashed || n.prop >= 0 && p.properties[n.prop].Newer {
			slots = flagSlots
			continue
		}
		m := member(k.id, n.said())
		sum.Hi += m.Hi
		sum.Lo += m.Lo
		hashed++
	}
	n := &d.nodes[at]
	n.flags |= slots
	n.hash = finish(sum.Hi^seedObject, sum.Lo^hashed)
}

// text parses a string value, masking what stands for an identity.
func (p *parser) text(at int) bool {
	raw, flags, ok := p.span()
	if !ok {
		return false
	}
	n := &p.doc.nodes[at]
	n.kind, n.flags = String, flags
	n.start++
	n.end = n.start + int32(len(raw))
	content := raw
	if flags&flagEscaped != 0 {
		p.doc.scratch, _ = unescape(p.doc.scratch[:0], raw)
		content = p.doc.scratch
	}
	if n.prop >= 0 {
		property := p.properties[n.prop]
		if property.masked() {
			n.flags |= flagMasked
			n.hash = Hash{seedMask, uint64(property.Form)}
			if property.Form == FormID {
				n.flags |= flagToken
				n.hash = hashBytes(content, seedString)
			}
			return true
		}
		if property.Form == FormEnum && p.doc.dialect.FoldEnums {
			if p.enum(n, property, content) {
				return true
			}
		}
	} else if n.key >= 0 {
		k := &p.doc.keys.list[n.key]
		if k.etag {
			n.flags |= flagMasked | flagToken
			n.hash = hashBytes(content, seedString)
			return true
		}
		if k.typ && p.doc.dialect.Namespaces != nil {
			if folded := p.doc.dialect.foldType(string(content)); folded != string(content) {
				n.flags |= flagFolded
				p.doc.FoldedTypes++
				content = []byte(folded)
			}
		}
	}
	n.hash = hashBytes(content, seedString)
	return true
}

// enum folds a member that is spelt in another case, and reports whether it did.
func (p *parser) enum(n *node, property *Property, content []byte) bool {
	for i, member := range property.Enum {
		if len(member) != len(content) || member == string(content) || !bytes.EqualFold(property.enumBytes[i], content) {
			continue
		}
		n.flags |= flagFolded
		n.hash = property.enumHashes[i]
		p.doc.FoldedEnums++
		return true
	}
	return false
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special finds, in eight bytes, quotes, backslashes, control characters and bytes beyond ASCII.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((quote - ones) | (slash - ones) | (w - ones*0x20) | w) & highs
}

// span reads a string and returns what stands between its quotes.
func (p *parser) span() (raw []byte, flags uint8, ok bool) {
	p.i++
	start, i, b := p.i, p.i, p.b
	wide := false
	for {
		for i+32 <= len(b) { // four words at a time through what is plain; special is exact for a word without any
			w := b[i : i+32 : i+32]
			if special(binary.LittleEndian.Uint64(w))|special(binary.LittleEndian.Uint64(w[8:]))|
				special(binary.LittleEndian.Uint64(w[16:]))|special(binary.LittleEndian.Uint64(w[24:])) != 0 {
				break
			}
			i += 32
		}
		for i+8 <= len(b) {
			found := special(binary.LittleEndian.Uint64(b[i:]))
			if found != 0 {
				i += bits.TrailingZeros64(found) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			p.i = i
			return nil, 0, p.broken("ends inside a string")
		}
		switch c := b[i]; {
		case c == '"':
			p.i = i + 1
			raw = b[start:i]
			if wide && !utf8.Valid(raw) {
				p.note(ProblemUTF8, start, "")
			}
			return raw, flags, true
		case c == '\\':
			p.i = i
			n, good := p.escape()
			if !good {
				return nil, 0, false
			}
			flags |= flagEscaped
			i += n
		case c < 0x20:
			p.i = i
			return nil, 0, p.broken("a control character in a string")
		case c >= 0x80:
			wide = true
			i++
		default:
			i++
		}
	}
}
