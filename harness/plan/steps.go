package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cutover/harness/expect"
	"cutover/harness/paths"
	"cutover/harness/request"
	"cutover/harness/vars"
	"cutover/suites"
	"cutover/suites/strictyaml"
)

// scenarios compiles what will run; a scenario of weight 0 is named among what is
// not tested.
func (c *compiler) scenarios() {
	for i := range c.suite.Scenarios {
		sc := &c.suite.Scenarios[i]
		if sc.Weight == 0 {
			c.plan.NotTested = append(c.plan.NotTested, fmt.Sprintf("scenario %s: its weight is 0", sc.Name))
			continue
		}
		c.index = append(c.index, i)
		c.plan.Scenarios = append(c.plan.Scenarios, c.scenario(sc))
	}
	if len(c.plan.Scenarios) == 0 {
		c.problems.Add(c.suite.Pos, "suite %s has no scenario that runs: every weight is 0", c.suite.Name)
	}
}

// taken tracks, for one side and from step to step, which captures there will be.
type taken struct {
	here map[string]bool   // captured by an earlier step
	lost map[string]string // would have been, by a step that this side does not ask: why
}

func (c *compiler) scenario(sc *suites.Scenario) Scenario {
	out := Scenario{Name: sc.Name, Weight: sc.Weight, Tags: sc.Tags}
	known := make([]taken, len(c.plan.Sides))
	for i := range known {
		known[i] = taken{map[string]bool{}, map[string]string{}}
	}
	for i := range sc.Steps {
		step := c.step(sc, &sc.Steps[i], known)
		out.Steps = append(out.Steps, step)
		for _, a := range step.Asks {
			out.Writes = out.Writes || a.Writes
		}
	}
	if out.Writes {
		c.plan.Writes = true
	}
	return out
}

func (c *compiler) step(sc *suites.Scenario, st *suites.Step, known []taken) Step {
	names := c.names(known)
	out := Step{Name: st.Name, Think: st.Think, Repeat: max(1, st.Repeat), Compare: st.Compare, Source: st}
	out.When = c.condition("when", st.When, names)
	if st.Until != nil {
		// The answer's own captures are not there yet when it is judged.
		out.Until = &Until{Condition: c.condition("until", st.Until.Check, names), Every: st.Until.Every, Within: st.Until.Within}
	}
	c.overrides(st)
	for i, side := range c.plan.Sides {
		ask := c.ask(side, st, names, &known[i])
		if ask.Reason != "" {
			c.plan.NotTested = append(c.plan.NotTested, fmt.Sprintf("%s/%s on %s: %s", sc.Name, st.Name, side.Path, ask.Reason))
		}
		if ask.Template != nil && (out.Endpoint == "" || i > 0 && out.Asks[0].Own) {
			out.Endpoint = ask.Template.Endpoint
		}
		out.Asks = append(out.Asks, ask)
	}
	out.Needs = needs(out.Asks, names, c.plan.Vars)
	if !slices.ContainsFunc(out.Asks, func(a Ask) bool { return a.Template != nil }) && len(c.problems) == 0 {
		c.problems.Add(st.Pos, "step %q cannot be reached: %s", st.Name, out.Asks[0].Reason)
	}
	return out
}

// needs lists the captures that a step's requests use.
func needs(asks []Ask, names []string, variables map[string]string) []string {
	var out []string
	for _, a := range asks {
		if a.Template == nil {
			continue
		}
		for _, n := range a.Template.Names() {
			if _, variable := variables[n]; !variable && slices.Contains(names, n) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// names are the variables and captures that expressions of a step may use.
func (c *compiler) names(known []taken) []string {
	names := sortedKeys(c.plan.Vars)
	for _, k := range known {
		names = append(names, sortedKeys(k.here)...)
		names = append(names, sortedKeys(k.lost)...)
	}
	return names
}

func (c *compiler) condition(what string, e suites.Expr, names []string) *expect.Condition {
	if e.IsZero() {
		return nil
	}
	cond, err := expect.NewCondition(e.Text, names)
	if err != nil {
		c.problems.Add(e.Pos, "%s %q: %v", what, e.Text, err)
		return nil
	}
	return cond
}

// overrides checks that each on: names a path of the profile.
func (c *compiler) overrides(st *suites.Step) {
	paths := c.profile.Paths.Keys()
	known := append(slices.Clone(paths), Left, Right)
	for _, o := range st.On {
		if !slices.Contains(known, o.Key) {
			c.problems.Add(o.Pos, "on: profile %s has no path %q%s (it has %s; left and right work everywhere)", c.profile.Name, o.Key,
				strictyaml.Suggest(o.Key, known), strings.Join(paths, ", "))
		}
	}
}

// ask compiles a step for one side.
func (c *compiler) ask(side Side, st *suites.Step, names []string, known *taken) Ask {
	asked := st.Asked(side.Path, side.Side)
	ask := Ask{Own: asked.OwnWords, Timeout: asked.Operation.Timeout}
	var problems strictyaml.Problems
	ask.Expect, problems = expect.Compile(asked.Expect, names)
	c.problems = append(c.problems, problems...)
	for _, e := range asked.Capture {
		capture, err := expect.NewCapture(e.Key, e.Value)
		if err != nil {
			c.problems.Add(e.Pos, "%v", err)
			continue
		}
		ask.Captures = append(ask.Captures, capture)
	}
	c.prepare(side, st, asked, &ask)
	c.bindNames(side, st, &ask, known)
	for _, capture := range ask.Captures {
		if ask.Template == nil {
			known.lost[capture.Name] = ask.Reason
			continue
		}
		known.here[capture.Name] = true
	}
	for _, part := range st.Batch {
		for _, e := range part.Capture {
			known.here[e.Key] = ask.Template != nil
		}
	}
	return ask
}

// prepare says the step in the side's dialect.
func (c *compiler) prepare(side Side, st *suites.Step, asked suites.Asked, ask *Ask) {
	op := asked.Operation
	if len(st.Batch) > 0 && op.Method == "" {
		op = batch(c.signedParts(st))
		ask.Batch = c.parts(st)
	}
	var t *request.Template
	var err error
	if asked.OwnWords {
		ask.Reason = "asked in the path's own words, so that only its captures can be compared"
		if asked.Because != "" {
			ask.Reason += " (" + asked.Because + ")"
		}
		t, err = paths.Verbatim(side.Adapter, op)
	} else if t, err = side.Adapter.Prepare(op); err == nil && side.Adapter.Describe().Dialect != "plain" {
		if with, changed := c.signed(op, t.Endpoint); changed {
			t, err = side.Adapter.Prepare(with)
		}
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		ask.Reason = "not comparable: " + strings.TrimSuffix(err.Error(), ": "+errors.ErrUnsupported.Error())
		return
	case err != nil:
		c.problems = append(c.problems, asProblems(op.At, err)...)
		return
	}
	ask.Template = t
	e := t.Effect
	ask.Writes = changes(e)
	ask.Believed = op.Reads && !ask.Writes && c.wouldWrite(side, op, asked.OwnWords)
	if e.StoredRecipients || e.Mails && strings.HasSuffix(t.Endpoint, "/forward") {
		ask.Stored = stored(side, t.Endpoint)
	}
	for _, n := range t.Notes {
		c.plan.Notes = append(c.plan.Notes, Note{Path: side.Path, Endpoint: t.Endpoint, ID: n.ID, Detail: n.Detail})
	}
}

// StoredTarget is the name that stands for the id of the item in Ask.Stored.
const StoredTarget = "stored.target"

// stored prepares the question for the people that a stored item would be mailed to.
func stored(side Side, endpoint string) *request.Template {
	op := suites.Operation{Method: "GET"}
	switch {
	case strings.Contains(endpoint, "/messages/"):
		op.URL = "/me/messages/{{" + StoredTarget + "}}?$select=subject,from,sender,replyTo,toRecipients,ccRecipients,bccRecipients"
	case strings.Contains(endpoint, "/events/"):
		op.URL = "/me/events/{{" + StoredTarget + "}}?$select=subject,organizer,attendees"
	default:
		return nil // the door refuses what cannot be judged
	}
	t, err := side.Adapter.Prepare(op)
	if err != nil {
		return nil
	}
	return t
}

// bindNames checks that every name a request uses has a value by then.
func (c *compiler) bindNames(side Side, st *suites.Step, ask *Ask, known *taken) {
	if ask.Template == nil {
		return
	}
	for _, n := range ask.Template.Names() {
		if _, ok := c.plan.Vars[n]; ok || known.here[n] || vars.Reserved(n) || fedName(c.suite, n) {
			continue
		}
		if why, lost := known.lost[n]; lost {
			ask.Template, ask.Reason = nil, fmt.Sprintf("needs {{%s}}, whose step this path does not ask (%s)", n, why)
			return
		}
		c.problems.Add(st.At, "{{%s}} has no value on path %s when step %q is sent%s", n, side.Path, st.Name,
			strictyaml.Suggest(n, append(sortedKeys(c.plan.Vars), sortedKeys(known.here)...)))
	}
}

// batch writes a JSON batch as the operation that sends it.
func batch(st *suites.Step) suites.Operation {
	type part struct {
		ID        string            `json:"id"`
		Method    string            `json:"method"`
		URL       string            `json:"url"`
		DependsOn []string          `json:"dependsOn,omitempty"`
		Headers   map[string]string `json:"headers,omitempty"`
		Body      json.RawMessage   `json:"body,omitempty"`
	}
	var body struct {
		Requests []part `json:"requests"`
	}
	for _, p := range st.Batch {
		one := part{ID: p.Name, Method: p.Method, URL: p.URL + queryText(p.Query), DependsOn: p.After, Body: p.Body.JSON()}
		for _, h := range p.Headers {
			if one.Headers == nil {
				one.Headers = map[string]string{}
			}
			one.Headers[h.Key] = h.Value
		}
		if one.Body != nil {
			if one.Headers == nil {
				one.Headers = map[string]string{}
			}
			one.Headers["Content-Type"] = "application/json"
		}
		body.Requests = append(body.Requests, one)
	}
	text, err := json.Marshal(body)
	if err != nil {
		text = []byte("{}") // every part was valid JSON when the suite was read
	}
	return suites.Operation{Method: "POST", URL: "/$batch", At: st.Pos, Body: strictyaml.ValueOf(text), Timeout: st.Timeout}
}

// queryText writes query options behind a URL inside a batch.
func queryText(query strictyaml.Map[suites.QueryValue]) string {
	text := ""
	for i, q := range query {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		text += sep + q.Key + "=" + strings.ReplaceAll(q.Value.Text(), " ", "%20")
	}
	return text
}

// parts compiles what is expected of and taken from each answer in a batch.
func (c *compiler) parts(st *suites.Step) []Part {
	var out []Part
	for _, p := range st.Batch {
		one := Part{ID: p.Name}
		var problems strictyaml.Problems
		one.Expect, problems = expect.Compile(p.Expect, sortedKeys(c.plan.Vars))
		c.problems = append(c.problems, problems...)
		for _, e := range p.Capture {
			capture, err := expect.NewCapture(e.Key, e.Value)
			if err != nil {
				c.problems.Add(e.Pos, "%v", err)
				continue
			}
			one.Captures = append(one.Captures, capture)
		}
		out = append(out, one)
	}
	return out
}
