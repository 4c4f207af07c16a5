package doctor

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"cutover/harness/wire"
	"cutover/profiles"
)

// ewsChecks are about the web services, which every Exchange has: where the
// REST directory is missing they are the way to a mailbox on premises.
func ewsChecks() []Check {
	return []Check{
		{ID: "oauth.vdirs", Title: "the other virtual directories offer OAuth too", Blocks: blocksOAuth, Vantage: "internet", Needs: append(transport[:len(transport):len(transport)], "front.preauth", "vdir.health"),
			Shares: []string{"oauth.challenge"}, applies: onPrem, harmless: true,
			Cause:  "OAuth is switched off for single virtual directories: clients that use them fall back to passwords, or fail",
			Remedy: "Set-WebServicesVirtualDirectory -OAuthAuthentication $true, Set-MapiVirtualDirectory -IISAuthenticationMethods with OAuth; for ActiveSync run the Hybrid Configuration Wizard",
			Source: sourceChallenge, run: (*exam).otherDirectories},
		{ID: "ews.signin", Title: "the mailbox answers to the web services (EWS)", Blocks: blocksEWS, Vantage: "any",
			Needs:   append(transport[:len(transport):len(transport)], "front.preauth", "vdir.health", "auth.token", "token.audience"),
			Shares:  []string{"auth.offered", "oauth.challenge", "token.perms", "oauth.ssloffload", "oauth.audience", "ntlm.ep"},
			applies: onPrem, eachMailbox: true, harmless: true,
			Cause:  "the web services do not take this sign-in, or the mailbox is not on these servers",
			Remedy: "Get-WebServicesVirtualDirectory | fl *auth* shows what is switched on; `cutover where` tells the mailbox's side",
			Source: "Microsoft: reference of the Exchange web services (documented)", run: (*exam).ewsSignIn},
	}
}

// withOAuth are directories, beside /api, whose challenges must offer OAuth.
var withOAuth = []string{"/EWS/Exchange.asmx", "/mapi/emsmdb/", "/Microsoft-Server-ActiveSync"}

func (e *exam) otherDirectories() finding {
	var without, answers []string
	for _, directory := range withOAuth {
		calls := e.ewsAnswers()
		if directory != withOAuth[0] {
			calls = e.challenge(e.origin()+directory, 1)
		}
		asking, failure := answered(calls)
		switch {
		case len(asking) == 0 && failure != nil && failure.Kind == wire.Refused:
			return silent(failure)
		case len(asking) == 0 || asking[0].Response.Status != http.StatusUnauthorized:
			continue // whether it answers at all is vdir.health's
		}
		answers = append(answers, directory)
		if _, ok := bearerOf(asking[0].Response.Header.Values("WWW-Authenticate")); !ok {
			without = append(without, fmt.Sprintf("%s offers %s", directory, schemes(asking)))
		}
	}
	switch {
	case len(without) > 0:
		return fail("%s", strings.Join(without, "; "))
	case len(answers) == 0:
		return skip("none of them asked for a sign-in")
	}
	return pass("%s", strings.Join(answers, ", "))
}

const (
	envelope = `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"` +
		` xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">` +
		`<soap:Header><t:RequestServerVersion Version="Exchange2013"/>%s</soap:Header><soap:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>` +
		`<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></soap:Body></soap:Envelope>`
	impersonation = `<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>%s</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`
)

// ownAccount tells whether each mailbox signs in as itself, so that nobody has
// to be impersonated.
func (e *exam) ownAccount() bool {
	var login struct{ user string }
	switch e.path.Auth.Kind {
	case "basic":
		var p profiles.Basic
		e.path.Auth.Decode(&p)
		login.user = p.User
	case "ntlm":
		var p profiles.NTLM
		e.path.Auth.Decode(&p)
		login.user = p.User
	case "entra":
		var p profiles.Entra
		e.path.Auth.Decode(&p)
		if p.Device || p.Browser {
			return true
		}
		login.user = p.User
	}
	return login.user == profiles.MailboxUser
}

// inboxOverEWS asks for the inbox's id as a mailbox.
func (e *exam) inboxOverEWS(m profiles.Mailbox) *wire.Call {
	call := &wire.Call{}
	doer := e.d.Signed[e.path.Name]
	if doer == nil {
		call.Failure = &wire.Failure{Kind: wire.Refused}
		return call
	}
	header := ""
	if address := e.address(m); !e.ownAccount() && strings.Contains(address, "@") {
		var escaped strings.Builder
		_ = xml.EscapeText(&escaped, []byte(address)) // into memory
		header = fmt.Sprintf(impersonation, escaped.String())
	}
	s := e.token(m)
	if s.err != nil {
		call.Failure = &wire.Failure{Kind: wire.NoToken, Err: s.err}
		return call
	}
	doer.Do(e.ctx, &wire.Request{Kind: wire.Probe, Method: http.MethodPost, URL: e.origin() + "/EWS/Exchange.asmx", Authorization: s.header, Mailbox: m.Name,
		Header: wire.Header{{Name: "Content-Type", Value: "text/xml; charset=utf-8"}}, Body: fmt.Appendf(nil, envelope, header), Template: "POST GetFolder"}, call)
	return call
}

// soapAnswer is what is read of an answer.
type soapAnswer struct {
	Version struct {
		Major      string `xml:"MajorVersion,attr"`
		Minor      string `xml:"MinorVersion,attr"`
		MajorBuild string `xml:"MajorBuildNumber,attr"`
		MinorBuild string `xml:"MinorBuildNumber,attr"`
	} `xml:"Header>ServerVersionInfo"`
	Code string `xml:"Body>GetFolderResponse>ResponseMessages>GetFolderResponseMessage>ResponseCode"`
}

func (e *exam) ewsSignIn() finding {
	call := e.inboxOverEWS(e.mailbox)
	if call.Failure != nil {
		return unanswered(call.Failure)
	}
	if call.Response.Status == http.StatusUnauthorized {
		if d, ok := refusal(call); ok {
			return fail("401 %d: %s", d.Code, d.Reason).because(d.Meaning, d.Remedy)
		}
		return fail("401: the sign-in was refused")
	}
	var a soapAnswer
	if xml.Unmarshal(call.Response.Body, &a) != nil || a.Code == "" {
		return fail("%d, and no answer of the web services", call.Response.Status).because("something else answers for the web services, or they are down", "look at Test-ServiceHealth, and at what stands in front")
	}
	v := a.Version
	switch a.Code {
	case "NoError":
		return pass("NoError from Exchange %s.%s.%s.%s", v.Major, v.Minor, v.MajorBuild, v.MinorBuild)
	case "ErrorImpersonateUserDenied", "ErrorImpersonationDenied":
		return fail("%s", a.Code).because("the account may not act for this mailbox", "New-ManagementRoleAssignment -Role ApplicationImpersonation -User ACCOUNT, or let the mailbox's own user sign in")
	case "ErrorNonExistentMailbox", "ErrorMissingEmailAddress", "ErrorInvalidSmtpAddress":
		return fail("%s", a.Code).because("the mailbox does not live on these servers, or the account has none", "`cutover where` tells the side")
	}
	return fail("%s", a.Code)
}
