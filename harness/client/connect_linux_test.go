package client_test

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/wire"
)

// full returns the address of a listener that accepts nobody and whose queue
// is full, so that further connections get no answer.
func full(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 8 {
		nc, err := net.DialTimeout("tcp", address, 20*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { nc.Close() })
	}
	t.Skip("the queue of a listener does not fill up here")
	return ""
}

func TestConnectingTimesOut(t *testing.T) {
	address := full(t)
	for _, v := range variants[:3:3] {
		o := client.Options{ConnectTimeout: 30 * time.Millisecond}
		v.adjust(&o)
		call := do(open(t, o), get("http://"+address))
		var staged *client.StageError
		if kind(call) != wire.Timeout || !errors.As(call.Failure, &staged) || staged.Stage != client.Connecting {
			t.Errorf("%s: got %v, want a timeout while connecting", v.name, call.Failure)
		}
	}
}
