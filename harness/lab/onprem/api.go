package onprem

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// call is one request of the REST API on its way through the back end.
type call struct {
	*exchange
	render
	q        *odata.Query
	segments []string // of the resource below the mailbox; well-known ones in lower case
	prefix   string   // the resource as the context names it: Me or Users('…')
	link     string   // address of the request without its query
	applied  []string // preferences that were honoured
	track    bool     // Prefer: odata.track-changes
	stamp    store.Stamp
	kept     []byte // the answer, when it was kept from an earlier request
}

// answerError is a refusal of the REST API.
type answerError struct {
	status        int
	code, message string
}

func (e answerError) Error() string { return e.code + ": " + e.message }

func refusal(status int, code, format string, args ...any) error {
	return answerError{status, code, fmt.Sprintf(format, args...)}
}

// handler serves one resource; what it appended to the call is the answer's body.
type handler func(c *call) (status int, err error)

// route is a resource: a method, the segments below the mailbox (a * for an id),
// and which token it takes.
type route struct {
	method, pattern string
	area            string // Mail, Calendars, Contacts
	serve           handler
	send            bool
}

// api serves /api/{version}/….
func (s *Service) api(x *exchange, rest string) {
	b, _ := s.buffers.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	c := &call{exchange: x, render: render{service: s, b: (*b)[:0]}}
	status, err := c.dispatch(s, rest)
	if err != nil {
		c.fail(err)
	} else {
		c.finish(status)
	}
	if cap(c.b) <= largestKept {
		*b = c.b
		s.buffers.Put(b)
	}
}

// largestKept bounds the buffers that are used again.
const largestKept = 1 << 20

func (c *call) dispatch(s *Service, rest string) (int, error) {
	version, resource, _ := strings.Cut(rest, "/")
	switch strings.ToLower(version) {
	case "v1.0":
		c.v1 = true
	case "v2.0":
	default:
		return 0, refusal(http.StatusNotFound, "ErrorInvalidRequest", "The OData request is not supported.")
	}
	c.root = s.cfg.Base + "/api/" + strings.ToLower(version)
	if strings.EqualFold(resource, "$metadata") {
		c.b = s.metadata(c.v1)
		return http.StatusOK, nil
	}
	segments, err := split(resource)
	if err != nil {
		return 0, err
	}
	segments, err = c.addressed(s, segments)
	if err != nil {
		return 0, err
	}
	if c.again() {
		return http.StatusOK, nil
	}
	var bad *odata.Error
	if c.q, bad = odata.Parse(c.r.URL.RawQuery); bad != nil {
		return 0, refusal(http.StatusBadRequest, "ErrorInvalidUrlQuery", "%s", bad.Message)
	}
	c.link = s.cfg.Base + c.r.URL.EscapedPath()
	c.asWritten = c.r.Method != http.MethodGet
	if err := c.preferences(); err != nil {
		return 0, err
	}
	return c.routed(segments)
}

// split reads the segments of a path, key forms taken apart: messages('x')
// becomes messages, x.
func split(resource string) ([]string, error) {
	var out []string
	for raw := range strings.SplitSeq(strings.Trim(resource, "/"), "/") {
		part, err := url.PathUnescape(raw)
		if err != nil {
			return nil, refusal(http.StatusBadRequest, "ErrorInvalidRequest", "The request URI is not valid.")
		}
		name, key, keyed := strings.Cut(part, "('")
		if keyed && strings.HasSuffix(key, "')") {
			out = append(out, name, strings.ReplaceAll(strings.TrimSuffix(key, "')"), "''", "'"))
			continue
		}
		out = append(out, part)
	}
	return out, nil
}

// addressed finds the mailbox that the path names and what the caller may do
// there. It returns the segments that follow.
func (c *call) addressed(s *Service, segments []string) ([]string, error) {
	tenant := s.cfg.Store.Tenant()
	switch {
	case strings.EqualFold(segments[0], "me"):
		c.mb, c.prefix = c.caller.mailbox, "Me"
		segments = segments[1:]
		if c.mb == nil {
			return nil, refusal(http.StatusNotFound, "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
		}
	case strings.EqualFold(segments[0], "users") && len(segments) > 1:
		key := segments[1]
		if id, realm, ok := strings.Cut(key, "@"); ok && realm == tenant {
			key = id
		}
		mb, ok := s.cfg.Store.Lookup(key)
		if !ok {
			return nil, refusal(http.StatusNotFound, "ErrorInvalidUser", "The requested user '%s' is invalid.", key)
		}
		if !c.caller.full && c.caller.mailbox != mb {
			return nil, refusal(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
		}
		c.mb = mb
		c.prefix = "Users('" + mb.User().OID + "@" + tenant + "')"
		segments = segments[2:]
	default:
		return nil, unknownSegment(segments[0])
	}
	if c.mb.Location() != store.OnPrem {
		return nil, refusal(http.StatusNotFound, "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
	}
	c.owner = "Users('" + c.mb.User().OID + "@" + tenant + "')"
	return segments, nil
}

func unknownSegment(name string) error {
	return refusal(http.StatusBadRequest, "RequestBroker-ParseUri", "Resource not found for the segment '%s'.", name)
}

// preferences reads the Prefer headers.
func (c *call) preferences() error {
	if c.service.cfg.Quirk("time.zone_default", c.mb) {
		c.within("W. Europe Standard Time")
	}
	for _, header := range c.r.Header["Prefer"] {
		for one := range strings.SplitSeq(header, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(name) {
			case "outlook.timezone":
				if !c.within(value) {
					return refusal(http.StatusBadRequest, "TimeZoneNotSupportedException",
						"A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", value)
				}
				c.applied = append(c.applied, `outlook.timezone="`+value+`"`)
			case "outlook.body-content-type":
				if !c.service.cfg.Quirk("body.prefer", c.mb) {
					c.text = strings.EqualFold(value, "text")
					c.applied = append(c.applied, `outlook.body-content-type="`+strings.ToLower(value)+`"`)
				}
			case "odata.track-changes":
				c.track = !c.v1
			}
		}
	}
	return nil
}

// routed finds the resource in the table.
func (c *call) routed(segments []string) (int, error) {
	for i, s := range segments {
		if word := strings.TrimPrefix(lower(s), "microsoft.outlookservices."); words[word] {
			segments[i] = word
		}
	}
	if r := c.direct(segments); r != nil {
		c.segments = segments
		return c.permitted(r)
	}
	methods := 0
	deepest := 0
	for i := range routes {
		r := &routes[i]
		matched, all := fit(r.pattern, segments, c.v1)
		deepest = max(deepest, matched)
		if !all {
			continue
		}
		methods++
		if r.method != c.r.Method {
			continue
		}
		c.segments = segments
		return c.permitted(r)
	}
	if methods > 0 {
		return 0, refusal(http.StatusMethodNotAllowed, "ErrorInvalidRequest", "The HTTP method is not supported for this resource.")
	}
	return 0, unknownSegment(c.written(min(deepest, len(segments)-1)))
}

// direct finds the route of a path whose keys are no words, which is nearly every one.
func (c *call) direct(segments []string) *route {
	b := append(make([]byte, 0, 96), c.r.Method...)
	for i, s := range segments {
		b = append(b, '/')
		switch {
		case c.v1 && s == "folders":
			b = append(b, "mailfolders"...)
		case c.v1 && s == "mailfolders", !c.v1 && s == "folders", reserved(s):
			return nil
		case words[s]:
			b = append(b, s...)
		case i == 0:
			return nil
		default:
			b = append(b, '*')
		}
	}
	return index[string(b)]
}

// permitted serves a route that the caller's token covers.
func (c *call) permitted(r *route) (int, error) {
	if !c.caller.may(r.area, r.method != http.MethodGet, r.send) {
		return 0, refusal(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	}
	return r.serve(c)
}

// written is the n-th segment below the mailbox as the client spelt it.
func (c *call) written(n int) string {
	all := strings.Split(strings.Trim(c.r.URL.Path, "/"), "/")
	for i, s := range all {
		if i < 2 || !(strings.EqualFold(all[2], "me") && i > 2 || i > 3 || strings.Contains(all[2], "(") && i > 2) {
			continue
		}
		if n--; n < 0 {
			return s
		}
	}
	return all[len(all)-1]
}

// fit compares segments with a pattern: how many match from the left, and
// whether all do.
func fit(pattern string, segments []string, v1 bool) (matched int, all bool) {
	if pattern == "" {
		return 0, len(segments) == 0
	}
	for part := range strings.SplitSeq(pattern, "/") {
		if matched == len(segments) {
			return matched, false
		}
		if part == "mailfolders" && v1 {
			part = "folders"
		}
		if part == "*" && reserved(segments[matched]) || part != "*" && part != segments[matched] {
			return matched, false
		}
		matched++
	}
	return matched, matched == len(segments)
}

// reserved says whether a segment is a function or a system resource, which is
// no key: Graph has some that this API never had.
func reserved(segment string) bool {
	if segment == "" || segment[0] == '$' || segment == "delta" {
		return true
	}
	for _, name := range []string{"createUploadSession", "Microsoft.OutlookServices."} {
		if len(segment) >= len(name) && strings.EqualFold(segment[:len(name)], name) {
			return true
		}
	}
	return strings.HasPrefix(segment, "microsoft.graph.")
}

// fail writes the error document.
func (c *call) fail(err error) {
	e := c.refused(err)
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	now := c.service.cfg.Clock.Now().UTC().Format("2006-01-02T15:04:05")
	b := append([]byte(nil), `{"error":{"code":`...)
	b = appendString(b, e.code)
	b = append(b, `,"message":`...)
	b = appendString(b, e.message)
	b = append(b, `,"innerError":{"request-id":`...)
	b = appendString(b, c.request)
	b = append(b, `,"date":`...)
	b = appendString(b, now)
	b = append(b, "}}}"...)
	c.w.WriteHeader(e.status)
	_, _ = c.w.Write(b)
}

// refused gives each error of the store, of a body or of a query its answer.
func (c *call) refused(err error) answerError {
	var known answerError
	if errors.As(err, &known) {
		return known
	}
	var body bodyError
	if errors.As(err, &body) {
		return answerError{http.StatusBadRequest, "RequestBodyRead", body.message}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return answerError{http.StatusRequestEntityTooLarge, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size."}
	}
	if errors.Is(err, errZone) {
		return answerError{http.StatusBadRequest, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified."}
	}
	for _, one := range storeRefusals {
		if errors.Is(err, one.err) {
			return one.answer
		}
	}
	return answerError{http.StatusInternalServerError, "ErrorInternalServerError", "An internal server error occurred. The operation failed."}
}

// storeRefusals are the codes of EWS, which the REST API shares.
var storeRefusals = []struct {
	err    error
	answer answerError
}{
	{store.ErrNotFound, answerError{404, "ErrorItemNotFound", "The specified object was not found in the store."}},
	{store.ErrMalformedID, answerError{400, "ErrorInvalidIdMalformed", "Id is malformed."}},
	{store.ErrExists, answerError{409, "ErrorFolderExists", "A folder with the specified name already exists."}},
	{store.ErrDistinguished, answerError{403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."}},
	{store.ErrConflict, answerError{412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item."}},
	{store.ErrSyncReset, answerError{410, "SyncStateNotFound", "The sync state generation is not found."}},
	{store.ErrNoRecipients, answerError{400, "ErrorInvalidRecipients", "At least one recipient isn't valid., A message can't be sent because it contains no recipients."}},
	{store.ErrCrossing, answerError{400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence."}},
	{store.ErrNotOrganizer, answerError{400, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to cancel a meeting."}},
	{store.ErrOrganizer, answerError{400, "ErrorInvalidRequest", "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer."}},
	{store.ErrNotDraft, answerError{400, "ErrorInvalidRequest", "The message is not a draft."}},
}

// Header values that answers share. They are never written to.
var (
	contentTypeJSON = []string{"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"}
	odataVersion    = []string{"4.0"}
	serverIIS       = []string{"Microsoft-IIS/10.0"}
	poweredBy       = []string{"ASP.NET"}
	aspVersion      = []string{"4.0.30319"}
	statusOK        = []string{"200"}
	cachePrivate    = []string{"private"}
)

// finish writes the answer: the kept one, or c.b without its trailing comma.
func (c *call) finish(status int) {
	h := c.w.Header()
	if len(c.applied) > 0 {
		h.Set("Preference-Applied", strings.Join(c.applied, ", "))
	}
	body := c.b
	if c.kept != nil {
		body = c.kept
	}
	if n := len(body); n > 0 && body[n-1] == ',' {
		body = body[:n-1]
	}
	if len(body) == 0 {
		c.w.WriteHeader(status)
		return
	}
	if h.Get("Content-Type") == "" {
		if body[0] == '<' {
			h.Set("Content-Type", "application/xml")
		} else {
			h["Content-Type"] = contentTypeJSON
		}
		h["Odata-Version"] = odataVersion
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}

// content reads the request body.
func (c *call) content() ([]byte, error) {
	raw, err := io.ReadAll(c.r.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, bodyError{"The request body could not be read."}
	}
	return raw, nil
}

// jsonContent is content that has to be JSON by its type.
func (c *call) jsonContent() ([]byte, error) {
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	if kind != "" && !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return nil, refusal(http.StatusUnsupportedMediaType, "ErrorInvalidRequest", "The content type '%s' is not supported.", kind)
	}
	return c.content()
}
