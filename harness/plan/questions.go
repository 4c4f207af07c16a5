package plan

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Questions names what is asked, of which mailboxes and in which order, whoever answers: two plans of the
// same Questions make the same iterations, number by number, on whatever path. Paths, addresses, gates and
// caps are not part of it.
func (p *Plan) Questions() string {
	h := sha256.New()
	line := func(format string, args ...any) { fmt.Fprintf(h, format+"\n", args...) }
	line("cutover questions 1")
	line("suite %s %s", p.Suite.Name, p.SuiteHash())
	line("seed %d anchor %s sample %v noise %v drain %t", p.Seed, p.Anchor.UTC().Format(time.RFC3339), p.Sample, p.Noise, p.Drain)
	for _, name := range slices.Sorted(maps.Keys(p.Vars)) {
		line("var %q %q", name, p.Vars[name])
	}
	for _, ph := range p.Phases {
		line("phase %q %t %s %d", ph.Name, ph.Measured, ph.Load.Describe(), ph.Count())
	}
	for _, s := range p.Scenarios {
		line("scenario %q weight %d mailboxes %v", s.Name, s.Weight, s.Mailboxes)
	}
	line("iterations %d", p.Options.Iterations)
	for _, m := range p.Mailboxes {
		line("mailbox %q %q", m.Name, m.Tags)
	}
	return sum(h)
}
