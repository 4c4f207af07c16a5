package result

// The ends of a search, and of each of its trials.
const (
	SearchFound      = "found"     // Held is confirmed, Failed (if any) is known to fail
	SearchNothing    = "nothing"   // not even the first rate held
	SearchSaturated  = "saturated" // the generator gave out first: the target's limit is not known
	SearchStopped    = "stopped"   // the run ended before the search did
	SearchUnjudged   = "unjudged"  // a gate had too few samples behind it
	SearchUnsettled  = "unsettled" // the trials contradict each other
	TrialHeld        = "held"      // every gate held
	TrialFailed      = "failed"    // a gate did not
	TrialSaturated   = "saturated" // the generator could not keep the rate
	TrialUnjudged    = "unjudged"  // a gate had no data
	TrialInterrupted = "interrupted"
)

// Search is the highest rate that one path sustained: what the load model search
// found. The answer is an interval: the gates hold at HeldPS and not at FailedPS.
type Search struct {
	Phase  string `json:"phase"`
	Path   string `json:"path"`
	Side   string `json:"side"`
	Result string `json:"result"` // one of Search…
	// HeldPS is the highest rate that held, in iterations per second; 0: none did.
	HeldPS float64 `json:"highest_held_per_s"`
	// FailedPS is the lowest rate above it that did not; 0: even the highest that
	// the suite allows held.
	FailedPS float64 `json:"lowest_failed_per_s"`
	// Limiting is the gate that did not hold at FailedPS, with what was observed.
	Limiting string `json:"limiting,omitempty"`
	// Confirmed of Wanted further trials at HeldPS held.
	Confirmed int     `json:"confirmed"`
	Wanted    int     `json:"confirmations_wanted"`
	Why       string  `json:"why,omitempty"` // why there is no answer
	Trials    []Trial `json:"trials"`
}

// Trial is one rate that was tried on one path.
type Trial struct {
	StartS  float64 `json:"start_s"` // from the start of the run
	AskedPS float64 `json:"asked_per_s"`
	GotPS   float64 `json:"got_per_s"` // iterations that got going
	Confirm bool    `json:"confirm,omitempty"`
	Verdict string  `json:"verdict"` // one of Trial…
	// Limiting is the first gate that did not hold, or why the trial says nothing.
	Limiting string    `json:"limiting,omitempty"`
	Gates    []Outcome `json:"gates"`
	Legs     Buckets   `json:"legs"`
	Response Summary   `json:"response_ms"` // of whole legs
	LagP99   float64   `json:"lag_p99_ms"`  // of the generator
}
