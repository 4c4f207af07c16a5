package client_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/wire"

	"github.com/google/go-cmp/cmp"
)

// outcome is what both clients must agree on.
type outcome struct {
	Status    int
	Body      string
	Failure   string // the kind, "" for none
	Truncated bool
	Again     string // what a second request got: "reused" or "new connection"
}

// stall is how long the table waits for servers that stall: longer than a
// handshake takes on a busy machine.
const stall = 150 * time.Millisecond

const ok = "HTTP/1.1 200 OK\r\n"

// cases is the table that both clients pass, in clear and under TLS.
var cases = []struct {
	name   string
	method string // default GET
	answer script
	opts   client.Options
	want   outcome
}{
	{name: "a counted body, it is read and the connection kept",
		answer: says(ok + "Content-Length: 5\r\n\r\nhello"),
		want:   outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "an empty body, it keeps the connection",
		answer: says(ok + "Content-Length: 0\r\n\r\n"),
		want:   outcome{Status: 200, Again: "reused"}},
	{name: "lines that end in a bare LF, it accepts them",
		answer: says("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "a status line without a reason, it accepts it",
		answer: says("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "chunks with extensions and a trailer, it joins them",
		answer: says(ok + "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n00006\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"),
		want:   outcome{Status: 200, Body: "hello world", Again: "reused"}},
	{name: "chunked in capitals, it joins them",
		answer: says(ok + "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
		want:   outcome{Status: 200, Body: "0123456789", Again: "reused"}},
	{name: "HEAD, it waits for no body",
		method: "HEAD", answer: says(ok + "Content-Length: 500\r\n\r\n"),
		want: outcome{Status: 200, Again: "reused"}},
	{name: "HEAD of something compressed, it waits for no body",
		method: "HEAD", answer: says(ok + "Content-Encoding: gzip\r\nContent-Length: 500\r\n\r\n"),
		want: outcome{Status: 200, Again: "reused"}},
	{name: "204, it has no body",
		answer: says("HTTP/1.1 204 No Content\r\n\r\n"),
		want:   outcome{Status: 204, Again: "reused"}},
	{name: "304 with a length, it has no body",
		answer: says("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
		want:   outcome{Status: 304, Again: "reused"}},
	{name: "interim answers, it passes over them",
		answer: says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "a redirect, it is an answer",
		answer: says("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\ngone"),
		want:   outcome{Status: 302, Body: "gone", Again: "reused"}},
	{name: "a folded header line, it is joined",
		answer: says(ok + "X-Long: a\r\n b\r\nContent-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "Connection: close, it opens another",
		answer: saysAndCloses(ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "new connection"}},
	{name: "a body that ends with the connection, it is whole",
		answer: saysAndCloses(ok + "\r\nto the end"),
		want:   outcome{Status: 200, Body: "to the end", Again: "new connection"}},
	{name: "HTTP/1.0, it is read to the end",
		answer: saysAndCloses("HTTP/1.0 200 OK\r\n\r\nold"),
		want:   outcome{Status: 200, Body: "old", Again: "new connection"}},
	{name: "HTTP/1.0 that keeps alive, it is kept",
		answer: says("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold"),
		want:   outcome{Status: 200, Body: "old", Again: "reused"}},
	{name: "a connection closed without a word, it repeats a GET on another",
		answer: saysAndCloses(ok + "Content-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "new connection"}},
	{name: "a compressed body, it is inflated",
		answer: says(ok + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(gzipped("hello"))) + gzipped("hello")),
		want:   outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "a compressed body in chunks, it is inflated",
		answer: says(ok + fmt.Sprintf("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", len(gzipped("hello"))) + gzipped("hello") + "\r\n0\r\n\r\n"),
		want:   outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "an empty body said to be compressed, it is empty",
		answer: says(ok + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
		want:   outcome{Status: 200, Again: "reused"}},
	{name: "another compression, it is left alone",
		answer: says(ok + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\nbr"),
		want:   outcome{Status: 200, Body: "br", Again: "reused"}},
	{name: "broken compression, it is a protocol failure",
		answer: says(ok + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
		want:   outcome{Status: 200, Truncated: true, Failure: "protocol"}},
	{name: "a small compressed body that inflates beyond the limit, it is cut",
		answer: says(ok + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(gzipped(strings.Repeat("a", 1<<20)))) + gzipped(strings.Repeat("a", 1<<20))),
		opts:   client.Options{MaxBody: 3},
		want:   outcome{Status: 200, Body: "aaa", Truncated: true, Failure: "too large"}},
	{name: "a body beyond the limit, it is cut",
		answer: says(ok + "Content-Length: 5\r\n\r\nhello"), opts: client.Options{MaxBody: 3},
		want: outcome{Status: 200, Body: "hel", Truncated: true, Failure: "too large"}},
	{name: "a body of exactly the limit, it is whole",
		answer: says(ok + "Content-Length: 5\r\n\r\nhello"), opts: client.Options{MaxBody: 5},
		want: outcome{Status: 200, Body: "hello", Again: "reused"}},
	{name: "endless chunks, it stops at the limit",
		answer: func(_ *testing.T, _ int, nc net.Conn, _ *http.Request) bool {
			io.WriteString(nc, ok+"Transfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := io.WriteString(nc, "400\r\n"+strings.Repeat("x", 0x400)+"\r\n"); err != nil {
					return false
				}
			}
		}, opts: client.Options{MaxBody: 4},
		want: outcome{Status: 200, Body: "xxxx", Truncated: true, Failure: "too large"}},
	{name: "a body cut short, it is a reset and keeps what came",
		answer: saysAndCloses(ok + "Content-Length: 50\r\n\r\nhello"),
		want:   outcome{Status: 200, Body: "hello", Truncated: true, Failure: "reset"}},
	{name: "chunks cut short, it is a reset",
		answer: saysAndCloses(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
		want:   outcome{Status: 200, Body: "hello", Truncated: true, Failure: "reset"}},
	{name: "a connection closed without an answer, it is a reset",
		answer: saysAndCloses(""),
		want:   outcome{Failure: "reset"}},
	{name: "a head cut short, it is a reset",
		answer: saysAndCloses("HTTP/1.1 200 OK\r\nContent-Type: te"),
		want:   outcome{Failure: "reset"}},
	{name: "another protocol, it is a protocol failure",
		answer: says("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
		want:   outcome{Failure: "protocol"}},
	{name: "a status that is no number, it is a protocol failure",
		answer: says("HTTP/1.1 abc OK\r\n\r\n"),
		want:   outcome{Failure: "protocol"}},
	{name: "a header line without a colon, it is a protocol failure",
		answer: says(ok + "nonsense\r\n\r\n"),
		want:   outcome{Failure: "protocol"}},
	{name: "a control byte in a header, it is a protocol failure",
		answer: says(ok + "X-Bad: a\x00b\r\nContent-Length: 0\r\n\r\n"),
		want:   outcome{Failure: "protocol"}},
	{name: "two lengths, it is a protocol failure",
		answer: says(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
		want:   outcome{Failure: "protocol"}},
	{name: "a negative length, it is a protocol failure",
		answer: says(ok + "Content-Length: -5\r\n\r\nhello"),
		want:   outcome{Failure: "protocol"}},
	{name: "an unknown transfer encoding, it is a protocol failure",
		answer: says(ok + "Transfer-Encoding: rot13\r\n\r\nuryyb"),
		want:   outcome{Failure: "protocol"}},
	{name: "a chunk size that is no number, it is a protocol failure",
		answer: says(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
		want:   outcome{Status: 200, Truncated: true, Failure: "protocol"}},
	{name: "a chunk longer than it said, it is a protocol failure",
		answer: says(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n"),
		want:   outcome{Status: 200, Body: "he", Truncated: true, Failure: "protocol"}},
	{name: "a chunk size that overflows, it is a protocol failure",
		answer: says(ok + "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"),
		want:   outcome{Status: 200, Truncated: true, Failure: "protocol"}},
	{name: "headers without end, it gives up",
		answer: says(ok + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", client.MaxHeader/1000+1)),
		want:   outcome{Failure: "too large"}},
	{name: "one header line without end, it gives up",
		answer: says(ok + "X-Filler: " + strings.Repeat("x", client.MaxHeader+1000)),
		want:   outcome{Failure: "too large"}},
	{name: "a large header within the limit, it is read",
		answer: says(ok + "X-Filler: " + strings.Repeat("x", 100_000) + "\r\nContent-Length: 2\r\n\r\nok"),
		want:   outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "silence, it times out",
		answer: saysAndHangs(""), opts: client.Options{Timeout: stall},
		want: outcome{Failure: "timeout"}},
	{name: "silence beyond the wait for the first byte, it times out",
		answer: saysAndHangs(""), opts: client.Options{FirstByteTimeout: stall},
		want: outcome{Failure: "timeout"}},
	{name: "a slow body within the whole time, it is read though the first byte has a limit",
		answer: func(_ *testing.T, _ int, nc net.Conn, _ *http.Request) bool {
			io.WriteString(nc, ok+"Content-Length: 2\r\n\r\no")
			pause(stall + stall/4)
			io.WriteString(nc, "k")
			return true
		}, opts: client.Options{FirstByteTimeout: stall},
		want: outcome{Status: 200, Body: "ok", Again: "reused"}},
	{name: "a head that stalls, it times out",
		answer: saysAndHangs("HTTP/1.1 200"), opts: client.Options{Timeout: stall},
		want: outcome{Failure: "timeout"}},
	{name: "a body that stalls, it times out and keeps what came",
		answer: saysAndHangs(ok + "Content-Length: 50\r\n\r\nhello"), opts: client.Options{Timeout: stall},
		want: outcome{Status: 200, Body: "hello", Truncated: true, Failure: "timeout"}},
}

// pause waits for real time to pass, which a socket's deadlines follow.
func pause(d time.Duration) { <-newTimer(d) }

func TestBothClientsTreatEveryAnswerAlike(t *testing.T) {
	for _, v := range variants {
		for _, row := range cases {
			t.Run(v.name+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				c, s := v.start(t, row.answer, row.opts)
				req := get(s.url + "/path?q=1")
				if row.method != "" {
					req.Method = row.method
				}
				call := do(c, req)
				got := outcome{Status: call.Response.Status, Body: string(call.Response.Body), Truncated: call.Response.Truncated}
				if call.Failure != nil {
					got.Failure = call.Failure.Kind.String()
				} else if second := do(c, req); second.Failure == nil && second.Timing.Reused {
					got.Again = "reused"
				} else if second.Failure == nil {
					got.Again = "new connection"
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s\nfailure: %v", diff, call.Failure)
				}
			})
		}
	}
}

func TestTimeoutsNameTheirStage(t *testing.T) {
	for _, v := range variants {
		for _, row := range []struct {
			name   string
			answer script
			want   client.Stage
		}{
			{"before the first byte, it says so", saysAndHangs(""), client.FirstByte},
			{"within the body, it says so", saysAndHangs(ok + "Content-Length: 50\r\n\r\nhello"), client.Receiving},
		} {
			t.Run(v.name+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				c, s := v.start(t, row.answer, client.Options{Timeout: stall})
				call := do(c, get(s.url))
				var staged *client.StageError
				if call.Failure == nil || !errors.As(call.Failure, &staged) || staged.Stage != row.want {
					t.Errorf("got %v, want a failure while %s", call.Failure, row.want)
				}
			})
		}
	}
}

func TestTheHandshakeTimesOut(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, v := range variants[:3:3] {
		o := client.Options{TLSTimeout: 30 * time.Millisecond}
		v.adjust(&o)
		call := do(open(t, o), get("https://"+silent.Addr().String()))
		var staged *client.StageError
		if call.Failure == nil || call.Failure.Kind != wire.Timeout || !errors.As(call.Failure, &staged) || staged.Stage != client.Securing {
			t.Errorf("%s: got %v, want a timeout in the handshake", v.name, call.Failure)
		}
	}
}

func TestHeadersArriveAsSent(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			var seen http.Header
			var host, body string
			c, s := v.start(t, func(t *testing.T, _ int, nc net.Conn, r *http.Request) bool {
				seen, host = r.Header, r.Host
				b, _ := io.ReadAll(r.Body)
				body = string(b)
				return says(ok+"request-id: 7\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 0\r\n\r\n")(t, 1, nc, r)
			}, client.Options{Host: "graph.test", UserAgent: "tester/1"})
			call := do(c, &wire.Request{
				Method: "POST", URL: s.url + "/me?x=%20#fragment", Body: []byte(`{"a":1}`), Authorization: "Bearer t",
				Header: wire.Header{{Name: "Prefer", Value: "a"}, {Name: "Prefer", Value: "b"}, {Name: "Content-Type", Value: "application/json"}},
			})
			if call.Failure != nil {
				t.Fatal(call.Failure)
			}
			want := http.Header{"Prefer": {"a", "b"}, "Content-Type": {"application/json"}, "Content-Length": {"7"},
				"Authorization": {"Bearer t"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"tester/1"}}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("the server saw (-want +got):\n%s", diff)
			}
			if host != "graph.test" || body != `{"a":1}` {
				t.Errorf("the server saw host %q and body %q", host, body)
			}
			if got := call.Response.Header.Value("REQUEST-ID"); got != "7" {
				t.Errorf("request-id = %q, want 7", got)
			}
			if diff := cmp.Diff([]string{"a", "b"}, call.Response.Header.Values("x-two")); diff != "" {
				t.Errorf("X-Two (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARequestCannotSmuggleAnother(t *testing.T) {
	for _, v := range variants[:3:3] {
		c, s := v.start(t, says(ok+"Content-Length: 0\r\n\r\n"), client.Options{})
		for name, req := range map[string]*wire.Request{
			"a line break in a header": {Method: "GET", URL: s.url, Header: wire.Header{{Name: "X", Value: "a\r\nb: c"}}},
			"a colon in a header name": {Method: "GET", URL: s.url, Header: wire.Header{{Name: "X:", Value: "a"}}},
			"a line break in the URL":  {Method: "GET", URL: s.url + "/ HTTP/1.1\r\nX: y"},
			"a blank in the method":    {Method: "GET /x", URL: s.url},
			"a break in credentials":   {Method: "GET", URL: s.url, Authorization: "Bearer x\r\n"},
			"another scheme":           {Method: "GET", URL: "ftp" + s.url[4:]},
		} {
			if call := do(c, req); call.Failure == nil || call.Failure.Kind != wire.Protocol {
				t.Errorf("%s, %s: got %v, want a protocol failure", v.name, name, call.Failure)
			}
		}
		if got := c.Stats().Opened; got != 0 {
			t.Errorf("%s: %d connections were opened for them", v.name, got)
		}
	}
}

func TestTLSVersionsAndNames(t *testing.T) {
	old := serverTLS()
	old.MaxVersion = tls.VersionTLS12
	mine := testCA().cert
	asking := serverTLS()
	asking.ClientAuth, asking.ClientCAs = tls.RequireAndVerifyClientCert, testCA().pool
	for _, v := range variants {
		if !v.secure {
			continue
		}
		for _, row := range []struct {
			name   string
			server *tls.Config
			opts   client.Options
			want   wire.FailureKind
		}{
			{"a version below the lowest, it refuses", old, client.Options{MinTLS: tls.VersionTLS13}, wire.TLS},
			{"a version at the lowest, it accepts", old, client.Options{MinTLS: tls.VersionTLS12}, 0},
			{"another name in the certificate, it refuses", serverTLS(), client.Options{ServerName: "other.test"}, wire.TLS},
			{"the name it was told, it accepts", serverTLS(), client.Options{ServerName: "exchange.test"}, 0},
			{"a client certificate, it presents it", asking, client.Options{ClientCert: &mine}, 0},
		} {
			t.Run(v.name+"/"+row.name, func(t *testing.T) {
				s := serve(t, row.server, says(ok+"Content-Length: 0\r\n\r\n"))
				v.adjust(&row.opts)
				call := do(open(t, row.opts), get(s.url))
				var got wire.FailureKind
				if call.Failure != nil {
					got = call.Failure.Kind
				}
				if got != row.want {
					t.Errorf("got %v (%v), want %v", got, call.Failure, row.want)
				}
			})
		}
	}
}
