package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/keepalive"
	"cutover/harness/lab/onprem"
)

// Bounds of what one client may hold. A slow one is dropped; the others are served.
const (
	headerTimeout  = 10 * time.Second  // for the whole request header: slow-loris ends here
	requestTimeout = 120 * time.Second // for header and body
	idleTimeout    = 120 * time.Second // the usual idle time of IIS
	answerTimeout  = 10 * time.Minute  // for an answer, with what faults and delays add: who does not read it is dropped
	maxHeader      = 64 << 10
	maxConnections = 10_000 // per service; further ones are closed at once
	closeTimeout   = 300 * time.Millisecond
)

// service is one listener with its counter.
type service struct {
	name     string
	listener net.Listener
	base     string
	served   atomic.Uint64
	server   *http.Server
	lines    *keepalive.Server  // nil of plain HTTP
	cut      context.CancelFunc // ends what handlers still wait for
}

// listen opens a loopback port; what is served there follows when all ports are known.
func listen(ctx context.Context, name, scheme string) (*service, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", name, err)
	}
	return &service{name: name, listener: &limited{Listener: l, free: make(chan struct{}, maxConnections)}, base: scheme + "://" + l.Addr().String()}, nil
}

// serve starts answering. A nil config is plain HTTP.
func (s *service) serve(wait *sync.WaitGroup, config *tls.Config, handler http.Handler) {
	if config != nil {
		config = config.Clone() // the server changes its own
	}
	var base context.Context
	base, s.cut = context.WithCancel(context.Background())
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		handler.ServeHTTP(w, r)
	})
	s.server = &http.Server{
		BaseContext: func(net.Listener) context.Context { return base },
		Handler:     counted, TLSConfig: config, ConnContext: onprem.ConnContext, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	if config == nil {
		wait.Go(func() { _ = s.server.Serve(s.listener) })
		return
	}
	s.lines = keepalive.New(counted, keepalive.Limits{Idle: idleTimeout, Request: requestTimeout}, clock.System())
	s.server.Handler, s.server.ConnContext = s.lines, s.connContext
	wait.Go(func() { _ = s.server.ServeTLS(s.listener, "", "") })
	wait.Go(func() { _ = s.server.Serve(s.lines.Back()) })
}

// connContext gives a connection the memory that its services need. One that comes
// back from a line has it already.
func (s *service) connContext(ctx context.Context, c net.Conn) context.Context {
	if !keepalive.Returned(c) {
		ctx = onprem.ConnContext(ctx, c)
	}
	return s.lines.ConnContext(ctx, c)
}

// close lets answers that are under way finish for a moment, then cuts.
func (s *service) close() error {
	if s.server == nil {
		return s.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var lines sync.WaitGroup
	if s.lines != nil {
		lines.Go(func() { s.lines.Shutdown(ctx) })
	}
	err := s.server.Shutdown(ctx)
	s.cut() // a handler that stalls a body it has not read does not hear that its client left
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
	lines.Wait()
	return err
}

// limited refuses connections beyond a number, so that a client that opens
// thousands cannot exhaust the process.
type limited struct {
	net.Listener
	free chan struct{} // holds a token per open connection
}

// Accept hands out the next connection for which there is room.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &held{Conn: c, release: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = c.Close()
		}
	}
}

// held gives its place back when it is closed. It can gather what is written, so
// that several TLS records leave in one piece.
type held struct {
	net.Conn
	release func()

	mu        sync.Mutex // guards all below
	gathering bool
	gathered  []byte
}

// Gather keeps what is written from now on.
func (h *held) Gather() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gathering = true
}

// Release writes what was gathered.
func (h *held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gathering = false
	_, err := h.Conn.Write(h.gathered)
	if h.gathered = h.gathered[:0]; cap(h.gathered) > maxHeader {
		h.gathered = nil
	}
	return err
}

// Write writes, or keeps.
func (h *held) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gathering {
		h.gathered = append(h.gathered, b...)
		return len(b), nil
	}
	return h.Conn.Write(b)
}

// SetLinger lets a fault end the connection with a reset.
func (h *held) SetLinger(seconds int) error {
	if tcp, ok := h.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

// Close closes the connection and frees its place.
func (h *held) Close() error {
	h.release()
	return h.Conn.Close()
}
