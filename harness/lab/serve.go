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

	"cutover/harness/lab/onprem"
)

// Bounds of what one client may hold. A slow one is dropped; the others are served.
const (
	headerTimeout  = 10 * time.Second  // for the whole request header: slow-loris ends here
	requestTimeout = 120 * time.Second // for header and body
	idleTimeout    = 120 * time.Second // the usual idle time of IIS
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
	s.server = &http.Server{
		BaseContext: func(net.Listener) context.Context { return base },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.served.Add(1)
			handler.ServeHTTP(w, r)
		}),
		TLSConfig: config, ConnContext: onprem.ConnContext, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	wait.Go(func() {
		if config == nil {
			_ = s.server.Serve(s.listener)
			return
		}
		_ = s.server.ServeTLS(s.listener, "", "")
	})
}

// close lets answers that are under way finish for a moment, then cuts.
func (s *service) close() error {
	if s.server == nil {
		return s.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	s.cut() // a handler that stalls a body it has not read does not hear that its client left
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close()
	}
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

// held gives its place back when it is closed.
type held struct {
	net.Conn
	release func()
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
