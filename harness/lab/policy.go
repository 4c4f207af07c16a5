package lab

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cutover/harness/clock"
	"cutover/harness/lab/faults"
	"cutover/harness/lab/token"
)

// policy is Exchange's own throttling in front of the REST directory: what one user
// may have under way at once, and may ask for in a window. The names and numbers
// of real policies are each deployment's own; that a refusal is 503
// ErrorServerBusy with a Retry-After is inferred from EWS.
type policy struct {
	next    http.Handler
	limiter *faults.Limiter
	tokens  *token.Authority
}

// policyOf reads a policy: none, so many at once (27), so many in a window
// (600/5m), or both with a comma between them.
func policyOf(text string) (faults.Limits, error) {
	var l faults.Limits
	if text == "" || text == "none" {
		return l, nil
	}
	wrongPolicy := fmt.Errorf("want none, requests at once (27), requests in a window (600/5m), or both (27,600/5m)")
	for part := range strings.SplitSeq(text, ",") {
		count, window, rated := strings.Cut(strings.TrimSpace(part), "/")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return l, wrongPolicy
		}
		if !rated {
			l.Concurrent = n
			continue
		}
		if l.Window, err = time.ParseDuration(window); err != nil || l.Window < 10*time.Millisecond {
			return l, wrongPolicy
		}
		l.Requests = n
	}
	return l, nil
}

// policed puts the policy in front of the front end. A policy that limits nothing
// is not there.
func policed(next http.Handler, text string, c clock.Clock, tokens *token.Authority) (http.Handler, error) {
	limits, err := policyOf(text)
	if err != nil {
		return nil, fmt.Errorf("lab.throttle.onprem: %w", err)
	}
	if limits == (faults.Limits{}) {
		return next, nil
	}
	return &policy{next: next, limiter: faults.NewLimiter(limits, c), tokens: tokens}, nil
}

// ServeHTTP refuses what is over the budget of its user.
func (p *policy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := p.user(r)
	if who == "" {
		p.next.ServeHTTP(w, r)
		return
	}
	release, refused := p.limiter.Admit("policy", who, 0)
	if refused != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int((refused.After+time.Second-1)/time.Second)))
		reply(w, http.StatusServiceUnavailable, map[string]any{"error": map[string]string{
			"code": "ErrorServerBusy", "message": "The server cannot service this request right now. Try again later.",
		}})
		return
	}
	defer release()
	p.next.ServeHTTP(w, r)
}

// user is whose budget a request of the REST API is taken from: who signed in, or
// the connection where that is what signed in; "" for what has no budget.
func (p *policy) user(r *http.Request) string {
	if !strings.HasPrefix(strings.ToLower(r.URL.Path), "/api/") {
		return ""
	}
	header := r.Header.Get("Authorization")
	if raw, ok := token.Bearer(header); ok {
		if t, fault := p.tokens.Verify(raw); fault == nil {
			return t.App + " " + t.UPN
		}
		return ""
	}
	if name, _, ok := r.BasicAuth(); ok {
		return strings.ToLower(name)
	}
	if header == "" {
		return r.RemoteAddr
	}
	return "" // a handshake under way
}
