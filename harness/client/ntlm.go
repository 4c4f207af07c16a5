package client

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/Azure/go-ntlmssp"
)

// NTLM signs in a connection, not a request: all legs of a handshake must
// travel on the same one. So a mailbox with a login gets a few seats, each
// with a transport of exactly one HTTP/1.1 connection, and a request has its
// seat to itself until its answer has been read.
type login struct {
	user, password string
	seats          chan *seat // all seats that no request holds
	all            []*seat
}

type seat struct {
	transport *http.Transport
	signer    ntlmssp.Negotiator
}

// maxRefusal bounds the body of a 401 that is read to free its connection.
const maxRefusal = 64 << 10

// login returns the mailbox's login, nil when it goes without.
func (s *standard) login(mailbox string) (*login, error) {
	if s.o.Login == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, known := s.logins[mailbox]; known {
		return l, nil
	}
	user, password, ok := s.o.Login(mailbox)
	if !ok {
		s.logins[mailbox] = nil
		return nil, nil
	}
	n := orElse(s.o.MaxConns, ntlmConns)
	l := &login{user: user, password: password, seats: make(chan *seat, n)}
	for range n {
		t := newTransport(s.o, s.dialer)
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost = 1, 1
		st := &seat{transport: t, signer: ntlmssp.Negotiator{RoundTripper: &handshake{t, s.counters, s.o.Admit}}}
		l.all = append(l.all, st)
		l.seats <- st
	}
	s.logins[mailbox] = l
	return l, nil
}

// roundTrip takes a seat, signs in if the connection is not yet, and gives the
// seat back when the body is closed.
func (l *login) roundTrip(req *http.Request) (*http.Response, error) {
	var taken *seat
	select {
	case taken = <-l.seats:
	case <-req.Context().Done():
		return nil, &StageError{Waiting, context.Cause(req.Context())}
	}
	req.SetBasicAuth(l.user, l.password) // how Negotiator is told; it never sends it
	state := &legs{}
	resp, err := taken.signer.RoundTrip(req.WithContext(context.WithValue(req.Context(), legsKey{}, state)))
	if err == nil && state.failed != nil {
		resp.Body.Close()
		err = state.failed
	}
	if err != nil {
		l.seats <- taken
		return nil, err
	}
	resp.Body = &seatedBody{ReadCloser: resp.Body, leave: func() { l.seats <- taken }}
	return resp, nil
}

func (l *login) close() {
	for _, st := range l.all {
		st.transport.CloseIdleConnections()
	}
}

type seatedBody struct {
	io.ReadCloser
	leave func()
}

// Close frees the connection, then the seat.
func (b *seatedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.leave != nil {
		b.leave()
		b.leave = nil
	}
	return err
}

type legsKey struct{}

// legs are those of one request. The signer answers a leg that broke with the
// server's first 401, which would look like a refused password: what broke is
// kept here.
type legs struct {
	n      int
	failed error
}

// handshake is the transport under the signer. It reads refusals at once, so
// that the next leg finds the connection free, binds challenges to the TLS
// connection, and counts the legs.
type handshake struct {
	transport *http.Transport
	counters  *counters
	admit     func(context.Context) error // nil: at once
}

// RoundTrip sends one leg. The second one begins a sign-in.
func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	state, ok := req.Context().Value(legsKey{}).(*legs)
	if !ok {
		state = &legs{}
	}
	if state.n++; state.n > 1 {
		h.counters.extra.Add(1)
	}
	resp, err := h.leg(req, state.n)
	if err != nil {
		state.failed = err
	}
	return resp, err
}

func (h *handshake) leg(req *http.Request, n int) (*http.Response, error) {
	if n == 2 && h.admit != nil {
		if err := h.admit(req.Context()); err != nil {
			return nil, err
		}
	}
	resp, err := h.transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	body, err := readAll(nil, resp.Body, maxRefusal)
	resp.Body.Close()
	if err != nil && len(body) < maxRefusal {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	bind(resp)
	return resp, nil
}
