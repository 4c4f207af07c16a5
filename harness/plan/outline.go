package plan

import (
	"encoding/json"
	"io"
	"time"
)

// Outline is a plan as data, for scripts and for printing.
type Outline struct {
	Suite     string           `json:"suite"`
	Profile   string           `json:"profile"`
	Hash      string           `json:"plan_hash"`
	SuiteHash string           `json:"suite_hash"` // as a consent lists it
	Seed      uint64           `json:"seed"`
	Simulated bool             `json:"simulated"`
	Writes    bool             `json:"writes"`
	Pair      string           `json:"pair"`
	Paths     []OutlinePath    `json:"paths"`
	Phases    []OutlinePhase   `json:"phases"`
	Mailboxes int              `json:"mailboxes"`
	Scenarios []OutlineScene   `json:"scenarios"`
	Fixtures  []OutlineFixture `json:"fixtures,omitempty"`
	Gates     []string         `json:"gates"`
	First     []OutlineArrive  `json:"first_arrivals"`
	Forecast  []Warning        `json:"forecast"`
	Further   []Further        `json:"further,omitempty"` // requests on top, for the comparison
	NotTested []string         `json:"not_tested"`
}

// OutlinePath is one side of an Outline.
type OutlinePath struct {
	Side        string  `json:"side"`
	Path        string  `json:"path"`
	Dialect     string  `json:"dialect"`
	URL         string  `json:"url,omitempty"` // "" before the lab has started
	Requests    float64 `json:"requests"`      // over all open phases, polls and pages not counted
	Rate        float64 `json:"limit_rate_per_s,omitempty"`
	BoxRate     float64 `json:"limit_mailbox_rate_per_s,omitempty"`
	Concurrency int     `json:"limit_mailbox_concurrency,omitempty"`
}

// OutlinePhase is one phase of an Outline.
type OutlinePhase struct {
	Name       string  `json:"name"`
	Model      string  `json:"model"`
	Measured   bool    `json:"measured"`
	SettleS    float64 `json:"settle_s,omitempty"`
	StartS     float64 `json:"start_s"`
	LengthS    float64 `json:"length_s"`
	Iterations uint64  `json:"iterations"` // 0 when only time bounds it
	MeanRate   float64 `json:"mean_per_s"`
	PeakRate   float64 `json:"peak_per_s"`
	Trials     int     `json:"trials,omitempty"`   // of a search, about, on each path
	TrialsS    float64 `json:"trials_s,omitempty"` // how long those of one path take, about
	// PerSecond are the arrivals of each of its first 3,600 seconds.
	PerSecond []uint64 `json:"arrivals_per_second,omitempty"`
}

// OutlineScene is one scenario of an Outline.
type OutlineScene struct {
	Name      string        `json:"scenario"`
	Share     float64       `json:"share"` // of the iterations
	Mailboxes int           `json:"mailboxes"`
	Writes    bool          `json:"writes"`
	Steps     []OutlineStep `json:"steps"`
}

// OutlineStep is one step of an Outline, with its requests on each path.
type OutlineStep struct {
	Name     string             `json:"step"`
	Endpoint string             `json:"endpoint"`
	Requests map[string]float64 `json:"requests"`         // by path, over all open phases
	Reason   map[string]string  `json:"reason,omitempty"` // by path: why it is not asked, or not compared
}

// OutlineArrive is one arrival of an Outline.
type OutlineArrive struct {
	DueS     float64 `json:"due_s"`
	SecondS  float64 `json:"second_s"`
	Phase    string  `json:"phase"`
	N        uint64  `json:"arrival"`
	Scenario string  `json:"scenario"`
	Mailbox  string  `json:"mailbox"`
	First    string  `json:"first"` // the path that is sent first
}

// firstArrivals is how many arrivals an outline lists.
const firstArrivals = 20

// longestSeries bounds Outline's arrivals per second.
const longestSeries = 3600

// Outline computes what `cutover plan` shows.
func (p *Plan) Outline() Outline {
	o := Outline{
		Suite: p.Suite.Name, Profile: p.Profile.Name, Hash: p.Hash(), SuiteHash: p.SuiteHash(), Seed: p.Seed, Simulated: p.Profile.Simulated, Writes: p.Writes,
		Pair: "together", Mailboxes: len(p.Mailboxes), Forecast: p.Forecast(), Further: p.Further(), NotTested: p.NotTested, Gates: []string{},
	}
	if p.Apart {
		o.Pair = "apart"
	}
	for _, g := range p.Gates {
		o.Gates = append(o.Gates, g.String())
	}
	iterations := 0.0
	for i := range p.Phases {
		iterations += float64(p.openCount(i))
		o.Phases = append(o.Phases, p.outlinePhase(i))
	}
	for i, s := range p.Sides {
		path := OutlinePath{Side: s.Side, Path: s.Path, Dialect: s.Adapter.Describe().Dialect, URL: s.Adapter.Describe().Root,
			Requests: iterations * p.requestsPerIteration(i),
			Rate:     p.Caps.Rate[i], BoxRate: p.Caps.MailboxRate[i], Concurrency: p.Caps.MailboxConcurrency[i]}
		if p.Unbound {
			path.URL = ""
		}
		o.Paths = append(o.Paths, path)
	}
	weights := 0
	for _, sc := range p.Scenarios {
		weights += sc.Weight
	}
	for i := range p.Scenarios {
		share := float64(p.Scenarios[i].Weight) / float64(weights)
		o.Scenarios = append(o.Scenarios, p.outlineScene(&p.Scenarios[i], share, iterations))
	}
	o.Fixtures = p.outlineFixtures()
	o.First = p.first()
	return o
}

func (p *Plan) openCount(phase int) uint64 {
	if p.Phases[phase].Load.Open == nil {
		return 0
	}
	return p.Phases[phase].Count()
}

func (p *Plan) outlinePhase(i int) OutlinePhase {
	ph := &p.Phases[i]
	out := OutlinePhase{
		Name: ph.Name, Model: ph.Load.Describe(), Measured: ph.Measured, StartS: ph.Start.Seconds(), LengthS: ph.Length().Seconds(), SettleS: ph.Settle.Seconds(),
		Iterations: ph.Count(), MeanRate: ph.MeanRate(), PeakRate: ph.PeakRate(),
	}
	if s := ph.Load.Search; s != nil {
		out.Trials = s.Trials()
		out.TrialsS = (time.Duration(out.Trials) * (s.Each + s.Drain)).Seconds()
	}
	if ph.Load.Open == nil {
		return out
	}
	for n := range p.openCount(i) {
		due, _ := ph.Load.Open.Due(n)
		second := int(due / time.Second)
		if second >= longestSeries {
			break
		}
		for len(out.PerSecond) <= second {
			out.PerSecond = append(out.PerSecond, 0)
		}
		out.PerSecond[second]++
	}
	return out
}

func (p *Plan) outlineScene(sc *Scenario, share, iterations float64) OutlineScene {
	out := OutlineScene{Name: sc.Name, Share: share, Mailboxes: len(sc.Mailboxes), Writes: sc.Writes}
	for i := range sc.Steps {
		st := &sc.Steps[i]
		step := OutlineStep{Name: st.Name, Endpoint: st.Endpoint, Requests: map[string]float64{}}
		for side, ask := range st.Asks {
			path := p.Sides[side].Path
			if ask.Template != nil {
				step.Requests[path] = iterations * share * float64(st.Repeat)
			}
			if ask.Reason != "" {
				if step.Reason == nil {
					step.Reason = map[string]string{}
				}
				step.Reason[path] = ask.Reason
			}
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

func (p *Plan) first() []OutlineArrive {
	var out []OutlineArrive
	for i := range p.Phases {
		ph := &p.Phases[i]
		for n := uint64(0); len(out) < firstArrivals; n++ {
			a, ok := p.Arrival(i, n)
			if !ok || ph.Load.Closed != nil && n >= uint64(ph.Load.Closed.Users) || ph.Load.Search != nil && n >= 1 {
				break
			}
			first := p.Sides[0].Path
			if len(p.Sides) == 2 && !a.LeftFirst {
				first = p.Sides[1].Path
			}
			out = append(out, OutlineArrive{DueS: (ph.Start + a.Due).Seconds(), SecondS: (ph.Start + a.Second).Seconds(), Phase: ph.Name, N: n,
				Scenario: p.Scenarios[a.Scenario].Name, Mailbox: p.Mailboxes[a.Mailbox].Name, First: first})
		}
	}
	return out
}

// JSON writes the outline for scripts.
func (p *Plan) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(p.Outline())
}
