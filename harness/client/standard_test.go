package client_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"cutover/harness/client"
	"cutover/harness/wire"
)

func TestHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		w.Write([]byte("hello"))
	}))
	s.TLS = serverTLS()
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := open(t, client.Options{Protocol: client.HTTP2})
	call := do(c, get(s.URL))
	if call.Failure != nil || call.Response.Proto != "HTTP/2.0" || string(call.Response.Body) != "hello" || call.Response.Header.Value("x-proto") != "HTTP/2.0" {
		t.Errorf("got %+v, %v", call.Response, call.Failure)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { do(c, get(s.URL)) })
	}
	wg.Wait()
	if got := c.Stats(); got.Opened != 1 || got.Reused != 20 {
		t.Errorf("stats %+v, want 1 opened and 20 reused", got)
	}
	one := serve(t, serverTLS(), says(empty))
	if call := do(c, get(one.url)); kind(call) != wire.TLS {
		t.Errorf("a server without HTTP/2: got %v, want a TLS failure", call.Failure)
	}
}

func TestProxy(t *testing.T) {
	s := serve(t, nil, says(ok+"Content-Length: 6\r\n\r\ndirect"))
	var asked atomic.Value
	proxy := serve(t, nil, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
		asked.Store(r.RequestURI)
		return says(ok+"Content-Length: 5\r\n\r\nproxy")(t, n, nc, r)
	})
	at, err := url.Parse(proxy.url)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, client.Options{Proxy: true, ProxyFor: http.ProxyURL(at)})
	if call := do(c, get(s.url+"/x")); string(call.Response.Body) != "proxy" || asked.Load() != s.url+"/x" {
		t.Errorf("got %q, the proxy was asked for %v", call.Response.Body, asked.Load())
	}
}
