package faults

import (
	"sync"
	"time"

	"cutover/harness/clock"
)

// Limits are what one app may do to one mailbox. A zero number is no limit.
type Limits struct {
	Concurrent  int
	Requests    int // in any Window
	Window      time.Duration
	Upload      int64 // bytes of request bodies in any UploadSpan
	UploadSpan  time.Duration
	Concurrency time.Duration // Retry-After of a refusal for concurrency; 1 s
}

// In is the limits as they were published in a year: until 2021 uploads had 15 MB in
// 30 seconds, since then 150 MB in 5 minutes. The year of the change is inferred.
func (l Limits) In(year int) Limits {
	if l.Upload > 0 && year >= 2022 {
		l.Upload, l.UploadSpan = 150<<20, 5*time.Minute
	}
	return l
}

// Published is what Graph documented in 2021 for Outlook resources: 4 at once,
// 10,000 in 10 minutes and 15 MB of uploads in 30 seconds, per app and mailbox.
func Published() Limits {
	return Limits{Concurrent: 4, Requests: 10_000, Window: 10 * time.Minute, Upload: 15 << 20, UploadSpan: 30 * time.Second, Concurrency: time.Second}
}

// Pushback is a refusal for too many requests.
type Pushback struct {
	Status        int
	Code, Message string
	After         time.Duration // the Retry-After
}

// shards spreads the keys so that no lock is shared by all requests.
const shards = 64

// Limiter counts requests per app and mailbox. Safe for concurrent use.
type Limiter struct {
	limits Limits
	clock  clock.Clock
	shard  [shards]limiterShard
	ledger ledger
}

type limiterShard struct {
	mu   sync.Mutex // guards lane and all in it
	lane map[laneKey]*lane
}

type laneKey struct{ app, mailbox string }

// lane is the traffic of one app to one mailbox.
type lane struct {
	active   int
	requests span
	upload   span
	release  func()
	refused  time.Time // when the window under way was opened by a refusal
	closed   time.Time // until when a Retry-After has closed the lane
}

// span is a sliding window of slots: a tenth of the window is its resolution.
type span struct {
	slots [10]int64
	at    int64 // number of the newest slot
}

// NewLimiter returns a limiter that reads the given clock.
func NewLimiter(l Limits, c clock.Clock) *Limiter {
	if l.Concurrency <= 0 {
		l.Concurrency = time.Second
	}
	m := &Limiter{limits: l, clock: c}
	for i := range m.shard {
		m.shard[i].lane = map[laneKey]*lane{}
	}
	return m
}

// Admit lets a request through, or refuses it. release must be called when the
// answer is written; it is nil for a refused request. A refused request counts
// against the window, as documented: who ignores Retry-After prolongs it.
func (m *Limiter) Admit(app, mailbox string, upload int64) (release func(), refused *Pushback) {
	s := &m.shard[hash(app, mailbox)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lane[laneKey{app, mailbox}]
	if l == nil {
		l = &lane{}
		l.release = func() {
			s.mu.Lock()
			l.active--
			s.mu.Unlock()
		}
		s.lane[laneKey{app, mailbox}] = l
	}
	now := m.clock.Now()
	m.arrives(l, now)
	if m.limits.Requests > 0 {
		if after := l.requests.add(now, m.limits.Window, 1, int64(m.limits.Requests)); after > 0 {
			return nil, m.refuses(l, now, &Pushback{429, "TooManyRequests", "Please retry again later.", after})
		}
	}
	if m.limits.Upload > 0 && upload > 0 {
		if after := l.upload.add(now, m.limits.UploadSpan, upload, m.limits.Upload); after > 0 {
			return nil, m.refuses(l, now, &Pushback{429, "ApplicationThrottled", "Application is over its UploadVolume limit.", after})
		}
	}
	if m.limits.Concurrent > 0 && l.active >= m.limits.Concurrent {
		return nil, m.refuses(l, now, &Pushback{429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", m.limits.Concurrency})
	}
	l.active++
	return l.release, nil
}

// add counts n; over the limit it says how long until the oldest slot leaves.
func (s *span) add(now time.Time, window time.Duration, n, limit int64) time.Duration {
	width := int64(max(window/time.Duration(len(s.slots)), 1))
	at := now.UnixNano() / width
	if at-s.at >= int64(len(s.slots)) || at < s.at {
		*s = span{at: at}
	}
	for ; s.at < at; s.at++ {
		*s.slot(s.at + 1) = 0
	}
	*s.slot(at) += n
	var total int64
	for _, c := range s.slots {
		total += c
	}
	if total <= limit {
		return 0
	}
	for age := int64(len(s.slots)) - 1; age >= 0; age-- {
		slot := at - age
		if total -= *s.slot(slot); total <= limit {
			return time.Duration((slot+int64(len(s.slots))+1)*width - now.UnixNano())
		}
	}
	return window
}

// slot is the counter of a slot by its number, which may be negative.
func (s *span) slot(n int64) *int64 {
	size := int64(len(s.slots))
	return &s.slots[(n%size+size)%size]
}

func hash(a, b string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [2]string{a, b} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ '|') * 1099511628211
	}
	return h
}
