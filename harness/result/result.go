// Package result is what a run leaves behind, as data: one Result, read by
// every report, gate, comparison and exit code. It holds no behaviour beyond
// its codec, its sums and the rule that turns it into a verdict.
//
// The JSON names are a promise to scripts. A name never changes its meaning;
// fields may be added.
package result

import (
	"fmt"
	"time"
)

// Schema names the version of the result's JSON form.
const Schema = "cutover.result/v1"

// The two kinds of target a result can speak of.
const (
	Simulated = "simulated" // the embedded lab
	Real      = "real"      // somebody's deployment
)

// The two sides of every comparison.
const (
	Left  = "left"  // on-prem
	Right = "right" // cloud
)

// WholeLeg is the step name of the row that times a leg from its due time to
// the end of its last step.
const WholeLeg = "*"

// Verdict is the answer of a run, of a gate or of a check.
type Verdict string

// The verdicts. A run passes, fails, or could not tell.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	NoData       Verdict = "no-data" // gates only: too few samples behind the value
	Warn         Verdict = "warn"    // checks only
	Skip         Verdict = "skip"    // checks only
)

// Result is one run, complete. It is immutable once written.
type Result struct {
	Schema      string    `json:"schema"`
	RunID       string    `json:"run_id"`
	Suite       string    `json:"suite"`
	SuiteFile   string    `json:"suite_file,omitempty"` // as given on the command line; empty for a built-in
	SuiteHash   string    `json:"suite_hash"`
	Profile     string    `json:"profile"`
	ProfileHash string    `json:"profile_hash"`
	PlanHash    string    `json:"plan_hash"`
	Target      string    `json:"target"` // Simulated or Real
	Seed        uint64    `json:"seed"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended"`
	Versions    Versions  `json:"versions"`
	Command     string    `json:"command,omitempty"` // the command line that repeats this run, without secrets

	Verdict  Verdict  `json:"verdict"`
	Reasons  []string `json:"reasons"`
	ExitCode int      `json:"exit_code"`
	Stop     *Stop    `json:"stop,omitempty"` // set when the run did not end by itself

	Buckets      Buckets            `json:"buckets"`
	DropReasons  map[string]uint64  `json:"drop_reasons,omitempty"` // legs, by reason; sums to buckets.dropped
	Traffic      map[string]Traffic `json:"traffic"`                // by path
	Tokens       []TokenStats       `json:"tokens,omitempty"`       // of the paths that signed in for a token
	Connections  []Connections      `json:"connections,omitempty"`  // by path; none in a sealed run
	Paths        []PathInfo         `json:"paths"`
	Before       *Before            `json:"before,omitempty"` // earlier answers of the other side; nil: none
	Mailboxes    int                `json:"mailboxes"`        // pairs the schedule draws from
	Phases       []Phase            `json:"phases"`
	Steps        []StepStats        `json:"steps"`
	Shift        []Shift            `json:"shift"`
	Paired       []Paired           `json:"paired,omitempty"` // by step, whole legs left out
	Gates        []Outcome          `json:"gates"`
	Pushback     []Pushback         `json:"pushback,omitempty"` // of the paths that throttled
	Search       []Search           `json:"search,omitempty"`   // by path; of phases with the model search
	Comparison   Comparison         `json:"comparison"`
	Identities   Identities         `json:"identities"`
	Diverged     []Diverged         `json:"diverged,omitempty"` // mailbox pairs that a one-sided write made different
	Noise        []NoiseStep        `json:"noise,omitempty"`    // what asking reads four times showed
	Findings     []Finding          `json:"findings"`
	Clusters     []Cluster          `json:"clusters,omitempty"` // findings that probably have one cause
	Answers      []Answer           `json:"answers,omitempty"`
	Checks       []Check            `json:"checks,omitempty"`
	Waivers      []Waiver           `json:"waivers,omitempty"`
	Faults       []Fault            `json:"faults,omitempty"`
	Cleanup      Cleanup            `json:"cleanup"`
	Observed     *Observed          `json:"observed,omitempty"` // how far the run went; nil in a sealed run
	Consent      *Consent           `json:"consent,omitempty"`  // nil where none is needed: on this machine
	Audit        *Audit             `json:"audit,omitempty"`    // nil in a sealed run
	NotTested    []string           `json:"not_tested"`
	Generator    Generator          `json:"generator"`
	ValuesShown  bool               `json:"values_shown"` // findings carry values instead of type, length and pseudonym
	Series       []Second           `json:"-"`            // kept in series.jsonl, not in result.json
	SealedByHand bool               `json:"sealed,omitempty"`
}

// Versions says what measured.
type Versions struct {
	Cutover string `json:"cutover"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Host    string `json:"host,omitempty"`
	CPUs    int    `json:"cpus,omitempty"`
}

// Run is the part of a result that is known before the first request: what
// was asked. It is written first (run.json), so that a killed run can still be
// explained.
type Run struct {
	Schema      string     `json:"schema"`
	RunID       string     `json:"run_id"`
	Suite       string     `json:"suite"`
	SuiteFile   string     `json:"suite_file,omitempty"`
	SuiteHash   string     `json:"suite_hash"`
	Profile     string     `json:"profile"`
	ProfileHash string     `json:"profile_hash"`
	PlanHash    string     `json:"plan_hash"`
	Target      string     `json:"target"`
	Seed        uint64     `json:"seed"`
	Started     time.Time  `json:"started"`
	Versions    Versions   `json:"versions"`
	Command     string     `json:"command,omitempty"`
	Paths       []PathInfo `json:"paths"`
	Mailboxes   int        `json:"mailboxes"`
	Phases      []Phase    `json:"phases"`
	Planned     uint64     `json:"planned"` // legs over all paths; 0 for a closed model, which has no plan
	Gates       []string   `json:"gates"`
	NotTested   []string   `json:"not_tested"`
	ValuesShown bool       `json:"values_shown"`
	Achieved    *Achieved  `json:"achieved,omitempty"` // added when the run has ended
}

// RunSchema names the version of run.json.
const RunSchema = "cutover.run/v1"

// Achieved is what became of a run, for readers of run.json alone.
type Achieved struct {
	Ended    time.Time `json:"ended"`
	Verdict  Verdict   `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	Buckets  Buckets   `json:"buckets"`
}

// Asked returns the part of r that belongs into run.json. Once r has ended,
// it says what was achieved as well.
func (r *Result) Asked() Run {
	run := Run{
		Schema: RunSchema, RunID: r.RunID, Suite: r.Suite, SuiteFile: r.SuiteFile, SuiteHash: r.SuiteHash,
		Profile: r.Profile, ProfileHash: r.ProfileHash, PlanHash: r.PlanHash, Target: r.Target, Seed: r.Seed,
		Started: r.Started, Versions: r.Versions, Command: r.Command, Paths: r.Paths, Mailboxes: r.Mailboxes,
		Phases: r.Phases, Planned: r.Buckets.Planned, NotTested: r.NotTested, ValuesShown: r.ValuesShown,
	}
	for _, g := range r.Gates {
		run.Gates = append(run.Gates, g.Gate)
	}
	if !r.Ended.IsZero() {
		run.Achieved = &Achieved{Ended: r.Ended, Verdict: r.Verdict, ExitCode: r.ExitCode, Buckets: r.Buckets}
	}
	return run
}

// Result turns what was asked back into a result that has measured nothing.
func (run Run) Result() *Result {
	r := &Result{
		Schema: Schema, RunID: run.RunID, Suite: run.Suite, SuiteFile: run.SuiteFile, SuiteHash: run.SuiteHash,
		Profile: run.Profile, ProfileHash: run.ProfileHash, PlanHash: run.PlanHash, Target: run.Target, Seed: run.Seed,
		Started: run.Started, Ended: run.Started, Versions: run.Versions, Command: run.Command, Paths: run.Paths,
		Mailboxes: run.Mailboxes, Phases: run.Phases, NotTested: run.NotTested, ValuesShown: run.ValuesShown,
	}
	r.Buckets.Planned = run.Planned
	for _, g := range run.Gates {
		r.Gates = append(r.Gates, Outcome{Gate: g, Verdict: NoData})
	}
	return r
}

// StopKind says why a run ended before its plan did.
type StopKind string

// The ways a run can be stopped.
const (
	StopInternal    StopKind = "internal"    // a defect of the harness: exit 70
	StopInterrupted StopKind = "interrupted" // Ctrl-C or SIGTERM: exit 130
	StopBrake       StopKind = "brake"       // error budget or kill file: exit 5
	StopGate        StopKind = "gate"        // a gate that aborts had failed: exit 1
	StopKilled      StopKind = "killed"      // the process vanished; sealed afterwards: exit 6
)

// Stop says why, and in the user's words, a run ended early.
type Stop struct {
	Kind StopKind `json:"kind"`
	Why  string   `json:"why"`
}

// Buckets counts legs. Every planned leg ends in exactly one bucket.
type Buckets struct {
	Planned     uint64 `json:"planned"`
	Completed   uint64 `json:"completed"`
	Failed      uint64 `json:"failed"`
	Throttled   uint64 `json:"throttled"`
	Dropped     uint64 `json:"dropped"`
	Interrupted uint64 `json:"interrupted"`
	NotStarted  uint64 `json:"not_started"`
	Unknown     uint64 `json:"unknown"` // only in a run that was killed and sealed
}

// Sum adds all buckets except Planned.
func (b Buckets) Sum() uint64 {
	return b.Completed + b.Failed + b.Throttled + b.Dropped + b.Interrupted + b.NotStarted + b.Unknown
}

// Check returns an error that names both numbers when planned is not the sum
// of the other buckets.
func (b Buckets) Check() error {
	if sum := b.Sum(); sum != b.Planned {
		return fmt.Errorf("planned %d legs, but the buckets add up to %d", b.Planned, sum)
	}
	return nil
}

// Add returns the sum of b and o, bucket by bucket.
func (b Buckets) Add(o Buckets) Buckets {
	b.Planned += o.Planned
	b.Completed += o.Completed
	b.Failed += o.Failed
	b.Throttled += o.Throttled
	b.Dropped += o.Dropped
	b.Interrupted += o.Interrupted
	b.NotStarted += o.NotStarted
	b.Unknown += o.Unknown
	return b
}

// Traffic counts the requests put on one path's wire, by what they were for.
type Traffic struct {
	Steps    uint64 `json:"steps"`
	Retries  uint64 `json:"retries"`
	Pages    uint64 `json:"pages"`
	Polls    uint64 `json:"polls"`
	Probes   uint64 `json:"probes"`
	Fixtures uint64 `json:"fixtures"`
	Tokens   uint64 `json:"tokens"`
}

// Sum is every request of the path, whatever it was for.
func (t Traffic) Sum() uint64 {
	return t.Steps + t.Retries + t.Pages + t.Polls + t.Probes + t.Fixtures + t.Tokens
}

// PathInfo names one path of the run.
type PathInfo struct {
	Name     string `json:"name"`
	Side     string `json:"side"` // Left or Right
	Dialect  string `json:"dialect"`
	URL      string `json:"url"`
	Protocol string `json:"protocol,omitempty"` // as negotiated: HTTP/1.1, HTTP/2.0
	Server   string `json:"server,omitempty"`   // build as the server names it in its headers
}

// Phase is one stretch of the load.
type Phase struct {
	Name     string  `json:"name"`
	Model    string  `json:"model"` // in words: "ramp 5/s to 50/s over 10s"
	Measured bool    `json:"measured"`
	StartS   float64 `json:"start_s"`            // seconds from the start of the run, as planned
	LengthS  float64 `json:"length_s"`           // seconds, as planned
	SettleS  float64 `json:"settle_s,omitempty"` // its first seconds, in which nothing was measured
	Planned  uint64  `json:"planned"`            // iterations
	RanMS    float64 `json:"ran_ms"`             // how long arrivals were handed out; 0: it never began
	AskedPS  float64 `json:"asked_per_s"`        // over the time that it ran; 0 when the answers decide
	GotPS    float64 `json:"got_per_s"`          // iterations that got going, per second that it ran
}

// Cleanup says what the run created and what is left of it.
type Cleanup struct {
	Created uint64   `json:"created"`
	Removed uint64   `json:"removed"`
	Left    uint64   `json:"left"`
	Unknown uint64   `json:"unknown,omitempty"` // intended, but the answer never came
	Proof   string   `json:"proof,omitempty"`   // how the absence was shown
	Items   []string `json:"items,omitempty"`   // what is left, at most 20 lines
}

// Generator says how the measuring machine fared.
type Generator struct {
	CPU        float64  `json:"cpu"` // share of all processors, 0 to 1
	RSSBytes   uint64   `json:"rss_bytes"`
	LagP99     float64  `json:"lag_p99_ms"`
	LagMax     float64  `json:"lag_max_ms"`
	GCPause    float64  `json:"gc_pause_max_ms"`
	Machine    float64  `json:"machine,omitempty"`    // share of all processors that anybody kept busy; 0: not known
	Goroutines uint64   `json:"goroutines,omitempty"` // most alive at one second's reading
	Files      uint64   `json:"files,omitempty"`      // most files and sockets open at one reading; 0: not known
	Opened     uint64   `json:"connections_opened"`
	Reused     uint64   `json:"connections_reused"`
	InProcess  bool     `json:"lab_in_process"` // the lab shares this process: CPU does not judge
	Bent       []string `json:"bent,omitempty"` // why the ruler bent; empty when it held
}
