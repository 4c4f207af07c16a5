//go:build unix

package client

import (
	"net"
	"testing"
	"time"
)

func TestAConnectionIsAliveUntilItsServerEndsIt(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(c *conn, server net.Conn)
		want   bool
	}{
		{"it is alive while nothing happens", func(*conn, net.Conn) {}, true},
		{"it is alive when the time of the request before is over", func(c *conn, _ net.Conn) { c.SetDeadline(time.Unix(1, 0)) }, true},
		{"it is not when the server has ended it", func(_ *conn, server net.Conn) { server.Close() }, false},
		{"it is not when the server says something unasked", func(_ *conn, server net.Conn) { server.Write([]byte("x")) }, false},
		{"it is not when that comes after the time of the request before", func(c *conn, server net.Conn) {
			c.SetDeadline(time.Unix(1, 0))
			server.Close()
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			var counted counters
			c := &leanConn{nc: nc, raw: &conn{Conn: nc, counters: &counted}}
			c.raw.opened()
			row.before(c.raw, server)
			alive := c.alive()
			for range 1000 { // the end has a way to go
				if alive == row.want {
					break
				}
				alive = c.alive()
			}
			if alive != row.want || counted.closedByPeer.Load() == 0 == !row.want {
				t.Errorf("alive %v, ended by the server %d times; want alive %v", alive, counted.closedByPeer.Load(), row.want)
			}
		})
	}
}
