package onprem

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"cutover/harness/lab/store"
	"cutover/harness/lab/zone"
)

// render writes the JSON of one answer. Values are appended in the server's own
// words: PascalCase names and enum members, whole seconds, ids of the mailbox.
type render struct {
	b         []byte
	service   *Service
	mb        *store.Mailbox
	v1        bool
	root      string // https://host/api/v2.0
	owner     string // Users('oid@tenant') as entity addresses have it
	zone      *time.Location
	zoned     string // name of zone as asked for
	text      bool   // bodies as text
	asWritten bool   // bodies in the kind they were written in: answers to writes
	chosen    any    // []*property[T] of $select; nil: the default set
	expand    bool   // attachments with each message
}

// property is one member of an entity: how it is called, written, set and
// compared. The tables of properties are the whole schema: $select, $filter,
// $orderby, bodies of writes and $metadata follow from them.
type property[T any] struct {
	name  string // in v2.0
	old   string // in v1.0 when it differs; "-": absent there
	edm   string
	asked bool // only written when $select names it
	write func(c *render, x *T)
	// has says whether the member exists on x at all; nil: always.
	has func(x *T) bool
	// set reads a value of a request body; nil: the server decides.
	set func(raw []byte) (func(*T), error)
	// value is what $filter and $orderby compare: string, int64, bool or time.Time.
	value func(x *T) any
}

// in is the property's name in the version of c, "" when absent there.
func (p *property[T]) in(v1 bool) string {
	switch {
	case !v1 || p.old == "":
		if p.name == "-" {
			return ""
		}
		return p.name
	case p.old == "-":
		return ""
	}
	return p.old
}

// members writes the properties of x that were asked for, after what the caller
// has written of the entity (its annotations).
func members[T any](c *render, table []property[T], x *T) {
	if list, ok := c.chosen.([]*property[T]); ok {
		for _, p := range list {
			p.member(c, x)
		}
		return
	}
	for i := range table {
		if !table[i].asked {
			table[i].member(c, x)
		}
	}
}

// member writes one property with its name, where x has it.
func (p *property[T]) member(c *render, x *T) {
	name := p.in(c.v1)
	if name == "" || p.write == nil || p.has != nil && !p.has(x) {
		return
	}
	c.name(name)
	p.write(c, x)
}

func (c *render) open() { c.b = append(c.b, '{') }

// close ends an object; a trailing comma goes.
func (c *render) close(end byte) {
	if n := len(c.b); n > 0 && c.b[n-1] == ',' {
		c.b = c.b[:n-1]
	}
	c.b = append(c.b, end, ',')
}

func (c *render) name(n string) {
	c.b = append(c.b, '"')
	c.b = append(c.b, n...)
	c.b = append(c.b, '"', ':')
}

func (c *render) raw(s string) { c.b = append(append(c.b, s...), ',') }

func (c *render) str(s string) {
	c.b = appendString(c.b, s)
	c.b = append(c.b, ',')
}

// opt writes a text, null when it is empty.
func (c *render) opt(s string) {
	if s == "" {
		c.raw("null")
		return
	}
	c.str(s)
}

// enum writes a member of an enumeration, given in Graph's spelling.
func (c *render) enum(s string) { c.str(pascal(s)) }

func (c *render) num(n int) { c.b = append(strconv.AppendInt(c.b, int64(n), 10), ',') }

func (c *render) bool(v bool) { c.b = append(strconv.AppendBool(c.b, v), ',') }

func (c *render) time(t time.Time) {
	if t.IsZero() {
		c.raw(`"0001-01-01T00:00:00Z"`)
		return
	}
	c.b = append(c.b, '"')
	c.b = t.UTC().AppendFormat(c.b, "2006-01-02T15:04:05Z")
	c.b = append(c.b, '"', ',')
}

func (c *render) texts(list []string) {
	c.b = append(c.b, '[')
	for _, s := range list {
		c.str(s)
	}
	c.close(']')
}

func (c *render) id(r store.Ref) {
	c.b = append(c.b, '"')
	c.b = c.mb.AppendID(c.b, r, false)
	c.b = append(c.b, '"', ',')
}

func (c *render) folderID(k store.Key) {
	c.b = append(c.b, '"')
	c.b = c.mb.AppendFolderID(c.b, k)
	c.b = append(c.b, '"', ',')
}

func (c *render) changeKey(n uint64) {
	c.b = append(c.b, '"')
	c.b = c.mb.AppendChangeKey(c.b, n)
	c.b = append(c.b, '"', ',')
}

func (c *render) address(a store.Address) {
	c.open()
	c.name("EmailAddress")
	c.plainAddress(a)
	c.close('}')
}

func (c *render) plainAddress(a store.Address) {
	c.open()
	c.name("Name")
	c.str(a.Name)
	c.name("Address")
	c.str(a.Address)
	c.close('}')
}

func (c *render) addresses(list []store.Address) {
	c.b = append(c.b, '[')
	for _, a := range list {
		c.address(a)
	}
	c.close(']')
}

func (c *render) body(b store.Body) {
	switch {
	case c.text && b.Kind == "html":
		b = store.Body{Kind: "text", Content: store.PlainText(b.Content)}
	case !c.text && !c.asWritten && b.Kind == "text":
		b = store.Hypertext(b)
	}
	c.open()
	c.name("ContentType")
	if b.Kind == "html" {
		c.str("HTML")
	} else {
		c.str("Text")
	}
	c.name("Content")
	c.str(b.Content)
	c.close('}')
}

// moment writes a calendar time in the zone that the client asked for. An
// all-day one has the same date in every zone.
func (c *render) moment(m store.Moment, allDay bool) {
	at, name := m.At.UTC(), "UTC"
	if c.zone != nil {
		name = c.zoned
		if !allDay {
			at = m.At.In(c.zone)
		}
	}
	c.open()
	c.name("DateTime")
	c.b = append(c.b, '"')
	c.b = at.AppendFormat(c.b, "2006-01-02T15:04:05.0000000")
	c.b = append(c.b, '"', ',')
	c.name("TimeZone")
	c.str(name)
	c.close('}')
}

// place is where an entity stands in its collection: an item or a folder.
type place struct {
	collection string
	item       store.Ref
	folder     store.Key // of folders; item is not used then
}

func (c *render) key(p place) {
	if p.folder != 0 {
		c.b = c.mb.AppendFolderID(c.b, p.folder)
		return
	}
	c.b = c.mb.AppendID(c.b, p.item, false)
}

// annotations begins an entity: its address, its etag (0: none) and, for a type
// that is not the declared one, its type.
func (c *render) annotations(at place, change uint64, kind string) {
	c.open()
	if kind != "" {
		c.name("@odata.type")
		c.str("#Microsoft.OutlookServices." + kind)
	}
	c.b = append(c.b, `"@odata.id":"`...)
	c.b = append(c.b, c.root...)
	c.b = append(c.b, '/')
	c.b = append(c.b, c.owner...)
	c.b = append(c.b, '/')
	c.b = append(c.b, at.collection...)
	c.b = append(c.b, "('"...)
	c.key(at)
	c.b = append(c.b, `')",`...)
	if change != 0 {
		c.b = append(c.b, `"@odata.etag":"W/\"`...)
		c.b = c.mb.AppendChangeKey(c.b, change)
		c.b = append(c.b, `\"",`...)
	}
}

// within sets the zone of Prefer: outlook.timezone. ok is false for an unknown name.
func (c *render) within(name string) (ok bool) {
	c.zone, ok = zone.Load(name)
	c.zoned = name
	return ok
}

// pascal is an enum member as the server writes it: html is the one that is not
// only a capital letter away.
func pascal(s string) string {
	if s == "html" {
		return "HTML"
	}
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		ch := s[i]
		if ch < utf8.RuneSelf {
			if ch >= 0x20 && ch != '"' && ch != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch ch {
			case '"', '\\':
				b = append(b, '\\', ch)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[ch>>4], hexDigits[ch&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			start = i + 1
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendBase64(b, raw []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"', ',')
}
