package client_test

import (
	"net/http"
	"time"

	"cutover/harness/clock"
)

// newTimer fires after d of real time.
func newTimer(d time.Duration) <-chan time.Time { return clock.System().NewTimer(d).C() }

type httpRequest = http.Request
