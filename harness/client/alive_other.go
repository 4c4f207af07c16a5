//go:build !unix

package client

// alive reports whether an idle connection may carry a request that must not
// be sent twice. This system offers no look at a connection without reading,
// so one that has been idle for long is not trusted.
func (c *leanConn) alive() bool { return false }
