package request_test

import (
	"testing"
	"time"

	"cutover/harness/request"
	"cutover/harness/wire"
)

func TestAWaitIsReadFromOtherWordsThanRetryAfter(t *testing.T) {
	const date = "Wed, 04 Mar 2026 05:06:07 GMT"
	for _, c := range []struct {
		it          string
		name, value string
		status      int
		body        string
		want        time.Duration
	}{
		{"reads the seconds of RateLimit-Reset", "RateLimit-Reset", "30", 429, "", 30 * time.Second},
		{"reads the parameter t of RateLimit", "RateLimit", `"default";r=0;t=12`, 429, "", 12 * time.Second},
		{"reads the date of Rate-Limit-Reset against the answer's own", "Rate-Limit-Reset", "2026-03-04T05:07:07Z", 429, "", time.Minute},
		{"takes a moment of long ago for nothing", "Rate-Limit-Reset", "2026-03-04T05:00:00Z", 429, "", 0},
		{"takes a Unix time for no number of seconds", "X-RateLimit-Reset", "1772600767", 429, "", 0},
		{"prefers Retry-After", "Retry-After", "7", 503, "BackOffMilliseconds: 9000", 7 * time.Second},
		{"reads Exchange's milliseconds in SOAP", "", "", 500, `"ErrorServerBusy" <t:Value Name="BackOffMilliseconds">5500</t:Value>`, 5500 * time.Millisecond},
		{"reads Exchange's milliseconds in JSON", "", "", 503, `{"BackOffMilliseconds": 250}`, 250 * time.Millisecond},
		{"bounds them by a day", "", "", 503, `BackOffMilliseconds=999999999999`, 24 * time.Hour},
		{"says nothing without any", "", "", 503, `BackOffMilliseconds`, 0},
		{"cannot be had from a number too long", "", "", 503, `BackOffMilliseconds=99999999999999999999999`, 0},
	} {
		resp := wire.Response{Status: c.status, Header: wire.Header{{Name: "Date", Value: date}}, Body: []byte(c.body)}
		if c.name != "" {
			resp.Header = append(resp.Header, wire.Field{Name: c.name, Value: c.value})
		}
		if throttled, after := request.Pushback(&resp); !throttled || after != c.want {
			t.Errorf("it %s: %v, %v; want %v", c.it, throttled, after, c.want)
		}
	}
}
