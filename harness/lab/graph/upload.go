package graph

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"cutover/harness/lab/store"
)

// Bounds of upload sessions: documented 3–150 MB; the lab holds at most so many
// open ones in memory.
const (
	maxUpload     = 150 << 20
	maxRange      = 4 << 20
	uploadLife    = 2 * time.Hour
	maxOpenUpload = 64
	maxHeldUpload = 512 << 20 // bytes in all open sessions together
)

// uploads are the open upload sessions.
type uploads struct {
	mu       sync.Mutex // guards all below
	sessions map[string]*uploadSession
	held     int // bytes of unfinished content
}

// uploadSession is one attachment on its way, in consecutive ranges.
type uploadSession struct {
	mu       sync.Mutex // guards content and done
	mailbox  *store.Mailbox
	item     store.Ref
	kind     string
	template store.Attachment
	size     int
	content  []byte
	done     bool
	expires  time.Time
	token    string
	path     string
	counted  int // bytes counted in uploads.held, guarded by its lock
}

// hold counts bytes of a session; false when all sessions together hold too much.
func (u *uploads) hold(s *uploadSession, n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.held+n > maxHeldUpload {
		return false
	}
	u.held += n
	s.counted += n
	return true
}

// createUploadSession opens a session for an attachment of 3 MB or more.
func createUploadSession(c *call) *fault {
	ref, _, kind, f := c.holder()
	if f != nil {
		return f
	}
	body, f := c.readObject()
	if f != nil {
		return f
	}
	s, f := readUpload(body.param("AttachmentItem"))
	if f != nil {
		return f
	}
	s.mailbox, s.item, s.kind, s.expires = c.mb, ref, kind, c.s.cfg.Now().Add(uploadLife)
	s.item.Immutable = true
	id := c.s.newGUID()
	s.token = strings.ReplaceAll(c.s.newGUID()+c.s.newGUID(), "-", "")
	s.path = fmt.Sprintf("/api/v2.0/Users('%s@%s')/%s('%s')/AttachmentSessions('%s')", c.mb.User().OID, c.s.store.Tenant(), strings.ToUpper(kind[:1])+kind[1:], c.mb.ID(ref, false), id)
	if !c.s.uploads.open(s, c.s.cfg.Now()) {
		return &fault{status: http.StatusServiceUnavailable, code: "ErrorServerBusy", message: "The server cannot service this request right now. Try again later."}
	}
	host := c.s.cfg.Upload
	if host == "" {
		host = c.base()
	}
	b := take()
	out := append(c.context(b.bytes, "microsoft.graph.uploadSession"), `"uploadUrl":`...)
	out = appendString(out, host+s.path+"?authtoken="+s.token)
	out = append(out, `,"expirationDateTime":`...)
	out = appendTicks(out, s.expires)
	return c.send(http.StatusCreated, b, append(out, `,"nextExpectedRanges":["0-"]}`...))
}

func (u *uploads) open(s *uploadSession, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for k, x := range u.sessions {
		if now.After(x.expires) {
			delete(u.sessions, k)
			u.held -= x.counted
		}
	}
	if len(u.sessions) >= maxOpenUpload {
		return false
	}
	u.sessions[s.path] = s
	return true
}

func readUpload(n *jsonNode) (*uploadSession, *fault) {
	if n == nil || n.kind != objectNode {
		return nil, badCode("ErrorInvalidRequest", "The AttachmentItem parameter is required.")
	}
	s := &uploadSession{template: store.Attachment{Kind: "file"}}
	for _, m := range n.members {
		var f *fault
		switch strings.ToLower(m.name) {
		case "attachmenttype":
			_, f = m.value.word("microsoft.graph.attachmentType", "file", "item", "reference")
		case "name":
			s.template.Name, f = m.value.string()
		case "contenttype":
			s.template.ContentType, f = m.value.string()
		case "contentid":
			s.template.ContentID, f = m.value.string()
		case "isinline":
			s.template.Inline, f = m.value.bool()
		case "size":
			s.size, f = m.value.int()
		default:
			if !strings.Contains(m.name, "@odata.") {
				f = unknownMember(m.name, "microsoft.graph.attachmentItem")
			}
		}
		if f != nil {
			return nil, f
		}
	}
	switch {
	case s.template.Name == "":
		return nil, badCode("ErrorInvalidRequest", "The name of the attachment is required.")
	case s.size < maxAttachment:
		return nil, badCode("ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "Attachment size must be greater than the minimum size.")
	case s.size > maxUpload:
		return nil, badCode("ErrorAttachmentSizeLimitExceeded", "The attachment is larger than the maximum size.")
	}
	return s, nil
}

// Uploads serves the host that takes upload sessions. The URL is its own
// credential: a request that brings an Authorization header is refused.
func (s *Service) Uploads() http.Handler { return http.HandlerFunc(s.serveUpload) }

// Opened says whether the service opened the upload session of a path.
func (s *Service) Opened(path string) bool {
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	return s.uploads.sessions[path] != nil
}

func (s *Service) serveUpload(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r}
	c.identify()
	c.baseHeaders()
	if f := c.upload(); f != nil {
		c.fail(f)
	}
}

func (c *call) upload() *fault {
	if c.r.Header.Get("Authorization") != "" {
		return &fault{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: "The upload URL is authenticated already: send no Authorization header."}
	}
	u := &c.s.uploads
	u.mu.Lock()
	session := u.sessions[c.r.URL.Path]
	u.mu.Unlock()
	if session == nil || c.s.cfg.Now().After(session.expires) {
		return &fault{status: http.StatusNotFound, code: "ErrorItemNotFound", message: "The upload session was not found."}
	}
	if c.r.URL.Query().Get("authtoken") != session.token {
		return &fault{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: "The authtoken is not valid."}
	}
	switch c.r.Method {
	case http.MethodPut:
		return c.uploadRange(session)
	case http.MethodDelete:
		u.close(session)
		return c.done(http.StatusNoContent)
	case http.MethodGet:
		session.mu.Lock()
		defer session.mu.Unlock()
		return c.uploadState(session)
	}
	return &fault{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", message: "Specified HTTP method is not allowed for the request target."}
}

func (u *uploads) close(s *uploadSession) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions[s.path] == s {
		delete(u.sessions, s.path)
		u.held -= s.counted
	}
}

// uploadRange takes one range; they must follow each other.
func (c *call) uploadRange(s *uploadSession) *fault {
	from, to, total, ok := contentRange(c.r.Header.Get("Content-Range"))
	if !ok || total != s.size {
		return badCode("InvalidContentRange", "The Content-Range header is missing or malformed, or its total differs from the size of the session.")
	}
	if to-from+1 > maxRange {
		return &fault{status: http.StatusRequestEntityTooLarge, code: "ErrorMessageSizeExceeded", message: "A range must be smaller than 4 MB."}
	}
	data, err := io.ReadAll(io.LimitReader(c.r.Body, int64(to-from+2)))
	if err != nil || len(data) != to-from+1 {
		return badCode("InvalidContentRange", "The length of the body differs from the range.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if from != len(s.content) || s.done {
		return &fault{status: http.StatusRequestedRangeNotSatisfiable, code: "InvalidRange", message: "The range does not follow the ranges uploaded so far."}
	}
	if !c.s.uploads.hold(s, len(data)) {
		return storeFault(store.ErrQuota)
	}
	s.content = append(s.content, data...)
	if len(s.content) < s.size {
		return c.uploadState(s)
	}
	s.done = true
	c.s.uploads.close(s)
	a := store.NewFile(s.template.Name, s.template.ContentType, s.content)
	a.ContentID, a.Inline = s.template.ContentID, s.template.Inline
	if _, err := s.mailbox.AddAttachment(s.item, a); err != nil {
		return storeFault(err)
	}
	path, _, _ := strings.Cut(s.path, "/AttachmentSessions")
	c.w.Header()["Location"] = []string{c.base() + path + "/Attachments('" + s.mailbox.ID(store.Ref{Key: a.Key}, false) + "')"}
	return c.done(http.StatusCreated)
}

// uploadState says what is missing: in PascalCase, as this host speaks, and
// without the dash that the first answer has.
func (c *call) uploadState(s *uploadSession) *fault {
	path, _, _ := strings.Cut(strings.TrimPrefix(s.path, "/api/v2.0/"), "(")
	b := take()
	out := append(b.bytes, `{"@odata.context":`...)
	out = appendString(out, c.base()+"/api/v2.0/$metadata#"+path+"/AttachmentSessions/$entity")
	out = append(out, `,"ExpirationDateTime":`...)
	out = appendTicks(out, s.expires)
	out = append(out, `,"NextExpectedRanges":["`+strconv.Itoa(len(s.content))+`"]}`...)
	return c.send(http.StatusOK, b, out)
}

func contentRange(h string) (from, to, total int, ok bool) {
	spec, found := strings.CutPrefix(h, "bytes ")
	span, size, found2 := strings.Cut(spec, "/")
	a, b, found3 := strings.Cut(span, "-")
	if !found || !found2 || !found3 {
		return 0, 0, 0, false
	}
	var errs [3]error
	from, errs[0] = strconv.Atoi(a)
	to, errs[1] = strconv.Atoi(b)
	total, errs[2] = strconv.Atoi(size)
	return from, to, total, errs == [3]error{} && from >= 0 && to >= from && to < total
}
