package client

import (
	"context"
	"hash/maphash"
	"net"
	"strconv"
	"sync"
	"time"

	"cutover/harness/wire"
)

const (
	upload      = 128 << 10 // a longer request is sent while its answer is awaited
	readBuffer  = 8 << 10   // a whole small answer in one system call
	keepBuffers = 64 << 10  // buffers that grew beyond are dropped with the request
	keptSets    = 32        // header names and values remembered by a connection:
	keptInSet   = 4         // so many by each of so many remainders of the hash
)

// leanConn is one HTTP/1.1 connection. Between take and release it belongs to
// one request; only cancel is called from elsewhere.
type leanConn struct {
	client *lean
	nc     net.Conn // what is spoken over: a TCP or a TLS connection
	raw    *conn    // the TCP connection under it
	remote string

	out  []byte // the request's bytes
	buf  []byte // what has been read and not consumed is buf[r:w]
	r, w int
	body frame

	used      bool          // carried a request before
	kept      bool          // has waited in the pool, where the server may have ended it
	deadline  time.Time     // of the present exchange
	got       bool          // something of the present answer has arrived
	first     time.Time     // when that was
	in        int64         // bytes received in this exchange
	reads     int           // in how many pieces
	firstRead int           // which of them came first
	keep      bool          // fit for another request
	expires   time.Time     // no use after that
	keepFor   time.Duration // how long the server said it keeps the connection, 0 if it did not

	again lastHead
	moved bool // the buffer was moved since the present head began

	seed    maphash.Seed
	strings [keptSets][keptInSet]string

	watching context.Context // whose end interrupts; nil for none
	unwatch  func() bool
	mu       sync.Mutex
	turn     uint64 // guarded by mu; a watcher of another turn is too late
}

func newLeanConn(l *lean, nc net.Conn, raw *conn) *leanConn {
	c := &leanConn{client: l, nc: nc, raw: raw, buf: make([]byte, readBuffer), seed: maphash.MakeSeed()}
	if address := nc.RemoteAddr(); address != nil {
		c.remote = address.String()
	}
	c.body.c = c
	return c
}

// exchange sends req and reads the answer. The error belongs to the stage.
func (c *leanConn) exchange(ctx context.Context, req *wire.Request, to *target, into *wire.Call, deadline time.Time) (Stage, error) {
	o := c.client.o
	timing := &into.Timing
	timing.Remote, timing.Reused = c.remote, c.used
	if !c.used {
		timing.Connect, timing.TLS = c.raw.connect, c.raw.tls
	}
	c.got, c.keep, c.in, c.reads, c.deadline = false, false, 0, 0, deadline
	c.watch(ctx)
	c.encode(req, to)
	timing.Sent = o.Clock.Now()
	if err := c.limit(ctx, deadline); err != nil {
		return Sending, err
	}
	var sendErr, err error
	if len(c.out) > upload {
		sendErr, err = c.sendWhileReceiving(ctx, req, into)
	} else if sendErr, err = c.sendThenReceive(ctx, req, into); sendErr != nil && timing.BytesOut == 0 {
		return Sending, sendErr
	}
	timing.BytesIn = c.in
	timing.FirstByte = c.first
	if !c.got {
		timing.FirstByte = time.Time{}
	}
	switch {
	case err == nil:
		c.keep = c.keep && sendErr == nil && c.r == c.w
		return Receiving, nil
	case !c.got && sendErr != nil:
		return Sending, sendErr
	case !c.got:
		return FirstByte, err
	}
	return Receiving, err
}

// sendThenReceive does so. A server may answer and close before it has read
// everything, as with 413: its answer counts more than the broken sending.
func (c *leanConn) sendThenReceive(ctx context.Context, req *wire.Request, into *wire.Call) (sendErr, err error) {
	n, sendErr := c.nc.Write(c.out)
	into.Timing.BytesOut = int64(n)
	if sendErr != nil && n == 0 {
		return sendErr, nil
	}
	limit := c.client.o.FirstByteTimeout
	if soon := into.Timing.Sent.Add(limit); limit > 0 && soon.Before(c.deadline) {
		if err := c.limit(ctx, soon); err != nil {
			return sendErr, err
		}
	}
	return sendErr, c.receive(ctx, req, into)
}

// sendWhileReceiving is for uploads that do not fit into the buffers of the
// network: a server that refuses one without reading it would otherwise not be
// heard. FirstByteTimeout does not count here.
func (c *leanConn) sendWhileReceiving(ctx context.Context, req *wire.Request, into *wire.Call) (sendErr, err error) {
	type sending struct {
		n   int
		err error
	}
	done := make(chan sending, 1)
	go func() {
		n, err := c.nc.Write(c.out)
		done <- sending{n, err}
	}()
	err = c.receive(ctx, req, into)
	// Whoever has answered does not want the rest. A finished write is not
	// disturbed, and an error means that the connection is closed.
	_ = c.nc.SetWriteDeadline(time.Unix(1, 0))
	sent := <-done
	into.Timing.BytesOut = int64(sent.n)
	return sent.err, err
}

// encode writes the request into the connection's buffer.
func (c *leanConn) encode(req *wire.Request, to *target) {
	o := c.client.o
	b := append(c.out[:0], req.Method...)
	b = append(b, ' ')
	if to.path == "" || to.query {
		b = append(b, '/')
	}
	b = append(b, to.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	if o.Host != "" {
		b = append(b, o.Host...)
	} else {
		b = append(b, to.authority...)
	}
	b = append(b, "\r\n"...)
	if !req.Header.Has("User-Agent") {
		b = appendField(b, "User-Agent", o.UserAgent)
	}
	for i := range req.Header {
		b = appendField(b, req.Header[i].Name, req.Header[i].Value)
	}
	if req.Authorization != "" {
		b = appendField(b, "Authorization", req.Authorization)
	}
	if !req.Header.Has("Accept-Encoding") {
		b = append(b, "Accept-Encoding: gzip\r\n"...)
	}
	if o.Connections == PerRequest {
		b = append(b, "Connection: close\r\n"...)
	}
	if len(req.Body) > 0 || req.Method == "POST" || req.Method == "PUT" || req.Method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(req.Body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	c.out = append(b, req.Body...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// rest prepares the connection for waiting in the pool.
func (c *leanConn) rest(now time.Time) {
	c.used, c.kept, c.expires = true, true, now.Add(idleLimit)
	if c.keepFor > 0 && c.keepFor < idleLimit {
		c.expires = now.Add(c.keepFor - c.keepFor/10) // the answer was on its way for a while
	}
	if cap(c.out) > keepBuffers {
		c.out = nil
	}
	if len(c.buf) > keepBuffers {
		c.buf = make([]byte, readBuffer)
	}
	c.r, c.w = 0, 0
}

// shut closes the connection for good.
func (c *leanConn) shut() {
	if c.unwatch != nil {
		c.unwatch()
	}
	c.nc.Close()
}

// limit sets the deadline of reads and writes. It is to be called after watch:
// an end of ctx that came before is noticed here, one that comes later will
// move the deadline.
func (c *leanConn) limit(ctx context.Context, at time.Time) error {
	if err := c.nc.SetDeadline(at); err != nil {
		return err
	}
	return ctx.Err()
}

// watch makes the end of ctx interrupt the exchange. The registration stays
// with the connection, so that requests of one context cost it once.
func (c *leanConn) watch(ctx context.Context) {
	if ctx == c.watching {
		return
	}
	if c.unwatch != nil {
		c.unwatch()
		c.unwatch = nil
	}
	c.mu.Lock()
	c.turn++
	turn := c.turn
	c.mu.Unlock()
	c.watching = ctx
	if ctx.Done() != nil {
		c.unwatch = context.AfterFunc(ctx, func() { c.interrupt(turn) })
	}
}

// interrupt makes reads and writes fail at once, unless the connection has
// passed on to another context.
func (c *leanConn) interrupt(turn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == turn {
		// An error means that the connection is closed, which is as good.
		_ = c.nc.SetDeadline(time.Unix(1, 0))
	}
}

// intern returns b as a string, the same one as before when it was seen lately.
// A string lives in one of a few slots chosen by its hash; the newest is first.
func (c *leanConn) intern(b []byte) string {
	slots := &c.strings[maphash.Bytes(c.seed, b)%keptSets]
	for i := range slots {
		if slots[i] == string(b) {
			return slots[i]
		}
	}
	copy(slots[1:], slots[:])
	slots[0] = string(b)
	return slots[0]
}
