package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// arrivalServer answers HTTP/1.1 in one thread and notes when the kernel received each
// request (SO_TIMESTAMPNS), so that its own scheduling does not blur the figures.
type arrivalServer struct {
	epoll, listener int
	freezeAfter     time.Duration // after the first request, the loop sleeps 1 s once; 0: never
	began           time.Time
	answer          []byte
	at              []int64
	stopped         atomic.Bool
}

const soTimestampNS = 35

// serve is the process: serve READY DUMP [-freeze DURATION].
func serve(args []string) error {
	runtime.LockOSThread()
	s := &arrivalServer{at: make([]int64, 0, 1<<20)}
	if len(args) == 4 && args[2] == "-freeze" {
		var err error
		if s.freezeAfter, err = time.ParseDuration(args[3]); err != nil {
			return err
		}
	}
	body := page()
	s.answer = append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	s.listener = int(file.Fd())
	if s.epoll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	if err := s.add(s.listener); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		s.stopped.Store(true)
	}()
	if err := os.WriteFile(args[0], []byte(l.Addr().String()), 0o644); err != nil {
		return err
	}
	err = s.loop()
	runtime.KeepAlive(l) // a collected listener is closed, and new connections are refused
	runtime.KeepAlive(file)
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, at := range s.at {
		fmt.Fprintln(&out, at)
	}
	return os.WriteFile(args[1], []byte(out.String()), 0o644)
}

func (s *arrivalServer) add(fd int) error {
	return syscall.EpollCtl(s.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (s *arrivalServer) loop() error {
	events := make([]syscall.EpollEvent, 256)
	buf, control := make([]byte, 64<<10), make([]byte, 256)
	for !s.stopped.Load() {
		n, err := syscall.EpollWait(s.epoll, events, 100)
		if err != nil && err != syscall.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == s.listener {
				s.accept()
				continue
			}
			s.read(int(e.Fd), buf, control)
		}
		if s.freezeAfter > 0 && !s.began.IsZero() && time.Since(s.began) > s.freezeAfter {
			s.freezeAfter = 0
			time.Sleep(time.Second)
		}
	}
	return nil
}

func (s *arrivalServer) accept() {
	fd, _, err := syscall.Accept4(s.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	if err != nil {
		return
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soTimestampNS, 1)
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if s.add(fd) != nil {
		syscall.Close(fd)
	}
}

// read takes the requests that have come, which are small and whole, and answers each.
func (s *arrivalServer) read(fd int, buf, control []byte) {
	n, controls, _, _, err := syscall.Recvmsg(fd, buf, control, 0)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	if n <= 0 {
		syscall.Close(fd)
		return
	}
	at := time.Now().UnixNano()
	if messages, err := syscall.ParseSocketControlMessage(control[:controls]); err == nil {
		for _, m := range messages {
			if m.Header.Type == soTimestampNS && len(m.Data) >= 16 {
				at = int64(binary.NativeEndian.Uint64(m.Data))*1e9 + int64(binary.NativeEndian.Uint64(m.Data[8:]))
			}
		}
	}
	if s.began.IsZero() {
		s.began = time.Now()
	}
	for range bytes.Count(buf[:n], []byte("\r\n\r\n")) {
		s.at = append(s.at, at)
		for rest := s.answer; len(rest) > 0; {
			wrote, err := syscall.Write(fd, rest)
			if err != nil && err != syscall.EAGAIN {
				syscall.Close(fd)
				return
			}
			rest = rest[max(wrote, 0):]
		}
	}
}
