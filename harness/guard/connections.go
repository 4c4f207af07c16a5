package guard

import (
	"maps"
	"slices"

	"cutover/harness/client"
	"cutover/harness/hist"
	"cutover/harness/result"
)

// Connections tells what became of the connections of each path's senders so far, in
// the order of the paths' names.
func (d *Door) Connections() []result.Connections {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []result.Connections
	for _, path := range slices.Sorted(maps.Keys(d.senders)) {
		all = append(all, connections(path, d.senders[path]))
	}
	return all
}

func connections(path string, senders []*client.Client) result.Connections {
	out := result.Connections{Path: path}
	var connect, tls hist.Histogram
	for _, c := range senders {
		s := c.Stats()
		out.Opened += s.Opened
		out.Failed += s.DialFailed
		out.Reused += s.Reused
		out.ClosedByPeer += s.ClosedByPeer
		out.Blocked += s.Blocked
		out.Retried += s.Retried
		c.Openings(&connect, &tls)
	}
	out.Connect, out.TLS = result.Summarise(&connect), result.Summarise(&tls)
	return out
}
