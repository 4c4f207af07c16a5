package auth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"cutover/profiles"

	"golang.org/x/sync/errgroup"
)

// kind is one way of signing in.
type kind interface {
	// who names the identity that m signs in as, "" for one that needs nothing.
	who(m profiles.Mailbox) (string, error)
	// acquire signs in as the identity of m. It runs under a context that no
	// caller ends.
	acquire(ctx context.Context, m profiles.Mailbox) (grant, error)
}

// grant is what a sign-in brought.
type grant struct {
	header  string    // value of the Authorization header
	expires time.Time // zero: never
	login   *login    // for NTLM
}

type login struct{ user, password string }

// source keeps the identities of one path. It implements Source.
type source struct {
	path   profiles.Path
	o      Options
	kind   kind
	ctx    context.Context // sign-ins run under it, never under a caller's
	stop   context.CancelFunc
	work   sync.WaitGroup
	wake   chan struct{} // one slot: the next renewal may be earlier than thought
	byName map[string]profiles.Mailbox

	mu       sync.RWMutex         // guards the fields below
	ids      map[string]*identity // by who
	refusals int
	stopped  *Error
	jitter   *rand.Rand
	next     time.Time // when the next login may be tried
	stats    Stats
}

// identity is one account or application of the path.
type identity struct {
	who     string
	current atomic.Pointer[grant] // nil: none yet
	idle    atomic.Int32          // renewals since it was last used

	// The rest is guarded by source.mu.
	mailbox profiles.Mailbox // one that signs in as it
	flight  *flight          // sign-in under way
	renew   time.Time        // when to renew, zero: not
	failed  *Error           // last failure
	again   time.Time        // no new attempt before; meaningless when failed.Final
	tries   int              // failures in a row
	gate    *gate            // for Watch: whether the target took the credential
}

// flight is a sign-in that several callers wait for.
type flight struct {
	done chan struct{} // closed by the one goroutine that signs in
	err  *Error        // set before done is closed
}

func newSource(p profiles.Path, o Options) *source {
	ctx, cancel := context.WithCancel(context.Background())
	s := &source{path: p, o: o, ctx: ctx, stop: cancel, wake: make(chan struct{}, 1), byName: map[string]profiles.Mailbox{},
		ids: map[string]*identity{}, jitter: rand.New(rand.NewPCG(o.Seed, 0x7e57))}
	for _, m := range o.Mailboxes {
		s.byName[m.Name] = m
	}
	return s
}

// start begins renewing.
func (s *source) start() { s.work.Go(s.renewAll) }

// Close stops renewing and waits for sign-ins under way, which it cancels.
func (s *source) Close() {
	s.stop()
	s.work.Wait()
}

// early is how long before its end a token is no longer handed out: longer
// than a request may wait for a connection.
const early = 5 * time.Second

// Authorization returns the header's value for m. In the steady state it
// takes a read lock and allocates nothing.
func (s *source) Authorization(ctx context.Context, m profiles.Mailbox) (string, error) {
	g, err := s.grant(ctx, m)
	if err != nil {
		return "", err
	}
	return g.header, nil
}

func (s *source) grant(ctx context.Context, m profiles.Mailbox) (*grant, error) {
	id, err := s.identity(m)
	if err != nil || id == nil {
		return noGrant, err
	}
	for {
		if g := id.current.Load(); g != nil && s.fresh(g) {
			id.idle.Store(0)
			return g, nil
		}
		f, err := s.join(id, m)
		if err != nil {
			return nil, err
		}
		select {
		case <-f.done:
			if f.err != nil {
				return nil, f.err
			}
		case <-ctx.Done():
			return nil, classify(s.path.Name, id.who, context.Cause(ctx))
		}
	}
}

// noGrant is what a path without sign-in hands out.
var noGrant = new(grant)

func (s *source) fresh(g *grant) bool {
	return g.expires.IsZero() || s.o.Clock.Now().Before(g.expires.Add(-early))
}

// identity finds who m signs in as; nil when nobody has to.
func (s *source) identity(m profiles.Mailbox) (*identity, error) {
	who, err := s.kind.who(m)
	if err != nil {
		return nil, classify(s.path.Name, "", err)
	}
	if who == "" {
		return nil, nil
	}
	s.mu.RLock()
	id, stopped := s.ids[who], s.stopped
	s.mu.RUnlock()
	if stopped != nil {
		return nil, stopped
	}
	if id != nil {
		return id, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[who] == nil {
		s.ids[who] = &identity{who: who, mailbox: m}
	}
	return s.ids[who], nil
}

// join returns the sign-in under way for id, or begins one. A credential that
// was refused, and a service that asked for patience, begin none.
func (s *source) join(id *identity, m profiles.Mailbox) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped != nil:
		return nil, s.stopped
	case id.flight != nil:
		return id.flight, nil
	case id.failed != nil && (id.failed.Final || s.o.Clock.Now().Before(id.again)):
		return nil, id.failed
	}
	if g := id.current.Load(); g != nil {
		if s.fresh(g) {
			return landed, nil
		}
		s.stats.Late++
	}
	return s.begin(id, m, false), nil
}

// landed is a sign-in that ended well between a caller's two looks.
var landed = func() *flight {
	f := &flight{done: make(chan struct{})}
	close(f.done)
	return f
}()

// begin starts a sign-in in a goroutine of its own. The caller holds mu.
func (s *source) begin(id *identity, m profiles.Mailbox, renewal bool) *flight {
	f := &flight{done: make(chan struct{})}
	id.flight = f
	id.renew = time.Time{}
	s.work.Go(func() {
		began := s.o.Clock.Now()
		g, err := s.acquire(m)
		s.end(id, f, g, err, began, renewal)
	})
	return f
}

// acquire signs in; a library's panic is an error like any other.
func (s *source) acquire(m profiles.Mailbox) (g grant, err error) {
	defer func() {
		if recover() != nil { // its text could hold the credential
			err = &Error{Path: s.path.Name, Reason: Unreachable, What: "the sign-in library broke on what the token service sent", Remedy: "check authority in the profile"}
		}
	}()
	return s.kind.acquire(s.ctx, m)
}

// end books the outcome and lets the callers go.
func (s *source) end(id *identity, f *flight, g grant, err error, began time.Time, renewal bool) {
	now := s.o.Clock.Now()
	s.mu.Lock()
	id.flight = nil
	if err == nil {
		id.failed, id.tries = nil, 0
		id.renew = s.due(g, now)
		id.current.Store(&g)
		if g.login == nil && !g.expires.IsZero() {
			s.stats.Acquired++
			s.stats.Latency.Record(now.Sub(began))
			if renewal {
				s.stats.Renewed++
				id.idle.Add(1)
			}
		}
	} else {
		f.err = classify(s.path.Name, id.who, err)
		if f.err.Who == "" {
			f.err.Who = id.who
		}
		s.fail(id, f.err, now)
	}
	s.mu.Unlock()
	close(f.done)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Back-off between attempts that failed for a passing reason.
const (
	firstBackoff = time.Second
	longBackoff  = time.Minute
)

// fail books a failure: a refused credential is never offered again, a passing
// trouble waits as long as the service asks, or ever longer. The caller holds mu.
func (s *source) fail(id *identity, e *Error, now time.Time) {
	s.stats.Failed++
	if e.Reason == Ended {
		return // the source was closed
	}
	id.failed = e
	backoff := min(firstBackoff<<min(id.tries, 10), longBackoff)
	id.tries++
	id.again = now.Add(max(backoff, e.After))
	if id.current.Load() != nil && !e.Final {
		id.renew = id.again
	}
	if e.Reason == Refused {
		s.refuse(id, e)
	}
}

// limit is how many refused credentials stop a path: the first may be one bad
// mailbox, the second says that the profile is wrong.
const limit = 2

// refuse counts a refused credential. The caller holds mu.
func (s *source) refuse(id *identity, e *Error) {
	id.failed = e
	id.current.Store(nil)
	s.stats.Refused++
	if s.refusals++; s.refusals >= limit && s.stopped == nil {
		s.stopped = &Error{Path: s.path.Name, Reason: Stopped, Final: true, What: fmt.Sprintf("%d credentials were refused, the last as %s", s.refusals, id.who),
			Remedy: "correct the credentials of the profile; no other is offered in this run, so that no account is locked"}
	}
}

// margin is MSAL's: a token with less than five minutes left is never served
// from its cache, so that a renewal after this moment brings a new one.
const margin = 5 * time.Minute

// due is when to renew: when less than the margin is left, spread over the
// next two minutes so that thousands of tokens do not end together. Tokens too
// short for that are renewed at 60 to 75 % of their life.
func (s *source) due(g grant, now time.Time) time.Time {
	if g.expires.IsZero() {
		return time.Time{}
	}
	life := g.expires.Sub(now)
	spread := time.Duration(s.jitter.Int64N(int64(2 * time.Minute)))
	if life > 2*margin {
		return g.expires.Add(-margin + time.Second + spread)
	}
	part := 0.60 + 0.15*float64(spread)/float64(2*time.Minute)
	return now.Add(time.Duration(float64(life) * part))
}

// renewers bounds how many renewals run at once.
const renewers = 8

// unused is how many tokens in a row nobody may use before an identity is
// left to expire.
const unused = 2

// renewAll renews what is due until Close.
func (s *source) renewAll() {
	timer := s.o.Clock.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := s.renewDue()
		timer.Reset(next)
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		case <-timer.C():
		}
	}
}

// renewDue begins what is due and returns how long nothing else will be.
func (s *source) renewDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, next, flying := s.o.Clock.Now(), time.Hour, 0
	for _, id := range s.ids {
		if id.flight != nil {
			flying++
		}
	}
	for _, id := range s.ids {
		if id.renew.IsZero() || id.flight != nil || s.stopped != nil {
			continue
		}
		if wait := id.renew.Sub(now); wait > 0 {
			next = min(next, wait)
			continue
		}
		if id.idle.Load() >= unused {
			id.renew = time.Time{}
			continue
		}
		if flying < renewers { // the end of a flight wakes this loop again
			flying++
			s.begin(id, id.mailbox, true)
		}
	}
	return next
}

// Warm signs in as every mailbox.
func (s *source) Warm(ctx context.Context, boxes []profiles.Mailbox) error {
	var g errgroup.Group
	g.SetLimit(renewers)
	for _, m := range boxes {
		g.Go(func() error {
			_, err := s.grant(ctx, m)
			return err
		})
	}
	return g.Wait()
}

// Login is what an NTLM connection of a mailbox offers.
func (s *source) Login(mailbox string) (user, password string, ok bool) {
	m, known := s.byName[mailbox]
	if !known {
		return "", "", false
	}
	g, err := s.grant(s.ctx, m)
	if err != nil || g.login == nil {
		return "", "", false
	}
	return g.login.user, g.login.password, true
}

// Stats tells what signing in cost so far.
func (s *source) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.stats
	all.Latency = *s.stats.Latency.Clone()
	return all
}
