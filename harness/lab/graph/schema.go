package graph

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// field is one property of a resource type.
type field[T any] struct {
	name   string
	emit   func(b []byte, e *encoder, v T) []byte // appends the value
	has    func(v T) bool                         // nil: always there; else absent when false
	hidden bool                                   // only with $select
	refuse bool                                   // not selectable
	kind   odata.Kind                             // of value
	value  func(v T) odata.Value                  // nil: cannot be filtered or sorted by
	key    []byte                                 // `"name":`
}

// schema is a resource type: its properties in the order of the wire.
type schema[T any] struct {
	name     string // as in microsoft.graph.message
	fields   []*field[T]
	byName   map[string]*field[T]      // lower case
	paths    map[string]odata.Field[T] // further filterable paths, lower case
	links    []string                  // navigation properties, lower case
	expand   []string                  // those that can be expanded
	ruled    bool                      // $filter with $orderby follows the rule of messages
	capped   int                       // largest page
	fallback int                       // page size when none is asked for
	annotate func(b []byte, e *encoder, v T) []byte
}

func newSchema[T any](s schema[T]) *schema[T] {
	s.byName = make(map[string]*field[T], len(s.fields))
	for _, f := range s.fields {
		f.key = append(appendString(nil, f.name), ':')
		s.byName[strings.ToLower(f.name)] = f
	}
	if s.capped == 0 {
		s.capped, s.fallback = 1000, 10
	}
	return &s
}

// encoder is what emitting needs to know besides the item.
type encoder struct {
	mb        *store.Mailbox
	immutable bool
	body      string
	loc       *time.Location
	zone      string
	owa       string
	etags     bool
	expand    []odata.Expand
	usual     bool // no preference changes how values are written
	c         *call
}

func (c *call) encoder() *encoder {
	body := c.prefer.body
	if body == "" && isGet(c) {
		body = "html"
	}
	return &encoder{mb: c.mb, immutable: c.prefer.immutable, body: body, loc: c.prefer.loc, zone: c.prefer.zone,
		owa: c.s.cfg.OWA, etags: !c.prefer.noMetadata, c: c,
		usual: isGet(c) && c.prefer.body == "" && c.prefer.loc == nil && !c.prefer.noMetadata}
}

// plan is the query options of a request, bound to a schema. Immutable: plans
// are shared between requests with the same query string.
type plan[T any] struct {
	q        *odata.Query
	fields   []*field[T]
	selected string // "(a,b)" for contexts, "" without $select
	keep     func(T) bool
	compare  func(a, b T) int
	expand   []odata.Expand
}

// planCache keeps plans by type and query string, so that a load test's equal
// lists are parsed once. It is emptied when full.
type planCache struct {
	m sync.Map // planKey → *plan[T]
	n atomic.Int64
}

type planKey struct{ schema, query string }

const (
	maxPlans      = 2048
	maxPlanLength = 1024
)

// planned is the query stage of operations on a schema.
func planned[T any](s *schema[T]) func(*call) *fault {
	return func(c *call) *fault {
		key := planKey{s.name, c.raw}
		if p, ok := c.s.plans.m.Load(key); ok {
			c.plan = p
			return nil
		}
		p, f := s.plan(c.raw)
		if f != nil {
			return f
		}
		c.plan = p
		if len(c.raw) <= maxPlanLength && p.q.SkipToken == "" && p.q.DeltaToken == "" {
			if c.s.plans.n.Add(1) > maxPlans {
				c.s.plans.m.Clear()
				c.s.plans.n.Store(1)
			}
			c.s.plans.m.Store(key, p)
		}
		return nil
	}
}

func (s *schema[T]) plan(raw string) (*plan[T], *fault) {
	q, err := odata.Parse(raw)
	if err != nil {
		return nil, badQuery(err)
	}
	p := &plan[T]{q: q}
	if f := s.selects(p); f != nil {
		return nil, f
	}
	if f := s.expands(p); f != nil {
		return nil, f
	}
	if f := s.orders(p); f != nil {
		return nil, f
	}
	if q.Filter != nil {
		keep, err := odata.Compile(q.Filter, s.lookup)
		if err != nil {
			return nil, badQuery(err)
		}
		p.keep = keep
		if s.ruled && len(q.OrderBy) > 0 && !follows(q) {
			return nil, badCode("InefficientFilter", "The restriction or sort order is too complex for this operation.")
		}
	}
	return p, nil
}

func (s *schema[T]) unknown(name string) *odata.Error {
	return &odata.Error{Code: "RequestBroker--ParseUri", Message: "Could not find a property named '" + name + "' on type 'microsoft.graph." + s.name + "'."}
}

// selects keeps the order of the wire whatever the order asked for. An id is
// always there.
func (s *schema[T]) selects(p *plan[T]) *fault {
	names := p.q.Select
	all := len(names) == 0
	chosen := map[*field[T]]bool{}
	for _, n := range names {
		if n == "*" {
			all = true
			continue
		}
		lower := strings.ToLower(n[strings.LastIndexByte(n, '/')+1:])
		if !strings.Contains(n, "microsoft.graph.") {
			lower, _, _ = strings.Cut(strings.ToLower(n), "/")
		}
		f := s.byName[lower]
		if f == nil && !contains(s.links, lower) {
			return badQuery(s.unknown(n))
		}
		if f != nil && f.refuse {
			return badCode("ErrorInvalidProperty", "The property '"+n+"' cannot be selected here.")
		}
		chosen[f] = true
	}
	for _, f := range s.fields {
		if all && !f.hidden || chosen[f] || f.name == "id" {
			p.fields = append(p.fields, f)
		}
	}
	if len(names) > 0 {
		p.selected = "(" + strings.Join(names, ",") + ")"
	}
	return nil
}

func (s *schema[T]) expands(p *plan[T]) *fault {
	for _, e := range p.q.Expand {
		name := strings.ToLower(e.Path)
		if i := strings.LastIndexByte(name, '/'); i >= 0 && strings.HasPrefix(name, "microsoft.graph.") {
			name = name[i+1:]
		}
		switch {
		case contains(s.expand, name):
		case contains(s.links, name):
			pascal := strings.ToUpper(e.Path[:1]) + e.Path[1:]
			return badCode("ExpandNotSupported", "Expand is not allowed for property '"+pascal+"' according to the entity schema.")
		default:
			return badRequest("Parsing OData Select and Expand failed: Could not find a property named '" + e.Path + "' on type 'microsoft.graph." + s.name + "'.")
		}
	}
	p.expand = p.q.Expand
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (s *schema[T]) lookup(path string) (odata.Field[T], *odata.Error) {
	lower := strings.ToLower(path)
	if f, ok := s.paths[lower]; ok {
		return f, nil
	}
	if f := s.byName[lower]; f != nil {
		return odata.Field[T]{Kind: f.kind, Value: f.value}, nil
	}
	head, _, nested := strings.Cut(lower, "/")
	if nested && s.byName[head] != nil {
		return odata.Field[T]{}, &odata.Error{Message: "The property '" + path + "' cannot be used in the $filter query option."}
	}
	return odata.Field[T]{}, s.unknown(path)
}

func (s *schema[T]) orders(p *plan[T]) *fault {
	if len(p.q.OrderBy) == 0 {
		return nil
	}
	if p.q.HasSearch {
		return badCode("SearchWithOrderBy", "The query parameter '$orderBy' is not supported with '$search'.")
	}
	type term struct {
		value func(T) odata.Value
		desc  bool
	}
	var terms []term
	for _, o := range p.q.OrderBy {
		f, err := s.lookup(o.Path)
		if err != nil {
			return badQuery(err)
		}
		if f.Value == nil {
			return badRequest("OrderBy not supported.")
		}
		terms = append(terms, term{f.Value, o.Desc})
	}
	p.compare = func(a, b T) int {
		for _, t := range terms {
			x, y := t.value(a), t.value(b)
			n, ok := odata.Compare(x, y)
			if !ok {
				n = int(min(x.Kind, 1)) - int(min(y.Kind, 1))
			}
			if t.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	}
	return nil
}

// follows says whether the properties of $orderby stand in $filter in the same
// order and before all others: what Graph can answer from one index.
func follows(q *odata.Query) bool {
	filter := odata.Properties(q.Filter)
	if len(filter) < len(q.OrderBy) {
		return false
	}
	for i, o := range q.OrderBy {
		if !strings.EqualFold(filter[i], o.Path) {
			return false
		}
	}
	return true
}

// page is the size of the page that a request wants.
func (s *schema[T]) page(c *call, p *plan[T]) int {
	n := s.fallback
	if p.q.Top > 0 {
		n = p.q.Top
	} else if c.prefer.pageSize > 0 {
		n = c.prefer.pageSize
	}
	return min(n, s.capped)
}

// item appends one entity as a JSON object, without its braces' context.
func (s *schema[T]) item(b []byte, e *encoder, fields []*field[T], v T) []byte {
	b = append(b, '{')
	return s.members(b, e, fields, v)
}

// members appends the members and the closing brace.
func (s *schema[T]) members(b []byte, e *encoder, fields []*field[T], v T) []byte {
	if s.annotate != nil && e.etags {
		b = s.annotate(b, e, v)
	}
	for _, f := range fields {
		if f.has != nil && !f.has(v) {
			continue
		}
		b = append(b, f.key...)
		b = f.emit(b, e, v)
		b = append(b, ',')
	}
	if len(e.expand) > 0 {
		b = appendExpanded(b, e, v)
	}
	if b[len(b)-1] == ',' {
		b[len(b)-1] = '}'
		return b
	}
	return append(b, '}')
}

// encodingKey is what the encoding of a listed message hangs on besides the
// message.
type encodingKey struct {
	plan      any
	epoch     uint32
	immutable bool
}

// maxKept bounds the encodings kept with their messages, in bytes.
const maxKept = 2048

// kept is item for lists that are asked again and again with one $select: the
// encoding of a message is kept with its snapshot.
func (s *schema[T]) kept(b []byte, e *encoder, p *plan[T], v T) []byte {
	m, ok := any(v).(message)
	if !ok || p.selected == "" || len(p.expand) > 0 || !e.usual {
		return s.item(b, e, p.fields, v)
	}
	key := encodingKey{p, e.mb.Epoch(), e.immutable}
	if d := m.Derived(); d != nil && d.For == key {
		return append(b, d.Bytes...)
	}
	start := len(b)
	b = s.item(b, e, p.fields, v)
	if len(b)-start <= maxKept {
		m.Keep(&store.Derived{For: key, Bytes: bytes.Clone(b[start:])})
	}
	return b
}

// writeList writes a page of a collection. next is the number to skip for the next
// page, 0 for none.
func writeList[T any](c *call, s *schema[T], p *plan[T], fragment string, items []T, total, next int) *fault {
	e := c.encoder()
	e.expand = p.expand
	b := take()
	body := c.context(b.bytes, fragment, p.selected)
	if p.q.Count {
		body = append(body, `"@odata.count":`...)
		body = appendInt(body, total)
		body = append(body, ',')
	}
	body = append(body, `"value":[`...)
	for i, v := range items {
		if i > 0 {
			body = append(body, ',')
		}
		body = s.kept(body, e, p, v)
	}
	body = append(body, ']')
	if next > 0 {
		body = append(body, `,"@odata.nextLink":"`...)
		body = appendEscaped(body, c.nextLink(p.q, next))
		body = append(body, '"')
	}
	body = append(body, '}')
	c.keepPage(body)
	return c.send(200, b, body)
}

// writeOne writes a single entity.
func writeOne[T any](c *call, s *schema[T], status int, fragment, etag string, v T) *fault {
	e := c.encoder()
	fields, selected := s.defaults(), ""
	if p, ok := c.plan.(*plan[T]); ok {
		fields, selected, e.expand = p.fields, p.selected, p.expand
	}
	if etag != "" {
		c.w.Header()["Etag"] = []string{etag}
	}
	b := take()
	body := c.context(b.bytes, fragment, selected, "/$entity")
	return c.send(status, b, s.members(body, e, fields, v))
}

func (s *schema[T]) defaults() []*field[T] {
	var list []*field[T]
	for _, f := range s.fields {
		if !f.hidden {
			list = append(list, f)
		}
	}
	return list
}
