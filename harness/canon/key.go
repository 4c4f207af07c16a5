package canon

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxKeys bounds how many distinct names a reused Doc remembers from one body to the next.
const maxKeys = 4096

// maxTypes bounds the types of the schema, so that a name's properties fit an array.
const maxTypes = 48

// keyInfo is one distinct name, resolved once.
type keyInfo struct {
	raw, canonical string
	hash           uint64 // of the raw bytes
	id             Hash   // of the canonical name
	twin           int32  // the first key with the same canonical name
	folded         bool
	renamed        bool
	unhashed       bool // links and contexts: not part of the parent's hash
	etag, typ      bool
	stamp          uint32 // serial of the last object that closed with this canonical name
	stampRaw       int32
	properties     [maxTypes]int16
}

// keyTable interns names. slots is an open-addressing index into list.
type keyTable struct {
	list   []keyInfo
	first  map[Hash]int32 // canonical name → the first key of that name
	slots  []int32
	serial uint32
}

func (t *keyTable) reset() {
	t.list = t.list[:0]
	clear(t.first)
	clear(t.slots)
	t.serial = 0
}

// find returns the index of a name, adding it when it is new.
func (t *keyTable) find(raw []byte, d *Dialect) int32 {
	h := hashBytes(raw, seedKey)
	if len(t.slots) == 0 {
		t.slots = make([]int32, 256)
	}
	mask := uint64(len(t.slots) - 1)
	for at := h.Lo & mask; ; at = (at + 1) & mask {
		i := t.slots[at]
		if i == 0 {
			return t.insert(raw, h.Lo, at, d)
		}
		if k := &t.list[i-1]; k.hash == h.Lo && k.raw == string(raw) {
			return i - 1
		}
	}
}

func (t *keyTable) insert(raw []byte, hash, at uint64, d *Dialect) int32 {
	i := int32(len(t.list))
	t.list = append(t.list, newKey(string(raw), d))
	k := &t.list[i]
	k.hash, k.twin = hash, i
	if t.first == nil {
		t.first = map[Hash]int32{}
	}
	if twin, ok := t.first[k.id]; ok {
		k.twin = twin
	} else {
		t.first[k.id] = i
	}
	t.slots[at] = i + 1
	if len(t.list)*2 > len(t.slots) {
		t.grow()
	}
	return i
}

func (t *keyTable) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i := range t.list {
		at := t.list[i].hash & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = int32(i) + 1
	}
}

// newKey resolves a name: what it is called canonically and what the schema says of it.
func newKey(raw string, d *Dialect) keyInfo {
	k := keyInfo{raw: raw, canonical: raw}
	property, annotation, annotated := strings.Cut(raw, "@")
	if property != "" {
		canonical := property
		if renamed, ok := d.Renames[property]; ok {
			canonical, k.renamed = renamed, true
		} else if d.FoldFirst {
			canonical = lowerFirst(property)
			k.folded = canonical != property
		}
		k.canonical = canonical
		if annotated {
			k.canonical += "@" + annotation
		}
	}
	k.id = hashBytes([]byte(k.canonical), seedKey)
	if !d.Untyped {
		k.classify(annotation, annotated)
	}
	s := schema()
	for t := range k.properties {
		k.properties[t] = -1
		if !d.Untyped && !annotated && t < len(s.byName) {
			if p := s.byName[t][k.canonical]; p != nil {
				k.properties[t] = p.index
			}
		}
	}
	return k
}

// classify finds annotations that name places and versions instead of content. v1.0 documents of
// Outlook REST write odata.nextLink without the at sign.
func (k *keyInfo) classify(annotation string, annotated bool) {
	if !annotated {
		annotation = k.raw
	}
	switch annotation {
	case "odata.context", "odata.nextLink", "odata.deltaLink", "odata.id", "odata.editLink", "odata.readLink", "odata.metadata",
		"odata.navigationLink", "odata.associationLink", "odata.mediaReadLink", "odata.mediaEditLink":
		k.unhashed = true
	case "odata.etag", "odata.mediaEtag":
		k.etag = true
	case "odata.type":
		k.typ = true
	}
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || !unicode.IsUpper(r) {
		return s
	}
	return string(unicode.ToLower(r)) + s[size:]
}

// foldEnum is the schema's spelling of an enum member, or the text itself when it is no member.
func foldEnum(p *Property, s string) string {
	for _, member := range p.Enum {
		if strings.EqualFold(member, s) {
			return member
		}
	}
	return s
}

// foldType is the canonical form of an @odata.type.
func (d *Dialect) foldType(s string) string {
	for prefix, canonical := range d.Namespaces {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return canonical + lowerFirst(rest)
		}
	}
	return s
}
