package guard

import (
	"fmt"
	"slices"
	"strings"

	"cutover/harness/consent"
	"cutover/harness/wire"
)

// A consent names mailboxes. What a request is told about them is held against it wherever
// they are named: in the URL, by an address or an id, and in the bodies of those that ask.

// asksAbout refuses a read whose body asks about mailboxes that the consent does not name:
// free and busy times, mail tips, or a mailbox that a SOAP header impersonates.
func (r *Rules) asksAbout(req *wire.Request) error {
	if r.Consent == nil || len(req.Body) == 0 {
		return nil
	}
	found := contents{}
	if err := found.read(req); err != nil {
		return refuse("mailbox", fmt.Sprintf("the body of %s cannot be read for mailboxes: %v", name(req), err), "write the body as plain JSON, XML or MIME")
	}
	for _, address := range slices.Concat(found.recipients, found.mentioned) {
		if !r.Consent.Mailbox(address) && !r.mayReceive(address) {
			return refuse("mailbox", fmt.Sprintf("%s asks about a mailbox that the consent does not name (%s)", name(req), veil(address)), "ask about the profile's mailboxes, or ask the approver to add it")
		}
	}
	return nil
}

// named refuses a URL that names a mailbox otherwise than by a consented address: an id
// leads to anybody's. A group has a mailbox as well.
func (r *Rules) named(path string) error {
	all := words(path)
	if i := mailboxIn(all); i >= 0 && !r.Consent.Mailbox(all[i]) {
		return refuse("mailbox", "a request addresses a mailbox that the consent does not name ("+veil(all[i])+")", "address the profile's mailboxes with /me")
	}
	if behind(all, "groups") >= 0 && !r.Consent.Allows(consent.Lists) {
		return refuse("mailbox", "a request addresses a group, whose mailbox the consent does not name", "ask the approver to add the operation distribution-lists")
	}
	return nil
}

// mayBeCalled tells whether a server may be told to call this address: a host that the
// consent names. This machine is the lab's alone: to a server of a deployment its address means the
// server itself.
func (r *Rules) mayBeCalled(hook string) bool {
	hostport, err := HostPort(hook)
	if err != nil {
		return false
	}
	if r.Consent != nil {
		return r.Consent.Host(hostport)
	}
	return r.onThisMachine(hostport)
}

// meeting tells whether a change or deletion is that of an event, or of an occurrence: the
// server mails whoever was invited.
func meeting(method, path string) bool {
	if method != "PATCH" && method != "PUT" && method != "DELETE" {
		return false
	}
	all := words(path)
	i := slices.IndexFunc(all, func(w string) bool { return strings.EqualFold(w, "events") || strings.EqualFold(w, "calendarView") })
	if i < 0 || i+1 >= len(all) {
		return false
	}
	rest := all[i+2:]
	return len(rest) == 0 || strings.EqualFold(rest[0], "instances")
}
