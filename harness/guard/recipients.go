package guard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"cutover/harness/consent"
	"cutover/harness/wire"
)

// The recipient firewall. Its default is no: an address that a write could
// reach is allowed only when it is listed. It does not trust what the request
// says about itself: verbs that mail are known by their URL as well, and bodies
// are read for addresses in every form in which they are known to travel.
//
// What it cannot see is what a server does later by itself, such as forwarding
// to somebody else: hence dedicated mailboxes.

// recipients judges everybody whom a request could mail or invite.
func (r *Rules) recipients(req *wire.Request, changes bool) error {
	e := &req.Effect
	found := contents{}
	verb, stored := mailVerb(req.URL)
	batch := isBatch(pathOf(req.URL))
	if !changes && len(e.Recipients) == 0 && verb == "" && !batch {
		return r.asksAbout(req)
	}
	if err := found.read(req); err != nil {
		return refuse("recipient", fmt.Sprintf("the body of %s cannot be read for recipients: %v", name(req), err), "write the body as plain JSON, XML or MIME")
	}
	if batch && (len(found.parts) == 0 || found.strays) {
		return refuse("recipient", "the parts of "+name(req)+" cannot be told apart", "write the step as a batch of the suite language")
	}
	for _, part := range found.parts {
		if err := r.addressed("https://batch/" + strings.TrimPrefix(part, "/")); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(found.changed, func(p part) bool { return meeting(strings.ToUpper(p.method), bare(p.url)) }) {
		found.stored = true // whoever another part names says nothing of those who were invited
	}
	if batch && found.writes && !changes {
		return refuse("write", "a part of "+name(req)+" writes, which its step does not say", "write the step as a batch of the suite language")
	}
	if e.Untraceable {
		return refuse("untagged", name(req)+" mails an item whose copies could not be found and removed again", "begin its subject with {{run.tag}}")
	}
	unread := len(e.Recipients) == 0 && !e.Known
	if e.StoredRecipients && unread || found.stored || stored && !(found.silent && answers[verb]) && unread || meeting(req.Method, pathOf(req.URL)) && unread {
		return refuse("recipient", name(req)+" mails whoever the stored item names, and the item was not read first", "read the item before, so that its recipients can be checked")
	}
	for _, address := range slices.Concat(e.Recipients, found.recipients) {
		if !r.mayReceive(address) {
			return refuse("recipient", fmt.Sprintf("%s names a recipient who is not on the list (%s)", name(req), veil(address)), "add the address to the consent's recipients, or use another in the suite")
		}
	}
	for _, address := range found.mentioned {
		if contact := e.Creates == "contact" && !e.Mails; !contact && !r.mayReceive(address) {
			return refuse("recipient", fmt.Sprintf("%s holds an address that is not on the list (%s)", name(req), veil(address)), "add the address to the consent's recipients, or use another in the suite")
		}
	}
	for _, hook := range found.hooks {
		if !r.mayBeCalled(hook) {
			return refuse("webhook", name(req)+" makes the server call a host that is not a target", "use a notification address among the consent's hosts")
		}
	}
	return nil
}

func (r *Rules) mayReceive(address string) bool {
	if consent.Match(r.Recipients, address) {
		return true
	}
	return r.Consent != nil && consent.Match(r.Consent.Recipients, address)
}

// veil tells which address is meant to somebody who knows it: the first letter
// and the domain.
func veil(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || !consent.Plain(address) {
		return "an unusual form"
	}
	return address[:1] + "***" + address[at:]
}

// addressed refuses URLs that name a mailbox which the consent does not.
func (r *Rules) addressed(rawURL string) error {
	if r.Consent == nil {
		return nil
	}
	path := pathOf(rawURL)
	if err := r.named(path); err != nil {
		return err
	}
	if !strings.Contains(path, "@") && !strings.Contains(path, "%") {
		return nil
	}
	for segment := range strings.SplitSeq(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return refuse("host", "the address of a request is malformed", "look at the step's URL and at what it captured")
		}
		for _, address := range addressesIn(plain) {
			if !r.Consent.Mailbox(address) {
				return refuse("mailbox", fmt.Sprintf("a request addresses a mailbox that the consent does not name (%s)", veil(address)), "address the profile's mailboxes with /me")
			}
		}
	}
	return nil
}

// own refuses to change or delete what this run did not create.
func (r *Rules) own(path string, req *wire.Request) error {
	e := &req.Effect
	if e.Target == "" || !e.Writes && !e.Deletes && req.Method != "DELETE" && req.Method != "PATCH" && req.Method != "PUT" {
		return nil
	}
	if r.Mine != nil && r.Mine(path, e.Target) || r.Mine == nil && r.Simulated {
		return nil
	}
	return refuse("not ours", name(req)+" would change an item that this run did not create", "change only items that an earlier step of the same run created")
}

// pathOf is the path of an absolute URL, still escaped, without its query.
func pathOf(rawURL string) string {
	_, rest, _ := strings.Cut(rawURL, "://")
	_, rest, _ = strings.Cut(rest, "/")
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	return "/" + rest
}

// answers are the actions that can be told to keep their answer to themselves.
var answers = map[string]bool{"accept": true, "decline": true, "tentativelyaccept": true}

// mailVerbs are the last segments of URLs that make Exchange mail somebody.
// True: to whom is decided by the stored item, whatever the body says.
var mailVerbs = map[string]bool{
	"sendmail": false, "forward": false,
	"send": true, "reply": true, "replyall": true, "accept": true, "decline": true, "tentativelyaccept": true, "cancel": true,
}

// mailVerb tells whether the URL ends in a verb that mails, and whether its
// recipients are stored.
func mailVerb(rawURL string) (verb string, stored bool) {
	path := strings.TrimRight(strings.ToLower(pathOf(rawURL)), "/()")
	if plain, err := url.PathUnescape(path); err == nil {
		path = strings.TrimRight(plain, "/()")
	}
	verb = path[strings.LastIndexByte(path, '/')+1:]
	verb = verb[strings.LastIndexByte(verb, '.')+1:] // microsoft.graph.send
	stored, known := mailVerbs[verb]
	if !known {
		return "", false
	}
	return verb, stored
}

// specials are the parts of URLs and raw bodies that last beyond the run or
// reach others; each needs an operation of its own.
var specials = []struct {
	segment string // of a URL, lower case
	element string // of an EWS request
	op      consent.Operation
}{
	{"messagerules", "UpdateInboxRules", consent.Rules},
	{"mailboxsettings", "SetUserOofSettings", consent.AutoReply},
	{"automaticrepliessetting", "SetUserOofSettingsRequest", consent.AutoReply},
	{"calendarpermissions", "AcceptSharingInvitation", consent.Sharing},
	{"", "AddDelegate", consent.Delegates},
	{"", "UpdateDelegate", consent.Delegates},
	{"delegates", "RemoveDelegate", consent.Delegates},
	{"subscriptions", "PushSubscriptionRequest", consent.Webhooks},
	{"", "CreateManagedFolder", consent.Change},
	{"members", "DistributionList", consent.Lists},
	{"groups", "MailboxType>PrivateDL", consent.Lists},
}

// special lists the operations with a name of their own that a write performs,
// parts of a batch included: a batch names its parts' URLs in its body.
func special(req *wire.Request) []consent.Operation {
	var ops []consent.Operation
	path := strings.ToLower(pathOf(req.URL))
	body := ""
	if isBatch(path) || speaksSOAP(path, req.Body) {
		body = string(req.Body)
	}
	lower := strings.ToLower(body)
	for _, s := range specials {
		inURL := s.segment != "" && (slices.Contains(strings.Split(path, "/"), s.segment) || strings.Contains(lower, "/"+s.segment))
		if (inURL || body != "" && strings.Contains(body, s.element)) && !slices.Contains(ops, s.op) {
			ops = append(ops, s.op)
		}
	}
	return ops
}
