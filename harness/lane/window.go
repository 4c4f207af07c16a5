package lane

import (
	"sync"
	"time"
)

// longestWindow bounds the memory of one window: 4,096 times of 8 bytes.
const longestWindow = 4096

// Window spaces requests so that never more than k leave in any k/rate seconds.
// The zero value has no cap. It is not safe for concurrent use.
type Window struct {
	length time.Duration
	sent   []int64 // ring of the last k times, in nanoseconds since base; nil: no cap
	at     int     // the oldest
	base   time.Time
}

// NewWindow returns a window for a rate per second; 0 has no cap.
func NewWindow(rate float64) Window {
	if rate <= 0 {
		return Window{}
	}
	k := min(max(1, int(rate)), longestWindow)
	return Window{length: time.Duration(float64(k) / rate * float64(time.Second)), sent: make([]int64, 0, k)}
}

// Reserve books one request and returns when it may leave, not before now.
func (w *Window) Reserve(now time.Time) time.Time {
	if w.length == 0 {
		return now
	}
	if w.base.IsZero() {
		w.base = now
	}
	at := now.Sub(w.base)
	if len(w.sent) < cap(w.sent) {
		if n := len(w.sent); n > 0 {
			at = max(at, time.Duration(w.sent[n-1]))
		}
		w.sent = append(w.sent, int64(at))
		return w.base.Add(at)
	}
	newest := (w.at + len(w.sent) - 1) % len(w.sent)
	at = max(at, time.Duration(w.sent[newest]), time.Duration(w.sent[w.at])+w.length)
	w.sent[w.at] = int64(at)
	w.at = (w.at + 1) % len(w.sent)
	return w.base.Add(at)
}

// Shared is a window that many goroutines share: the cap of a whole path.
type Shared struct {
	mu sync.Mutex
	w  Window
}

// NewShared returns a shared window for a rate per second; 0 has no cap.
func NewShared(rate float64) *Shared { return &Shared{w: NewWindow(rate)} }

// Reserve books one request and returns when it may leave, not before now.
func (s *Shared) Reserve(now time.Time) time.Time {
	if s.w.length == 0 { // set once by NewShared
		return now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Reserve(now)
}
