package graph

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Documented bounds of $batch: 20 requests, 4 at a time against one mailbox.
const (
	maxBatch      = 20
	batchParallel = 4
)

// part is one request of a batch, and its answer.
type part struct {
	id        string
	request   *http.Request
	dependsOn []int
	answer    recorder
	finished  chan struct{} // closed by the goroutine that answers the part
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's header.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader records the first status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write records the body.
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func batch(c *call) *fault {
	body, f := c.readObject()
	if f != nil {
		return f
	}
	list := body.param("requests")
	if list == nil || list.kind != arrayNode || len(list.items) == 0 {
		return badRequest("Invalid batch payload format.")
	}
	if len(list.items) > maxBatch {
		return badRequest("Number of batch request steps exceeds the maximum value of 20. Maximum number of requests 20 exceeded.")
	}
	parts, f := c.batchParts(list.items)
	if f != nil {
		return f
	}
	c.runBatch(parts)
	b := take()
	out := append(b.bytes, `{"responses":[`...)
	for i, p := range parts {
		if i > 0 {
			out = append(out, ',')
		}
		out = p.append(out)
	}
	return c.send(http.StatusOK, b, append(out, "]}"...))
}

func (c *call) batchParts(items []*jsonNode) ([]*part, *fault) {
	parts := make([]*part, len(items))
	byID := map[string]int{}
	for i, n := range items {
		p, f := c.batchPart(n)
		if f != nil {
			return nil, f
		}
		if _, twice := byID[strings.ToLower(p.id)]; twice {
			return nil, badRequest("Request Id [" + p.id + "] has been used more than once in this batch.")
		}
		byID[strings.ToLower(p.id)] = i
		parts[i] = p
	}
	for i, n := range items {
		deps := n.param("dependsOn")
		if deps == nil {
			continue
		}
		for _, d := range deps.items {
			at, known := byID[strings.ToLower(d.text)]
			if !known || at == i {
				return nil, badRequest("Request Id [" + d.text + "] of dependsOn does not name another request of this batch.")
			}
			parts[i].dependsOn = append(parts[i].dependsOn, at)
		}
	}
	if cyclic(parts) {
		return nil, badRequest("The dependsOn of this batch form a circle.")
	}
	return parts, nil
}

// cyclic says whether some request waits for itself.
func cyclic(parts []*part) bool {
	state := make([]byte, len(parts)) // 1: on the way, 2: done
	var visit func(int) bool
	visit = func(i int) bool {
		switch state[i] {
		case 1:
			return true
		case 2:
			return false
		}
		state[i] = 1
		for _, d := range parts[i].dependsOn {
			if visit(d) {
				return true
			}
		}
		state[i] = 2
		return false
	}
	for i := range parts {
		if visit(i) {
			return true
		}
	}
	return false
}

func (c *call) batchPart(n *jsonNode) (*part, *fault) {
	id, method, target := n.param("id"), n.param("method"), n.param("url")
	if n.kind != objectNode || id == nil || id.text == "" || method == nil || target == nil || !strings.HasPrefix(target.text, "/") {
		return nil, badRequest("Invalid batch payload format: every request needs an id, a method and a relative url.")
	}
	if strings.HasPrefix(strings.ToLower(target.text), "/$batch") {
		return nil, badRequest("A batch cannot contain a batch.")
	}
	u, err := url.Parse("/" + c.version + target.text)
	if err != nil {
		return nil, badRequest("Invalid batch payload format: the url of request " + id.text + " is malformed.")
	}
	header := http.Header{"Authorization": c.r.Header["Authorization"], "Client-Request-Id": {c.clientID}}
	if h := n.param("headers"); h != nil {
		for _, m := range h.members {
			if !strings.EqualFold(m.name, "Authorization") {
				header.Set(m.name, m.value.text)
			}
		}
	}
	raw, f := partBody(n.param("body"), header)
	if f != nil {
		return nil, f
	}
	r := &http.Request{Method: strings.ToUpper(method.text), URL: u, Header: header, Host: c.r.Host, TLS: c.r.TLS, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)), RemoteAddr: c.r.RemoteAddr}
	return &part{id: id.text, request: r.WithContext(c.r.Context()), answer: recorder{header: http.Header{}}, finished: make(chan struct{})}, nil
}

// partBody is the body of a part: JSON as it stands, anything else as base64url text.
func partBody(n *jsonNode, header http.Header) ([]byte, *fault) {
	if n == nil || n.kind == nullNode {
		return nil, nil
	}
	if header.Get("Content-Type") == "" {
		return nil, badRequest("Write requests (excluding DELETE) must contain the Content-Type header declaration.")
	}
	if n.kind == stringNode {
		for _, enc := range []*base64.Encoding{base64.URLEncoding, base64.RawURLEncoding, base64.StdEncoding} {
			if raw, err := enc.DecodeString(n.text); err == nil {
				if strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
					return []byte(n.text), nil // MIME stays base64
				}
				return raw, nil
			}
		}
		return []byte(n.text), nil
	}
	return appendNode(nil, n), nil
}

// runBatch answers the parts, four at a time, each after those it depends on.
func (c *call) runBatch(parts []*part) {
	slots := make(chan struct{}, batchParallel)
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() {
			defer close(p.finished)
			for _, d := range p.dependsOn {
				<-parts[d].finished
				if parts[d].answer.status >= 400 {
					p.dependencyFailed(c)
					return
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			p.serve(c.s)
		})
	}
	all.Wait()
}

// serve answers the part. What goes wrong in one part must not take the others
// down with it, and net/http does not watch this goroutine.
func (p *part) serve(s *Service) {
	defer func() {
		if recover() != nil {
			p.answer.status = http.StatusInternalServerError
		}
	}()
	s.ServeHTTP(&p.answer, p.request)
}

func (p *part) dependencyFailed(c *call) {
	inner := &call{s: c.s, w: &p.answer, r: p.request}
	inner.identify()
	inner.fail(&fault{status: http.StatusFailedDependency, code: "FailedDependency", message: "The request depends on a request that failed."})
}

// batchHeaders are the headers that an answer inside a batch carries.
var batchHeaders = []string{"Cache-Control", "Content-Type", "Etag", "Location", "Odata-Version", "Preference-Applied", "Retry-After"}

var batchNames = map[string]string{"Etag": "ETag", "Odata-Version": "OData-Version"}

func (p *part) append(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, p.id)
	b = append(b, `,"status":`...)
	b = appendInt(b, max(p.answer.status, 200))
	b = append(b, `,"headers":{`...)
	n := 0
	for _, name := range batchHeaders {
		v := first(p.answer.header[name])
		if v == "" {
			continue
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		if shown := batchNames[name]; shown != "" {
			name = shown
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendString(b, v)
	}
	b = append(b, '}')
	if raw := p.answer.body.Bytes(); len(raw) > 0 {
		b = append(b, `,"body":`...)
		if strings.HasPrefix(first(p.answer.header["Content-Type"]), "application/json") {
			b = append(b, raw...)
		} else {
			b = appendBinary(b, raw)
		}
	}
	return append(b, '}')
}

// appendNode writes a parsed value as JSON again, members in their order.
func appendNode(b []byte, n *jsonNode) []byte {
	switch n.kind {
	case boolNode:
		return appendBool(b, n.yes)
	case numberNode:
		return append(b, n.text...)
	case stringNode:
		return appendString(b, n.text)
	case arrayNode:
		b = append(b, '[')
		for i, v := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNode(b, v)
		}
		return append(b, ']')
	case objectNode:
		b = append(b, '{')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, m.name)
			b = append(b, ':')
			b = appendNode(b, m.value)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}
