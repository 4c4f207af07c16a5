package onprem

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutover/harness/lab/odata"
)

// kindOf is the kind of a property's values in filters, by its type.
func (p *property[T]) kindOf() odata.Kind {
	switch p.edm {
	case "Edm.DateTimeOffset":
		return odata.Time
	case "Edm.Boolean":
		return odata.Bool
	case "Edm.Int32":
		return odata.Number
	case "Edm.String", path:
		return odata.String
	}
	return odata.Enum
}

func (p *property[T]) comparable(x *T) odata.Value {
	switch v := p.value(x).(type) {
	case string:
		if p.kindOf() == odata.Enum {
			return odata.Word(v)
		}
		return odata.Text(v)
	case bool:
		return odata.Flag(v)
	case int64:
		return odata.Int(int(v))
	case time.Time:
		return odata.Moment(v)
	}
	return odata.Value{}
}

// find is the property that a query names, in any case.
func find[T any](table []property[T], name string, v1 bool) *property[T] {
	for i := range table {
		if strings.EqualFold(table[i].in(v1), name) && name != "" {
			return &table[i]
		}
	}
	return nil
}

// question is what a query asks of a collection, bound to its table.
type question[T any] struct {
	skip, top int
	keep      func(*T) bool
	compare   func(a, b *T) int
	order     []odata.Order
}

func unknownName(name, kind string) error {
	return refusal(http.StatusBadRequest, "RequestBroker-ParseUri", "Could not find a property named '%s' on type 'Microsoft.OutlookServices.%s'.", name, kind)
}

// selected reads $select. An unknown name is refused unless the service is told
// to ignore it: which of the two a server does is not documented.
func selected[T any](c *call, table []property[T], kind string) error {
	if len(c.q.Select) == 0 || slices.Contains(c.q.Select, "*") {
		return nil
	}
	named := make([]bool, len(table))
	for _, name := range c.q.Select {
		i := slices.IndexFunc(table, func(p property[T]) bool { return p.edm != path && strings.EqualFold(p.in(c.v1), name) && name != "" })
		if i >= 0 {
			named[i] = true
		} else if !c.service.cfg.IgnoreUnknownSelect && !strings.EqualFold(name, "attachments") {
			return unknownName(name, kind)
		}
	}
	list := make([]*property[T], 0, len(c.q.Select)+1)
	for i := range table {
		if named[i] || table[i].name == "Id" {
			list = append(list, &table[i])
		}
	}
	c.chosen = list
	return nil
}

// ask binds the query of a call to a table.
func ask[T any](c *call, table []property[T], kind string) (question[T], error) {
	q := question[T]{skip: c.q.Skip, top: c.pageSize(), order: c.q.OrderBy}
	if err := selected(c, table, kind); err != nil {
		return q, err
	}
	if c.q.Filter != nil {
		keep, bad := odata.Compile(c.q.Filter, func(name string) (odata.Field[*T], *odata.Error) {
			p := find(table, name, c.v1)
			if p == nil {
				return odata.Field[*T]{}, &odata.Error{Code: "RequestBroker-ParseUri",
					Message: "Could not find a property named '" + name + "' on type 'Microsoft.OutlookServices." + kind + "'."}
			}
			if p.value == nil {
				return odata.Field[*T]{}, &odata.Error{Message: "The property '" + name + "' does not support filtering."}
			}
			return odata.Field[*T]{Kind: p.kindOf(), Value: p.comparable}, nil
		})
		if bad != nil {
			return q, queryRefusal(bad)
		}
		q.keep = keep
		if len(c.q.OrderBy) > 0 && !leads(odata.Properties(c.q.Filter), c.q.OrderBy) {
			return q, refusal(http.StatusBadRequest, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
		}
	}
	return q, ordered(c, table, kind, &q)
}

func queryRefusal(bad *odata.Error) error {
	code := bad.Code
	if code == "" {
		code = "ErrorInvalidUrlQueryFilter"
	}
	return refusal(http.StatusBadRequest, code, "%s", bad.Message)
}

// leads is the documented rule: what is sorted by has to be filtered by too, and
// to come first there, in the same order.
func leads(filtered []string, order []odata.Order) bool {
	if len(filtered) < len(order) {
		return false
	}
	for i, o := range order {
		if !strings.EqualFold(filtered[i], o.Path) {
			return false
		}
	}
	return true
}

func ordered[T any](c *call, table []property[T], kind string, q *question[T]) error {
	if len(c.q.OrderBy) == 0 {
		return nil
	}
	type term struct {
		p    *property[T]
		desc bool
	}
	var terms []term
	for _, o := range c.q.OrderBy {
		p := find(table, o.Path, c.v1)
		if p == nil {
			return unknownName(o.Path, kind)
		}
		if p.value == nil {
			return refusal(http.StatusBadRequest, "ErrorInvalidUrlQuery", "The property '%s' does not support sorting.", o.Path)
		}
		terms = append(terms, term{p, o.Desc})
	}
	q.compare = func(a, b *T) int {
		for _, t := range terms {
			n, _ := odata.Compare(t.p.comparable(a), t.p.comparable(b))
			if n == 0 {
				continue
			}
			if t.desc {
				return -n
			}
			return n
		}
		return 0
	}
	return nil
}

// pageSize is the size of a page: $top or the preferred size, within the limits.
func (c *call) pageSize() int {
	n := c.service.cfg.PageSize
	if c.q.Top >= 0 {
		n = c.q.Top
	}
	for _, h := range c.r.Header["Prefer"] {
		for one := range strings.SplitSeq(h, ",") {
			if size, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(one)), "odata.maxpagesize="); ok {
				if v, err := strconv.Atoi(size); err == nil && v > 0 {
					n = v
				}
			}
		}
	}
	return min(n, c.service.cfg.MaxPage)
}

// context writes the context of an answer: the fragment names the resource in
// the server's words and the selected properties.
func (c *call) context(resource string, entity bool) {
	c.open()
	c.name("@odata.context")
	fragment := c.prefix + "/" + resource
	if len(c.q.Select) > 0 {
		fragment += "(" + strings.Join(c.q.Select, ",") + ")"
	}
	if entity {
		fragment += "/$entity"
	}
	c.str(c.root + "/$metadata#" + fragment)
}

// located names the address of what was created.
func (c *call) located(status int, collection, id string) {
	if status == http.StatusCreated {
		c.w.Header().Set("Location", c.root+"/"+c.owner+"/"+collection+"('"+id+"')")
	}
}

// page writes a collection.
func page[T any](c *call, resource string, items []*T, more bool, total int, each func(*T)) (int, error) {
	c.context(resource, false)
	if c.q.Count {
		c.name("@odata.count")
		c.num(total)
	}
	c.name("value")
	c.b = append(c.b, '[')
	for _, x := range items {
		each(x)
	}
	c.close(']')
	if more {
		c.name("@odata.nextLink")
		c.str(c.next(c.q.Skip + len(items)))
	}
	c.close('}')
	return http.StatusOK, nil
}

// next is the address of the page that begins at skip.
func (c *call) next(skip int) string {
	var b strings.Builder
	b.WriteString(c.link)
	separator := byte('?')
	for _, o := range c.q.Given {
		if strings.EqualFold(o.Name, "$skip") {
			continue
		}
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(o.Name + "=" + strings.ReplaceAll(url.QueryEscape(o.Value), "+", "%20"))
	}
	b.WriteByte(separator)
	b.WriteString("$skip=" + strconv.Itoa(skip))
	return b.String()
}
