package gate

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutover/harness/result"
	"cutover/suites/strictyaml"
)

// maxLength bounds the text of a gate.
const maxLength = 400

// Parse reads a condition. Its errors say what to write instead.
func Parse(text string) (Gate, error) {
	if len(text) > maxLength {
		return Gate{}, fmt.Errorf("a gate is at most %d characters long: write several", maxLength)
	}
	g := Gate{text: normal(text)}
	p := &parser{words: split(text), whole: g.text}
	if len(p.words) == 0 {
		return Gate{}, errors.New("a gate must not be empty: write a condition such as p95 of right < 800ms")
	}
	steps := []func(*Gate) error{p.left, p.comparison, p.tail, p.judge}
	for _, step := range steps {
		if err := step(&g); err != nil {
			return Gate{}, err
		}
	}
	return g, nil
}

// split cuts a text at blanks and around comparisons.
func split(text string) []string {
	text = strings.NewReplacer("≤", "<=", "≥", ">=", "==", "=").Replace(text)
	var spaced strings.Builder
	for i := 0; i < len(text); i++ {
		two := text[i:min(i+2, len(text))]
		switch {
		case two == "<=" || two == ">=":
			spaced.WriteString(" " + two + " ")
			i++
		case text[i] == '<' || text[i] == '>' || text[i] == '=':
			spaced.WriteString(" " + text[i:i+1] + " ")
		default:
			spaced.WriteByte(text[i])
		}
	}
	return strings.Fields(spaced.String())
}

type parser struct {
	words []string
	whole string
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *parser) next() string {
	w := p.peek()
	if w != "" {
		p.words = p.words[1:]
	}
	return w
}

// take drops the given words if they come next.
func (p *parser) take(words ...string) bool {
	if len(p.words) < len(words) || !slices.Equal(p.words[:len(words)], words) {
		return false
	}
	p.words = p.words[len(words):]
	return true
}

var comparisons = []string{"<", "<=", ">", ">=", "="}

// left reads what stands before the comparison.
func (p *parser) left(g *Gate) (err error) {
	if g.first, err = p.measure(); err != nil {
		return err
	}
	if g.combine = p.peek(); g.combine != "-" && g.combine != "/" {
		g.combine = ""
		return nil
	}
	p.next()
	g.second, err = p.measure()
	return err
}

func (p *parser) measure() (measure, error) {
	var m measure
	word := p.next()
	for _, c := range result.Classes() {
		if word == string(c) && p.peek() == "findings" {
			m.class, word = c, p.next()
		}
	}
	at := slices.IndexFunc(metrics, func(one metric) bool { return one.name == word })
	if at < 0 {
		return m, fmt.Errorf("nothing is measured as %q%s: write one of %s", word, strictyaml.Suggest(word, metricNames()), strings.Join(metricNames(), ", "))
	}
	m.metric = metrics[at]
	for !slices.Contains(comparisons, p.peek()) && p.peek() != "-" && p.peek() != "/" && p.peek() != "" {
		if err := p.qualify(&m); err != nil {
			return m, err
		}
	}
	return m, m.sensible()
}

// qualify reads one of "of X", "on X", "on service time", "for STEP" and "at SEVERITY [or worse]".
func (p *parser) qualify(m *measure) error {
	switch word := p.next(); word {
	case "of", "on":
		switch {
		case p.take("service", "time"):
			m.service = true
			return nil
		case p.take("response", "time"):
			return nil
		}
		return p.subject(m)
	case "for":
		return p.step(m)
	case "at":
		return p.severity(m)
	default:
		return fmt.Errorf("%q is not understood behind %s: write 'of PATH', 'for SCENARIO/STEP', or a comparison such as < 800ms", word, m.metric.name)
	}
}

// subject reads a path, or a step when a second "of" follows or the word holds a slash.
func (p *parser) subject(m *measure) error {
	word := p.next()
	switch {
	case word == "" || slices.Contains(comparisons, word):
		return fmt.Errorf("%s of what? write left, right, each path, any path, or the name of a path", m.metric.name)
	case strings.Contains(word, "/"), p.peek() == "of" && m.step == "" && word != each && word != anyPath:
		return m.setStep(word)
	}
	if m.path != "" {
		return fmt.Errorf("%s speaks of two paths, %q and %q: write one, or 'each path'", m.metric.name, m.path, word)
	}
	m.path = word
	if word == each || word == anyPath {
		p.take("path")
	}
	return nil
}

func (p *parser) step(m *measure) error {
	word := p.next()
	if word == "" || slices.Contains(comparisons, word) {
		return errors.New("for what? write a step such as open-inbox/list, or a scenario")
	}
	return m.setStep(word)
}

func (m *measure) setStep(word string) error {
	if m.step != "" {
		return fmt.Errorf("%s speaks of two steps, %q and %q: write two gates", m.metric.name, m.step, word)
	}
	m.step = word
	return nil
}

var severities = []string{"critical", "major", "minor", "info"}

func (p *parser) severity(m *measure) error {
	word := p.next()
	if !slices.Contains(severities, word) {
		return fmt.Errorf("%q is no severity%s: write one of %s", word, strictyaml.Suggest(word, severities), strings.Join(severities, ", "))
	}
	m.severity, m.exactly = result.Severity(word), !p.take("or", "worse")
	return nil
}

// sensible refuses qualifiers that a metric knows nothing of.
func (m *measure) sensible() error {
	switch k := m.metric.kind; {
	case m.severity != "" && k != ofFindings:
		return fmt.Errorf("%s has no severity: leave 'at %s' out", m.metric.name, m.severity)
	case m.service && k != ofTimes:
		return fmt.Errorf("%s is no time: leave 'on service time' out", m.metric.name)
	case m.path != "" && k == ofFindings:
		return fmt.Errorf("%s are between two paths: leave 'of %s' out", m.metric.name, m.path)
	case (m.path != "" || m.step != "") && k == ofLegs:
		return fmt.Errorf("%s counts legs of the whole run: leave the path and the step out", m.metric.name)
	}
	return nil
}

// comparison reads "< 800ms".
func (p *parser) comparison(g *Gate) error {
	g.compare = p.next()
	if !slices.Contains(comparisons, g.compare) {
		return fmt.Errorf("%q compares nothing: end it with a limit such as < 800ms", p.whole)
	}
	text := p.next()
	var err error
	if g.limit, g.unit, err = limit(text, g); err != nil {
		return err
	}
	return nil
}

// limit reads a limit in the unit that fits what stands left of it.
func limit(text string, g *Gate) (float64, unit, error) {
	number, unit, wanted := float64(0), unit{}, ""
	positive := strings.TrimPrefix(text, "-")
	if d, err := strictyaml.ParseDuration(positive); err == nil && positive != "0" {
		number, unit = float64(d)/float64(time.Millisecond), milliseconds
	} else if s, err := strictyaml.ParsePercent(positive); err == nil {
		number, unit = float64(s), share
	} else if r, err := strictyaml.ParseRate(positive); err == nil {
		number, unit = r.PerSecond, perSecond
	} else if n, err := strconv.ParseFloat(positive, 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
		number, unit = n, count
	} else if text == "" {
		return 0, unit, fmt.Errorf("the limit is missing behind %q: write %s", g.compare, g.units()[0].name)
	} else {
		return 0, unit, fmt.Errorf("%q is no limit: write %s", text, g.units()[0].name)
	}
	if strings.HasPrefix(text, "-") {
		number = -number
	}
	for _, fits := range g.units() {
		if fits.name == unit.name || fits.name == ratio.name && unit.name == count.name {
			return number, fits, nil
		}
		wanted = fits.name
	}
	if len(g.units()) > 1 {
		wanted = g.units()[0].name + " or " + g.units()[1].name
	}
	return 0, unit, fmt.Errorf("%s is measured as %s, not as %q", g.called(), wanted, text)
}

// units lists the units that the left side can be compared in.
func (g *Gate) units() []unit {
	if g.combine == "/" {
		return []unit{ratio}
	}
	switch g.first.metric.kind {
	case ofTimes:
		return []unit{milliseconds}
	case ofRate:
		return []unit{perSecond}
	case ofFindings:
		return []unit{count}
	}
	return []unit{share, count}
}

func (g *Gate) called() string {
	if g.combine == "" {
		return g.first.metric.name
	}
	return g.first.metric.name + " " + g.combine + " " + g.second.metric.name
}

// tail reads what may follow the limit.
func (p *parser) tail(g *Gate) error {
	for len(p.words) > 0 {
		switch {
		case p.take("may", "be", "empty"):
			g.mayBeEmpty = true
		case p.take("abort"):
			if err := p.abort(g); err != nil {
				return err
			}
		case len(p.words) > 1 && p.words[0] == "for" && isDuration(p.words[1]):
			p.next()
			g.window, _ = strictyaml.ParseDuration(p.next())
		case p.peek() == "for", p.peek() == "on", p.peek() == "of":
			if err := p.late(g); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%q is not understood behind the limit: write 'for SCENARIO/STEP', 'for 30s', 'on service time', 'may be empty' or 'abort after 30s'", strings.Join(p.words, " "))
		}
	}
	return nil
}

// abort reads what may follow abort: after 30s.
func (p *parser) abort(g *Gate) (err error) {
	g.abort, g.delay = true, AbortDelay
	if !p.take("after") {
		return nil
	}
	word := p.next()
	if g.delay, err = strictyaml.ParseDuration(word); err != nil || g.delay < time.Second || g.delay%time.Second != 0 {
		return fmt.Errorf("abort after what? write whole seconds such as abort after 30s, not %q", word)
	}
	return nil
}

// late applies a qualifier behind the limit to all that stands before it.
func (p *parser) late(g *Gate) error {
	before := slices.Clone(p.words)
	if err := p.qualify(&g.first); err != nil {
		return err
	}
	if g.combine != "" {
		again := &parser{words: before}
		if err := again.qualify(&g.second); err != nil {
			return err
		}
	}
	return g.first.sensible()
}

func isDuration(text string) bool {
	d, err := strictyaml.ParseDuration(text)
	return err == nil && d > 0
}

// judge refuses conditions that make no sense as a whole.
func (p *parser) judge(g *Gate) error {
	if g.combine != "" {
		if err := g.pair(); err != nil {
			return err
		}
	}
	if g.window > 0 && (g.window < time.Second || g.window%time.Second != 0) {
		return fmt.Errorf("a window is whole seconds, not %s: write for 30s", g.window)
	}
	if k := g.first.metric.kind; g.window > 0 && k != ofTimes && k != ofOutcomes {
		return fmt.Errorf("%s knows no windows: leave 'for %s' out", g.called(), g.window)
	}
	if g.window > 0 && g.first.service {
		return errors.New("windows know response times only: leave 'on service time' out")
	}
	if g.compare == "=" && (g.unit.measure == result.MeasureLatency || g.unit.measure == result.MeasureRate) {
		return fmt.Errorf("%s is never exactly %s: write < or <=", g.called(), g.unit.format(g.limit))
	}
	if g.combine == "-" {
		return nil
	}
	return g.possible()
}

func (g *Gate) pair() error {
	a, b := g.first, g.second
	switch {
	case a.metric.kind != b.metric.kind:
		return fmt.Errorf("%s and %s cannot be compared: write the same on both sides of %q", a.metric.name, b.metric.name, g.combine)
	case a.metric.kind == ofFindings || a.metric.kind == ofLegs:
		return fmt.Errorf("%s cannot stand on both sides of %q", a.metric.name, g.combine)
	case a.path == each || a.path == anyPath || b.path == each || b.path == anyPath || a.path == "" || b.path == "":
		return fmt.Errorf("each side of %q needs one path: p95 of right %s p95 of left", g.combine, g.combine)
	case a.path == b.path && a.step == b.step && a.metric == b.metric && a.service == b.service:
		return fmt.Errorf("both sides of %q are the same", g.combine)
	}
	return nil
}

// possible refuses limits that no value, or every value, is on the right side of.
func (g *Gate) possible() error {
	name, shown := g.called(), g.unit.format(g.limit)
	top := math.Inf(1)
	if g.unit.name == share.name {
		top = 1
	}
	switch {
	case g.limit < 0:
		return fmt.Errorf("%s is never negative: %s cannot be its limit", name, shown)
	case g.compare == "<" && g.limit == 0:
		return fmt.Errorf("%s is never below 0: write = 0", name)
	case g.compare == ">=" && g.limit == 0, g.compare == "<=" && g.limit >= top:
		return fmt.Errorf("%s %s %s always holds: it is no gate", name, g.compare, shown)
	case g.compare == ">" && g.limit >= top:
		return fmt.Errorf("%s is never above %s: nothing could pass", name, shown)
	case g.unit.name == count.name && g.limit != math.Trunc(g.limit):
		return fmt.Errorf("%s is a whole number or a share: write %s%% or a whole number", name, shown)
	}
	return nil
}
