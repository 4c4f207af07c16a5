package quirks

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// act is how a toggle shows. One without an act is shown by the service itself.
type act struct {
	side    string // onprem or cloud
	method  string
	paths   []string // resources below the mailbox, ids as *
	when    func(r *http.Request, body []byte) bool
	body    bool // when wants the body
	refuse  func(w http.ResponseWriter, r *http.Request)
	every   uint64 // refuse only every n-th request
	rewrite func(r *http.Request, doc any) any
	header  func(h http.Header)
}

// wrapper is a service with its quirks in front.
type wrapper struct {
	next  http.Handler
	set   *Set
	acts  []Quirk
	pair  func(*http.Request) int
	count []atomic.Uint64 // of acts: requests seen
}

// Wrap puts the quirks of a side (onprem or cloud) that are on in front of a
// service. pair says which twin pair a request is about, -1 for none. Without
// quirks it returns next itself.
func (s *Set) Wrap(side string, next http.Handler, pair func(*http.Request) int) http.Handler {
	w := &wrapper{next: next, set: s, pair: pair}
	for _, q := range s.on {
		if q.act != nil && (q.act.side == side || q.act.side == "both") {
			w.acts = append(w.acts, q)
		}
	}
	if len(w.acts) == 0 {
		return next
	}
	w.count = make([]atomic.Uint64, len(w.acts))
	return w
}

// ServeHTTP serves a request, as its quirks have it.
func (w *wrapper) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	pair := w.pair(r)
	if pair < 0 {
		w.next.ServeHTTP(rw, r)
		return
	}
	resource := Resource(r.URL.Path)
	var rewrites []func(*http.Request, any) any
	for i := range w.acts {
		a := w.acts[i].act
		if !w.set.At(w.acts[i].ID, pair) || !a.fits(r, resource) {
			continue
		}
		if a.header != nil {
			a.header(rw.Header())
		}
		if a.refuse != nil {
			n := w.count[i].Add(1)
			if a.every <= 1 || n%a.every == 0 {
				a.refuse(rw, r)
				return
			}
		}
		if a.rewrite != nil {
			rewrites = append(rewrites, a.rewrite)
		}
	}
	if len(rewrites) == 0 {
		w.next.ServeHTTP(rw, r)
		return
	}
	held := &holder{ResponseWriter: rw, status: http.StatusOK}
	w.next.ServeHTTP(held, r)
	held.finish(r, rewrites)
}

func (a *act) fits(r *http.Request, resource string) bool {
	if a.method != "" && a.method != r.Method {
		return false
	}
	if len(a.paths) > 0 {
		found := false
		for _, p := range a.paths {
			found = found || p == resource
		}
		if !found {
			return false
		}
	}
	if a.when == nil {
		return true
	}
	var body []byte
	if a.body {
		body, _ = io.ReadAll(io.LimitReader(r.Body, 1<<20))
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	}
	return a.when(r, body)
}

// holder keeps an answer back until it has been rewritten.
type holder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (h *holder) WriteHeader(status int) { h.status = status }

// Write keeps the body.
func (h *holder) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *holder) finish(r *http.Request, rewrites []func(*http.Request, any) any) {
	out := h.body.Bytes()
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	var doc any
	if h.status < 300 && dec.Decode(&doc) == nil {
		for _, rewrite := range rewrites {
			doc = rewrite(r, doc)
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(doc) == nil {
			out = bytes.TrimRight(b.Bytes(), "\n")
		}
	}
	if h.Header().Get("Content-Length") != "" {
		h.Header().Set("Content-Length", strconv.Itoa(len(out)))
	}
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.ResponseWriter.Write(out)
}

// words are the segments that name resources and actions; every other is a key.
var words = map[string]bool{
	"messages": true, "mailfolders": true, "folders": true, "childfolders": true, "events": true, "calendar": true, "calendars": true,
	"calendarview": true, "contacts": true, "contactfolders": true, "attachments": true, "delta": true, "instances": true, "move": true,
	"copy": true, "send": true, "sendmail": true, "$value": true, "calendargroups": true, "mailboxsettings": true,
}

// Resource is the path below the mailbox with * for keys: messages/*, or
// mailfolders/*/messages. It reads the paths of both services.
func Resource(path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	at := 1 // version
	if strings.EqualFold(segments[0], "api") {
		at = 2
	}
	if at < len(segments) {
		switch first := strings.ToLower(segments[at]); {
		case first == "me", strings.HasPrefix(first, "users("):
			at++
		case first == "users":
			at += 2
		}
	}
	var out []string
	for ; at < len(segments); at++ {
		name, _, keyed := strings.Cut(strings.ToLower(segments[at]), "(")
		name = strings.TrimPrefix(strings.TrimPrefix(name, "microsoft.graph."), "microsoft.outlookservices.")
		if !words[name] {
			name = "*"
		}
		out = append(out, name)
		if keyed && name != "*" && !strings.HasSuffix(segments[at], "()") {
			out = append(out, "*")
		}
	}
	return strings.Join(out, "/")
}

// problem refuses with an error document.
func problem(status int, code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// eachEntity calls change for the entity of an answer or each of its list.
func eachEntity(doc any, change func(map[string]any)) any {
	top, ok := doc.(map[string]any)
	if !ok {
		return doc
	}
	list, ok := top["value"].([]any)
	if !ok {
		change(top)
		return doc
	}
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			change(m)
		}
	}
	return doc
}

// inner is an object inside an object; nil when it is not there.
func inner(m map[string]any, names ...string) map[string]any {
	for _, name := range names {
		next, ok := m[name].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}
