package run

import (
	"sync"
	"sync/atomic"
	"time"

	"cutover/harness/health"
	"cutover/harness/hist"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// books are kept by one goroutine: each second it gathers what the workers
// recorded, adds it to the totals, writes the second down and tells the observer.
type books struct {
	run      *runner
	total    *tally
	second   *tally
	health   *health.Monitor
	gen      generator
	series   []result.Second
	points   int // histograms held in series
	due      dueCursor
	loops    loops
	progress progress
	at       int // the second under way
	kept     keeper
	between  between
	turned   time.Time // when the second before ended
	wait     sync.WaitGroup
	quit     chan struct{} // closed by close

	mu     sync.Mutex // guards begins
	begins []time.Time

	turning sync.Mutex  // held while a second is turned; guards everything below
	trial   *trialBooks // of the trial under way, in a search
	carry   *tally      // what the end of a trial took out of the second under way
	spare   *tally

	tell sync.Mutex // held while the observer is told something
}

// progress is what the schedule has handed out so far.
type progress struct {
	phase  atomic.Int64    // the one under way
	handed []atomic.Uint64 // legs made, by phase, whatever became of them
}

// generator is how this program fared.
type generator struct {
	cpu      float64 // sum over readings
	reads    int
	busiest  float64
	now      float64 // the last reading
	rss      int64
	gcPause  time.Duration
	machine  float64 // sum over readings; of everybody's work on this machine
	routines int     // most alive at a reading
	files    int     // most open at a reading
}

// heldPoints bounds the histograms that are kept in memory for the report: some
// 50,000 of 100 to 200 bytes. A longer run has the later ones in its folder only.
const heldPoints = 50_000

func newBooks(r *runner) *books {
	b := &books{run: r, total: r.recorder.tally(), second: r.recorder.tally(), carry: r.recorder.tally(), spare: r.recorder.tally(), quit: make(chan struct{}),
		begins: make([]time.Time, len(r.plan.Phases))}
	b.due, b.between = dueCursor{plan: r.plan, books: b}, newBetween(r.plan, b)
	b.progress.handed = make([]atomic.Uint64, len(r.plan.Phases))
	return b
}

// open starts the clock of the books.
func (b *books) open() {
	b.begin()
	b.health, b.turned, b.loops.looked = health.New(b.run.start), b.run.start, b.run.start
	b.wait.Go(func() {
		timer := b.run.clock.NewTimer(betweens)
		defer timer.Stop()
		for {
			select {
			case <-b.quit:
				return
			case <-timer.C():
			}
			now := b.run.clock.Now()
			if now.Before(b.ends()) {
				b.writeBetween(now)
			} else {
				b.run.sweep(now)
				b.turn(now)
			}
			timer.Reset(b.wake(b.run.clock.Now()))
		}
	})
}

// close ends the books with what the last, unfinished second brought.
func (b *books) close() {
	close(b.quit)
	b.wait.Wait()
	b.turn(b.run.clock.Now())
}

// phase notes that a phase begins, and tells the observer.
func (b *books) phase(i int, at time.Time) {
	b.mu.Lock()
	b.begins[i] = at
	b.mu.Unlock()
	b.progress.phase.Store(int64(i))
	if o := b.run.deps.Observer; o != nil {
		b.tell.Lock()
		defer b.tell.Unlock()
		o.Phase(b.info(i))
	}
}

func (b *books) info(i int) PhaseInfo {
	ph := &b.run.plan.Phases[i]
	return PhaseInfo{Index: i, Of: len(b.run.plan.Phases), Name: ph.Name, Describe: ph.Load.Describe(), Measured: ph.Measured,
		Planned: ph.Count() * uint64(len(b.run.plan.Sides)), Length: ph.Length()}
}

func (b *books) began(i int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begins[i]
}

// turn closes the second under way.
func (b *books) turn(now time.Time) {
	b.turning.Lock()
	defer b.turning.Unlock()
	r := b.run
	b.second.reset()
	r.recorder.drain(b.second)
	b.take(b.second)
	b.second.merge(b.carry)
	b.carry.reset()
	due, ahead := b.due.upTo(b.at)
	r.pressNote(b.second, due/uint64(len(r.plan.Sides)), now.Sub(b.turned))
	b.turned = now
	reading := b.health.Read(now)
	b.gen.note(reading)
	if b.trial != nil {
		b.trial.gen.note(reading)
	}
	i := int(b.progress.phase.Load())
	s := result.Second{
		T: b.at, Phase: r.plan.Phases[i].Name, Measured: r.measuredSecond(i, b.at), Buckets: bucketsOf(b.second),
		InFlight: uint64(max(0, r.inFlight.Load())), LagP99: ms(b.second.own.Quantile(0.99)), CPU: reading.Share, RSSBytes: uint64(reading.RSS),
		GCPause: ms(reading.GCPause), Goroutines: uint64(reading.Goroutines), Files: uint64(reading.Files), Machine: reading.Machine,
	}
	s.Due, s.Ahead = due, ahead
	s.Begun, s.Unplanned = b.loops.look(r, now)
	b.loops.turned(s.Begun, s.Unplanned)
	s.Ahead += b.loops.ahead(r, now.Sub(r.start))
	s.Buckets.Planned = s.Due
	s.Series = b.series1(b.second)
	s.Findings, s.Comparison = uint64(b.kept.seen), b.kept.count(r)
	b.at++
	if r.deps.Folder != nil {
		if err := r.deps.Folder.AppendSecond(s); err != nil {
			r.abort(err)
		}
	}
	b.between.turned(s.Due)
	b.kept.keep(r, now) // after the line: a second is on the disk as soon as it has ended
	b.hold(s)
	r.abortByGate(i)
	if o := r.deps.Observer; o != nil {
		b.tell.Lock()
		defer b.tell.Unlock()
		told := b.state(now, i, s.LagP99)
		told.Due, told.Begun = s.Due, b.second.begun()
		o.Second(told)
	}
}

func (g *generator) note(r health.Reading) {
	g.cpu += r.Share
	g.reads++
	g.busiest = max(g.busiest, r.Share)
	g.now = r.Share
	g.rss = max(g.rss, r.RSS)
	g.gcPause = max(g.gcPause, r.GCPause)
	g.machine += r.Machine
	g.routines, g.files = max(g.routines, r.Goroutines), max(g.files, r.Files)
}

// series1 is the second's rows.
func (b *books) series1(t *tally) []result.SeriesPoint {
	var out []result.SeriesPoint
	for which := range t.rows {
		for i, c := range t.rows[which] {
			if c == nil || c.count+c.pushedBack == 0 {
				continue
			}
			r := b.run.recorder.rows[i]
			if r.sort != asked {
				continue
			}
			p := result.SeriesPoint{Scenario: b.run.plan.Scenarios[r.scenario].Name, Step: b.run.stepName(r),
				Path: b.run.plan.Sides[r.side].Path, Count: c.count, Throttled: c.outcomes[throttled], PushedBack: c.pushedBack}
			p.Errors = c.count - c.outcomes[ok] - c.outcomes[throttled]
			p.Histogram = hist.Pack(&c.response)
			out = append(out, p)
		}
	}
	return out
}

// hold keeps a second for the report.
func (b *books) hold(s result.Second) {
	if b.points += len(s.Series); b.points > heldPoints {
		for i := range s.Series {
			s.Series[i].Histogram = ""
		}
	}
	b.series = append(b.series, s)
}

// stepName is the name of a row in reports.
func (r *runner) stepName(row row) string {
	if row.step < 0 {
		return result.WholeLeg
	}
	return r.plan.Scenarios[row.scenario].Steps[row.step].Name + suffixes[row.sort]
}

// state is what the observer is told.
func (b *books) state(now time.Time, phase int, lag float64) Progress {
	p := Progress{Elapsed: now.Sub(b.run.start), Phase: b.info(phase), InPhase: now.Sub(b.began(phase)), Buckets: bucketsOf(b.total),
		LagP99: time.Duration(lag * float64(time.Millisecond)), Findings: uint64(b.kept.seen), CPU: b.gen.now, RSS: b.gen.rss}
	for i := range b.progress.handed {
		p.Buckets.Planned += b.progress.handed[i].Load()
	}
	for side, s := range b.run.plan.Sides {
		one := PathProgress{Path: s.Path, Side: s.Side}
		var h hist.Histogram
		b.eachStep(b.second, side, func(c *cell) {
			one.Rate += float64(c.count)
			h.Merge(&c.response)
			one.FailedNow += c.count - c.outcomes[ok] - c.outcomes[throttled]
			one.ThrottledNow += c.outcomes[throttled]
		})
		one.Times = &h
		one.P50, one.P95, one.P99 = h.Quantile(0.5), h.Quantile(0.95), h.Quantile(0.99)
		b.eachStep(b.total, side, func(c *cell) {
			one.Requests += c.count
			one.Throttled += c.pushedBack
			one.Failed += c.count - c.outcomes[ok] - c.outcomes[throttled]
		})
		p.Paths = append(p.Paths, one)
	}
	return p
}

// eachStep visits the rows of single steps of a side.
func (b *books) eachStep(t *tally, side int, visit func(*cell)) {
	for which := range t.rows {
		for i, c := range t.rows[which] {
			if r := b.run.recorder.rows[i]; c != nil && r.side == side && r.step >= 0 && r.sort != waited {
				visit(c)
			}
		}
	}
}

func bucketsOf(t *tally) result.Buckets {
	return result.Buckets{
		Completed: t.buckets[completed], Failed: t.buckets[failedLeg], Throttled: t.buckets[throttledLeg],
		Dropped: t.buckets[dropped], Interrupted: t.buckets[interrupted], NotStarted: t.buckets[notStarted],
	}
}

// traffic is the run's own count of requests, by path.
func (b *books) traffic() map[string]result.Traffic {
	out := map[string]result.Traffic{}
	for side, s := range b.run.plan.Sides {
		n := &b.total.sent[side]
		out[s.Path] = result.Traffic{Steps: n[wire.Step], Retries: n[wire.Retry], Pages: n[wire.Page], Polls: n[wire.Poll],
			Probes: n[wire.Probe], Fixtures: n[wire.Fixture], Tokens: n[wire.Token]}
	}
	return out
}

func ms(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
