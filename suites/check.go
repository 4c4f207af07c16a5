package suites

import (
	"regexp"
	"slices"
	"strings"

	"cutover/suites/strictyaml"
)

// checker finds the mistakes that a suite alone can show. It runs even when decoding
// found some, so that everything is reported at once.
type checker struct {
	suite    *Suite
	problems strictyaml.Problems
}

// maxParts is Graph's limit for one JSON batch.
const maxParts = 20

var (
	suiteName = nameForm{regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)}
	itemName  = nameForm{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)}
	token     = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	reserved  = []string{"left", "right", "each", "any"}
)

// nameForm is the form of a name of at most 64 characters. The length is no part of the
// pattern, which would take a hundred times as long to compile.
type nameForm struct{ *regexp.Regexp }

func (n nameForm) MatchString(s string) bool { return len(s) <= 64 && n.Regexp.MatchString(s) }

func (c *checker) check() {
	s := c.suite
	if s.Name != "" && !suiteName.MatchString(s.Name) {
		c.problems.Add(s.Keys.At(s.Pos, "suite"), "the name of a suite is lower-case letters, digits and hyphens, not %q", s.Name)
	}
	c.variables()
	c.feeds()
	c.populations()
	if s.Scenarios != nil && len(s.Scenarios) == 0 {
		c.problems.Add(s.Keys["scenarios"], `"scenarios" is empty: a suite needs at least one`)
	}
	names := make(unique)
	for i := range s.Scenarios {
		sc := &s.Scenarios[i]
		c.name(names, "scenario", sc.Name, sc.Keys.At(sc.Pos, "name"))
		c.scenario(sc)
	}
	c.load()
	for _, g := range s.Gates {
		if strings.TrimSpace(g.Text) == "" && g.Pos.Line > 0 { // without a place it was no text, which was said
			c.problems.Add(g.Pos, "a gate must not be empty: write a condition such as p95 of right < 800ms")
		}
	}
	c.rules(s.Compare.Rules)
	for i := range s.Fixtures {
		c.fixture(&s.Fixtures[i])
	}
}

// unique remembers where each name stood first.
type unique map[string]strictyaml.Pos

func (c *checker) name(seen unique, what, name string, at strictyaml.Pos) {
	if name == "" {
		return
	}
	if !itemName.MatchString(name) {
		c.problems.Add(at, "the name of a %s is letters, digits, '.', '_' and '-', not %q", what, name)
	}
	if slices.Contains(reserved, name) {
		c.problems.Add(at, "%q is a reserved word and cannot name a %s", name, what)
	}
	if first, twice := seen[name]; twice {
		c.problems.Add(at, "a second %s is called %q (the first is in line %d)", what, name, first.Line)
		return
	}
	seen[name] = at
}

func (c *checker) scenario(sc *Scenario) {
	if !(sc.Skew >= 0 && sc.Skew <= 3) {
		c.problems.Add(sc.Keys.At(sc.Pos, "skew"), "skew is the exponent of a Zipf distribution between 0 and 3, not %v", sc.Skew)
	}
	if sc.Steps != nil && len(sc.Steps) == 0 {
		c.problems.Add(sc.Keys["steps"], `"steps" is empty: a scenario needs at least one`)
	}
	names := make(unique)
	for i := range sc.Steps {
		step := &sc.Steps[i]
		c.name(names, "step", step.Name, step.Keys.At(step.Pos, "name"))
		c.step(step)
	}
	c.flow(sc)
}

func (c *checker) step(step *Step) {
	switch _, batch := step.Keys["batch"]; {
	case step.Pos.Line == 0: // no mapping, as was said
	case step.Method == "" && !batch:
		c.problems.Add(step.Pos, "a step needs a request: one of get, post, patch, put, delete, or batch")
	case step.Method != "" && batch:
		c.problems.Add(step.Keys["batch"], "%q and \"batch\" exclude each other", step.Verb.Kind)
	case batch:
		c.batch(step)
	}
	c.operation(&step.Operation, false)
	c.expect(&step.Expect)
	c.captures(step.Capture)
	c.rules(step.Compare)
	if strings.TrimSpace(step.When.Text) == "false" {
		c.problems.Add(step.When.Pos, "this step can never run: its condition is always false")
	}
	if u := step.Until; u != nil && u.Within > 0 && u.Every > u.Within {
		c.problems.Add(u.Pos, "a poll every %s never happens within %s", u.Every, u.Within)
	}
	for i := range step.On {
		c.override(step, &step.On[i])
	}
}

func (c *checker) batch(step *Step) {
	at := step.Keys["batch"]
	if step.Batch != nil && len(step.Batch) == 0 || len(step.Batch) > maxParts {
		c.problems.Add(at, "a batch holds 1 to %d requests, not %d", maxParts, len(step.Batch))
	}
	if step.Until != nil {
		c.problems.Add(step.Until.Pos, "a batch cannot be polled with until")
	}
	names := make(unique)
	for i := range step.Batch {
		part := &step.Batch[i]
		for _, earlier := range part.After {
			if _, ok := names[earlier]; !ok {
				c.problems.Add(part.Keys.At(part.Pos, "after"), "%q is no earlier request of this batch%s", earlier, strictyaml.Suggest(earlier, partNames(step.Batch[:i])))
			}
		}
		c.name(names, "request of the batch", part.Name, part.Keys.At(part.Pos, "name"))
		if part.Method == "" && part.Pos.Line > 0 {
			c.problems.Add(part.Pos, "a request of a batch needs a verb: one of get, post, patch, put, delete")
		}
		c.operation(&part.Operation, false)
		c.expect(&part.Expect)
		c.captures(part.Capture)
	}
}

func partNames(parts []Part) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p.Name)
	}
	return out
}

func (c *checker) override(step *Step, e *strictyaml.Entry[Override]) {
	o := &e.Value
	if e.Key == "each" || e.Key == "any" {
		c.problems.Add(e.Pos, "%q cannot be overridden: name one path, or left, or right", e.Key)
	}
	c.operation(&o.Operation, o.Method != "")
	c.expect(&o.Expect)
	c.captures(o.Capture)
	if o.Method == "" && len(o.Capture) == 0 {
		return
	}
	for _, want := range step.Capture {
		if _, ok := o.Capture.Get(want.Key); !ok {
			c.problems.Add(e.Pos, "%q captures nothing called %q, as the step does: later steps of that path would lack it", e.Key, want.Key)
		}
	}
}

// operation checks a request. own marks one that a path says in its own words.
func (c *checker) operation(op *Operation, own bool) {
	at := op.Keys.At(op.At, op.Verb.Kind)
	switch lower := strings.ToLower(op.URL); {
	case op.URL == "":
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		c.problems.Add(at, "a suite names no hosts: write what follows the root of the service, such as /me/messages")
	case !own && !strings.HasPrefix(op.URL, "/") && !strings.HasPrefix(op.URL, "{{"):
		c.problems.Add(at, "the URL %q must start with /", op.URL)
	case strings.ContainsAny(op.URL, " \t\n#") && !strings.Contains(op.URL, "{{"):
		c.problems.Add(at, "the URL %q holds a blank or #", op.URL)
	case strings.HasPrefix(op.URL, "//"):
		c.problems.Add(at, "the URL %q names a host: it must start with a single /", op.URL)
	}
	switch hasBody := !op.Body.IsZero() || op.BodyFile != ""; {
	case !op.Body.IsZero() && op.BodyFile != "":
		c.problems.Add(op.Keys.At(op.At, "body_file"), `"body" and "body_file" exclude each other`)
	case hasBody && op.Method == "GET":
		c.problems.Add(op.Keys.At(op.At, "body", "body_file"), "a GET carries no body")
	}
	c.headers(op)
}

// headersOfOthers are set by the profile, the client or the adapter.
var headersOfOthers = map[string]string{
	"authorization": "signing in is the profile's (auth)", "cookie": "signing in is the profile's (auth)",
	"host": "the host is the profile's (url)", "content-length": "the client counts the body itself",
	"transfer-encoding": "the client frames the body itself", "connection": "the client keeps connections itself",
	"prefer": "write it under prefer", "user-agent": "the client names itself", "proxy-authorization": "the proxy is the profile's",
}

func (c *checker) headers(op *Operation) {
	for _, h := range op.Headers {
		switch whose := headersOfOthers[strings.ToLower(h.Key)]; {
		case whose != "":
			c.problems.Add(h.Pos, "a suite cannot set the header %s: %s", h.Key, whose)
		case !token.MatchString(h.Key):
			c.problems.Add(h.Pos, "%q is not the name of a header", h.Key)
		case strings.ContainsAny(h.Value, "\r\n"):
			c.problems.Add(h.Pos, "the header %s must not span lines", h.Key)
		}
	}
	for _, p := range op.Prefer {
		if strings.TrimSpace(p) == "" || strings.ContainsAny(p, "\r\n") {
			c.problems.Add(op.Keys.At(op.At, "prefer"), `"prefer" holds an empty preference or one that spans lines`)
		}
	}
}

func (c *checker) expect(e *Expect) {
	if _, _, ok := e.ItemBound(); e.Items != "" && !ok {
		c.problems.Add(e.Keys.At(e.Pos, "items"), `"items" must be a bound such as "<= 25", "> 0" or "10", not %q`, e.Items)
	}
	for _, h := range e.Header {
		if !token.MatchString(h.Key) {
			c.problems.Add(h.Pos, "%q is not the name of a header", h.Key)
		}
	}
	for _, check := range e.Checks {
		if strings.TrimSpace(check.Text) == "" {
			c.problems.Add(check.Pos, "a check must not be empty")
		}
	}
}

func (c *checker) rules(rules []CompareRule) {
	for _, r := range rules {
		if r.At != "" && !strings.HasPrefix(r.At, "$") {
			c.problems.Add(r.Keys.At(r.Pos, "at"), `"at" must start with $, the whole answer: $.%s`, strings.TrimPrefix(r.At, "."))
		}
	}
}

func (c *checker) load() {
	names := make(unique)
	measured := false
	for i := range c.suite.Load {
		p := &c.suite.Load[i]
		c.name(names, "phase", p.Name, p.Keys.At(p.Pos, "name"))
		measured = measured || p.Measured()
	}
	if !measured {
		c.problems.Add(c.suite.Keys.At(c.suite.Pos, "load"), "no phase is measured: leave measure: false out of at least one")
	}
}
