// Package suites is the language in which questions are written: a suite is a file
// of scenarios, each a sequence of requests in the vocabulary of Graph v1.0, with
// the load at which to ask them and the gates that judge the answers. It says what to
// ask and never where; profiles say where, and as whom.
//
// Parse reports every mistake that a suite alone can show, at its file, line and
// column. What needs a profile (a path that does not exist), an evaluator (an
// expression, a gate) or an adapter is checked by package plan, with the places kept here.
package suites

import (
	"time"

	"cutover/suites/strictyaml"
)

// Suite is one file. It is not changed after it was read.
type Suite struct {
	Pos  strictyaml.Pos  `yaml:"-"`
	Keys strictyaml.Keys `yaml:"-"`
	// Name is what reports and run folders are called after.
	Name        string                            `yaml:"suite,required" doc:"Name of the suite: lower-case letters, digits and hyphens."`
	About       string                            `yaml:"about" doc:"One or two sentences for the list of suites and the report."`
	Vars        strictyaml.Map[strictyaml.Scalar] `yaml:"vars" doc:"Values for {{name}}; --set var.NAME=VALUE replaces one."`
	Seed        uint64                            `yaml:"seed" doc:"Seed of everything random; --seed replaces it. The same seed sends the same requests."`
	Data        strictyaml.Map[Feed]              `yaml:"data" doc:"Tables for {{data.NAME.COLUMN}}, from CSV or JSON files or in place; each iteration gets a row."`
	Populations []Population                      `yaml:"populations" doc:"Users by sort, from which the weights of the scenarios and the rate of day phases follow."`
	Paths       Sides                             `yaml:"paths" doc:"Paths of the profile to use when neither --left, --right nor --only say otherwise."`
	Scenarios   []Scenario                        `yaml:"scenarios,required" doc:"What users do: weighted sequences of requests."`
	Load        []Phase                           `yaml:"load" doc:"Phases that follow each other (default: 10/s for 30s); --rate, --users and --duration replace them by one."`
	Pair        string                            `yaml:"pair" enum:"together,apart" doc:"together (default): both legs are due at the same instant; apart: the second half a period later."`
	MaxLag      time.Duration                     `yaml:"max_lag" doc:"A leg that could not start this long after it was due is dropped (default 30s)."`
	Pushback    string                            `yaml:"pushback" enum:"honour,observe,ignore" doc:"What a throttling answer causes: honour (default) waits and retries, observe counts it and goes on, ignore retries at once (loopback only)."`
	Gates       []Gate                            `yaml:"gates" doc:"Conditions for the verdict pass, such as 'p95 of right < 800ms'."`
	Compare     Compare                           `yaml:"compare" doc:"How the answers of the two paths are compared."`
	Fixtures    []Fixture                         `yaml:"fixtures" doc:"Items created alike on both sides before the run and removed after it."`
	Waivers     string                            `yaml:"waivers" doc:"File of accepted differences, relative to the suite; --waivers replaces it."`

	// Source is the file as it was read, for hashing.
	Source []byte `yaml:"-"`
}

// Sides names the paths on the two sides.
type Sides struct {
	Left  string `yaml:"left" doc:"The on-premises path."`
	Right string `yaml:"right" doc:"The cloud path."`
}

// Scenario is what one user does in one iteration, from top to bottom.
type Scenario struct {
	Pos       strictyaml.Pos  `yaml:"-"`
	Keys      strictyaml.Keys `yaml:"-"`
	Name      string          `yaml:"name,required" doc:"Name in reports and gates, unique in the suite."`
	About     string          `yaml:"about" doc:"One sentence for the report."`
	Weight    int             `yaml:"weight" min:"1" max:"1000000" doc:"Share of iterations against the other scenarios (default 1)."`
	Mailboxes string          `yaml:"mailboxes" doc:"Only mailboxes that carry this tag."`
	Skew      float64         `yaml:"skew" doc:"How unevenly the scenario's mailboxes are asked: the exponent of a Zipf distribution, 0 (default, each equally often) to 3."`
	Tags      []string        `yaml:"tags" doc:"Words by which gates and reports can select the scenario."`
	Think     time.Duration   `yaml:"think" doc:"Pause before each step after the first, unless the step has its own."`
	Steps     []Step          `yaml:"steps,required" doc:"Requests, one after the other."`
}

// Step is one request with what is expected of its answer and what is taken from it.
// Exactly one of Operation.Method and Batch is set.
type Step struct {
	Pos  strictyaml.Pos `yaml:"-"`
	Name string         `yaml:"name,required" doc:"Name in reports and gates, unique in the scenario."`
	Operation
	Batch   []Part                   `yaml:"batch" doc:"Up to 20 requests sent as one JSON batch, in place of a verb."`
	Expect  Expect                   `yaml:"expect" doc:"What the answer must be like; without it, any 2xx status."`
	Capture strictyaml.Map[string]   `yaml:"capture" doc:"Values taken from the answer: name: JSONPath on the canonical answer, or 'header: NAME'."`
	Compare []CompareRule            `yaml:"compare" doc:"Differences to overlook in this step, each with its reason."`
	On      strictyaml.Map[Override] `yaml:"on" doc:"What a path (by name, or left, or right) does in its own way."`
	When    Expr                     `yaml:"when" doc:"Condition on captures and variables; the step is passed over when it is false."`
	Until   *Until                   `yaml:"until" doc:"Ask again until a condition holds; the wait is measured as its own row."`
	Think   time.Duration            `yaml:"think" doc:"Pause before this step, part of no response time."`
	Repeat  int                      `yaml:"repeat" min:"1" max:"1000" doc:"How many times the request is sent in a row (default 1)."`
}

// Operation is a question, independent of the path that it travels: a method, a URL
// and a body in Graph v1.0's words. URL and all texts may hold {{templates}}.
type Operation struct {
	// Method is GET, POST, PATCH, PUT or DELETE.
	Method string `yaml:"-"`
	// URL is a path below the root of the service, such as /me/messages.
	URL string `yaml:"-"`
	// At is where the verb stands, Keys where the values of the mapping stand.
	At   strictyaml.Pos  `yaml:"-"`
	Keys strictyaml.Keys `yaml:"-"`

	Verb     strictyaml.Block           `yaml:",block" kinds:"get,post,patch,put,delete" params:"text" doc:"The request: its verb, and its URL below the root of the service. /me is the iteration's mailbox."`
	Query    strictyaml.Map[QueryValue] `yaml:"query" doc:"Query options; a list is joined with commas, as $select wants it."`
	Headers  strictyaml.Map[string]     `yaml:"headers" doc:"Further request headers, sent as written."`
	Prefer   []string                   `yaml:"prefer" doc:"Preferences, sent as one Prefer header."`
	Body     strictyaml.Value           `yaml:"body" doc:"Request body, sent as JSON."`
	BodyFile string                     `yaml:"body_file" doc:"File with the request body, in or below the folder of the suite."`
	Timeout  time.Duration              `yaml:"timeout" doc:"How long to wait for the whole answer (default: the profile's)."`
	Reads    bool                       `yaml:"reads" doc:"Declares that a request which looks like a write only reads (a SOAP search, for example)."`

	// BodyBytes is the content of BodyFile, read when the suite was.
	BodyBytes []byte `yaml:"-"`
}

// Part is one request of a batch.
type Part struct {
	Pos  strictyaml.Pos `yaml:"-"`
	Name string         `yaml:"name,required" doc:"Id of the request in the batch, unique in it."`
	Operation
	After   []string               `yaml:"after" doc:"Names of earlier requests of the batch that must have succeeded."`
	Expect  Expect                 `yaml:"expect" doc:"What the answer must be like; without it, any 2xx status."`
	Capture strictyaml.Map[string] `yaml:"capture" doc:"Values taken from this part's answer."`
}

// Override is a step as one path does it. With a verb it is a request of its own, sent
// as written and not comparable but for its captures; without one, the step's request
// is kept and only what is given here is replaced.
type Override struct {
	Pos strictyaml.Pos `yaml:"-"`
	Operation
	Expect  Expect                 `yaml:"expect" doc:"Replaces the step's expectations."`
	Capture strictyaml.Map[string] `yaml:"capture" doc:"Replaces the step's captures; the names must be the same."`
	Because string                 `yaml:"because" doc:"Why this path differs, for the report."`
}

// Until asks the step's request again until Check holds. Polls count as polls, and the
// wait from the first request to the answer that satisfied is a row of its own.
type Until struct {
	Pos    strictyaml.Pos `yaml:"-"`
	Check  Expr           `yaml:"check,required" doc:"Expression on the answer, as in expect.checks."`
	Every  time.Duration  `yaml:"every" doc:"Pause between two requests (default 1s)."`
	Within time.Duration  `yaml:"within,required" doc:"Deadline, after which the step has failed."`
}

// Expr is an expression (expr-lang) with its place. It is compiled by package plan.
type Expr struct {
	Pos  strictyaml.Pos
	Text string
}

// UnmarshalText keeps the expression as written.
func (e *Expr) UnmarshalText(text []byte) error {
	e.Text = string(text)
	return nil
}

// IsZero reports whether there is no expression.
func (e Expr) IsZero() bool { return e.Text == "" }

// Gate is a condition of the verdict, with its place. Its grammar is package gate's.
type Gate struct {
	Pos  strictyaml.Pos
	Text string
}

// UnmarshalText keeps the gate as written.
func (g *Gate) UnmarshalText(text []byte) error {
	g.Text = string(text)
	return nil
}

// Phase is one stretch of load.
type Phase struct {
	Pos  strictyaml.Pos  `yaml:"-"`
	Keys strictyaml.Keys `yaml:"-"`
	Name string          `yaml:"name" doc:"Name in the report (default: the name of the model)."`
	// Model is decoded by package load. The shorthand users, each, for has become a constant.
	Model   strictyaml.Block `yaml:",block" kinds:"constant,ramp,stages,poisson,spike,day,closed,search" doc:"How arrivals are spread over time."`
	Users   int              `yaml:"users" min:"1" doc:"Shorthand for a constant rate: so many users, each at the rate 'each', for the time 'for'."`
	Each    strictyaml.Rate  `yaml:"each" doc:"Iterations of one user."`
	For     time.Duration    `yaml:"for" doc:"Length of the phase in the shorthand."`
	Measure *bool            `yaml:"measure" doc:"false: the phase warms up and is left out of latencies, gates and comparison (default true)."`
	Settle  time.Duration    `yaml:"settle" doc:"So long after its begin the phase is measured; what was due before is sent, counted and compared, and left out of latencies and gates."`
}

// Measured reports whether the phase counts.
func (p Phase) Measured() bool { return p.Measure == nil || *p.Measure }

// Compare says how answers are compared.
type Compare struct {
	Pos     strictyaml.Pos      `yaml:"-"`
	Sample  *strictyaml.Percent `yaml:"sample" doc:"Share of iterations whose answers are compared (default 100%)."`
	Pages   string              `yaml:"pages" enum:"first,drain" doc:"first (default): only the first page of a list; drain: follow all pages of sampled lists."`
	Content string              `yaml:"content" enum:"full,shape" doc:"full (default): values too; shape: types, presence, formats and errors, for mailboxes that are not twins."`
	Stores  string              `yaml:"stores" enum:"same,twin,moved" doc:"How the two mailboxes of a pair relate, in place of what the profile says."`
	Noise   *strictyaml.Percent `yaml:"noise" doc:"Share of compared reads that are asked four times to tell noise from difference (default 0%)."`
	Rules   []CompareRule       `yaml:"rules" doc:"Differences to overlook in every step, each with its reason."`
}

// Share is the part of iterations to compare, between 0 and 1.
func (c Compare) Share() float64 {
	if c.Sample == nil {
		return 1
	}
	return float64(*c.Sample)
}

// CompareRule overlooks one kind of difference at one place of an answer.
type CompareRule struct {
	Pos     strictyaml.Pos  `yaml:"-"`
	Keys    strictyaml.Keys `yaml:"-"`
	At      string          `yaml:"at,required" doc:"Place in the canonical answer: $.webLink, $.value[*].id, or $ for all of it."`
	Ignore  string          `yaml:"ignore,required" enum:"value,presence,order,type,all" doc:"What may differ there."`
	Because string          `yaml:"because,required" doc:"Why that is no difference; printed in the report."`
}

// Fixture is a sort of item that both mailboxes of a pair are given before the run.
type Fixture struct {
	Pos       strictyaml.Pos   `yaml:"-"`
	Create    string           `yaml:"create,required" enum:"message,event,contact,folder" doc:"Sort of item."`
	In        string           `yaml:"in" doc:"Folder or calendar, by its well-known name (default: the sort's own: drafts, calendar, contacts)."`
	Count     int              `yaml:"count" min:"1" max:"100000" doc:"How many in each mailbox (default 1)."`
	Mailboxes string           `yaml:"mailboxes" doc:"Only mailboxes that carry this tag."`
	With      strictyaml.Value `yaml:"with" doc:"Properties of each item in Graph's words; may hold {{templates}}."`
}
