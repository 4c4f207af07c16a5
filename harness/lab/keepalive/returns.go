package keepalive

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// Back is the listener of the connections that lines give back. The http.Server
// has to serve it beside its own.
func (s *Server) Back() net.Listener { return s.back }

// returns is a listener without a port.
type returns struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{} // closed by Close
}

// give hands a connection over; false when nobody serves any more.
func (r *returns) give(c net.Conn) bool {
	select {
	case r.conns <- c:
		return true
	case <-r.closed:
		return false
	}
}

// Accept returns the next connection that came back.
func (r *returns) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (r *returns) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// Addr names what it is; there is no port.
func (r *returns) Addr() net.Addr { return address{} }

type address struct{}

// Network of a listener inside the process.
func (address) Network() string { return "returned" }

// String of the same.
func (address) String() string { return "returned" }

// returned is a connection with what was read of it in front.
type returned struct {
	net.Conn
	state  tls.ConnectionState
	values context.Context // of the requests that it had: their values
	before []byte
}

// Read reads what was read before, then the connection.
func (r *returned) Read(p []byte) (int, error) {
	if len(r.before) > 0 {
		n := copy(p, r.before)
		r.before = r.before[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

// ConnectionState is what was agreed on in the handshake.
func (r *returned) ConnectionState() tls.ConnectionState { return r.state }

// NetConn is the connection below TLS, which a fault resets.
func (r *returned) NetConn() net.Conn {
	if below, ok := r.Conn.(interface{ NetConn() net.Conn }); ok {
		return below.NetConn()
	}
	return r.Conn
}
