package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"time"

	"cutover/profiles"
)

// Hash names the plan: equal hashes mean that the same requests are sent to the
// same mailboxes at the same times. Secrets and the ports that a lab happens to get are
// not part of it; a lab's services and mailboxes count by name and number.
func (p *Plan) Hash() string { return p.hash }

// SuiteHash names the suite's text, with the files that it reads.
func (p *Plan) SuiteHash() string {
	h := sha256.New()
	h.Write(p.Suite.Source)
	for _, d := range p.Suite.Data {
		h.Write(d.Value.Bytes)
	}
	for _, sc := range p.Suite.Scenarios {
		for _, st := range sc.Steps {
			h.Write(st.BodyBytes)
			for _, o := range st.On {
				h.Write(o.Value.BodyBytes)
			}
		}
	}
	return sum(h)
}

// ProfileHash names the profile's text, which holds references and no secrets.
func (p *Plan) ProfileHash() string {
	h := sha256.New()
	h.Write(p.Profile.Source)
	return sum(h)
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil))[:32] }

// digest is the hash over a canonical text of everything that decides what is sent.
func (p *Plan) digest() string {
	h := sha256.New()
	line := func(format string, args ...any) { fmt.Fprintf(h, format+"\n", args...) }
	line("cutover plan 1")
	line("suite %s %s", p.Suite.Name, p.SuiteHash())
	line("profile %s %s", p.Profile.Name, p.ProfileHash())
	line("seed %d anchor %s", p.Seed, p.Anchor.UTC().Format(time.RFC3339))
	for _, s := range p.Sides {
		line("side %s path %s dialect %s lab %q as %s", s.Side, s.Path, s.Adapter.Describe().Dialect, s.Profile.Lab, s.Adapter.Describe().As)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Vars)) {
		line("var %q %q", name, p.Vars[name])
	}
	for _, ph := range p.Phases {
		line("phase %q %t %s %d", ph.Name, ph.Measured, ph.Load.Describe(), ph.Count())
		if ph.Settle > 0 {
			line("settle %v", ph.Settle)
		}
	}
	for _, g := range p.Gates {
		line("gate %q", g.String())
	}
	line("only %q iterations %d", p.Options.Only, p.Options.Iterations)
	line("caps %v %v %v", p.Caps.Rate, p.Caps.MailboxRate, p.Caps.MailboxConcurrency)
	p.hashMailboxes(h)
	return sum(h)
}

func (p *Plan) hashMailboxes(w io.Writer) {
	if p.Profile.Mailboxes.Lab > 0 {
		fmt.Fprintf(w, "mailboxes of the lab %d\n", len(p.Mailboxes))
		return
	}
	for _, m := range p.Mailboxes {
		fmt.Fprintf(w, "mailbox %q %q\n", m.Name, m.Tags)
		for _, side := range p.Sides {
			a := m.Address[side.Path]
			fmt.Fprintf(w, "address %s %q %q %q\n", side.Path, a.SMTP, a.UPN, a.Login)
		}
	}
}

// ownerKey is what the draw of writers' mailboxes hashes: the name, or in the lab
// the number, because its names are not known before it has started.
func (c *compiler) ownerKey(i int, m profiles.Mailbox) uint64 {
	if c.profile.Mailboxes.Lab > 0 {
		return mixed(c.plan.Seed, uint64(i), saltOwner)
	}
	return hashText(c.plan.Seed, m.Name)
}
