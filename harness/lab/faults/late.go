package faults

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// late begins an answer after the time that the latency model says. The handler waits in its
// first write: what a request holds while it is at work, such as its place among the four of
// a mailbox, it holds for that time too.
type late struct {
	http.ResponseWriter
	h         *wrapped
	r         *http.Request
	by        time.Duration
	over, ran bool // the wait is over; the client outlasted it
}

// begin waits, once, and reports whether the client is still there.
func (l *late) begin() bool {
	if !l.over {
		l.over = true
		l.ran = l.h.wait(l.r, l.by)
	}
	return l.ran
}

// WriteHeader waits before the first.
func (l *late) WriteHeader(status int) {
	if l.begin() {
		l.ResponseWriter.WriteHeader(status)
	}
}

// Write waits before the first.
func (l *late) Write(b []byte) (int, error) {
	if !l.begin() {
		return 0, l.r.Context().Err()
	}
	return l.ResponseWriter.Write(b)
}

// Flush sends what was written.
func (l *late) Flush() {
	if f, ok := l.ResponseWriter.(http.Flusher); ok && l.begin() {
		f.Flush()
	}
}

// Hijack hands the connection over.
func (l *late) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	l.begin()
	return http.NewResponseController(l.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (l *late) Unwrap() http.ResponseWriter { return l.ResponseWriter }
