// Package doctor examines a hybrid deployment from outside before a run: what
// is wrong, what that blocks, why, and what to do about it. Each check is a row
// of a table, with its cause, remedy and source, so that the documentation and
// `cutover explain` say the same as the examination.
//
// Rules of an examination:
//   - It only reads, politely: some dozens of requests, one after the other.
//   - Every request goes through a sender that it was handed, so that the rules
//     of the door hold; names are looked up only with the resolver it was handed.
//   - A credential travels only where a check is about signing in.
//   - A check whose ground is gone says "not probed because", never fails.
//   - Evidence holds headers and codes, never a token or what a mailbox holds.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

	"cutover/harness/clock"
	"cutover/harness/result"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

// Resolver looks names up. net.DefaultResolver is one.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// Handshake opens a TLS connection to the host of a URL and tells what was
// agreed. most is the highest version to offer, 0 for the newest. The error of a
// certificate that was not accepted is a *tls.CertificateVerificationError.
type Handshake func(ctx context.Context, url string, most uint16) (*tls.ConnectionState, error)

// Deps are what an examination works with.
type Deps struct {
	Profile *profiles.Profile
	Clock   clock.Clock // nil: the system's
	// Anonymous is the sender of requests without credential to a URL; nil for
	// a host that the rules do not let anybody ask.
	Anonymous func(url string) wire.Doer
	// Signed are the senders of each path for requests that sign in.
	Signed map[string]wire.Doer
	// Auth signs in on each path.
	Auth map[string]where.Authoriser
	// Handshake looks at TLS; nil: it cannot be looked at.
	Handshake Handshake
	// Roots are whom a path trusts; nil: the system's.
	Roots func(path string) *x509.CertPool
	// Resolver looks names up; nil: nobody does.
	Resolver Resolver
}

// Options say what to examine.
type Options struct {
	// Paths are the paths to examine; none: the profile's left and right.
	Paths []string
	// Mailboxes are those to find and to read; none: the profile's first.
	Mailboxes []profiles.Mailbox
	// CloudEnd and OnPremEnd are scheme and host of the two ends of
	// Autodiscover; "" for one that there is not.
	CloudEnd, OnPremEnd string
	// Tenant is the id of the profile's tenant, when known.
	Tenant string
	// Vantage is where this machine stands, internal or internet; "" unknown.
	Vantage string
	// Negative also sends tokens that must be refused.
	Negative bool
}

// Outcome is one check's result on one path.
type Outcome struct {
	result.Check
	Blocks  string `json:"blocks"`
	Mailbox string `json:"mailbox,omitempty"`
	Cause   string `json:"cause,omitempty"` // of a check that warns or fails

	stops     bool   // a failure makes the path useless for a run
	stoppedBy string // the failed check because of which it was not probed
}

// Ready says on which paths one mailbox can be asked.
type Ready struct {
	Mailbox string `json:"mailbox"`
	// Path is "cloud", "onprem-rest", both joined by " + ", or "none".
	Path     string   `json:"path"`
	Blocking []string `json:"blocking,omitempty"` // checks that fail, as PATH: ID
}

// Report is an examination's result.
type Report struct {
	Profile   string    `json:"profile"`
	Simulated bool      `json:"simulated"`
	Vantage   string    `json:"vantage,omitempty"`
	Checks    []Outcome `json:"checks"`
	Ready     []Ready   `json:"ready"`
	Hidden    []Hidden  `json:"not_visible"`
}

// Failed tells whether any check fails.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(o Outcome) bool { return o.Verdict == result.Fail })
}

// Results are the checks as a run's result holds them.
func (r *Report) Results() []result.Check {
	out := make([]result.Check, len(r.Checks))
	for i, o := range r.Checks {
		out[i] = o.Check
	}
	return out
}

// Examine runs every check that applies. It ends early when ctx does; checks
// that did not run are then missing.
func Examine(ctx context.Context, d Deps, o Options) *Report {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if len(o.Paths) == 0 {
		for _, name := range []string{d.Profile.Left, d.Profile.Right} {
			if name != "" {
				o.Paths = append(o.Paths, name)
			}
		}
	}
	if len(o.Mailboxes) == 0 && len(d.Profile.Mailboxes.List) > 0 {
		o.Mailboxes = d.Profile.Mailboxes.List[:1]
	}
	r := &Report{Profile: d.Profile.Name, Simulated: d.Profile.Simulated, Vantage: o.Vantage, Hidden: NotVisible()}
	for _, name := range o.Paths {
		path, ok := d.Profile.Paths.Get(name)
		if !ok {
			continue
		}
		e := newExam(ctx, d, o, path)
		r.Checks = append(r.Checks, e.run()...)
		if ctx.Err() != nil {
			break
		}
	}
	r.ready(d.Profile, o)
	return r
}

// ready sums the checks up per mailbox.
func (r *Report) ready(p *profiles.Profile, o Options) {
	boxes := o.Mailboxes
	if len(boxes) == 0 {
		boxes = []profiles.Mailbox{{Name: profiles.Anonymous}}
	}
	for _, m := range boxes {
		ready := Ready{Mailbox: m.Name}
		var open []string
		for _, name := range o.Paths {
			path, _ := p.Paths.Get(name)
			blocked := false
			for _, c := range r.Checks {
				if c.Path == name && c.Verdict == result.Fail && c.stops && (c.Mailbox == "" || c.Mailbox == m.Name) {
					blocked = true
					ready.Blocking = append(ready.Blocking, name+": "+c.ID)
				}
			}
			if kind := readyAs(path); !blocked && kind != "" && !slices.Contains(open, kind) {
				open = append(open, kind)
			}
		}
		ready.Path = "none"
		if len(open) > 0 {
			slices.Sort(open)
			ready.Path = strings.Join(open, " + ")
		}
		r.Ready = append(r.Ready, ready)
	}
}

// readyAs is what a path is called in the summary.
func readyAs(p profiles.Path) string {
	switch p.Dialect.Kind {
	case "graph":
		return "cloud"
	case "rest":
		return "onprem-rest"
	}
	return ""
}
