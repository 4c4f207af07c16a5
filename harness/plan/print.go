package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// Print writes the plan for people: what would be sent, when, by whom, and how that
// stands to the published limits.
func (p *Plan) Print(w io.Writer) error {
	o := p.Outline()
	out := &lines{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	title := fmt.Sprintf("%s asked of %s", o.Suite, o.Profile)
	if o.Simulated {
		title += "  SIMULATED"
	}
	out.add("%s", title)
	out.add("plan %s, seed %d, nothing was sent", o.Hash, o.Seed)
	out.gap()
	out.paths(&o)
	out.phases(&o)
	out.fixtures(&o)
	out.scenarios(&o, p)
	out.arrivals(&o)
	out.forecast(&o)
	out.further(&o)
	if len(o.Gates) > 0 {
		out.gap()
		out.add("gates")
		for _, g := range o.Gates {
			out.add("  %s", g)
		}
	}
	if len(o.NotTested) > 0 {
		out.gap()
		out.add("not tested")
		for _, n := range o.NotTested {
			out.wrapped(2, n)
		}
	}
	out.flush()
	return out.err
}

// lines writes aligned lines and remembers the first error.
type lines struct {
	w   *tabwriter.Writer
	err error
}

func (l *lines) add(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

// gap ends a table, so that the next one has columns of its own.
func (l *lines) gap() {
	l.flush()
	l.add("")
	l.flush()
}

func (l *lines) flush() {
	if err := l.w.Flush(); l.err == nil {
		l.err = err
	}
}

func (l *lines) paths(o *Outline) {
	l.add("path\tside\tdialect\trequests\turl")
	for _, p := range o.Paths {
		url := p.URL
		if url == "" {
			url = "(the lab's)"
		}
		l.add("%s\t%s\t%s\t%s\t%s", p.Path, p.Side, p.Dialect, requests(p.Requests), url)
	}
	l.flush()
	for i, p := range o.Paths {
		who := p.Path
		if i == 0 && len(o.Paths) == 2 && limits(p) == limits(o.Paths[1]) {
			who = "each path"
		}
		l.wrapped(2, fmt.Sprintf("%s: at most %s", who, limits(p)))
		if who != p.Path {
			break
		}
	}
}

// limits are the ceilings of a path in words.
func limits(p OutlinePath) string {
	var all []string
	if p.Rate > 0 {
		all = append(all, figure(p.Rate)+"/s")
	}
	if p.BoxRate > 0 {
		all = append(all, figure(p.BoxRate)+"/s a mailbox")
	}
	return strings.Join(append(all, fmt.Sprintf("%d at a time a mailbox", p.Concurrency)), ", ")
}

// requests prints a number of requests; a closed load has none to tell.
func requests(n float64) string {
	if n == 0 {
		return "as answers allow"
	}
	return fmt.Sprintf("%.0f", n)
}

func (l *lines) phases(o *Outline) {
	l.gap()
	l.add("phase\tfrom\titerations\tload")
	for _, ph := range o.Phases {
		model, iterations := strings.TrimSuffix(ph.Model, fmt.Sprintf(" (%d)", ph.Iterations)), "by time"
		if !ph.Measured {
			model += ", not measured"
		}
		if ph.SettleS > 0 {
			model += fmt.Sprintf(", measured after %vs", ph.SettleS)
		}
		if ph.Iterations > 0 {
			iterations = fmt.Sprint(ph.Iterations)
		}
		if ph.Trials > 0 {
			iterations = fmt.Sprintf("about %d trials a path, %v", ph.Trials, seconds(ph.TrialsS))
		}
		l.add("%s\t%v\t%s\t%s", ph.Name, seconds(ph.StartS), iterations, model)
	}
	l.flush()
	for _, ph := range o.Phases {
		if n := len(ph.PerSecond); n > 0 && slices.Min(ph.PerSecond) != slices.Max(ph.PerSecond) {
			l.wrapped(2, fmt.Sprintf("%s, arrivals in each second: %s", ph.Name, series(ph.PerSecond)))
		}
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// series prints at most a dozen seconds, and what the rest are like.
func series(perSecond []uint64) string {
	const shown = 12
	var parts []string
	for i, n := range perSecond {
		if i == shown {
			return strings.Join(parts, " ") + fmt.Sprintf(" … (%d to %d)", slices.Min(perSecond), slices.Max(perSecond))
		}
		parts = append(parts, fmt.Sprint(n))
	}
	return strings.Join(parts, " ")
}

// scenarios prints the figures first: requests have the rest of the line, however
// long they are.
func (l *lines) scenarios(o *Outline, p *Plan) {
	l.gap()
	var head []string
	for _, s := range p.Sides {
		head = append(head, s.Path)
	}
	l.add("%s over %d mailboxes, and the requests on %s", plural(len(o.Scenarios), "scenario"), o.Mailboxes, strings.Join(head, " and "))
	for _, sc := range o.Scenarios {
		boxes := plural(sc.Mailboxes, "mailbox")
		if sc.Writes {
			boxes += " of its own"
		}
		l.add("%s, %.3g%% of the iterations, %s", sc.Name, 100*sc.Share, boxes)
		names := 0
		for _, st := range sc.Steps {
			names = max(names, utf8.RuneCountInString(st.Name))
		}
		for _, st := range sc.Steps {
			line := ""
			for _, s := range p.Sides {
				line += fmt.Sprintf("  %*s", max(7, len(s.Path)), asked(st, s.Path))
			}
			l.add("%s  %-*s  %s", line, names, st.Name, st.Endpoint)
		}
	}
}

// asked is how many requests of a step go to a path.
func asked(st OutlineStep, path string) string {
	switch n, ok := st.Requests[path]; {
	case !ok:
		return "none"
	case n == 0:
		return "-" // as answers allow
	default:
		return fmt.Sprintf("%.0f", n)
	}
}

func plural(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "x"):
		return fmt.Sprintf("%d %ses", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func (l *lines) arrivals(o *Outline) {
	l.gap()
	l.add("first arrivals\tdue\tscenario\tmailbox\tfirst")
	for _, a := range o.First {
		mailbox := a.Mailbox
		if mailbox == "" {
			mailbox = "-"
		}
		l.add("%s %d\t%v\t%s\t%s\t%s", a.Phase, a.N, seconds(a.DueS), a.Scenario, mailbox, a.First)
	}
}

func (l *lines) forecast(o *Outline) {
	if len(o.Forecast) == 0 {
		return
	}
	l.gap()
	l.add("forecast")
	for _, f := range o.Forecast {
		word := "ok"
		if f.Exceeded {
			word = "OVER"
		}
		l.add("  %s %s  %s", f.Path, word, f.Limit)
		l.wrapped(6, f.Expected)
		l.wrapped(6, "source: "+f.Source)
	}
}

// wrapped writes prose in lines of at most 80 columns, indented.
func (l *lines) wrapped(indent int, prose string) {
	line := strings.Repeat(" ", indent-1)
	for word := range strings.FieldsSeq(prose) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 80 && len(line) >= indent {
			l.add("%s", line)
			line = strings.Repeat(" ", indent-1)
		}
		line += " " + word
	}
	l.add("%s", line)
}
