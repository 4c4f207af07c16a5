package lab

import (
	"net"
	"net/http"
	"sync"
	"testing"
)

func TestAListenerClosesConnectionsBeyondItsRoom(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &limited{Listener: inner, free: make(chan struct{}, 1)}
	var wait sync.WaitGroup
	accepted := make(chan net.Conn, 3)
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	})
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := dial()
	held := <-accepted
	second := dial()
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("the second connection was kept")
	}
	_ = held.Close()
	_ = held.Close() // gives its place back once
	third := dial()
	kept := <-accepted
	for _, c := range []net.Conn{first, second, third, kept} {
		_ = c.Close()
	}
	_ = inner.Close()
	wait.Wait()
	if len(l.free) != 0 {
		t.Errorf("%d places are still taken", len(l.free))
	}
}

func TestEveryServerBoundsASlowClient(t *testing.T) {
	s, err := listen(t.Context(), "x", "http")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	s.serve(&wait, nil, http.NotFoundHandler())
	if s.server.ReadHeaderTimeout != headerTimeout || s.server.ReadTimeout != requestTimeout || s.server.WriteTimeout != answerTimeout || s.server.IdleTimeout != idleTimeout || s.server.MaxHeaderBytes != maxHeader {
		t.Errorf("%+v", s.server)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	wait.Wait()
}

func TestTheFrontEndLogKeepsTheNewest(t *testing.T) {
	var l frontEndLog
	for i := range logSize + 10 {
		l.add(logged{Status: i})
	}
	all := l.find("")
	if len(all) != logSize || all[0].Status != 10 || all[logSize-1].Status != logSize+9 {
		t.Errorf("%d entries from %d to %d", len(all), all[0].Status, all[len(all)-1].Status)
	}
}
