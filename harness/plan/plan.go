// Package plan compiles a suite and a profile into a Plan in which nothing can
// be misspelt any more, or into every problem at once. A plan is a value: it is
// printable, hashable, the same for one runner or many, and sends nothing.
//
// The schedule is a pure function: Arrival(phase, n) names the due time, the
// scenario, the mailbox, the order of the paths and the payload seed of the nth
// iteration without computing those before it. Proportions are exact rather than
// random: in each block of arrivals as long as the sum of the weights every
// scenario appears exactly as often as its weight says, in an order that the seed
// shuffles, and the mailboxes of a scenario are visited in shuffled rounds.
package plan

import (
	"time"

	"cutover/harness/expect"
	"cutover/harness/gate"
	"cutover/harness/load"
	"cutover/harness/paths"
	"cutover/harness/request"
	"cutover/profiles"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// Options are what the command line adds to suite and profile. Zero values mean
// "as the files say".
type Options struct {
	Left, Right string          // paths of the profile that take the two sides
	Only        string          // "left" or "right": ask this side alone
	Rate        strictyaml.Rate // replaces the suite's load by one constant phase
	Users       int             // replaces the suite's load by one closed phase
	// Duration is the length of the one phase that replaces the load; without Rate and
	// Users that phase has the highest measured rate, or number of users, of the suite.
	Duration   time.Duration
	Iterations uint64            // ends the load after so many arrivals (per path when closed)
	Seed       *uint64           // nil: the suite's, else DefaultSeed
	Vars       map[string]string // replace variables of the suite
	Gates      []string          // added to the suite's
	Names      []string          // of the mailboxes that a lab will have, for a plan that is made before it starts
	AllowWrite bool              // writes are meant; the lab needs no such word
	Noise      bool              // ask every compared read four times, unless the suite names a share
	Record     bool              // with Only: the answers are kept for a later run
	Against    bool              // with Only: the answers are compared with kept ones
	Anchor     time.Time         // day that today, monday and sunday are counted from; zero: AnchorDay
}

// DefaultSeed is the seed of a run that names none: the same command twice asks
// the same questions in the same order.
const DefaultSeed = 1

// The sides, in the order of Plan.Sides and Step.Asks.
const (
	Left  = "left"
	Right = "right"
)

// Plan is a fully resolved run. Nothing changes it after Compile.
type Plan struct {
	Suite     *suites.Suite
	Profile   *profiles.Profile
	Options   Options
	Seed      uint64
	Anchor    time.Time
	Sides     []Side // one or two; left first
	Scenarios []Scenario
	Phases    []Phase
	Control   *profiles.Mailbox  // watched and left alone by the load; nil: none
	Fixtures  []Fixture          // made before the run, in this order
	Mailboxes []profiles.Mailbox // one without a name when the profile has none
	Gates     []gate.Gate
	Lines     []int             // of Gates in the suite's file, 0 for a flag's
	Vars      map[string]string // the suite's, overlaid by the options'
	Feeds     []Feed            // tables of the suite, in its order
	Caps      Caps
	NotTested []string // what will not be asked or compared, with the reason
	Notes     []Note
	Apart     bool    // pair: apart; the second leg is due half a period later
	Writes    bool    // some step changes a mailbox
	Sample    float64 // share of iterations whose answers are compared
	Noise     float64 // share of those whose reads are asked twice
	Drain     bool    // lists of compared iterations are followed to their last page
	// Unbound marks a plan made before the lab started: it can be printed and hashed, and
	// leads nowhere.
	Unbound bool

	mix  mix
	hash string
}

// Side is one path of the plan.
type Side struct {
	Side    string // Left or Right
	Path    string // its name in the profile
	Profile profiles.Path
	Adapter paths.Adapter
}

// Caps are the ceilings that the schedule keeps to, for each path by itself; 0 is
// no ceiling.
type Caps struct {
	Rate               []float64 // requests per second, by side
	MailboxRate        []float64 // requests per second of one mailbox, by side
	MailboxConcurrency []int     // requests of one mailbox in flight, by side
	Defaults           bool      // some of them are this program's own, as outside this machine
}

// Scenario is one weighted sequence with the mailboxes that it asks.
type Scenario struct {
	Name   string
	Weight int
	Tags   []string
	Steps  []Step
	Writes bool // some step writes on some side
	// Mailboxes are indices into Plan.Mailboxes, ascending. A writing scenario
	// shares none of them with another scenario.
	Mailboxes []int

	popular popularity
}

// Step is one question and how each side says it.
type Step struct {
	Name     string
	Endpoint string // "GET /me/messages/{id}", in Graph's words
	Think    time.Duration
	Repeat   int // at least 1
	When     *expect.Condition
	Until    *Until
	Compare  []suites.CompareRule
	Asks     []Ask    // one for each of Plan.Sides
	Needs    []string // captures that some side's request uses
	Source   *suites.Step
}

// Until repeats a step until its condition holds or its deadline has passed.
type Until struct {
	Condition *expect.Condition
	Every     time.Duration
	Within    time.Duration
}

// Ask is a step as one side says it.
type Ask struct {
	Template *request.Template // nil: this side does not ask; Reason says why
	// Stored reads the item whose recipients the request mails; nil when it mails none
	// that are stored, or the item is of a sort that cannot be read so.
	Stored   *request.Template
	Expect   expect.Expectation
	Captures []expect.Capture
	Batch    []Part        // of a JSON batch
	Own      bool          // said in the side's own words (on:), which is not comparable
	Writes   bool          // changes the mailbox, or may
	Believed bool          // only the suite's word (reads: true) says that it does not write
	Timeout  time.Duration // 0: the path's
	Reason   string        // why the step is not asked or not compared, "" otherwise
}

// Part is what is expected of one answer in a batch, and taken from it.
type Part struct {
	ID       string
	Expect   expect.Expectation
	Captures []expect.Capture
}

// Note is something that a dialect says differently from how it was asked.
type Note struct{ Path, Endpoint, ID, Detail string }

// Phase is one stretch of load.
type Phase struct {
	Name     string
	Measured bool // false: a warm-up, reported but outside all statistics
	// Settle is how long after its begin a measured phase's figures begin.
	Settle time.Duration
	Load   load.Compiled
	// Start is when the phase begins, counted from the start of the run. Behind a
	// closed phase that only a count bounds it is that phase's own start: when it ends
	// is not known.
	Start time.Duration
}

// Refused is a plan that a safety rule forbids: nothing may be sent.
type Refused struct{ Problems strictyaml.Problems }

// Error names every forbidden step with its place.
func (r *Refused) Error() string { return r.Problems.Error() }
