package result

import "cutover/harness/hist"

// TokenStats is what signing in cost one path. It happens beside the load: no
// figure of a step holds any of it.
type TokenStats struct {
	Path      string          `json:"path"`
	Requests  uint64          `json:"requests"`  // sign-ins begun, failed ones included
	Acquired  uint64          `json:"acquired"`  // tokens received, refreshes included
	Refreshes uint64          `json:"refreshes"` // of them ahead of a token's end
	Failures  uint64          `json:"failures"`  // sign-ins that brought no token
	Refused   uint64          `json:"refused"`   // credentials that were refused, and then never offered again
	Late      uint64          `json:"late"`      // requests that had to wait because a refresh came too late
	Latency   Summary         `json:"latency_ms"`
	Histogram *hist.Histogram `json:"histogram"` // of the latency of sign-ins that brought a token
}
