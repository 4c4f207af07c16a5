package lab_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// idleOrder says what an idle child holds: connections to an address, with TLS
// when a certificate authority is given.
type idleOrder struct {
	Address     string
	Connections int
	CA          string // PEM; "" opens TCP connections that never say a word
}

// idleChild opens connections, tells how many stand, and holds them until its
// standard input ends.
func idleChild(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	line, _ := reader.ReadBytes('\n')
	var o idleOrder
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(o.CA))
	conns := make([]net.Conn, o.Connections)
	var open atomic.Int64
	var all sync.WaitGroup
	for worker := range 32 {
		all.Go(func() {
			for i := worker; i < len(conns); i += 32 {
				var err error
				if o.CA == "" {
					conns[i], err = net.Dial("tcp", o.Address)
				} else {
					conns[i], err = tls.Dial("tcp", o.Address, &tls.Config{RootCAs: pool, ServerName: strings.Split(o.Address, ":")[0]})
				}
				if err == nil {
					open.Add(1)
				}
			}
		})
	}
	all.Wait()
	if err := json.NewEncoder(out).Encode(open.Load()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, reader)
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
	return nil
}
