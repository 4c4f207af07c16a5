package lab_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"cutover/harness/lab"
)

func TestGarbageIsAnsweredOrDroppedAndOthersAreServed(t *testing.T) {
	w := start(t, lab.Options{Mailboxes: 1})
	app := w.app(0)
	dial := func(address string) *tls.Conn {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(origin(address), "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	for _, address := range []string{w.info.Graph, w.info.Rest, w.info.Authority, w.info.Autodiscover, w.info.GraphEras["2019"]} {
		for _, bytes := range []string{
			"\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /v1.0/me HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 1<<17) + "\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			"GET /v1.0/$batch HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1.0/$batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{",
		} {
			conn := dial(address)
			_, _ = io.WriteString(conn, bytes)
			_ = conn.CloseWrite()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				continue // dropped
			}
			resp.Body.Close()
			if resp.StatusCode >= 500 && resp.StatusCode != http.StatusHTTPVersionNotSupported && resp.StatusCode != http.StatusNotImplemented {
				t.Errorf("%s %.30q: %d", address, bytes, resp.StatusCode)
			}
		}
	}
	for range 200 { // open and silent
		conn, err := net.Dial("tcp", strings.TrimPrefix(origin(w.info.Graph), "https://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	if got := w.get(app, w.info.Graph+"/users/"+w.info.Pairs[0].CloudUPN+"/messages?$top=1"); got.status != 200 {
		t.Errorf("another client: %d %s", got.status, got.body)
	}
}

func TestTheLabEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := lab.Start(ctx, lab.Options{Mailboxes: 1})
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(origin(l.Info().Graph), "https://")
	cancel()
	if err := l.Close(); err != nil { // waits for what the context began
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("the port still answers")
	}
	if err := l.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}
