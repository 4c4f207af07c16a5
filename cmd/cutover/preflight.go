package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cutover/harness/doctor"
	"cutover/harness/paths"
	"cutover/harness/plan"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
	"cutover/suites"
)

// probeTimeout bounds one preflight probe.
const probeTimeout = 15 * time.Second

// preflight asks, per path and before the clock starts, whether the run would
// mean anything: the path is reached, signs in, and leads to the side where the
// mailbox is. It sends one question a path; what it came to is said in the
// doctor's words. A check that fails ends the run with exit code 3.
func (s *session) preflight(ctx context.Context) ([]result.Check, error) {
	var checks []result.Check
	for _, side := range s.plan.Sides {
		path, mailbox := side.Profile, s.firstMailbox()
		call := s.probe(ctx, path.Name, suites.Operation{Method: http.MethodGet, URL: probeURL(path)}, mailbox)
		if ctx.Err() != nil {
			return nil, &exitError{code: exitInterrupted, err: fmt.Errorf("interrupted before the run began; nothing was measured")}
		}
		for _, o := range doctor.Judge(s.plan.Profile, path, mailbox, call) {
			o.Mailbox, o.Evidence = "", s.app.secrets.Redact(o.Evidence)
			if o.Verdict == result.Fail && !s.meaningless(side, o, call) {
				o.Verdict, o.Remedy = result.Warn, ""
			}
			if o.Verdict == result.Fail && !strings.Contains(o.Evidence, o.Cause) {
				o.Evidence += " (" + o.Cause + ")"
			}
			checks = append(checks, o.Check)
		}
		if path.Dialect.Kind == "plain" && call.Failure == nil {
			checks = append(checks, signedIn(path, call, s.expects(side, http.StatusUnauthorized)))
		}
	}
	return checks, nil
}

// meaningless tells whether a check that fails makes the run one. A suite may
// ask for the very refusal; a mailbox that is busy now may answer later; and
// the lab's mailboxes are put on the wrong side on purpose.
func (s *session) meaningless(side plan.Side, o doctor.Outcome, call *wire.Call) bool {
	switch {
	case call.Failure != nil || o.ID != "rest.mailbox" && o.ID != "graph.location":
		return call.Failure != nil || !s.expects(side, call.Response.Status)
	case s.expects(side, call.Response.Status), call.Response.Status == http.StatusTooManyRequests, call.Response.Status >= http.StatusInternalServerError:
		return false
	}
	return !s.plan.Profile.Simulated || call.Response.Status == http.StatusUnauthorized
}

// probeURL is the cheapest question that a path of this kind answers.
func probeURL(p profiles.Path) string {
	if p.Dialect.Kind == "plain" {
		return "/"
	}
	return "/me/mailFolders/inbox"
}

func (s *session) firstMailbox() profiles.Mailbox {
	if len(s.plan.Mailboxes) == 0 {
		return profiles.Mailbox{}
	}
	return s.plan.Mailboxes[0]
}

// probe sends one question down a path as one mailbox.
func (s *session) probe(ctx context.Context, path string, op suites.Operation, mailbox profiles.Mailbox) *wire.Call {
	call := &wire.Call{}
	refuse := func(kind wire.FailureKind, err error) *wire.Call {
		call.Failure = &wire.Failure{Kind: kind, Err: err}
		return call
	}
	p, _ := s.plan.Profile.Paths.Get(path)
	adapter, err := paths.New(p)
	if err != nil {
		return refuse(wire.Protocol, err)
	}
	template, err := adapter.Prepare(op)
	if err != nil {
		return refuse(wire.Protocol, err)
	}
	request := &wire.Request{}
	if err := template.Build(mailboxScope{mailbox, path, s.id}, request); err != nil {
		return refuse(wire.Protocol, err)
	}
	if request.Authorization, err = s.deployment.auth[path].Authorization(ctx, mailbox); err != nil {
		return refuse(wire.NoToken, err)
	}
	request.Kind, request.Mailbox, request.Timeout = wire.Probe, mailbox.Name, probeTimeout
	request.Header = append(request.Header, wire.Field{Name: "client-request-id", Value: probeID(s.id, path)})
	s.deployment.doers[path].Do(ctx, request, call)
	return call
}

// remedy says what to try when a target cannot be reached.
func remedy(kind wire.FailureKind, host string) string {
	switch kind {
	case wire.DNS:
		return fmt.Sprintf("the name of %s does not resolve from this machine: check the profile's url, or map it with --resolve", host)
	case wire.Connect:
		return fmt.Sprintf("nothing listens on %s, or a firewall is in between: check the profile's url and the service", host)
	case wire.TLS:
		return fmt.Sprintf("the certificate of %s was not accepted: name its authority in the profile as tls: {ca: FILE}", host)
	case wire.Timeout:
		return fmt.Sprintf("%s did not answer within %s: check the service, or a firewall that drops packets", host, probeTimeout)
	case wire.Refused:
		return "a safety rule refused the probe"
	default:
		return "check that the profile's url leads to the service it names"
	}
}

// expects says whether some step of the plan takes a status for an answer on
// this side: suites about refusals do.
func (s *session) expects(side plan.Side, status int) bool {
	for _, scenario := range s.plan.Scenarios {
		for _, step := range scenario.Steps {
			if set := step.Source.Asked(side.Path, side.Side).Expect.Status; !set.IsZero() && set.Contains(status) {
				return true
			}
		}
	}
	return false
}

// signedIn fails for a sign-in that cannot work. A 401 that the suite expects
// is only a warning.
func signedIn(p profiles.Path, call *wire.Call, expected bool) result.Check {
	check := result.Check{ID: "sign-in", Title: "the sign-in is accepted", Path: p.Name, Verdict: result.Pass}
	if call.Response.Status != http.StatusUnauthorized {
		check.Evidence = "accepted"
		return check
	}
	check.Verdict, check.Evidence = result.Warn, "401: "+strings.Join(call.Response.Header.Values("WWW-Authenticate"), ", ")
	if !expected && p.Auth.Kind != "" && p.Auth.Kind != "none" {
		check.Verdict = result.Fail
		check.Remedy = "the credential was refused: `cutover doctor` names the cause, `cutover token --path " + p.Name + "` explains the token"
	}
	return check
}

// mailboxScope answers the names that a template knows outside a run.
type mailboxScope struct {
	mailbox profiles.Mailbox
	path    string
	run     string
}

// Lookup implements vars.Scope.
func (s mailboxScope) Lookup(name string) (string, bool) {
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
	case "run.id":
		return s.run, true
	}
	return "", false
}

// probeID is the client-request-id of a path's probe before a run.
func probeID(run, path string) string { return requestName([]byte("probe " + run + " " + path)) }
