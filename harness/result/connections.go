package result

// Connections says what became of the connections of one path over the whole run:
// preflight, fixtures and clean-up included, those to token services left out.
type Connections struct {
	Path         string `json:"path"`
	Opened       uint64 `json:"opened"`         // handshakes included
	Failed       uint64 `json:"failed"`         // could not be opened
	Reused       uint64 `json:"reused"`         // requests on a connection that had carried another
	ClosedByPeer uint64 `json:"closed_by_peer"` // ended, or announced to end, by the server
	Blocked      uint64 `json:"blocked"`        // requests that had to wait for a free connection
	Retried      uint64 `json:"retried"`        // requests sent again because a kept connection was dead
	// Connect is name resolution and TCP handshake, TLS the handshake after it; empty
	// where there was none.
	Connect Summary `json:"connect_ms"`
	TLS     Summary `json:"tls_ms"`
}
