package client

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"time"

	"cutover/harness/wire"
)

// maxInterim bounds the 1xx answers before the final one.
const maxInterim = 16

// receive reads one answer: its head, past interim ones, and its body.
func (c *leanConn) receive(ctx context.Context, req *wire.Request, into *wire.Call) error {
	resp := &into.Response
	budget := MaxHeader // for the heads of all answers together
	for range maxInterim {
		resp.Header = resp.Header[:0]
		head, err := c.head(ctx, resp, &budget)
		if err != nil {
			resp.Status, resp.Proto, resp.Header = 0, "", resp.Header[:0]
			return err
		}
		if resp.Status >= 100 && resp.Status < 200 && resp.Status != 101 {
			continue
		}
		return c.content(req, &head, resp)
	}
	resp.Status, resp.Proto, resp.Header = 0, "", resp.Header[:0]
	return malformed("more than %d interim answers", maxInterim)
}

// head is what the head of an answer says about its body and its connection.
type head struct {
	length   int64 // −1: not said
	chunked  bool
	close    bool // the connection ends with this answer
	gzip     bool
	upgraded bool
}

// head reads a status line and header lines.
func (c *leanConn) head(ctx context.Context, resp *wire.Response, budget *int) (head, error) {
	h := head{length: -1}
	if c.r == c.w {
		if err := c.fill(ctx); err != nil {
			return h, err
		}
	}
	if c.again.matches(c.buf[c.r:c.w]) {
		return c.sameHead(resp, budget), nil
	}
	began := c.r
	c.moved = false
	line, err := c.line(ctx, budget)
	if err != nil {
		return h, err
	}
	minor, status, err := parseStatus(line)
	if err != nil {
		return h, err
	}
	resp.Status, resp.Proto = status, "HTTP/1.1"
	if minor == 0 {
		resp.Proto, h.close = "HTTP/1.0", true
	}
	h.upgraded = status == 101
	c.keepFor = 0
	for {
		line, err = c.line(ctx, budget)
		if err != nil {
			return h, err
		}
		if len(line) == 0 {
			if !c.moved {
				c.again.keep(c.buf[began:c.r], h, resp, c.keepFor)
			}
			return h, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if err := fold(resp.Header, line); err != nil {
				return h, err
			}
			continue
		}
		name, value, err := parseField(line)
		if err != nil {
			return h, err
		}
		if err := c.notice(&h, name, value, minor); err != nil {
			return h, err
		}
		resp.Header = append(resp.Header, wire.Field{Name: c.intern(name), Value: c.intern(value)})
	}
}

// fold joins a continuation line to the value before it.
func fold(header wire.Header, line []byte) error {
	if len(header) == 0 {
		return malformed("a continuation before the first header line")
	}
	if !isValue(line) {
		return malformed("control byte in a header line")
	}
	last := &header[len(header)-1]
	if isFraming(last.Name) {
		return malformed("%s over several lines", last.Name)
	}
	last.Value += " " + string(bytes.Trim(line, " \t"))
	return nil
}

func isFraming(name string) bool {
	return equalFold(name, "content-length") || equalFold(name, "transfer-encoding") || equalFold(name, "connection") || equalFold(name, "content-encoding")
}

// notice takes from a header line what matters to framing.
func (c *leanConn) notice(h *head, name, value []byte, minor int) error {
	switch {
	case equalFold(name, "connection"):
		if hasWord(value, "close") {
			h.close = true
		} else if minor == 0 && hasWord(value, "keep-alive") {
			h.close = false
		}
	case equalFold(name, "keep-alive"):
		c.keepFor = keepTimeout(value)
	case equalFold(name, "content-encoding"):
		h.gzip = equalFold(value, "gzip") || equalFold(value, "x-gzip")
	case equalFold(name, "content-length"):
		n, err := parseLength(value)
		if err != nil || h.length >= 0 && n != h.length {
			return malformed("Content-Length %q", value)
		}
		h.length = n
	case equalFold(name, "transfer-encoding"):
		if h.chunked || !equalFold(value, "chunked") {
			return malformed("Transfer-Encoding %q, only chunked is known", value)
		}
		h.chunked = true
	}
	return nil
}

// content reads the body that the head announced.
func (c *leanConn) content(req *wire.Request, h *head, resp *wire.Response) error {
	none := req.Method == "HEAD" || resp.Status == 204 || resp.Status == 304 || h.upgraded
	c.keep = !h.close && !h.upgraded
	if h.close && c.client.o.Connections != PerRequest {
		c.raw.endedByPeer()
	}
	b := &c.body
	*b = frame{c: c}
	switch {
	case none || h.length == 0 && !h.chunked:
		return nil
	case h.chunked:
		b.kind = chunked
		if h.length >= 0 { // a sign of smuggling: RFC 9112, section 6.3
			c.keep = false
		}
	case h.length > 0:
		b.kind, b.left = counting, h.length
	default:
		b.kind, c.keep = untilEnd, false
	}
	limit := c.client.o.MaxBody
	var err error
	if h.gzip {
		resp.Body, err = gunzip(resp.Body, b, limit)
	} else {
		if b.kind == counting && h.length <= bodyStep && int64(cap(resp.Body)) < h.length {
			resp.Body = make([]byte, 0, h.length)
		}
		resp.Body, err = readAll(resp.Body, b, limit)
	}
	if err != nil {
		resp.Truncated, c.keep = true, false
	}
	return err
}

// line returns the next line without its end. It is valid until the next read.
func (c *leanConn) line(ctx context.Context, budget *int) ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(c.buf[c.r+seen:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : c.r+seen+i]
			c.r += seen + i + 1
			if *budget -= len(line) + 1; *budget < 0 {
				return nil, errTooLarge
			}
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		seen = c.w - c.r
		if seen > *budget {
			return nil, errTooLarge
		}
		if err := c.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// fill reads more into the buffer, making room for it.
func (c *leanConn) fill(ctx context.Context) error {
	switch {
	case c.r == c.w:
		c.r, c.w, c.moved = 0, 0, true
	case c.w == len(c.buf) && c.r > 0:
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r, c.moved = 0, true
	case c.w == len(c.buf):
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.read(c.buf[c.w:])
	c.w += n
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	if n > 0 {
		err = nil // it comes again with the next read
		if !c.got {
			c.got, c.first, c.firstRead = true, c.client.o.Clock.Now(), c.reads
			if c.client.o.FirstByteTimeout > 0 {
				err = c.limit(ctx, c.deadline)
			}
		}
	}
	if err == io.EOF && c.got {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// read reads from the network and counts.
func (c *leanConn) read(p []byte) (int, error) {
	n, err := c.nc.Read(p)
	c.in += int64(n)
	c.reads++
	if err == io.EOF {
		c.raw.endedByPeer() // TLS has an end of its own
	}
	return n, err
}

// parseStatus takes a status line apart.
func parseStatus(line []byte) (minor, status int, err error) {
	const shape = "HTTP/1.x 200"
	if len(line) < len(shape) || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' ||
		len(line) > len(shape) && line[len(shape)] != ' ' {
		return 0, 0, malformed("status line %q", clip(line))
	}
	for _, digit := range line[9:12] {
		if digit < '0' || digit > '9' {
			return 0, 0, malformed("status line %q", clip(line))
		}
		status = status*10 + int(digit-'0')
	}
	if status < 100 {
		return 0, 0, malformed("status %03d", status)
	}
	return int(line[7] - '0'), status, nil
}

// parseField splits a header line; blanks around the value are dropped.
func parseField(line []byte) (name, value []byte, err error) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || !isToken(line[:i]) {
		return nil, nil, malformed("header line %q", clip(line))
	}
	value = bytes.Trim(line[i+1:], " \t")
	if !isValue(value) {
		return nil, nil, malformed("control byte in a header line")
	}
	return line[:i], value, nil
}

// isValue reports whether b holds no control byte but tabs.
func isValue(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// clip keeps what a server sent out of messages, but for its beginning.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

// parseLength reads a Content-Length: digits alone, or a list of equal ones.
func parseLength(value []byte) (int64, error) {
	if len(value) == 0 || len(value) > 18 {
		return 0, strconv.ErrRange
	}
	var n int64
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + int64(digit-'0')
	}
	return n, nil
}

// equalFold compares without regard to case; lower is in lower case.
func equalFold[T string | []byte](b T, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// hasWord reports whether a comma-separated list holds the word.
func hasWord(list []byte, word string) bool {
	for len(list) > 0 {
		one := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			one, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if equalFold(bytes.Trim(one, " \t"), word) {
			return true
		}
	}
	return false
}

// keepTimeout reads "timeout=5" out of a Keep-Alive header; 0 if it has none.
func keepTimeout(value []byte) time.Duration {
	for len(value) > 0 {
		one := value
		if i := bytes.IndexByte(value, ','); i >= 0 {
			one, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		one = bytes.Trim(one, " \t")
		if len(one) > 8 && equalFold(one[:8], "timeout=") {
			if n, err := parseLength(one[8:]); err == nil && n < 3600 {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}
