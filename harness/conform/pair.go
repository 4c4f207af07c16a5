package conform

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"
	"cutover/harness/wire"
)

// availability decides whether the two answers can be compared at all. Pushback, server trouble and
// failures on the wire say nothing about conformance: they are findings of their own, and a difference
// never.
func (c *Comparer) availability(p Pair) (skip string, seen []observation) {
	l, r := unavailable(p.Left), unavailable(p.Right)
	c.pushback(p)
	why := "availability"
	if (l == "") != (r == "") {
		why = outage(p.Endpoint, p.Left)
		if l == "" {
			why = outage(p.Endpoint, p.Right)
		}
	}
	down := [2]bool{l != "", r != ""}
	note := func() []observation {
		rule := named(why)
		if why != "availability" {
			l, r = answered(p.Left, c.left), answered(p.Right, c.right) // what the answers say is known: show it
		}
		return []observation{{rule: rule, left: orAnswered(l, p.Left), right: orAnswered(r, p.Right), severity: rule.severity,
			attribution: blame(down[0], down[1])}}
	}
	switch {
	case p.Diverged:
		return "diverged mailbox", nil
	case p.OwnWords && why == "availability":
		return "own words", nil
	case p.OwnWords:
		return "own words", note()
	case l != "" && r != "":
		return "both sides unavailable", nil
	case l != "":
		return "left " + l, note()
	case r != "":
		return "right " + r, note()
	}
	return "", nil
}

// unavailable names what kept a side from answering, "" when it did.
func unavailable(a Answer) string {
	switch {
	case a.Failure != nil && a.Failure.Kind == wire.Canceled:
		return "canceled"
	case a.Failure != nil:
		return a.Failure.Kind.String()
	case a.Throttled || a.Status == http.StatusTooManyRequests:
		return "throttled"
	case a.Status == http.StatusServiceUnavailable, a.Status == http.StatusGatewayTimeout, a.Status == http.StatusBadGateway:
		return fmt.Sprintf("status %d", a.Status)
	case a.Status == 0:
		return "no answer"
	}
	return ""
}

func orAnswered(why string, a Answer) string {
	if why != "" {
		return why
	}
	return fmt.Sprintf("%d", a.Status)
}

// compare runs the layers of one pair.
func (w *walk) compare(docs *docPair) {
	p := w.pair
	w.notes()
	l, r := p.Left, p.Right
	if l.Status/100 != r.Status/100 || l.Status != r.Status && l.Status >= 400 {
		w.status(docs)
		return
	}
	if l.Status != r.Status {
		w.observe("status.code", aspectValue, fmt.Sprint(l.Status), fmt.Sprint(r.Status), attributedNeither)
		w.expectedByTheSuite()
	}
	w.headers()
	if l.Truncated || r.Truncated {
		w.note("body.too-large", aspectValue, size(l), size(r))
		w.skip = "body too large"
		return
	}
	if len(l.Body) == 0 && len(r.Body) == 0 {
		w.identical = true
		return
	}
	if l.Status >= 400 {
		w.errors(docs)
		return
	}
	w.bodies(docs)
}

func size(a Answer) string { return fmt.Sprintf("%d bytes", cmp.Or(a.Size, len(a.Body))) }

// notes reports what a dialect could not ask for.
func (w *walk) notes() {
	for _, n := range w.pair.LeftNotes {
		w.note(n.ID, aspectPresence, "not offered: "+n.Detail, "offered")
	}
	for _, n := range w.pair.RightNotes {
		w.note(n.ID, aspectPresence, "offered", "not offered: "+n.Detail)
	}
}

// expectedByTheSuite lowers a difference of statuses that the suite expects on both sides.
func (w *walk) expectedByTheSuite() {
	if o := w.noted(); w.pair.Expected && o.because == "" {
		o.because, o.severity = "the suite expects both statuses", result.Info
	}
}

// status compares answers whose statuses differ: one finding, named by the ledger where a row fits.
func (w *walk) status(docs *docPair) {
	le, re := w.failureOf(docs, true), w.failureOf(docs, false)
	// Who refuses what the other side answers is at fault where the ledger knows the refusal; of two
	// statuses that nobody explains, a server error is.
	id, attribution := recognise(w.pair, le, re)
	if id == "" {
		id, attribution = "status.class", blame(w.pair.Left.Status >= 500, w.pair.Right.Status >= 500)
		if w.pair.Left.Status/100 == w.pair.Right.Status/100 {
			id = "status.code"
		}
	}
	w.observe(id, aspectValue, le.String(), re.String(), attribution)
	w.expectedByTheSuite()
}

// failure is what an error answer says.
type failure struct {
	status                  int
	code, message, diagnose string
	json                    bool
}

// String is the status with the code: "404 MailboxNotEnabledForRESTAPI".
func (f failure) String() string {
	s := fmt.Sprint(f.status)
	if f.code != "" {
		s += " " + clip(f.code)
	}
	return s
}

// failureOf reads one side's error contract.
func (w *walk) failureOf(docs *docPair, left bool) failure {
	a, doc, dialect := w.pair.Right, &docs.right, w.c.right
	if left {
		a, doc, dialect = w.pair.Left, &docs.left, w.c.left
	}
	f := failure{status: a.Status, diagnose: a.Header.Value("x-ms-diagnostics")}
	if a.Status < 400 || len(a.Body) == 0 {
		return f
	}
	parsed, _ := canon.Parse(a.Body, dialect, *doc)
	*doc = parsed
	problem, ok := parsed.Root().Get("error")
	f.json = parsed.Root().Kind() == canon.Object
	if !ok {
		return f
	}
	if code, ok := problem.Get("code"); ok {
		f.code = code.RawText()
	}
	if message, ok := problem.Get("message"); ok {
		f.message = message.RawText()
	}
	return f
}

// errors compares two errors of one status by their contract.
func (w *walk) errors(docs *docPair) {
	le, re := w.failureOf(docs, true), w.failureOf(docs, false)
	lbody, rbody := len(w.pair.Left.Body) > 0, len(w.pair.Right.Body) > 0
	if lbody && !le.json || rbody && !re.json {
		if le.json != re.json {
			w.observe("error.not-json", aspectValue, jsonOr(le.json, lbody), jsonOr(re.json, rbody), blame(!le.json, !re.json))
		}
		return
	}
	if le.code != re.code {
		id := "error.code"
		if known, _ := recognise(w.pair, le, re); known != "" {
			id = known
		}
		w.enter(step{"error", -1})
		w.enter(step{"code", -1})
		w.observe(id, aspectValue, clip(le.code), clip(re.code), attributedNeither)
		w.leave()
		w.leave()
	} else if le.message != re.message {
		w.enter(step{"error", -1})
		w.enter(step{"message", -1})
		w.note("error.message", aspectValue, w.c.mask.text(le.message), w.c.mask.text(re.message))
		w.leave()
		w.leave()
	}
	w.errorShape(docs)
}

func jsonOr(json, body bool) string {
	switch {
	case json:
		return "a JSON error"
	case body:
		return "another content"
	}
	return "no body"
}

// errorShape compares the members of two error bodies.
func (w *walk) errorShape(docs *docPair) {
	l, r := "no body", "no body"
	if len(w.pair.Left.Body) > 0 {
		l = members(docs.left.Root())
	}
	if len(w.pair.Right.Body) > 0 {
		r = members(docs.right.Root())
	}
	if l != r {
		w.enter(step{"error", -1})
		w.note("error.shape", aspectPresence, l, r)
		w.leave()
	}
}

func members(root canon.Node) string {
	problem, ok := root.Get("error")
	if !ok {
		return "no error member"
	}
	var names []string
	for child := range problem.Children() {
		names = append(names, child.Key())
		if child.Kind() == canon.Object {
			for inner := range child.Children() {
				names = append(names, child.Key()+"."+inner.Key())
			}
		}
	}
	sort.Strings(names)
	return clip(strings.Join(names, " "))
}

// bodies parses and compares the bodies of two successes.
func (w *walk) bodies(docs *docPair) {
	l, r := w.pair.Left, w.pair.Right
	if !likeJSON(l) && !likeJSON(r) {
		w.raw()
		return
	}
	var lp, rp []canon.Problem
	docs.left, lp = canon.Parse(l.Body, w.c.left, docs.left)
	docs.right, rp = canon.Parse(r.Body, w.c.right, docs.right)
	w.problems(lp, rp)
	lroot, rroot := docs.left.Root(), docs.right.Root()
	if !lroot.Exists() || !rroot.Exists() {
		return
	}
	w.spellings(docs)
	w.identical = len(w.seen) == 0 && bytes.Equal(l.Body, r.Body)
	if !w.identical {
		w.identical = len(w.seen) == 0 && lroot.Hash() == rroot.Hash()
	}
	_, w.moreLeft = next(lroot)
	_, w.moreRight = next(rroot)
	w.node(lroot, rroot)
	w.paging(lroot, rroot)
	w.c.ids.add(w.pair.Arrival, w.bench.edges)
	w.unstable(lroot, rroot)
}

func likeJSON(a Answer) bool {
	media := strings.ToLower(a.Header.Value("Content-Type"))
	if media == "" {
		body := bytes.TrimLeft(a.Body, " \t\r\n")
		return len(body) > 0 && (body[0] == '{' || body[0] == '[')
	}
	return strings.Contains(media, "json")
}

// raw compares bodies that are no JSON: MIME, attachments, pictures.
func (w *walk) raw() {
	l, r := w.pair.Left.Body, w.pair.Right.Body
	w.identical = bytes.Equal(l, r)
	if w.identical || bytes.Equal(bytes.ReplaceAll(l, []byte("\r\n"), []byte("\n")), bytes.ReplaceAll(r, []byte("\r\n"), []byte("\n"))) {
		return
	}
	w.observe("value.bytes", aspectValue, size(w.pair.Left), size(w.pair.Right), attributedNeither)
}

// problems reports what a strict parser found wrong, on the side where it is.
func (w *walk) problems(l, r []canon.Problem) {
	kinds := map[string][2]string{}
	for side, list := range [2][]canon.Problem{l, r} {
		for _, p := range list {
			words := kinds[p.Kind]
			words[side] = p.Kind
			if p.Detail != "" {
				words[side] = clip(p.Kind + ": " + p.Detail)
			}
			kinds[p.Kind] = words
		}
	}
	for _, kind := range sortedKeys(kinds) {
		words := kinds[kind]
		attribution := blame(words[0] != "", words[1] != "")
		for side := range words {
			if words[side] == "" {
				words[side] = "well-formed"
			}
		}
		w.observe(problemRule(kind), aspectValue, words[0], words[1], attribution)
	}
}

func problemRule(kind string) string {
	switch kind {
	case canon.ProblemUTF8, canon.ProblemSurrogate:
		return "body.encoding"
	case canon.ProblemDuplicateName, canon.ProblemCollision:
		return kind
	case canon.ProblemTooLarge:
		return "body.too-large"
	}
	return "body.malformed"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
