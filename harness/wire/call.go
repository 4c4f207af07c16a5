package wire

import "time"

// Response is what the server answered. Redirects are answers like any other.
type Response struct {
	// Status is the HTTP status code, 0 when there was no answer.
	Status int
	// Proto is "HTTP/1.1", "HTTP/2.0" and so on.
	Proto  string
	Header Header
	// Body is decoded: chunking and gzip are undone.
	Body []byte
	// Truncated is true when the body was longer than the client's limit, or
	// ended before its announced length; Body then holds what arrived.
	Truncated bool
}

// Timing says when a call happened. Durations that did not occur are 0.
type Timing struct {
	// Sent is the moment the first byte of the request was handed to the
	// connection, after waiting for one and after dialling.
	Sent time.Time
	// FirstByte is when the first byte of the answer arrived, be it that of an
	// interim 1xx.
	FirstByte time.Time
	// Done is when the last byte of the answer arrived, or when the call
	// failed.
	Done time.Time
	// Wait is how long the request waited for a connection before Sent: for a
	// free one, or for one to be opened. It is the target's and the network's
	// doing, not the generator's.
	Wait time.Duration
	// Connect is what name resolution and the TCP handshake took, 0 on a
	// reused connection.
	Connect time.Duration
	// TLS is what the TLS handshake took, 0 on a reused connection.
	TLS time.Duration
	// Reused is true when the connection had carried a request before.
	Reused bool
	// BytesOut and BytesIn count the bytes of request and answer, headers
	// included, before encryption. Over HTTP/2 headers are counted as if
	// spelt out.
	BytesOut, BytesIn int64
	// Remote is the address and port that answered, "" when none was reached.
	Remote string
}

// Call is one request's outcome. The zero value is ready for a Doer.
type Call struct {
	Response Response
	Timing   Timing
	// Failure is nil when an answer of any status arrived whole.
	Failure *Failure
}

// keptBody bounds the body buffer that Reset keeps: one huge answer must not
// occupy memory for the rest of a run.
const keptBody = 1 << 20

// Reset forgets the outcome and keeps the buffers for the next one, unless the
// body's has grown beyond 1 MiB.
func (c *Call) Reset() {
	body := c.Response.Body[:0]
	if cap(body) > keptBody {
		body = nil
	}
	c.Response = Response{Header: c.Response.Header[:0], Body: body}
	c.Timing = Timing{}
	c.Failure = nil
}

// Clone returns a deep copy that no later Do touches.
func (c *Call) Clone() *Call {
	d := *c
	d.Response.Header = append(Header(nil), c.Response.Header...)
	d.Response.Body = append([]byte(nil), c.Response.Body...)
	return &d
}

// FailureKind says at which stage, and whose doing it was, that no whole
// answer came back.
type FailureKind uint8

// The kinds of failure.
const (
	// DNS: the host's name could not be resolved.
	DNS FailureKind = iota + 1
	// Connect: nobody accepted the connection.
	Connect
	// TLS: the handshake or the encryption broke.
	TLS
	// Timeout: a stage, or the whole request, took longer than allowed.
	Timeout
	// Reset: the connection ended before the answer was whole.
	Reset
	// Protocol: what arrived is not HTTP.
	Protocol
	// TooLarge: headers or body exceed the client's limits.
	TooLarge
	// Refused: a safety rule forbade the request; nothing was sent.
	Refused
	// NoToken: no credential could be obtained.
	NoToken
	// Canceled: the caller gave up.
	Canceled
)

var failureNames = [...]string{"", "dns", "connect", "tls", "timeout", "reset", "protocol", "too large", "refused", "token", "canceled"}

// String returns the outcome word of the kind, such as "reset".
func (k FailureKind) String() string {
	if k > 0 && int(k) < len(failureNames) {
		return failureNames[k]
	}
	return "unknown"
}

// Failure says why no whole answer came back. It implements error.
type Failure struct {
	Kind FailureKind
	// Err is the cause with its details; it holds no credential.
	Err error
}

// Error returns the kind and the cause.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Kind.String()
	}
	return f.Kind.String() + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
