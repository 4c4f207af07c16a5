package client_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"cutover/harness/client"
)

// peer is the server's end of one HTTP/2 connection. It is made of x/net's Framer, which
// shares nothing with the client but HPACK, and does what a script tells it.
type peer struct {
	t     *testing.T
	nc    net.Conn
	fr    *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
	conn  int // which connection of its server this is, from 1
}

// h2script answers the request on stream id, the n-th of its connection; false closes
// the connection.
type h2script func(p *peer, id uint32, n int) bool

// head sends a head made of name, value pairs, in frames of at most 16 KiB.
func (p *peer) head(id uint32, end bool, fields ...string) {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		p.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	rest := p.block.Bytes()
	for first := true; first || len(rest) > 0; first = false {
		n := min(len(rest), 16<<10)
		if first {
			p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: rest[:n], EndStream: end, EndHeaders: n == len(rest)})
		} else {
			p.fr.WriteContinuation(id, n == len(rest), rest[:n])
		}
		rest = rest[n:]
	}
}

func (p *peer) data(id uint32, end bool, s string) { p.fr.WriteData(id, end, []byte(s)) }

// until reads frames until want says so; false: the connection ended before.
func (p *peer) until(want func(http2.Frame) bool) bool {
	for {
		f, err := p.fr.ReadFrame()
		if err != nil {
			return false
		}
		if want(f) {
			return true
		}
	}
}

// serveH2 accepts connections and lets the script answer.
func serveH2(t *testing.T, secure bool, settings []http2.Setting, answer h2script) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if secure {
		config := serverTLS()
		config.NextProtos = []string{"h2"}
		listener = tls.NewListener(listener, config)
		address = "https://" + listener.Addr().String()
	}
	var open sync.Map
	var conns sync.WaitGroup
	var count atomic.Int32
	conns.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			open.Store(nc, true)
			conns.Go(func() {
				defer nc.Close()
				talk(&peer{t: t, nc: nc, conn: int(count.Add(1))}, settings, answer)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		open.Range(func(nc, _ any) bool { nc.(net.Conn).Close(); return true })
		conns.Wait()
	})
	return address
}

func talk(p *peer, settings []http2.Setting, answer h2script) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.nc, preface); err != nil {
		return
	}
	if string(preface) != http2.ClientPreface {
		p.t.Errorf("the connection begins with %q", preface)
		return
	}
	p.fr = http2.NewFramer(p.nc, p.nc)
	p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.enc = hpack.NewEncoder(&p.block)
	p.fr.WriteSettings(settings...)
	for n := 1; ; {
		f, err := p.fr.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				p.fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			if !f.StreamEnded() {
				continue
			}
			if !answer(p, f.StreamID, n) {
				return
			}
			n++
		case *http2.DataFrame:
			if f.StreamEnded() {
				if !answer(p, f.StreamID, n) {
					return
				}
				n++
			}
		}
	}
}

// h2variants are the clients that speak HTTP/2 and must behave alike.
var h2variants = []struct {
	name   string
	secure bool
	ours   bool
	adjust func(*client.Options)
}{
	{"by hand", false, true, byHand},
	{"by hand, TLS", true, true, byHand},
	{"net/http, TLS", true, false, func(o *client.Options) {
		o.Proxy, o.ProxyFor = true, func(*http.Request) (*url.URL, error) { return nil, nil }
		o.Protocol = client.HTTP2
	}},
}

func byHand(o *client.Options) { o.Protocol = client.HTTP2 }

// spells is a script that gives a whole answer.
func spells(body string, fields ...string) h2script {
	return func(p *peer, id uint32, _ int) bool {
		p.head(id, body == "", append([]string{":status", "200"}, fields...)...)
		if body != "" {
			p.data(id, true, body)
		}
		return true
	}
}

var longValue = strings.Repeat("x", 100_000)
