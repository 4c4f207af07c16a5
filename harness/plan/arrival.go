package plan

import "time"

// Arrival is one iteration as the schedule wants it: who asks what, when.
type Arrival struct {
	Phase int
	N     uint64 // number in its phase
	// Due is when its first leg is due, counted from the start of its phase; 0 in a
	// closed phase, whose users decide.
	Due time.Duration
	// Second is when its second leg is due: Due, or with pair: apart half a period
	// later, though never after the next arrival.
	Second   time.Duration
	Scenario int // index into Plan.Scenarios
	// Occurrence is its number among the phase's arrivals of that scenario, though not in
	// the order of time.
	Occurrence uint64
	// Mailbox is an index into Plan.Mailboxes.
	Mailbox   int
	LeftFirst bool
	// Seed feeds everything made up for the iteration; both legs get the same.
	Seed uint64
	// Sampled reports whether its answers are compared, Noisy whether its reads are
	// asked a second time to tell noise from difference.
	Sampled, Noisy bool
}

// Arrival returns the nth arrival of a phase. It depends on the plan and its
// arguments alone. ok is false past the last arrival; a closed phase that only time
// bounds has no last one.
func (p *Plan) Arrival(phase int, n uint64) (Arrival, bool) {
	ph := &p.Phases[phase]
	a := Arrival{Phase: phase, N: n}
	if c := ph.Load.Closed; c != nil && c.Iterations > 0 && n >= c.Iterations {
		return Arrival{}, false
	}
	if m := ph.Load.Open; m != nil {
		due, ok := m.Due(n)
		if !ok {
			return Arrival{}, false
		}
		a.Due, a.Second = due, due
		if p.Apart {
			a.Second = p.second(ph, n, due)
		}
	}
	key := mixed(p.Seed, uint64(phase), saltPayload)
	a.Scenario, a.Occurrence = p.mix.at(key, n)
	a.Mailbox = p.Scenarios[a.Scenario].pick(p.Seed, key, a.Occurrence, a.Scenario)
	// Which side goes first is drawn for a pair of arrivals and swapped within it, so
	// that each side is first exactly half of the time.
	a.LeftFirst = (mixed(key, n/2, saltOrder)^n)&1 == 0
	a.Seed = mixed(key, n, saltPayload)
	a.Sampled = ph.Measured && share(mixed(key, n, saltSample)) < p.Sample
	a.Noisy = a.Sampled && share(mixed(key, n, saltNoise)) < p.Noise
	return a, true
}

// share maps a random number to [0, 1).
func share(random uint64) float64 { return float64(random>>11) / (1 << 53) }

// second is half a period after due, the period being that of the rate at the
// moment, but not after the next arrival: legs leave in the order of their due times.
func (p *Plan) second(ph *Phase, n uint64, due time.Duration) time.Duration {
	rate := ph.Load.Open.RateAt(due)
	if rate <= 0 {
		return due
	}
	at := due + time.Duration(float64(time.Second)/rate/2)
	if next, ok := ph.Load.Open.Due(n + 1); ok {
		at = min(at, next)
	}
	return at
}

// Count is how many arrivals a phase has, 0 when only time bounds it.
func (ph *Phase) Count() uint64 {
	switch {
	case ph.Load.Open != nil:
		return ph.Load.Open.Count()
	case ph.Load.Closed != nil:
		return ph.Load.Closed.Iterations
	}
	return 0
}

// Length is how long a phase lasts, 0 when only a count bounds it.
func (ph *Phase) Length() time.Duration {
	switch {
	case ph.Load.Open != nil:
		return ph.Load.Open.Length()
	case ph.Load.Closed != nil:
		return ph.Load.Closed.For
	}
	return 0
}

// MeanRate is the phase's iterations per second, 0 for a closed phase.
func (ph *Phase) MeanRate() float64 {
	length := ph.Length()
	if ph.Load.Open == nil || length <= 0 {
		return 0
	}
	return float64(ph.Count()) / length.Seconds()
}

// PeakRate is the highest rate that the phase asks for, looked for at 1,000
// places; 0 for a closed phase.
func (ph *Phase) PeakRate() float64 {
	if ph.Load.Open == nil {
		return 0
	}
	peak := ph.MeanRate()
	length := ph.Length()
	for i := range 1001 {
		peak = max(peak, ph.Load.Open.RateAt(length*time.Duration(i)/1000))
	}
	return peak
}
