package client_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/wire"

	"go.uber.org/goleak"
)

// authority is a CA with a certificate for 127.0.0.1 and exchange.test.
type authority struct {
	pool *x509.CertPool
	cert tls.Certificate
}

var testCA = sync.OnceValue(func() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"exchange.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return authority{pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
})

// script answers the n-th request, counted from 1, of a connection; false
// closes it.
type script func(t *testing.T, n int, nc net.Conn, r *http.Request) bool

// says is a script that sends raw to every request and keeps the connection.
func says(raw string) script {
	return func(_ *testing.T, _ int, nc net.Conn, _ *http.Request) bool {
		_, err := io.WriteString(nc, raw)
		return err == nil
	}
}

// saysAndCloses closes the connection after raw.
func saysAndCloses(raw string) script {
	return func(_ *testing.T, _ int, nc net.Conn, _ *http.Request) bool {
		io.WriteString(nc, raw)
		return false
	}
}

// saysAndHangs keeps silent after raw until the client goes away.
func saysAndHangs(raw string) script {
	return func(_ *testing.T, _ int, nc net.Conn, _ *http.Request) bool {
		io.WriteString(nc, raw)
		nc.Read(make([]byte, 1))
		return false
	}
}

// server accepts connections on loopback and lets the script answer.
type server struct {
	url   string
	conns sync.WaitGroup
}

func serve(t *testing.T, secure *tls.Config, answer script) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: "http://" + listener.Addr().String()}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
		s.url = "https://" + listener.Addr().String()
	}
	var open sync.Map
	s.conns.Add(1)
	go func() {
		defer s.conns.Done()
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			open.Store(nc, true)
			s.conns.Add(1)
			go func() {
				defer s.conns.Done()
				defer nc.Close()
				in := bufio.NewReader(nc)
				for n := 1; ; n++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					if !answer(t, n, nc, r) {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		open.Range(func(nc, _ any) bool { nc.(net.Conn).Close(); return true })
		s.conns.Wait()
	})
	return s
}

func serverTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{testCA().cert}}
}

// variant is one of the clients that must behave alike.
type variant struct {
	name   string
	secure bool
	adjust func(*client.Options)
}

// std sends a client through net/http: as if a proxy might be there.
func std(o *client.Options) {
	o.Proxy, o.ProxyFor = true, func(*http.Request) (*url.URL, error) { return nil, nil }
	o.Protocol = client.HTTP1
}

var variants = []variant{
	{"lean", false, func(*client.Options) {}},
	{"lean TLS", true, func(*client.Options) {}},
	{"net/http", false, std},
	{"net/http TLS", true, std},
}

// start serves the script and returns a client for it.
func (v variant) start(t *testing.T, answer script, o client.Options) (*client.Client, *server) {
	t.Helper()
	var config *tls.Config
	if v.secure {
		config = serverTLS()
	}
	s := serve(t, config, answer)
	v.adjust(&o)
	return open(t, o), s
}

// open returns a client that trusts the test's CA and ends with the test.
func open(t testing.TB, o client.Options) *client.Client {
	t.Helper()
	if o.CA == nil {
		o.CA = testCA().pool
	}
	if o.Control == nil {
		o.Control = loopbackOnly
	}
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func get(url string) *wire.Request { return &wire.Request{Method: "GET", URL: url} }

func do(c *client.Client, req *wire.Request) *wire.Call {
	call := new(wire.Call)
	c.Do(context.Background(), req, call)
	return call
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

// loopbackOnly keeps tests off the network.
func loopbackOnly(_, address string) error {
	if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
		panic("a test connects to " + address)
	}
	return nil
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var emptyPool = x509.NewCertPool()
