package onprem

import (
	"net/http"
	"strconv"
	"strings"

	"cutover/harness/lab/store"
)

// trackMessages answers a list with Prefer: odata.track-changes: pages of what
// changed since the token, and a delta link at the end. Graph says the same with
// its delta function.
func (c *call) trackMessages(folder store.Key, resource string) (int, error) {
	since, floor, err := c.syncPoint()
	if err != nil {
		return 0, err
	}
	changes, err := c.mb.MessageChanges(folder, store.ChangeQuery{Since: since, Floor: floor, Limit: c.pageSize()})
	if err != nil {
		return 0, err
	}
	c.applied = append(c.applied, "odata.track-changes")
	c.context(resource, false)
	c.name("value")
	c.b = append(c.b, '[')
	for _, one := range changes.Items {
		if one.Gone {
			c.open()
			c.name("@odata.context")
			c.str(c.root + "/$metadata#" + c.prefix + "/" + resource + "/$deletedEntity")
			c.name("id")
			c.str(resource + "('" + c.mb.ID(one.Removed, false) + "')")
			c.name("reason")
			c.str("deleted")
			c.close('}')
			continue
		}
		c.message(one.Item)
	}
	c.close(']')
	link, option := "@odata.deltaLink", "$deltaToken="
	if changes.More {
		link, option = "@odata.nextLink", "$skipToken="
	}
	c.name(link)
	c.str(c.link + "?" + option + syncToken(changes.Next, floor, c.mb.SyncGeneration()))
	c.close('}')
	return http.StatusOK, nil
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
