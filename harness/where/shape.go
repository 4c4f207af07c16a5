package where

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"cutover/harness/wire"
)

// Class is what an answer of Graph says about the mailbox behind it.
type Class string

// The classes.
const (
	Here         Class = "here"          // it answers
	NotHere      Class = "not here"      // on premises, unlicensed, deleted or not discoverable: the same answer
	Preview      Class = "preview"       // on premises, behind the preview of 2016 to 2023, which refused this request
	Untranslated Class = "untranslated"  // on premises, and Graph did not translate the body
	AppOnly      Class = "app-only"      // on premises, and Exchange refused Graph's token without a user
	NoTrust      Class = "no trust"      // on premises, and the two do not trust each other
	NoExtension  Class = "no extension"  // on premises, asked for a subscription
	Denied       Class = "denied"        // a policy or a missing permission; says nothing about the place
	NoToken      Class = "token refused" // the caller's own token
	Unclear      Class = "unclear"
)

// Shape is an answer recognised.
type Shape struct {
	Class   Class
	Meaning string // what it tells an administrator
	Says    string // status and code as answered
}

// OnPrem tells whether the shape itself proves that the mailbox is on premises.
func (s Shape) OnPrem() bool {
	switch s.Class {
	case Preview, Untranslated, AppOnly, NoTrust, NoExtension:
		return true
	}
	return false
}

// previewWords mark every answer that the preview's proxy added its sentence to.
const previewWords = "REST APIs for this mailbox are currently in preview"

// untranslatedWords name a type of Exchange, or one of Graph's that Exchange
// does not know: the body was passed on as it came.
var untranslatedWords = []string{"Microsoft.OutlookServices.", "'microsoft.graph."}

// Classify recognises the answer to a question about a mailbox. Graph's code
// decides; where one code stands for several things, a part of the message that
// every known capture has.
func Classify(call *wire.Call) Shape {
	if call.Failure != nil {
		return Shape{Unclear, "no answer came: " + call.Failure.Kind.String(), call.Failure.Error()}
	}
	code, message := errorOf(call.Response.Body)
	s := classify(call.Response.Status, code, message)
	s.Says = describe(call)
	return s
}

func classify(status int, code, message string) Shape {
	shape := func(c Class, meaning string) Shape { return Shape{Class: c, Meaning: meaning} }
	preview := strings.Contains(message, previewWords)
	switch {
	case status == http.StatusOK:
		return shape(Here, "the mailbox answers")
	case preview && code == "RequestBodyRead" && containsAny(message, untranslatedWords):
		return shape(Untranslated, "the mailbox is on premises, and Graph passed the body on without translating it")
	case preview:
		return shape(Preview, "the mailbox is on premises, behind Graph's preview, which does not know this request")
	case code == "ExtensionError" || code == "extensionError":
		return shape(NoExtension, "the mailbox is on premises, where there are no subscriptions")
	case status == http.StatusUnauthorized && code == "AuthenticationError":
		return shape(NoTrust, "the mailbox is on premises, and Exchange does not trust Graph: its authorization server or partner application is missing")
	case status == http.StatusUnauthorized && code == "UnknownError" && message == "":
		return shape(AppOnly, "the mailbox is on premises, and Exchange refused Graph's own token: an application without a user does not get in")
	case status == http.StatusUnauthorized:
		return shape(NoToken, "the token was refused")
	case status == http.StatusForbidden && strings.Contains(message, "OData is disabled"):
		return shape(Denied, "an application access policy keeps the application out of this mailbox")
	case status == http.StatusForbidden:
		return shape(Denied, "the application may not read this mailbox")
	case status == http.StatusNotFound && (code == "" || notHere[code] || code == "UnknownError" && message == ""):
		return shape(NotHere, "Graph has no mailbox for it: on premises, without a licence, deleted, or not discoverable")
	}
	return shape(Unclear, "an answer that says nothing about the place")
}

// notHere are the codes of 404 that stand for a mailbox that is elsewhere or nowhere.
// The first two alternate for one and the same user.
var notHere = map[string]bool{
	"MailboxNotEnabledForRESTAPI": true, "ResourceNotFound": true, "ErrorInvalidUser": true, "ErrorNonExistentMailbox": true,
	"Request_ResourceNotFound": true, "OrganizationFromTenantGuidNotFound": true,
}

func containsAny(text string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// errorOf reads code and message of an error answer; "" for what is none.
func errorOf(body []byte) (code, message string) {
	var doc struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return "", ""
	}
	return doc.Error.Code, doc.Error.Message
}

// describe says a call in one line, without its content.
func describe(call *wire.Call) string {
	if call.Failure != nil {
		return call.Failure.Error()
	}
	code, _ := errorOf(call.Response.Body)
	return strings.TrimSpace(fmt.Sprintf("%d %s", call.Response.Status, word(code)))
}

// maxWord bounds a server's code in our lines; the longest known has 35 letters.
const maxWord = 60

// word is a server's code when it looks like one, "" when it could be anything.
func word(code string) string {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	}
	if len(code) > maxWord || strings.ContainsFunc(code, odd) {
		return ""
	}
	return code
}
