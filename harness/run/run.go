// Package run drives a plan: it sends every leg when it is due, records what came
// back and hands out one immutable result.
package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cutover/harness/clock"
	"cutover/harness/conform"
	"cutover/harness/hist"
	"cutover/harness/journal"
	"cutover/harness/plan"
	"cutover/harness/record"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
)

// Authoriser gives the value of a path's Authorization header; auth.Source is one.
type Authoriser interface {
	// Authorization returns the header's value for a mailbox, "" for none.
	Authorization(ctx context.Context, m profiles.Mailbox) (string, error)
	// Warm acquires what the mailboxes will need before the clock starts.
	Warm(ctx context.Context, ms []profiles.Mailbox) error
}

// Journal is the write-ahead record of what the run creates; *journal.Journal is one.
type Journal interface {
	Intend(e journal.Entry) (seq uint64, err error)
	Done(seq uint64, id string) error
	Void(seq uint64) error
	Lost(seq uint64) error
	Removed(seq uint64) error
}

// Folder receives a line a second while the run goes on; *runfolder.Folder is one.
type Folder interface {
	AppendSecond(s result.Second) error
}

// Observer is told how the run goes, from one goroutine at a time.
type Observer interface {
	Phase(PhaseInfo)
	Second(Progress)
	Done(*result.Result)
}

// PhaseInfo announces a phase that begins.
type PhaseInfo struct {
	Index, Of int
	Name      string
	Describe  string
	Measured  bool
	Planned   uint64        // legs; 0 when only time bounds the phase
	Length    time.Duration // 0 when only a count bounds the phase
}

// Progress is the state of the run after one more second.
type Progress struct {
	Elapsed time.Duration
	Phase   PhaseInfo
	// InPhase is the time since the phase began.
	InPhase time.Duration
	Buckets result.Buckets // so far; Planned counts what was due so far
	Paths   []PathProgress
	LagP99  time.Duration // of the last second
	// Due and Begun count the legs of the last second over all paths: those that
	// the schedule asked for (0 where users, and not a rate, drive the load), and
	// those that got going.
	Due, Begun uint64
	// Findings counts the distinct differences so far.
	Findings uint64
	CPU      float64 // share of all processors that the generator used in the last second
	RSS      int64   // bytes that the generator held at most
}

// PathProgress is what one path did in the last second and so far.
type PathProgress struct {
	Path, Side    string
	Rate          float64 // requests completed in the last second
	P50, P95, P99 time.Duration
	Times         *hist.Histogram // response times of the last second
	Failed        uint64          // steps so far
	// FailedNow and ThrottledNow count the last second alone.
	FailedNow, ThrottledNow uint64
	// Throttled counts the answers so far that asked to slow down, those that a retry
	// made good included.
	Throttled uint64
	Requests  uint64
}

// Deps is what a run needs from outside. Clock, Doers and RunID are required.
type Deps struct {
	RunID      string
	Clock      clock.Clock
	Pacer      clock.Clock // paces arrivals; nil: Clock
	Doers      map[string]wire.Doer
	Auth       map[string]Authoriser
	Traffic    func() map[string]result.Traffic // what the door put on the wire; nil: the run's own count
	Observer   Observer
	Folder     Folder
	Journal    Journal
	Checks     []result.Check
	Answers    []result.Answer
	ShowValues bool
	Key        []byte            // pseudonyms of the findings, and of what is kept
	Learned    []conform.Learned // places whose values are known to be noise
	// Record takes in what one side answers, and Against is what the other side answered before; both are
	// for plans of one side. nil: neither.
	Record  Keeper
	Against *record.Record
	// Waive marks the findings that somebody answers for, before gates look at
	// them; nil: none.
	Waive func([]result.Finding) ([]result.Finding, []result.Waiver)
	// LabInside says that the lab shares this process, so that the generator is
	// judged by lag and drops and not by CPU.
	LabInside bool
	// Patience is how much later than usual requests may leave before the ruler counts as
	// bent: for runs side by side on one machine, of which nobody believes the times; 0: none.
	Patience time.Duration
	// Firewall has the recipients of stored items read before a request that would mail
	// them, so that the door can judge them. Outside the lab that is always done.
	Firewall bool
	// Grace is how long requests in flight may take after an interrupt; 0: 5 s.
	Grace time.Duration
	// MaxLag is how late an arrival may leave before it is dropped; 0: 30 s.
	MaxLag time.Duration
}

// Refuser is an Authoriser that wants to hear when the target refused what it
// handed out, so that the same credential is not offered again.
type Refuser interface{ Refused(m profiles.Mailbox) }

// NotReady says that a path could not be signed in to: nothing was asked.
type NotReady struct{ Err error }

// Error is the cause.
func (n *NotReady) Error() string { return n.Err.Error() }

// Unwrap returns the cause.
func (n *NotReady) Unwrap() error { return n.Err }

// errDone ends the contexts of a run that is over.
var errDone = errors.New("the run is over")

// Run asks the plan's questions until the load ends or ctx does. An interrupted
// run returns its partial result and no error; a cause of ctx that is a *guard.Refusal
// counts as a brake. The error is *NotReady when signing in failed, and otherwise says
// that Deps do not fit the plan. What goes wrong inside, such as a journal that cannot be
// written, stops the run and stands in the result.
func Run(ctx context.Context, p *plan.Plan, d Deps) (*result.Result, error) {
	r, err := newRunner(ctx, p, d)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	defer r.hardNow()
	defer r.stopNow(errDone)
	if err := r.warm(); err != nil && r.stop.Err() == nil {
		r.pairs.close()
		return nil, &NotReady{err}
	}
	r.start = r.clock.Now()
	r.books.open()
	r.schedule()
	r.scheduled = r.clock.Now()
	r.drain()
	r.pairs.close()
	for _, pool := range r.pools {
		pool.close()
	}
	r.books.close()
	out := r.finish(r.clock.Now())
	r.prove(out)
	if d.Observer != nil {
		d.Observer.Done(out)
	}
	return out, nil
}

// Describe is the result of a run that is about to start, for run.json.
func Describe(p *plan.Plan, d Deps) (*result.Result, error) {
	r, err := newRunner(context.Background(), p, d)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	defer r.pairs.close()
	defer r.hardNow()
	defer r.stopNow(errDone)
	r.start = r.clock.Now()
	return r.describe(), nil
}

// drain waits for the legs under way. When the run is stopped, what has not started
// never will, and requests in flight have the grace to end.
func (r *runner) drain() {
	done := make(chan struct{})
	go func() {
		r.users.Wait()
		r.under.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-r.stop.Done():
	}
	r.clearLanes()
	grace := r.clock.NewTimer(or(r.deps.Grace, defaultGrace))
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C():
	}
	r.hardNow()
	<-done
}
