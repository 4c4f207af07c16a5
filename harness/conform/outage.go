package conform

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"cutover/harness/canon"
	"cutover/harness/result"
)

// outage names the row of the ledger that explains why a side did not answer: "availability" when
// nothing but the time of day does. It looks at what was asked and how the answer failed.
func outage(endpoint string, a Answer) string {
	switch {
	case a.Status == http.StatusGatewayTimeout && strings.HasSuffix(endpoint, "/$value"):
		return "size.slow"
	case a.Status == http.StatusServiceUnavailable && len(a.Body) == 0 && strings.HasSuffix(endpoint, "/delta"):
		return "delta.bigpage"
	}
	return "availability"
}

// pushbackLog gathers how each side pushes back over a run. A single answer says nothing about
// conformance: the other side was not busy. The two manners do.
type pushbackLog struct {
	mu   sync.Mutex
	seen [2]map[string]bool // manners of the left and of the right side
	n    uint64
	at   place
}

// pushback notes an answer that asks its client to slow down.
func (c *Comparer) pushback(p Pair) {
	for side, a := range [2]Answer{p.Left, p.Right} {
		if !(a.Throttled || a.Status == http.StatusTooManyRequests) || outage(p.Endpoint, a) != "availability" {
			continue
		}
		dialect := c.right
		if side == 0 {
			dialect = c.left
		}
		c.pushbacks.add(side, manner(a, dialect), place{p.Scenario, p.Step, p.Endpoint, "", p.Arrival, p.Mailbox})
	}
}

func (l *pushbackLog) add(side int, how string, at place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[side] == nil {
		l.seen[side] = map[string]bool{}
	}
	if len(l.seen[side]) < 8 { // codes are the servers': do not remember whatever they send
		l.seen[side][how] = true
	}
	if l.n++; l.n == 1 || at.compare(l.at) < 0 {
		l.at = at
	}
}

// answered is a status with the code of its error: "504 UnknownError".
func answered(a Answer, d *canon.Dialect) string {
	text := fmt.Sprint(a.Status)
	if a.Status < 400 || len(a.Body) == 0 {
		return text
	}
	doc, _ := canon.Parse(a.Body, d, nil)
	if code, ok := doc.Root().Find("$.error.code"); ok && code.Kind() == canon.String {
		text += " " + clip(code.Text())
	}
	return text
}

// manner is how an answer pushes back: "429 ApplicationThrottled, Retry-After in fractions".
func manner(a Answer, d *canon.Dialect) string {
	text := answered(a, d)
	switch after := a.Header.Value("Retry-After"); {
	case after == "":
		return text + ", no Retry-After"
	case strings.ContainsAny(after, ":"):
		return text + ", Retry-After as a date"
	case strings.Contains(after, "."):
		return text + ", Retry-After in fractions"
	}
	return text + ", Retry-After in seconds"
}

// pushbackFindings names a difference of manners once both sides have shown theirs.
func (c *Comparer) pushbackFindings() []result.Finding {
	l := &c.pushbacks
	l.mu.Lock()
	defer l.mu.Unlock()
	left, right := manners(l.seen[0]), manners(l.seen[1])
	if left == "" || right == "" || left == right {
		return nil
	}
	f := c.finding("throttle.shape", l.at.scenario, l.at.step, l.at.endpoint, l.at.pointer)
	f.Left, f.Right, f.Count = left, right, l.n
	f.Share = min(1, float64(l.n)/float64(max(1, c.pairs.Load())))
	f.Example = &result.Example{Arrival: l.at.arrival, Mailbox: l.at.mailbox}
	return []result.Finding{f}
}

func manners(seen map[string]bool) string {
	var list []string
	for how := range seen {
		list = append(list, how)
	}
	slices.SortFunc(list, cmp.Compare[string])
	return strings.Join(list, "; ")
}
