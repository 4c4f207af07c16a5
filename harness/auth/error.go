package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
)

// Reason says what kind of no a sign-in met.
type Reason string

// The reasons.
const (
	Refused     Reason = "refused"     // the credential is wrong, expired, blocked or not allowed to do this
	Stopped     Reason = "stopped"     // two credentials of the path were refused: no other is offered
	Setup       Reason = "setup"       // tenant, application, audience or profile are wrong
	Throttled   Reason = "throttled"   // the token service asks to come later
	Unreachable Reason = "unreachable" // no usable answer came from the token service
	Secret      Reason = "secret"      // the reference to a secret could not be followed
	Ended       Reason = "ended"       // the caller gave up
)

// Error is a sign-in that failed. It is built from codes alone and never holds
// what a library or a server said, because that may hold the credential.
type Error struct {
	Path   string // path of the profile
	Who    string // account or application that signed in
	Reason Reason
	Code   string // such as "AADSTS50126", or the OAuth error
	Status int    // of the token service's answer, 0 when none came
	What   string // what it means
	Remedy string // what to do about it
	Cause  error  // a safety rule's refusal or the context's end; nil otherwise
	// Final is true when trying again cannot help.
	Final bool
	// After is how long the token service asks to wait, 0 when it does not say.
	After time.Duration
}

// Error is one line: who was refused on which path, the code and its meaning.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: sign-in", e.Path)
	if e.Who != "" {
		text += " as " + e.Who
	}
	text += " " + string(e.Reason)
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.What != "" {
		text += ": " + e.What
	}
	return text
}

// Unwrap is the cause, if one may be shown.
func (e *Error) Unwrap() error { return e.Cause }

// Hint is the remedy, for the line after the error.
func (e *Error) Hint() string { return e.Remedy }

// meaning is what a code of the token service says about the credential.
type meaning struct {
	codes  []int
	reason Reason
	what   string
	remedy string
}

// meanings translate Entra's numbers (AADSTS…). What each means is Microsoft's
// published list, in our words.
var meanings = []meaning{
	{[]int{7000215}, Refused, "the client secret is wrong", "check that the profile refers to the secret's value and not to its id"},
	{[]int{7000222}, Refused, "the client secret has expired", "make a new secret for the application, or use a certificate"},
	{[]int{700027}, Refused, "the certificate is not registered with the application", "upload the certificate's public part to the application"},
	{[]int{700024}, Refused, "the certificate's statement is outside its time", "set this machine's clock"},
	{[]int{7000218}, Setup, "the application must prove itself with a secret or a certificate", "allow public client flows for the application, or add its secret"},
	{[]int{700016}, Setup, "the application is not in this tenant", "check client and tenant in the profile"},
	{[]int{50126}, Refused, "user name or password is wrong", "check the mailbox's login and secret; it is not tried again, so that the account is not locked"},
	{[]int{50034}, Refused, "there is no such user in the tenant", "check the mailbox's login in the profile"},
	{[]int{50053}, Refused, "the account is locked, or sign-in from here is blocked", "wait for the lock to end and find out who tried; do not try again now"},
	{[]int{50055}, Refused, "the password has expired", "have the user set a new password"},
	{[]int{50057}, Refused, "the account is disabled", "enable it, or take the mailbox out of the profile"},
	{[]int{50076, 50079, 50074, 50072, 50158}, Refused, "the tenant asks for a second factor, which a password alone cannot give", "sign in by device code or browser, or except the test accounts by policy"},
	{[]int{53003, 53000, 530003}, Refused, "a Conditional Access policy blocks this sign-in", "except the test accounts or this machine by policy, or sign in by browser"},
	{[]int{65001, 65004, 90094}, Setup, "nobody consented to the permissions", "have an administrator consent to the application's permissions"},
	{[]int{50105}, Setup, "the user is not assigned to the application", "assign the user, or allow everybody"},
	{[]int{70008, 700082, 700084, 50173}, Refused, "the session has ended", "sign in again"},
	{[]int{500011, 500014}, Setup, "the audience is not known in this tenant", "register the on-premises name as a service principal name of Exchange in Entra, or correct resource in the profile"},
	{[]int{70011, 1002012, 28002, 28003}, Setup, "the scopes are not valid", "leave scopes out: the default asks for everything that was consented"},
	{[]int{90002, 50059, 900023}, Setup, "there is no such tenant", "check tenant in the profile"},
	{[]int{90014, 900144}, Setup, "the token service misses a parameter", "check the auth block in the profile"},
	{[]int{70016, 70018, 70019, 70020}, Refused, "the code was not entered in time", "start again and enter the code within 15 minutes"},
	{[]int{90033, 50196, 90055}, Throttled, "the token service is overloaded or asked too often", "wait a few minutes"},
}

// oauth translates the standard's words, for services that send no number.
var oauth = map[string]meaning{
	"invalid_client":          {nil, Refused, "the application's credential was refused", "check client, secret or certificate in the profile"},
	"unauthorized_client":     {nil, Setup, "the application may not sign in this way", "check the application's registration"},
	"invalid_grant":           {nil, Refused, "the credential was refused", "check the account and its secret"},
	"interaction_required":    {nil, Refused, "the tenant wants a person to sign in", "use device code or browser"},
	"invalid_scope":           {nil, Setup, "the scopes are not valid", "leave scopes out: the default asks for everything that was consented"},
	"invalid_resource":        {nil, Setup, "the audience is not known", "correct resource in the profile"},
	"invalid_request":         {nil, Setup, "the token service did not understand the request", "check the auth block in the profile"},
	"unsupported_grant_type":  {nil, Setup, "the token service does not offer this kind of sign-in", "choose another kind in the auth block"},
	"expired_token":           {nil, Refused, "the code was not entered in time", "start again"},
	"authorization_declined":  {nil, Refused, "the person declined", "start again"},
	"access_denied":           {nil, Refused, "access was denied", "look at the tenant's policies"},
	"temporarily_unavailable": {nil, Throttled, "the token service is not available now", "wait a few minutes"},
	"slow_down":               {nil, Throttled, "the token service asks for patience", "wait a few minutes"},
}

// answer is all that is read from a token service's refusal. The description
// is left alone: it can repeat what was sent.
type answer struct {
	Error string `json:"error"`
	Codes []int  `json:"error_codes"`
}

// maxAnswer bounds what is read of a refusal.
const maxAnswer = 64 << 10

// classify turns whatever a sign-in returned into an Error without its text.
func classify(path, who string, err error) *Error {
	e := &Error{Path: path, Who: who}
	var known *Error
	var hinted interface {
		error
		Hint() string
	}
	var call msal.CallErr
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &hinted): // a safety rule: its words are ours
		e.Reason, e.What, e.Remedy, e.Cause, e.Final = Unreachable, "a safety rule forbids it", hinted.Hint(), hinted, true
	case errors.As(err, &call) && call.Resp != nil:
		e.read(call.Resp)
	case errors.Is(err, context.Canceled):
		e.Reason, e.What, e.Cause = Ended, "it was given up", context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason, e.What, e.Remedy, e.Cause = Unreachable, "the token service did not answer in time", "check the way to the token service", context.DeadlineExceeded
	default:
		e.Reason, e.What, e.Remedy = Unreachable, "no usable answer came from the token service", "check authority, proxy and certificates of the path (cutover doctor)"
	}
	return e
}

// read classifies a token service's answer by status and codes alone.
func (e *Error) read(resp *http.Response) {
	e.Status = resp.StatusCode
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.After = min(time.Duration(s)*time.Second, time.Hour)
	}
	var a answer
	if resp.Body != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if json.Unmarshal(body, &a) != nil {
			a = answer{}
		}
	}
	m, known := oauth[a.Error]
	if known {
		e.Code = a.Error
	}
	if len(a.Codes) > 0 {
		code := a.Codes[0]
		if i := slices.IndexFunc(meanings, func(m meaning) bool { return slices.Contains(m.codes, code) }); i >= 0 {
			m, known = meanings[i], true
		}
		e.Code = fmt.Sprintf("AADSTS%d", code)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		m, known = meaning{reason: Throttled, what: fmt.Sprintf("the token service answered %d", resp.StatusCode), remedy: "wait a few minutes"}, true
	}
	if !known {
		m = meaning{reason: Setup, what: fmt.Sprintf("the token service answered %d", resp.StatusCode), remedy: "check authority and tenant in the profile"}
	}
	e.Reason, e.What, e.Remedy = m.reason, m.what, m.remedy
	e.Final = e.Reason == Refused || e.Reason == Setup
}
