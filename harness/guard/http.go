package guard

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"

	"cutover/harness/wire"
)

// HTTP sends requests of libraries that bring their own, such as the sign-in
// library. Every request is judged, kept to the path's token services and
// counted as one kind. It follows no redirects.
type HTTP struct {
	client *http.Client
}

// HTTP returns a sender to the token services of a path. The door owns its
// connections.
func (d *Door) HTTP(path string, kind wire.Kind, o Options) (*HTTP, error) {
	c, err := d.connect(path, o)
	if err != nil {
		return nil, err
	}
	t := &transport{door: d, path: path, kind: kind, next: c.RoundTripper(), counted: d.counters(path)}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &HTTP{&http.Client{Transport: t, CheckRedirect: noRedirects}}, nil
}

// Do sends one request. A rule's no is a *Refusal inside the error.
func (h *HTTP) Do(r *http.Request) (*http.Response, error) { return h.client.Do(r) }

// CloseIdleConnections closes connections that nobody uses.
func (h *HTTP) CloseIdleConnections() { h.client.CloseIdleConnections() }

// transport judges and counts what passes.
type transport struct {
	door    *Door
	path    string
	kind    wire.Kind
	next    http.RoundTripper
	counted *counters
}

// RoundTrip judges the request, sends it and counts it once its first bytes
// went out.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.judge(r); err != nil {
		return nil, err
	}
	ctx, stop := t.door.bound(r.Context())
	var sent sync.Once
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Do(func() { t.counted[t.kind].Add(1) }) }})
	resp, err := t.next.RoundTrip(r.WithContext(ctx))
	if err == nil {
		resp.Body = &releasing{http.MaxBytesReader(nil, resp.Body, maxSignIn), stop}
		return resp, nil
	}
	stop()
	if refused, ok := refusalIn(err); ok {
		return nil, refused
	}
	if t.door.ctx.Err() != nil {
		return nil, errClosed
	}
	return nil, err
}

// maxSignIn bounds a token service's answer; the largest, a federation
// document, has some tens of KiB.
const maxSignIn = 1 << 20

// judge keeps sign-in traffic to the path's token services, over TLS.
func (t *transport) judge(r *http.Request) error {
	if refused := t.door.open(t.kind); refused != nil {
		return refused
	}
	hostport, err := HostPort(r.URL.String())
	if err != nil || !contains(t.door.rules.SignIn[t.path], r.URL.Scheme, hostport) {
		return refuse("host", fmt.Sprintf("signing in on path %s leads to %s, which is not its token service", t.path, r.URL.Host),
			"name the authority in the path's auth block; a federated domain's own service is not followed")
	}
	if r.URL.Scheme != "https" {
		return refuse("host", "signing in at "+hostport+" would send a credential in clear", "use https for the authority")
	}
	return t.door.consented()
}

// releasing frees what bound the request's context when its body is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

// Close closes the body and releases.
func (b *releasing) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}
