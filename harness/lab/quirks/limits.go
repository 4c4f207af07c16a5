package quirks

import (
	"net/http"
	"strings"
)

// limits are the rows about scope, limits, errors and time.
var limits = []Quirk{
	{ID: "folder.visibility", State: Toggle, Side: "onprem", Class: "adapter", Certainty: "documented", Source: "mailFolder resource, known issues",
		About: "Hidden folders are listed on-prem.", Trigger: "lists of mail folders"},
	{ID: "scope.archive", State: Waits, Side: "onprem", Class: "capability", Certainty: "documented", Source: "mailbox type support", About: "In-place archives and public folders have no API in Graph.", Trigger: "none"},
	{ID: "size.request", State: Inherent, Side: "both", Class: "breaking", Certainty: "documented", Source: "message size limits, large attachments", About: "64 MiB a request on-prem, 4 MiB in Graph.", Trigger: "large bodies"},
	{ID: "size.slow", State: Toggle, Side: "cloud", Class: "timing", Certainty: "captured", Source: "graph-docs 21183",
		About: "The content of an attachment ends in a 504.", Trigger: "attachments/{id}/$value",
		act: &act{side: "cloud", method: http.MethodGet, paths: []string{"messages/*/attachments/*/$value", "messages/*/$value"},
			refuse: problem(http.StatusGatewayTimeout, "UnknownError", "")}},
	{ID: "throttle.shape", State: Toggle, Side: "both", Class: "adapter", Certainty: "captured", Source: "EWS throttling, corso 3695, outlook-dev-docs 144",
		About: "On-prem says 503 ErrorServerBusy, Graph 429 with a fractional Retry-After.", Trigger: "every fifth request",
		act: &act{side: "both", every: 5, refuse: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(strings.ToLower(r.URL.Path), "/api/") {
				problem(http.StatusServiceUnavailable, "ErrorServerBusy", "The server cannot service this request right now. Try again later.")(w, r)
				return
			}
			w.Header().Set("Retry-After", "2.128")
			problem(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")(w, r)
		}}},
	{ID: "throttle.limit", State: Inherent, Side: "both", Class: "timing", Certainty: "documented", Source: "Graph throttling, EWS affinity", About: "4 at once and 10,000 in ten minutes in Graph; policies of its own on-prem.", Trigger: "load"},
	{ID: "query.combo", State: Inherent, Side: "both", Class: "breaking", Certainty: "documented", Source: "query parameters, davmail 501", About: "$search with $filter or $orderby is refused; filter and order need the same leading property.", Trigger: "such queries"},
	{ID: "freebusy.error", State: Toggle, Side: "cloud", Class: "adapter", Certainty: "captured", Source: "graph-docs 11225, exchangelib 1060", Alone: true,
		About: "An unknown address in free/busy is told by a number instead of EWS's code: responseCode 5009.", Trigger: "getSchedule"},
	{ID: "export.truncate", State: Waits, Side: "onprem", Class: "timing", Certainty: "documented", Source: "EWS export", About: "Exports can end early.", Trigger: "ExportItems"},
	{ID: "index.lag", State: Toggle, Side: "cloud", Class: "timing", Certainty: "captured", Source: "exchangelib 873, known issues",
		About: "A search does not find what is there yet.", Trigger: "$search",
		act: &act{side: "cloud", method: http.MethodGet, paths: messageLists,
			when: func(r *http.Request, _ []byte) bool {
				q := strings.ToLower(r.URL.RawQuery)
				return strings.Contains(q, "$search=") || strings.Contains(q, "%24search=")
			},
			rewrite: func(_ *http.Request, doc any) any {
				if top, ok := doc.(map[string]any); ok {
					top["value"] = []any{}
					delete(top, "@odata.nextLink")
				}
				return doc
			}}},
	{ID: "rooms.list", State: Waits, Side: "both", Class: "capability", Certainty: "captured", Source: "graph-docs 4616, 7532", About: "Rooms are found in other ways.", Trigger: "none"},
	{ID: "notify.model", State: Waits, Side: "both", Class: "capability", Certainty: "documented", Source: "webhooks, EWS notifications", About: "Streaming against webhooks.", Trigger: "subscriptions"},
}
