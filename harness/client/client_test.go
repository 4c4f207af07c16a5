package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/clock"
	"cutover/harness/wire"
)

const empty = ok + "Content-Length: 0\r\n\r\n"

func kind(call *wire.Call) wire.FailureKind {
	if call.Failure == nil {
		return 0
	}
	return call.Failure.Kind
}

func TestConnectionsThatCannotBeOpened(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := serve(t, nil, says(empty))
	stranger := serve(t, serverTLS(), says(empty))
	forbidden := errors.New("not this one")
	for _, v := range variants[:3:3] {
		for _, row := range []struct {
			name, url string
			opts      client.Options
			want      wire.FailureKind
		}{
			{"nobody listens, it is a connect failure", "http://" + closed.Addr().String(), client.Options{}, wire.Connect},
			{"a name that cannot be one, it is a DNS failure", "http://a..b/", client.Options{}, wire.DNS},
			{"no TLS where it was expected, it is a TLS failure", strings.Replace(plain.url, "http:", "https:", 1), client.Options{}, wire.TLS},
			{"an unknown authority, it is a TLS failure", stranger.url, client.Options{CA: emptyPool}, wire.TLS},
			{"an address that the hook forbids, it is refused", plain.url, client.Options{Control: func(string, string) error { return forbidden }}, wire.Refused},
		} {
			t.Run(v.name+"/"+row.name, func(t *testing.T) {
				v.adjust(&row.opts)
				c := open(t, row.opts)
				call := do(c, get(row.url))
				if kind(call) != row.want {
					t.Errorf("got %v, want %v", call.Failure, row.want)
				}
				if row.want == wire.Refused && !errors.Is(call.Failure, forbidden) {
					t.Errorf("%v does not carry the hook's error", call.Failure)
				}
				if got, want := c.Stats(), (client.Stats{DialFailed: 1}); got != want {
					t.Errorf("stats %+v, want %+v", got, want)
				}
				if call.Timing.Done.IsZero() || !call.Timing.Sent.IsZero() {
					t.Errorf("timing %+v: want done set and sent not", call.Timing)
				}
			})
		}
	}
}

func TestTheHookSeesTheResolvedAddress(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			var seen atomic.Value
			control := func(network, address string) error { seen.Store(network + " " + address); return nil }
			var config = serverTLS()
			scheme := "https://"
			if !v.secure {
				config, scheme = nil, "http://"
			}
			s := serve(t, config, says(empty))
			address := s.url[len(scheme):]
			_, port, _ := net.SplitHostPort(address)
			for _, to := range []string{address, "127.0.0.1"} {
				o := client.Options{Control: control, Resolve: map[string]string{"exchange.test:" + port: to}}
				v.adjust(&o)
				if call := do(open(t, o), get(scheme+"exchange.test:"+port)); call.Failure != nil {
					t.Errorf("resolved to %s: %v", to, call.Failure)
				} else if call.Timing.Remote != address {
					t.Errorf("remote is %s, want %s", call.Timing.Remote, address)
				}
				if got, want := seen.Load(), "tcp4 "+address; got != want {
					t.Errorf("the hook saw %v, want %v", got, want)
				}
			}
		})
	}
}

func TestAWriteAfterTheServerHungUpGoesOutOnce(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			var served atomic.Int64
			hungUp := make(chan bool, 10)
			c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
				served.Add(1)
				says(empty)(t, n, nc, r)
				nc.Close()
				hungUp <- true
				return false
			}, client.Options{})
			for range 3 {
				if call := do(c, &wire.Request{Method: "POST", URL: s.url, Body: []byte("x")}); call.Failure != nil {
					t.Fatal(call.Failure)
				}
				<-hungUp
				pause(20 * time.Millisecond) // for the end to arrive
			}
			if got := served.Load(); got != 3 {
				t.Errorf("the server saw %d writes, want 3", got)
			}
			if got := c.Stats(); got.Opened != 3 || got.Retried != 0 {
				t.Errorf("stats %+v, want 3 opened and none retried", got)
			}
		})
	}
}

// await polls until done, for at most two seconds.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for range 400 {
		if done() {
			return
		}
		pause(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}

func TestAnAnnouncedEndIsNoStaleConnection(t *testing.T) {
	for _, v := range variants {
		c, s := v.start(t, saysAndCloses(ok+"Connection: close\r\nContent-Length: 2\r\n\r\nok"), client.Options{})
		for range 3 {
			do(c, get(s.url))
		}
		if got, want := c.Stats(), (client.Stats{Opened: 3, ClosedByPeer: 3}); got != want {
			t.Errorf("%s: stats %+v, want %+v", v.name, got, want)
		}
	}
}

func TestAServersKeepAliveTimeoutIsHonoured(t *testing.T) {
	late := &shifted{Clock: clock.System()}
	c, s := variants[0].start(t, says(ok+"Keep-Alive: timeout=10, max=5\r\nContent-Length: 0\r\n\r\n"), client.Options{Clock: late})
	for _, row := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {8 * time.Second, true}, {11 * time.Second, false}} {
		late.by += row.after
		if got := do(c, get(s.url)).Timing.Reused; got != row.want {
			t.Errorf("%v later: reused %v, want %v", row.after, got, row.want)
		}
	}
}

// shifted runs at real speed, ahead by so much.
type shifted struct {
	clock.Clock
	by time.Duration
}

func (s *shifted) Now() time.Time { return s.Clock.Now().Add(s.by) }

func TestCancelling(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			arrived := make(chan bool, 10)
			c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
				if r.URL.Path == "/hang" {
					arrived <- true
					return saysAndHangs("")(t, n, nc, r)
				}
				return says(empty)(t, n, nc, r)
			}, client.Options{})
			ctx, cancel := context.WithCancel(context.Background())
			call := new(wire.Call)
			c.Do(ctx, get(s.url), call)
			go func() { <-arrived; cancel() }()
			c.Do(ctx, get(s.url+"/hang"), call)
			if kind(call) != wire.Canceled {
				t.Errorf("a request under way: got %v, want canceled", call.Failure)
			}
			c.Do(ctx, get(s.url), call)
			if kind(call) != wire.Canceled {
				t.Errorf("with an ended context: got %v, want canceled", call.Failure)
			}
			if call := do(c, get(s.url)); call.Failure != nil {
				t.Errorf("another context afterwards: %v", call.Failure)
			}
			short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			c.Do(short, get(s.url+"/hang"), call)
			if kind(call) != wire.Timeout {
				t.Errorf("past the context's deadline: got %v, want timeout", call.Failure)
			}
		})
	}
}

func TestAKeptConnectionSurvivesTheEndOfItsLastContext(t *testing.T) {
	c, s := variants[0].start(t, says(empty), client.Options{})
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		call := new(wire.Call)
		c.Do(ctx, get(s.url), call)
		if call.Failure != nil {
			t.Fatal(call.Failure)
		}
		cancel()
	}
	if got := c.Stats().Opened; got != 1 {
		t.Errorf("%d connections opened, want 1", got)
	}
}

func TestStrategies(t *testing.T) {
	for _, v := range variants {
		for _, row := range []struct {
			connections string
			want        client.Stats
		}{
			{client.Shared, client.Stats{Opened: 1, Reused: 3}},
			{client.PerMailbox, client.Stats{Opened: 2, Reused: 2}},
			{client.PerRequest, client.Stats{Opened: 4}},
		} {
			t.Run(v.name+"/"+row.connections, func(t *testing.T) {
				c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
					return says(empty)(t, n, nc, r) && r.Header.Get("Connection") != "close"
				}, client.Options{Connections: row.connections})
				for _, mailbox := range []string{"ann", "bob", "ann", "bob"} {
					req := get(s.url)
					req.Mailbox = mailbox
					if call := do(c, req); call.Failure != nil {
						t.Fatal(call.Failure)
					}
				}
				got := c.Stats()
				got.ClosedByPeer = 0
				if got != row.want {
					t.Errorf("stats %+v, want %+v", got, row.want)
				}
			})
		}
	}
}

func TestNoMoreConnectionsThanAllowed(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			var present, most atomic.Int64
			c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
				now := present.Add(1)
				defer present.Add(-1)
				for {
					old := most.Load()
					if now <= old || most.CompareAndSwap(old, now) {
						break
					}
				}
				pause(time.Millisecond)
				return says(empty)(t, n, nc, r)
			}, client.Options{MaxConns: 3})
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() {
					if call := do(c, get(s.url)); call.Failure != nil {
						t.Error(call.Failure)
					}
				})
			}
			wg.Wait()
			if got := c.Stats(); most.Load() > 3 || got.Opened > 3 {
				t.Errorf("%d requests at once on %d connections, want at most 3", most.Load(), got.Opened)
			}
		})
	}
}

func TestWaitingForAConnectionTimesOut(t *testing.T) {
	release := make(chan bool)
	c, s := variants[0].start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
		if r.URL.Path == "/hold" {
			<-release
		}
		return says(empty)(t, n, nc, r)
	}, client.Options{MaxConns: 1})
	var wg sync.WaitGroup
	wg.Go(func() { do(c, get(s.url+"/hold")) })
	await(t, func() bool { return c.Stats().Opened == 1 })
	req := get(s.url)
	req.Timeout = 20 * time.Millisecond
	call := do(c, req)
	var staged *client.StageError
	if kind(call) != wire.Timeout || !errors.As(call.Failure, &staged) || staged.Stage != client.Waiting {
		t.Errorf("got %v, want a timeout while waiting", call.Failure)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Do(ctx, get(s.url), call)
	if kind(call) != wire.Canceled {
		t.Errorf("got %v, want canceled", call.Failure)
	}
	close(release)
	wg.Wait()
	if call := do(c, get(s.url)); call.Failure != nil || !call.Timing.Reused {
		t.Errorf("afterwards: %v, reused %v", call.Failure, call.Timing.Reused)
	}
	if got := c.Stats().Blocked; got != 1 {
		t.Errorf("%d requests blocked, want 1", got)
	}
}

func TestTimings(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			const answer = ok + "Content-Length: 5\r\n\r\nhello"
			c, s := v.start(t, says(answer), client.Options{})
			first, second := do(c, get(s.url)).Timing, do(c, get(s.url)).Timing
			if first.Connect <= 0 || (first.TLS > 0) != v.secure || first.Reused {
				t.Errorf("first: connect %v, TLS %v, reused %v", first.Connect, first.TLS, first.Reused)
			}
			if first.Wait < first.Connect+first.TLS || second.Wait < 0 || second.Wait > time.Second {
				t.Errorf("waited %v and %v for a connection that took %v and %v to open", first.Wait, second.Wait, first.Connect, first.TLS)
			}
			if second.Connect != 0 || second.TLS != 0 || !second.Reused {
				t.Errorf("second: connect %v, TLS %v, reused %v", second.Connect, second.TLS, second.Reused)
			}
			for _, at := range []wire.Timing{first, second} {
				if at.FirstByte.Before(at.Sent) || at.Done.Before(at.FirstByte) || at.Sent.IsZero() {
					t.Errorf("sent %v, first byte %v, done %v: out of order", at.Sent, at.FirstByte, at.Done)
				}
				if at.BytesIn != int64(len(answer)) || at.BytesOut < 60 {
					t.Errorf("%d bytes out and %d in, want %d in", at.BytesOut, at.BytesIn, len(answer))
				}
			}
		})
	}
}

func TestOptionsThatAreNotOnes(t *testing.T) {
	for _, o := range []client.Options{
		{Protocol: "h3"},
		{Connections: "some"},
		{Host: "mail.test\r\nX: y"},
		{Protocol: client.HTTP2, Login: func(string) (string, string, bool) { return "", "", false }},
	} {
		if _, err := client.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestTheRoundTripperObeysTheHook(t *testing.T) {
	s := serve(t, nil, says(ok+"Content-Length: 2\r\n\r\nok"))
	forbidden := errors.New("not this one")
	for _, want := range []error{nil, forbidden} {
		c := open(t, client.Options{Control: func(string, string) error { return want }})
		req, err := http.NewRequest("GET", s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.RoundTripper().RoundTrip(req)
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
}

func TestClosingEndsConnectionsWhenTheirRequestsEnd(t *testing.T) {
	for _, v := range variants[:2] {
		arrived, answer, ended := make(chan bool), make(chan bool), make(chan bool, 1)
		c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
			arrived <- true
			<-answer
			says(empty)(t, n, nc, r)
			nc.Read(make([]byte, 1)) // until the client closes
			ended <- true
			return false
		}, client.Options{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if call := do(c, get(s.url)); call.Failure != nil {
				t.Errorf("%s: the request under way: %v", v.name, call.Failure)
			}
		})
		<-arrived
		c.Close()
		answer <- true
		wg.Wait()
		select {
		case <-ended:
		case <-newTimer(2 * time.Second):
			t.Errorf("%s: the connection stayed open", v.name)
		}
	}
}
