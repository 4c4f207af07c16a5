package keepalive_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/keepalive"
)

// taken is a server whose connections are taken over; with bare it is net/http's alone.
type taken struct {
	t     *testing.T
	http  *httptest.Server
	lines *keepalive.Server
}

type seenKey struct{}

// serve starts one in front of a handler.
func serve(t *testing.T, bare bool, h http.Handler) *taken {
	t.Helper()
	s := &taken{t: t, http: httptest.NewUnstartedServer(h)}
	values := func(ctx context.Context, c net.Conn) context.Context {
		if keepalive.Returned(c) {
			return ctx
		}
		return context.WithValue(ctx, seenKey{}, new(int))
	}
	s.http.Config.ConnContext, s.http.Config.ErrorLog = values, log.New(io.Discard, "", 0)
	if !bare {
		s.lines = keepalive.New(h, keepalive.Limits{Idle: time.Minute, Request: time.Minute}, clock.System())
		s.http.Config.Handler = s.lines
		s.http.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return s.lines.ConnContext(values(ctx, c), c) }
	}
	s.http.StartTLS()
	t.Cleanup(s.http.Close)
	if !bare {
		over := make(chan struct{})
		go func() { defer close(over); _ = s.http.Config.Serve(s.lines.Back()) }()
		t.Cleanup(func() {
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			s.lines.Shutdown(ended)
			_ = s.lines.Back().Close()
			<-over
		})
	}
	return s
}

// client is one connection.
type client struct {
	t    *testing.T
	conn *tls.Conn
	in   *bufio.Reader
}

// dial opens a connection on which two requests were served: the third is a line's.
func (s *taken) dial() *client {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.http.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	c := &client{s.t, conn, bufio.NewReader(conn)}
	for range 2 {
		c.send("GET /warm HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := c.answer("GET"); !strings.HasPrefix(got, "200 ") {
			s.t.Fatalf("warming up: %s", got)
		}
	}
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Error(err)
	}
}

// answer is what came, in one line: status, how it ended, header, body.
func (c *client) answer(method string) string {
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return "no answer"
	}
	body, err := io.ReadAll(resp.Body)
	ended := "whole"
	if err != nil {
		ended = "cut"
	}
	resp.Header.Del("Date")
	text := string(body)
	if len(text) > 40 {
		text = fmt.Sprintf("%s… %d bytes", text[:10], len(text))
	}
	return fmt.Sprintf("%d %s close=%v length=%d %v %v %q", resp.StatusCode, ended, resp.Close, resp.ContentLength, resp.TransferEncoding, resp.Header, text)
}

// ways are what handlers do with an answer.
var ways = map[string]http.HandlerFunc{
	"/warm":  func(http.ResponseWriter, *http.Request) {},
	"/short": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "abc") },
	"/html":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
	"/announced": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		fmt.Fprint(w, "abc")
	},
	"/pieces": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6")
		fmt.Fprint(w, "abc")
		fmt.Fprint(w, "def")
	},
	"/less": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		fmt.Fprint(w, "abc")
	},
	"/more": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		fmt.Fprint(w, "abc")
	},
	"/much":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 2049)) },
	"/most":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 2048)) },
	"/large": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("large ", 40_000)) },
	"/none": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		fmt.Fprint(w, "abc")
	},
	"/same":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	"/status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418); w.WriteHeader(500) },
	"/own":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(499); fmt.Fprint(w, "abc") },
	"/close": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "abc")
	},
	"/newline": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", "a\r\nY: b"); fmt.Fprint(w, "abc") },
	"/two":     func(w http.ResponseWriter, _ *http.Request) { w.Header()["X"] = []string{"a", "b"} },
	"/abort":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"/flush": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "abc")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "def")
	},
	"/hijack": func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		_ = out.Flush()
		_ = conn.Close()
	},
	"/echo": func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %q %d %v %v %v", r.Method, r.RequestURI, r.Host, len(body), err, r.Header["X-Name"], r.TLS != nil)
	},
	"/visits": func(w http.ResponseWriter, r *http.Request) {
		n := r.Context().Value(seenKey{}).(*int)
		*n++
		fmt.Fprint(w, *n)
	},
}

func answer(w http.ResponseWriter, r *http.Request) {
	if h, ok := ways[r.URL.Path]; ok {
		h(w, r)
		return
	}
	http.NotFound(w, r)
}

// Whatever is asked, and whatever the handler does, the connection carries what
// net/http alone would have put on it.
func TestALineAnswersAsNetHTTPDoes(t *testing.T) {
	rows := map[string]string{
		"it takes a body":                 "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nx-name: a\r\nX-Name: b\r\n\r\nabc",
		"it takes a body in chunks":       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"it takes a large body":           "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000),
		"it agrees to a body":             "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
		"it refuses another expectation":  "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: gold\r\n\r\nabc",
		"it takes an old client":          "GET /echo HTTP/1.0\r\nHost: x\r\n\r\n",
		"it ends when told to":            "GET /short HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"it takes a long header":          "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("y", 20_000) + "\r\n\r\n",
		"it bounds a header":              "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("y", 2<<20) + "\r\n\r\n",
		"it refuses an unknown version":   "GET /echo HTTP/9.9\r\nHost: x\r\n\r\n",
		"it refuses garbage":              "\x00\x01\x02\r\n\r\n",
		"it wants a host":                 "GET /echo HTTP/1.1\r\n\r\n",
		"it wants one host":               "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"it wants a sound host":           "GET /echo HTTP/1.1\r\nHost: x y\r\n\r\n",
		"it takes a strange host":         "GET /echo HTTP/1.1\r\nHost: x_y\r\n\r\n",
		"it wants a sound name":           "GET /echo HTTP/1.1\r\nHost: x\r\nX Y: 1\r\n\r\n",
		"it wants a sound value":          "GET /echo HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n",
		"it wants a sound length":         "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"it wants one length":             "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
		"it wants a sound target":         "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"it takes a whole address":        "GET https://x/echo HTTP/1.1\r\nHost: y\r\n\r\n",
		"it takes an unknown method":      "FOO /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"it takes a folded line":          "GET /echo HTTP/1.1\r\nHost: x\r\nX-Name: a\r\n b\r\n\r\n",
		"it takes bare newlines":          "GET /echo HTTP/1.1\nHost: x\n\n",
		"it takes an empty line in front": "\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"it takes two at once":            "GET /short HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"it takes a body and another":     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"it takes one that is unread":     "POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"it remembers the connection":     "GET /visits HTTP/1.1\r\nHost: x\r\n\r\nFOO /visits HTTP/1.1\r\nHost: x\r\n\r\n",
	}
	for path := range ways {
		for _, method := range []string{"GET", "HEAD"} {
			if path != "/hijack" || method == "GET" {
				rows["it answers "+method+" "+path] = method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"
			}
		}
	}
	lines, bare := serve(t, false, http.HandlerFunc(answer)), serve(t, true, http.HandlerFunc(answer))
	for name, text := range rows {
		t.Run(name, func(t *testing.T) {
			var said [2][]string
			for i, s := range []*taken{lines, bare} {
				c := s.dial()
				go c.send(text) // a server may refuse before it has read everything
				method, _, _ := strings.Cut(strings.TrimSpace(text), " ")
				for range 2 {
					got := c.answer(method)
					if said[i] = append(said[i], got); got == "no answer" || !strings.Contains(got, "whole close=false") {
						break
					}
					if strings.Count(text, " HTTP/1.1") < 2 {
						if method = "GET"; len(said[i]) == 1 {
							c.send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n") // the connection is as good as before
						}
					}
				}
			}
			if fmt.Sprint(said[0]) != fmt.Sprint(said[1]) {
				t.Errorf("it says\n%q\nnet/http says\n%q", said[0], said[1])
			}
		})
	}
}

func TestAHeaderInPiecesIsPutTogether(t *testing.T) {
	c := serve(t, false, http.HandlerFunc(answer)).dial()
	for _, piece := range []string{"GET /echo HTTP/1.1\r\nHo", "st: x\r\n\r", "\n"} {
		c.send(piece)
	}
	if got := c.answer("GET"); !strings.Contains(got, `GET /echo \"x\" 0`) {
		t.Error(got)
	}
}

func TestAHandlerThatWaitsHearsItsClientLeave(t *testing.T) {
	left := make(chan error, 1)
	began := make(chan struct{})
	s := serve(t, false, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(began)
			<-r.Context().Done()
			left <- r.Context().Err()
		}
	}))
	c := s.dial()
	c.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	_ = c.conn.Close()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("it heard %v", err)
	}
}

func TestARequestThatComesWhileAHandlerWaitsIsServedNext(t *testing.T) {
	began, sent := make(chan struct{}), make(chan struct{})
	s := serve(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			done := r.Context().Done()
			began <- struct{}{}
			<-sent
			if r.Context().Done() != done || r.Context().Err() != nil {
				fmt.Fprint(w, "over ")
			}
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	c := s.dial()
	for range 3 {
		c.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
		<-began
		c.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
		sent <- struct{}{}
		for _, want := range []string{"/wait", "/next"} {
			if got := c.answer("GET"); !strings.Contains(got, `"`+want+`"`) {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}

// A client may send its next request as soon as it has the answer. The listener for its leaving must not
// take the first byte of it.
func TestAHandlerThatWaitedKeepsItsLine(t *testing.T) {
	s := serve(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select { // begins to listen
		case <-r.Context().Done():
		default:
		}
		fmt.Fprintf(w, "%T", w)
	}))
	c := s.dial()
	for i := range 300 {
		c.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := c.answer("GET"); !strings.Contains(got, "*keepalive.answer") {
			t.Fatalf("request %d: %s", i, got)
		}
	}
}

func TestShutdownEndsIdleLinesAtOnceAndBusyOnesAfterTheirAnswer(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	s := serve(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			began <- struct{}{}
			<-goOn
			fmt.Fprint(w, "done")
		}
	}))
	idle, busy := s.dial(), s.dial()
	busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	over := make(chan struct{})
	go func() { s.lines.Shutdown(t.Context()); close(over) }()
	if got := idle.answer("GET"); got != "no answer" {
		t.Errorf("the idle line: %s", got)
	}
	close(goOn)
	if got := busy.answer("GET"); !strings.Contains(got, `"done"`) {
		t.Errorf("the busy line: %s", got)
	}
	if got := busy.answer("GET"); got != "no answer" {
		t.Errorf("after its answer: %s", got)
	}
	<-over
}

func TestAnIdleLineIsClosedWhenItsTimeIsOver(t *testing.T) {
	lines := keepalive.New(http.HandlerFunc(answer), keepalive.Limits{Idle: 50 * time.Millisecond, Request: 50 * time.Millisecond}, clock.System())
	s := &taken{t: t, http: httptest.NewUnstartedServer(lines), lines: lines}
	s.http.Config.ConnContext = lines.ConnContext
	s.http.StartTLS()
	t.Cleanup(s.http.Close)
	if got := s.dial().answer("GET"); got != "no answer" {
		t.Errorf("an idle line: %s", got)
	}
	c := s.dial()
	c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
	if got := c.answer("GET"); got != "no answer" {
		t.Errorf("a body that does not come: %s", got)
	}
}

func TestAClientThatDoesNotReadItsAnswerIsDropped(t *testing.T) {
	wrote := make(chan error, 1)
	lines := keepalive.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/endless" {
			return
		}
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				wrote <- err
				return
			}
		}
	}), keepalive.Limits{Idle: time.Minute, Request: 50 * time.Millisecond}, clock.System())
	s := &taken{t: t, http: httptest.NewUnstartedServer(lines), lines: lines}
	s.http.Config.ConnContext = lines.ConnContext
	s.http.StartTLS()
	t.Cleanup(s.http.Close)
	s.dial().send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-wrote; err == nil {
		t.Error("it was written to")
	}
}
