package client_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"cutover/harness/client"
	"cutover/harness/wire"
)

// speaking serves over TLS with a choice of protocols and answers which one was spoken.
func speaking(t *testing.T, protocols []string, strict bool) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.TLS = serverTLS()
	s.TLS.NextProtos = protocols
	s.EnableHTTP2 = slices.Contains(protocols, "h2")
	if !s.EnableHTTP2 { // else net/http adds h2 of its own accord
		s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	if strict {
		s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if !slices.Contains(hello.SupportedProtos, "h2") {
				return nil, errors.New("h2 or nothing")
			}
			return nil, nil
		}
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestAutoSpeaksWhatTheServerDoes(t *testing.T) {
	for _, row := range []struct {
		name      string
		protocols []string
		strict    bool
		want      string
	}{
		{"of both it prefers HTTP/1.1", []string{"h2", "http/1.1"}, false, "HTTP/1.1"},
		{"it speaks HTTP/1.1 to a server of only that", []string{"http/1.1"}, false, "HTTP/1.1"},
		{"it speaks HTTP/1.1 to a server that knows no choice", nil, false, "HTTP/1.1"},
		{"it speaks HTTP/2 to a server that chooses nothing else", []string{"h2"}, false, "HTTP/2.0"},
		{"it speaks HTTP/2 to a server that refuses everything else", []string{"h2"}, true, "HTTP/2.0"},
	} {
		for _, connections := range []string{client.Shared, client.PerMailbox, client.PerRequest} {
			t.Run(row.name+"/"+connections, func(t *testing.T) {
				url := speaking(t, row.protocols, row.strict)
				c := open(t, client.Options{Connections: connections})
				var wg sync.WaitGroup
				for i := range 20 { // at once, when nothing is known yet
					wg.Go(func() {
						req := get(url)
						req.Mailbox = string(rune('a' + i%3))
						if call := do(c, req); call.Failure != nil || string(call.Response.Body) != row.want {
							t.Errorf("got %q, %v; want %q", call.Response.Body, call.Failure, row.want)
						}
					})
				}
				wg.Wait()
				if call := do(c, get(url)); call.Failure != nil || string(call.Response.Body) != row.want {
					t.Errorf("afterwards: %q, %v; want %q", call.Response.Body, call.Failure, row.want)
				}
			})
		}
	}
}

// What is wrong with a server is told as it is, not as a matter of protocols.
func TestAutoTellsWhatIsWrong(t *testing.T) {
	url := speaking(t, []string{"h2", "http/1.1"}, false)
	c := open(t, client.Options{ServerName: "elsewhere.example"})
	for range 2 {
		if call := do(c, get(url)); kind(call) != wire.TLS {
			t.Errorf("got %v, want a TLS failure", call.Failure)
		}
	}
}
