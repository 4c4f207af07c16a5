package reports

import (
	"fmt"
	"strings"

	"cutover/harness/result"
)

// signInWords says what signing in cost, a line each path.
func signInWords(r *result.Result) []string {
	var lines []string
	for _, s := range r.Tokens {
		parts := []string{plural(s.Acquired, "token", "tokens")}
		if s.Refreshes > 0 {
			parts = append(parts, count(s.Refreshes)+" refreshed ahead of their end")
		}
		if s.Failures > 0 {
			parts = append(parts, plural(s.Failures, "sign-in", "sign-ins")+" without one")
		}
		if s.Refused > 0 {
			parts = append(parts, plural(s.Refused, "credential", "credentials")+" refused and not offered again")
		}
		if s.Late > 0 {
			parts = append(parts, plural(s.Late, "request", "requests")+" waited for a refresh")
		}
		text := fmt.Sprintf("sign-in of %s: %s", clean(s.Path), strings.Join(parts, ", "))
		switch {
		case s.Latency.P50 != nil && s.Latency.P99 != nil:
			text += fmt.Sprintf("; p50 %s, p99 %s", withUnit(*s.Latency.P50), withUnit(*s.Latency.P99))
		case s.Latency.P50 != nil && s.Latency.Max != nil:
			text += fmt.Sprintf("; p50 %s, at most %s", withUnit(*s.Latency.P50), withUnit(*s.Latency.Max))
		}
		lines = append(lines, text)
	}
	return lines
}
