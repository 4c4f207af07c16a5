package keepalive

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// States of a line. Whoever wins the change from idle decides: the line by
// beginning a request, Shutdown by ending it.
const (
	idle int32 = iota
	busy
	ended
)

// line is a connection that was taken over.
type line struct {
	server *Server
	conn   net.Conn
	first  *http.Request // the request with which it was taken over
	in     *bufio.Reader // of the line itself
	answer answer

	gatherer Gatherer // nil when what is below TLS cannot gather
	state    atomic.Int32
	unread   []byte    // came before the connection's next byte: from net/http, from a listener for the client's leaving
	until    time.Time // deadline of reads that is set
	within   time.Time // and of writes
}

// Read reads what is next, for in.
func (l *line) Read(p []byte) (int, error) {
	if len(l.unread) > 0 {
		n := copy(p, l.unread)
		l.unread = l.unread[n:]
		return n, nil
	}
	return l.conn.Read(p)
}

// run serves until the connection ends or goes elsewhere.
func (l *line) run() {
	for r := l.first; r != nil; r = l.next() {
		if !l.serve(r) {
			return
		}
		l.state.Store(idle)
		if l.server.closing.Load() {
			l.endIdle()
			return
		}
	}
}

// endIdle closes the line if it has nothing to do.
func (l *line) endIdle() {
	if l.state.CompareAndSwap(idle, ended) {
		_ = l.conn.Close()
	}
}

// serve lets the handler answer; false when the line has ended or is no more ours.
func (l *line) serve(r *http.Request) (again bool) {
	ctx := watched{Context: l.first.Context(), line: l}
	l.answer.begin(r)
	defer func() {
		ctx.stop()
		if recover() != nil { // net/http would log it and do the same
			again = false
		}
		if !again && !l.answer.hijacked {
			_ = l.conn.Close()
		}
	}()
	l.server.next.ServeHTTP(&l.answer, r.WithContext(&ctx))
	ctx.stop() // before the end of the answer: a client that has it sends its next request, which is not the listener's
	if l.answer.hijacked {
		return false
	}
	return l.answer.finish()
}

// next reads the next request; nil when there is none for this line.
func (l *line) next() *http.Request {
	now := l.server.clock.Now()
	if until := now.Add(l.server.limits.Idle); until.Sub(l.until) > time.Second {
		l.until = until
		_ = l.conn.SetReadDeadline(until)
	}
	if _, err := l.in.Peek(1); err != nil {
		l.endIdle()
		return nil
	}
	if !l.state.CompareAndSwap(idle, busy) {
		return nil
	}
	raw, _ := l.in.Peek(l.in.Buffered())
	r, length := parse(raw, origin{l.first.RemoteAddr, l.first.TLS})
	if r == nil {
		l.giveBack(raw)
		return nil
	}
	_, _ = l.in.Discard(length)
	if r.ContentLength > 0 && !l.body(r) {
		_ = l.conn.Close()
		return nil
	}
	return r
}

// allow gives the client its time to take what is written. It is renewed once a second.
func (l *line) allow() {
	if within := l.server.clock.Now().Add(l.server.limits.Request); within.Sub(l.within) > time.Second {
		l.within = within
		_ = l.conn.SetWriteDeadline(within)
	}
}

// body reads a short body whole, so that nothing but the line reads the connection.
func (l *line) body(r *http.Request) bool {
	if int64(l.in.Buffered()) < r.ContentLength {
		l.until = l.server.clock.Now().Add(l.server.limits.Request)
		_ = l.conn.SetReadDeadline(l.until)
	}
	content := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(l.in, content); err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	return true
}

// giveBack hands the connection, with what was read of it, to net/http.
func (l *line) giveBack(raw []byte) {
	_ = l.conn.SetDeadline(time.Time{})
	c := &returned{Conn: l.conn, state: *l.first.TLS, values: l.first.Context(), before: append(append([]byte(nil), raw...), l.unread...)}
	if !l.server.back.give(c) {
		_ = l.conn.Close()
	}
}

// watched is the context of a request. Most handlers ask for its values only; the
// first that waits for its end makes it listen for the client.
type watched struct {
	context.Context // of the connection: its values, and the end of the service
	line            *line
	own             atomic.Pointer[watch]
}

// watch listens for the client's leaving.
type watch struct {
	ctx    context.Context
	cancel context.CancelFunc
	over   chan struct{} // closed by the listener
}

// Done begins to listen.
func (w *watched) Done() <-chan struct{} {
	if own := w.own.Load(); own != nil {
		return own.ctx.Done()
	}
	ctx, cancel := context.WithCancel(w.Context)
	own := &watch{ctx: ctx, cancel: cancel, over: make(chan struct{})}
	if !w.own.CompareAndSwap(nil, own) {
		cancel()
		return w.own.Load().ctx.Done()
	}
	_ = w.line.conn.SetReadDeadline(time.Time{}) // whoever waits may wait longer than an idle client
	go w.listen(own)
	return ctx.Done()
}

// Err says whether it is over.
func (w *watched) Err() error {
	if own := w.own.Load(); own != nil {
		return own.ctx.Err()
	}
	return w.Context.Err()
}

// listen reads a byte: the next request, which is kept, or the end.
func (w *watched) listen(own *watch) {
	defer close(own.over)
	if w.line.in.Buffered() > 0 || len(w.line.unread) > 0 {
		return // the next request is there already
	}
	var one [1]byte
	n, err := w.line.conn.Read(one[:])
	if n == 1 {
		w.line.unread = append(w.line.unread, one[0])
		return
	}
	if err != nil {
		own.cancel()
	}
}

// stop ends the listening and waits for it. After it the line reads again.
func (w *watched) stop() {
	own := w.own.Load()
	if own == nil {
		return
	}
	_ = w.line.conn.SetReadDeadline(time.Unix(1, 0)) // long past: ends the read
	<-own.over
	own.cancel()
	w.line.until = time.Time{}
	_ = w.line.conn.SetReadDeadline(time.Time{})
}
