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
	"net"
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
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
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
	// At makes the same senders for one address behind a name: they connect to it,
	// and ask for the URL's host. nil: addresses are not looked at one by one.
	At func(address string) (anonymous func(url string) wire.Doer, shake Handshake)
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
	// Suite is the one about to be run; nil: none, and its limits are not looked at.
	Suite *Suite
}

// Outcome is one check's result on one path.
type Outcome struct {
	result.Check
	Blocks  string `json:"blocks"`
	Mailbox string `json:"mailbox,omitempty"`
	Cause   string `json:"cause,omitempty"` // of a check that warns or fails
	// Vantage is where this was seen from: internal, internet, or "" when nobody said.
	Vantage string `json:"vantage,omitempty"`

	stoppedBy string // the failed check because of which it was not probed
}

// Ready says on which paths one mailbox can be asked.
type Ready struct {
	Mailbox string `json:"mailbox"`
	// Path is "cloud", "onprem-rest", "onprem-ews" and "plain" joined by " + ", or "none".
	Path     string   `json:"path"`
	Blocking []string `json:"blocking,omitempty"` // checks that fail, as PATH: ID
}

// Path is one path that was examined.
type Path struct {
	Name    string `json:"name"`
	Dialect string `json:"dialect"` // graph, rest or plain
	URL     string `json:"url"`
}

// Report is an examination's result.
type Report struct {
	Profile   string    `json:"profile"`
	Simulated bool      `json:"simulated"`
	Vantage   string    `json:"vantage,omitempty"`
	Paths     []Path    `json:"paths"`
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
	r := &Report{Profile: d.Profile.Name, Simulated: d.Profile.Simulated, Vantage: o.Vantage, Hidden: []Hidden{}}
	for _, name := range o.Paths {
		path, ok := d.Profile.Paths.Get(name)
		if !ok {
			continue
		}
		r.Paths = append(r.Paths, Path{path.Name, path.Dialect.Kind, path.URL})
		r.Checks = append(r.Checks, newExam(ctx, d, o, path).run()...)
		if ctx.Err() != nil {
			break
		}
	}
	r.Hidden = append(r.Hidden, hiddenFrom(r.Paths)...)
	boxes := []string{profiles.Anonymous}
	if len(o.Mailboxes) > 0 {
		boxes = nil
		for _, m := range o.Mailboxes {
			boxes = append(boxes, m.Name)
		}
	}
	r.ready(boxes)
	return r
}

// ready sums the checks up per mailbox.
func (r *Report) ready(boxes []string) {
	r.Ready = nil
	for _, m := range boxes {
		ready := Ready{Mailbox: m}
		open := map[string]bool{}
		for _, path := range r.Paths {
			blocked := false
			for _, c := range r.Checks {
				if c.Path != path.Name || c.Mailbox != "" && c.Mailbox != m {
					continue
				}
				if known, _ := Explain(c.ID); c.Verdict == result.Fail && !known.harmless {
					blocked = true
					ready.Blocking = append(ready.Blocking, path.Name+": "+c.ID)
				}
				if c.ID == "ews.signin" && c.Verdict == result.Pass {
					open["onprem-ews"] = true
				}
			}
			if kind := readyAs[path.Dialect]; !blocked && kind != "" {
				open[kind] = true
			}
		}
		ready.Path = orElse(strings.Join(slices.DeleteFunc([]string{"cloud", "onprem-rest", "onprem-ews", "plain"}, func(k string) bool { return !open[k] }), " + "), "none")
		r.Ready = append(r.Ready, ready)
	}
}

// readyAs is what a path of a dialect is called in the summary.
var readyAs = map[string]string{"graph": "cloud", "rest": "onprem-rest", "plain": "plain"}
