package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"cutover/harness/wire"
)

// Stage is a part of a request's life in which it can fail.
type Stage string

// The stages, in order.
const (
	Waiting    Stage = "waiting for a free connection"
	Connecting Stage = "connecting"
	Securing   Stage = "in the TLS handshake"
	Sending    Stage = "sending"
	FirstByte  Stage = "waiting for the first byte"
	Receiving  Stage = "receiving"
)

// StageError says in which stage a request failed.
type StageError struct {
	Stage Stage
	Err   error
}

// Error returns the stage and the cause.
func (e *StageError) Error() string { return string(e.Stage) + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *StageError) Unwrap() error { return e.Err }

// errMalformed marks bytes that are not HTTP, or a use of it that would be
// unsafe to follow.
var errMalformed = errors.New("malformed HTTP")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}

// errTooLarge marks an answer beyond the client's limits.
var errTooLarge = errors.New("answer too large")

// refusal carries an error of the control hook through the dialer.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// fail classifies err, which ended a request in the given stage unless the
// error itself names one. It looks at types alone. It returns nil for nil.
func fail(ctx context.Context, stage Stage, err error) *wire.Failure {
	if err == nil {
		return nil
	}
	var staged *StageError
	if errors.As(err, &staged) {
		stage = staged.Stage
	} else {
		err = &StageError{stage, err}
	}
	return &wire.Failure{Kind: kindOf(ctx, stage, err), Err: err}
}

func kindOf(ctx context.Context, stage Stage, err error) wire.FailureKind {
	var refused *refusal
	var dns *net.DNSError
	var timeout net.Error
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var op *net.OpError
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case errors.As(err, &refused):
		return wire.Refused
	case errors.Is(ctx.Err(), context.Canceled), is(context.Canceled):
		return wire.Canceled
	case errors.As(err, &dns):
		return wire.DNS
	case errors.As(err, &timeout) && timeout.Timeout(), is(context.DeadlineExceeded), is(os.ErrDeadlineExceeded):
		return wire.Timeout
	case stage == Connecting:
		return wire.Connect
	case stage == Securing, errors.As(err, &alert), errors.As(err, &record):
		return wire.TLS
	case is(errTooLarge):
		return wire.TooLarge
	case is(errMalformed):
		return wire.Protocol
	case is(io.EOF), is(io.ErrUnexpectedEOF), is(net.ErrClosed), errors.As(err, &op):
		return wire.Reset
	}
	return wire.Protocol
}
