package conform

import (
	"fmt"
	"net/url"
	"strings"

	"cutover/harness/canon"
)

// Trail is how one side served a list that was followed from page to page.
type Trail struct {
	// Pages are the bodies, the first page's included.
	Pages [][]byte
	// Loop is the number of the page (from 1) to which the last page's link leads back, 0 for none.
	Loop int
}

// Pages judges the shape of two lists that were followed: links that lead back, empty pages before the
// last or larger ones than were asked for, items that come twice, links that lose what was asked for or lead to another host. What the lists hold is Compare's to judge. A list
// without an end is no list to compare: it counts as skipped.
func (c *Comparer) Pages(p Pair, left, right Trail) {
	l, r := c.shape(p, left, c.left), c.shape(p, right, c.right)
	var seen []observation
	add := func(id, lsays, rsays string) {
		if lsays == "" && rsays == "" {
			return
		}
		rule := named(id)
		o := observation{rule: rule, pointer: "/@odata.nextLink", severity: rule.severity, attribution: blame(lsays != "", rsays != "")}
		o.left, o.right = orFine(lsays), orFine(rsays)
		seen = append(seen, o)
	}
	add("page.loop", l.loop, r.loop)
	add("page.larger", l.larger, r.larger)
	if l.empty != r.empty {
		add("page.skip", l.empty, r.empty)
	}
	if left.Loop == 0 && right.Loop == 0 {
		add("page.repeated", l.repeated, r.repeated)
	}
	add("page.options-lost", l.lost, r.lost)
	add("link.root-escape", l.escape, r.escape)
	if left.Loop > 0 || right.Loop > 0 {
		c.Skip("a list without an end", 1)
		c.folded.compared(p)
	}
	c.commit(p, seen)
}

// shape is what is odd about one side's pages, in words; "" for nothing.
type shape struct{ loop, empty, larger, repeated, lost, escape string }

func (c *Comparer) shape(p Pair, t Trail, d *canon.Dialect) (s shape) {
	if t.Loop > 0 {
		s.loop = fmt.Sprintf("page %d links back to page %d", len(t.Pages), t.Loop)
	}
	ids := map[canon.Hash]int{}
	var doc *canon.Doc
	for i, body := range t.Pages {
		doc, _ = canon.Parse(body, d, doc)
		value, ok := doc.Root().Get("value")
		if !ok || value.Kind() != canon.Array {
			return s
		}
		link, more := next(doc.Root())
		if more && value.Len() == 0 && s.empty == "" {
			s.empty = fmt.Sprintf("page %d is empty and has a link", i+1)
		}
		if n := value.Len(); p.Top > 0 && n > p.Top && s.larger == "" {
			s.larger = fmt.Sprintf("page %d has %d items where %d were asked for", i+1, n, p.Top)
		}
		if s.lost == "" && len(p.Select) > 0 && dropsSelect(link) {
			s.lost = fmt.Sprintf("the link of page %d drops $select", i+1)
		}
		if s.escape == "" && leaves(doc.Root(), link) != "" {
			s.escape = "another host"
		}
		for item := range value.Children() {
			id, ok := item.Get("id")
			if !ok || s.repeated != "" {
				continue
			}
			h := canon.HashText(id.Text())
			if first, twice := ids[h]; twice && first != i {
				s.repeated = fmt.Sprintf("an item of page %d comes again on page %d", first+1, i+1)
			}
			ids[h] = i
		}
	}
	return s
}

// dropsSelect reports whether a link goes on by a count alone. One with a token of the server's is opaque.
func dropsSelect(link string) bool {
	u, err := url.Parse(link)
	if err != nil {
		return false
	}
	skips := false
	for name := range u.Query() {
		switch strings.ToLower(name) {
		case "$select", "$skiptoken", "$deltatoken":
			return false
		case "$skip":
			skips = true
		}
	}
	return skips
}

func orFine(says string) string {
	if says == "" {
		return "pages in order"
	}
	return says
}
