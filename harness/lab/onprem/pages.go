package onprem

import (
	"bytes"
	"net/http"
)

// repeatable says whether the answer to a list hangs on nothing but the mailbox
// and the request's target.
func (c *call) repeatable() bool {
	return c.r.Method == http.MethodGet && c.r.RequestURI != "" && c.r.Header["Prefer"] == nil && c.caller.may("Mail", false, false)
}

// again answers with the list that was kept for the same request.
func (c *call) again() bool {
	if !c.repeatable() {
		return false
	}
	body, stamp := c.service.pages.Find(c.mb, c.r.RequestURI)
	c.stamp = stamp
	c.kept = body
	return body != nil
}

// keepPage remembers the list of messages that the call holds.
func (c *call) keepPage() {
	if c.repeatable() {
		c.service.pages.Keep(c.mb, c.r.RequestURI, c.stamp, bytes.Clone(c.b))
	}
}
