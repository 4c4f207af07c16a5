package graph

import (
	"bytes"
	"net/http"
)

// repeatable says whether the answer to a list hangs on nothing but the mailbox
// and the request's target: no preference, no other host, not inside a batch.
func (c *call) repeatable() bool {
	return c.r.Method == http.MethodGet && c.r.RequestURI != "" && len(c.r.RequestURI) <= maxPlanLength && c.s.cfg.Base != "" && c.prefer == preferences{}
}

// again answers with the page that was kept for the same request. When there is
// none, writeList keeps the one that it makes.
func (c *call) again() bool {
	if !c.repeatable() {
		return false
	}
	body, stamp := c.s.pages.Find(c.mb, c.r.RequestURI)
	if body == nil {
		c.stamp = &stamp
		return false
	}
	c.write(http.StatusOK, body)
	return true
}

// keepPage remembers a page that again asked for.
func (c *call) keepPage(body []byte) {
	if c.stamp != nil {
		c.s.pages.Keep(c.mb, c.r.RequestURI, *c.stamp, bytes.Clone(body))
	}
}
