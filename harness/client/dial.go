package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// errNoH2 is what a TLS server without HTTP/2 gets from a client of only that.
var errNoH2 = errors.New("the server does not offer HTTP/2: say protocol: http/1.1")

// dialer opens connections for all clients, so that no way to the network
// passes the control hook by.
type dialer struct {
	o        *Options
	counters *counters
}

// conn is an open TCP connection that knows what it cost. Under TLS it is what
// tls.Conn.NetConn returns.
type conn struct {
	net.Conn
	counters  *counters
	deadlines deadlines
	connect   time.Duration
	tls       time.Duration
	in        atomic.Int64
	ready     atomic.Bool // opened, with its handshake; before, an end is a failed dial
	ended     atomic.Bool // by either side; counted once
}

// Read counts bytes and notices when the peer ends the connection.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for n == 0 && err != nil && c.early(err) {
		n, err = c.Conn.Read(p)
	}
	c.in.Add(int64(n))
	if err != nil {
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			c.endedByPeer()
		}
	}
	return n, err
}

// opened counts the connection.
func (c *conn) opened() {
	c.ready.Store(true)
	c.counters.opened.Add(1)
	c.counters.openings.add(c)
}

// endedByPeer counts the connection as closed by the server, unless it ended
// before.
func (c *conn) endedByPeer() {
	if c.ready.Load() && c.ended.CompareAndSwap(false, true) {
		c.counters.closedByPeer.Add(1)
	}
}

func (c *conn) Close() error {
	c.ended.Store(true)
	return c.Conn.Close()
}

// dial connects to address, a host:port, in clear.
func (d *dialer) dial(ctx context.Context, network, address string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.ConnectTimeout)
	defer cancel()
	if to, ok := d.o.Resolve[address]; ok {
		if _, _, err := net.SplitHostPort(to); err != nil {
			_, port, _ := net.SplitHostPort(address)
			to = net.JoinHostPort(to, port)
		}
		address = to
	}
	if d.o.Address != "" {
		_, port, _ := net.SplitHostPort(address)
		address = net.JoinHostPort(d.o.Address, port)
	}
	dialer := net.Dialer{Control: func(network, address string, _ syscall.RawConn) error {
		if d.o.Control != nil {
			if err := d.o.Control(network, address); err != nil {
				return &refusal{err}
			}
		}
		return nil
	}}
	began := d.o.Clock.Now()
	nc, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		d.counters.dialFailed.Add(1)
		return nil, &StageError{Connecting, err}
	}
	return &conn{Conn: nc, counters: d.counters, connect: d.o.Clock.Now().Sub(began)}, nil
}

// dialTLS connects to address and shakes hands, offering protocols by ALPN.
func (d *dialer) dialTLS(ctx context.Context, network, address string, protocols []string) (*tls.Conn, error) {
	c, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.TLSTimeout)
	defer cancel()
	config := d.tlsConfig(protocols)
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	began := d.o.Clock.Now()
	secured := tls.Client(c, config)
	err = secured.HandshakeContext(ctx)
	c.tls = d.o.Clock.Now().Sub(began)
	if asked := d.o.Protocol == HTTP2 || slices.Equal(protocols, []string{"h2"}); err == nil && asked && secured.ConnectionState().NegotiatedProtocol != "h2" {
		err = errNoH2
	}
	if err != nil {
		c.Close()
		d.counters.dialFailed.Add(1)
		return nil, &StageError{Securing, err}
	}
	return secured, nil
}

func (d *dialer) tlsConfig(protocols []string) *tls.Config {
	config := &tls.Config{
		RootCAs:    d.o.CA,
		MinVersion: d.o.MinTLS,
		MaxVersion: d.o.MaxTLS,
		ServerName: d.o.ServerName,
		NextProtos: protocols,
	}
	if d.o.ClientCert != nil {
		config.Certificates = []tls.Certificate{*d.o.ClientCert}
	}
	return config
}
