package onprem

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cutover/harness/lab/store"
)

// track answers a list with Prefer: odata.track-changes: pages of what changed
// since the token, and a delta link at the end. Graph says the same with its
// delta function.
func track[T any](c *call, resource string, changes func(store.ChangeQuery) (store.Changes[*T], error), each func(*T)) (int, error) {
	since, floor, err := c.syncPoint()
	if err != nil {
		return 0, err
	}
	list, err := changes(store.ChangeQuery{Since: since, Floor: floor, Limit: c.pageSize()})
	if err != nil {
		return 0, err
	}
	c.applied = append(c.applied, "odata.track-changes")
	c.context(resource, false)
	c.name("value")
	c.b = append(c.b, '[')
	for _, one := range list.Items {
		if !one.Gone {
			each(one.Item)
			continue
		}
		c.open()
		c.name("@odata.context")
		c.str(c.root + "/$metadata#" + c.prefix + "/" + resource + "/$deletedEntity")
		c.name("id")
		c.str(resource + "('" + c.mb.ID(one.Removed, false) + "')")
		c.name("reason")
		c.str("deleted")
		c.close('}')
	}
	c.close(']')
	link, option := "@odata.deltaLink", "$deltaToken="
	if list.More {
		link, option = "@odata.nextLink", "$skipToken="
	}
	c.name(link)
	c.str(c.resumed(option + syncToken(list.Next, floor, c.mb.SyncGeneration())))
	c.close('}')
	return http.StatusOK, nil
}

// resumed is the address at which a round goes on: that of the request, with
// the options that are no token of an earlier one.
func (c *call) resumed(token string) string {
	var b strings.Builder
	b.WriteString(c.link + "?")
	for _, o := range c.q.Given {
		if name := lower(o.Name); name != "$deltatoken" && name != "$skiptoken" {
			b.WriteString(o.Name + "=" + strings.ReplaceAll(url.QueryEscape(o.Value), "+", "%20") + "&")
		}
	}
	return b.String() + token
}

// syncPoint reads where a round begins.
func (c *call) syncPoint() (since, floor uint64, err error) {
	token := c.q.DeltaToken
	if token == "" {
		token = c.q.SkipToken
	}
	if token == "" {
		return 0, c.mb.Sequence(), nil
	}
	parts := strings.Split(token, "-")
	var n [3]uint64
	if len(parts) != len(n) {
		return 0, 0, store.ErrSyncReset
	}
	for i, p := range parts {
		if n[i], err = strconv.ParseUint(p, 36, 64); err != nil {
			return 0, 0, store.ErrSyncReset
		}
	}
	if uint32(n[2]) != c.mb.SyncGeneration() {
		return 0, 0, store.ErrSyncReset
	}
	return n[0], n[1], nil
}

func syncToken(since, floor uint64, generation uint32) string {
	return strconv.FormatUint(since, 36) + "-" + strconv.FormatUint(floor, 36) + "-" + strconv.FormatUint(uint64(generation), 36)
}
