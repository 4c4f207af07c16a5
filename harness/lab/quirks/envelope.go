package quirks

import "net/http"

// envelopes are the rows about names, shapes and where a mailbox answers.
var envelopes = []Quirk{
	{ID: "case.property", State: Inherent, Side: "onprem", Class: "adapter", Certainty: "documented", Source: "outlook-dev-docs, compare-graph",
		About: "The REST API writes property names in PascalCase, Graph in camelCase.", Trigger: "every answer"},
	{ID: "case.enum", State: Inherent, Side: "onprem", Class: "adapter", Certainty: "captured", Source: "azure-docs 39454, graph-docs 2202",
		About: "The REST API writes members of enumerations in PascalCase: Normal, HTML, NoEnd, Saturday.", Trigger: "every answer with such a member"},
	{ID: "name.renamed", State: Inherent, Side: "onprem", Class: "adapter", Certainty: "documented", Source: "outlook-dev-docs, compare-graph",
		About: "A contact's MobilePhone1 is Graph's mobilePhone.", Trigger: "contacts"},
	{ID: "odata.context", State: Inherent, Side: "onprem", Class: "adapter", Certainty: "documented", Source: "outlook-dev-docs, compare-graph",
		About: "Contexts and links name another root; each entity has an @odata.id.", Trigger: "every answer"},
	{ID: "props.absent", State: Inherent, Side: "onprem", Class: "capability", Certainty: "documented", Source: "REST resource reference of August 2016",
		About: "Properties newer than 2016 are absent: flag, internetMessageId, conversationIndex, locations, transactionId and others. The preset ideal answers them.", Trigger: "messages, events, folders"},
	{ID: "null.absent", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "inferred", Source: "normalisation rules for comparison",
		About: "A property without a value is left out instead of written as null.", Trigger: "contacts and events",
		act: &act{side: "onprem", paths: concat(contactPaths, eventPaths), rewrite: func(_ *http.Request, doc any) any {
			return eachEntity(doc, func(m map[string]any) {
				for k, v := range m {
					if v == nil {
						delete(m, k)
					}
				}
			})
		}}},
	{ID: "write.casing", State: Toggle, Side: "proxy", Class: "breaking", Certainty: "captured", Source: "graph-explorer-v4 946, msgraph-sdk-dotnet 984",
		About: "Behind the proxy a camelCase body is refused: 400 RequestBodyRead with the preview sentence.", Trigger: "writes through Graph of 2019 to an on-prem mailbox"},
	{ID: "segment.unknown", State: Inherent, Side: "onprem", Class: "capability", Certainty: "captured", Source: "docs-contrib 6309, 8047",
		About: "Actions newer than the server are unknown segments.", Trigger: "getSchedule, findMeetingTimes, masterCategories, createUploadSession"},
	{ID: "beta.api", State: Inherent, Side: "proxy", Class: "capability", Certainty: "documented", Source: "hybrid-rest-support",
		About: "For on-prem mailboxes only v1.0 of mail, calendar and contacts existed.", Trigger: "/beta, /groups through Graph of 2019"},
	{ID: "settings.missing", State: Inherent, Side: "proxy", Class: "capability", Certainty: "captured", Source: "docs-contrib 6519",
		About: "mailboxSettings answers 404 MailboxNotEnabledForRESTAPI.", Trigger: "mailboxSettings through Graph of 2019"},
	{ID: "locate.error", State: Toggle, Side: "proxy", Class: "breaking", Certainty: "captured", Source: "docs-contrib 4341",
		About: "An on-prem mailbox is answered by ResourceNotFound instead of MailboxNotEnabledForRESTAPI.", Trigger: "Graph of today, on-prem mailbox"},
	{ID: "meta.headers", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "captured", Source: "office-js 1737, graph-docs 2350",
		About: "Both sides always name their servers in headers of their own; with the toggle the REST API tells its rate limits too, which Graph never does.", Trigger: "every answer",
		act: &act{side: "onprem", header: func(h http.Header) {
			h.Set("Rate-Limit-Limit", "10000")
			h.Set("Rate-Limit-Remaining", "9998")
			h.Set("Rate-Limit-Reset", "2026-03-02T09:10:00Z")
		}}},
}

// signIns are the rows about signing in and routing.
var signIns = []Quirk{
	{ID: "auth.app_only", State: Inherent, Side: "proxy", Class: "breaking", Certainty: "captured", Source: "seed report of 2019, azure-docs 27188",
		About: "An app-only token is refused behind the proxy: 401 UnknownError; Exchange says 2000001, V1S2SAppOnly.", Trigger: "Graph of 2019, app-only token, on-prem mailbox"},
	{ID: "auth.partner_perm", State: Toggle, Side: "onprem", Class: "breaking", Certainty: "captured", Source: "seed report of 2019", Alone: true,
		About: "With the profile forced into the list the next refusal is 2000008: no permissions or linked account.", Trigger: "Graph of 2019, app-only token, on-prem mailbox"},
	{ID: "auth.audience", State: Inherent, Side: "both", Class: "breaking", Certainty: "documented", Source: "outlook-dev-docs, compare-graph",
		About: "A token for one endpoint is not valid at the other.", Trigger: "swapped tokens"},
	{ID: "auth.scheme", State: Inherent, Side: "onprem", Class: "breaking", Certainty: "documented", Source: "EWS client programming comparison",
		About: "On-prem offers NTLM, Negotiate and Basic beside OAuth.", Trigger: "the challenge"},
	{ID: "auth.policy", State: Toggle, Side: "cloud", Class: "capability", Certainty: "documented", Source: "docs-contrib 8731, auth-limit-mailbox-access",
		About: "An application access policy denies the mailbox: 403, access to OData is disabled.", Trigger: "every request",
		act: &act{side: "cloud", refuse: problem(http.StatusForbidden, "ErrorAccessDenied", "Access to OData is disabled.")}},
	{ID: "autod.v2", State: Inherent, Side: "both", Class: "adapter", Certainty: "documented", Source: "Teams and Exchange interaction, Outlook mobile discovery",
		About: "The cloud end answers 302 for an on-prem mailbox, the on-prem end a URL.", Trigger: "autodiscover.json"},
	{ID: "autod.stale", State: Toggle, Side: "both", Class: "timing", Certainty: "inferred", Source: "field knowledge", Alone: true,
		About: "After a move Autodiscover answers with the old side for a while.", Trigger: "autodiscover.json after a move"},
}

var (
	messageItem  = []string{"messages/*", "mailfolders/*/messages/*", "folders/*/messages/*"}
	messageLists = []string{"messages", "mailfolders/*/messages", "folders/*/messages"}
	eventItem    = []string{"events/*", "calendar/events/*", "calendars/*/events/*"}
	eventPaths   = []string{"events", "events/*", "calendarview", "calendar/events", "calendar/calendarview", "calendar/events/*", "calendars/*/events", "events/*/instances"}
	contactPaths = []string{"contacts", "contacts/*", "contactfolders/*/contacts"}
)

func concat(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}
