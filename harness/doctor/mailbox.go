package doctor

import (
	"net/http"
	"strings"

	"cutover/harness/token"
	"cutover/harness/where"
	"cutover/harness/wire"
	"cutover/profiles"
)

const sourceDiagnostics = "Microsoft: x-ms-diagnostics of Exchange (documented)"

// restNeeds is what a signed request to the REST directory stands on.
var restNeeds = []string{"vdir.api", "array.down", "array.mixed404", "auth.token", "token.audience", "auth.offered"}

// mailboxChecks sign in and read one folder, by name and count only.
func mailboxChecks() []Check {
	return []Check{
		{ID: "oauth.ssloffload", Title: "TLS does not end in front of the servers", Blocks: blocksOAuth, Vantage: "internet", Needs: append(restNeeds[:len(restNeeds):len(restNeeds)], "oauth.challenge", "token.perms"), applies: both(onPrem, bearer),
			Cause:  "the load balancer ends TLS and speaks http to the servers (SSL offload), so they expect tokens for http",
			Remedy: "turn SSL offload off; bridging, which encrypts again with the same certificate, works", Source: sourceDiagnostics, run: (*exam).sslOffload},
		{ID: "oauth.audience", Title: "the servers know the namespace that the token names", Blocks: blocksOAuth, Vantage: "internet", Needs: append(restNeeds[:len(restNeeds):len(restNeeds)], "oauth.challenge", "token.perms", "oauth.ssloffload"), applies: both(onPrem, bearer),
			Cause:  "the external URLs of the virtual directories name another namespace than clients use (2000003)",
			Remedy: "set InternalUrl and ExternalUrl of the virtual directories to the namespace, and register it as a service principal name of Exchange in Entra", Source: sourceDiagnostics, run: (*exam).known},
		{ID: "ntlm.ep", Title: "Windows sign-in passes Extended Protection", Blocks: blocksSignIn, Vantage: "any", Needs: restNeeds, applies: both(onPrem, func(e *exam) bool { return e.path.Auth.Kind == "ntlm" }),
			Cause:  "a device in front ends TLS with another certificate than the servers', so that the sign-in is bound to the wrong connection (Extended Protection, the default of /api since Exchange 2019 CU14); or user or password are wrong",
			Remedy: "give the device the servers' own certificate, or let it pass TLS through; modern sign-in needs neither. Check the login's password too: both have the same answer", Source: "Microsoft: Extended Protection in Exchange (documented)", run: (*exam).extended},
		{ID: "rest.mailbox", Title: "the mailbox answers on premises", Blocks: blocksREST, Vantage: "any",
			Needs: append(restNeeds[:len(restNeeds):len(restNeeds)], "oauth.challenge", "token.perms", "oauth.ssloffload", "oauth.audience", "ntlm.ep"), applies: onPrem, eachMailbox: true,
			Cause: "the mailbox is not on this side, or the account has no right to it", Remedy: "`cutover where` tells the side; give the account full access, or let the mailbox's own user sign in", Source: sourceDiagnostics, run: (*exam).restMailbox},
		{ID: "graph.location", Title: "the mailbox answers in the cloud", Blocks: blocksCloud, Vantage: "any", Needs: []string{"auth.token", "token.audience", "token.perms"}, applies: cloud, eachMailbox: true,
			Cause: "the mailbox is on premises, has no licence, or the application may not read it", Remedy: "`cutover where` tells the side", Source: "captured answers of Graph, 2016 to today", run: (*exam).location},
		{ID: "graph.scope", Title: "a mailbox outside the application's scope is refused", Blocks: blocksCloud, Vantage: "any", Needs: []string{"auth.token", "token.audience", "token.perms", "graph.location"}, applies: cloud, harmless: true,
			Cause:  "the application reaches every mailbox of the tenant: no access policy limits it",
			Remedy: "New-ApplicationAccessPolicy -AccessRight RestrictAccess with a group of the test mailboxes, or RBAC for applications; Test-ApplicationAccessPolicy shows the effect", Source: "Microsoft: limiting application permissions to mailboxes (documented)", run: (*exam).scope},
	}
}

// inbox reads the inbox's properties as a mailbox, once.
func (e *exam) inbox(m profiles.Mailbox) *wire.Call {
	if c, ok := e.inboxes[m.Name]; ok {
		return c
	}
	call := &wire.Call{Failure: &wire.Failure{Kind: wire.Refused}}
	if doer := e.d.Signed[e.path.Name]; doer != nil {
		route := where.Route{Path: e.path, Doer: doer, Auth: e.d.Auth[e.path.Name]}
		call = route.Ask(e.ctx, m, "/me/mailFolders/inbox")
	}
	e.inboxes[m.Name] = call
	return call
}

// refusal is Exchange's own reason for a 401.
func refusal(call *wire.Call) (token.Diagnostic, bool) {
	if call.Failure != nil || call.Response.Status != http.StatusUnauthorized {
		return token.Diagnostic{}, false
	}
	text := call.Response.Header.Value("x-ms-diagnostics")
	r, err := token.Explain("x-ms-diagnostics: "+text, token.Options{})
	if text == "" || err != nil || len(r.Diagnostics) == 0 {
		return token.Diagnostic{}, false
	}
	return r.Diagnostics[0], true
}

func (e *exam) sslOffload() finding {
	d, ok := refusal(e.inbox(e.first()))
	if ok && d.Code == 2000003 && strings.Contains(d.Reason, "http://") {
		return fail("2000003: %s", d.Reason)
	}
	return pass("no answer speaks of http")
}

func (e *exam) known() finding {
	d, ok := refusal(e.inbox(e.first()))
	if ok && d.Code == 2000003 {
		return fail("2000003: %s", d.Reason)
	}
	return pass("the audience was not refused")
}

func (e *exam) extended() finding {
	call := e.inbox(e.first())
	switch {
	case call.Failure != nil:
		return unanswered(call.Failure)
	case call.Response.Status == http.StatusUnauthorized:
		return fail("401 to an NTLM sign-in")
	}
	return pass("%d to a sign-in that is bound to its TLS connection", call.Response.Status)
}

// unanswered is the finding of a signed request without an answer.
func unanswered(f *wire.Failure) finding {
	if f.Kind == wire.NoToken {
		return fail("%v", f.Err).because("the mailbox could not sign in", "check the mailbox's login and secret in the profile")
	}
	return silent(f)
}

func (e *exam) restMailbox() finding {
	call := e.inbox(e.mailbox)
	if call.Failure != nil {
		return unanswered(call.Failure)
	}
	s := where.Classify(call)
	switch status := call.Response.Status; {
	case status == http.StatusOK:
		return pass("200 from %s", orElse(call.Response.Header.Value("X-CalculatedBETarget"), "the server"))
	case status == http.StatusUnauthorized:
		if d, ok := refusal(call); ok {
			return fail("401 %d: %s", d.Code, d.Reason).because(d.Meaning, d.Remedy)
		}
		return fail("401: the sign-in was refused").because("user or password are wrong, or the account may not sign in this way", "check the mailbox's login and secret; it is not tried again, so that the account is not locked")
	case status == http.StatusForbidden:
		return fail("%s", s.Says).because("the account has no right to this mailbox", "Add-MailboxPermission -AccessRights FullAccess for the account, or let the mailbox's own user sign in")
	case status == http.StatusNotFound:
		return fail("%s", s.Says).because("the mailbox does not live on these servers", "`cutover where` tells the side; name a mailbox that lives on premises")
	}
	return fail("%s", s.Says)
}

func (e *exam) location() finding {
	call := e.inbox(e.mailbox)
	if call.Failure != nil {
		return unanswered(call.Failure)
	}
	s := where.Classify(call)
	switch s.Class {
	case where.Here:
		return pass("200")
	case where.Denied:
		return fail("%s", s.Says).because(s.Meaning, "Test-ApplicationAccessPolicy shows whom the policy lets in; add the test mailboxes to its group, or the missing permission to the application")
	case where.AppOnly:
		return fail("%s", s.Says).because(s.Meaning, "let a user sign in, or move the mailbox to the cloud; never edit web.config or the partner application")
	case where.NoTrust:
		return fail("%s", s.Says).because(s.Meaning, "run the Hybrid Configuration Wizard, which writes both objects")
	case where.Preview, where.Untranslated, where.NoExtension:
		return fail("%s", s.Says).because(s.Meaning, "move the mailbox to the cloud, or ask Exchange itself on a rest path")
	case where.NotHere:
		return fail("%s", s.Says).because(s.Meaning, "`cutover where` tells which of them it is: the code does not")
	}
	return fail("%s", s.Says).because(s.Meaning, "")
}

func (e *exam) scope() finding {
	outside := e.path.OutOfScope
	if outside == "" {
		return skip("the profile names no mailbox out_of_scope")
	}
	if e.path.Delegated() {
		return skip("the path signs in as users, whose own rights count")
	}
	m := profiles.Mailbox{Name: "", Address: map[string]profiles.Address{e.path.Name: {UPN: outside, SMTP: outside}}}
	call := (&where.Route{Path: e.path, Doer: e.d.Signed[e.path.Name], Auth: e.d.Auth[e.path.Name]}).Ask(e.ctx, m, "/me/mailFolders/inbox?$select=id")
	switch {
	case call.Failure != nil && call.Failure.Kind == wire.Refused:
		return skip("the consent does not name the mailbox, so that it is not touched")
	case call.Failure != nil:
		return silent(call.Failure)
	case call.Response.Status == http.StatusForbidden:
		return pass("403")
	case call.Response.Status == http.StatusOK:
		return fail("200 for a mailbox that should be out of reach")
	}
	return warn("%s, where 403 was expected", where.Classify(call).Says)
}
