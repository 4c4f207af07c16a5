package reports

import (
	"sort"
	"strings"

	"cutover/harness/result"
)

// place is a node of the tree of answers: a step first, then the parts of the
// pointers at which its answers differ. Every difference that the page holds in
// full stands there once, on-prem and cloud beside each other.
type place struct {
	Name     string
	Endpoint string // of a step
	Depth    int    // of indentation, at most maxDepth
	N        int    // differences here and below
	Worst    result.Severity
	Waived   bool // all of them
	Here     []htmlFinding
	Below    []*place
}

// maxDepth bounds the indentation, which is a class of the page's style.
const maxDepth = 7

// places sorts the findings of all classes into a tree. Steps stand in the order
// of their names, the parts of an answer too.
func places(groups []htmlGroup) []*place {
	root := &place{}
	for _, g := range groups {
		for _, rule := range g.Rules {
			for _, f := range rule.Shown {
				step := root.child(f.Scenario + " / " + f.Step)
				if step.Endpoint == "" {
					step.Endpoint = f.Endpoint
				}
				at := step
				for _, part := range parts(f.Pointer) {
					at = at.child(part)
				}
				at.Here = append(at.Here, f)
			}
		}
	}
	root.settle(-1)
	return root.Below
}

// parts splits a pointer into what a reader calls them.
func parts(pointer string) []string {
	var out []string
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "#"), "/") {
		switch part {
		case "":
			continue
		case "*":
			part = "each item"
		case "(header)":
			part = "headers"
		}
		out = append(out, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
	}
	return out
}

func (p *place) child(name string) *place {
	for _, c := range p.Below {
		if c.Name == name {
			return c
		}
	}
	c := &place{Name: name}
	p.Below = append(p.Below, c)
	return c
}

// settle joins parts that lead to a single further part, counts, and sorts.
func (p *place) settle(depth int) {
	for i, c := range p.Below {
		for depth >= 0 && len(c.Here) == 0 && len(c.Below) == 1 {
			only := c.Below[0]
			only.Name = c.Name + " / " + only.Name
			c = only
		}
		p.Below[i] = c
	}
	sort.SliceStable(p.Below, func(i, j int) bool { return p.Below[i].Name < p.Below[j].Name })
	p.Depth, p.N, p.Worst, p.Waived = min(depth, maxDepth), len(p.Here), "", true
	weigh := func(s result.Severity, waived bool) {
		p.Waived = p.Waived && waived
		if !waived && s.Rank() > p.Worst.Rank() {
			p.Worst = s
		}
	}
	for _, f := range p.Here {
		weigh(f.Severity, f.Waived)
	}
	for _, c := range p.Below {
		c.settle(depth + 1)
		p.N += c.N
		weigh(c.Worst, c.Waived)
	}
}

// Step says whether the place is a step and no part of an answer.
func (p *place) Step() bool { return p.Depth == 0 }

// Leaf says whether nothing lies below, so that there is nothing to fold.
func (p *place) Leaf() bool { return len(p.Below) == 0 && p.Depth > 0 }

// How says in one word what happened between the two sides: missing, moved or
// changed.
func (f htmlFinding) How() string {
	switch {
	case lacking(f.Left), lacking(f.Right):
		return "missing"
	case strings.Contains(f.Kind, "moved"), strings.Contains(f.Kind, "order"), strings.Contains(f.Kind, "renamed"), strings.Contains(f.Kind, "name"):
		return "moved"
	}
	return "changed"
}

// MissingSide is the side that lacks the place, "" when neither does.
func (f htmlFinding) MissingSide() string {
	switch {
	case lacking(f.Left):
		return result.Left
	case lacking(f.Right):
		return result.Right
	}
	return ""
}

// lacking says whether a value stands for nothing at all.
func lacking(value string) bool { return value == "" || value == "absent" }

// glance shortens a value for a cell of the tree: its finding has it whole.
func glance(value string) string {
	const room = 80
	value = strings.ToValidUTF8(value, "\uFFFD")
	runes := []rune(value)
	if len(runes) <= room {
		return value
	}
	return string(runes[:room]) + "…"
}
