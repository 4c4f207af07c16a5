package run

import (
	"errors"
	"time"

	"cutover/harness/expect"
	"cutover/harness/guard"
	"cutover/harness/wire"
)

// Why legs are dropped.
const (
	dropLane      = "mailbox busy"   // its lane did not let it go within max_lag
	dropRate      = "rate cap"       // the cap on requests did not
	dropPause     = "pushed back"    // the server's own pause did not
	dropGenerator = "generator late" // this program did not get to it
)

// tooLate is how a first step ends that a cap held back for longer than max_lag.
// It is recorded in no row: nothing was sent.
const tooLate = outcome(255)

// Retries under the policy honour. The wait that the server asks for is kept
// whatever it is, as long as it ends within patience.
const (
	maxRetries   = 4
	patience     = 2 * time.Minute
	firstBackoff = time.Second // when the server does not say how long to wait
)

// ask sends one request of a step, again when it is pushed back, and records it.
func (w *worker) ask(v *visit, kind wire.Kind) (done time.Time, o outcome) {
	r, l := w.run, v.leg
	m := sample{row: r.recorder.row(l.side, l.arrival.Scenario, v.index, asked), measured: l.measured}
	if err := w.prepare(v); err != nil {
		r.fault(v, err.Error())
		m.outcome = unexpected
		var u *unauthorised
		if errors.As(err, &u) {
			m.outcome = failed(wire.NoToken)
		}
		w.shard.record(&m)
		return r.clock.Now(), m.outcome
	}
	w.req.Kind = kind
	for try := 0; ; try++ {
		handed, waited, on := w.clear(v, try == 0 && v.index == 0 && kind == wire.Step)
		if on != ok {
			return handed, on
		}
		v.capWait += waited
		sent := r.leaves(w.side, l.arrival.Mailbox, handed)
		o = w.send(v)
		done = w.call.Timing.Done
		m.own = max(0, handed.Sub(v.due)-v.capWait-v.signIn)
		w.shard.request(l.side, w.req.Kind, l.measured, m.own, &w.call)
		if o != throttled {
			break
		}
		w.shard.pushback(l.measured, m.row)
		if !w.again(v, try, sent) {
			break
		}
		w.req.Kind = wire.Retry
	}
	if o == failed(wire.Canceled) {
		return done, o
	}
	v.waited += v.capWait
	t := &w.call.Timing
	m.outcome, m.capWait = o, v.capWait
	m.sent = !t.Sent.IsZero()
	if m.sent {
		m.service, m.lag = done.Sub(t.Sent), t.Sent.Sub(v.due)
	}
	if !t.FirstByte.IsZero() {
		m.first, m.receive = t.FirstByte.Sub(t.Sent), done.Sub(t.FirstByte)
	}
	m.response = done.Sub(v.due)
	m.bytesIn, m.bytesOut, m.reused = t.BytesIn, t.BytesOut, t.Reused
	w.shard.record(&m)
	v.capWait, v.signIn = 0, 0
	return done, o
}

// prepare builds the request and finds its credential.
func (w *worker) prepare(v *visit) error {
	r := w.run
	if err := v.ask.Template.Build(&w.scope, &w.req); err != nil {
		return err
	}
	w.req.Header = append(w.req.Header, r.headers[w.side]...)
	w.traced(v)
	w.req.Mailbox = w.scope.mailbox.Name
	if r.plan.Anonymous() {
		w.req.Mailbox = ""
	}
	if v.ask.Timeout > 0 {
		w.req.Timeout = v.ask.Timeout
	}
	if w.req.Timeout == 0 {
		w.req.Timeout = r.timeouts[w.side]
	}
	w.req.Authorization = ""
	if a := r.auth[w.side]; a != nil {
		before := r.clock.Now()
		value, err := a.Authorization(r.hard, *w.scope.mailbox)
		if err != nil {
			return &unauthorised{err}
		}
		w.req.Authorization = value
		v.now = r.clock.Now()
		v.signIn = v.now.Sub(before)
	}
	return w.recipients(v)
}

// unauthorised says that no credential could be had.
type unauthorised struct{ err error }

func (u *unauthorised) Error() string { return u.err.Error() }
func (u *unauthorised) Unwrap() error { return u.err }

// clear waits until the caps and the server's own pause let the request go. It
// returns the moment at which it may. A first request that would leave later than
// max_lag is not sent.
func (w *worker) clear(v *visit, first bool) (now time.Time, waited time.Duration, o outcome) {
	r := w.run
	asked := v.now
	if v.now = (time.Time{}); asked.IsZero() {
		asked = r.clock.Now()
	}
	now = asked
	at := r.held(w.side, v.lane.Reserve(now))
	if r.rates[w.side] != nil {
		at = r.rates[w.side].Reserve(at)
	}
	for at.After(now) {
		if first && at.Sub(v.due) > r.maxLag {
			w.dropped = dropRate
			if r.held(w.side, v.lane.Paused(now)).After(now) {
				w.dropped = dropPause
			}
			return now, 0, tooLate
		}
		if r.clock.SleepUntil(r.stop, at) != nil {
			return r.clock.Now(), 0, failed(wire.Canceled)
		}
		now = r.clock.Now()
		at = r.held(w.side, v.lane.Paused(now))
	}
	return now, now.Sub(asked), ok
}

// send puts the request on the wire and judges the answer.
func (w *worker) send(v *visit) outcome {
	r := w.run
	w.fresh = false
	entry, err := r.intend(w, v)
	if err != nil {
		w.call.Reset()
		w.call.Timing.Done = r.clock.Now()
		r.abort(err)
		return failed(wire.Canceled)
	}
	r.inFlight.Add(1)
	r.doers[w.side].Do(r.hard, &w.req, &w.call)
	r.inFlight.Add(-1)
	t := &w.call.Timing
	if t.Done.IsZero() {
		t.Done = r.clock.Now()
	}
	o := w.judge(v)
	r.settle(w, v, entry, o)
	return o
}

// judge names the outcome of the call.
func (w *worker) judge(v *visit) outcome {
	r := w.run
	if f := w.call.Failure; f != nil {
		if f.Kind == wire.Canceled && r.hard.Err() == nil {
			return failed(wire.Reset)
		}
		if braked(f) {
			return failed(wire.Canceled) // the run is being stopped: the leg did not fail
		}
		if f.Kind != wire.Canceled {
			r.fault(v, f.Kind.String())
		}
		return failed(f.Kind)
	}
	adapter := r.plan.Sides[w.side].Adapter
	if pushed, _ := adapter.Pushback(&w.call.Response); pushed {
		return throttled
	}
	if w.call.Response.Status == 401 {
		if refuser, ok := r.auth[w.side].(Refuser); ok {
			refuser.Refused(*w.scope.mailbox)
		}
	}
	if header := r.served[w.side].elsewhere(&w.call.Response); header != "" {
		r.fault(v, "header "+header+" is not that of the path's own servers")
		return wrongPath
	}
	if v.step.Until != nil {
		return ok // its own condition judges
	}
	a := expect.Answer{Response: &w.call.Response, Scope: &w.scope}
	if v.ask.Expect.NeedsDoc() {
		a.Doc = w.parsed()
	}
	if reason := v.ask.Expect.Judge(a); reason != "" {
		r.fault(v, reason)
		return unexpected
	}
	return ok
}

// braked reports whether the door refused a request because a brake has tripped.
func braked(f *wire.Failure) bool {
	var refusal *guard.Refusal
	return f.Kind == wire.Refused && errors.As(f.Err, &refusal) && refusal.Rule == guard.RuleBrake
}

// again decides whether a request that was pushed back is sent once more, and
// keeps the lane, or the side, still for as long as the server asks. number is the
// request's own on its side.
func (w *worker) again(v *visit, try int, number uint64) bool {
	r := w.run
	_, after := r.plan.Sides[w.side].Adapter.Pushback(&w.call.Response)
	until := r.pushedBack(w, v, number, after, firstBackoff<<try)
	switch {
	case r.policy == observe || try >= maxRetries:
		return false
	case r.policy == ignore:
		return true
	}
	return until.Sub(v.due) < patience
}
