package result

import "time"

// Severity ranks how much a difference hurts.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	Major    Severity = "major"
	Minor    Severity = "minor"
	Info     Severity = "info"
)

// Rank orders severities: 3 for Critical down to 0 for Info, -1 for a word
// that is none.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 3
	case Major:
		return 2
	case Minor:
		return 1
	case Info:
		return 0
	}
	return -1
}

// AtLeast says whether s hurts as much as o or more.
func (s Severity) AtLeast(o Severity) bool { return s.Rank() >= o.Rank() }

// Class says what a difference asks of an application.
type Class string

// The classes, the most demanding first.
const (
	Breaking   Class = "breaking"   // client code must change
	Adapter    Class = "adapter"    // representation only; an adapter folds it away
	Capability Class = "capability" // one side does not offer it
	Timing     Class = "timing"     // only latency or limits differ
)

// Classes lists the classes in the order of every report.
func Classes() []Class { return []Class{Breaking, Adapter, Capability, Timing} }

// Finding is one kind of difference at one place, however often it was seen.
type Finding struct {
	ID          string    `json:"id"` // the rule: "case.property"
	Title       string    `json:"title,omitempty"`
	Kind        string    `json:"kind"`
	Fingerprint string    `json:"fingerprint"` // stable over runs
	Severity    Severity  `json:"severity"`
	Class       Class     `json:"class"`
	Scenario    string    `json:"scenario"`
	Step        string    `json:"step"`
	Endpoint    string    `json:"endpoint,omitempty"`
	Pointer     string    `json:"pointer"`
	Left        string    `json:"left"`
	Right       string    `json:"right"`
	Count       uint64    `json:"count"`
	Share       float64   `json:"share"` // of the compared pairs of its step, 0 to 1
	Attribution string    `json:"attribution"`
	Cause       string    `json:"cause,omitempty"`
	Remedy      string    `json:"remedy,omitempty"`
	Because     string    `json:"because,omitempty"` // the suite author's word on it
	Source      string    `json:"source,omitempty"`  // where the difference is described
	Waived      bool      `json:"waived"`
	Waiver      *Waiver   `json:"waiver,omitempty"`
	Example     *Example  `json:"example,omitempty"`
	Evidence    *Evidence `json:"evidence,omitempty"`
	ShareLow    float64   `json:"share_low,omitempty"` // Wilson's bounds of Share at 95 %
	ShareHigh   float64   `json:"share_high,omitempty"`
	Pressure    string    `json:"pressure,omitempty"` // from which offered rate on it appears, when the rate explains it
	Where       *Where    `json:"where,omitempty"`
}

// Blocks says whether the finding alone fails a run: breaking, major or
// worse, and not waived.
func (f Finding) Blocks() bool {
	return f.Class == Breaking && f.Severity.AtLeast(Major) && !f.Waived
}

// Example is the pair of the lowest arrival that showed the finding.
type Example struct {
	Arrival        uint64 `json:"arrival"`
	Mailbox        string `json:"mailbox"`
	LeftStatus     int    `json:"left_status,omitempty"`
	RightStatus    int    `json:"right_status,omitempty"`
	LeftRequestID  string `json:"left_request_id,omitempty"`
	RightRequestID string `json:"right_request_id,omitempty"`
}

// Where is the line of the suite that asked.
type Where struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col,omitempty"`
}

// Waiver accepts a finding for a while.
type Waiver struct {
	Finding string    `json:"finding"` // a rule id or a fingerprint
	Where   string    `json:"where,omitempty"`
	Reason  string    `json:"reason"`
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"`
	Expired bool      `json:"expired,omitempty"` // on the day of the run; the finding then counts
	Unused  bool      `json:"unused,omitempty"`  // matched nothing in the run
	// Outgrown says that some finding showed in more pairs than the waiver accepts; it then counts.
	Outgrown bool `json:"outgrown,omitempty"`
}

// Comparison counts pairs of answers.
type Comparison struct {
	Pairs     uint64            `json:"pairs"`
	Compared  uint64            `json:"compared"`
	Equal     uint64            `json:"equal"`     // equal after folding representation
	Identical uint64            `json:"identical"` // equal without any folding
	Different uint64            `json:"different"`
	Skipped   map[string]uint64 `json:"skipped,omitempty"`        // by reason
	ByLoad    []LoadBand        `json:"by_load,omitempty"`        // by offered rate, ascending
	NotComp   []string          `json:"not_comparable,omitempty"` // "scenario/step: reason"
	// AtMost is the share of pairs like the compared ones that may differ after all, with 95 % confidence:
	// none of n says no more than about 3/n. 1 when nothing was compared.
	AtMost float64 `json:"different_at_most"`
}

// Identities counts how the ids of the two sides map to each other.
type Identities struct {
	Matched uint64 `json:"matched"` // one id left, one id right, always the same two
	Merged  uint64 `json:"merged"`  // several ids left became one right
	Split   uint64 `json:"split"`   // one id left became several right
}

// Answer is one of the answers that the same mailbox gives on different
// routes.
type Answer struct {
	Mailbox string `json:"mailbox"`
	Route   string `json:"route"` // "Graph of 2019"
	Token   string `json:"token"` // "app-only"
	Request string `json:"request"`
	Status  int    `json:"status"`
	Code    string `json:"code,omitempty"`
	Says    string `json:"says,omitempty"`    // the server's own words, shortened
	Meaning string `json:"meaning,omitempty"` // what it tells an administrator
}

// Check is one preflight check with its evidence.
type Check struct {
	ID       string  `json:"id"`
	Title    string  `json:"title"`
	Path     string  `json:"path,omitempty"`
	Verdict  Verdict `json:"verdict"` // Pass, Warn, Fail or Skip
	Evidence string  `json:"evidence,omitempty"`
	Remedy   string  `json:"remedy,omitempty"`
	Source   string  `json:"source,omitempty"`
}
