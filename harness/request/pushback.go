package request

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cutover/harness/wire"
)

// Pushback reports whether an answer asks its client to slow down: 429, or 503 (Exchange's web
// farm under load), or 500 with Exchange's ErrorServerBusy. after is what Retry-After asks for: whole or fractional
// seconds, or a date, which is read against the answer's own Date; without that field, what RateLimit fields or
// Exchange's BackOffMilliseconds say. It is 0 when the answer does not say.
func Pushback(resp *wire.Response) (throttled bool, after time.Duration) {
	switch resp.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
	case http.StatusInternalServerError:
		if !strings.Contains(string(resp.Body), `"ErrorServerBusy"`) {
			return false, 0
		}
	default:
		return false, 0
	}
	if after = RetryAfter(resp.Header); after == 0 {
		after = limitReset(resp)
	}
	return true, after
}

// maxRetryAfter bounds what a server may ask for: a day is longer than any run.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads the Retry-After header; 0 when it is absent, not readable or in the past.
func RetryAfter(h wire.Header) time.Duration {
	value := strings.TrimSpace(h.Value("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) || math.IsInf(seconds, 0) {
			return 0
		}
		if seconds > maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		return time.Duration(seconds * float64(time.Second))
	}
	due, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	sent, err := http.ParseTime(h.Value("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, due.Sub(sent)), maxRetryAfter)
}
