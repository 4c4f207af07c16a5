package client

import "sync/atomic"

// Stats counts what happened to connections since the client was made.
type Stats struct {
	// Opened connections, TLS handshake included.
	Opened uint64
	// DialFailed counts connections that could not be opened.
	DialFailed uint64
	// Reused counts requests sent on a connection that had carried another.
	Reused uint64
	// ClosedByPeer counts connections that the server ended or announced to
	// end. An end that TLS announces is not seen through net/http.
	ClosedByPeer uint64
	// Blocked counts requests that had to wait for a free connection.
	Blocked uint64
	// Retried counts requests sent again because a kept connection turned out
	// to be dead before any byte of an answer.
	Retried uint64
	// Extra counts requests put on the wire beyond one for each Do: the legs
	// of NTLM handshakes. Retried ones reached no server and are not in it.
	Extra uint64
}

type counters struct {
	opened, dialFailed, reused, closedByPeer, blocked, retried, extra atomic.Uint64

	openings openings
}

func (c *counters) stats() Stats {
	return Stats{
		Opened:       c.opened.Load(),
		DialFailed:   c.dialFailed.Load(),
		Reused:       c.reused.Load(),
		ClosedByPeer: c.closedByPeer.Load(),
		Blocked:      c.blocked.Load(),
		Retried:      c.retried.Load(),
		Extra:        c.extra.Load(),
	}
}
