package result

// Diverged is a mailbox pair whose two sides a write has made different: it succeeded on one of them only. What
// the pair answers afterwards differs by right, and is not compared.
type Diverged struct {
	Mailbox  string `json:"mailbox"`
	Scenario string `json:"scenario"`
	Step     string `json:"step"` // the write
	Side     string `json:"side"` // on which it succeeded
	Arrival  uint64 `json:"arrival"`
}
