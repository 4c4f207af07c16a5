package auth

import (
	"context"
	"net/http"
	"time"

	"cutover/harness/wire"
	"cutover/profiles"
)

// Watch returns a doer that offers each password to the target carefully: the
// first request of an account goes alone, and its answer decides. After a 401
// the account is not offered again; the second such account stops the path.
// It concerns kinds that send a password with requests (Basic, NTLM); for the
// others, and for a source that is not of this package, it returns next.
// The accounts are found by wire.Request.Mailbox among Options.Mailboxes.
func Watch(s Source, next wire.Doer) wire.Doer {
	own, ok := s.(*source)
	if !ok {
		return next
	}
	if _, ok := own.kind.(*account); !ok {
		return next
	}
	return &watched{own, next}
}

type watched struct {
	source *source
	next   wire.Doer
}

// gate is what is known about an account's password.
type gate struct {
	proven bool
	proof  chan struct{} // non-nil while one request finds out; closed by it
}

// Do sends req once the account may be offered.
func (w *watched) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	carries := req.Authorization != "" || w.source.kind.(*account).ntlm
	m, known := w.source.byName[req.Mailbox]
	if !carries || !known && w.source.kind.(*account).user == profiles.MailboxUser {
		w.next.Do(ctx, req, into)
		return
	}
	id, err := w.source.identity(m)
	var prover bool
	if err == nil {
		prover, err = w.source.pass(ctx, id)
	}
	if err != nil {
		into.Reset()
		into.Failure = &wire.Failure{Kind: wire.NoToken, Err: err}
		return
	}
	w.next.Do(ctx, req, into)
	w.source.judge(id, prover, into)
}

// pass waits until id may be offered. prover is true for the one request that
// finds out whether the password is right.
func (s *source) pass(ctx context.Context, id *identity) (prover bool, err error) {
	for {
		s.mu.Lock()
		if id.gate == nil {
			id.gate = &gate{}
		}
		g := id.gate
		switch {
		case s.stopped != nil:
			s.mu.Unlock()
			return false, s.stopped
		case id.failed != nil && id.failed.Final:
			s.mu.Unlock()
			return false, id.failed
		case g.proven:
			s.mu.Unlock()
			return false, nil
		case g.proof == nil:
			g.proof = make(chan struct{})
			at := s.o.Clock.Now()
			if a, ok := s.kind.(*account); ok && !a.ntlm { // NTLM's connections wait in Admit
				at = s.turn()
			}
			s.mu.Unlock()
			if err := s.o.Clock.SleepUntil(ctx, at); err != nil {
				s.release(id)
				return false, classify(s.path.Name, id.who, err)
			}
			return true, nil
		}
		proof := g.proof
		s.mu.Unlock()
		select {
		case <-proof:
		case <-ctx.Done():
			return false, classify(s.path.Name, id.who, context.Cause(ctx))
		}
	}
}

// Admit waits until one more connection may sign in.
func (s *source) Admit(ctx context.Context) error {
	s.mu.Lock()
	at := s.turn()
	s.mu.Unlock()
	return s.o.Clock.SleepUntil(ctx, at)
}

// turn books the next moment at which a new login may be tried. The caller
// holds mu.
func (s *source) turn() time.Time {
	now := s.o.Clock.Now()
	if s.o.Logins <= 0 {
		return now
	}
	if s.next.Before(now) {
		s.next = now
	}
	at := s.next
	s.next = at.Add(time.Duration(float64(time.Second) / s.o.Logins))
	return at
}

// release lets another request find out.
func (s *source) release(id *identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(id.gate.proof)
	id.gate.proof = nil
}

// judge books what the target said to the password. No answer, and an answer
// that a broken server gives before it looks at passwords, prove nothing.
func (s *source) judge(id *identity, prover bool, into *wire.Call) {
	status := into.Response.Status
	answered := into.Failure == nil
	if answered && status != http.StatusUnauthorized && !prover {
		return
	}
	s.mu.Lock()
	switch {
	case !answered:
	case status == http.StatusUnauthorized:
		if id.failed == nil || !id.failed.Final {
			s.stats.Failed++
			s.refuse(id, &Error{Path: s.path.Name, Who: id.who, Reason: Refused, Status: status, Final: true, What: "the server did not accept user name and password",
				Remedy: "check the mailbox's login and secret; it is not tried again, so that the account is not locked"})
		}
	case status < 500:
		id.gate.proven = true
	}
	s.mu.Unlock()
	if prover {
		s.release(id)
	}
}
