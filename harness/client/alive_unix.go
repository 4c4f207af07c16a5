//go:build unix

package client

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// alive reports whether the server has neither ended the connection nor sent
// anything unasked. It looks without waiting or consuming.
func (c *leanConn) alive() bool {
	sc, ok := c.raw.Conn.(syscall.Conn)
	if !ok {
		return true
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	alive := false
	look := func() error {
		return rc.Read(func(fd uintptr) bool {
			var b [1]byte
			_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			alive = err == unix.EAGAIN || err == unix.EWOULDBLOCK
			return true
		})
	}
	if err = look(); errors.Is(err, os.ErrDeadlineExceeded) { // that of a request before: none is under way
		_ = c.raw.SetDeadline(time.Time{})
		err = look()
	}
	if err != nil || !alive {
		c.raw.endedByPeer()
		return false
	}
	return true
}
