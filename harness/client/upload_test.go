package client_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/wire"
)

func TestAnUploadRefusedUnreadIsHeard(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			url := "http://" + listener.Addr().String()
			if v.secure {
				listener = tls.NewListener(listener, serverTLS())
				url = "https://" + listener.Addr().String()
			}
			defer listener.Close()
			heard := make(chan bool)
			var wg sync.WaitGroup
			wg.Go(func() {
				nc, err := listener.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				nc.Read(make([]byte, 1024))
				says("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")(t, 1, nc, nil)
				<-heard // and reads no more
			})
			var o client.Options
			v.adjust(&o)
			call := do(open(t, o), &wire.Request{Method: "PUT", URL: url, Body: make([]byte, 32<<20), Timeout: time.Minute})
			if call.Failure != nil || call.Response.Status != 413 || string(call.Response.Body) != "big" {
				t.Errorf("got %d %q, %v", call.Response.Status, call.Response.Body, call.Failure)
			}
			close(heard)
			wg.Wait()
		})
	}
}

func TestALargeUploadKeepsItsConnection(t *testing.T) {
	for _, v := range variants {
		var size atomic.Int64
		c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
			size.Store(r.ContentLength)
			return says(empty)(t, n, nc, r)
		}, client.Options{})
		for n := range 3 {
			call := do(c, &wire.Request{Method: "PUT", URL: s.url, Body: make([]byte, 8<<20)})
			if call.Failure != nil || size.Load() != 8<<20 || call.Timing.Reused != (n > 0) || call.Timing.BytesOut < 8<<20 {
				t.Errorf("%s: %v, %d bytes arrived, reused %v, %d bytes out", v.name, call.Failure, size.Load(), call.Timing.Reused, call.Timing.BytesOut)
			}
		}
	}
}
