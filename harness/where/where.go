// Package where finds out on which side of a hybrid deployment a mailbox lives,
// and says which answer decided it. Nothing that Graph answers names the side:
// the same 404 is given for a mailbox on premises, for a user without a licence
// and for a deleted mailbox. So Autodiscover v2 is asked along its redirects,
// then one cheap question per path, then the directory.
//
// Rules:
//   - A mailbox that answers is where it answered, unless Autodiscover says
//     that Graph passed the question on.
//   - Two ends that contradict each other are "moving", never a guess.
//   - What could not be asked is said; a location is never made up.
package where

import (
	"context"
	"fmt"
	"net/http"

	"cutover/harness/paths"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

// Location is a side of the deployment, or why there is none.
type Location string

// The locations.
const (
	Cloud       Location = "cloud"
	OnPrem      Location = "onprem"
	Unlicensed  Location = "unlicensed"  // a user of the directory without a plan for mail
	SoftDeleted Location = "softdeleted" // a licensed user whose mailbox does not answer: in its retention time, or not made yet
	Moving      Location = "moving"      // the ends contradict each other
	Unknown     Location = "unknown"
)

// Probe is one question and what came back, in one line each. It holds no
// credential.
type Probe struct {
	Asked string `json:"asked"`
	Said  string `json:"said"`
}

// Finding is where one address lives.
type Finding struct {
	Mailbox  string   `json:"mailbox"`
	Address  string   `json:"address"`
	Location Location `json:"location"`
	// Decided is the answer that decided, in words.
	Decided string `json:"decided"`
	// Probes are all questions that were asked.
	Probes []Probe `json:"probes"`
}

// Authoriser gives the Authorization header of a mailbox on one path.
type Authoriser interface {
	Authorization(ctx context.Context, m profiles.Mailbox) (string, error)
}

// Route is a path that questions can be asked on.
type Route struct {
	Path profiles.Path
	Doer wire.Doer
	Auth Authoriser
}

// Ask sends one question of the suites' language as a mailbox. What goes wrong
// is in the call's failure.
func (r *Route) Ask(ctx context.Context, m profiles.Mailbox, url string) *wire.Call {
	adapter, err := paths.New(r.Path)
	if err != nil {
		return failed(wire.Protocol, err)
	}
	return r.ask(ctx, m, adapter, suites.Operation{Method: http.MethodGet, URL: url})
}

func (r *Route) ask(ctx context.Context, m profiles.Mailbox, adapter paths.Adapter, op suites.Operation) *wire.Call {
	template, err := adapter.Prepare(op)
	if err != nil {
		return failed(wire.Protocol, err)
	}
	request := &wire.Request{}
	if err := template.Build(scope{m, r.Path.Name}, request); err != nil {
		return failed(wire.Protocol, err)
	}
	if r.Auth != nil {
		if request.Authorization, err = r.Auth.Authorization(ctx, m); err != nil {
			return failed(wire.NoToken, err)
		}
	}
	request.Kind, request.Mailbox = wire.Probe, m.Name
	call := &wire.Call{}
	r.Doer.Do(ctx, request, call)
	return call
}

func failed(kind wire.FailureKind, err error) *wire.Call {
	return &wire.Call{Failure: &wire.Failure{Kind: kind, Err: err}}
}

// scope answers the names of a mailbox on one path.
type scope struct {
	mailbox profiles.Mailbox
	path    string
}

// Lookup implements vars.Scope.
func (s scope) Lookup(name string) (string, bool) {
	address := s.mailbox.Address[s.path]
	switch name {
	case "mailbox.user":
		return address.User(), true
	case "mailbox.smtp":
		return address.SMTP, true
	case "mailbox.upn":
		return address.UPN, true
	case "mailbox.name":
		return s.mailbox.Name, true
	}
	return "", false
}

// Finder asks. Its fields are not changed while it works.
type Finder struct {
	// Cloud is the path to Graph, OnPrem the one to Exchange; nil when the
	// profile has none.
	Cloud, OnPrem *Route
	// Discovery asks Autodiscover.
	Discovery Discovery
}

// Find locates one address of a mailbox. The mailbox's secrets are used only on
// the path that they belong to; one without address on a path is not asked there.
func (f *Finder) Find(ctx context.Context, m profiles.Mailbox, address string) Finding {
	x := &search{f: f, ctx: ctx, m: m, out: Finding{Mailbox: m.Name, Address: address, Location: Unknown}}
	x.discover()
	x.ask()
	x.decide()
	return x.out
}

// search is one address on its way to a location.
type search struct {
	f   *Finder
	ctx context.Context
	m   profiles.Mailbox
	out Finding

	ends   map[Location]Answer // by the end that was asked
	graph  *Shape
	onPrem *wire.Call
}

func (x *search) note(asked, said string) {
	x.out.Probes = append(x.out.Probes, Probe{asked, said})
}

func (x *search) end(location Location, why string) {
	x.out.Location, x.out.Decided = location, why
}

func (x *search) discover() {
	x.ends = map[Location]Answer{}
	for _, end := range []struct {
		at   Location
		base string
	}{{Cloud, x.f.Discovery.CloudEnd}, {OnPrem, x.f.Discovery.OnPremEnd}} {
		if end.base == "" {
			continue
		}
		a := x.f.Discovery.Ask(x.ctx, end.base, x.out.Address, "EWS", Query)
		x.ends[end.at] = a
		x.note("Autodiscover, "+string(end.at)+" end", a.String())
	}
}

// ask puts one question on each path whose address this is.
func (x *search) ask() {
	const inbox = "/me/mailFolders/inbox"
	if r := x.f.Cloud; r != nil && x.reaches(r) {
		s := Classify(r.Ask(x.ctx, x.as(r), inbox))
		x.graph = &s
		x.note("Graph, "+inbox, s.Says)
	}
	if r := x.f.OnPrem; r != nil && x.reaches(r) && x.m.Address[r.Path.Name].User() == x.out.Address {
		x.onPrem = r.Ask(x.ctx, x.m, inbox)
		x.note("Exchange, "+inbox, describe(x.onPrem))
	}
}

// reaches tells whether a path can be asked about the address: as an
// application about anybody, as a user about that user alone.
func (x *search) reaches(r *Route) bool {
	return !r.Path.Delegated() || x.m.Address[r.Path.Name].User() == x.out.Address
}

// as is the mailbox under the address that is looked for.
func (x *search) as(r *Route) profiles.Mailbox {
	if x.m.Address[r.Path.Name].User() == x.out.Address {
		return x.m
	}
	name := x.m.Name
	return profiles.Mailbox{Name: name, Address: map[string]profiles.Address{r.Path.Name: {UPN: x.out.Address, SMTP: x.out.Address}}}
}

func (x *search) decide() {
	cloud, onPrem := x.ends[Cloud], x.ends[OnPrem]
	answers := x.graph != nil && x.graph.Class == Here
	reached := x.onPrem != nil && x.onPrem.Failure == nil && x.onPrem.Response.Status == http.StatusOK
	switch {
	case cloud.Home == Moving, onPrem.Home == Moving:
		x.end(Moving, "the two ends of Autodiscover send it to each other")
	case cloud.Home == OnPrem && onPrem.Home == Cloud:
		x.end(Moving, "the cloud end of Autodiscover sends it on premises, and the on-premises end to the cloud")
	case cloud.Home == Cloud && onPrem.Home == OnPrem:
		x.end(Moving, "both ends of Autodiscover claim it")
	case reached && answers && cloud.Home == Cloud:
		x.end(Moving, "Graph and Exchange on premises both answer for it")
	case reached:
		x.end(OnPrem, "Exchange on premises answered 200")
	case cloud.Home == OnPrem:
		x.end(OnPrem, "the cloud end of Autodiscover leads to "+cloud.Host)
	case onPrem.Home == OnPrem && !answers:
		x.end(OnPrem, "the on-premises end of Autodiscover answers for it")
	case answers:
		x.end(Cloud, "Graph answered 200")
	case cloud.Home == Cloud && (x.graph == nil || x.graph.Class == Unclear):
		x.end(Cloud, "the cloud end of Autodiscover answers for it")
	case x.graph != nil && x.graph.OnPrem():
		x.end(OnPrem, "Graph: "+x.graph.Meaning)
	default:
		x.directory()
	}
}

// directory tells users without a mailbox apart.
func (x *search) directory() {
	r := x.f.Cloud
	if r == nil || !x.reaches(r) || x.graph != nil && x.graph.Class == Denied {
		x.end(Unknown, x.undecided())
		return
	}
	plans, status := r.plans(x.ctx, x.as(r))
	x.note("Graph, the directory", fmt.Sprintf("status %d, plan for mail: %v", status, plans))
	switch {
	case status == http.StatusOK && plans:
		x.end(SoftDeleted, "the directory has the user with a plan for mail, and no mailbox answers")
	case status == http.StatusOK:
		x.end(Unlicensed, "the directory has the user, without a plan for mail")
	case status == http.StatusNotFound:
		x.end(Unknown, "the directory has no such user")
	default:
		x.end(Unknown, fmt.Sprintf("no mailbox answers, and the directory may not be read (status %d): unlicensed, deleted or on premises", status))
	}
}

func (x *search) undecided() string {
	if x.graph != nil {
		return "Graph: " + x.graph.Meaning
	}
	return "nobody who was asked knows it"
}
