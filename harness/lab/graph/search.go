package graph

import (
	"strconv"

	"cutover/harness/lab/store"
)

// searchCap is how many results a search gives at most: 250 by the documentation
// of 2021, 1000 since December 2022.
func (s *Service) searchCap() int {
	if s.cfg.Era > 2022 {
		return 1000
	}
	return 250
}

// searchMessages answers $search: newest first by time of sending. Paging goes by
// $skiptoken; $count and $skip are not supported with it.
func searchMessages(c *call, folder store.Key, p *plan[message]) *fault {
	if p.q.Filter != nil {
		return badCode("SearchWithFilter", "The query parameter '$filter' is not supported with '$search'.")
	}
	from := 0
	if p.q.SkipToken != "" {
		n, err := strconv.Atoi(p.q.SkipToken)
		if err != nil || n < 0 {
			return badRequest("The $skiptoken is malformed.")
		}
		from = n
	}
	match := store.Search(p.q.Search)
	page, err := c.mb.Messages(folder, store.MessageQuery{Keep: match, Top: c.s.searchCap(), Compare: func(a, b *store.Message) int { return b.Sent.Compare(a.Sent) }})
	if err != nil {
		return storeFault(err)
	}
	items := page.Items[min(from, len(page.Items)):]
	size := messages.page(c, p)
	next := ""
	if len(items) > size {
		items, next = items[:size], strconv.Itoa(from+size)
	}
	e := c.encoder()
	e.expand = p.expand
	b := take()
	out := append(c.context(b.bytes, c.messagesContext(), p.selected), `"value":[`...)
	for i, m := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = messages.item(out, e, p.fields, m)
	}
	out = append(out, ']')
	if next != "" {
		out = append(out, `,"@odata.nextLink":`...)
		out = appendString(out, c.nextToken(p.q, next))
	}
	return c.send(200, b, append(out, '}'))
}
