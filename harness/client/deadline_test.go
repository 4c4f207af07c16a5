package client_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"cutover/harness/client"
	"cutover/harness/wire"
)

// The armed deadline of a kept connection is that of an earlier request: one that
// takes longer than that is not cut short, and one that takes too long is.
func TestADeadlineMovesWithEachRequest(t *testing.T) {
	for _, v := range variants[:2] {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			c, s := v.start(t, func(t *testing.T, n int, nc net.Conn, r *http.Request) bool {
				switch n {
				case 2:
					pause(stall) // the first request's time ends meanwhile
				case 3:
					nc.Read(make([]byte, 1))
					return false
				}
				return says(ok+"Content-Length: 2\r\n\r\nok")(t, n, nc, r)
			}, client.Options{})
			for n, row := range []struct {
				name    string
				timeout time.Duration
				want    wire.FailureKind
			}{
				{"in time, it is answered", stall / 2, 0},
				{"longer than the first was allowed, it is answered on the same connection", 40 * stall, 0},
				{"longer than it is allowed itself, it times out", stall / 2, wire.Timeout},
			} {
				req := get(s.url)
				req.Timeout = row.timeout
				call := do(c, req)
				var got wire.FailureKind
				if call.Failure != nil {
					got = call.Failure.Kind
				}
				if got != row.want || call.Timing.Reused != (n > 0) {
					t.Errorf("%s: got %v (%v), reused %t", row.name, got, call.Failure, call.Timing.Reused)
				}
			}
		})
	}
}
