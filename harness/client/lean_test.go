package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/clock"
	"cutover/harness/wire"
)

// echo answers every request with the same bytes, allocating nothing, so that
// allocations counted in a test are the client's.
func echo(tb testing.TB, secure *tls.Config, answer []byte) (url string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	url = "http://" + listener.Addr().String()
	if secure != nil {
		listener = tls.NewListener(listener, secure)
		url = "https://" + listener.Addr().String()
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				buf := make([]byte, 16<<10)
				for {
					n, err := nc.Read(buf)
					if err != nil {
						return
					}
					for range bytes.Count(buf[:n], []byte("\r\n\r\n")) {
						if _, err := nc.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return url
}

// page is an answer as Graph gives one: 4.4 KB of JSON and a dozen headers.
var page = []byte(ok + "Content-Type: application/json; odata.metadata=minimal; charset=utf-8\r\n" +
	"Date: Sun, 22 Nov 2026 03:00:00 GMT\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\nVary: Accept-Encoding\r\n" +
	"request-id: 11111111-2222-3333-4444-555555555555\r\nclient-request-id: 11111111-2222-3333-4444-555555555555\r\n" +
	"x-ms-ags-diagnostic: {\"ServerInfo\":{}}\r\nOData-Version: 4.0\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n" +
	"1158\r\n" + strings.Repeat("{\"a\": 1}", 555) + "\r\n0\r\n\r\n")

func static(url string) *wire.Request {
	return &wire.Request{Method: "GET", URL: url + "/v1.0/users/ann@exchange.test/mailFolders/inbox/messages?$top=25",
		Authorization: "Bearer " + strings.Repeat("x", 1200),
		Header:        wire.Header{{Name: "Accept", Value: "application/json"}, {Name: "Prefer", Value: "odata.maxpagesize=25"}}}
}

func TestTheSteadyStateAllocatesNothing(t *testing.T) {
	for name, secure := range map[string]*tls.Config{"in clear, it allocates nothing": nil, "under TLS, it allocates nothing of its own": serverTLS()} {
		t.Run(name, func(t *testing.T) {
			c := open(t, client.Options{})
			req, call := static(echo(t, secure, page)), new(wire.Call)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			one := func() {
				c.Do(ctx, req, call)
				if call.Failure != nil {
					t.Fatal(call.Failure)
				}
			}
			one()
			// crypto/tls allocates a small object for each record that it
			// reads, here at both ends, and the race detector doubles them;
			// the client adds none.
			want := 0.0
			if secure != nil {
				want = 5
			}
			if n := testing.AllocsPerRun(200, one); n > want {
				t.Errorf("%v allocations a request, want at most %v", n, want)
			}
			if len(call.Response.Body) != 4440 {
				t.Errorf("body of %d bytes, want 4440", len(call.Response.Body))
			}
		})
	}
}

func TestARequestOnANewConnectionIsNotRepeated(t *testing.T) {
	for _, v := range variants[:3:3] {
		var served atomic.Int64
		c, s := v.start(t, func(*testing.T, int, net.Conn, *httpRequest) bool {
			served.Add(1)
			return false
		}, client.Options{})
		if call := do(c, get(s.url)); kind(call) != wire.Reset || served.Load() != 1 || c.Stats().Retried != 0 {
			t.Errorf("%s: got %v after %d requests, want a reset after one", v.name, call.Failure, served.Load())
		}
	}
}

func TestAConnectionWithLeftoversIsNotKept(t *testing.T) {
	for _, v := range variants[:2] {
		c, s := v.start(t, says(ok+"Content-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n"), client.Options{})
		for range 3 {
			if call := do(c, get(s.url)); call.Failure != nil || call.Response.Status != 200 || call.Timing.Reused {
				t.Errorf("%s: status %d, %v, reused %v", v.name, call.Response.Status, call.Failure, call.Timing.Reused)
			}
		}
	}
}

func TestACancellationBetweenWatchingAndSendingIsNoticed(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	hook := &hooked{Clock: clock.System()}
	c, s := variants[0].start(t, says(empty), client.Options{Clock: hook})
	do(c, get(s.url))
	for n := range 2 {
		hook.set(n, func() {
			cancel()
			pause(5 * time.Millisecond)
		})
		call := new(wire.Call)
		c.Do(ctx, get(s.url), call)
		if kind(call) != wire.Canceled {
			t.Errorf("canceled at the %d. look at the clock: got %v, want canceled", n+1, call.Failure)
		}
		ctx, cancel = context.WithCancel(context.Background())
		hook.set(0, nil)
		do(c, get(s.url))
	}
	cancel()
}

func (h *hooked) set(at int, hook func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls, h.at, h.hook = 0, at, hook
}

// hooked calls hook at one of the looks at it.
type hooked struct {
	clock.Clock
	mu        sync.Mutex // guards the rest
	calls, at int
	hook      func()
}

func (h *hooked) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls == h.at && h.hook != nil {
		h.hook()
	}
	h.calls++
	return h.Clock.Now()
}

func TestAFreedConnectionIsTakenWhileAnotherIsBeingOpened(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, answer := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		first := tls.Server(nc, serverTLS())
		defer first.Close()
		for range 2 {
			first.Read(make([]byte, 4096))
			arrived <- true
			<-answer
			says(empty)(t, 0, first, nil)
		}
		silent, err := listener.Accept() // connected by the kernel all along
		if err == nil {
			silent.Close()
		}
	})
	c := open(t, client.Options{})
	url := "https://" + listener.Addr().String()
	wg.Go(func() { do(c, get(url)) })
	<-arrived
	wg.Go(func() {
		call := do(c, get(url))
		if call.Failure != nil || !call.Timing.Reused {
			t.Errorf("%v, reused %v: want the first connection", call.Failure, call.Timing.Reused)
		}
	})
	pause(20 * time.Millisecond) // the second is connecting by then
	answer <- true
	<-arrived
	answer <- true
	wg.Wait()
	listener.Close()
}

func TestAPlaceThatBecomesFreeIsPassedOn(t *testing.T) {
	c, s := variants[0].start(t, saysAndCloses(ok+"Connection: close\r\nContent-Length: 0\r\n\r\n"), client.Options{MaxConns: 1, Timeout: 2 * time.Second})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if call := do(c, get(s.url)); call.Failure != nil {
				t.Error(call.Failure)
			}
		})
	}
	wg.Wait()
	if got := c.Stats().Opened; got != 10 {
		t.Errorf("%d connections opened, want 10", got)
	}
}

func TestNobodyStarvesWhileConnectionsComeAndGo(t *testing.T) {
	var n atomic.Int64
	c, s := variants[0].start(t, func(t *testing.T, _ int, nc net.Conn, r *httpRequest) bool {
		switch n.Add(1) % 7 {
		case 1:
			return saysAndCloses(ok+"Connection: close\r\nContent-Length: 0\r\n\r\n")(t, 0, nc, r)
		case 3:
			return saysAndCloses(empty)(t, 0, nc, r)
		case 5:
			return false
		}
		return says(empty)(t, 0, nc, r)
	}, client.Options{MaxConns: 4, Timeout: 20 * time.Second})
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range 40 {
		wg.Go(func() {
			call, req := new(wire.Call), get(s.url)
			for i := range 25 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%10 == 9 {
					go cancel()
				}
				c.Do(ctx, req, call)
				cancel()
				switch kind(call) {
				case 0, wire.Canceled:
				case wire.Reset:
					failed.Add(1)
				default:
					t.Errorf("got %v", call.Failure)
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() == 0 {
		t.Error("no request met a server that hung up, which the test is about")
	}
}

func TestHeaderStringsOutliveTheCall(t *testing.T) {
	n := byte('0')
	c, s := variants[0].start(t, func(t *testing.T, _ int, nc net.Conn, _ *httpRequest) bool {
		n++
		return says(ok+"request-id: "+strings.Repeat(string(n), 36)+"\r\nContent-Length: 0\r\n\r\n")(t, 0, nc, nil)
	}, client.Options{})
	call := new(wire.Call)
	c.Do(context.Background(), get(s.url), call)
	kept := call.Response.Header.Value("request-id")
	for range 200 {
		c.Do(context.Background(), get(s.url), call)
	}
	if want := strings.Repeat("1", 36); kept != want {
		t.Errorf("a kept value became %q, want %q", kept, want)
	}
}

// FuzzAnswer feeds the lean client arbitrary bytes as an answer: it must end,
// within its limits, and never take a connection with leftovers for usable.
func FuzzAnswer(f *testing.F) {
	for _, row := range cases {
		f.Add([]byte(row.name))
	}
	for _, seed := range []string{
		string(page), ok + "Content-Length: 5\r\n\r\nhello", ok + "Content-Length: 5\r\n\r\nhello, more",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
		ok + "Content-Encoding: gzip\r\n\r\n" + gzipped("hello"), ok + "X: a\r\n b\r\n\tc\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	answers := make(chan []byte, 1)
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			nc.Read(make([]byte, 4096))
			nc.Write(<-answers)
			nc.Close()
		}
	}()
	c, err := client.New(client.Options{MaxBody: 1 << 16, Timeout: 5 * time.Second, Connections: client.PerRequest})
	if err != nil {
		f.Fatal(err)
	}
	req := get("http://" + listener.Addr().String())
	f.Fuzz(func(t *testing.T, answer []byte) {
		answers <- answer
		call := do(c, req)
		if n := len(call.Response.Body); n > 1<<16 || n > 0 && call.Response.Status == 0 {
			t.Errorf("%d bytes of body with status %d", n, call.Response.Status)
		}
		if call.Failure == nil && (call.Response.Status < 101 || call.Response.Status > 999) {
			t.Errorf("an answer of status %d", call.Response.Status)
		}
		if call.Failure != nil && call.Failure.Kind == wire.Timeout {
			t.Errorf("it hung: %v", call.Failure)
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	for _, row := range []struct {
		name   string
		secure *tls.Config
		opts   client.Options
	}{{"lean", nil, client.Options{}}, {"leanTLS", serverTLS(), client.Options{}}, {"nethttp", nil, netHTTP()}, {"nethttpTLS", serverTLS(), netHTTP()}} {
		b.Run(row.name, func(b *testing.B) {
			c := open(b, row.opts)
			req := static(echo(b, row.secure, page))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				call := new(wire.Call)
				for pb.Next() {
					c.Do(context.Background(), req, call)
					if call.Failure != nil {
						b.Error(call.Failure)
					}
				}
			})
		})
	}
}

func netHTTP() client.Options {
	var o client.Options
	std(&o)
	return o
}
