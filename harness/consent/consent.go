// Package consent reads the file in which the owner of a deployment allows a
// run: where, as whom, what, how fast, when and until when. Without it nothing
// leaves the machine; with it, nothing beyond its words does.
//
// The approver's name is a statement, not a proof, unless the file is signed with
// the key that the profile names: whoever can write the file can write the name.
// Reports therefore print the file's hash next to it, so that the approver can
// confirm which words they agreed to, and say which of the two it is.
package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"cutover/suites/strictyaml"
)

// Version is the only version of the file that this program understands.
const Version = "v1"

// Kinds of consent. A run may do what the operations name; a probe covers the
// reading commands (doctor, where, token, call) and nothing that writes.
const (
	Run   = "run"
	Probe = "probe"
)

// Refusal is a safety rule saying no before anything was sent. Commands end
// with exit code 4 on it.
type Refusal struct {
	Rule   string // id of the rule, such as "target"
	What   string // what was about to happen
	Remedy string // what the user can do about it
}

// Error is one line: the rule and what it refused.
func (r *Refusal) Error() string { return fmt.Sprintf("refused by rule %s: %s", r.Rule, r.What) }

// Hint is the remedy, for the line after the error.
func (r *Refusal) Hint() string { return r.Remedy }

// Consent is one consent file. Its zero value allows nothing.
type Consent struct {
	Pos        strictyaml.Pos  `yaml:"-"`
	Version    string          `yaml:"consent"`
	Kind       string          `yaml:"kind"`
	Profile    string          `yaml:"profile"`
	Tenant     string          `yaml:"tenant"`
	Hosts      []string        `yaml:"hosts"`      // host or host:port; 443 when the port is left out
	Networks   []Network       `yaml:"networks"`   // where those names may resolve to; empty: anywhere but link-local
	Mailboxes  []string        `yaml:"mailboxes"`  // addresses, or @domain for a whole domain
	Operations []Operation     `yaml:"operations"` // what may be done
	Recipients []string        `yaml:"recipients"` // who may be mailed or invited; addresses or @domain
	Rate       strictyaml.Rate `yaml:"rate"`       // requests over all paths
	PerMailbox PerMailbox      `yaml:"per_mailbox"`
	Logins     strictyaml.Rate `yaml:"logins"`    // new connections that sign in by NTLM, and first tries of Basic logins; absent: 2/s
	Items      int             `yaml:"items"`     // most items a run may create; 0: 10,000
	Mails      int             `yaml:"mails"`     // most messages a run may send; 0: none
	Megabytes  int             `yaml:"megabytes"` // most that a run may write, in units of 1,000,000 bytes; 0: 1,000
	// Concurrency is how many requests may be under way at once, over all paths and
	// mailboxes; 0: 512.
	Concurrency int `yaml:"concurrency"`
	// Suites are the hashes, as `cutover plan --json` prints them, of the suites that were looked at: no others may be
	// run, and only their word (reads: true) makes a read of what looks like a write. Empty: any suite, and
	// no such word is believed.
	Suites   []string `yaml:"suites"`
	Window   *Window  `yaml:"window"`  // when; absent: at any hour until it expires
	Expires  Date     `yaml:"expires"` // last day on which it holds
	Approver string   `yaml:"approver"`
	Stress   bool     `yaml:"stress"` // search, spike and ignoring throttling, on-premises only
	Proxy    bool     `yaml:"proxy"`  // requests may go through the environment's proxy

	text   []byte // of the file
	hash   string
	proved bool
}

// PerMailbox raises or lowers what one mailbox is asked at a time.
type PerMailbox struct {
	Concurrency int             `yaml:"concurrency"` // requests under way; 0: 4
	Rate        strictyaml.Rate `yaml:"rate"`        // requests of one mailbox; absent: 8/s
	Items       int             `yaml:"items"`       // items created in one mailbox; 0: 1,000
	Megabytes   int             `yaml:"megabytes"`   // written to one mailbox; 0: 100
}

// DefaultItems bounds what a run may create when the file does not say.
const DefaultItems = 10_000

// Load reads a consent file. Every mistake in it is reported at once.
func Load(file string) (*Consent, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	return Parse(file, data)
}

// Parse reads a consent file's content; file names it in messages.
func Parse(file string, data []byte) (*Consent, error) {
	var c Consent
	problems := strictyaml.Decode(file, data, &c)
	if len(problems) == 0 {
		problems = c.problems()
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	c.text, c.hash = data, hex.EncodeToString(sum[:])
	return &c, nil
}

func (c *Consent) problems() (ps strictyaml.Problems) {
	if c.Version != Version {
		ps.Add(c.Pos, "consent must be %q: this program knows no other version", Version)
	}
	if c.Kind != Run && c.Kind != Probe {
		ps.Add(c.Pos, "kind must be %q or %q", Run, Probe)
	}
	required := []struct {
		key     string
		missing bool
	}{
		{"tenant", c.Tenant == ""},
		{"hosts", len(c.Hosts) == 0},
		{"mailboxes", len(c.Mailboxes) == 0 && c.Kind == Run},
		{"operations", len(c.Operations) == 0},
		{"rate", c.Rate.IsZero()},
		{"expires", c.Expires.IsZero()},
		{"approver", strings.TrimSpace(c.Approver) == ""},
	}
	for _, r := range required {
		if r.missing {
			ps.Add(c.Pos, "%s is missing: consent that leaves it open is not consent", r.key)
		}
	}
	for _, entry := range slices.Concat(c.Mailboxes, c.Recipients) {
		if !strings.Contains(entry, "@") || strings.ContainsAny(entry, "*? ") {
			ps.Add(c.Pos, "%q is neither an address nor an @domain", entry)
		}
	}
	if c.Kind == Probe && slices.ContainsFunc(c.Operations, func(o Operation) bool { return o != Read }) {
		ps.Add(c.Pos, "a probe only reads: kind %q covers other operations", Run)
	}
	if c.Items < 0 || c.Mails < 0 || c.Megabytes < 0 || c.Concurrency < 0 || c.PerMailbox.Items < 0 || c.PerMailbox.Megabytes < 0 || c.PerMailbox.Concurrency < 0 {
		ps.Add(c.Pos, "items, mails, megabytes and concurrency cannot be negative")
	}
	for _, hash := range c.Suites {
		if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size/2 {
			ps.Add(c.Pos, "suites: %q is not the hash of a suite: `cutover plan SUITE --json` prints it as suite_hash", hash)
		}
	}
	return ps
}

// MaxItems is how many items a run may create.
func (c *Consent) MaxItems() int {
	if c.Items == 0 {
		return DefaultItems
	}
	return c.Items
}

// Knows tells whether the suite of this hash was looked at. Without a list none was.
func (c *Consent) Knows(suite string) bool {
	return slices.ContainsFunc(c.Suites, func(hash string) bool { return strings.EqualFold(hash, suite) })
}

// Hash is the SHA-256 of the file's bytes in hex, printed in every report.
func (c *Consent) Hash() string { return c.hash }

// Allows tells whether operation o is among the consented ones.
func (c *Consent) Allows(o Operation) bool { return slices.Contains(c.Operations, o) }

// Mailbox tells whether address may be read and written.
func (c *Consent) Mailbox(address string) bool { return Match(c.Mailboxes, address) }

// Match tells whether address is in list, whose entries are addresses or
// @domains. Case does not matter, as in Exchange. An address that is not plain
// (quoted, routed with % or !, several in one, not ASCII) matches nothing: what
// two parsers may read differently is never allowed.
func Match(list []string, address string) bool {
	if !Plain(address) {
		return false
	}
	at := strings.LastIndexByte(address, '@')
	return slices.ContainsFunc(list, func(entry string) bool {
		if strings.HasPrefix(entry, "@") {
			return strings.EqualFold(entry, address[at:])
		}
		return strings.EqualFold(entry, address)
	})
}

// Plain tells whether address is one address that every parser reads alike.
func Plain(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return at > 0 && plain(address[:at], ".#$&'*+/=?^_`{|}~-") && plain(address[at+1:], ".-")
}

// plain tells whether s consists of ASCII letters, digits and the given marks.
func plain(s, marks string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte(marks, c) < 0:
			return false
		}
	}
	return s != ""
}

// Host tells whether requests to host:port are consented to.
func (c *Consent) Host(hostport string) bool {
	return slices.ContainsFunc(c.Hosts, func(entry string) bool {
		if strings.EqualFold(entry, hostport) {
			return true
		}
		return strings.EqualFold(entry+":443", hostport)
	})
}

// Reaches tells whether a connection to addr is consented to. Link-local,
// multicast and unspecified addresses never are: metadata services of cloud
// hosts live there, and no Exchange does.
func (c *Consent) Reaches(addr netip.Addr) bool {
	addr = addr.Unmap()
	if addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() {
		return false
	}
	return len(c.Networks) == 0 || slices.ContainsFunc(c.Networks, func(n Network) bool { return n.Contains(addr) })
}

// Holds tells whether the file allows anything at time t: a *Refusal names
// what is over or has not begun, nil means yes.
func (c *Consent) Holds(t time.Time) error {
	zone := time.UTC
	if c.Window != nil {
		zone = c.Window.Zone.Location()
	}
	if !t.Before(c.Expires.End(zone)) {
		return &Refusal{"expiry", fmt.Sprintf("the consent of %s ended with %s", c.Approver, c.Expires),
			"ask the approver for a new consent file"}
	}
	if c.Window != nil && !c.Window.Contains(t) {
		return &Refusal{"window", fmt.Sprintf("%s is outside the consented window %s", t.In(zone).Format("Mon 15:04 MST"), c.Window),
			"run inside the window, or ask the approver to widen it"}
	}
	return nil
}
