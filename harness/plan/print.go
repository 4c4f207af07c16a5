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
			out.add("  %s", n)
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
	l.add("path\tside\tdialect\trequests\tlimits\turl")
	for _, p := range o.Paths {
		var limits []string
		if p.Rate > 0 {
			limits = append(limits, figure(p.Rate)+"/s")
		}
		if p.BoxRate > 0 {
			limits = append(limits, figure(p.BoxRate)+"/s a mailbox")
		}
		limits = append(limits, fmt.Sprintf("%d at a time a mailbox", p.Concurrency))
		url := p.URL
		if url == "" {
			url = "(the lab's)"
		}
		l.add("%s\t%s\t%s\t%s\t%s\t%s", p.Path, p.Side, p.Dialect, requests(p.Requests), strings.Join(limits, ", "), url)
	}
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
	l.add("phase\tfrom\tload\titerations\tarrivals per second")
	for _, ph := range o.Phases {
		name := ph.Name
		if !ph.Measured {
			name += " (not measured)"
		}
		iterations := "by time"
		if ph.Iterations > 0 {
			iterations = fmt.Sprint(ph.Iterations)
		}
		if ph.Trials > 0 {
			iterations = fmt.Sprintf("about %d trials a path, %v", ph.Trials, seconds(ph.TrialsS))
		}
		l.add("%s\t%v\t%s\t%s\t%s", name, seconds(ph.StartS), ph.Model, iterations, series(ph.PerSecond))
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// series prints at most a dozen seconds, and what the rest are like.
func series(perSecond []uint64) string {
	const shown = 12
	if len(perSecond) == 0 {
		return "-"
	}
	low, high := slices.Min(perSecond), slices.Max(perSecond)
	if low == high {
		return fmt.Sprint(low)
	}
	var parts []string
	for i, n := range perSecond {
		if i == shown {
			return strings.Join(parts, " ") + fmt.Sprintf(" … (%d to %d)", low, high)
		}
		parts = append(parts, fmt.Sprint(n))
	}
	return strings.Join(parts, " ")
}

func (l *lines) scenarios(o *Outline, p *Plan) {
	l.gap()
	l.add("%d mailboxes", o.Mailboxes)
	head := "scenario\tshare\tmailboxes\tstep\tasks"
	for _, s := range p.Sides {
		head += "\t" + s.Path
	}
	l.add("%s", head)
	for _, sc := range o.Scenarios {
		for i, st := range sc.Steps {
			line := "\t\t"
			if i == 0 {
				boxes := fmt.Sprint(sc.Mailboxes)
				if sc.Writes {
					boxes += " of its own"
				}
				line = fmt.Sprintf("%s\t%.3g%%\t%s", sc.Name, 100*sc.Share, boxes)
			}
			line += "\t" + st.Name + "\t" + st.Endpoint
			for _, s := range p.Sides {
				n, asked := st.Requests[s.Path]
				if !asked {
					line += "\tnot asked"
					continue
				}
				line += "\t" + requests(n)
			}
			l.add("%s", line)
		}
	}
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
