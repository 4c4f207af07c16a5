package client

import (
	"encoding/binary"
	"io"
	"slices"

	"cutover/harness/wire"
)

// The frames of HTTP/2: RFC 9113, section 6.
const (
	frameData         = 0
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePush         = 5
	framePing         = 6
	frameGoodbye      = 7
	frameWindowUpdate = 8
	frameContinuation = 9

	frameHeader = 9 // bytes before a frame's payload

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTableSize     = 1
	settingEnablePush    = 2
	settingStreams       = 3
	settingInitialWindow = 4
	settingFrameSize     = 5
	settingMaxHeaderList = 6

	codeNone     = 0
	codeProtocol = 1
	codeRefused  = 7
	codeCancel   = 8
)

// noLimit stands for the streams of a server that sets no limit.
const noLimit = 1 << 20

// maxContinuations bounds the frames of one header block: at the smallest sensible
// size they hold more than MaxHeader.
const maxContinuations = 64

// frame2 is one frame; its payload is valid until the next is read.
type frame2 struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func (f *frame2) has(flag byte) bool { return f.flags&flag != 0 }

// read is the reading goroutine of a connection.
func (c *h2Conn) read() {
	for {
		f, err := c.frame()
		if err == nil {
			err = c.take(f)
		}
		if err != nil {
			if err == io.EOF {
				c.raw.endedByPeer() // TLS has an end of its own
			}
			if c.midAnswer() && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			c.end(err)
			return
		}
	}
}

// midAnswer reports whether some answer has begun.
func (c *h2Conn) midAnswer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.open, func(s *h2Stream) bool { return s.fate.got })
}

// frame reads the next frame into the buffer.
func (c *h2Conn) frame() (frame2, error) {
	if err := c.need(frameHeader); err != nil {
		return frame2{}, err
	}
	h := c.buf[c.r:]
	n := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	f := frame2{kind: h[3], flags: h[4], stream: binary.BigEndian.Uint32(h[5:]) & h2LastStream}
	if n > h2FrameSize {
		return f, malformed("a frame of %d bytes", n)
	}
	if err := c.need(frameHeader + n); err != nil {
		return f, err
	}
	f.payload = c.buf[c.r+frameHeader : c.r+frameHeader+n]
	c.r += frameHeader + n
	return f, nil
}

// need reads until n bytes are in the buffer, which holds more than a frame. A read
// whose time is over looks for late requests and goes on.
func (c *h2Conn) need(n int) error {
	if c.w-c.r >= n {
		return nil
	}
	if c.r == c.w {
		c.r, c.w = 0, 0
	} else if c.r+n > len(c.buf) {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	for c.w-c.r < n {
		got, err := c.nc.Read(c.buf[c.w:])
		c.w += got
		switch {
		case got > 0:
		case err != nil && late(err):
			c.expire()
		case err != nil:
			return err
		default:
			return io.ErrNoProgress
		}
	}
	return nil
}

// take does what a frame says. Its error ends the connection.
func (c *h2Conn) take(f frame2) error {
	switch f.kind {
	case frameData:
		return c.data(f)
	case frameHeaders:
		return c.headers(f)
	case frameReset:
		return c.reset(f)
	case frameSettings:
		return c.settings(f)
	case framePing:
		return c.ping(f)
	case frameGoodbye:
		return c.farewell(f)
	case frameWindowUpdate:
		return c.widen(f)
	case framePush:
		return malformed("a push that was not allowed")
	case frameContinuation:
		return malformed("a continuation of nothing")
	}
	return nil // priority, and what is not known, means nothing here
}

// find returns the stream of that id, nil when it is over. c.mu is held.
func (c *h2Conn) find(id uint32) *h2Stream {
	for _, s := range c.open {
		if s.id == id {
			return s
		}
	}
	return nil
}

// began reports whether id is of a stream that this side has opened. c.mu is held.
func (c *h2Conn) began(id uint32) bool { return id%2 == 1 && id < c.next }

// unpad cuts the padding off a payload.
func unpad(f *frame2) error {
	if !f.has(flagPadded) {
		return nil
	}
	if len(f.payload) == 0 || int(f.payload[0]) >= len(f.payload) {
		return malformed("padding longer than its frame")
	}
	f.payload = f.payload[1 : len(f.payload)-int(f.payload[0])]
	return nil
}

// data takes a piece of a body.
func (c *h2Conn) data(f frame2) error {
	whole := len(f.payload)
	if err := unpad(&f); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.hand()
	if !c.began(f.stream) {
		return malformed("data on stream %d, which nobody opened", f.stream)
	}
	if c.unread += whole; c.unread >= h2Window {
		c.out = binary.BigEndian.AppendUint32(appendFrame(c.out, frameWindowUpdate, 0, 0, 4), uint32(c.unread))
		c.unread = 0
	}
	s := c.find(f.stream)
	if s == nil {
		return nil // given up: what was on its way is dropped
	}
	s.call.Timing.BytesIn += int64(frameHeader + whole)
	if !s.final {
		c.finish(s, malformed("data before the head of an answer"), true, codeProtocol)
		return nil
	}
	resp := &s.call.Response
	room := c.client.o.MaxBody
	if s.fate.gzip {
		room = max(room, DefaultMaxBody)
	}
	if s.body += int64(len(f.payload)); s.body > room {
		resp.Body = append(resp.Body, f.payload[:max(0, int64(len(f.payload))-(s.body-room))]...)
		c.finish(s, errTooLarge, true, codeCancel)
		return nil
	}
	if len(resp.Body)+len(f.payload) > cap(resp.Body) {
		resp.Body = slices.Grow(resp.Body, max(len(f.payload), min(len(resp.Body), 8*bodyStep), int(min(max(s.length, 0), bodyStep))))
	}
	resp.Body = append(resp.Body, f.payload...)
	if f.has(flagEndStream) {
		c.whole(s)
		return nil
	}
	if s.unread += whole; s.unread >= h2Window/2 {
		c.out = binary.BigEndian.AppendUint32(appendFrame(c.out, frameWindowUpdate, 0, s.id, 4), uint32(s.unread))
		s.unread = 0
	}
	return nil
}

// whole ends a stream whose answer is whole. A server that did not wait for the rest
// of the request is told that it will not come. c.mu is held.
func (c *h2Conn) whole(s *h2Stream) {
	none := s.req.Method == "HEAD" || s.call.Response.Status == 204 || s.call.Response.Status == 304
	switch {
	case none || s.length < 0 || s.body == s.length:
		c.finish(s, nil, !s.sent, codeNone)
	case s.body < s.length: // as with a connection that ends early
		c.finish(s, io.ErrUnexpectedEOF, !s.sent, codeProtocol)
	default:
		c.finish(s, malformed("a body of %d bytes that was announced as %d", s.body, s.length), !s.sent, codeProtocol)
	}
}

// headers takes a head or a trailer, with the frames that continue it.
func (c *h2Conn) headers(f frame2) error {
	if err := unpad(&f); err != nil {
		return err
	}
	if f.has(flagPriority) {
		if len(f.payload) < 5 {
			return malformed("a head without its priority")
		}
		f.payload = f.payload[5:]
	}
	block := f.payload
	if !f.has(flagEndHeaders) {
		var err error
		if block, err = c.continued(f); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.hand()
	if !c.began(f.stream) {
		return malformed("a head on stream %d, which nobody opened", f.stream)
	}
	s := c.find(f.stream)
	trailer := s != nil && s.final
	if err := c.decode(s, block, trailer); err != nil {
		return err
	}
	if s == nil {
		return nil
	}
	if !s.fate.got {
		s.fate.got, s.call.Timing.FirstByte = true, c.client.o.Clock.Now()
	}
	c.head(s, trailer, f.has(flagEndStream))
	return nil
}

// head makes the decoded fields the head of an answer, interim or final, or ends it
// with its trailer. c.mu is held.
func (c *h2Conn) head(s *h2Stream, trailer, end bool) {
	r, resp := &c.fields, &s.call.Response
	s.call.Timing.BytesIn += int64(r.size)
	s.heads += r.size
	s.interims++
	switch {
	case r.err == nil && s.heads > MaxHeader:
		r.err = errTooLarge
	case r.err == nil && trailer && !end:
		r.err = malformed("a second head")
	case r.err == nil && !trailer && r.status < 200 && (end || r.status == 101 || s.interims > maxInterim):
		r.err = malformed("an interim answer %d at the wrong place", r.status)
	}
	if r.err != nil {
		if !trailer {
			resp.Header = resp.Header[:0]
		}
		c.finish(s, r.err, true, codeProtocol)
		return
	}
	if !trailer && r.status >= 200 {
		s.final, s.length = true, r.length
		resp.Status, resp.Proto = r.status, "HTTP/2.0"
		s.fate.gzip = r.gzip && r.length != 0 && s.req.Method != "HEAD"
	}
	if end {
		c.whole(s)
	}
}

// continued joins the frames of a header block, up to the limits.
func (c *h2Conn) continued(f frame2) ([]byte, error) {
	c.block = append(c.block[:0], f.payload...)
	for range maxContinuations {
		next, err := c.frame()
		if err != nil {
			return nil, err
		}
		if next.kind != frameContinuation || next.stream != f.stream {
			return nil, malformed("a head that is not continued")
		}
		if c.block = append(c.block, next.payload...); len(c.block) > MaxHeader {
			return nil, errTooLarge
		}
		if next.has(flagEndHeaders) {
			return c.block, nil
		}
	}
	return nil, errTooLarge
}

// inflate undoes the compression of a whole body.
func inflate(into *wire.Call, limit int64) error {
	packed := slices.Clone(into.Response.Body)
	var err error
	into.Response.Body, err = gunzip(into.Response.Body[:0], &sliceReader{packed}, limit)
	if err != nil {
		into.Response.Truncated = true
	}
	return err
}

// sliceReader reads a slice.
type sliceReader struct{ rest []byte }

// Read gives what is left.
func (s *sliceReader) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
