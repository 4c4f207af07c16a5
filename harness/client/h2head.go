package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"cutover/harness/wire"
)

// lastRequest is the request whose header block was written last. Blocks use no
// dynamic table, so the same request is the same block.
type lastRequest struct {
	method, url, authorization string
	fields                     wire.Header
	block                      []byte
}

func (l *lastRequest) same(req *wire.Request) bool {
	return len(l.block) > 0 && l.url == req.URL && l.method == req.Method && l.authorization == req.Authorization && slices.Equal(l.fields, req.Header)
}

// appendRequest adds the frames of a request's head to what is to be written. c.mu is
// held.
func (c *h2Conn) appendRequest(s *h2Stream, to *target) {
	req := s.req
	hasBody := len(req.Body) > 0
	if hasBody || !c.request.same(req) {
		l := &c.request
		l.block = c.client.encode(l.block[:0], req, to)
		l.method, l.url, l.authorization, l.fields = req.Method, req.URL, req.Authorization, append(l.fields[:0], req.Header...)
		if hasBody {
			l.method = "" // its block names a length
		}
	}
	block := c.request.block
	if c.shrunk {
		block, c.shrunk = append([]byte{sizeZero}, block...), false
	}
	flags := byte(0)
	if !hasBody {
		flags = flagEndStream
	}
	kind := byte(frameHeaders)
	for first := true; first || len(block) > 0; first = false {
		n := min(len(block), c.maxFrame)
		if n == len(block) {
			flags |= flagEndHeaders
		}
		c.out = append(appendFrame(c.out, kind, flags, s.id, n), block[:n]...)
		block, kind, flags = block[n:], frameContinuation, 0
	}
}

// sizeZero gives the dynamic table up: RFC 7541, section 6.3.
const sizeZero = 0x20

// Indexes of the static table: RFC 7541, appendix A.
const (
	indexAuthority      = 1
	indexGet            = 2
	indexPost           = 3
	indexPath           = 4
	indexHTTP           = 6
	indexHTTPS          = 7
	indexMethod         = 2
	indexAuthorization  = 23
	indexContentLength  = 28
	indexUserAgent      = 58
	indexAcceptEncoding = 16
)

// encode appends the header block of req.
func (h *h2) encode(b []byte, req *wire.Request, to *target) []byte {
	switch req.Method {
	case "GET":
		b = append(b, 0x80|indexGet)
	case "POST":
		b = append(b, 0x80|indexPost)
	default:
		b = appendLiteral(b, indexMethod, req.Method)
	}
	scheme := byte(0x80 | indexHTTP)
	if to.secure {
		scheme = 0x80 | indexHTTPS
	}
	b = append(b, scheme)
	b = appendLiteral(b, indexAuthority, orElse(h.o.Host, to.authority))
	if to.path == "" || to.query {
		b = appendPrefixed(append(b, indexPath), "/", to.path)
	} else {
		b = appendLiteral(b, indexPath, to.path)
	}
	if !req.Header.Has("User-Agent") {
		b = appendLiteral(b, indexUserAgent, h.o.UserAgent)
	}
	for i := range req.Header {
		if f := &req.Header[i]; !ofConnection(f.Name) {
			b = appendNamed(b, f.Name, f.Value)
		}
	}
	if req.Authorization != "" {
		b = appendString(appendInteger(b, 0x10, 4, indexAuthorization), req.Authorization) // never indexed: section 7.1.3
	}
	if !req.Header.Has("Accept-Encoding") {
		b = appendLiteral(b, indexAcceptEncoding, "gzip")
	}
	if len(req.Body) > 0 || req.Method == "POST" || req.Method == "PUT" || req.Method == "PATCH" {
		b = appendLiteral(b, indexContentLength, strconv.Itoa(len(req.Body)))
	}
	return b
}

// ofConnection reports whether a field speaks of the connection, which HTTP/2 has no
// place for: RFC 9113, section 8.2.2.
func ofConnection(name string) bool {
	switch len(name) {
	case len("te"):
		return equalFold(name, "te")
	case len("upgrade"):
		return equalFold(name, "upgrade")
	case len("connection"): // keep-alive is as long
		return equalFold(name, "connection") || equalFold(name, "keep-alive")
	case len("proxy-connection"):
		return equalFold(name, "proxy-connection")
	case len("transfer-encoding"):
		return equalFold(name, "transfer-encoding")
	}
	return false
}

// appendLiteral appends a value under a name of the static table, without indexing.
func appendLiteral(b []byte, index uint64, value string) []byte {
	return appendString(appendInteger(b, 0, 4, index), value)
}

// appendNamed appends a field under a name of its own, in lower case.
func appendNamed(b []byte, name, value string) []byte {
	b = appendInteger(append(b, 0), 0, 7, uint64(len(name)))
	for i := range len(name) {
		b = append(b, lower(name[i]))
	}
	return appendString(b, value)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func appendString(b []byte, s string) []byte {
	return append(appendInteger(b, 0, 7, uint64(len(s))), s...)
}

func appendPrefixed(b []byte, prefix, s string) []byte {
	return append(append(appendInteger(b, 0, 7, uint64(len(prefix)+len(s))), prefix...), s...)
}

// appendInteger appends n behind the pattern, n having bits of the first byte.
func appendInteger(b []byte, pattern byte, bits uint, n uint64) []byte {
	limit := uint64(1)<<bits - 1
	if n < limit {
		return append(b, pattern|byte(n))
	}
	b = append(b, pattern|byte(limit))
	for n -= limit; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// lastBlock is the header block of a connection's last answer and what it said.
type lastBlock struct {
	raw    []byte // empty: none
	status int
	length int64
	gzip   bool
	size   int
	fields wire.Header
}

// staysPut reports whether a header block neither adds to the dynamic table nor
// changes its size, so that leaving it out leaves the decoder as it is, and the same
// block that follows it means the same.
func staysPut(b []byte) bool {
	for len(b) > 0 {
		switch first := b[0]; {
		case first&0x80 != 0: // indexed
			b = skipInteger(b, 7)
		case first&0xc0 == 0x40, first&0xe0 == 0x20: // literal with indexing, size update
			return false
		default: // literal without indexing
			named := first&0x0f != 0
			if b = skipInteger(b, 4); !named {
				b = skipString(b)
			}
			b = skipString(b)
		}
	}
	return true
}

// skipInteger and skipString skip one; what is broken has been refused by the decoder.
func skipInteger(b []byte, bits uint) []byte {
	limit := byte(1)<<bits - 1
	more := b[0]&limit == limit
	b = b[1:]
	for more && len(b) > 0 {
		more = b[0]&0x80 != 0
		b = b[1:]
	}
	return b
}

func skipString(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	n, used := uint64(b[0]&0x7f), 1
	if n == 0x7f {
		rest := b[1:]
		for shift := uint(0); len(rest) > 0 && shift < 63; shift += 7 {
			n += uint64(rest[0]&0x7f) << shift
			used++
			if rest[0]&0x80 == 0 {
				break
			}
			rest = rest[1:]
		}
	}
	return b[min(uint64(len(b)), uint64(used)+n):]
}

// fieldRules are what holds for the fields of one head while it is decoded.
type fieldRules struct {
	status  int
	length  int64
	gzip    bool
	regular bool // a field that is no pseudo-field has come
	trailer bool
	size    int
	err     error
}

// field takes one decoded field; the decoder calls it.
func (c *h2Conn) field(f hpack.HeaderField) {
	r := &c.fields
	if r.size += len(f.Name) + len(f.Value) + 32; r.size > MaxHeader {
		r.err = errTooLarge
	}
	if r.err != nil {
		return
	}
	if strings.HasPrefix(f.Name, ":") {
		r.pseudo(f)
		return
	}
	r.regular = true
	if !isToken(f.Name) || strings.ContainsFunc(f.Name, func(c rune) bool { return c >= 'A' && c <= 'Z' }) || !isValue([]byte(f.Value)) {
		r.err = malformed("header line %q", clip([]byte(f.Name)))
		return
	}
	switch f.Name {
	case "content-length":
		n, err := parseLength([]byte(f.Value))
		if err != nil || r.length >= 0 && n != r.length {
			r.err = malformed("content-length %q", clip([]byte(f.Value)))
		}
		r.length = n
	case "content-encoding":
		r.gzip = isGzip(f.Value)
	case "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection":
		r.err = malformed("the field %s over HTTP/2", f.Name)
	}
	if c.emit != nil && !r.trailer {
		c.emit.call.Response.Header = append(c.emit.call.Response.Header, wire.Field{Name: f.Name, Value: f.Value})
	}
}

func (r *fieldRules) pseudo(f hpack.HeaderField) {
	n, err := strconv.Atoi(f.Value)
	if f.Name != ":status" || r.regular || r.trailer || r.status != 0 || err != nil || len(f.Value) != 3 || n < 100 {
		r.err = malformed("pseudo header %q", clip([]byte(f.Name)))
		return
	}
	r.status = n
}

// decode takes a whole header block apart into the head of s, nil when nobody waits
// for it any more: the dynamic table has to follow all the same. The error ends the
// connection; what is wrong with the answer alone is in fields.err. c.mu is held.
func (c *h2Conn) decode(s *h2Stream, block []byte, trailer bool) error {
	l := &c.last
	if s != nil && !trailer && len(l.raw) > 0 && bytes.Equal(block, l.raw) {
		c.fields = fieldRules{status: l.status, length: l.length, gzip: l.gzip, size: l.size}
		s.call.Response.Header = append(s.call.Response.Header[:0], l.fields...)
		return nil
	}
	c.fields, c.emit = fieldRules{length: -1, trailer: trailer}, s
	if s != nil && !trailer {
		s.call.Response.Header = s.call.Response.Header[:0]
	}
	_, err := c.decoder.Write(block)
	if err == nil {
		err = c.decoder.Close()
	}
	c.emit = nil
	switch {
	case errors.Is(err, hpack.ErrStringLength):
		return errTooLarge
	case err != nil:
		return malformed("header block: %w", err)
	}
	r := &c.fields
	if !trailer && r.status == 0 && r.err == nil {
		r.err = malformed("an answer without a status")
	}
	if !staysPut(block) {
		l.raw = l.raw[:0]
	} else if s != nil && !trailer && r.err == nil && len(block) <= keepHead {
		l.raw = append(l.raw[:0], block...)
		l.fields = append(l.fields[:0], s.call.Response.Header...)
		l.status, l.length, l.gzip, l.size = r.status, r.length, r.gzip, r.size
	}
	return nil
}

// appendFrame appends the head of a frame; n bytes are to follow.
func appendFrame(b []byte, kind, flags byte, stream uint32, n int) []byte {
	b = append(b, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendSetting(b []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), value)
}
