package request

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cutover/harness/wire"
)

// limitReset is how long an answer without Retry-After asks to wait in other words:
// the fields of the IETF's RateLimit draft ("RateLimit-Reset: 30", later
// "RateLimit: default;r=0;t=30"), Outlook REST's Rate-Limit-Reset (a date, read
// against the answer's own), or BackOffMilliseconds, the word of Exchange's
// ErrorServerBusy. 0 when it says nothing.
func limitReset(resp *wire.Response) time.Duration {
	h := resp.Header
	for _, name := range []string{"RateLimit-Reset", "Rate-Limit-Reset", "X-RateLimit-Reset"} {
		if after := resetOf(strings.TrimSpace(h.Value(name)), h.Value("Date")); after > 0 {
			return after
		}
	}
	for part := range strings.SplitSeq(h.Value("RateLimit"), ";") {
		if t, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			return delta(t)
		}
	}
	return backOff(resp.Body)
}

// resetOf reads seconds or a date, in either of the two spellings that are seen.
func resetOf(value, date string) time.Duration {
	if value == "" {
		return 0
	}
	if after := delta(value); after > 0 {
		return after
	}
	due, err := http.ParseTime(value)
	if err != nil {
		if due, err = time.Parse(time.RFC3339, value); err != nil {
			return 0
		}
	}
	sent, err := http.ParseTime(date)
	if err != nil {
		return 0
	}
	return min(max(0, due.Sub(sent)), maxRetryAfter)
}

// delta reads seconds; what can only be a point in time (a Unix time) is none.
func delta(text string) time.Duration {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) || seconds > maxRetryAfter.Seconds() {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// backOff finds BackOffMilliseconds in a SOAP fault or a JSON body: the first
// digits behind the name and what may stand between them.
func backOff(body []byte) time.Duration {
	_, rest, found := bytes.Cut(body, []byte("BackOffMilliseconds"))
	if !found {
		return 0
	}
	rest = bytes.TrimLeft(rest[:min(len(rest), 64)], "\"'>: =")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(rest[:end]), 10, 40)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Millisecond, maxRetryAfter)
}
