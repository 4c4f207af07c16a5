package graph

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"cutover/harness/lab/odata"
	"cutover/harness/lab/store"
)

// fault is an error answer.
type fault struct {
	status        int
	code, message string
	bare          bool // no innerError, whatever the era
	empty         bool // no body at all
}

func badRequest(message string) *fault {
	return &fault{status: http.StatusBadRequest, code: "BadRequest", message: message}
}

func badCode(code, message string) *fault {
	return &fault{status: http.StatusBadRequest, code: code, message: message}
}

func badQuery(err *odata.Error) *fault {
	code := err.Code
	if code == "" {
		code = "BadRequest"
	}
	return badCode(code, err.Message)
}

var storeFaults = []struct {
	err           error
	status        int
	code, message string
}{
	{store.ErrMalformedID, 400, "ErrorInvalidIdMalformed", "Id is malformed."},
	{store.ErrNotFound, 404, "ErrorItemNotFound", "The specified object was not found in the store."},
	{store.ErrExists, 409, "ErrorFolderExists", "A folder with the specified name already exists."},
	{store.ErrDistinguished, 403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."},
	{store.ErrConflict, 412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item."},
	{store.ErrSyncReset, 410, "SyncStateNotFound", "The sync state generation is not found; generation=1;[highest=2][2]"},
	{store.ErrNoRecipients, 400, "ErrorInvalidRecipients", "At least one recipient isn't valid., A message can't be sent because it contains no recipients."},
	{store.ErrCrossing, 400, "ErrorOccurrenceCrossingBoundary", "Modified occurrence is crossing or overlapping adjacent occurrence."},
	{store.ErrNotOrganizer, 400, "ErrorInvalidRequest", "Your request can't be completed. You need to be an organizer to cancel a meeting."},
	{store.ErrOrganizer, 400, "ErrorInvalidRequest", "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer."},
	{store.ErrNotEmpty, 400, "ErrorInvalidRequest", "The calendar group is not empty."},
	{store.ErrQuota, 507, "ErrorQuotaExceeded", "The mailbox has exceeded its storage quota."},
	{store.ErrNotDraft, 400, "ErrorInvalidRequest", "The message is not a draft and cannot be sent."},
}

// storeFault says a refusal of the store in Graph's words. nil stays nil.
func storeFault(err error) *fault {
	if err == nil {
		return nil
	}
	var own *faultError
	if errors.As(err, &own) {
		return own.fault
	}
	for _, f := range storeFaults {
		if errors.Is(err, f.err) {
			return &fault{status: f.status, code: f.code, message: f.message}
		}
	}
	return &fault{status: http.StatusInternalServerError, code: "ErrorInternalServerError", message: "An internal server error occurred. The operation failed."}
}

// faultError carries a fault through the edit functions of the store.
type faultError struct{ fault *fault }

// Error is the fault's message.
func (e *faultError) Error() string { return e.fault.message }

func asError(f *fault) error {
	if f == nil {
		return nil
	}
	return &faultError{f}
}

// Error writes an error answer in the shape of the service's era, with the
// headers of every answer that are not there yet.
func (s *Service) Error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	c := &call{s: s, w: w, r: r}
	c.requestID = first(w.Header()["Request-Id"])
	c.clientID = first(w.Header()["Client-Request-Id"])
	if c.requestID == "" {
		c.identify()
		c.baseHeaders()
	}
	c.fail(&fault{status: status, code: code, message: message})
}

func first(values []string) string {
	if len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c *call) fail(f *fault) {
	h := c.w.Header()
	if f.empty {
		h["Content-Length"] = []string{"0"}
		c.w.WriteHeader(f.status)
		return
	}
	b := take()
	defer give(b)
	body := append(b.bytes, `{"error":{"code":`...)
	body = appendString(body, f.code)
	body = append(body, `,"message":`...)
	body = appendString(body, f.message)
	if !f.bare && !c.s.bareCode(f.code) {
		body = c.appendInner(body)
	}
	body = append(body, `}}`...)
	h["Content-Type"] = contentTypeError
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(f.status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body)
	}
	b.bytes = body
}

// bareCode says whether the era sends a code without innerError.
func (s *Service) bareCode(code string) bool {
	if s.cfg.Era < 2022 {
		return false
	}
	switch code {
	case "ErrorAccessDenied", "ApplicationThrottled", "MailboxInfoStale", "RequestBroker--ParseUri":
		return true
	}
	return false
}

func (c *call) appendInner(b []byte) []byte {
	date := c.s.cfg.Now().UTC().Format("2006-01-02T15:04:05")
	if c.s.cfg.Era < 2020 {
		return append(b, `,"innerError":{"request-id":"`+c.requestID+`","date":"`+date+`"}`...)
	}
	b = append(b, `,"innerError":{"date":"`+date+`","request-id":"`+c.requestID+`","client-request-id":`...)
	b = appendString(b, c.clientID)
	return append(b, '}')
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}
