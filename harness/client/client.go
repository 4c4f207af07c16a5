// Package client puts wire requests on the network and times them. Two
// clients stand behind one door and behave alike: a lean one for HTTP/1.1,
// which allocates nothing in a steady state, and one over net/http for HTTP/2,
// proxies and NTLM. Neither follows redirects, keeps cookies or judges what
// the server answers. What may be sent where is decided above, by guard, the
// only importer.
package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"cutover/harness/clock"
	"cutover/harness/wire"
)

// The protocols of [Options].
const (
	Auto  = "auto"     // HTTP/1.1, and HTTP/2 with a server that speaks nothing else; through a proxy, HTTP/2 where offered
	HTTP1 = "http/1.1" // HTTP/1.1 only
	HTTP2 = "h2"       // HTTP/2 only; a server without it is a failure
)

// The connection strategies of [Options].
const (
	Shared     = "shared"  // one pool for all
	PerMailbox = "mailbox" // a pool for each mailbox
	PerRequest = "new"     // a new connection for each request
)

// Limits that hold for every client.
const (
	// DefaultMaxBody bounds an answer's decoded body: 16 MiB.
	DefaultMaxBody = 16 << 20
	// DefaultTimeout bounds a whole request, as k6 and Gatling do.
	DefaultTimeout = 60 * time.Second
	// DefaultMaxConns bounds the connections of a pool to one host.
	DefaultMaxConns = 1000
	// MaxHeader bounds the header lines of an answer, interim answers
	// included: 256 KiB.
	MaxHeader = 256 << 10

	defaultStage = 10 * time.Second // for connecting, and for the TLS handshake
	idleLimit    = 90 * time.Second // an older idle connection is not reused
	ntlmConns    = 2                // connections of a mailbox that signs in with NTLM
)

// Options says how to reach a path's servers. The zero value verifies TLS 1.2
// or later against the system's roots and speaks HTTP/1.1.
type Options struct {
	// Protocol is Auto (also ""), HTTP1 or HTTP2.
	Protocol string
	// CA are the roots to trust; nil means the system's.
	CA *x509.CertPool
	// MinTLS is the lowest version accepted, such as tls.VersionTLS12 (also 0).
	MinTLS uint16
	// MaxTLS is the highest version offered; 0 offers the newest. A probe uses it
	// to find out what a server still accepts.
	MaxTLS uint16
	// ClientCert is presented to servers that ask for one.
	ClientCert *tls.Certificate
	// ServerName replaces the URL's host in SNI and certificate verification.
	ServerName string
	// Host replaces the URL's host in the Host header.
	Host string
	// Resolve maps host:port of a URL to the address, with or without a port,
	// to connect to instead of asking DNS.
	Resolve map[string]string
	// Address is an IP to connect to instead, whatever the URL's host: SNI, Host
	// and the port stay the URL's. It is for looking at one server behind a name;
	// Control judges it like any other. "" asks DNS.
	Address string
	// Proxy makes HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment count.
	Proxy bool
	// ProxyFor replaces the environment's choice when Proxy is set.
	ProxyFor func(*http.Request) (*url.URL, error)
	// UserAgent is sent unless the request has one; "" means "cutover".
	UserAgent string
	// MaxBody bounds an answer's decoded body in bytes; 0 means DefaultMaxBody.
	MaxBody int64
	// Timeout bounds a request that has no timeout of its own; 0 means
	// DefaultTimeout.
	Timeout time.Duration
	// ConnectTimeout and TLSTimeout bound these stages within the request; 0
	// means 10 s each. FirstByteTimeout bounds the wait from the last byte
	// sent to the first received; 0 leaves it to the whole.
	ConnectTimeout, TLSTimeout, FirstByteTimeout time.Duration
	// Connections is Shared (also ""), PerMailbox or PerRequest.
	Connections string
	// MaxConns bounds the connections to one host (of one mailbox under
	// PerMailbox); further requests wait. 0 means DefaultMaxConns, or 2 for a
	// mailbox that signs in with NTLM.
	MaxConns int
	// MaxStreams bounds the requests under way on one HTTP/2 connection, beside what
	// its server allows; 0 means 100. 1 gives each request a connection of its own
	// while it is under way, as with HTTP/1.1.
	MaxStreams int
	// Clock stamps timings and computes deadlines, so it must run at real
	// speed; nil means the system's.
	Clock clock.Clock
	// Control is called with the resolved ip:port before every connection,
	// proxies included; an error refuses it.
	Control func(network, address string) error
	// Login gives the credentials of a mailbox for NTLM. A mailbox for which ok
	// is false goes without. Setting it moves all requests to net/http.
	Login func(mailbox string) (user, password string, ok bool)
	// Admit waits until one more connection may sign in with a Login; its error
	// fails the request. nil: at once.
	Admit func(ctx context.Context) error
}

// Client sends requests. It is safe for concurrent use and implements
// wire.Doer.
type Client struct {
	opts     Options
	dialer   *dialer
	counters counters
	doer     doer // lean or standard, by protocol

	plain *http.Transport // for RoundTripper
	once  sync.Once       // builds plain
}

// doer is what the two clients have in common.
type doer interface {
	do(ctx context.Context, req *wire.Request, into *wire.Call) *wire.Failure
	close()
}

// New returns a client for the options, or says which of them is not one.
// Nothing is connected yet.
func New(o Options) (*Client, error) {
	if o.MinTLS == 0 {
		o.MinTLS = tls.VersionTLS12
	}
	o.Protocol = orElse(o.Protocol, Auto)
	o.Connections = orElse(o.Connections, Shared)
	o.UserAgent = orElse(o.UserAgent, "cutover")
	o.MaxBody = orElse(o.MaxBody, DefaultMaxBody)
	o.Timeout = orElse(o.Timeout, DefaultTimeout)
	o.ConnectTimeout = orElse(o.ConnectTimeout, defaultStage)
	o.TLSTimeout = orElse(o.TLSTimeout, defaultStage)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	switch o.Protocol {
	case Auto, HTTP1, HTTP2:
	default:
		return nil, fmt.Errorf("protocol %q is unknown: say auto, http/1.1 or h2", o.Protocol)
	}
	switch o.Connections {
	case Shared, PerMailbox, PerRequest:
	default:
		return nil, fmt.Errorf("connections %q is unknown: say shared, mailbox or new", o.Connections)
	}
	if o.Host != "" && (breaksLine(o.Host) || strings.ContainsAny(o.Host, " \t/?#@")) {
		return nil, fmt.Errorf("host %q is no host name", o.Host)
	}
	if o.Login != nil && o.Protocol == HTTP2 {
		return nil, fmt.Errorf("NTLM signs in a connection and does not work over h2: say protocol: http/1.1")
	}
	if o.Proxy && o.ProxyFor == nil {
		o.ProxyFor = http.ProxyFromEnvironment
	}
	c := &Client{opts: o}
	c.dialer = &dialer{o: &c.opts, counters: &c.counters}
	switch {
	case o.Proxy || o.Login != nil:
		c.doer = newStandard(&c.opts, c.dialer, &c.counters)
	case o.Protocol == HTTP2:
		c.doer = newH2(&c.opts, c.dialer, &c.counters)
	case o.Protocol == Auto:
		c.doer = newAuto(&c.opts, c.dialer, &c.counters)
	default:
		c.doer = newLean(&c.opts, c.dialer, &c.counters)
	}
	return c, nil
}

// orElse returns v, or other when v is its type's zero value.
func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// Do sends req and fills into; see wire.Doer. It returns when the answer is
// whole, when the request failed, or soon after ctx ends.
func (c *Client) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	if err := ctx.Err(); err != nil {
		into.Failure = fail(ctx, Waiting, err)
	} else if err := checkFields(req); err != nil {
		into.Failure = &wire.Failure{Kind: wire.Protocol, Err: err}
	} else {
		into.Failure = c.doer.do(ctx, req, into)
	}
	if into.Timing.Done.IsZero() {
		into.Timing.Done = c.opts.Clock.Now()
	}
}

// Stats returns what happened to connections so far.
func (c *Client) Stats() Stats { return c.counters.stats() }

// RoundTripper returns a net/http transport with the same roots, limits and
// control hook, for libraries that bring their own requests. Its connections
// are its own.
func (c *Client) RoundTripper() http.RoundTripper {
	c.once.Do(func() {
		c.plain = newTransport(&c.opts, c.dialer)
	})
	return c.plain
}

// CloseIdleConnections closes the idle connections of RoundTripper.
func (c *Client) CloseIdleConnections() {
	c.once.Do(func() { c.plain = newTransport(&c.opts, c.dialer) })
	c.plain.CloseIdleConnections()
}

// Close closes idle connections. Requests under way are not disturbed, unless
// they are still connecting; their connections are closed when they end. No
// request may follow.
func (c *Client) Close() {
	c.CloseIdleConnections()
	c.doer.close()
}
