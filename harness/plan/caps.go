package plan

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"cutover/suites/strictyaml"
)

// Caps for deployments outside this machine that name none: half of what Exchange
// Online grants an app per mailbox (10,000 requests in 10 minutes is 16.7/s), and a
// modest total.
const (
	defaultRate        = 100
	defaultMailboxRate = 8
)

// defaultConcurrency is Exchange Online's limit of requests in flight for an app
// and a mailbox (Graph throttling limits, Outlook services), kept to on every path.
const defaultConcurrency = 4

// anonymousConcurrency is how many requests a path without mailboxes has in
// flight when its profile bounds no connections. Further arrivals wait their turn,
// which their response time shows.
const anonymousConcurrency = 512

// caps settles the ceilings of each side and refuses loads whose mean is above
// them: such a load could only queue up and drop.
func (c *compiler) caps() {
	p := c.plan
	for _, side := range p.Sides {
		limits, own := c.profile.Limits, side.Profile.Limits
		rate := lower(limits.Rate.PerSecond, own.Rate.PerSecond)
		boxRate := lower(limits.PerMailbox.Rate.PerSecond, own.PerMailbox.Rate.PerSecond)
		boxes := int(lower(float64(limits.PerMailbox.Concurrency), float64(own.PerMailbox.Concurrency)))
		if !c.profile.Simulated && !onThisMachine(side.Adapter.Describe().Root) {
			p.Caps.Defaults = p.Caps.Defaults || rate == 0 || boxRate == 0
			rate, boxRate = orDefault(rate, defaultRate), orDefault(boxRate, defaultMailboxRate)
		}
		if p.Anonymous() && boxes == 0 {
			boxes = orDefault(int(lower(float64(limits.MaxConns), float64(own.MaxConns))), anonymousConcurrency)
		}
		boxes = orDefault(boxes, defaultConcurrency)
		p.Caps.Rate = append(p.Caps.Rate, rate)
		p.Caps.MailboxRate = append(p.Caps.MailboxRate, boxRate)
		p.Caps.MailboxConcurrency = append(p.Caps.MailboxConcurrency, boxes)
	}
	for i := range p.Phases {
		ph := &p.Phases[i]
		mean := ph.MeanRate()
		if s := ph.Load.Search; s != nil {
			mean = s.Max
		}
		if mean > 0 {
			c.withinCaps(i, mean)
		}
	}
}

// withinCaps compares the mean rates of a phase with the caps, arithmetic shown.
func (c *compiler) withinCaps(phase int, mean float64) {
	p := c.plan
	least := mean
	if length := p.Phases[phase].Length(); p.Phases[phase].Load.Open != nil && length > 0 {
		least -= 1 / length.Seconds() // the last arrival may be there because counts are whole
	}
	at := flag("--rate")
	if c.options.Rate.IsZero() && phase < len(c.suite.Load) {
		at = c.suite.Load[phase].Pos
	}
	for i, side := range p.Sides {
		perIteration := p.requestsPerIteration(i)
		if limit := p.Caps.Rate[i]; limit > 0 && least*perIteration > limit*tolerance {
			c.fitting(limit / perIteration)
			c.problems.Add(at, "phase %s asks for more than limits.rate allows on path %s: %s iterations/s × %s requests = %s requests/s, the limit is %s/s: lower the rate to %s/s",
				p.Phases[phase].Name, side.Path, figure(mean), figure(perIteration), figure(mean*perIteration), figure(limit), floorFigure(limit/perIteration))
		}
		limit := p.Caps.MailboxRate[i]
		if limit == 0 {
			continue
		}
		worst, who, boxes := p.busiestMailbox(i)
		load := mean * worst
		if least*worst <= limit*tolerance {
			continue
		}
		c.fitting(limit / worst)
		if p.skewed(who) {
			c.problems.Add(at, "phase %s asks for more than limits.per_mailbox.rate allows on path %s: with its skew, the most popular of the %d mailboxes of scenario %s gets %s requests/s, the limit is %s/s%s: lower the rate to %s/s, lower the skew or add mailboxes",
				p.Phases[phase].Name, side.Path, boxes, who, figure(load), figure(limit), c.byDefault(), floorFigure(limit/worst))
		} else {
			c.problems.Add(at, "phase %s asks for more than limits.per_mailbox.rate allows on path %s: the mailboxes of scenario %s get %s requests/s over %d mailboxes = %s/s each, the limit is %s/s%s: lower the rate to %s/s or add mailboxes",
				p.Phases[phase].Name, side.Path, who, figure(load*float64(boxes)), boxes, figure(load), figure(limit), c.byDefault(), floorFigure(limit/worst))
		}
	}
}

// tolerance forgives the rounding of rates that are written down.
const tolerance = 1.005

func (c *compiler) byDefault() string {
	if c.plan.Caps.Defaults {
		return " (this program's default outside this machine)"
	}
	return ""
}

// requestsPerIteration is how many requests an iteration sends to a side on
// average, conditions and polls not counted.
func (p *Plan) requestsPerIteration(side int) float64 {
	sum, weights := 0.0, 0.0
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		weights += float64(s.Weight)
		sum += float64(s.Weight) * s.requests(side)
	}
	return sum / weights
}

func (s *Scenario) requests(side int) float64 {
	n := 0
	for i := range s.Steps {
		if s.Steps[i].Asks[side].Template != nil {
			n += s.Steps[i].Repeat
		}
	}
	return float64(n)
}

// busiestMailbox returns the requests that the busiest mailbox of a side gets per
// iteration of the whole load, and the scenario that is to blame. Readers share their
// mailboxes, so that their rates add up.
func (p *Plan) busiestMailbox(side int) (perIteration float64, scenario string, boxes int) {
	weights := 0.0
	for i := range p.Scenarios {
		weights += float64(p.Scenarios[i].Weight)
	}
	load := make([]float64, len(p.Mailboxes))
	blame := make([]int, len(p.Mailboxes))
	most := make([]float64, len(p.Mailboxes))
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		all := float64(s.Weight) / weights * s.requests(side)
		for k := range s.Mailboxes {
			m, each := s.Mailboxes[k], all/float64(len(s.Mailboxes))
			if s.popular != nil {
				m, each = s.Mailboxes[s.place(p.Seed, i, k)], all*s.popular.share(k, len(s.Mailboxes))
			}
			load[m] += each
			if each > most[m] {
				most[m], blame[m] = each, i
			}
		}
	}
	worst := 0
	for m := range load {
		if load[m] > load[worst] {
			worst = m
		}
	}
	s := &p.Scenarios[blame[worst]]
	return load[worst], s.Name, len(s.Mailboxes)
}

// safety refuses writes that nobody allowed.
func (c *compiler) safety() {
	if c.profile.Simulated {
		return
	}
	if c.options.AllowWrite {
		return
	}
	for _, f := range c.plan.Fixtures {
		c.refused.Add(f.Source.Pos, "fixtures write: they create %d × %s in each of %d mailboxes; writing needs --allow-write, and a consent outside this machine", f.Count, f.Sort, len(f.Mailboxes))
	}
	for _, sc := range c.plan.Scenarios {
		for _, st := range sc.Steps {
			for i, ask := range st.Asks {
				if ask.Template != nil && ask.Writes {
					c.refused.Add(at(st.Source.At, st.Source.Pos), "step %s/%s writes on path %s (%s); writing needs --allow-write, and a consent outside this machine",
						sc.Name, st.Name, c.plan.Sides[i].Path, effectWords(&ask))
					break
				}
			}
		}
	}
}

func at(first, second strictyaml.Pos) strictyaml.Pos {
	if first.Line > 0 {
		return first
	}
	return second
}

func effectWords(a *Ask) string {
	e := a.Template.Effect
	var words []string
	if e.Creates != "" {
		words = append(words, "creates a "+e.Creates)
	}
	if e.Deletes {
		words = append(words, "deletes")
	}
	if e.Mails {
		words = append(words, "sends mail")
	}
	if len(words) == 0 {
		words = append(words, "changes an item")
	}
	return strings.Join(words, ", ")
}

// onThisMachine reports whether a root is a loopback address or localhost.
func onThisMachine(root string) bool {
	u, err := url.Parse(root)
	if err != nil {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback()
}

// lower is the smaller of two ceilings, 0 being none.
func lower(a, b float64) float64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func orDefault[N int | float64](n, otherwise N) N {
	if n == 0 {
		return otherwise
	}
	return n
}

// figure prints three significant digits without an exponent.
func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return trimZeros(fmt.Sprintf("%.1f", f))
	}
	return trimZeros(fmt.Sprintf("%.2f", f))
}

// floorFigure is figure, rounded down so that the advice holds.
func floorFigure(f float64) string {
	step := 1.0
	for step > f/100 && step > 0.001 {
		step /= 10
	}
	return figure(float64(int(f/step)) * step)
}

func trimZeros(s string) string {
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
