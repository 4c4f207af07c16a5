package result

// Fault is one reason for which requests of a step did not end well, in words
// that hold nothing of a mailbox.
type Fault struct {
	Scenario string `json:"scenario"`
	Step     string `json:"step"`
	Path     string `json:"path"`
	Reason   string `json:"reason"` // "status 404, expected 2xx", "timeout"
	Count    uint64 `json:"count"`
}
