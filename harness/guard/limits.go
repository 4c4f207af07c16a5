package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cutover/harness/clock"
	"cutover/harness/wire"
)

// Caps bound what a run may send, whatever its plan says. A request that would
// exceed a rate or a concurrency waits; one that would exceed a volume is
// refused. A zero field is no cap in the lab and on this machine; elsewhere it
// takes the default, and what the consent says is a ceiling.
type Caps struct {
	Rate               float64            // requests per second over all paths; default: the consent's
	PathRate           map[string]float64 // requests per second of a path
	MailboxRate        float64            // requests per second of one mailbox on one path; default 8
	MailboxConcurrency int                // requests of one mailbox under way on one path; default 4
	Concurrency        int                // requests under way over all paths; default 512
	Items              int                // items that may be created; default 10,000
	MailboxItems       int                // items that may be created in one mailbox; default 1,000
	Mails              int                // requests that may send mail; without consent to mails: none
	Bytes              int64              // request bodies of writes; default 1,000 MB
	MailboxBytes       int64              // request bodies of writes to one mailbox; default 100 MB
}

// Defaults outside this machine: half of what Exchange Online allows an
// application in one mailbox (4 concurrent, 10,000 in ten minutes), and volumes that
// a test needs and an accident exceeds.
const (
	defaultRate         = 100
	defaultMailboxRate  = 8
	defaultConcurrency  = 4
	defaultAtOnce       = 512
	defaultMailboxItems = 1_000
	defaultMegabytes    = 1_000
	defaultMailboxMB    = 100
	megabyte            = 1_000_000
)

// remote tells whether any target is not on this machine.
func (r Rules) remote() bool {
	for _, hosts := range r.Hosts {
		for _, h := range hosts {
			if !r.onThisMachine(h) {
				return true
			}
		}
	}
	return false
}

// within returns the caps that hold under the rules.
func (c Caps) within(r Rules) Caps {
	if r.Simulated || !r.remote() || r.Consent == nil {
		return c
	}
	k := r.Consent
	c.Rate = ceiling(c.Rate, k.Rate.PerSecond, defaultRate)
	c.MailboxRate = ceiling(c.MailboxRate, k.PerMailbox.Rate.PerSecond, defaultMailboxRate)
	c.MailboxConcurrency = ceiling(c.MailboxConcurrency, k.PerMailbox.Concurrency, defaultConcurrency)
	c.Items = ceiling(c.Items, k.Items, k.MaxItems())
	c.Concurrency = ceiling(c.Concurrency, k.Concurrency, defaultAtOnce)
	c.MailboxItems = min(ceiling(c.MailboxItems, k.PerMailbox.Items, defaultMailboxItems), c.Items)
	c.Bytes = ceiling(c.Bytes, int64(k.Megabytes)*megabyte, defaultMegabytes*megabyte)
	c.MailboxBytes = min(ceiling(c.MailboxBytes, int64(k.PerMailbox.Megabytes)*megabyte, defaultMailboxMB*megabyte), c.Bytes)
	c.Mails = ceiling(c.Mails, k.Mails, -1)
	return c
}

// ceiling is what was asked for, at most what is allowed; where nothing is
// said the default holds.
func ceiling[T int | int64 | float64](asked, allowed, otherwise T) T {
	if allowed == 0 {
		allowed = otherwise
	}
	if asked == 0 || asked > allowed {
		return allowed
	}
	return asked
}

// Observed are the highest figures that the door let through.
type Observed struct {
	Rate               int   // requests in one second, all paths
	Concurrency        int   // requests under way at once
	MailboxRate        int   // requests of one mailbox in one second
	MailboxConcurrency int   // requests of one mailbox under way at once
	Items              int   // items created or begun
	Mails              int   // requests that may have sent mail
	MailboxItems       int   // items created or begun in one mailbox
	Bytes              int64 // request bodies of writes
	MailboxBytes       int64 // request bodies of writes to one mailbox
}

// limits applies caps and remembers what was observed.
type limits struct {
	caps  Caps
	clock clock.Clock
	brake *Brake // nil: none
	total *turnstile
	paths map[string]*turnstile
	seats chan struct{} // of all mailboxes together; nil: no cap

	mu        sync.Mutex // guards the fields below
	mailboxes map[lane]*mailbox
	lately    *mailbox // found last: a plain path has one
	all       tally
	seen      Observed
	items     map[string]int   // created per mailbox
	bytes     map[string]int64 // written per mailbox
	slowed    *turnstile       // where no cap on the total holds: made when the brake first slows
}

type lane struct{ path, mailbox string }

// mailbox is the state of one mailbox on one path.
type mailbox struct {
	key   lane
	turn  *turnstile
	seats chan struct{} // nil: no cap
	tally tally         // guarded by limits.mu
}

// tally counts what is under way and what began in the current second.
type tally struct {
	second  int64
	begun   int
	current int
}

func (t *tally) begin(now time.Time) {
	if s := now.Unix(); s != t.second {
		t.second, t.begun = s, 0
	}
	t.begun++
	t.current++
}

func newLimits(c Caps, k clock.Clock, b *Brake) *limits {
	l := &limits{caps: c, clock: k, brake: b, total: newTurnstile(c.Rate), paths: map[string]*turnstile{}, mailboxes: map[lane]*mailbox{}, items: map[string]int{}, bytes: map[string]int64{}}
	if c.Concurrency > 0 {
		l.seats = make(chan struct{}, c.Concurrency)
	}
	for path, rate := range c.PathRate {
		l.paths[path] = newTurnstile(rate)
	}
	return l
}

// enter waits until the caps let the request through; leave must follow. It
// fails when ctx or the door ends first, or when a volume is used up.
func (l *limits) enter(ctx, door context.Context, path string, req *wire.Request, changes bool) (m *mailbox, fail *wire.Failure) {
	if err := l.volume(req, changes); err != nil {
		return nil, failure(err)
	}
	m, entered := l.open(lane{path, req.Mailbox})
	if entered {
		return m, nil
	}
	if err := sit(ctx, door, m.seats); err != nil {
		return nil, err
	}
	if err := sit(ctx, door, l.seats); err != nil {
		rise(m.seats)
		return nil, err
	}
	if byPath, whole := l.paths[path], l.whole(); m.turn != nil || byPath != nil || whole != nil {
		if err := l.pass(ctx, door, m.turn, byPath, whole); err != nil {
			rise(l.seats)
			rise(m.seats)
			return nil, err
		}
	}
	l.began(path, m)
	return m, nil
}

// sit waits for one of the seats; nil has room for everybody.
func sit(ctx, door context.Context, seats chan struct{}) *wire.Failure {
	if seats == nil {
		return nil
	}
	select {
	case seats <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	case <-door.Done():
		return failure(errClosed)
	}
}

func rise(seats chan struct{}) {
	if seats != nil {
		<-seats
	}
}

func ended(ctx context.Context) *wire.Failure {
	kind := wire.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = wire.Timeout
	}
	return &wire.Failure{Kind: kind, Err: fmt.Errorf("waiting for a cap: %w", context.Cause(ctx))}
}

// pass takes the turns from the narrowest to the widest, waits in each, and
// stamps all of them when the request leaves: every cap holds at that moment.
func (l *limits) pass(ctx, door context.Context, turns ...*turnstile) *wire.Failure {
	for _, t := range turns {
		if t == nil {
			continue
		}
		select {
		case t.turn <- struct{}{}:
			defer func() { <-t.turn }()
		case <-ctx.Done():
			return ended(ctx)
		case <-door.Done():
			return failure(errClosed)
		}
		if fail := l.sleep(ctx, door, t.next); fail != nil {
			return fail
		}
	}
	now, factor := l.clock.Now(), l.brake.factor()
	for _, t := range turns {
		if t != nil {
			t.stamp(now, factor)
		}
	}
	return nil
}

// sleep waits until at on the door's clock.
func (l *limits) sleep(ctx, door context.Context, at time.Time) *wire.Failure {
	wait := at.Sub(l.clock.Now())
	if wait <= 0 {
		return nil
	}
	timer := l.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ended(ctx)
	case <-door.Done():
		return failure(errClosed)
	}
}

// turnstile spaces requests evenly. Whoever holds the turn owns next.
type turnstile struct {
	every time.Duration
	turn  chan struct{}
	next  time.Time
}

func newTurnstile(rate float64) *turnstile {
	if rate <= 0 {
		return nil
	}
	return &turnstile{every: time.Duration(float64(time.Second) / rate), turn: make(chan struct{}, 1)}
}

// slack is how much lateness of a timer is made up for, so that rates above
// a timer's resolution are reached: a second holds at most one hundredth more
// than its cap, and one.
const slack = 10 * time.Millisecond

// stamp books a request that leaves; factor is by what the brake divides the rate.
func (t *turnstile) stamp(now time.Time, factor float64) {
	if earliest := now.Add(-slack); t.next.Before(earliest) {
		t.next = earliest
	}
	t.next = t.next.Add(time.Duration(float64(t.every) * factor))
}

// whole is the turnstile of all paths together. Without a cap it exists only
// while the brake slows the run down from the highest rate seen.
func (l *limits) whole() *turnstile {
	if l.total != nil || l.brake.factor() == 1 {
		return l.total
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.slowed == nil {
		l.slowed = newTurnstile(float64(max(l.seen.Rate, 1)))
	}
	return l.slowed
}

// find returns the state of a mailbox, made when first asked for. l.mu is held.
func (l *limits) find(key lane) *mailbox {
	if l.lately != nil && l.lately.key == key {
		return l.lately
	}
	m := l.mailboxes[key]
	if m == nil {
		m = &mailbox{key: key}
		if key.mailbox != "" {
			m.turn = newTurnstile(l.caps.MailboxRate)
			if n := l.caps.MailboxConcurrency; n > 0 {
				m.seats = make(chan struct{}, n)
			}
		}
		l.mailboxes[key] = m
	}
	l.lately = m
	return m
}

// open finds the state of a mailbox. Where no cap holds the request enters at once.
func (l *limits) open(key lane) (m *mailbox, entered bool) {
	now, slowed := l.clock.Now(), l.brake.factor() != 1
	l.mu.Lock()
	m = l.find(key)
	entered = m.seats == nil && l.seats == nil && m.turn == nil && l.total == nil && !slowed && l.paths[key.path] == nil
	if entered {
		l.count(m, now)
	}
	l.mu.Unlock()
	if entered && l.brake != nil {
		l.brake.begin(key.path, now)
	}
	return m, entered
}

// began notes a request that waited for its caps.
func (l *limits) began(path string, m *mailbox) {
	now := l.clock.Now()
	l.mu.Lock()
	l.count(m, now)
	l.mu.Unlock()
	if l.brake != nil {
		l.brake.begin(path, now)
	}
}

// count notes a request that leaves now. l.mu is held.
func (l *limits) count(m *mailbox, now time.Time) {
	l.all.begin(now)
	m.tally.begin(now)
	l.seen.Rate = max(l.seen.Rate, l.all.begun)
	l.seen.Concurrency = max(l.seen.Concurrency, l.all.current)
	l.seen.MailboxRate = max(l.seen.MailboxRate, m.tally.begun)
	l.seen.MailboxConcurrency = max(l.seen.MailboxConcurrency, m.tally.current)
}

// leave gives back what enter took.
func (l *limits) leave(m *mailbox) {
	l.mu.Lock()
	l.all.current--
	m.tally.current--
	l.mu.Unlock()
	rise(l.seats)
	rise(m.seats)
}

func (l *limits) observed() Observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}
