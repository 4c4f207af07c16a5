package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"time"

	"cutover/harness/wire"
)

// standard sends requests through net/http: HTTP/2, proxies, NTLM.
type standard struct {
	o        *Options
	dialer   *dialer
	counters *counters

	mu         sync.Mutex
	transports map[string]*http.Transport // by mailbox under PerMailbox, else ""
	logins     map[string]*login          // by mailbox; nil value: no credentials
}

func newStandard(o *Options, d *dialer, c *counters) *standard {
	return &standard{o: o, dialer: d, counters: c,
		transports: make(map[string]*http.Transport), logins: make(map[string]*login)}
}

// newTransport returns a net/http transport that connects through d.
func newTransport(o *Options, d *dialer) *http.Transport {
	protocols := new(http.Protocols)
	var offered []string
	if o.Protocol != HTTP1 && o.Login == nil {
		protocols.SetHTTP2(true)
		offered = append(offered, "h2")
	}
	if o.Protocol == HTTP2 {
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP1(true)
		offered = append(offered, "http/1.1")
	}
	t := &http.Transport{
		Proxy:                  o.ProxyFor,
		Protocols:              protocols,
		TLSClientConfig:        d.tlsConfig(offered),
		TLSHandshakeTimeout:    o.TLSTimeout,
		DisableCompression:     true, // undone here, so that both clients do alike
		DisableKeepAlives:      o.Connections == PerRequest && o.Login == nil,
		MaxConnsPerHost:        orElse(o.MaxConns, DefaultMaxConns),
		MaxIdleConnsPerHost:    orElse(o.MaxConns, DefaultMaxConns),
		IdleConnTimeout:        idleLimit,
		ResponseHeaderTimeout:  o.FirstByteTimeout,
		MaxResponseHeaderBytes: MaxHeader,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := d.dial(ctx, network, address)
			if err != nil {
				return nil, err // not c: a nil *conn in an interface
			}
			c.opened()
			return c, nil
		},
	}
	// net/http does not ask DialTLSContext when it goes through a proxy.
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.dialTLS(ctx, network, address, offered)
		if err != nil {
			return nil, err
		}
		underlying(c).opened()
		return c, nil
	}
	return t
}

// transport returns the transport for a mailbox, made when first asked for.
func (s *standard) transport(mailbox string) *http.Transport {
	if s.o.Connections != PerMailbox {
		mailbox = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.transports[mailbox]
	if t == nil {
		t = newTransport(s.o, s.dialer)
		s.transports[mailbox] = t
	}
	return t
}

func (s *standard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
	for _, l := range s.logins {
		if l != nil {
			l.close()
		}
	}
}

func (s *standard) do(ctx context.Context, req *wire.Request, into *wire.Call) *wire.Failure {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, orElse(req.Timeout, s.o.Timeout))
	defer cancel()
	seen := &observation{s: s, stage: Waiting, began: s.o.Clock.Now()}
	hr, err := s.request(httptrace.WithClientTrace(ctx, seen.trace()), req)
	if err != nil {
		return fail(outer, Sending, err)
	}
	resp, err := s.send(hr, req.Mailbox)
	if err != nil {
		seen.report(&into.Timing)
		into.Timing.Done = s.o.Clock.Now()
		return fail(outer, seen.stageOf(), seen.overflowed(err))
	}
	defer resp.Body.Close()
	if resp.Close && s.o.Connections != PerRequest {
		seen.endedByPeer()
	}
	into.Response.Status, into.Response.Proto = resp.StatusCode, resp.Proto
	into.Response.Header = appendSorted(into.Response.Header, resp.Header)
	received := &counted{r: resp.Body}
	err = s.receive(received, resp, into)
	into.Timing.Done = s.o.Clock.Now()
	seen.report(&into.Timing)
	into.Timing.BytesOut = requestSize(hr)
	into.Timing.BytesIn = headerSize(resp.Header) + int64(len("HTTP/1.1 200 OK\r\n\r\n")) + received.n
	if err != nil {
		into.Response.Truncated = true
		return fail(outer, Receiving, err)
	}
	return nil
}

// request translates req for net/http.
func (s *standard) request(ctx context.Context, req *wire.Request) (*http.Request, error) {
	hr, err := http.NewRequestWithContext(ctx, req.Method, req.URL, nil)
	if err != nil {
		return nil, malformed("request: %w", err)
	}
	if req.Body != nil {
		hr.Body = io.NopCloser(bytes.NewReader(req.Body))
		hr.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body)), nil }
		hr.ContentLength = int64(len(req.Body))
		if len(req.Body) == 0 {
			hr.Body = http.NoBody
		}
	}
	if s.o.Host != "" {
		hr.Host = s.o.Host
	}
	hr.Header["User-Agent"] = []string{s.o.UserAgent}
	hr.Header["Accept-Encoding"] = []string{"gzip"}
	for i, f := range req.Header {
		if !slices.ContainsFunc(req.Header[:i], func(g wire.Field) bool { return strings.EqualFold(f.Name, g.Name) }) {
			hr.Header.Del(f.Name)
		}
		hr.Header.Add(f.Name, f.Value)
	}
	if req.Authorization != "" {
		hr.Header["Authorization"] = []string{req.Authorization}
	}
	return hr, nil
}

// send makes the round trip, with NTLM where the mailbox has a login.
func (s *standard) send(hr *http.Request, mailbox string) (*http.Response, error) {
	l, err := s.login(mailbox)
	if err != nil {
		return nil, err
	}
	if l != nil {
		return l.roundTrip(hr)
	}
	return s.transport(mailbox).RoundTrip(hr)
}

// receive reads the body, undoing gzip, up to the limit.
func (s *standard) receive(body *counted, resp *http.Response, into *wire.Call) error {
	encoding := resp.Header.Get("Content-Encoding")
	if resp.ContentLength == 0 || resp.Request.Method == http.MethodHead {
		encoding = ""
	}
	if !isGzip(encoding) {
		var err error
		into.Response.Body, err = readAll(into.Response.Body, body, s.o.MaxBody)
		return err
	}
	var err error
	into.Response.Body, err = gunzip(into.Response.Body, body, s.o.MaxBody)
	return err
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// observation is what httptrace saw of one request. Its callbacks may come
// late and from other goroutines, hence the lock.
type observation struct {
	s      *standard
	mu     sync.Mutex
	began  time.Time
	stage  Stage
	timing wire.Timing
	conn   *conn
	before int64 // bytes that conn had received before this request
}

func (o *observation) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.stage = Sending
			sent := o.s.o.Clock.Now()
			o.timing = wire.Timing{Sent: sent, Wait: sent.Sub(o.began), Reused: info.Reused, Remote: info.Conn.RemoteAddr().String()}
			if info.Reused {
				o.s.counters.reused.Add(1)
			}
			o.conn = underlying(info.Conn)
			if o.conn != nil {
				o.before = o.conn.in.Load()
				if !info.Reused {
					o.timing.Connect, o.timing.TLS = o.conn.connect, o.conn.tls
				}
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.stage = FirstByte
		},
		GotFirstResponseByte: func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.stage = Receiving
			o.timing.FirstByte = o.s.o.Clock.Now()
		},
	}
}

func underlying(nc net.Conn) *conn {
	if secured, ok := nc.(*tls.Conn); ok {
		nc = secured.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// report copies what was seen, keeping Done.
func (o *observation) report(into *wire.Timing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	done := into.Done
	*into = o.timing
	into.Done = done
}

// endedByPeer counts the connection as ended by the server.
func (o *observation) endedByPeer() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil {
		o.conn.endedByPeer()
	}
}

func (o *observation) stageOf() Stage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stage
}

// overflowed tells headers beyond the limit, for which net/http has no error
// type, by the bytes that came without making an answer.
func (o *observation) overflowed(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil && o.conn.in.Load()-o.before >= MaxHeader {
		return errors.Join(errTooLarge, err)
	}
	return err
}

// appendSorted appends h by name, since net/http keeps no order.
func appendSorted(into wire.Header, h http.Header) wire.Header {
	for name, values := range h {
		for _, v := range values {
			into = append(into, wire.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(into, func(a, b wire.Field) int { return cmp.Compare(a.Name, b.Name) })
	return into
}

func headerSize(h http.Header) int64 {
	var n int64
	for name, values := range h {
		for _, v := range values {
			n += int64(len(name) + len(v) + len(": \r\n"))
		}
	}
	return n
}

func requestSize(r *http.Request) int64 {
	line := len(r.Method) + len(r.URL.RequestURI()) + len("  HTTP/1.1\r\nHost: \r\n\r\n") + len(r.URL.Host)
	return int64(line) + headerSize(r.Header) + max(r.ContentLength, 0)
}
