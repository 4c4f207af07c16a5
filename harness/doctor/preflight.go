package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"

	"cutover/harness/clock"
	"cutover/harness/result"
	"cutover/harness/wire"
	"cutover/profiles"
)

// Judge says in the doctor's words what one signed question about a mailbox's
// inbox came to: whether the path is reached, signs in, and leads to the side
// where the mailbox is. It sends nothing. The last outcome is the first one that
// fails, or the mailbox's own.
func Judge(p *profiles.Profile, path profiles.Path, m profiles.Mailbox, call *wire.Call) []Outcome {
	e := newExam(context.Background(), Deps{Profile: p, Clock: clock.System()}, Options{Mailboxes: []profiles.Mailbox{m}}, path)
	e.mailbox = m
	e.inboxes[m.Name] = call
	var all []Outcome
	say := func(id, mailbox string, f finding) bool {
		c, _ := Explain(id)
		all = append(all, c.outcome(path.Name, mailbox, f))
		return f.verdict != result.Fail
	}
	if f := call.Failure; f != nil {
		switch f.Kind {
		case wire.NoToken:
			say("auth.token", m.Name, e.acquired(&signedIn{err: f.Err}))
		case wire.TLS:
			say(tlsCheck(f.Err), "", fail("%s: %v", e.url.Host, f))
		default:
			say("net.reach", "", e.unreachable(f))
		}
		return all
	}
	status, location := call.Response.Status, call.Response.Header.Value("Location")
	say("net.reach", "", pass("%s answered %d", e.url.Host, status))
	switch {
	case onPrem(e) && status >= 300 && status < 400:
		say("front.preauth", "", fail("%d to %s", status, place(location)))
	case onPrem(e) && status == http.StatusUnauthorized:
		id, f := e.refusedBecause(call)
		say(id, m.Name, f)
	case onPrem(e) && status >= http.StatusInternalServerError && !isJSON(call):
		say("array.down", "", fail("%d %s", status, e.server(call)))
	case onPrem(e) && !isJSON(call):
		say("vdir.api", "", fail("%d, and the answer is no JSON: %s", status, e.server(call)))
	case onPrem(e):
		say("rest.mailbox", m.Name, e.restMailbox())
	case cloud(e):
		say("graph.location", m.Name, e.location())
	}
	return all
}

// refusedBecause is the check that a refused sign-in on premises belongs to.
func (e *exam) refusedBecause(call *wire.Call) (string, finding) {
	e.api = []*wire.Call{call}
	for _, c := range []struct {
		id      string
		applies func(*exam) bool
		run     func(*exam) finding
	}{
		{"oauth.challenge", bearer, (*exam).oauthChallenge},
		{"auth.offered", account, (*exam).offered},
		{"oauth.ssloffload", bearer, (*exam).sslOffload},
		{"oauth.audience", bearer, (*exam).known},
		{"ntlm.ep", func(e *exam) bool { return e.path.Auth.Kind == "ntlm" }, (*exam).extended},
	} {
		if c.applies(e) {
			if f := c.run(e); f.verdict == result.Fail {
				return c.id, f
			}
		}
	}
	return "rest.mailbox", e.restMailbox()
}

func isJSON(call *wire.Call) bool {
	return len(call.Response.Body) > 0 && json.Valid(call.Response.Body)
}

// tlsCheck is the check that a failed handshake belongs to.
func tlsCheck(err error) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &name):
		return "tls.san"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls.expiry"
	case errors.As(err, &unknown), errors.As(err, &invalid):
		return "tls.chain"
	}
	return "tls.version"
}
