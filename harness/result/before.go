package result

import "time"

// Before says which record of earlier answers the run was held against: what the other side answered before
// the mailboxes moved. Findings show pseudonyms then, never values.
type Before struct {
	RunID    string    `json:"run_id"` // of the run that recorded
	Made     time.Time `json:"made"`
	Side     string    `json:"side"` // that was recorded
	Path     string    `json:"path"`
	Dialect  string    `json:"dialect"`
	Complete bool      `json:"complete"`
	Why      string    `json:"why,omitempty"` // it is not complete
}
