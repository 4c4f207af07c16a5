package client

import (
	"bytes"
	"context"
	"io"
)

// framing is how the end of a body is told.
type framing uint8

const (
	empty    framing = iota
	counting         // Content-Length
	chunked          // Transfer-Encoding: chunked
	untilEnd         // the end of the connection
)

// Limits of chunked bodies: no server in use comes near.
const (
	maxChunkLine = 4 << 10  // a chunk's size with its extensions
	maxTrailer   = 64 << 10 // all trailer lines
)

// frame reads the body of one answer off its connection and stops where the
// body stops.
type frame struct {
	c     *leanConn
	kind  framing
	left  int64 // bytes of the body, or of the present chunk, still to come
	begun bool  // a chunk was read before; its line end is still to come
	ended bool
}

// Read gives bytes of the body; io.EOF at its end, io.ErrUnexpectedEOF when
// the connection ends before.
func (f *frame) Read(p []byte) (int, error) {
	if f.ended || f.kind == empty {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.kind == chunked && f.left == 0 {
		if err := f.nextChunk(); err != nil {
			return 0, err
		}
		if f.ended {
			return 0, io.EOF
		}
	}
	if f.kind != untilEnd && int64(len(p)) > f.left {
		p = p[:f.left]
	}
	n, err := f.c.take(p)
	if f.kind == untilEnd {
		f.ended = err == io.EOF
		return n, err
	}
	f.left -= int64(n)
	if f.kind == counting && f.left == 0 {
		f.ended = true
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// take reads from the buffer, or past it when it is empty.
func (c *leanConn) take(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.buf[c.r:c.w])
		c.r += n
		return n, nil
	}
	if len(p) >= len(c.buf) {
		return c.read(p)
	}
	c.r, c.w = 0, 0
	n, err := c.read(c.buf)
	if c.w = n; n == 0 {
		return 0, err
	}
	n = copy(p, c.buf[:n])
	c.r = n
	return n, nil
}

// nextChunk reads the line that begins a chunk and, after the last, the
// trailer, whose lines are dropped.
func (f *frame) nextChunk() error {
	ctx := context.Background() // its end moves the deadline; see leanConn.watch
	budget := maxChunkLine
	if f.begun {
		line, err := f.c.line(ctx, &budget)
		if err != nil {
			return err
		}
		if len(line) != 0 {
			return malformed("a chunk longer than announced")
		}
	}
	line, err := f.c.line(ctx, &budget)
	if err != nil {
		return err
	}
	size, err := parseChunkSize(line)
	if err != nil {
		return err
	}
	f.begun, f.left = true, size
	if size > 0 {
		return nil
	}
	budget = maxTrailer
	for {
		line, err := f.c.line(ctx, &budget)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			f.ended = true
			return nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		if _, _, err := parseField(line); err != nil {
			return err
		}
	}
}

// parseChunkSize reads a hexadecimal size, up to an extension.
func parseChunkSize(line []byte) (int64, error) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 {
		return 0, malformed("chunk size %q", clip(line))
	}
	var n int64
	for _, c := range line {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, malformed("chunk size %q", clip(line))
		}
		n = n<<4 | int64(c)
	}
	return n, nil
}
