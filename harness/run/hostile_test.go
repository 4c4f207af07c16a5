package run_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/guard"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/run"
	"cutover/harness/wire"
)

// hostile are the ways in which a server misbehaves, one for each connection in turn.
var hostile = []func(c net.Conn){
	func(c net.Conn) { c.Write(bytes.Repeat([]byte{0, 255, 13, 10, 'H'}, 5000)) },                      // garbage
	func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf an answer") }, // cut short
	func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 2") },                                                   // cut in the status line
	func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },                                                 // reset
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
		pour(c, []byte("X-Endless: "+strings.Repeat("a", 4000)+"\r\n"))
	}, // endless headers
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX-Endless: ")
		pour(c, bytes.Repeat([]byte("a"), 4096))
	}, // one endless header
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		pour(c, make([]byte, 64<<10))
	}, // a body of 1 GB
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		pour(c, chunk)
	}, // endless chunks
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n")
	}, // an impossible chunk
	func(c net.Conn) { pour(c, []byte("HTTP/1.1 100 Continue\r\n\r\n")) },                       // endless interim answers
	func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"); drip(c) }, // slower than anybody waits
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 429 Slow Down\r\nRetry-After: 99999999999999\r\nContent-Length: 0\r\n\r\n")
	}, // a pause without an end
	func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\nthis is not gzip....")
	}, // not what it says
	func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]") }, // as it should be
}

var chunk = []byte("1000\r\n" + strings.Repeat("b", 4096) + "\r\n")

// pour writes until the other end has had enough, at most 1 GB.
func pour(c net.Conn, block []byte) {
	for sent := 0; sent < 1<<30; {
		n, err := c.Write(block)
		if err != nil {
			return
		}
		sent += n
	}
}

// drip keeps the connection until the other end gives up.
func drip(c net.Conn) {
	c.Write([]byte("a"))
	c.Read(make([]byte, 1))
}

// misbehave serves every connection in another way and counts what it wrote.
func misbehave(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	var served atomic.Uint64
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				c.SetDeadline(clock.System().Now().Add(20 * time.Second))
				if _, err := c.Read(make([]byte, 4096)); err == nil {
					hostile[int(served.Add(1)-1)%len(hostile)](c)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wait.Wait() })
	return l.Addr().String()
}

// A server that answers garbage, half answers, resets, headers and bodies without an end
// makes legs fail. It does not stop the run, hang it, or make it grow.
func TestAHostileServerOnlyMakesLegsFail(t *testing.T) {
	address := misbehave(t)
	suite := strings.NewReplacer("100/s", "140/s", "for: 10s", "for: 2s", "scenarios:", "pushback: observe\nscenarios:").Replace(getSuite)
	p := compile(t, suite, strings.Replace(onePath, `"http://127.0.0.1:9/"}}`, `"http://`+address+`/"}, timeout: 1s}`, 1), plan.Options{})
	door, err := guard.Open(guard.Rules{Simulated: true, Hosts: map[string][]string{"only": {address}}})
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	doer, err := door.Path("only", guard.Options{Protocol: "http/1.1"})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	got, err := run.Run(t.Context(), p, run.Deps{RunID: "hostile", Clock: clock.System(), Doers: map[string]wire.Doer{"only": doer}, LabInside: true})
	if err != nil {
		t.Fatal(err)
	}
	if took := got.Ended.Sub(got.Started); took > 12*time.Second {
		t.Errorf("the run took %v", took)
	}
	b := got.Buckets
	if b.Sum() != 280 || b.Failed < 200 || b.Completed == 0 || b.Throttled == 0 {
		t.Errorf("buckets %+v; 280 legs, 12 of 14 fail, one is throttled and one fine", b)
	}
	if get := row(t, got, "get", "only"); len(get.Outcomes) < 4 {
		t.Errorf("outcomes %v", get.Outcomes)
	}
	// 40 answers without an end came, each cut at 16 MiB.
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 48<<20 {
		t.Errorf("%d MB are still held", m.HeapAlloc>>20)
	}
	if after := runtime.NumGoroutine(); after > before+200 {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if got.Stop != nil && got.Stop.Kind == result.StopInternal {
		t.Errorf("%+v", got.Stop)
	}
}
