package graph

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Header values that every answer shares. They are never written to.
var (
	contentTypeJSON  = []string{"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"}
	contentTypeNone  = []string{"application/json;odata.metadata=none;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"}
	contentTypeError = []string{"application/json"}
	cachePrivate     = []string{"private"}
	odataVersion     = []string{"4.0"}
	transportOnly    = []string{"max-age=31536000"}
	varyEncoding     = []string{"Accept-Encoding"}
	anyOrigin        = []string{"*"}
	exposedHeaders   = []string{"ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, ReadWriteConsistencyToken, SdkVersion, WWW-Authenticate"}
)

// identify gives the request its id. The client's own is echoed if it is a
// plausible header value.
func (c *call) identify() {
	c.requestID = c.s.newGUID()
	c.clientID = c.requestID
	if v := c.r.Header["Client-Request-Id"]; len(v) > 0 && v[0] != "" && len(v[0]) <= 256 {
		c.clientID = v[0]
	}
}

// newGUID is a GUID that differs for every request of the service.
func (s *Service) newGUID() string {
	n := s.requests.Add(1)
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], scramble(s.cfg.Seed+n))
	binary.BigEndian.PutUint64(raw[8:], scramble(s.cfg.Seed+n+1<<40))
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	var b [36]byte
	hex.Encode(b[:], raw[:4])
	hex.Encode(b[9:], raw[4:6])
	hex.Encode(b[14:], raw[6:8])
	hex.Encode(b[19:], raw[8:10])
	hex.Encode(b[24:], raw[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// scramble is the finaliser of splitmix64.
func scramble(z uint64) uint64 {
	z *= 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// baseHeaders are on every answer, errors included.
func (c *call) baseHeaders() {
	h := c.w.Header()
	ids := [2]string{c.requestID, c.clientID}
	h["Request-Id"] = ids[0:1:1]
	h["Client-Request-Id"] = ids[1:2:2]
	h["X-Ms-Ags-Diagnostic"] = c.s.diagnostic
	h["Cache-Control"] = cachePrivate
	h["Strict-Transport-Security"] = transportOnly
	h["Vary"] = varyEncoding
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	if c.s.cfg.Era < 2019 {
		h["Duration"] = []string{"32.1054"}
	}
}

// preflight answers a CORS preflight, for which no token is needed.
func (c *call) preflight() {
	h := c.w.Header()
	h["Access-Control-Allow-Methods"] = []string{"GET, POST, PATCH, PUT, DELETE, HEAD, OPTIONS"}
	if asked := c.r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h["Access-Control-Allow-Headers"] = []string{asked}
	}
	h["Access-Control-Max-Age"] = []string{"3600"}
	h["Content-Length"] = []string{"0"}
	c.w.WriteHeader(http.StatusOK)
}

// buffer is a reusable byte slice.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, 16<<10)} }}

func take() *buffer {
	b := buffers.Get().(*buffer)
	b.bytes = b.bytes[:0]
	return b
}

func give(b *buffer) {
	if cap(b.bytes) <= 1<<20 {
		buffers.Put(b)
	}
}

// send writes a JSON answer and gives its buffer back.
func (c *call) send(status int, b *buffer, body []byte) *fault {
	c.write(status, body)
	b.bytes = body
	give(b)
	return nil
}

// write writes a JSON answer.
func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = contentTypeJSON
	if c.prefer.noMetadata {
		h["Content-Type"] = contentTypeNone
	}
	h["Odata-Version"] = odataVersion
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if c.prefer.applied != "" {
		h["Preference-Applied"] = []string{c.prefer.applied}
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body)
	}
}

// done answers without a body.
func (c *call) done(status int) *fault {
	if status != http.StatusNoContent {
		c.w.Header()["Content-Length"] = []string{"0"}
	}
	if c.prefer.applied != "" {
		c.w.Header()["Preference-Applied"] = []string{c.prefer.applied}
	}
	c.w.WriteHeader(status)
	return nil
}

// bytes answers with a stream of another type.
func (c *call) bytes(contentType string, content []byte) *fault {
	h := c.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(content))}
	h["Odata-Version"] = odataVersion
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(content)
	return nil
}

// base is the scheme and host of links.
func (c *call) base() string {
	if c.s.cfg.Base != "" {
		return c.s.cfg.Base
	}
	if c.r.TLS == nil {
		return "http://" + c.r.Host
	}
	return "https://" + c.r.Host
}

// context begins an answer with @odata.context; the caller goes on after a comma.
func (c *call) context(b []byte, fragment ...string) []byte {
	if c.prefer.noMetadata {
		return append(b, '{')
	}
	b = append(b, `{"@odata.context":"`...)
	b = append(b, c.base()...)
	b = append(b, '/')
	b = append(b, c.version...)
	b = append(b, `/$metadata#`...)
	for _, f := range fragment {
		b = appendEscaped(b, f)
	}
	return append(b, `",`...)
}

// userContext is the fragment that names the mailbox.
func (c *call) userContext() string { return "users('" + c.mb.User().OID + "')" }

// key is a key in a context: '=' and '@' are escaped there.
func contextKey(k string) string { return contextEscapes.Replace(k) }

var contextEscapes = strings.NewReplacer("=", "%3D", "@", "%40")

// location is the URL of a new item.
func (c *call) location(path string) {
	c.w.Header()["Location"] = []string{c.base() + "/" + c.version + "/" + c.userContext() + path}
}
