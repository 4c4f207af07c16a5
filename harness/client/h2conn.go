package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"

	"cutover/harness/wire"
)

// What this client tells its servers, and what it bears from them.
const (
	h2Window     = 4 << 20                // received and not consumed, of a stream; the connection's is never the narrower
	h2ConnWindow = 1 << 30                // of a connection
	h2FrameSize  = 16 << 10               // frames that a server may send, and that one gets unless it allows more
	h2ReadBuffer = 32 << 10               // a whole largest frame, and more
	h2LastWrite  = 100 * time.Millisecond // for a write that holds up somebody whose time is over
	h2Backlog    = 1 << 20                // answers to a server's PING and SETTINGS that it does not read

	h2FirstWindow = 65_535 // before anybody says otherwise: RFC 9113, section 6.9.2
	h2LastStream  = 1<<31 - 1
)

// h2Conn is one HTTP/2 connection.
type h2Conn struct {
	client *h2
	pool   *h2Pool
	nc     net.Conn
	raw    *conn
	remote string

	// Guarded by pool.mu.
	load, room int       // places reserved, and what the server allows
	listed     bool      // among those with a free place
	gone       bool      // takes no more requests
	counted    bool      // taken in among the pool's connections
	hoped      bool      // the server has not said yet how many streams it allows; until then one goes out
	told       bool      // it has
	expires    time.Time // when it has been idle for too long

	// The reading goroutine's alone.
	buf     []byte // what has been read and not consumed is buf[r:w]
	r, w    int
	decoder *hpack.Decoder
	emit    *h2Stream // whose header fields the decoder emits; nil: nobody's
	fields  fieldRules
	last    lastBlock
	settled bool   // the server's settings have come
	block   []byte // a header block that comes in several frames
	unread  int    // bytes of data that the connection's window has not been refilled with

	mu       sync.Mutex // guards everything below
	open     []*h2Stream
	next     uint32 // id of the next stream
	goodbye  bool   // the server takes no further streams
	dead     error  // why the connection ended; nil: it has not
	out      []byte // frames to be written
	spare    []byte
	writing  bool // somebody writes out, and whatever is added meanwhile
	used     bool // carried a request before
	window   int64
	initial  int64 // a new stream's window
	maxFrame int
	shrunk   bool // the server's decoder keeps less than we might use: to be acknowledged
	request  lastRequest
	moved    *sync.Cond // a window grew, a stream ended, or the connection did
	timer    time.Time  // when the reader looks for requests that took too long; zero: never
	watching []watched
	hurried  bool // a write deadline was set, because somebody gave up meanwhile
}

const h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// startH2 begins a connection: the preface and our settings go out with the first
// request.
func startH2(h *h2, p *h2Pool, nc net.Conn, raw *conn) *h2Conn {
	c := &h2Conn{client: h, pool: p, nc: nc, raw: raw, room: 1, buf: make([]byte, h2ReadBuffer), next: 1,
		window: h2FirstWindow, initial: h2FirstWindow, maxFrame: h2FrameSize}
	c.moved = sync.NewCond(&c.mu)
	if address := nc.RemoteAddr(); address != nil {
		c.remote = address.String()
	}
	c.decoder = hpack.NewDecoder(4096, c.field)
	c.decoder.SetMaxStringLength(MaxHeader)
	b := append(c.out, h2Preface...)
	b = appendFrame(b, frameSettings, 0, 0, 18)
	b = appendSetting(b, settingEnablePush, 0)
	b = appendSetting(b, settingInitialWindow, h2Window)
	b = appendSetting(b, settingMaxHeaderList, MaxHeader)
	b = appendFrame(b, frameWindowUpdate, 0, 0, 4)
	c.out = binary.BigEndian.AppendUint32(b, h2ConnWindow-h2FirstWindow)
	h.readers.Go(c.read)
	return c
}

// h2Stream is one request under way. It belongs to its connection from exchange until
// done is told, and to the request before and after.
type h2Stream struct {
	ctx      context.Context
	req      *wire.Request
	call     *wire.Call
	deadline time.Time
	done     chan error // one slot

	id       uint32
	fate     fate
	window   int64     // what may still be sent
	firstBy  time.Time // when the first byte is due; zero: with the rest
	sent     bool      // the request is whole
	ended    bool      // the answer is whole, or the stream was given up
	final    bool      // the head of the final answer has come
	interims int
	length   int64 // announced by the answer; −1: not
	body     int64 // received
	unread   int   // bytes of data that the stream's window has not been refilled with
	heads    int   // size of the heads so far
}

// fate is what became of a request, as far as sending it again matters.
type fate struct {
	unseen bool // the server says that it did not look at it
	got    bool // something of an answer came
	kept   bool // the connection had waited, or carried a request before
	gzip   bool // the body is to be inflated
}

var h2Streams = sync.Pool{New: func() any { return &h2Stream{done: make(chan error, 1)} }}

func newStream(ctx context.Context, req *wire.Request, into *wire.Call, deadline time.Time) *h2Stream {
	s := h2Streams.Get().(*h2Stream)
	*s = h2Stream{ctx: ctx, req: req, call: into, deadline: deadline, done: s.done, length: -1}
	return s
}

func (s *h2Stream) free() {
	s.ctx, s.req, s.call = nil, nil, nil
	h2Streams.Put(s)
}

// exchange sends the request and waits for its answer. The error belongs to the stage.
func (c *h2Conn) exchange(s *h2Stream, to *target) (Stage, error) {
	if err := c.send(s, to); err != nil {
		return Sending, err
	}
	if len(s.req.Body) > 0 {
		c.upload(s)
	}
	err := <-s.done
	if err != nil {
		s.call.Response.Truncated = s.final
	}
	switch {
	case err == nil || s.final:
		return Receiving, err
	case !s.sent:
		return Sending, err
	}
	return FirstByte, err
}

// send opens the stream and puts the request's head on the wire.
func (c *h2Conn) send(s *h2Stream, to *target) error {
	o := c.client.o
	timing := &s.call.Timing
	timing.Remote = c.remote
	c.mu.Lock()
	if err := c.closedFor(s); err != nil {
		c.mu.Unlock()
		return err
	}
	s.id, s.window, s.fate.kept = c.next, c.initial, c.used
	c.next += 2
	if timing.Reused = c.used; !c.used {
		timing.Connect, timing.TLS = c.raw.connect, c.raw.tls
		c.used = true
	} else {
		c.client.counters.reused.Add(1)
	}
	c.open = append(c.open, s)
	before := len(c.out)
	c.appendRequest(s, to)
	timing.BytesOut = int64(len(c.out) - before)
	timing.Sent = o.Clock.Now()
	if o.FirstByteTimeout > 0 {
		s.firstBy = timing.Sent.Add(o.FirstByteTimeout)
	}
	s.sent = len(s.req.Body) == 0
	c.watch(s.ctx)
	due := s.deadline
	if !s.firstBy.IsZero() && s.firstBy.Before(due) {
		due = s.firstBy
	}
	c.remind(due)
	c.flush()
	return nil
}

// closedFor tells why no stream can be opened. c.mu is held.
func (c *h2Conn) closedFor(s *h2Stream) error {
	switch {
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case c.dead != nil:
		s.fate.unseen = true
		return c.dead
	case c.goodbye || c.next > h2LastStream:
		s.fate.unseen = true
		return errGoodbye
	}
	return nil
}

var errGoodbye = fmt.Errorf("the server takes no more requests on this connection: %w", io.EOF)

// flush writes what is to be written, unless somebody does already. It unlocks c.mu,
// which is held. Where several requests share the connection, others that are ready
// may add theirs first: one system call carries them all.
func (c *h2Conn) flush() {
	if c.writing || len(c.out) == 0 {
		c.mu.Unlock()
		return
	}
	c.writing = true
	if len(c.open) > 1 {
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	var err error
	for len(c.out) > 0 && err == nil {
		out := c.out
		c.out, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		_, err = c.nc.Write(out)
		c.mu.Lock()
		if cap(out) <= keepBuffers {
			c.spare = out
		}
		if c.hurried {
			c.hurried = false
			_ = c.nc.SetWriteDeadline(time.Time{})
		}
		c.moved.Broadcast()
	}
	c.writing = false
	c.mu.Unlock()
	if err != nil {
		c.end(err)
	}
}

// hand has somebody else write what is to be written. The reader must not: a server
// that does not read before it has written would wait for it for ever. It unlocks
// c.mu, which is held.
func (c *h2Conn) hand() {
	if c.writing || len(c.out) == 0 || c.dead != nil {
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.client.readers.Go(func() {
		c.mu.Lock()
		c.flush()
	})
}

// upload sends the body as far as the server's windows let it, and returns early when
// the stream ends before: its outcome then waits in done.
func (c *h2Conn) upload(s *h2Stream) {
	body := s.req.Body
	c.mu.Lock()
	for len(body) > 0 && !s.ended {
		n := min(int64(len(body)), int64(c.maxFrame), c.window, s.window)
		if n <= 0 || len(c.out) > h2Backlog {
			c.moved.Wait()
			continue
		}
		flags := byte(0)
		if n == int64(len(body)) {
			flags, s.sent = flagEndStream, true
		}
		c.out = append(appendFrame(c.out, frameData, flags, s.id, int(n)), body[:n]...)
		c.window -= n
		s.window -= n
		body = body[n:]
		s.call.Timing.BytesOut += n + frameHeader
		c.flush()
		c.mu.Lock()
	}
	c.mu.Unlock()
}

// finish ends a stream and tells its request. The first to say so is right. A stream
// that either side has not ended is reset with code, so that the server need not go
// on. c.mu is held.
func (c *h2Conn) finish(s *h2Stream, err error, reset bool, code uint32) {
	if s.ended {
		return
	}
	s.ended = true
	if i := slices.Index(c.open, s); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
	if reset && c.dead == nil {
		c.out = binary.BigEndian.AppendUint32(appendFrame(c.out, frameReset, 0, s.id, 4), code)
	}
	c.moved.Broadcast()
	s.done <- err
}

// end ends the connection and every request on it. It leaves the pool first: a request
// that goes out again must not get it a second time.
func (c *h2Conn) end(err error) {
	c.mu.Lock()
	if c.dead == nil {
		c.dead = err
	}
	c.mu.Unlock()
	c.pool.retire(c)
	c.mu.Lock()
	for len(c.open) > 0 {
		c.finish(c.open[0], c.dead, false, 0)
	}
	c.moved.Broadcast()
	for _, w := range c.watching {
		w.stop()
	}
	c.watching = nil
	c.mu.Unlock()
	c.nc.Close()
}

// cause is why the connection takes no more requests.
func (c *h2Conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil {
		return errGoodbye
	}
	return c.dead
}

// shut closes the connection; its reader ends and says so. It may be called with
// pool.mu held.
func (c *h2Conn) shut() { c.nc.Close() }

// watched is a context whose end ends its requests.
type watched struct {
	ctx  context.Context
	stop func() bool
}

// keptWatches is how many contexts a connection watches without need.
const keptWatches = 4

// watch makes the end of ctx end its requests. The registration stays with the
// connection, so that requests of one context cost it once. c.mu is held.
func (c *h2Conn) watch(ctx context.Context) {
	if ctx.Done() == nil || slices.ContainsFunc(c.watching, func(w watched) bool { return w.ctx == ctx }) {
		return
	}
	if len(c.watching) >= keptWatches {
		c.watching = slices.DeleteFunc(c.watching, func(w watched) bool {
			needed := slices.ContainsFunc(c.open, func(s *h2Stream) bool { return s.ctx == w.ctx })
			return !needed && w.ctx != ctx && stopped(w)
		})
	}
	c.watching = append(c.watching, watched{ctx, context.AfterFunc(ctx, c.expire)})
}

func stopped(w watched) bool {
	w.stop()
	return true
}

// remind has the reader look for late requests at the latest at t. c.mu is held.
func (c *h2Conn) remind(t time.Time) {
	if c.timer.IsZero() || t.Before(c.timer) {
		c.timer = t
		// An error means that the connection is closed, which is noticed elsewhere.
		_ = c.nc.SetReadDeadline(t)
	}
}

// expire ends the requests whose time is over or whose context has ended.
func (c *h2Conn) expire() {
	now := c.client.o.Clock.Now()
	c.mu.Lock()
	before := len(c.open)
	var next time.Time
	for _, s := range slices.Clone(c.open) {
		due := s.deadline
		if !s.firstBy.IsZero() && !s.fate.got && s.firstBy.Before(due) {
			due = s.firstBy
		}
		switch {
		case s.ctx.Err() != nil:
			c.finish(s, s.ctx.Err(), true, codeCancel)
		case !now.Before(due):
			c.finish(s, os.ErrDeadlineExceeded, true, codeCancel)
		case next.IsZero() || due.Before(next):
			next = due
		}
	}
	if c.writing && len(c.open) < before {
		c.hurried = true
		_ = c.nc.SetWriteDeadline(now.Add(h2LastWrite))
	}
	c.timer = next
	_ = c.nc.SetReadDeadline(next)
	c.hand()
}

// late reports whether a read failed only because its time was over.
func late(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded)
}
