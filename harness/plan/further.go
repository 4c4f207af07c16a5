package plan

import (
	"fmt"
	"math"
	"strings"

	"cutover/harness/request"
)

// What comparing two sides sends beside the load, or after it: through the same lanes, caps and doors, and in
// nobody's latencies.
const (
	// MostPages is how many pages of one list are followed, the first one included.
	MostPages = 20
	// MostProofs is how many differences are asked for once more when the load is over, each at most twice on
	// each path: reduced to what differs, and as the suite asks.
	MostProofs = 50
)

// Further is one sort of requests that come on top of the load.
type Further struct {
	Path   string  `json:"path"`
	What   string  `json:"what"`              // "differences asked again", "reads asked twice" or "further pages"
	AtMost float64 `json:"at_most,omitempty"` // requests; 0 when the load has no count to bound them by
	Why    string  `json:"why"`
}

// Further bounds the requests that the comparison may add, by path. A plan of one side adds none.
func (p *Plan) Further() []Further {
	if len(p.Sides) < 2 || p.Sample == 0 {
		return nil
	}
	iterations, counted := 0.0, true
	for i := range p.Phases {
		if ph := &p.Phases[i]; ph.Measured {
			iterations += float64(p.openCount(i))
			counted = counted && ph.Load.Open != nil
		}
	}
	reads, lists := p.comparedReads()
	if reads == 0 {
		return nil
	}
	bound := func(n float64) float64 {
		if !counted {
			return 0
		}
		return math.Ceil(n)
	}
	var out []Further
	add := func(what, why string, atMost float64) {
		for _, s := range p.Sides {
			out = append(out, Further{Path: s.Path, What: what, AtMost: atMost, Why: why})
		}
	}
	add("differences asked again", fmt.Sprintf("when the load is over, for up to %d differences, reads only", MostProofs), 2*MostProofs)
	if p.Noise > 0 {
		add("reads asked twice", fmt.Sprintf("those of %.3g%% of the compared iterations, to tell noise from difference", 100*p.Noise), bound(iterations*p.Sample*p.Noise*reads))
	}
	if p.Drain && lists > 0 {
		add("further pages", fmt.Sprintf("compared lists are followed to their end, or to their page %d", MostPages), bound(iterations*p.Sample*lists*(MostPages-1)))
	}
	return out
}

// comparedReads is how many reads, and how many of them lists, an iteration has on average that both sides ask.
func (p *Plan) comparedReads() (reads, lists float64) {
	weights := 0.0
	for i := range p.Scenarios {
		sc := &p.Scenarios[i]
		weights += float64(sc.Weight)
		for j := range sc.Steps {
			st := &sc.Steps[j]
			if !st.comparedRead() {
				continue
			}
			reads += float64(sc.Weight)
			method, path, _ := strings.Cut(st.Endpoint, " ")
			if typ, list := request.Returns(method, request.Segments(path)); list || typ == "" {
				lists += float64(sc.Weight)
			}
		}
	}
	return reads / weights, lists / weights
}

// comparedRead reports whether both sides ask the step and neither changes anything by it.
func (st *Step) comparedRead() bool {
	if len(st.Asks) < 2 || st.Until != nil {
		return false
	}
	for i := range st.Asks {
		if a := &st.Asks[i]; a.Template == nil || a.Writes || a.Template.Method != "GET" {
			return false
		}
	}
	return true
}

// further prints what comes on top.
func (l *lines) further(o *Outline) {
	if len(o.Further) == 0 {
		return
	}
	l.gap()
	l.add("on top of the load, for the comparison")
	for i := 0; i < len(o.Further); {
		f := o.Further[i]
		var paths []string
		for ; i < len(o.Further) && o.Further[i].What == f.What; i++ {
			paths = append(paths, o.Further[i].Path)
		}
		most := "as many requests as answers allow"
		if f.AtMost > 0 {
			most = fmt.Sprintf("at most %.0f requests", f.AtMost)
		}
		l.wrapped(2, fmt.Sprintf("%s: %s to each of %s", f.What, most, strings.Join(paths, " and ")))
		l.wrapped(6, f.Why)
	}
}
