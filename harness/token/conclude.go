package token

import (
	"fmt"
	"slices"
)

// conclude joins tokens and refusals: which token was refused, why, and what
// helps.
func (r *Report) conclude() {
	say := func(format string, args ...any) { r.Conclusion = append(r.Conclusion, fmt.Sprintf(format, args...)) }
	for _, d := range r.Diagnostics {
		switch {
		case d.Code == 2000001 && (d.Refused == V1S2SAppOnly || d.Refused == V1S2SActAs):
			r.relayed(d, say)
		case d.Code == 2000008 && r.partner(d):
			r.second(say)
		case d.Refused != "":
			say("Exchange refused a token of kind %s with %d (%s): %s.", d.Refused, d.Code, d.Category, d.Meaning)
			say("What helps: %s.", d.Remedy)
		default:
			say("Exchange refused with %d (%s): %s.", d.Code, d.Category, d.Meaning)
			say("What helps: %s.", d.Remedy)
		}
	}
}

// partner tells whether a refusal of rights is about Graph's own application:
// the sentence names it, or the same input shows Graph's token refused before.
func (r *Report) partner(d Diagnostic) bool {
	if graphShape().MatchString(d.Reason) {
		return true
	}
	return slices.ContainsFunc(r.Diagnostics, func(o Diagnostic) bool { return o.Refused == V1S2SAppOnly })
}

// relayed explains the refusal of a token that Graph made.
func (r *Report) relayed(d Diagnostic, say func(string, ...any)) {
	say("The refused token is not the one that the application sent. Graph took that one, saw that the mailbox is on premises, and asked Exchange with a token of its own, of kind %s. Exchange refused that.", d.Refused)
	for _, t := range r.Tokens {
		if t.Kind == V1AppOnly {
			say("The application's own token (%s) is in order for Graph and for mailboxes in the cloud: changing its permissions changes nothing here.", t.Kind)
			break
		}
	}
	if d.Refused == V1S2SActAs {
		say("That kind is in the list of /api on Exchange 2016 CU22 and 2019 CU11: this server is older, or its list was changed. Compare OAuthHttpModule.Profiles in its configuration with an untouched server of the same build.")
		return
	}
	say("2000001: the list of /api holds V1S2SActAs, with a user, and not V1S2SAppOnly. The list is Exchange's own: no setting of the tenant or the application reaches it.")
	say("Were the kind forced into the list, the next refusal would be 2000008: the partner application of Graph (%s) holds no rights on premises without a user.", graphApp)
	r.remedies(say)
}

// second explains the refusal that follows when the list was edited.
func (r *Report) second(say func(string, ...any)) {
	say("2000008: Exchange read the token of Graph (%s) and found that this partner application has no rights of its own on premises. This refusal follows 2000001 where somebody added V1S2SAppOnly to the list of /api: take it out again.", graphApp)
	r.remedies(say)
}

// remedies say what helps with app-only access to mailboxes on premises, once.
func (r *Report) remedies(say func(string, ...any)) {
	first := "What helps: let a user sign in (authorization code, device code, or a test account's password): Graph's token is then of kind V1S2SActAs, which /api takes."
	if slices.Contains(r.Conclusion, first) {
		return
	}
	say("%s", first)
	say("Or move the mailbox to Exchange Online, where the application's token is enough. That is the lasting way: Graph passes requests on to no mailbox on premises any more and answers 404 MailboxNotEnabledForRESTAPI.")
	say("What does not help: editing web.config or the partner application. Microsoft supports neither, the next update undoes it, and it opens every mailbox on premises to an application that nobody reviewed.")
}
