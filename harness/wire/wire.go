// Package wire holds one HTTP call as data: what is asked, what came back,
// when, and what went wrong. It sends nothing itself; a [Doer] does. Between
// the package that builds a request and the one that sends it stands only this
// vocabulary, so that whoever guards the network can judge every request.
package wire

import (
	"context"
	"strings"
	"time"
)

// Field is one header line. Names compare without regard to case; the
// spelling is kept as received.
type Field struct{ Name, Value string }

// Header is a list of header lines in the order of the wire.
type Header []Field

// Value returns the first value of the field called name, or "" when there is
// none.
func (h Header) Value(name string) string {
	for i := range h {
		if sameName(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Values returns all values of the fields called name, in order; nil when
// there is none.
func (h Header) Values(name string) []string {
	var values []string
	for i := range h {
		if sameName(h[i].Name, name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// Has reports whether a field called name is there, even an empty one.
func (h Header) Has(name string) bool {
	for i := range h {
		if sameName(h[i].Name, name) {
			return true
		}
	}
	return false
}

func sameName(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// Kind says what a request is counted as. The kinds of all requests of a path
// add up to what reached the wire.
type Kind uint8

// The kinds of traffic.
const (
	Step    Kind = iota // a step of a scenario
	Retry               // the same step again, after it was pushed back
	Page                // a following page of a listing
	Poll                // asking again until something is visible
	Probe               // preflight, placement and comparison probes
	Fixture             // preparing or cleaning up
	Token               // signing in
)

// Kinds lists every kind, in the order in which traffic is reported.
var Kinds = [...]Kind{Step, Retry, Page, Poll, Probe, Fixture, Token}

var kindNames = [...]string{"steps", "retries", "pages", "polls", "probes", "fixtures", "tokens"}

// String returns the plural under which the kind is reported, such as
// "retries".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Effect is what a request does to the world. Each dialect states it for the
// requests it builds; the guard judges it without knowing dialects.
type Effect struct {
	// Writes is true when the request may change something.
	Writes bool
	// Deletes is true when the request may remove something.
	Deletes bool
	// Mails is true when the request may make the server send mail.
	Mails bool
	// Creates is the sort of item created ("message", "event", "contact",
	// "folder"), or "" for none. Created items are journalled.
	Creates string
	// Recipients are the SMTP addresses that the request itself names.
	Recipients []string
	// StoredRecipients is true when the recipients come from a stored item,
	// as in sending a draft or replying.
	StoredRecipients bool
	// Known is true when the stored item was read and Recipients holds whom it
	// names, none included.
	Known bool
	// Untraceable is true when the request mails something whose copies nobody would find
	// again: their subject does not begin with the run's tag.
	Untraceable bool
	// Target is the id of the item changed or deleted, "" when there is none.
	Target string
}

// Request is one HTTP request, complete but for what the client adds itself
// (Host, User-Agent, Content-Length, Accept-Encoding, Connection).
type Request struct {
	Kind   Kind
	Method string
	// URL is absolute, with scheme http or https, already escaped.
	URL string
	// Header holds no Authorization, Host, User-Agent or Content-Length.
	Header Header
	// Authorization is the value of that header, "" for none. It is never
	// logged and never stored.
	Authorization string
	// Body is sent as it is; nil sends no body. The sender only reads it.
	Body []byte
	// Timeout bounds the whole request; 0 means the client's default.
	Timeout time.Duration
	Effect  Effect
	// Mailbox is the name of the mailbox pair, for caps and lanes; "" for none.
	Mailbox string
	// Template names the request with low cardinality, such as
	// "GET /me/messages/{id}", for counters and the audit trail.
	Template string
}

// Doer sends one request and waits for its answer. into is overwritten and its
// buffers are reused, so Header (the slice) and Body are valid until the next
// Do with the same Call; the strings in Header may be kept. What goes wrong is
// in into.Failure, the only place. A Doer is safe for concurrent use; a Call
// is not.
type Doer interface {
	Do(ctx context.Context, req *Request, into *Call)
}
