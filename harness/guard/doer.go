package guard

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cutover/harness/audit"
	"cutover/harness/clock"
	"cutover/harness/consent"
	"cutover/harness/wire"
)

// Doer sends the requests of one path. It implements wire.Doer.
type Doer struct {
	door    *Door
	path    string
	next    wire.Doer
	hosts   []string
	uploads []string
	counted *counters
	passed  *passed
}

var _ wire.Doer = (*Doer)(nil)

// Do sends req when the rules allow it. A request that they forbid comes back
// with a failure of kind Refused whose cause is a *Refusal; nothing was sent.
// It waits for the caps; Timing.Sent is stamped after that wait.
func (d *Doer) Do(ctx context.Context, req *wire.Request, into *wire.Call) {
	into.Reset()
	changes := writes(req)
	if err := d.judge(req, changes); err != nil {
		into.Failure = failure(err)
		d.audit(req, into, changes)
		return
	}
	if d.leadsToUpload(req.URL) && (req.Authorization != "" || req.Header.Has("Cookie")) {
		bare := *req
		bare.Authorization = ""
		bare.Header = slices.DeleteFunc(slices.Clone(req.Header), func(f wire.Field) bool { return strings.EqualFold(f.Name, "Cookie") })
		req = &bare
	}
	m, err := d.door.limits.enter(ctx, d.door.ctx, d.path, req, changes)
	if err != nil {
		into.Failure = err
		return
	}
	defer d.door.limits.leave(m)
	ctx, stop := d.door.bound(ctx)
	defer stop()
	d.next.Do(ctx, req, into)
	d.settle(req, into, changes)
}

// settle counts the call, tells the brake and the audit trail, and names a
// refusal that came from the connection or from the door's closing.
func (d *Doer) settle(req *wire.Request, into *wire.Call, changes bool) {
	if !into.Timing.Sent.IsZero() {
		d.counted[req.Kind].Add(1)
	}
	if into.Failure != nil {
		if r, ok := refusalIn(into.Failure.Err); ok {
			into.Failure = failure(r)
		} else if into.Failure.Kind == wire.Canceled && d.door.ctx.Err() != nil {
			into.Failure = failure(d.door.closed())
		}
	}
	if b := d.door.rules.Brake; b != nil {
		now := into.Timing.Done
		if now.IsZero() || d.door.clock != clock.System() { // the client's clock is the system's
			now = d.door.clock.Now()
		}
		b.observe(d.path, into, now)
	}
	d.audit(req, into, changes)
}

// audit records a write, a refusal or a read. A trail that cannot be written
// stops the run: what is not recorded must not happen.
func (d *Doer) audit(req *wire.Request, into *wire.Call, changes bool) {
	trail := d.door.rules.Audit
	if trail == nil {
		return
	}
	if !changes && (into.Failure == nil || into.Failure.Kind != wire.Refused) && trail.Unlisted() {
		return
	}
	e := audit.Event{At: d.door.clock.Now().UTC(), Path: d.path, Kind: req.Kind.String(), Mailbox: req.Mailbox, Method: req.Method, Template: req.Template,
		Writes: changes, Status: into.Response.Status, RequestID: into.Response.Header.Value("request-id")}
	if f := into.Failure; f != nil {
		e.Outcome = f.Kind.String()
		if r, ok := refusalIn(f.Err); ok {
			e.Rule = r.Rule
		}
	}
	if err := trail.Record(e); err != nil {
		d.door.fail(err)
	}
}

// judge applies every rule that needs no waiting to a request that changes something or
// does not. Its error is a *Refusal.
func (d *Doer) judge(req *wire.Request, changes bool) error {
	if r := d.door.open(req.Kind); r != nil {
		return r
	}
	fits := !changes && fits(req)
	if fits && d.passed.has(req) {
		if err := headers(req.Header); err != nil {
			return err
		}
		return d.timely()
	}
	if err := d.link(req); err != nil {
		return err
	}
	if err := headers(req.Header); err != nil {
		return err
	}
	rules := &d.door.rules
	if err := rules.effect(req, changes); err != nil {
		return err
	}
	if err := rules.own(d.path, req); err != nil {
		return err
	}
	if err := d.timely(); err != nil {
		return err
	}
	if !d.door.unwatched() {
		if err := rules.mailbox(req.Mailbox); err != nil {
			return err
		}
		if err := rules.addressed(req.URL); err != nil {
			return err
		}
		// What is put into an upload session is a file: it is sent without a credential, to
		// nobody, and has no form to be read in.
		if content := req.Method == "PUT" && d.leadsToUpload(req.URL); !content {
			if err := rules.recipients(req, changes); err != nil {
				return err
			}
		}
	}
	if err := rules.foreign(d.path, req, changes, d.leadsToUpload(req.URL)); err != nil {
		return err
	}
	if fits {
		d.passed.add(req)
	}
	return nil
}

// timely judges what depends on the time alone.
func (d *Doer) timely() error {
	if d.door.unwatched() {
		return nil
	}
	return d.door.consented()
}

// link judges where the request leads: only to the path's own hosts, spelt as
// the profile spells them, and never with a credential in clear.
func (d *Doer) link(req *wire.Request) error {
	scheme, host, ok := split(req.URL)
	if !ok {
		return refuse("host", "the address of a request is malformed", "look at the step's URL and at what it captured")
	}
	if climbs(pathOf(req.URL)) {
		return refuse("host", "the address of "+name(req)+" leads upwards in its path", "write the path out, and look at what the step captured")
	}
	here := contains(d.hosts, scheme, host)
	if !here && !contains(d.uploads, scheme, host) {
		return refuse("host", fmt.Sprintf("a request of path %s leads to %s, which is not one of its hosts", d.path, wire.Redact(host)),
			"a server's link was followed outside its path, or the profile lacks a host")
	}
	if scheme == "http" && req.Authorization != "" && !d.door.rules.onThisMachine(withPort(scheme, host)) {
		return refuse("host", "a credential would travel to "+host+" in clear", "use https in the profile")
	}
	return nil
}

func (d *Doer) leadsToUpload(rawURL string) bool {
	if len(d.uploads) == 0 {
		return false
	}
	scheme, host, ok := split(rawURL)
	return ok && !contains(d.hosts, scheme, host) && contains(d.uploads, scheme, host)
}

// contains tells whether the authority of a URL is among hosts, which spell
// their ports out. It allocates nothing.
func contains(hosts []string, scheme, authority string) bool {
	for _, h := range hosts {
		if strings.EqualFold(h, authority) {
			return true
		}
		name, port, _ := cutPort(h)
		if strings.EqualFold(name, authority) && (scheme == "https" && port == "443" || scheme == "http" && port == "80") {
			return true
		}
	}
	return false
}

// cutPort cuts the port off host:port or [address]:port.
func cutPort(hostport string) (host, port string, ok bool) {
	i := strings.LastIndexByte(hostport, ':')
	if i < 0 || i < strings.LastIndexByte(hostport, ']') {
		return hostport, "", false
	}
	return hostport[:i], hostport[i+1:], true
}

// split cuts scheme and authority off an absolute URL. It accepts only what
// every parser reads alike: no user info, no backslash, no blank, no control
// character anywhere.
func split(rawURL string) (scheme, host string, ok bool) {
	for i := range len(rawURL) {
		if c := rawURL[i]; c <= ' ' || c == 0x7f || c == '\\' {
			return "", "", false
		}
	}
	scheme, rest, found := strings.Cut(rawURL, "://")
	if !found || scheme != "https" && scheme != "http" {
		return "", "", false
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme, rest, rest != "" && !strings.Contains(rest, "@")
}

// withPort spells the port of an authority out.
func withPort(scheme, authority string) string {
	switch _, _, ok := cutPort(authority); {
	case ok:
		return authority
	case scheme == "http":
		return authority + ":80"
	}
	return authority + ":443"
}

// forbidden header fields would send a request elsewhere, as somebody else,
// or turn a read into a write behind the guard's back.
var forbidden = []string{"Host", "Authorization", "Proxy-Authorization", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override",
	"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host", "Transfer-Encoding", "Content-Length", "Connection", "Upgrade"}

// breaks tells whether s would end its line. Three searches for a byte are faster
// than one for any of three.
func breaks(s string) bool {
	return strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, 0) >= 0
}

func headers(h wire.Header) error {
	for _, f := range h {
		if breaks(f.Value) || breaks(f.Name) || strings.IndexByte(f.Name, ':') >= 0 || strings.IndexByte(f.Name, ' ') >= 0 {
			return refuse("header", "a header field holds a line break", "look at the step's headers and at what it captured")
		}
		if slices.ContainsFunc(forbidden, func(name string) bool { return len(name) == len(f.Name) && strings.EqualFold(name, f.Name) }) {
			return refuse("header", "a step sets the header "+f.Name, "leave it out: credentials come from the profile, and methods are written as methods")
		}
	}
	return nil
}

// operations lists what a request does, in the words of a consent. It trusts
// the dialect's statement, but a method that only writes is never a read.
func operations(req *wire.Request, changes bool) []consent.Operation {
	e := &req.Effect
	var ops []consent.Operation
	if verb, _ := mailVerb(req.URL); e.Mails || verb != "" && !e.Writes {
		ops = append(ops, consent.Mail)
	}
	if e.Deletes || req.Method == "DELETE" {
		ops = append(ops, consent.Delete)
	}
	if e.Creates != "" {
		ops = append(ops, consent.Create)
	}
	if len(ops) == 0 && changes {
		ops = append(ops, consent.Change)
	}
	ops = append(ops, special(req)...)
	if changes && isBatch(pathOf(req.URL)) {
		ops = append(ops, partsDo(req)...)
	}
	return ops
}

// effect judges whether the request may do to the world what it does.
func (r *Rules) effect(req *wire.Request, changes bool) error {
	writing := changes || req.Method == "POST" && len(special(req)) > 0 // whatever the suite declares
	if r.Simulated || !writing && (r.Consent == nil || r.Consent.Allows(consent.Read)) {
		return nil
	}
	if !writing {
		return refuse("operation", "the consent does not allow reading", "ask the approver to add the operation read")
	}
	if !r.AllowWrite {
		return refuse("write", name(req)+" writes, and writing was not allowed", "add --allow-write, with a consent that names the operation")
	}
	if r.Consent == nil {
		return nil // this machine's own loopback: CheckTargets let nothing else in
	}
	for _, op := range operations(req, changes) {
		if !r.Consent.Allows(op) {
			return refuse("operation", fmt.Sprintf("%s is %q, which the consent does not allow", name(req), op), "take the step out, or ask the approver to add the operation")
		}
	}
	return nil
}

// name says which request is meant without telling its ids.
func name(req *wire.Request) string {
	if req.Template != "" {
		return req.Template
	}
	return "a " + req.Method + " request"
}

// connection judges the address of a connection about to be made, after names
// were resolved.
func (r *Rules) connection(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("address", "a connection to an address that cannot be read", "check --resolve and the profile's URLs")
	}
	addr := ap.Addr().WithZone("").Unmap()
	switch {
	case addr.IsLoopback():
		return nil
	case r.Simulated:
		return refuse("address", fmt.Sprintf("the lab's host resolved to %s, which is not on this machine", addr), "the lab never leaves this machine")
	case r.Consent == nil:
		return refuse("address", fmt.Sprintf("the host resolved to %s, which is not on this machine, and there is no consent", addr), "pass a consent file")
	case !r.Consent.Reaches(addr):
		return refuse("address", fmt.Sprintf("the host resolved to %s, outside the consented networks", addr), "ask the approver to add the network, or look who answers that name")
	}
	return nil
}
