// Package keepalive serves kept-alive HTTP/1.1 connections at a third of what
// net/http needs for a request. net/http begins every connection: the handshake,
// HTTP/2, the first request, and whatever is unusual. The second plain request of
// a connection is taken over; from then on one goroutine reads a request, lets
// the handler answer, and sends the answer in one write.
//
// Rules of a line, as such a connection is called here:
//   - A request that is not plain (see parse), whose header is not in one piece, or
//     which cannot be read goes back to net/http, byte for byte, and with it the
//     rest of the connection. So net/http alone judges what is malformed.
//   - A handler sees its client leave only when it asks: the context of a request
//     begins to listen when its Done is first called.
//   - One goroutine reads and writes; a listener for the client's leaving has ended
//     before the next request is read.
package keepalive

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
)

// Bounds of what a line takes itself.
const (
	maxHead = 8 << 10  // a longer request header goes back to net/http
	maxBody = 64 << 10 // so does a longer body, which is read as a stream there
	largest = 64 << 10 // buffers that are kept between requests
)

// Limits are the times that a client may take.
type Limits struct {
	Idle    time.Duration // between requests; up to a second less, since it is not renewed for each
	Request time.Duration // for the body of one, and to take a piece of the answer; up to a second less, too
}

// Server takes over the connections of an http.Server. Make it with New; it is
// the Handler of that server, whose ConnContext it has to be in, and which has to
// serve Back too.
type Server struct {
	next    http.Handler
	limits  Limits
	clock   clock.Clock
	back    *returns
	date    atomic.Pointer[date]
	closing atomic.Bool
	lines   sync.Map // *line → struct{}: open ones
	wait    sync.WaitGroup
}

// New returns a server in front of a handler.
func New(next http.Handler, l Limits, c clock.Clock) *Server {
	return &Server{next: next, limits: l, clock: c, back: &returns{conns: make(chan net.Conn), closed: make(chan struct{})}}
}

// visit is what is known of a connection.
type visit struct {
	requests int  // that net/http read
	stays    bool // with net/http: it came back from a line
}

type visitKey struct{}

// ConnContext gives each connection of the http.Server its memory. A connection
// that comes back keeps the values that it had.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	if r, ok := c.(*returned); ok {
		return context.WithValue(&carried{ctx, r.values}, visitKey{}, &visit{stays: true})
	}
	return context.WithValue(ctx, visitKey{}, &visit{})
}

// Returned says whether a connection came back from a line: its values are carried.
func Returned(c net.Conn) bool {
	_, ok := c.(*returned)
	return ok
}

// carried is a context with the values of another one behind its own.
type carried struct {
	context.Context
	values context.Context
}

// Value looks in both.
func (c *carried) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// ServeHTTP serves a request of net/http's, or the rest of its connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	if v == nil || r.ProtoMajor != 1 || v.stays || s.closing.Load() {
		s.next.ServeHTTP(w, r)
		return
	}
	if v.requests++; v.requests < 2 || r.TLS == nil || r.ContentLength != 0 || r.ProtoMinor != 1 || r.Close || r.Header["Upgrade"] != nil || r.Header["Expect"] != nil {
		s.next.ServeHTTP(w, r)
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		s.next.ServeHTTP(w, r)
		return
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	s.take(conn, buffered.Reader, r)
}

// take serves the rest of a connection, from a request on that net/http has read.
func (s *Server) take(conn net.Conn, unread *bufio.Reader, first *http.Request) {
	l := &line{server: s, conn: conn, first: first, unread: peeked(unread)}
	l.state.Store(busy)
	l.in = bufio.NewReaderSize(l, maxHead)
	l.answer.line = l
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		l.gatherer, _ = t.NetConn().(Gatherer)
	}
	s.wait.Add(1)
	defer s.wait.Done()
	s.lines.Store(l, struct{}{})
	defer s.lines.Delete(l)
	l.run()
}

// peeked copies what a reader has read ahead.
func peeked(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered())
	return append([]byte(nil), b...)
}

// Shutdown ends the lines: idle ones at once, busy ones after their answer, all
// that are left when ctx ends. It waits for their handlers.
func (s *Server) Shutdown(ctx context.Context) {
	s.closing.Store(true)
	s.lines.Range(func(l, _ any) bool {
		l.(*line).endIdle()
		return true
	})
	over := make(chan struct{})
	go func() { s.wait.Wait(); close(over) }()
	select {
	case <-over:
		return
	case <-ctx.Done():
	}
	s.lines.Range(func(l, _ any) bool {
		_ = l.(*line).conn.Close()
		return true
	})
	<-over
}
