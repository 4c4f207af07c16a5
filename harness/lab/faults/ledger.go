package faults

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// onTheWay is how long after a refusal a request may still arrive that its sender
// let go before it could know.
const onTheWay = 100 * time.Millisecond

// Ledger is what a limiter saw of its clients' manners.
type Ledger struct {
	Refused uint64 `json:"refused"` // requests answered 429
	Early   uint64 `json:"early"`   // requests that came while a Retry-After had closed their lane
	Peak    uint64 `json:"peak"`    // most requests of one app in one mailbox at work at once, refused ones included
}

// ledger counts for a Ledger.
type ledger struct{ refused, early, peak atomic.Uint64 }

// Ledger returns the counts so far.
func (m *Limiter) Ledger() Ledger {
	return Ledger{Refused: m.ledger.refused.Load(), Early: m.ledger.early.Load(), Peak: m.ledger.peak.Load()}
}

// arrives notes a request of a lane, which the caller has locked.
func (m *Limiter) arrives(l *lane, now time.Time) {
	if now.Before(l.closed) && now.Sub(l.refused) > onTheWay {
		m.ledger.early.Add(1)
	}
	for at := uint64(l.active + 1); ; {
		peak := m.ledger.peak.Load()
		if at <= peak || m.ledger.peak.CompareAndSwap(peak, at) {
			return
		}
	}
}

// refuses notes a refusal and hands it on.
func (m *Limiter) refuses(l *lane, now time.Time, p *Pushback) *Pushback {
	m.ledger.refused.Add(1)
	if !now.Before(l.closed) {
		l.refused = now
	}
	l.closed = now.Add(p.After)
	return p
}

// ParseLimits reads how a service throttles:
//
//	published      what Graph documents for Outlook resources
//	none           not at all
//	20/1s          20 requests of one app in one mailbox in any second, the rest as published
func ParseLimits(text string) (Limits, error) {
	limits := Published()
	switch text {
	case "", "published":
		return limits, nil
	case "none":
		return Limits{}, nil
	}
	n, window, found := strings.Cut(text, "/")
	requests, err := strconv.Atoi(n)
	if !found || err != nil || requests < 1 {
		return Limits{}, fmt.Errorf("throttle %q: want published, none, or requests and their window as 20/1s", text)
	}
	limits.Requests = requests
	if limits.Window, err = duration(window); err != nil || limits.Window < 10*time.Millisecond {
		return Limits{}, fmt.Errorf("throttle %q: %q is no window (20/1s)", text, window)
	}
	return limits, nil
}
