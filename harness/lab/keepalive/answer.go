package keepalive

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer is the ResponseWriter of a line. Header and body leave together: when
// the handler is done, when it flushes, or when there is much of it. A body whose
// length is not announced and not known by then is sent in chunks.
type answer struct {
	line     *line
	header   http.Header
	status   int // 0: nothing decided yet
	head     bool
	sent     bool // the header has left
	chunked  bool // since it left without a length
	hijacked bool
	broken   bool
	left     int64  // bytes that may still come, of an announced length
	counted  bool   // the length is announced
	out      []byte // on the way out: header, then body
	body     []byte // written before the header was
	names    []string
}

// begin makes it ready for a request.
func (a *answer) begin(r *http.Request) {
	if a.header == nil {
		a.header = make(http.Header, 24)
	}
	clear(a.header)
	a.status, a.head, a.sent, a.chunked, a.counted, a.left = 0, r.Method == http.MethodHead, false, false, false, 0
	a.out, a.body = emptied(a.out), emptied(a.body)
}

// emptied keeps a buffer unless it has grown.
func emptied(b []byte) []byte {
	if cap(b) > largest {
		return nil
	}
	return b[:0]
}

// Header is the header of the answer.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader decides the status; the first call counts. Informational ones are
// not sent.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < 200 {
		return
	}
	a.status = status
	if text := a.header["Content-Length"]; len(text) == 1 {
		if n, err := strconv.ParseInt(text[0], 10, 64); err == nil && n >= 0 {
			a.counted, a.left = true, n
		} else {
			delete(a.header, "Content-Length")
		}
	}
}

// bodied says whether the answer has a body on the wire.
func (a *answer) bodied() bool {
	return !a.head && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// unannounced bounds a body that is held until its length is known: as net/http's.
const unannounced = 2 << 10

// Write adds to the body.
func (a *answer) Write(b []byte) (int, error) {
	if a.hijacked {
		return 0, http.ErrHijacked
	}
	a.WriteHeader(http.StatusOK)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if a.counted {
		if int64(len(b)) > a.left {
			return 0, http.ErrContentLength
		}
		a.left -= int64(len(b))
	}
	switch {
	case a.counted && !a.sent:
		a.announce(b)
		fallthrough
	case a.counted:
		if !a.head {
			a.whole(b)
		}
	case a.chunked:
		a.chunk(b)
	case !a.sent:
		if a.body = append(a.body, b...); len(a.body) > unannounced {
			a.stream()
		}
	}
	if len(a.out) > largest {
		a.push()
	}
	if a.broken {
		return 0, net.ErrClosed
	}
	return len(b), nil
}

// whole appends part of an announced body. One that comes in one piece, and that
// leaves in one piece, need not be copied before.
func (a *answer) whole(b []byte) {
	if a.left > 0 || len(b) <= record || a.line.gatherer == nil {
		a.out = append(a.out, b...)
		return
	}
	a.line.allow()
	a.line.gatherer.Gather()
	_, first := a.line.conn.Write(a.out)
	_, second := a.line.conn.Write(b)
	a.broken = errors.Join(first, second, a.line.gatherer.Release()) != nil
	a.out = a.out[:0]
}

// chunk appends one chunk; an empty one would be the last.
func (a *answer) chunk(b []byte) {
	if len(b) > 0 {
		a.out = strconv.AppendInt(a.out, int64(len(b)), 16)
		a.out = append(append(append(a.out, "\r\n"...), b...), "\r\n"...)
	}
}

// stream lets the header go without a length, and the body in chunks.
func (a *answer) stream() {
	if a.sent {
		return
	}
	a.chunked = !a.counted && a.bodied()
	a.announce(a.body)
	if a.chunked {
		a.chunk(a.body)
	}
	a.body = a.body[:0]
}

// Flush sends what there is.
func (a *answer) Flush() {
	if a.hijacked {
		return
	}
	a.WriteHeader(http.StatusOK)
	a.stream()
	a.push()
}

// Hijack hands the connection to the handler.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if a.hijacked {
		return nil, nil, http.ErrHijacked
	}
	a.push()
	a.hijacked = true
	return a.line.conn, bufio.NewReadWriter(a.line.in, bufio.NewWriter(a.line.conn)), nil
}

// finish sends what is left; false when the connection cannot be used again.
func (a *answer) finish() bool {
	a.WriteHeader(http.StatusOK)
	switch {
	case a.chunked:
		a.out = append(a.out, "0\r\n\r\n"...)
	case !a.sent:
		if !a.counted && (a.bodied() || a.head && len(a.body) > 0) {
			a.header["Content-Length"] = []string{strconv.Itoa(len(a.body))}
		}
		a.announce(a.body)
		if a.bodied() {
			a.out = append(a.out, a.body...)
		}
	}
	a.push()
	short := a.counted && a.left > 0 && a.bodied()
	return !a.broken && !short && !strings.EqualFold(a.header.Get("Connection"), "close")
}

// push writes to the connection.
func (a *answer) push() {
	if len(a.out) == 0 {
		return
	}
	g := a.line.gatherer
	if len(a.out) <= record {
		g = nil
	}
	a.line.allow()
	if g != nil {
		g.Gather()
	}
	_, err := a.line.conn.Write(a.out)
	if g != nil {
		err = errors.Join(err, g.Release())
	}
	a.broken = err != nil
	a.out = emptied(a.out)
}

// record is the most that one TLS record holds; each further one would be a
// write of its own.
const record = 16 << 10

// Gatherer is a connection below TLS that can keep what is written to it, and write
// it in one piece.
type Gatherer interface {
	Gather()
	Release() error
}

// announce appends status line and header, with the type that the body looks to
// have where the handler gave none.
func (a *answer) announce(body []byte) {
	a.sent = true
	b := append(a.out, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(a.status), 10)
	b = append(b, ' ')
	if text := http.StatusText(a.status); text != "" {
		b = append(b, text...)
	} else {
		b = append(append(b, "status code "...), strconv.Itoa(a.status)...)
	}
	b = append(b, "\r\n"...)
	if a.header["Date"] == nil {
		b = append(append(append(b, "Date: "...), a.line.server.today()...), "\r\n"...)
	}
	if a.header["Content-Type"] == nil && a.header["Content-Encoding"] == nil && len(body) > 0 {
		a.header["Content-Type"] = []string{http.DetectContentType(body)}
	}
	if a.chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	a.out = a.fields(b)
}

// fields appends the header in the order of its names, and the empty line.
func (a *answer) fields(b []byte) []byte {
	a.order()
	for _, name := range a.names {
		if name == "Transfer-Encoding" || name == "Content-Length" && (a.chunked || a.status == http.StatusNoContent) {
			continue
		}
		for _, value := range a.header[name] {
			b = append(append(b, name...), ": "...)
			if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 {
				value = newlines.Replace(value)
			}
			b = append(append(b, value...), "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}

// order sorts the names of the header. They are mostly those of the last answer.
func (a *answer) order() {
	same := len(a.names) == len(a.header)
	for _, name := range a.names {
		if same {
			_, same = a.header[name]
		}
	}
	if same {
		return
	}
	a.names = a.names[:0]
	for name := range a.header {
		a.names = append(a.names, name)
	}
	slices.Sort(a.names)
}

// newlines would begin another field.
var newlines = strings.NewReplacer("\n", " ", "\r", " ")

// date is the Date field of one second.
type date struct {
	second int64
	text   string
}

// today is the Date field.
func (s *Server) today() string {
	now := s.clock.Now()
	if d := s.date.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}
