package run

import (
	"strconv"
	"strings"

	"cutover/harness/plan"
	"cutover/harness/vars"
	"cutover/profiles"
	"cutover/suites/strictyaml"
)

// Tag marks everything that a run creates, so that it can be found and removed
// without its id.
func Tag(runID string) string { return "cutover-" + runID }

// scope answers the names in one leg's requests: its captures, its mailbox, the
// run, the suite's variables, and made-up data and dates. It belongs to one worker.
type scope struct {
	common  *common
	mailbox *profiles.Mailbox
	address profiles.Address
	n       uint64
	taken   []taken
	random  *vars.Random
	target  string // answers plan.StoredTarget
	plan    *plan.Plan
	arrival *plan.Arrival
}

// taken is a captured value.
type taken struct{ name, value string }

// common is what all legs of a run share.
type common struct {
	runID, tag string
	tagBytes   []byte
	vars       map[string]string
	literal    map[string]bool // variables that are JSON literals: numbers and booleans
	cells      map[string]feedCell
}

func newCommon(p *plan.Plan, runID string) *common {
	c := &common{runID: runID, tag: Tag(runID), tagBytes: []byte(Tag(runID)), vars: p.Vars, literal: map[string]bool{}, cells: feedCells(p)}
	for _, v := range p.Suite.Vars {
		c.literal[v.Key] = v.Value.Kind == strictyaml.Number || v.Value.Kind == strictyaml.Bool
	}
	return c
}

// begin readies the scope for a leg.
func (s *scope) begin(p *plan.Plan, l *leg) {
	s.mailbox = &p.Mailboxes[l.arrival.Mailbox]
	s.address = s.mailbox.Address[p.Sides[l.side].Path]
	s.n, s.plan, s.arrival = l.number, p, &l.arrival
	s.taken = s.taken[:0]
	if s.random == nil {
		s.random = vars.NewRandom(l.arrival.Seed, p.Anchor)
	}
	s.random.Reset(l.arrival.Seed)
}

// take stores a captured value; a later one of the same name replaces it.
func (s *scope) take(name, value string) {
	for i := range s.taken {
		if s.taken[i].name == name {
			s.taken[i].value = value
			return
		}
	}
	s.taken = append(s.taken, taken{name, value})
}

func (s *scope) has(name string) bool {
	for i := range s.taken {
		if s.taken[i].name == name {
			return true
		}
	}
	return false
}

// Lookup answers a name; it implements vars.Scope.
func (s *scope) Lookup(name string) (string, bool) {
	for i := range s.taken {
		if s.taken[i].name == name {
			return s.taken[i].value, true
		}
	}
	if strings.HasPrefix(name, "mailbox.") {
		switch name {
		case "mailbox.user":
			return s.address.User(), true
		case "mailbox.smtp":
			return s.address.SMTP, true
		case "mailbox.upn":
			return s.address.UPN, true
		case "mailbox.name":
			return s.mailbox.Name, true
		}
		return "", false
	}
	switch name {
	case "run.id":
		return s.common.runID, true
	case "run.tag":
		return s.common.tag, true
	case "iteration":
		return strconv.FormatUint(s.n, 10), true
	case plan.StoredTarget:
		return s.target, true
	}
	if v, ok := s.common.vars[name]; ok {
		return v, true
	}
	if v, ok := s.cell(name); ok {
		return v, true
	}
	return s.random.Lookup(name)
}

// AppendValue appends a name's value to dst without making a string of it; it
// implements vars.Appender.
func (s *scope) AppendValue(dst []byte, name string) ([]byte, bool) {
	if name == "iteration" {
		return strconv.AppendUint(dst, s.n, 10), true
	}
	if strings.HasPrefix(name, "random.") {
		return s.random.AppendValue(dst, name)
	}
	if v, ok := s.Lookup(name); ok {
		return append(dst, v...), true
	}
	return dst, false
}

// Literal reports whether a name's value is JSON by itself; it implements
// vars.Literals.
func (s *scope) Literal(name string) bool {
	if s.has(name) {
		return false
	}
	return name == "iteration" || s.common.literal[name] || s.literalCell(name) || s.random.Literal(name)
}
