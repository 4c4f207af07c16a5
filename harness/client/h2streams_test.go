package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"cutover/harness/client"
	"cutover/harness/wire"
)

// h2std serves handler with net/http's HTTP/2 server.
func h2std(t testing.TB, streams int, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS, s.EnableHTTP2 = serverTLS(), true
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestStreamsShareAConnectionUpToTheServersLimit(t *testing.T) {
	for _, row := range []struct {
		name              string
		server, ours      int
		most, connections int32
	}{
		{"the server allows four, it keeps to four and opens more connections", 4, 0, 4, 10},
		{"one is asked for, it has a connection for each", 100, 1, 1, 20},
		{"nobody limits, it shares one", 100, 0, 20, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var mu sync.Mutex
			open, most := map[string]int32{}, int32(0)
			all := make(chan struct{})
			var arrived atomic.Int32
			address := h2std(t, row.server, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				open[r.RemoteAddr]++
				most = max(most, open[r.RemoteAddr])
				mu.Unlock()
				if arrived.Add(1) == 20 {
					close(all)
				}
				<-all
				io.WriteString(w, r.URL.Path)
				mu.Lock()
				open[r.RemoteAddr]--
				mu.Unlock()
			})
			c := open20(t, row.ours)
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					path := fmt.Sprintf("/%d", i)
					if call := do(c, get(address+path)); call.Failure != nil || string(call.Response.Body) != path {
						t.Errorf("%s: got %q, %v", path, call.Response.Body, call.Failure)
					}
				})
			}
			wg.Wait()
			mu.Lock()
			defer mu.Unlock()
			if most > row.most || c.Stats().Opened > uint64(row.connections) {
				t.Errorf("%d streams on a connection and %d connections, want at most %d and %d", most, c.Stats().Opened, row.most, row.connections)
			}
		})
	}
}

func open20(t *testing.T, streams int) *client.Client {
	return open(t, client.Options{Protocol: client.HTTP2, MaxStreams: streams})
}

func TestBodiesFlowInBothDirections(t *testing.T) {
	address := h2std(t, 100, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})
	c := open(t, client.Options{Protocol: client.HTTP2})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			body := bytes.Repeat([]byte{byte('a' + i)}, 9<<20)
			call := do(c, &wire.Request{Method: "POST", URL: address, Body: body})
			if call.Failure != nil || !bytes.Equal(call.Response.Body, body) || call.Timing.BytesOut < int64(len(body)) {
				t.Errorf("got %d bytes, %v; sent %d", len(call.Response.Body), call.Failure, call.Timing.BytesOut)
			}
		})
	}
	wg.Wait()
}

func TestAnEarlyAnswerEndsAnUpload(t *testing.T) {
	address := h2std(t, 100, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) })
	c := open(t, client.Options{Protocol: client.HTTP2})
	call := do(c, &wire.Request{Method: "POST", URL: address, Body: make([]byte, 16<<20)})
	if call.Failure != nil || call.Response.Status != 413 {
		t.Errorf("got %d, %v; want 413", call.Response.Status, call.Failure)
	}
	if call = do(c, get(address)); call.Failure != nil || !call.Timing.Reused {
		t.Errorf("the next request: %v, reused %t", call.Failure, call.Timing.Reused)
	}
}

func TestAPingIsAnsweredWhileNothingIsUnderWay(t *testing.T) {
	answered := make(chan bool, 1)
	address := serveH2(t, true, nil, func(p *peer, id uint32, n int) bool {
		spells("hello")(p, id, n)
		p.fr.WritePing(false, [8]byte{7})
		answered <- p.until(func(f http2.Frame) bool { a, ok := f.(*http2.PingFrame); return ok && a.IsAck() })
		return true
	})
	c := open(t, client.Options{Protocol: client.HTTP2})
	do(c, get(address))
	select {
	case got := <-answered:
		if !got {
			t.Error("the connection ended")
		}
	case <-newTimer(5 * time.Second):
		t.Error("no answer")
	}
}

func TestOnlyWhatTheServerDidNotSeeIsSentAgain(t *testing.T) {
	for _, row := range []struct {
		name   string
		end    func(p *peer)
		method string
		want   string
	}{
		{"a write that a goodbye leaves out, it is sent again", func(p *peer) { p.fr.WriteGoAway(1, http2.ErrCodeNo, nil) }, "POST", "2"},
		{"a write that broke with its connection, it is not", func(*peer) {}, "POST", "reset"},
		{"a read that broke with its kept connection, it is sent again", func(*peer) {}, "GET", "2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			address := serveH2(t, true, nil, func(p *peer, id uint32, n int) bool {
				if p.conn == 1 && n == 2 {
					row.end(p)
					return false
				}
				return spells(fmt.Sprint(p.conn))(p, id, n)
			})
			c := open(t, client.Options{Protocol: client.HTTP2})
			do(c, get(address))
			call := do(c, &wire.Request{Method: row.method, URL: address})
			got := string(call.Response.Body)
			if call.Failure != nil {
				got = call.Failure.Kind.String()
			}
			if got != row.want {
				t.Errorf("got %s (%v), want %s", got, call.Failure, row.want)
			}
		})
	}
}

func TestGivingUpResetsTheStreamAlone(t *testing.T) {
	reset := make(chan http2.ErrCode, 1)
	arrived := make(chan struct{})
	address := serveH2(t, true, nil, func(p *peer, id uint32, n int) bool {
		if n > 1 {
			return spells("hello")(p, id, n)
		}
		close(arrived)
		return p.until(func(f http2.Frame) bool {
			r, ok := f.(*http2.RSTStreamFrame)
			if ok {
				reset <- r.ErrCode
			}
			return ok
		})
	})
	c := open(t, client.Options{Protocol: client.HTTP2})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	var call wire.Call
	c.Do(ctx, get(address), &call)
	if call.Failure == nil || call.Failure.Kind != wire.Canceled {
		t.Errorf("got %v, want canceled", call.Failure)
	}
	if got := <-reset; got != http2.ErrCodeCancel {
		t.Errorf("the server was told %v, want CANCEL", got)
	}
	if call := do(c, get(address)); call.Failure != nil || !call.Timing.Reused {
		t.Errorf("the next request: %v, reused %t", call.Failure, call.Timing.Reused)
	}
}

func TestASmallerWindowIsKeptTo(t *testing.T) {
	address := serveH2(t, true, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 10}, {ID: http2.SettingHeaderTableSize, Val: 0}}, func(p *peer, id uint32, n int) bool {
		return spells("done")(p, id, n)
	})
	c := open(t, client.Options{Protocol: client.HTTP2})
	do(c, get(address)) // learns the settings
	call := do(c, &wire.Request{Method: "POST", URL: address, Body: []byte("0123456789")})
	if call.Failure != nil || string(call.Response.Body) != "done" {
		t.Errorf("a body of the window's size: %v", call.Failure)
	}
	call = do(c, &wire.Request{Method: "POST", URL: address, Body: []byte("0123456789a"), Timeout: stall})
	if call.Failure == nil || call.Failure.Kind != wire.Timeout {
		t.Errorf("a body beyond it, which the server never widens: got %v, want a timeout", call.Failure)
	}
}

// h2echo answers every request in clear with the same bytes, allocating nothing.
func h2echo(tb testing.TB, secure bool) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if secure {
		config := serverTLS()
		config.NextProtos = []string{"h2"}
		listener = tls.NewListener(listener, config)
		address = "https://" + listener.Addr().String()
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			go repeatH2(nc)
		}
	}()
	return address
}

func repeatH2(nc net.Conn) {
	defer nc.Close()
	// :status 200, then literals without indexing, as nginx writes them.
	block := append([]byte{0x88, 0x0f, 0x10, 16}, "application/json"...)
	block = append(append(block, 0x0f, 0x12, 29), "Sun, 22 Nov 2026 03:00:00 GMT"...)
	answer := append([]byte{0, 0, byte(len(block)), 1, 4, 0, 0, 0, 0}, block...)
	answer = append(append(answer, 0x11, 0x58, 0, 0, 0, 0, 0, 0)[:len(answer)], 0, 0x11, 0x58, 0, 1, 0, 0, 0, 0)
	answer = append(answer, strings.Repeat("{\"a\": 1}", 555)...)
	buf := make([]byte, 64<<10)
	nc.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
	n, skip := 0, len(http2.ClientPreface)
	for {
		got, err := nc.Read(buf[n:])
		if err != nil {
			return
		}
		n += got
		at := 0
		if skip > 0 {
			if n < skip {
				continue
			}
			at, skip = skip, 0
		}
		for n-at >= 9 {
			length := int(buf[at])<<16 | int(buf[at+1])<<8 | int(buf[at+2])
			if n-at < 9+length {
				break
			}
			if buf[at+3] == 1 {
				id := binary.BigEndian.Uint32(buf[at+5:])
				binary.BigEndian.PutUint32(answer[5:], id)
				binary.BigEndian.PutUint32(answer[9+len(block)+5:], id)
				if _, err := nc.Write(answer); err != nil {
					return
				}
			}
			at += 9 + length
		}
		n = copy(buf, buf[at:n])
	}
}

func TestTheSteadyStateOfHTTP2AllocatesNothing(t *testing.T) {
	c := open(t, client.Options{Protocol: client.HTTP2})
	req, call := static(h2echo(t, false)), new(wire.Call)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	one := func() {
		c.Do(ctx, req, call)
		if call.Failure != nil {
			t.Fatal(call.Failure)
		}
	}
	one()
	if n := testing.AllocsPerRun(200, one); n > 0 {
		t.Errorf("%v allocations a request, want none", n)
	}
	if len(call.Response.Body) != 4440 || call.Response.Header.Value("content-type") != "application/json" {
		t.Errorf("body of %d bytes, header %v", len(call.Response.Body), call.Response.Header)
	}
}

func BenchmarkHTTP2(b *testing.B) {
	for name, secure := range map[string]bool{"clear": false, "TLS": true} {
		b.Run(name, func(b *testing.B) {
			c := open(b, client.Options{Protocol: client.HTTP2})
			req := static(h2echo(b, secure))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				call := new(wire.Call)
				for pb.Next() {
					if c.Do(context.Background(), req, call); call.Failure != nil {
						b.Error(call.Failure)
					}
				}
			})
		})
	}
}

func FuzzHTTP2Answers(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88"))
	f.Add([]byte("\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88\x00\x00\x05\x00\x01\x00\x00\x00\x01hello"))
	f.Add([]byte("\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Skip(err)
		}
		defer listener.Close()
		go func() {
			for {
				nc, err := listener.Accept()
				if err != nil {
					return
				}
				nc.Write(raw)
				nc.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, nc)
				nc.Close()
			}
		}()
		c := open(t, client.Options{Protocol: client.HTTP2, Timeout: 5 * time.Second})
		call := do(c, get("http://"+listener.Addr().String()))
		if call.Failure != nil && call.Failure.Kind == wire.Timeout {
			t.Errorf("it hung: %v", call.Failure)
		}
		if call.Failure == nil && (call.Response.Status < 200 || call.Response.Status > 999) {
			t.Errorf("an answer of status %d", call.Response.Status)
		}
	})
}
