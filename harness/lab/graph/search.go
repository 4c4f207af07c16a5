package graph

import (
	"encoding/base64"
	"encoding/binary"

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

// sealSearch makes the token of a search's next page: where it begins and what was
// asked. The link carries nothing else.
func (c *call) sealSearch(from int, query string) string {
	raw := append(binary.BigEndian.AppendUint32(nil, uint32(from)), query...)
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, c.tokenSum(raw)), raw...))
}

func (c *call) openSearch(token string) (from int, query string, f *fault) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 12 || binary.BigEndian.Uint64(raw) != c.tokenSum(raw[8:]) {
		return 0, "", badRequest("The $skiptoken is malformed.")
	}
	return int(binary.BigEndian.Uint32(raw[8:])), string(raw[12:]), nil
}

// searchMessages answers $search: newest first by time of sending. Paging goes by
// $skiptoken; $count and $skip are not supported with it.
func searchMessages(c *call, folder store.Key, p *plan[message]) *fault {
	from, query := 0, c.raw
	if p.q.SkipToken != "" {
		var f *fault
		if from, query, f = c.openSearch(p.q.SkipToken); f != nil {
			return f
		}
		if p, f = messages.plan(query); f != nil {
			return f
		}
	}
	if p.q.Filter != nil {
		return badCode("SearchWithFilter", "The query parameter '$filter' is not supported with '$search'.")
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
		items, next = items[:size], c.sealSearch(from+size, query)
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
		out = appendString(out, c.tokenLink("$skiptoken", next))
	}
	return c.send(200, b, append(out, '}'))
}
