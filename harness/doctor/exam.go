package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"

	"cutover/harness/result"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

// How often one question is repeated through the name: a load balancer of up to
// five equal servers shows each of them.
const (
	repeats       = 6
	healthRepeats = 4
)

// exam is the examination of one path. What several checks look at is asked
// once and kept. It is used by one goroutine.
type exam struct {
	ctx  context.Context
	d    Deps
	o    Options
	path profiles.Path
	url  *url.URL
	done map[string]Outcome // by check id

	mailbox profiles.Mailbox // of the check under way

	resolved bool // the client namespace was looked up
	found    []string
	notFound error
	via      map[*wire.Call]string // address that was asked, for calls that did not go through the name

	shaken     *handshake
	handshakes []*handshake // through the name and with each address
	old        *handshake
	api        []*wire.Call // GET /me of the REST directory, with an empty token
	ews        []*wire.Call // the same of /EWS
	health     map[string][]*wire.Call
	tokens     map[string]*signedIn
	inboxes    map[string]*wire.Call
	answers    map[string]where.Answer
}

// handshake is one look at TLS.
type handshake struct {
	address string // "" through the name
	state   *tls.ConnectionState
	chain   []*x509.Certificate
	err     error
}

func newExam(ctx context.Context, d Deps, o Options, path profiles.Path) *exam {
	u, err := url.Parse(path.URL)
	if err != nil {
		u = &url.URL{}
	}
	return &exam{ctx: ctx, d: d, o: o, path: path, url: u, done: map[string]Outcome{}, via: map[*wire.Call]string{}, health: map[string][]*wire.Call{},
		tokens: map[string]*signedIn{}, inboxes: map[string]*wire.Call{}, answers: map[string]where.Answer{}}
}

// run goes through the table.
func (e *exam) run() (all []Outcome) {
	for _, c := range Checks() {
		if c.applies != nil && !c.applies(e) {
			continue
		}
		boxes := []profiles.Mailbox{{}}
		if c.eachMailbox {
			boxes = e.o.Mailboxes
		}
		for _, m := range boxes {
			if e.ctx.Err() != nil {
				return all
			}
			o := e.one(c, m)
			o.Vantage = e.o.Vantage
			all = append(all, o)
			if before, ok := e.done[c.ID]; !ok || worse(o, before) {
				e.done[c.ID] = o
			}
		}
	}
	return all
}

func worse(a, b Outcome) bool {
	return a.Verdict == result.Fail && b.Verdict != result.Fail || a.stoppedBy != "" && b.stoppedBy == "" && b.Verdict != result.Fail
}

// one runs one check, unless its ground is gone.
func (e *exam) one(c Check, m profiles.Mailbox) Outcome {
	for _, id := range c.Needs {
		before, ok := e.done[id]
		var f finding
		switch {
		case !ok:
			continue
		case before.Verdict == result.Fail:
			f = skip("%s failed", id)
		case before.stoppedBy != "":
			id = before.stoppedBy
			f = skip("%s failed", id)
		default:
			continue
		}
		o := c.outcome(e.path.Name, m.Name, f)
		o.stoppedBy = id
		return o
	}
	for _, id := range c.Shares {
		if e.done[id].Verdict == result.Fail {
			o := c.outcome(e.path.Name, m.Name, skip("%s failed", id))
			o.stoppedBy = id
			return o
		}
	}
	e.mailbox = m
	return c.outcome(e.path.Name, m.Name, c.run(e))
}

func onPrem(e *exam) bool { return e.path.Dialect.Kind == "rest" }

func cloud(e *exam) bool { return e.path.Dialect.Kind == "graph" }

func overTLS(e *exam) bool { return e.url.Scheme == "https" }

func entra(e *exam) bool { return e.path.Auth.Kind == "entra" }

func bearer(e *exam) bool { return entra(e) || e.path.Auth.Kind == "token" }

func account(e *exam) bool { return e.path.Auth.Kind == "basic" || e.path.Auth.Kind == "ntlm" }

func both(conditions ...func(*exam) bool) func(*exam) bool {
	return func(e *exam) bool {
		for _, holds := range conditions {
			if !holds(e) {
				return false
			}
		}
		return true
	}
}

// origin is scheme and host of the path.
func (e *exam) origin() string { return e.url.Scheme + "://" + e.url.Host }

// ask sends one question without credential.
func (e *exam) ask(at string, header ...wire.Field) *wire.Call {
	call := &wire.Call{}
	doer := e.d.Anonymous(at)
	if doer == nil {
		call.Failure = &wire.Failure{Kind: wire.Refused}
		return call
	}
	template := "GET"
	if u, err := url.Parse(at); err == nil {
		template += " " + u.Path
	}
	doer.Do(e.ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodGet, URL: at, Header: header, Template: template}, call)
	return call
}

// challenge asks with an empty token, which says that the client can do OAuth.
func (e *exam) challenge(at string, n int) []*wire.Call {
	var calls []*wire.Call
	for range n {
		call := &wire.Call{}
		doer := e.d.Anonymous(at)
		if doer == nil {
			call.Failure = &wire.Failure{Kind: wire.Refused}
		} else {
			doer.Do(e.ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodGet, URL: at, Authorization: "Bearer ", Template: "GET (challenge)"}, call)
		}
		calls = append(calls, call)
		if call.Failure != nil {
			break
		}
	}
	return append(calls, e.each(at, "Bearer ", "GET (challenge)")...)
}

// apiAnswers are the REST directory's answers to an empty token.
func (e *exam) apiAnswers() []*wire.Call {
	if e.api == nil {
		e.api = e.challenge(strings.TrimSuffix(e.path.URL, "/")+"/me", repeats)
	}
	return e.api
}

// ewsAnswers are those of the web services, which every Exchange has.
func (e *exam) ewsAnswers() []*wire.Call {
	if e.ews == nil {
		e.ews = e.challenge(e.origin()+"/EWS/Exchange.asmx", repeats)
	}
	return e.ews
}

// healthOf are the answers of one directory's health page.
func (e *exam) healthOf(directory string) []*wire.Call {
	if calls, ok := e.health[directory]; ok {
		return calls
	}
	var calls []*wire.Call
	for range healthRepeats {
		calls = append(calls, e.ask(e.origin()+"/"+directory+"/healthcheck.htm"))
	}
	calls = append(calls, e.each(e.origin()+"/"+directory+"/healthcheck.htm", "", "GET healthcheck.htm")...)
	e.health[directory] = calls
	return calls
}

// discovery is the Autodiscover client.
func (e *exam) discovery() where.Discovery {
	return where.Discovery{Anonymous: e.d.Anonymous, CloudEnd: e.o.CloudEnd, OnPremEnd: e.o.OnPremEnd}
}

// discover asks one end once per question.
func (e *exam) discover(base, email, protocol string, form where.Form) where.Answer {
	key := where.Address(base, email, protocol, form)
	a, ok := e.answers[key]
	if !ok {
		a = e.discovery().Ask(e.ctx, base, email, protocol, form)
		e.answers[key] = a
	}
	return a
}

// address is the mail address of the examined mailbox on this path.
func (e *exam) address(m profiles.Mailbox) string {
	a := m.Address[e.path.Name]
	return orElse(a.SMTP, a.User())
}

// first is the mailbox that checks of the deployment use.
func (e *exam) first() profiles.Mailbox {
	if len(e.o.Mailboxes) == 0 {
		return profiles.Mailbox{}
	}
	return e.o.Mailboxes[0]
}
