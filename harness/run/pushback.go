package run

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/lane"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// pressure is what one side has said about being asked too much.
//
// Rules:
//   - A window opens when a Retry-After has been taken note of, and closes when it
//     says. A request violates it that passed its last check in between.
//   - What names a mailbox's limit keeps that mailbox still; what names the
//     application's or the server's keeps the whole side still.
type pressure struct {
	sent  atomic.Uint64 // requests handed to the door
	any   atomic.Bool   // something was throttled
	until atomic.Int64  // when the whole side's window closes, as nanoseconds from the start of the run

	mu       sync.Mutex // guards everything below
	first    *result.FirstThrottle
	buckets  map[string]uint64
	waits    uint64
	longest  time.Duration
	violated uint64
	windows  map[int]span // by mailbox; wholeSide for all
	classes  map[int]*result.KneePoint
	calm     calm
}

// calm is what was asked before the first throttling answer: how many requests a leg
// makes when nothing holds it back.
type calm struct{ legs, requests uint64 }

// offered is the rate of requests that due legs a second ask for.
func (c calm) offered(due float64) float64 {
	if c.legs == 0 {
		return due
	}
	return due * float64(c.requests) / float64(c.legs)
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// wholeSide is the key of the window that closes a side for all mailboxes.
const wholeSide = -1

// named is which limit an answer speaks of, and the words that say so.
func named(resp *wire.Response) (bucket, evidence string) {
	if scope := resp.Header.Value("x-ms-throttle-scope"); scope != "" {
		return result.BucketApp, "x-ms-throttle-scope: " + cut(scope)
	}
	if reason := resp.Header.Value("Rate-Limit-Reason"); reason != "" {
		return result.BucketMailbox, "Rate-Limit-Reason: " + cut(reason)
	}
	for _, row := range []struct{ word, bucket string }{
		{"MailboxConcurrency", result.BucketConcurrency}, {"UploadVolume", result.BucketUpload}, {"ErrorServerBusy", result.BucketServer},
		{"ApplicationThrottled", result.BucketMailbox}, {"TooManyRequests", result.BucketMailbox},
	} {
		if bytes.Contains(resp.Body, []byte(row.word)) {
			return row.bucket, row.word
		}
	}
	if resp.Status == 503 {
		return result.BucketServer, "503"
	}
	for _, name := range []string{"RateLimit-Policy", "RateLimit", "RateLimit-Limit", "X-RateLimit-Limit"} {
		if value := resp.Header.Value(name); value != "" {
			return result.BucketApp, name + ": " + cut(value)
		}
	}
	return result.BucketUnnamed, ""
}

// cut keeps what a server says of itself short enough for a line.
func cut(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// wide reports whether a bucket is shared by the mailboxes.
func wide(bucket string) bool { return bucket == result.BucketApp || bucket == result.BucketServer }

// pushedBack takes note of a throttling answer. after is what it asks for, 0 when
// it does not say. Under honour the lane, or the side, keeps still for that long,
// or for otherwise; the end of that is returned.
func (r *runner) pushedBack(w *worker, v *visit, number uint64, after, otherwise time.Duration) (until time.Time) {
	p := r.pressed[w.side]
	resp := &w.call.Response
	bucket, evidence := named(resp)
	done := w.call.Timing.Done
	until = done.Add(or(after, otherwise))
	if r.policy == honour {
		r.hold(p, v.lane, wide(bucket) && after > 0, until)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.any.Store(true)
	p.buckets[bucket]++
	if p.first == nil {
		p.first = &result.FirstThrottle{
			Request: number, AtMS: ms(done.Sub(r.start)), Bucket: bucket, Mailbox: w.req.Mailbox, Status: resp.Status, RetryMS: ms(after),
			Scenario: r.plan.Scenarios[v.leg.arrival.Scenario].Name, Step: v.step.Name, Evidence: evidence,
		}
	}
	if r.policy == honour {
		p.waits++
		p.longest = max(p.longest, after)
	}
	if after > 0 {
		key := v.leg.arrival.Mailbox
		if wide(bucket) {
			key = wholeSide
		}
		p.shut(key, span{r.clock.Now(), until})
	}
	return until
}

// hold keeps a lane, or the whole side, still until a moment.
func (r *runner) hold(p *pressure, l *lane.Lane, side bool, until time.Time) {
	if !side {
		l.Pause(until)
		return
	}
	at := int64(until.Sub(r.start))
	for {
		old := p.until.Load()
		if old >= at || p.until.CompareAndSwap(old, at) {
			return
		}
	}
}

// held returns when the side's own pause ends, or now when there is none.
func (r *runner) held(side int, now time.Time) time.Time {
	if until := r.pressed[side].until.Load(); until > 0 {
		if at := r.start.Add(time.Duration(until)); at.After(now) {
			return at
		}
	}
	return now
}

// shut opens a window in which nothing should leave, or prolongs the open one.
func (p *pressure) shut(key int, s span) {
	if old, open := p.windows[key]; open && s.from.Before(old.to) {
		s.from = old.from
		if old.to.After(s.to) {
			s.to = old.to
		}
	}
	p.windows[key] = s
}

// leaves counts a request that goes to the door, having passed its last check at
// a moment, and returns its number on this side.
func (r *runner) leaves(side, mailbox int, at time.Time) uint64 {
	p := r.pressed[side]
	if p.any.Load() {
		p.mu.Lock()
		for _, key := range []int{mailbox, wholeSide} {
			if s, open := p.windows[key]; open && at.After(s.from) && at.Before(s.to) {
				p.violated++
				break
			}
		}
		p.mu.Unlock()
	}
	return p.sent.Add(1)
}

// classStep is the width of the classes of offered rates: 10 %.
var classStep = math.Log(1.1)

// pressNote adds a second to the throttled share over the offered rate. A stretch that is
// shorter than a second says too little about a rate. due is how many legs the schedule
// asked of a side: what is sent late, because the server had asked to wait, is no lower
// rate. An open schedule that is over offers nothing, whatever still waits.
func (r *runner) pressNote(t *tally, due uint64, length time.Duration) {
	if length < 900*time.Millisecond {
		return
	}
	for side, p := range r.pressed {
		sent := t.sent[side][wire.Step] + t.sent[side][wire.Retry] + t.sent[side][wire.Poll]
		if sent == 0 {
			continue
		}
		var throttled uint64
		for which := range t.rows {
			for i, c := range t.rows[which] {
				if c != nil && r.recorder.rows[i].side == side {
					throttled += c.pushedBack
				}
			}
		}
		p.mu.Lock()
		if p.first == nil {
			p.calm.legs += due
			p.calm.requests += sent
		}
		rate := float64(sent)
		if p.calm.legs > 0 && p.first != nil {
			rate = math.Max(rate, p.calm.offered(float64(due)))
			if due == 0 {
				p.mu.Unlock()
				continue
			}
		}
		rate /= length.Seconds()
		key := int(math.Floor(math.Log(rate) / classStep))
		c := p.classes[key]
		if c == nil {
			c = new(result.KneePoint)
			p.classes[key] = c
		}
		c.OfferedPS += (rate - c.OfferedPS) / float64(c.Seconds+1)
		c.Seconds++
		c.Requests += sent
		c.Throttled += throttled
		p.mu.Unlock()
	}
}

// pushbacks is what the sides that throttled have said.
func (r *runner) pushbacks() []result.Pushback {
	var out []result.Pushback
	for side, p := range r.pressed {
		p.mu.Lock()
		if p.first != nil {
			s := r.plan.Sides[side]
			one := result.Pushback{
				Path: s.Path, Side: s.Side, Policy: r.policy.String(), Requests: p.sent.Load(), Buckets: maps.Clone(p.buckets), First: p.first,
				Waits: p.waits, LongestMS: ms(p.longest), Violated: p.violated, Points: []result.KneePoint{},
			}
			for _, n := range p.buckets {
				one.Answers += n
			}
			for _, key := range slices.Sorted(maps.Keys(p.classes)) {
				one.Points = append(one.Points, *p.classes[key])
			}
			one.Knee = result.FindKnee(one.Points)
			out = append(out, one)
		}
		p.mu.Unlock()
	}
	return out
}

func (p policy) String() string {
	for name, value := range policies {
		if value == p {
			return name
		}
	}
	return ""
}

// newPressures makes the ledgers of the sides.
func newPressures(sides int) []*pressure {
	out := make([]*pressure, sides)
	for i := range out {
		out[i] = &pressure{buckets: map[string]uint64{}, windows: map[int]span{}, classes: map[int]*result.KneePoint{}}
	}
	return out
}
